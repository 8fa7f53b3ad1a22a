"""Composes a mail from a rendered message: a text part, an HTML part, and the headers of an automatic answer.

This module itself writes the headers and the parts, which have few forms. The standard library would decode encoded
words in plain text, so a name such as =?utf-8?q?=0D=0ABcc=3A...?= would become an additional header. It also takes
several times as long, since it parses and folds headers that are always the same.

Pure.
"""

import datetime as dt
import re
from binascii import b2a_qp
from email.header import Header
from email.headerregistry import Address
from email.utils import format_datetime, quote
from functools import lru_cache
from html import escape
from typing import Final, Protocol

from osdi.languages import SOURCE_LANGUAGE, text_direction, translations
from osdi.mail.mailboxes import mailboxes, with_ascii_domain

# RFC 5322, section 2.1.1: the recommended and the absolute maximum length of a line, in characters.
RECOMMENDED_LINE_LENGTH: Final = 78
MAX_LINE_LENGTH: Final = 998

# A display name that needs no quotation marks.
PLAIN_PHRASE: Final = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~ -]*")

# Between the parts. RFC 2045, section 6.7: quoted-printable text, which both parts are, never has "=_" in it.
BOUNDARY: Final = "=_alternative_part"

# Nearly all mails have one of a few Reply-To headers, and parsing one takes longer than composing a mail.
REPLY_TOS: Final = 100

END_OF_BODY: Final = re.compile(r"</body\b", re.IGNORECASE)


class RenderedMail(Protocol):
    """A message with its placeholders filled in (see osdi.messages.templates)."""

    @property
    def subject(self) -> str: ...
    @property
    def html(self) -> str: ...
    @property
    def text(self) -> str: ...
    @property
    def reply_to(self) -> str: ...


class _Encoded(str):
    """A header value in its final form: encoded and folded."""


def compose(
    rendered: RenderedMail,
    *,
    to: str,
    message_id: str,
    sender: Address,
    unsubscribe_url: str,
    date: dt.datetime,
    language: str = SOURCE_LANGUAGE,
) -> bytes:
    """Returns the complete mail. Raises ValueError if a value cannot be in a header; a saved message has no such value.

    `message_id` is the id of the follow-up, so a repeated mail has the same Message-ID. `date` has a time zone.
    `language` is that of the words of the unsubscribe link.
    """
    html = with_link(rendered.html, unsubscribe_url, language)
    text = text_part(rendered, html, unsubscribe_url, language)
    headers = _headers(rendered.subject, to, message_id, sender, date, rendered.reply_to) | {
        # RFC 3834, section 5: prevents vacation messages. That RFC advises against Precedence.
        "Auto-Submitted": _Encoded("auto-replied"),
        "X-Auto-Response-Suppress": _Encoded("All"),
        # RFC 8058: mail programs offer to unsubscribe with one click.
        "List-Unsubscribe": _bracketed_url(unsubscribe_url),
        "List-Unsubscribe-Post": _Encoded("List-Unsubscribe=One-Click"),
        "MIME-Version": _Encoded("1.0"),
        "Content-Type": _Encoded(f'multipart/alternative; boundary="{BOUNDARY}"'),
    }
    between = f"\r\n--{BOUNDARY}".encode()
    parts = (_part("plain", text), _part("html", html))
    return _lines(headers) + b"".join(between + b"\r\n" + each for each in parts) + between + b"--\r\n"


def compose_plain_text(
    *, subject: str, text: str, to: str, message_id: str, sender: Address, date: dt.datetime
) -> bytes:
    """Returns a mail of plain text that its reader has asked for. Raises ValueError if a value cannot be in a header.

    `date` has a time zone.
    """
    headers = _headers(subject, to, message_id, sender, date) | {
        "Auto-Submitted": _Encoded("auto-generated"),  # RFC 3834, section 5
        "X-Auto-Response-Suppress": _Encoded("All"),
        "MIME-Version": _Encoded("1.0"),
    }
    return _lines(headers) + _part("plain", text)


