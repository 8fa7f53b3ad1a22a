"""Tells HTML from plain text: HTML contains a tag of an element that HTML defines.

`<jane@river.example.org>`, `<https://river.example.org>` and `<3` are text. So is `a<b and c>d`: a tag with attributes
counts only if one of them has a value.

Pure.
"""

import re
from typing import Final

# The elements of the HTML Living Standard, section 4, and those that its section 16.2 calls obsolete.
NAMES: Final = """
html head title base link meta style body article section nav aside h1 h2 h3 h4 h5 h6 hgroup header footer address p hr
pre blockquote ol ul menu li dl dt dd figure figcaption main search div a em strong small s cite q dfn abbr ruby rt rp
data time code var samp kbd sub sup i b u mark bdi bdo span br wbr ins del picture source img iframe embed object video
audio track map area svg math table caption colgroup col tbody thead tfoot tr td th form label input button select
selectedcontent datalist optgroup option textarea output progress meter fieldset legend details summary dialog script
noscript template slot canvas
applet acronym bgsound dir frame frameset noframes isindex keygen listing menuitem nextid noembed param plaintext rb rtc
strike xmp basefont big blink center font marquee multicol nobr spacer tt
"""
ELEMENTS: Final = frozenset(NAMES.split())

TAG: Final = re.compile(r"</?([a-z][a-z0-9]*)(?:\s*/?>|\s[^<>=]*=[^<>]*>)", re.IGNORECASE)
DOCTYPE: Final = re.compile(r"<!doctype\s+html\b", re.IGNORECASE)


def is_html(text: str) -> bool:
    """True if the text contains a tag, declaration or comment of HTML."""
    tags = any(found[1].lower() in ELEMENTS for found in TAG.finditer(text))
    return tags or bool(DOCTYPE.search(text)) or _has_comment(text)


def _has_comment(text: str) -> bool:
    """True if the text contains a comment. A regular expression would search for the end from each `<!--` again."""
    _, opened, rest = text.partition("<!--")
    return bool(opened) and "-->" in rest
