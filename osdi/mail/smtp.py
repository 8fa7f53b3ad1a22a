"""SMTP client (RFC 5321): submits mails to one server and keeps the connection open between mails.

A URL configures it: `smtp://user:password@host:587` uses STARTTLS, `smtps://...:465` uses TLS from the first byte.
Mails are sent unencrypted to loopback only, unless the URL has `?starttls=never` or `?starttls=if_offered`.
"""

import math
import re
import smtplib
import socket
import ssl
import time
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import parse_qsl, unquote, urlsplit

from osdi.http_client.timeout import BoundedSocket, Deadline, bounded_tls, connect, look_up
from osdi.mail.mailboxes import with_ascii_domain
from osdi.mail.smtp_replies import SmtpError, check, stage

PORTS: Final = {"smtp": 587, "smtps": 465}
STARTTLS: Final = ("require", "if_offered", "never")
LOOPBACK: Final = ("localhost", "127.0.0.1", "::1")

# Time limits for one reply (RFC 5321 recommends minutes), for a whole mail, which is shorter than a worker's lease, and
# for connecting to the addresses of a host, which is a part of it.
REPLY_SECONDS: Final = 30.0
MAIL_SECONDS: Final = 60.0
CONNECT_SECONDS: Final = 10.0
QUIT_SECONDS: Final = 2.0

GO_ON: Final = 354
REJECTED: Final = 400
# RFC 5321, section 4.5.2: a line with a dot alone ends the mail.
LINE_START_DOT: Final = re.compile(rb"^\.", re.MULTILINE)

# Servers close connections that are idle or have carried many mails. The client closes its connection earlier.
IDLE_SECONDS: Final = 20.0
MAX_MAILS: Final = 100


@dataclass(frozen=True)
class SmtpServer:
    """Address and login of a mail server. `starttls` is one of STARTTLS; it has no effect if `tls` is true."""

    host: str
    port: int
    tls: bool = False
    starttls: str = "require"
    user: str = ""
    password: str = field(default="", repr=False)

    @classmethod
    def of(cls, url: str) -> "SmtpServer":
        """Returns the server of an smtp or smtps URL. Raises ValueError with the reason, without the password."""
        invalid = ValueError("Not a URL such as smtp://user:password@mail.example.org:587 or smtps://...")
        try:
            parts = urlsplit(url)
            host, scheme = parts.hostname, parts.scheme
        except ValueError:
            raise invalid from None  # the original message may contain the password
        if scheme not in PORTS or not host or parts.path not in ("", "/") or parts.fragment:
            raise invalid
        try:
            port = parts.port or PORTS[scheme]
        except ValueError:  # this message may contain the password, too, if that has a slash
            raise ValueError("The port must be a number up to 65535.") from None
        # A mail server on the same machine often offers STARTTLS with a self-signed certificate.
        query = {"starttls": "never" if host in LOOPBACK else "require", **dict(parse_qsl(parts.query, True))}
        starttls = query.pop("starttls")
        if query or starttls not in STARTTLS:
            raise ValueError(f"The only parameter allowed after ? is starttls={'|'.join(STARTTLS)}.")
        user, password = unquote(parts.username or ""), unquote(parts.password or "")
        if not (user + password).isascii() or (password and not user):
            raise ValueError("A password needs a user name, and both must be ASCII.")
        if user and scheme == "smtp" and starttls == "if_offered" and host not in LOOPBACK:
            raise ValueError("With starttls=if_offered the password could be sent unencrypted: use require or never.")
        return cls(host, port, scheme == "smtps", starttls, user, password)


