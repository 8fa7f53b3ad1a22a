"""Makes the text parts of mails, and converts one of those that differ in their words only.

The conversion of html_text moves words without looking into them: it looks at elements, attributes and white space, and
compares the words of a link with its address. So a mark takes the place of words outside links, and another one that of
the unsubscribe link. Most mails of a message are then equal, and their text, with the marks, is in a cache.

HTML that parsers may read in different ways is converted as it is, since they could find other words there.

Pure.
"""

import re
from functools import lru_cache
from typing import Final

from osdi.mail import html_text

# Longer HTML is always converted. Both together limit the cache to 8 MB.
MAX_CACHED_LENGTH: Final = 30_000
CACHED: Final = 64

# The marks are characters of private use: those for words, in their order, and the last one for the unsubscribe link.
FIRST: Final = 0xE000
LINK: Final = "\uf8ff"
MAX_WORDS: Final = ord(LINK) - FIRST
MARKS: Final = re.compile("[\ue000-\uf8ff]")
WORD_MARKS: Final = re.compile("[\ue000-\uf8fe]")

# The part of a URL without a query in which HTML escapes nothing.
ADDRESS: Final = re.compile(r"(https?://)[^?#&<>\"'\s]+")

# Elements whose content is text, also if it looks like tags. `style` and `title` are read as a whole.
RAW: Final = "script|style|title|textarea|xmp|iframe|noembed|noframes|noscript|plaintext"
ATTRIBUTES: Final = r"""(?: \s++ [^\s<>"'/=]++ (?: = (?: "[^"<>]*+" | '[^'<>]*+' | [^\s<>"'`=]++ ) )?+ )*+ \s*+ /?+"""
# `words` are visible characters with single spaces between them. `other` pieces stay as they are: of references to
# characters only those that cannot be a mark. Parsers may read in different ways what is `strange`.
PIECES: Final = re.compile(
    rf"""
    (?P<words> [^\s<>&\x00-\x1f\x7f-\x9f]++ (?: [ ] [^\s<>&\x00-\x1f\x7f-\x9f]++ )*+ )
    | (?P<link> < a (?=[\s/>]) {ATTRIBUTES} > )
    | (?P<link_end> </ a \s*+ > )
    | (?P<other>
        \s++
        | < (?!(?:{RAW})[\s/>]) [a-z][a-z0-9:-]*+ {ATTRIBUTES} >
        | </ (?!(?:{RAW})[\s>]) [a-z][a-z0-9:-]*+ \s*+ >
        | < (?P<raw> style | title ) (?=[\s/>]) {ATTRIBUTES} > [^<]*+ </ (?P=raw) \s*+ >
        | <!-- (?!-?>) (?: [^-] | -(?!-) )*+ -->
        | <!doctype \s [^<>]*+ >
        | &[#] (?: [0-9]{{1,4}} | 1[0-9]{{5}} | x[0-9a-f]{{1,3}} | x[0-9a-d][0-9a-f]{{3}} | x1[0-9a-f]{{4}} ) ;
        | & [a-z][a-z0-9]*+ ;
        | & (?![#]) [^\s<>&]*+
    )
    | (?P<strange> . )
    """,
    re.VERBOSE | re.DOTALL | re.IGNORECASE,
)


def text_of(html: str, unsubscribe_url: str = "") -> str:
    """Returns the text of an HTML body (see html_text), in which the unsubscribe link of its reader may be."""
    found = ADDRESS.match(unsubscribe_url)
    address, scheme = (found[0], found[1]) if found else ("", "")
    marked = _marked(html.replace(address, scheme + LINK) if address else html) if _may_be_marked(html) else None
    if marked is None:
        return html_text.text_of(html)
    body, words = marked
    text = WORD_MARKS.sub(lambda mark: words[ord(mark[0]) - FIRST], _converted(body))
    return text.replace(scheme + LINK, address) if address else text


@lru_cache(CACHED)
def _converted(body: str) -> str:
    return html_text.text_of(body)


def _may_be_marked(html: str) -> bool:
    return len(html) <= MAX_CACHED_LENGTH and not MARKS.search(html)


def _marked(html: str) -> tuple[str, list[str]] | None:
    """Returns the HTML with marks in the place of words, and these words; None if it is strange or has too many."""
    pieces: list[str] = []
    words: list[str] = []
    links = 0  # at least as many as there are open
    for found in PIECES.finditer(html):
        piece, kind = found[0], found.lastgroup
        if kind == "words" and not links:
            pieces.append(chr(FIRST + len(words)))
            words.append(piece)
            continue
        if kind == "strange" or len(words) >= MAX_WORDS:
            return None
        links += kind == "link"
        links -= kind == "link_end" and links > 0
        pieces.append(piece)
    return "".join(pieces), words
