"""What a mail server's refusal means: whether another attempt can help, and whether the address itself is refused.

A refusal is for good where it is about this mail or its recipient. What is about us is for now, since the operator can
put it right: a login that is missing, a sender that is not allowed, a server that does not relay for us. Only a refused
address may be marked as bouncing, so that one is told from anything else with care.
"""

import re
import smtplib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

# The enhanced status code (RFC 3463) in front of a reply's words; not every server adds one.
ENHANCED: Final = re.compile(rb"([245])\.(\d{1,3}\.\d{1,3})\b")

# No such mailbox, no such domain, not an address, moved, takes no mail (RFC 7505); disabled.
ADDRESS: Final = ("1.1", "1.2", "1.3", "1.6", "1.10", "2.1")
SENDER: Final = ("1.7", "1.8")
FULL: Final = "2.2"
UNDEFINED: Final = "0.0"

# RFC 5321, section 4.2.2: where the server adds no status, or one that says nothing. But 550 stands for "no access" and
# "refused by policy" too, and postfix refuses only at RCPT what it holds against client or sender.
NO_SUCH_MAILBOX: Final = (550, 551)
ABOUT_US: Final = re.compile(rb"relay|rcpthosts|authent|sender|polic|spam|block|black|listed|reputation", re.IGNORECASE)

# Commands that the server did not expect, and what it wants first (RFC 4954, section 6).
COMMANDS: Final = (500, 502, 503, 530, 534, 535, 538)
TOO_MUCH: Final = 552


class SmtpError(Exception):
    """A mail that the server did not accept: at which stage, with which reply code, for good or for now.

    `recipient` is True if the server rejected the address itself. The error has none of the server's words, because
    they often contain the address.
    """

    def __init__(
        self, stage: str, *, code: int | None = None, permanent: bool = False, recipient: bool = False
    ) -> None:
        super().__init__(f"{stage} {code or 'without reply'}")
        self.stage = stage
        self.code = code
        self.permanent = permanent
        self.recipient = recipient


@dataclass(frozen=True)
class Refusal:
    """Whether it is for good, and whether it is the recipient's address that is refused."""

    permanent: bool = False
    recipient: bool = False


def refusal(stage: str, code: int, said: bytes = b"") -> Refusal:
    """What the reply `code` with these words means at RCPT (`rcpt_to`) or from DATA on (`data`); before, it is for now.

    RFC 5321, section 4.2.1, and RFC 3463. 552 at RCPT is for now (RFC 5321, section 4.5.3.1.10).
    """
    if not 500 <= code < 600 or stage not in ("rcpt_to", "data"):
        return Refusal()
    found = ENHANCED.match(said)
    kind, status = (found[1].decode(), found[2].decode()) if found else ("5", UNDEFINED)
    at_rcpt = stage == "rcpt_to"
    if kind != "5" or code in COMMANDS or status == FULL or (at_rcpt and code == TOO_MUCH):
        return Refusal()
    about_us = ABOUT_US.search(said) is not None if status == UNDEFINED else status.startswith("7.") or status in SENDER
    if at_rcpt and about_us:
        return Refusal()
    unknown = at_rcpt and status == UNDEFINED and code in NO_SUCH_MAILBOX
    return Refusal(permanent=True, recipient=unknown or status in ADDRESS)


def check(stage: str, code: int, said: bytes) -> None:
    """Raises SmtpError where the reply is not one of success."""
    if not 200 <= code < 300:
        meant = refusal(stage, code, said)
        known = code if 300 <= code < 600 else None
        raise SmtpError(stage, code=known, permanent=meant.permanent, recipient=meant.recipient) from None


@contextmanager
def stage(name: str) -> Iterator[None]:
    """Turns the errors of smtplib and sockets into SmtpError, without their text: it may contain a password."""
    try:
        yield
    except smtplib.SMTPResponseException as error:
        if isinstance(error.smtp_error, bytes):  # else no reply of the server, but what smtplib finds wrong with one
            check(name, error.smtp_code, error.smtp_error)
        raise SmtpError(name) from None
    except (smtplib.SMTPException, OSError, ValueError):
        raise SmtpError(name) from None
