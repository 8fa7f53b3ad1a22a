"""Links that open a message in a mail program (RFC 6068) or in the web pages of Gmail and Outlook. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote

from osdi.fields.limits import MAX_LINE_LENGTH
from osdi.mail.mailboxes import with_ascii_domain
from osdi.messages.template_fields import single_line

# Some browsers and mail programs open nothing for a longer link.
MAX_LINK_LENGTH: Final = 1_800
GMAIL: Final = "https://mail.google.com/mail/?view=cm&fs=1"
OUTLOOK: Final = "https://outlook.live.com/mail/0/deeplink/compose"


@dataclass(frozen=True)
class MailLinks:
    """Links that open one message. They are None if they would be too long even without the text.

    `with_text` is False if the text is left out of them, so that the supporter has to copy it.
    """

    mail_program: str | None
    gmail: str | None
    outlook: str | None
    with_text: bool


def mail_links(addresses: Sequence[str], subject: str, text: str) -> MailLinks:
    """Returns the links for a message to these addresses, which `mail_address` has checked."""
    line = single_line(subject, MAX_LINE_LENGTH)
    lines = "\r\n".join(text.splitlines())
    complete = _links(addresses, line, lines)
    if max(map(len, complete)) <= MAX_LINK_LENGTH:
        return MailLinks(*complete, with_text=True)
    mail_program, gmail, outlook = (
        link if len(link) <= MAX_LINK_LENGTH else None for link in _links(addresses, line, "")
    )
    return MailLinks(mail_program, gmail, outlook, with_text=not lines)


def mail_address(text: str) -> str | None:
    """Returns an e-mail address with its domain in ASCII; None for any other text."""
    try:
        return with_ascii_domain(text.strip())
    except ValueError:
        return None


def mailto(addresses: Sequence[str], fields: Mapping[str, str]) -> str:
    """Returns a link by RFC 6068. Line breaks in a field have to be CRLF; an empty field is left out."""
    query = _query(fields)
    return f"mailto:{','.join(quote(each, safe='@') for each in addresses)}{'?' if query else ''}{query}"


def _links(addresses: Sequence[str], subject: str, text: str) -> tuple[str, str, str]:
    gmail = _query({"to": ",".join(addresses), "su": subject, "body": text})
    outlook = _query({"to": ";".join(addresses), "subject": subject, "body": text})
    return (
        mailto(addresses, {"subject": subject, "body": text}),
        f"{GMAIL}&{gmail}",
        f"{OUTLOOK}?{outlook}",
    )


def _query(fields: Mapping[str, str]) -> str:
    """Returns the fields percent-encoded in UTF-8: nothing of a value can begin another field."""
    return "&".join(f"{name}={quote(value, safe='')}" for name, value in fields.items() if value)
