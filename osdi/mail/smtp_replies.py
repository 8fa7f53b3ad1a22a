"""Classifies a mail server's error replies: permanent or temporary, and whether the recipient's address is the reason.

A rejection of this mail or of its recipient is permanent. A rejection of this server is temporary, since the operator
can correct it: a missing login, a sender that is not allowed, a host that does not relay for us. Only a rejected
address may be marked as bouncing, so this module reports one only if the reply is clear.
"""

import re
import smtplib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

# The enhanced status code (RFC 3463) before a reply's text; not every server adds one.
ENHANCED: Final = re.compile(rb"([245])\.(\d{1,3}\.\d{1,3})\b")

# No such mailbox, no such domain, bad syntax, moved, null MX (RFC 7505), disabled mailbox.
ADDRESS: Final = ("1.1", "1.2", "1.3", "1.6", "1.10", "2.1")
SENDER: Final = ("1.7", "1.8")
FULL: Final = "2.2"
UNDEFINED: Final = "0.0"

# Codes for an unknown mailbox (RFC 5321, section 4.2.2) if the server adds no status or an undefined one. But 550 also
# stands for "no access" and "rejected by policy", and postfix delays rejections of client or sender until RCPT.
NO_SUCH_MAILBOX: Final = (550, 551)
# Words in replies that are about the client or the sender.
ABOUT_US: Final = re.compile(rb"relay|rcpthosts|authent|sender|polic|spam|block|black|listed|reputation", re.IGNORECASE)

# Codes for an unexpected command, and for a missing or failed login (RFC 4954, section 6).
COMMANDS: Final = (500, 502, 503, 530, 534, 535, 538)
TOO_MUCH: Final = 552


class SmtpError(Exception):
    """The server did not accept a mail: the stage, the reply code if there is one, and whether the error is permanent.

    `recipient` is true if the address itself is rejected. The server's text is left out: it often contains the address.
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
class Rejection:
    """Classified error reply: `permanent`, and `recipient` if the recipient's address is rejected."""

    permanent: bool = False
    recipient: bool = False


def classify(stage: str, code: int, text: bytes = b"") -> Rejection:
    """Returns the meaning of an error reply at RCPT (`rcpt_to`) or from DATA on (`data`); at other stages: temporary.

    Follows RFC 5321, section 4.2.1, and RFC 3463. 552 at RCPT is temporary (RFC 5321, section 4.5.3.1.10).
    """
    if not 500 <= code < 600 or stage not in ("rcpt_to", "data"):
        return Rejection()
    found = ENHANCED.match(text)
    kind, status = (found[1].decode(), found[2].decode()) if found else ("5", UNDEFINED)
    at_rcpt = stage == "rcpt_to"
    if kind != "5" or code in COMMANDS or status == FULL or (at_rcpt and code == TOO_MUCH):
        return Rejection()
    about_us = ABOUT_US.search(text) is not None if status == UNDEFINED else status.startswith("7.") or status in SENDER
    if at_rcpt and about_us:
        return Rejection()
    unknown = at_rcpt and status == UNDEFINED and code in NO_SUCH_MAILBOX
    return Rejection(permanent=True, recipient=unknown or status in ADDRESS)


def check(stage: str, code: int, text: bytes) -> None:
    """Raises SmtpError unless the reply is one of success."""
    if not 200 <= code < 300:
        rejection = classify(stage, code, text)
        valid_code = code if 300 <= code < 600 else None
        raise SmtpError(stage, code=valid_code, permanent=rejection.permanent, recipient=rejection.recipient) from None


@contextmanager
def stage(name: str) -> Iterator[None]:
    """Turns errors of smtplib and sockets into SmtpError, without their text: it may contain addresses or passwords."""
    try:
        yield
    except smtplib.SMTPResponseException as error:
        if isinstance(error.smtp_error, bytes):  # otherwise the text is smtplib's own, not a reply of the server
            check(name, error.smtp_code, error.smtp_error)
        raise SmtpError(name) from None
    except (smtplib.SMTPException, OSError, ValueError):
        raise SmtpError(name) from None