class Smtp:
    """Client of one mail server, which reuses its connection. Not thread-safe."""

    def __init__(
        self,
        server: SmtpServer,
        *,
        seconds: float = REPLY_SECONDS,
        mail_seconds: float = MAIL_SECONDS,
        context: ssl.SSLContext | None = None,
    ) -> None:
        self._server = server
        self._seconds = seconds
        self._mail_seconds = mail_seconds
        self._deadline = Deadline(mail_seconds)
        self._context = bounded_tls(context or ssl.create_default_context())
        self._connection: smtplib.SMTP | None = None
        self._used_at = 0.0
        self._mails = 0

    def send(self, content: bytes, *, envelope_from: str, to: str) -> None:
        """Submits a mail, whose lines end with CR LF, for one recipient, within `mail_seconds`. Raises SmtpError.

        If the server has closed a kept connection, the client connects again once, provided that the server has not
        accepted the sender yet.
        """
        try:
            recipient = with_ascii_domain(to)
        except ValueError:
            raise SmtpError("address", permanent=True, recipient=True) from None
        self._deadline = Deadline(self._mail_seconds)
        reused = self._has_connection()
        try:
            self._send(content, envelope_from, recipient)
        except SmtpError as error:
            closed_by_server = error.stage == "mail_from" and error.code in (None, 421)
            if not reused or not closed_by_server or self._deadline.has_passed:
                raise
            self._send(content, envelope_from, recipient)

    def close(self) -> None:
        """Sends QUIT, waits for the reply for QUIT_SECONDS at most, and closes the connection."""
        if self._connection is not None and self._connection.sock is not None:
            with suppress(OSError, smtplib.SMTPException):
                _bound(self._connection, Deadline(QUIT_SECONDS))
                self._connection.quit()
        self._drop()

    def _send(self, content: bytes, envelope_from: str, recipient: str) -> None:
        reusable = False
        try:
            connection = self._connection or self._connect()
            try:
                self._transfer(connection, content, envelope_from, recipient)
                reusable = True
            except SmtpError as error:
                reusable = _is_reusable(connection, error)
                raise
        finally:
            self._mails += 1
            self._used_at = time.monotonic()
            if not reusable:
                self._drop()

    def _transfer(self, connection: smtplib.SMTP, content: bytes, envelope_from: str, recipient: str) -> None:
        """Sends the mail, the commands before it together if the server offers that (RFC 2920). Raises SmtpError."""
        options = "" if recipient.isascii() else " SMTPUTF8 BODY=8BITMIME"
        if options and not connection.has_extn("smtputf8"):
            raise SmtpError("smtputf8", permanent=True)
        together = connection.has_extn("pipelining")
        mail, rcpt = f"MAIL FROM:{smtplib.quoteaddr(envelope_from)}{options}", f"RCPT TO:<{recipient}>"
        with stage("mail_from"):
            _bound(connection, self._deadline, self._seconds)
            _put(connection, mail, *((rcpt, "DATA") if together else ()))
            check("mail_from", *connection.getreply())
        with stage("rcpt_to"):
            if not together:
                _put(connection, rcpt)
            check("rcpt_to", *connection.getreply())
        # If the connection is lost from here on, nobody knows whether the server has accepted the mail, and a repeat
        # could deliver it twice. So the client waits for a reply as long as the mail's time lasts.
        with stage("data"):
            _bound(connection, self._deadline)
            if not together:
                _put(connection, "DATA")
            code, text = connection.getreply()
            if code != GO_ON:
                raise smtplib.SMTPDataError(code, text)
            connection.send(LINE_START_DOT.sub(b"..", content) + b".\r\n")
            check("data", *connection.getreply())

    def _has_connection(self) -> bool:
        """True if the client has an open connection. Closes one that was idle too long or has carried MAX_MAILS."""
        idle = time.monotonic() - self._used_at > IDLE_SECONDS
        if self._connection is not None and (idle or self._mails >= MAX_MAILS):
            self.close()
        return self._connection is not None

    def _connect(self) -> smtplib.SMTP:
        server = self._server
        # Without a name smtplib would look up our host name, which can take long. An address literal replaces it below.
        connection = smtplib.SMTP(local_hostname="localhost")
        self._connection = connection  # before connecting, so that it is also closed after an error
        self._mails = 0
        with stage("connect"):
            seconds = min(CONNECT_SECONDS, self._seconds)
            found = look_up(server.host, server.port, self._deadline)
            connection.sock = connect(found, self._deadline, seconds=seconds)
            connection.local_hostname = _address_literal(connection.sock)
            _bound(connection, self._deadline, self._seconds)
        if server.tls:
            self._start_tls(connection)
        with stage("connect"):
            check("connect", *connection.getreply())
        with stage("ehlo"):
            connection.ehlo_or_helo_if_needed()
        if not server.tls and server.starttls != "never":
            if connection.has_extn("starttls"):
                with stage("starttls"):
                    check("starttls", *connection.docmd("STARTTLS"))
                self._start_tls(connection)
                with stage("ehlo"):
                    connection.ehlo_or_helo_if_needed()
            elif server.starttls == "require":
                raise SmtpError("starttls")
        if server.user:
            with stage("login"):
                connection.login(server.user, server.password)
        return connection

    def _start_tls(self, connection: smtplib.SMTP) -> None:
        """Encrypts the connection and discards everything received before (RFC 3207, section 4.2)."""
        with stage("tls"):
            assert connection.sock is not None
            _bound(connection, self._deadline, self._seconds)
            connection.sock = self._context.wrap_socket(connection.sock, server_hostname=self._server.host)
            _bound(connection, self._deadline, self._seconds)
        connection.file = None
        connection.ehlo_resp = connection.helo_resp = None

    def _drop(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()


def _put(connection: smtplib.SMTP, *commands: str) -> None:
    """Sends commands in one step. Raises ValueError for one that would be more than one line."""
    if any("\r" in each or "\n" in each for each in commands):
        raise ValueError("A command is one line.")
    connection.send("".join(f"{each}\r\n" for each in commands).encode())


def _bound(connection: smtplib.SMTP, deadline: Deadline, reply_seconds: float = math.inf) -> None:
    """Limits the following exchange on the connection by the deadline, and each reply by `reply_seconds`."""
    assert isinstance(connection.sock, BoundedSocket)
    connection.sock.bound(deadline, reply_seconds)


def _address_literal(connected: socket.socket) -> str:
    """Returns the client's own address as an address literal (RFC 5321, section 4.1.3)."""
    address = connected.getsockname()[0].partition("%")[0]
    return f"[IPv6:{address}]" if ":" in address else f"[{address}]"


def _is_reusable(connection: smtplib.SMTP, error: SmtpError) -> bool:
    """True if the connection can carry other mails: the server rejected only this one, and has accepted RSET."""
    if error.stage == "smtputf8":
        return True
    if error.stage not in ("rcpt_to", "data") or error.code in (None, 421):
        return False
    try:
        # With PIPELINING the server has already got DATA. If it did not reject that, it waits for a mail.
        if error.stage == "rcpt_to" and connection.has_extn("pipelining") and connection.getreply()[0] < REJECTED:
            return False
        return connection.rset()[0] == 250
    except (OSError, smtplib.SMTPException):
        return False
