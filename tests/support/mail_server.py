"""A real SMTP server (aiosmtpd) on loopback that rejects, hangs up and encrypts as a test wants it to."""

import asyncio
import ssl
import threading
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

import trustme
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from dev.mongod import free_port

STOP_SECONDS = 10

# A reply that is none: the connection is lost instead.
HANG_UP = "hang up"


@dataclass
class Received:
    """An accepted mail: its connection and its envelope."""

    connection: int
    envelope_from: str
    to: list[str]
    options: list[str]
    content: bytes
    encrypted: bool
    user: str | None
    greeted_as: str

    @property
    def mail(self) -> EmailMessage:
        found: Any = message_from_bytes(self.content, policy=policy.default)
        return found


class MailServer:
    """`with MailServer() as server: ...; server.received`.

    `replies` are given to a command such as RCPT, or at the end of a mail (`.`), instead of doing it.
    """

    def __init__(
        self,
        *,
        certificate: trustme.LeafCert | None = None,
        from_the_first_byte: bool = False,
        users: dict[str, str] | None = None,
        utf8: bool = True,
        pipelining: bool = False,
        replies: dict[str, str] | None = None,
    ) -> None:
        self.port = free_port()
        self.replies = replies or {}
        self.pipelining = pipelining
        self.received: list[Received] = []
        self.commands: list[str] = []
        self.connections = 0
        self.users = users or {}
        self._open: set[_Session] = set()
        self._idle = threading.Event()
        self._idle.set()
        context = None
        if certificate is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            certificate.configure_cert(context)
        server = self

        class SessionController(Controller):
            def factory(self) -> SMTP:
                return _Session(server, self.handler, **self.SMTP_kwargs)

        self._controller = SessionController(
            _Handler(self),
            hostname="127.0.0.1",
            port=self.port,
            server_hostname="mail.example.org",
            ssl_context=context if from_the_first_byte else None,
            tls_context=None if from_the_first_byte else context,
            enable_SMTPUTF8=utf8,
            authenticator=self._authenticate,
            # aiosmtpd knows of its own STARTTLS alone whether a connection is encrypted.
            auth_require_tls=context is not None and not from_the_first_byte,
        )

    def hang_up(self, say: str = "") -> None:
        """End every connection, as a server does that has had enough of one, and wait until that is done."""
        self._controller.loop.call_soon_threadsafe(self._end_all, say)
        assert self._idle.wait(STOP_SECONDS)

    def __enter__(self) -> "MailServer":
        self._controller.start()
        return self

    def __exit__(self, *_: object) -> None:
        # Connections that are still open when the loop stops would never be closed.
        self._controller.loop.call_soon_threadsafe(self._end_all, "")
        ended = self._idle.wait(STOP_SECONDS)
        self._controller.stop()
        assert ended

    def _end_all(self, say: str) -> None:
        for session in list(self._open):
            session.end(say)

    def _authenticate(self, _: SMTP, __: Session, ___: Envelope, mechanism: str, data: Any) -> AuthResult:
        assert isinstance(data, LoginPassword)
        known = self.users.get(data.login.decode()) == data.password.decode()
        return AuthResult(success=known, handled=False, auth_data=data.login.decode())


class _Handler:
    def __init__(self, server: MailServer) -> None:
        self._server = server

    async def handle_EHLO(  # noqa: N802
        self, smtp: SMTP, session: Session, envelope: Envelope, hostname: str, responses: list[str]
    ) -> list[str]:
        session.host_name = hostname
        return ["250-PIPELINING", *responses] if self._server.pipelining else responses

    async def handle_DATA(self, smtp: "_Session", session: Session, envelope: Envelope) -> str:  # noqa: N802
        if "." in self._server.replies:
            return await smtp.reply(".")
        assert isinstance(envelope.content, bytes)
        self._server.received.append(
            Received(
                connection=smtp.number,
                envelope_from=envelope.mail_from or "",
                to=envelope.rcpt_tos,
                options=envelope.mail_options,
                content=envelope.content,
                encrypted=smtp.transport is not None and smtp.transport.get_extra_info("ssl_object") is not None,
                user=session.auth_data,
                greeted_as=session.host_name or "",
            )
        )
        return "250 OK"


class _Session(SMTP):
    """One connection."""

    number = 0

    def __init__(self, server: MailServer, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._server = server

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        known = self._handler_coroutine
        super().connection_made(transport)
        if known is None:  # else it is encrypted from now on
            self._server._open.add(self)
            self._server._idle.clear()
            self._handler_coroutine.add_done_callback(self._over)

    def _over(self, _: object) -> None:
        self._server._open.discard(self)
        if not self._server._open:
            self._server._idle.set()

    def end(self, say: str = "") -> None:
        """End the connection, perhaps with a word."""
        if isinstance(self.transport, asyncio.WriteTransport):
            if say:
                self.transport.write(f"{say}\r\n".encode())
            self.transport.abort()  # without the farewell of TLS, for which the client would have to do something
        if self._original_transport is not None:
            self._original_transport.abort()
        # In the middle of a handshake nothing else would end what waits for it.
        self._handler_coroutine.cancel()

    async def reply(self, command: str) -> str:
        """Returns the configured reply to the command."""
        configured = self._server.replies[command]
        if configured == HANG_UP:
            self.end()
            await asyncio.Event().wait()  # until that is cancelled
        return configured

    async def _unless_rejected(self, command: str, arg: str | None) -> None:
        self._server.commands.append(command)
        if command in self._server.replies:
            await self.push(await self.reply(command))
        else:
            await getattr(super(), f"smtp_{command}")(arg)

    async def smtp_EHLO(self, arg: str) -> None:  # noqa: N802
        if not self.number:
            self._server.connections += 1
            self.number = self._server.connections
        await self._unless_rejected("EHLO", arg)

    async def smtp_MAIL(self, arg: str | None) -> None:  # noqa: N802
        await self._unless_rejected("MAIL", arg)

    async def smtp_RCPT(self, arg: str | None) -> None:  # noqa: N802
        await self._unless_rejected("RCPT", arg)

    async def smtp_DATA(self, arg: str) -> None:  # noqa: N802
        await self._unless_rejected("DATA", arg)

    async def smtp_RSET(self, arg: str) -> None:  # noqa: N802
        await self._unless_rejected("RSET", arg)

    async def smtp_STARTTLS(self, arg: str) -> None:  # noqa: N802
        await self._unless_rejected("STARTTLS", arg)

    async def smtp_QUIT(self, arg: str) -> None:  # noqa: N802
        await self._unless_rejected("QUIT", arg)