def _headers(
    subject: str, to: str, message_id: str, sender: Address, date: dt.datetime, reply_to: str = ""
) -> dict[str, _Encoded]:
    """Returns the headers that every mail has."""
    return {
        "Subject": _words(subject, "Subject"),
        "From": _mailbox_header(sender, "From"),
        **({"Reply-To": _reply_to(reply_to)} if reply_to else {}),
        # Only the address: a display name would put text that a person posted into a header.
        "To": _Encoded(with_ascii_domain(to)),
        "Date": _Encoded(format_datetime(date)),
        "Message-ID": _Encoded(f"<{with_ascii_domain(f'{message_id}@{sender.domain}')}>"),
    }


def _lines(headers: dict[str, _Encoded]) -> bytes:
    return "".join(f"{name}: {value}\r\n" for name, value in headers.items()).encode()


def _part(subtype: str, text: str) -> bytes:
    """Returns the headers of a text and the text itself, each of its lines with CR LF."""
    lines = text.encode().splitlines()
    head = f'Content-Type: text/{subtype}; charset="utf-8"\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n'
    return head.encode() + b2a_qp(b"\r\n".join([*lines, b""]) or b"\r\n")


def with_link(html: str, unsubscribe_url: str, language: str) -> str:
    """Returns the body with an unsubscribe link at its end; unchanged if it already has the link."""
    if unsubscribe_url in html or escape(unsubscribe_url) in html:
        return html
    words, direction = escape(_unsubscribe(language)), text_direction(language)
    link = f'<a href="{escape(unsubscribe_url)}">{words}</a>'
    paragraph = f'<p lang="{language}" dir="{direction}" style="font-size: small">{link}</p>\n'
    ends = [found.start() for found in END_OF_BODY.finditer(html)]
    return html[: ends[-1]] + paragraph + html[ends[-1] :] if ends else html + paragraph


def text_part(rendered: RenderedMail, html: str, unsubscribe_url: str, language: str) -> str:
    """Returns the text part: the text as it was written, or else the text of `html`; with an unsubscribe link."""
    if not rendered.text:
        return text_of(html, unsubscribe_url)
    text = rendered.text.rstrip("\n")
    return text if unsubscribe_url in text else f"{text}\n\n{_unsubscribe(language)} ({unsubscribe_url})"


def _unsubscribe(language: str) -> str:
    return translations(language).gettext("Unsubscribe")


def text_of(html: str, unsubscribe_url: str) -> str:
    """Returns the text part for an HTML body (see text_parts)."""
    # Imported here: the HTML parser takes 10 MB, and a web process needs it only for previews.
    from osdi.mail import text_parts

    return text_parts.text_of(html, unsubscribe_url)


def _words(text: str, name: str) -> _Encoded:
    """Returns the text as a header value: unchanged if it is plain and fits into the line, otherwise RFC 2047 encoded.

    `name` is the header's name. Raises ValueError for text of more than one line.
    """
    text = text.strip()
    if len(text.splitlines()) > 1:
        raise ValueError(f"{name} has more than one line.")
    if text.isascii() and text.isprintable() and "=?" not in text and len(f"{name}: {text}") <= RECOMMENDED_LINE_LENGTH:
        return _Encoded(text)
    return _Encoded(Header(text, "utf-8", header_name=name).encode(linesep="\r\n"))


def _mailbox_header(address: Address, name: str) -> _Encoded:
    """Returns the mailbox as a header value; `name` is the header's name."""
    bare = with_ascii_domain(address.addr_spec)
    display_name = address.display_name.strip()
    if not display_name:
        return _Encoded(bare)
    words = _words(display_name, name)
    if words == display_name and not PLAIN_PHRASE.fullmatch(words):
        words = _Encoded(f'"{quote(words)}"')
    return _Encoded(f"{words} <{bare}>")


@lru_cache(REPLY_TOS)
def _reply_to(text: str) -> _Encoded:
    return _Encoded(",\r\n ".join(_mailbox_header(each, "Reply-To") for each in mailboxes(text)))


def _bracketed_url(url: str) -> _Encoded:
    """Returns the URL in angle brackets, neither encoded nor folded: mail programs find no URL in encoded words.

    Raises ValueError for a URL that needs encoding or is too long for one line.
    """
    value = f"<{url}>"
    if (
        not url.isascii()
        or not url.isprintable()
        or set(url) & set(' <>"')
        or len(value) > MAX_LINE_LENGTH - RECOMMENDED_LINE_LENGTH
    ):
        raise ValueError("The unsubscribe link is not valid in a header: use a shorter ASCII URL without spaces.")
    return _Encoded(value)
