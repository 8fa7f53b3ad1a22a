"""Handing a mail over by SMTP (RFC 5321): where to, how, and what a refusal means.

A URL says it all: `smtp://user:password@host:587` with STARTTLS, `smtps://...:465` with TLS from the first byte. In
the open mails go to loopback only, unless the URL says `?starttls=never`.
"""

from dataclasses import dataclass
from email import policy
from email.headerregistry import Address
from typing import Final
from urllib.parse import parse_qsl, unquote, urlsplit

from email_validator import EmailNotValidError, validate_email

PORTS: Final = {"smtp": 587, "smtps": 465}
STARTTLS: Final = ("require", "if_offered", "never")
LOOPBACK: Final = ("localhost", "127.0.0.1", "::1")


@dataclass(frozen=True)
class SmtpServer:
    """Where mails are handed over: `starttls` is one of STARTTLS, and means nothing with TLS from the first byte."""

    host: str
    port: int
    tls: bool = False
    starttls: str = "require"
    user: str = ""
    password: str = ""

    @classmethod
    def of(cls, url: str) -> "SmtpServer":
        """The server that a URL names. Raises ValueError that says what is wrong, without the password."""
        parts = urlsplit(url)
        if parts.scheme not in PORTS or not parts.hostname:
            raise ValueError("Not an address such as smtp://user:password@mail.example.org:587 or smtps://...")
        try:
            port = parts.port or PORTS[parts.scheme]
        except ValueError as error:
            raise ValueError("The port is a number up to 65535.") from error
        default = "if_offered" if parts.hostname in LOOPBACK else "require"
        query = dict(parse_qsl(parts.query))
        starttls = query.pop("starttls", default)
        if query or starttls not in STARTTLS:
            raise ValueError(f"Behind ? stands nothing but starttls={'|'.join(STARTTLS)}.")
        user, password = unquote(parts.username or ""), unquote(parts.password or "")
        return cls(parts.hostname, port, parts.scheme == "smtps", starttls, user, password)


def mailbox(text: str) -> Address:
    """The mailbox that `Name <address>` or a bare address names. Raises ValueError for anything else."""
    wrong = ValueError("Not a mailbox such as Our Name <hello@example.org>.")
    if not text.isprintable():
        raise wrong
    header = policy.SMTP.header_factory("from", text)
    addresses: tuple[Address, ...] = header.addresses
    if len(addresses) != 1:
        raise wrong
    try:
        # The reserved domain `test` is let through, as for people. An address without ASCII needs more of mail servers
        # than most can do.
        validate_email(addresses[0].addr_spec, check_deliverability=False, test_environment=True, allow_smtputf8=False)
    except EmailNotValidError as error:
        raise wrong from error
    return addresses[0]
