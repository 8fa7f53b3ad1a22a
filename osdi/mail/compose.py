"""Composes a mail from a rendered message: a text part, an HTML part, and the headers of an automatic answer.

This module itself encodes the headers that contain words or addresses. The standard library would decode encoded words
in plain text, so a name such as =?utf-8?q?=0D=0ABcc=3A...?= would become an additional header.

Pure.
"""

import datetime as dt
import re
from email.header import Header
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import EmailPolicy
from email.utils import format_datetime, quote
from functools import lru_cache
from html import escape
from typing import Final, Protocol

from osdi.languages import SOURCE_LANGUAGE, text_direction, translations
from osdi.mail.mailboxes import mailboxes, with_ascii_domain

# RFC 5322, section 2.1.1: the recommended and the absolute maximum length of a line, in characters.
LINE: Final = 78
LONGEST_LINE: Final = 998

# A display name that needs no quotation marks.
PLAIN_PHRASE: Final = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~ -]*")

# Between the parts. RFC 2045, section 6.7: quoted-printable text, which both parts are, never has "=_" in it. The
# library would draw a boundary by lot and search the parts for it, which takes as long as composing the rest.
BOUNDARY: Final = "=_alternative_part"

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


class _Policy(EmailPolicy):
    """Policy for SMTP that neither parses nor folds `_Encoded` values.

    The other headers, such as Content-Type, have one of a few values each, and the library takes as long for them as
    for the rest of a mail. So their results are cached; the library never changes a parsed header.
    """

    def header_max_count(self, name: str) -> int | None:
        return _max_count(name)

    def header_store_parse(self, name: str, value: str) -> tuple[str, str]:
        return (name, value) if isinstance(value, _Encoded) else _parsed(name, value)

    def fold(self, name: str, value: str) -> str:
        return f"{name}: {value}{self.linesep}" if isinstance(value, _Encoded) else super().fold(name, value)

    def fold_binary(self, name: str, value: str) -> bytes:
        return self.fold(name, value).encode() if isinstance(value, _Encoded) else _folded(self.linesep, name, value)


@lru_cache(maxsize=64)
def _max_count(name: str) -> int | None:
    return EmailPolicy().header_max_count(name)


@lru_cache(maxsize=64)
def _parsed(name: str, value: str) -> tuple[str, str]:
    return EmailPolicy().header_store_parse(name, value)


@lru_cache(maxsize=64)
def _folded(line_end: str, name: str, value: str) -> bytes:
    return EmailPolicy(linesep=line_end).fold_binary(name, value)


POLICY: Final = _Policy(linesep="\r\n")


def compose(
    rendered: RenderedMail,
    *,
    to: str,
    message_id: str,
    sender: Address,
    unsubscribe_url: str,
    date: dt.datetime,
    language: str = SOURCE_LANGUAGE,
) -> EmailMessage:
    """Returns the complete mail. Raises ValueError if a value cannot be in a header; a saved message has no such value.

    `message_id` is the id of the follow-up, so a repeated mail has the same Message-ID. `date` has a time zone.
    `language` is that of the words of the unsubscribe link.
    """
    html = with_link(rendered.html, unsubscribe_url, language)
    message = EmailMessage(policy=POLICY)
    message["Subject"] = _words(rendered.subject, "Subject")
    message["From"] = _mailbox_header(sender, "From")
    if rendered.reply_to:
        message["Reply-To"] = _Encoded(
            ",\r\n ".join(_mailbox_header(each, "Reply-To") for each in mailboxes(rendered.reply_to))
        )
    # Only the address: a display name would put text that a person posted into a header.
    message["To"] = _Encoded(with_ascii_domain(to))
    message["Date"] = _Encoded(format_datetime(date))
    message["Message-ID"] = _Encoded(f"<{with_ascii_domain(f'{message_id}@{sender.domain}')}>")
    # RFC 3834, section 5: prevents vacation messages. That RFC advises against Precedence.
    message["Auto-Submitted"] = "auto-replied"
    message["X-Auto-Response-Suppress"] = "All"
    # RFC 8058: mail programs offer to unsubscribe with one click.
    message["List-Unsubscribe"] = _bracketed_url(unsubscribe_url)
    message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    message.set_content(text_part(rendered, html, unsubscribe_url, language) + "\n", cte="quoted-printable")
    message.make_alternative(boundary=BOUNDARY)
    message.add_alternative(html, subtype="html", cte="quoted-printable")
    return message


def compose_plain_text(
    *, subject: str, text: str, to: str, message_id: str, sender: Address, date: dt.datetime
) -> EmailMessage:
    """Returns a mail of plain text that its reader has asked for. Raises ValueError if a value cannot be in a header.

    `date` has a time zone.
    """
    message = EmailMessage(policy=POLICY)
    message["Subject"] = _words(subject, "Subject")
    message["From"] = _mailbox_header(sender, "From")
    message["To"] = _Encoded(with_ascii_domain(to))
    message["Date"] = _Encoded(format_datetime(date))
    message["Message-ID"] = _Encoded(f"<{with_ascii_domain(f'{message_id}@{sender.domain}')}>")
    message["Auto-Submitted"] = "auto-generated"  # RFC 3834, section 5
    message["X-Auto-Response-Suppress"] = "All"
    message.set_content(text, cte="quoted-printable")
    return message


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
    if text.isascii() and text.isprintable() and "=?" not in text and len(f"{name}: {text}") <= LINE:
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


def _bracketed_url(url: str) -> _Encoded:
    """Returns the URL in angle brackets, neither encoded nor folded: mail programs find no URL in encoded words.

    Raises ValueError for a URL that needs encoding or is too long for one line.
    """
    value = f"<{url}>"
    if not url.isascii() or not url.isprintable() or set(url) & set(' <>"') or len(value) > LONGEST_LINE - LINE:
        raise ValueError("The unsubscribe link is not valid in a header: use a shorter ASCII URL without spaces.")
    return _Encoded(value)
