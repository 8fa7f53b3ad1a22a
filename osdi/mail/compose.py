"""Composing a mail: text and HTML of a rendered message, and the headers that an automatic answer carries.

Headers with words or addresses in them are written here, not by the standard library: that reads encoded words in what
is only text, so that a name such as =?utf-8?q?=0D=0ABcc=3A...?= would become a header of its own.

Pure.
"""

import datetime as dt
import re
from email.header import Header
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import EmailPolicy
from email.utils import quote
from html import escape
from typing import Final, Protocol

from osdi.mail.mailboxes import mailboxes, with_ascii_domain

# RFC 5322, section 2.1.1: what a line should not, and must not, be longer than, in characters.
LINE: Final = 78
LONGEST_LINE: Final = 998

PLAIN_PHRASE: Final = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~ -]*")


UNSUBSCRIBE: Final = "Unsubscribe"
END_OF_BODY: Final = re.compile(r"</body\b", re.IGNORECASE)


class RenderedMail(Protocol):
    """A message whose fields are filled in (see templates)."""

    @property
    def subject(self) -> str: ...
    @property
    def html(self) -> str: ...
    @property
    def reply_to(self) -> str: ...


class _Written(str):
    """The value of a header as it goes out."""


class _Policy(EmailPolicy):
    """As for SMTP, but what is written already is neither read nor folded."""

    def header_store_parse(self, name: str, value: str) -> tuple[str, str]:
        return (name, value) if isinstance(value, _Written) else super().header_store_parse(name, value)

    def fold(self, name: str, value: str) -> str:
        return f"{name}: {value}{self.linesep}" if isinstance(value, _Written) else super().fold(name, value)

    def fold_binary(self, name: str, value: str) -> bytes:
        return self.fold(name, value).encode() if isinstance(value, _Written) else super().fold_binary(name, value)


POLICY: Final = _Policy(linesep="\r\n")


def compose(
    rendered: RenderedMail,
    *,
    to: str,
    message_id: str,
    sender: Address,
    unsubscribe_url: str,
    date: dt.datetime,
) -> EmailMessage:
    """The mail as it goes out. Raises ValueError where something would break a header; a saved message never does.

    `message_id` is the follow-up's, which a repeat of the mail has too. `date` has a time zone.
    """
    html = with_link(rendered.html, unsubscribe_url)
    message = EmailMessage(policy=POLICY)
    message["Subject"] = _words(rendered.subject, "Subject")
    message["From"] = _mailbox_header(sender, "From")
    if rendered.reply_to:
        message["Reply-To"] = _Written(
            ",\r\n ".join(_mailbox_header(each, "Reply-To") for each in mailboxes(rendered.reply_to))
        )
    # The address alone: a display name would be somebody's words in a header.
    message["To"] = _Written(with_ascii_domain(to))
    message["Date"] = date
    message["Message-ID"] = _Written(f"<{with_ascii_domain(f'{message_id}@{sender.domain}')}>")
    # RFC 3834, section 5: so that no vacation message answers. No Precedence, which that RFC advises against.
    message["Auto-Submitted"] = "auto-replied"
    message["X-Auto-Response-Suppress"] = "All"
    # RFC 8058: one click, without a page in between.
    message["List-Unsubscribe"] = _address_of_the_web(unsubscribe_url)
    message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    message.set_content(text_of(html) + "\n", cte="quoted-printable")
    message.add_alternative(html, subtype="html", cte="quoted-printable")
    return message


def with_link(html: str, unsubscribe_url: str) -> str:
    """The body with a link to unsubscribe at its end, unless it has one."""
    if unsubscribe_url in html or escape(unsubscribe_url) in html:
        return html
    link = f'<p style="font-size: small"><a href="{escape(unsubscribe_url)}">{UNSUBSCRIBE}</a></p>\n'
    ends = [found.start() for found in END_OF_BODY.finditer(html)]
    return html[: ends[-1]] + link + html[ends[-1] :] if ends else html + link


def text_of(html: str) -> str:
    """The text part of an HTML body, see html_text."""
    # Only here: what reads HTML takes 10 MB, which a web process that shows no preview does without.
    from osdi.mail import html_text

    return html_text.text_of(html)


def _words(text: str, name: str) -> _Written:
    """Words in a header of that name: as they are where they are plain and fit into the line, else as RFC 2047 has it.

    Raises ValueError for more than one line.
    """
    text = text.strip()
    if len(text.splitlines()) > 1:
        raise ValueError(f"{name} has more than one line.")
    if text.isascii() and text.isprintable() and "=?" not in text and len(f"{name}: {text}") <= LINE:
        return _Written(text)
    return _Written(Header(text, "utf-8", header_name=name).encode(linesep="\r\n"))


def _mailbox_header(address: Address, name: str) -> _Written:
    """A mailbox in a header of that name."""
    bare = with_ascii_domain(address.addr_spec)
    display_name = address.display_name.strip()
    if not display_name:
        return _Written(bare)
    words = _words(display_name, name)
    if words == display_name and not PLAIN_PHRASE.fullmatch(words):
        words = _Written(f'"{quote(words)}"')
    return _Written(f"{words} <{bare}>")


def _address_of_the_web(url: str) -> _Written:
    """An address in one piece: mail programs find none in encoded words, which RFC 2047 allows for words alone."""
    written = f"<{url}>"
    if not url.isascii() or not url.isprintable() or set(url) & set(' <>"') or len(written) > LONGEST_LINE - LINE:
        raise ValueError("The link to unsubscribe cannot stand in a header.")
    return _Written(written)
