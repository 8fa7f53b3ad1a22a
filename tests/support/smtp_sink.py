"""An SMTP server that keeps the mails that it gets, and rejects those that the test has chosen."""

import asyncio
import email
import email.policy
import threading
from collections import Counter
from email.message import EmailMessage
from types import TracebackType
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from dev.mongod import free_port


class SmtpSink:
    """A real SMTP server on a free loopback port: `with SmtpSink() as sink: ... sink.mails`."""

    def __init__(self) -> None:
        self.envelopes: list[tuple[str, str, bytes]] = []  # from, to, what was sent
        self.recipient_replies: dict[str, str] = {}
        self.data_reply = ""
        self.reply_seconds = 0.0  # between taking a mail and saying so
        self._lock = threading.Lock()
        self._controller = Controller(self, hostname="127.0.0.1", port=free_port(), enable_SMTPUTF8=True)

    @property
    def url(self) -> str:
        """The value of SMTP_URL that leads here."""
        return f"smtp://127.0.0.1:{self._controller.port}"

    @property
    def mails(self) -> list[EmailMessage]:
        """Every accepted mail, in order."""
        return [_read(sent) for _, _, sent in list(self.envelopes)]

    @property
    def message_ids(self) -> Counter[str]:
        """Returns how often each Message-ID was accepted."""
        return Counter(_header(sent, b"Message-ID") for _, _, sent in list(self.envelopes))

    async def handle_RCPT(  # noqa: N802  # aiosmtpd's names
        self, server: SMTP, session: Session, envelope: Envelope, address: str, rcpt_options: list[str]
    ) -> str:
        rejection = self.recipient_replies.get(address)
        if rejection:
            return rejection
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        if self.data_reply:
            return self.data_reply
        assert isinstance(envelope.content, bytes)
        for address in envelope.rcpt_tos:
            self.envelopes.append((envelope.mail_from or "", address, envelope.content))
        await asyncio.sleep(self.reply_seconds)
        return "250 OK"

    def __enter__(self) -> "SmtpSink":
        self._controller.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._controller.stop()


def _read(sent: bytes) -> EmailMessage:
    found: Any = email.message_from_bytes(sent, policy=email.policy.default)
    return found


def _header(sent: bytes, name: bytes) -> str:
    for line in sent.split(b"\r\n"):
        if line.lower().startswith(name.lower() + b":"):
            return line.partition(b":")[2].strip().decode()
    return ""
