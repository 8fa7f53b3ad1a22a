"""The SMTP client against real servers on loopback: delivery, rejections, and servers that misbehave."""

import socket
import ssl
import threading
import time
import traceback
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from email.headerregistry import Address
from typing import Any

import pytest
import trustme

from dev.mongod import free_port
from osdi.ids import now
from osdi.mail import compose, smtp
from osdi.mail.smtp import Smtp, SmtpError, SmtpServer
from tests.support.mail_server import HANG_UP, MailServer
from tests.support.receivers import LONG, Serve, full_port, script, send_slowly

pytestmark = pytest.mark.waits

SENDER = Address("Progressives United", "hello", "example.org")
BOUNCES = "bounces@example.org"
JANE = "jane@example.net"

# Timeouts of the client in these tests, and the time by which the client must have given up.
SHORT = 0.5
SOON = 20.0

# The replies of a server that accepts a mail, and the client's stage at each of them.
REPLIES = (b"220 mail", b"250 mail", b"250 OK", b"250 OK", b"354 Go", b"250 Taken")
PIPELINING = b"250-mail\r\n250 PIPELINING"
STAGES = ("connect", "ehlo", "mail_from", "rcpt_to", "data", "data")


@dataclass(frozen=True)
class Rendered:
    subject: str = "Thank you, Zoë"
    html: str = "<p>It helps.</p>"
    text: str = ""
    reply_to: str = ""


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="module")
def certificate(authority: trustme.CA) -> trustme.LeafCert:
    return authority.issue_cert("127.0.0.1")


@pytest.fixture(scope="module")
def trust(authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.create_default_context()
    authority.configure_trust(context)
    return context


@pytest.fixture
def server() -> Iterator[MailServer]:
    with MailServer() as server:
        yield server


@contextmanager
def client(port: int, *, seconds: float = 10, mail_seconds: float = 20, **how: Any) -> Iterator[Smtp]:
    """Yields a client of the server on that port, and closes it at the end."""
    context = how.pop("context", None)
    server = SmtpServer("127.0.0.1", port, **({"starttls": "never"} | how))
    smtp_client = Smtp(server, seconds=seconds, mail_seconds=mail_seconds, context=context)
    try:
        yield smtp_client
    finally:
        smtp_client.close()


def composed(html: str = "<p>It helps.</p>", to: str = JANE) -> bytes:
    return compose.compose(
        Rendered(html=html),
        to=to,
        message_id="0190e5a4-7c1f-7000-8000-000000000001",
        sender=SENDER,
        unsubscribe_url="https://osdi.example.org/unsubscribe/token",
        date=now(),
    )


def send(smtp_client: Smtp, to: str = JANE, html: str = "<p>It helps.</p>") -> bytes:
    message = composed(html, to if "@" in to else JANE)
    smtp_client.send(message, envelope_from=BOUNCES, to=to)
    return message


def rejection(smtp_client: Smtp, to: str = JANE) -> SmtpError:
    with pytest.raises(SmtpError) as caught:
        send(smtp_client, to)
    return caught.value


def meaning(error: SmtpError) -> tuple[str, int | None, bool, bool]:
    return (error.stage, error.code, error.permanent, error.recipient)


# Delivery.


def test_a_mail_arrives_unchanged(server: MailServer) -> None:
    with client(server.port) as smtp_client:
        message = send(smtp_client)

    [received] = server.received
    assert (received.envelope_from, received.to, received.options) == (BOUNCES, [JANE], [])
    assert received.content == message
    assert received.mail["Subject"] == "Thank you, Zoë"
    assert server.commands == ["EHLO", "MAIL", "RCPT", "DATA", "QUIT"]


@pytest.mark.parametrize(
    "html",
    [
        ".",
        ".\n..\n...\n.\n",
        "\n.\r\n.\r\nMAIL FROM:<x@example.org>\r\n",
        "\r.\r\n\n.\n\r.\r",
        "".join("x" * length + "." * 80 + "\n" for length in range(80)),
        "<p>" + "Grüße 👍🏽 " * 20_000 + "</p>",
    ],
)
def test_no_line_of_a_mail_ends_or_changes_it(server: MailServer, html: str) -> None:
    with client(server.port) as smtp_client:
        message = send(smtp_client, html=html)
        send(smtp_client)

    assert server.received[0].content == message
    assert len(server.received) == 2


def test_one_connection_carries_many_mails(server: MailServer) -> None:
    with client(server.port) as smtp_client:
        for number in range(5):
            send(smtp_client, to=f"jane{number}@example.net")

    assert [(each.connection, *each.to) for each in server.received] == [
        (1, f"jane{number}@example.net") for number in range(5)
    ]
    assert server.commands.count("EHLO") == 1


def test_the_client_reconnects_after_the_maximum_number_of_mails(
    server: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(smtp, "MAX_MAILS", 2)

    with client(server.port) as smtp_client:
        for _ in range(5):
            send(smtp_client)

    assert [each.connection for each in server.received] == [1, 1, 2, 2, 3]
    assert server.commands.count("QUIT") == 3


def test_the_client_closes_an_idle_connection(server: MailServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(smtp, "IDLE_SECONDS", 0.0)

    with client(server.port) as smtp_client:
        send(smtp_client)
        send(smtp_client)

    assert [each.connection for each in server.received] == [1, 2]
    assert server.commands.count("QUIT") == 2


@pytest.mark.parametrize("say", ["", "421 4.4.2 mail.example.org Error: timeout exceeded"])
@pytest.mark.parametrize("encrypted", [False, True])
def test_a_mail_is_sent_once_if_the_server_has_closed_the_connection(
    certificate: trustme.LeafCert, trust: ssl.SSLContext, say: str, encrypted: bool
) -> None:
    with (
        MailServer(certificate=certificate if encrypted else None) as server,
        client(server.port, starttls="require" if encrypted else "never", context=trust) as smtp_client,
    ):
        send(smtp_client)
        server.hang_up(say)
        send(smtp_client)
        send(smtp_client)

    assert [each.connection for each in server.received] == [1, 2, 2]
    assert {each.encrypted for each in server.received} == {encrypted}


@pytest.mark.parametrize("reply", ["421 4.3.2 Shutting down", HANG_UP])
def test_the_client_tries_twice_if_the_server_hangs_up_each_time(server: MailServer, reply: str) -> None:
    with client(server.port) as smtp_client:
        send(smtp_client)
        server.replies["MAIL"] = reply
        error = rejection(smtp_client)

    assert meaning(error) == ("mail_from", None if reply == HANG_UP else 421, False, False)
    assert server.commands.count("MAIL") == 3


def test_a_closed_client_can_send_again(server: MailServer) -> None:
    with client(server.port) as smtp_client:
        smtp_client.close()
        send(smtp_client)
        smtp_client.close()
        smtp_client.close()
        send(smtp_client)

    assert [each.connection for each in server.received] == [1, 2]


def test_the_client_greets_with_its_address_and_looks_up_no_name(
    server: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(socket, "getfqdn", lambda *_: pytest.fail("the client looks up its name"))

    with client(server.port) as smtp_client:
        send(smtp_client)

    assert server.received[0].greeted_as == "[127.0.0.1]"


@pytest.mark.skipif(not socket.has_ipv6, reason="has no IPv6")
def test_the_clients_address_can_be_ipv6() -> None:
    try:
        listening = socket.create_server(("::1", 0), family=socket.AF_INET6)
    except OSError:
        pytest.skip("has no IPv6 on loopback")
    with listening, socket.create_connection(listening.getsockname()[:2]) as connection:
        assert smtp._address_literal(connection) == "[IPv6:::1]"


def test_the_client_uses_helo_if_the_server_rejects_ehlo() -> None:
    with MailServer(replies={"EHLO": "502 5.5.1 Not implemented"}) as server, client(server.port) as smtp_client:
        send(smtp_client)

    assert len(server.received) == 1


# Recipients beyond ASCII.


@pytest.mark.parametrize(
    ("to", "received_as"),
    [("jané@example.net", "jané@example.net"), ("用户@bücher.example", "用户@xn--bcher-kva.example")],
)
def test_a_recipient_beyond_ascii_is_sent_with_smtputf8(server: MailServer, to: str, received_as: str) -> None:
    with client(server.port) as smtp_client:
        message = send(smtp_client, to=to)
        send(smtp_client)

    international, usual = server.received
    assert international.to == [received_as]
    assert international.options == ["SMTPUTF8", "BODY=8BITMIME"]
    assert f"\r\nTo: {received_as}\r\n".encode() in international.content == message
    assert (usual.to, usual.options) == ([JANE], [])


def test_without_smtputf8_a_recipient_beyond_ascii_is_a_permanent_error() -> None:
    with MailServer(utf8=False) as server, client(server.port) as smtp_client:
        error = rejection(smtp_client, to="jané@example.net")
        send(smtp_client, to="jane@bücher.example")

    assert meaning(error) == ("smtputf8", None, True, False)
    assert [(each.connection, each.to) for each in server.received] == [(1, ["jane@xn--bcher-kva.example"])]
    assert server.commands.count("MAIL") == 1


@pytest.mark.parametrize(
    "to", ["", "jane", "jane@❤.example", "a@example.org,jane@example.net", "jane@example.net>\r\nRSET"]
)
def test_an_invalid_address_is_never_sent_to_the_server(server: MailServer, to: str) -> None:
    with client(server.port) as smtp_client, pytest.raises(SmtpError) as caught:
        smtp_client.send(composed(), envelope_from=BOUNCES, to=to)

    assert meaning(caught.value) == ("address", None, True, True)
    assert server.connections == 0


# Commands in one step.


@pytest.fixture
def pipelining() -> Iterator[MailServer]:
    with MailServer(pipelining=True) as server:
        yield server


def test_the_commands_before_a_mail_are_sent_together_if_the_server_offers_that() -> None:
    """The server replies to none of them before it has got all."""
    commands: list[bytes] = []

    def serve(connection: socket.socket, over: threading.Event) -> None:
        talk(connection, b"220 mail", PIPELINING)
        with connection.makefile("rb") as lines:
            commands.extend(lines.readline() for _ in range(3))
            connection.sendall(b"250 OK\r\n250 OK\r\n354 Go\r\n")
            while lines.readline() not in (b"", b".\r\n"):
                pass
            connection.sendall(b"250 Taken\r\n")
            over.wait(LONG)

    with script(serve) as port, client(port) as smtp_client:
        send(smtp_client)

    assert commands == [b"MAIL FROM:<bounces@example.org>\r\n", b"RCPT TO:<jane@example.net>\r\n", b"DATA\r\n"]


@pytest.mark.parametrize("to", [JANE, "jané@example.net"])
def test_mails_after_commands_in_one_step_arrive_unchanged(pipelining: MailServer, to: str) -> None:
    with client(pipelining.port) as smtp_client:
        messages = [send(smtp_client, to=to), send(smtp_client, html=".\n..\n.\n")]

    assert [(each.connection, each.to) for each in pipelining.received] == [(1, [to]), (1, [JANE])]
    assert [each.content for each in pipelining.received] == messages
    assert pipelining.commands == ["EHLO", *["MAIL", "RCPT", "DATA"] * 2, "QUIT"]


@pytest.mark.parametrize("reply", ["550 5.1.1 No such user", "450 4.2.0 Later", "421 4.3.2 Shutting down"])
@pytest.mark.parametrize(
    ("command", "stage"), [("MAIL", "mail_from"), ("RCPT", "rcpt_to"), ("DATA", "data"), (".", "data")]
)
def test_a_rejected_command_of_one_step_is_classified_and_the_next_mail_arrives(
    pipelining: MailServer, command: str, stage: str, reply: str
) -> None:
    pipelining.replies[command] = reply
    code = int(reply[:3])

    with client(pipelining.port) as smtp_client:
        error = rejection(smtp_client, to="nobody@example.net")
        pipelining.replies.clear()
        send(smtp_client)

    permanent = code == 550 and stage != "mail_from"
    assert meaning(error) == (stage, code, permanent, permanent)
    reused = stage != "mail_from" and code != 421
    assert [(each.connection, each.to) for each in pipelining.received] == [(1 if reused else 2, [JANE])]
    assert pipelining.commands.count("RSET") == reused


@pytest.mark.parametrize(
    ("command", "stage"), [("MAIL", "mail_from"), ("RCPT", "rcpt_to"), ("DATA", "data"), (".", "data")]
)
def test_a_connection_that_is_lost_after_commands_in_one_step_repeats_nothing(
    pipelining: MailServer, command: str, stage: str
) -> None:
    pipelining.replies[command] = HANG_UP

    with client(pipelining.port) as smtp_client:
        assert meaning(rejection(smtp_client)) == (stage, None, False, False)

    assert pipelining.commands.count("MAIL") == 1
    assert pipelining.received == []


@pytest.mark.parametrize("say", ["", "421 4.4.2 mail.example.org Error: timeout exceeded"])
def test_commands_in_one_step_are_sent_again_if_the_server_has_closed_the_connection(
    pipelining: MailServer, say: str
) -> None:
    with client(pipelining.port) as smtp_client:
        send(smtp_client)
        pipelining.hang_up(say)
        send(smtp_client)

    assert [each.connection for each in pipelining.received] == [1, 2]


@pytest.mark.parametrize("reply", [b"550 5.1.1 No such user", b"450 4.2.0 Later"])
def test_no_mail_is_sent_to_a_server_that_waits_for_one_without_a_recipient(reply: bytes) -> None:
    """RFC 2920, section 3.1: the server may accept DATA. Even a mail without content could then arrive somewhere."""
    after: list[bytes] = []

    def serve(connection: socket.socket, over: threading.Event) -> None:
        talk(connection, b"220 mail", PIPELINING, b"250 OK", reply, b"354 Go")
        after.append(connection.recv(100))

    with script(serve) as port, client(port) as smtp_client:
        assert meaning(rejection(smtp_client)) == ("rcpt_to", int(reply[:3]), reply[:1] == b"5", reply[:1] == b"5")

    assert after == [b""]


# Encryption.


@pytest.mark.parametrize(
    ("offered", "starttls", "encrypted"),
    [
        (True, "require", True),
        (True, "if_offered", True),
        (True, "never", False),
        (False, "if_offered", False),
        (False, "never", False),
    ],
)
def test_starttls_follows_the_setting(
    certificate: trustme.LeafCert, trust: ssl.SSLContext, offered: bool, starttls: str, encrypted: bool
) -> None:
    with (
        MailServer(certificate=certificate if offered else None) as server,
        client(server.port, starttls=starttls, context=trust) as smtp_client,
    ):
        send(smtp_client)

    assert [each.encrypted for each in server.received] == [encrypted]


def test_nothing_is_sent_if_required_encryption_is_not_offered(server: MailServer) -> None:
    with client(server.port, starttls="require", user="me", password="hunter2") as smtp_client:
        assert meaning(rejection(smtp_client)) == ("starttls", None, False, False)

    assert server.commands == ["EHLO"]


@pytest.mark.parametrize("starttls", ["require", "if_offered"])
def test_nothing_is_sent_if_offered_encryption_then_fails(
    certificate: trustme.LeafCert, trust: ssl.SSLContext, starttls: str
) -> None:
    with (
        MailServer(certificate=certificate, replies={"STARTTLS": "454 4.7.0 Not now"}) as server,
        client(server.port, starttls=starttls, context=trust) as smtp_client,
    ):
        assert meaning(rejection(smtp_client)) == ("starttls", 454, False, False)

    assert server.commands == ["EHLO", "STARTTLS"]


def test_a_connection_can_be_encrypted_from_the_first_byte(
    certificate: trustme.LeafCert, trust: ssl.SSLContext
) -> None:
    with (
        MailServer(certificate=certificate, from_the_first_byte=True, users={"me": "hunter2"}) as server,
        client(server.port, tls=True, user="me", password="hunter2", context=trust) as smtp_client,
    ):
        send(smtp_client)

    assert [(each.encrypted, each.user) for each in server.received] == [(True, "me")]


@pytest.mark.parametrize("from_the_first_byte", [True, False])
def test_nothing_is_sent_to_a_server_with_an_untrusted_certificate(
    certificate: trustme.LeafCert, from_the_first_byte: bool
) -> None:
    how = {"tls": True} if from_the_first_byte else {"starttls": "require"}
    with (
        MailServer(certificate=certificate, from_the_first_byte=from_the_first_byte) as server,
        client(server.port, **how) as smtp_client,
    ):
        assert meaning(rejection(smtp_client)) == ("tls", None, False, False)

    assert server.commands == ([] if from_the_first_byte else ["EHLO", "STARTTLS"])


def test_nothing_is_sent_to_a_server_with_another_hosts_certificate(
    authority: trustme.CA, trust: ssl.SSLContext
) -> None:
    with (
        MailServer(certificate=authority.issue_cert("mail.example.org")) as server,
        client(server.port, starttls="require", context=trust) as smtp_client,
    ):
        assert rejection(smtp_client).stage == "tls"


def test_nothing_is_sent_to_a_server_without_tls(server: MailServer) -> None:
    with client(server.port, tls=True) as smtp_client:
        assert rejection(smtp_client).stage == "tls"


def test_replies_received_before_tls_are_discarded(certificate: trustme.LeafCert, trust: ssl.SSLContext) -> None:
    """An attacker in between adds a reply to the one to STARTTLS; the client must not take it for an encrypted one."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(context)
    commands: list[bytes] = []

    def serve(connection: socket.socket, over: threading.Event) -> None:
        talk(connection, b"220 mail", b"250-mail\r\n250 STARTTLS", b"220 Go\r\n250-mail\r\n250 AUTH PLAIN")
        with context.wrap_socket(connection, server_side=True) as encrypted, encrypted.makefile("rb") as lines:
            commands.append(lines.readline())
            encrypted.sendall(b"250 mail\r\n")
            commands.append(lines.readline())

    with (
        script(serve) as port,
        client(port, starttls="require", user="me", password="x", context=trust) as smtp_client,
    ):
        assert rejection(smtp_client).stage == "login"

    assert commands == [b"ehlo [127.0.0.1]\r\n", b""]


# Logging in.


@pytest.mark.parametrize("password", ["hunter2", "with spaces, \\ and 'quotes'"])
def test_the_client_logs_in_before_it_sends_the_mail(password: str) -> None:
    with (
        MailServer(users={"me@example.org": password}) as server,
        client(server.port, user="me@example.org", password=password) as smtp_client,
    ):
        send(smtp_client)

    assert [each.user for each in server.received] == ["me@example.org"]


def test_a_wrong_password_is_a_temporary_error_and_stays_secret() -> None:
    with (
        MailServer(users={"me": "another"}) as server,
        client(server.port, user="me", password="hunter2") as smtp_client,
    ):
        error = rejection(smtp_client)

    assert meaning(error) == ("login", 535, False, False)
    assert_secret(error, "hunter2", "aHVudGVyMg", "AG1lAGh1bnRlcjI")
    assert server.commands == ["EHLO"]


def test_the_password_is_not_sent_to_a_server_that_offers_no_login(certificate: trustme.LeafCert) -> None:
    """The server offers AUTH only after STARTTLS."""
    with (
        MailServer(certificate=certificate) as server,
        client(server.port, starttls="never", user="me", password="hunter2") as smtp_client,
    ):
        error = rejection(smtp_client)

    assert meaning(error) == ("login", None, False, False)
    assert_secret(error, "hunter2")


@pytest.mark.parametrize("reply", [b"535 5.7.8 hunter2 is wrong for me", b"334 hunter2", b"hunter2"])
def test_errors_do_not_contain_the_servers_text(reply: bytes) -> None:
    replies = (b"220 mail", b"250-mail\r\n250 AUTH PLAIN", reply)

    with (
        script(lambda connection, _: talk(connection, *replies)) as port,
        client(port, user="me", password="hunter2") as smtp_client,
    ):
        assert_secret(rejection(smtp_client), "hunter2")


def test_errors_do_not_contain_a_password_that_cannot_be_encoded() -> None:
    """A URL cannot have such a password; the standard library's error would contain it."""
    with MailServer() as server, client(server.port, user="me", password="hünter2") as smtp_client:
        error = rejection(smtp_client)

    assert error.stage == "login"
    assert_secret(error, "hünter2", "xfc", "ünter")


def assert_secret(error: SmtpError, *secrets: str) -> None:
    text = "".join(traceback.format_exception(error)) + str(error) + repr(error)
    frames = [line for line in traceback.format_exception(error) if "File" in line and "tests" in line]
    for line in frames:  # these show this file's own lines
        text = text.replace(line, "")
    assert [secret for secret in secrets if secret in text] == []


# Rejections.


@pytest.mark.one_in(3)
@pytest.mark.parametrize(
    ("reply", "permanent", "recipient"),
    [
        # No such mailbox.
        ("550 5.1.1 <jane@example.net>: Recipient address rejected: User unknown in local recipient table", True, True),
        ("550-5.1.1 The email account that you tried to reach does not exist.\r\n550 5.1.1 Try again.", True, True),
        ("550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient not found", True, True),
        ("553 5.1.2 We weren't able to find the recipient domain", True, True),
        ("501 5.1.3 Bad recipient address syntax", True, True),
        ("551 5.1.6 Recipient has moved", True, True),
        ("556 5.1.10 Recipient address has null MX", True, True),
        ("550 5.2.1 The email account that you tried to reach is disabled", True, True),
        ("511 5.1.1 No such user", True, True),
        ("550 No such user here", True, True),
        ("550 5.0.0 User unknown", True, True),
        ("551 User not local", True, True),
        ("550", True, True),
        # Permanent, but the address is not the reason, or the reply does not say so.
        ("554 Transaction failed", True, False),
        ("553 Mailbox name not allowed", True, False),
        ("501 Syntax error", True, False),
        ("550 5.1.0 Address rejected", True, False),
        ("550 5.4.1 Recipient address rejected: Access denied", True, False),
        ("550 5.4.4 Host not found", True, False),
        ("552 5.2.3 Message too large for this recipient", False, False),
        # About this server: the operator can correct it.
        ("554 5.7.1 <jane@example.net>: Relay access denied", False, False),
        ("550 5.7.1 Client host rejected", False, False),
        ("550 5.1.8 <bounces@example.org>: Sender address rejected: Domain not found", False, False),
        ("553 5.1.7 Sender address malformed", False, False),
        ("550 relay not permitted", False, False),
        ("553 sorry, that domain isn't in my list of allowed rcpthosts (#5.7.1)", False, False),
        ("550 Sender verify failed", False, False),
        ("550 Blocked by SpamCop", False, False),
        ("530 5.7.0 Must issue a STARTTLS command first", False, False),
        ("530 Authentication required", False, False),
        ("503 5.5.1 Error: need MAIL command", False, False),
        # Temporary.
        ("450 4.1.1 Recipient address rejected: unverified address", False, False),
        ("450 5.1.1 Soft bounces are on", False, False),
        ("450 4.2.0 Greylisted", False, False),
        ("451 Try again", False, False),
        ("452 4.2.2 Mailbox full", False, False),
        ("552 5.2.2 Mailbox full", False, False),
        ("550 5.2.2 Over quota", False, False),
        ("552 Too many recipients", False, False),
        ("550 4.7.1 Try again later", False, False),
        ("421 4.7.0 Too many mails", False, False),
        ("354 Go on", False, False),
    ],
)
def test_a_rejection_of_the_recipient_is_classified(
    server: MailServer, reply: str, permanent: bool, recipient: bool
) -> None:
    server.replies["RCPT"] = reply

    with client(server.port) as smtp_client:
        error = rejection(smtp_client)

    assert meaning(error) == ("rcpt_to", int(reply[:3]), permanent, recipient)
    assert "DATA" not in server.commands


@pytest.mark.parametrize("command", ["DATA", "."])
@pytest.mark.parametrize(
    ("reply", "permanent", "recipient"),
    [
        ("554 5.7.1 Message rejected as spam", True, False),
        ("554 Transaction failed", True, False),
        ("550 Mailbox unavailable", True, False),
        ("552 5.3.4 Message too big", True, False),
        ("552 Too much mail data", True, False),
        ("550 5.1.1 User unknown", True, True),
        ("552 5.2.2 Mailbox full", False, False),
        ("530 5.7.0 Authentication required", False, False),
        ("503 5.5.1 Bad sequence of commands", False, False),
        ("451 4.3.0 Try again", False, False),
        ("452 4.3.1 Insufficient system storage", False, False),
        ("550 4.7.1 Try again later", False, False),
        ("421 4.3.2 Shutting down", False, False),
    ],
)
def test_a_rejection_of_the_mail_is_classified(
    server: MailServer, command: str, reply: str, permanent: bool, recipient: bool
) -> None:
    server.replies[command] = reply

    with client(server.port) as smtp_client:
        error = rejection(smtp_client)

    assert meaning(error) == ("data", int(reply[:3]), permanent, recipient)
    assert server.received == []


@pytest.mark.parametrize(
    "reply", ["450 4.7.1 Not now", "550 5.1.1 Unknown", "550 5.7.1 Not yours", "552 Too big", "553 No such sender"]
)
def test_a_rejection_of_the_sender_is_temporary(server: MailServer, reply: str) -> None:
    """The sender is the operator's, who can correct it while the mail waits."""
    server.replies["MAIL"] = reply

    with client(server.port) as smtp_client:
        assert meaning(rejection(smtp_client)) == ("mail_from", int(reply[:3]), False, False)


@pytest.mark.parametrize("greeting", [b"554 5.7.1 You are blocked", b"421 Too many connections"])
def test_an_error_greeting_is_temporary(greeting: bytes) -> None:
    with script(lambda connection, _: talk(connection, greeting)) as port, client(port) as smtp_client:
        assert meaning(rejection(smtp_client)) == ("connect", int(greeting[:3]), False, False)


@pytest.mark.parametrize("command", ["RCPT", "DATA", "."])
@pytest.mark.parametrize("reply", ["550 5.1.1 No", "450 4.2.0 Later"])
def test_a_connection_is_reused_after_a_rejection(server: MailServer, command: str, reply: str) -> None:
    server.replies[command] = reply

    with client(server.port) as smtp_client:
        rejection(smtp_client, to="nobody@example.net")
        server.replies.clear()
        send(smtp_client)

    assert [(each.connection, each.to) for each in server.received] == [(1, [JANE])]
    assert server.commands.count("RSET") == 1


def test_a_connection_is_closed_after_reply_421(server: MailServer) -> None:
    server.replies["RCPT"] = "421 4.7.0 Too many mails"

    with client(server.port) as smtp_client:
        rejection(smtp_client)
        server.replies.clear()
        send(smtp_client)

    assert [each.connection for each in server.received] == [2]
    assert "RSET" not in server.commands


@pytest.mark.parametrize("rset", ["451 Not now", HANG_UP])
def test_a_connection_is_closed_if_rset_fails(server: MailServer, rset: str) -> None:
    server.replies |= {"RCPT": "550 5.1.1 No", "RSET": rset}

    with client(server.port) as smtp_client:
        assert meaning(rejection(smtp_client)) == ("rcpt_to", 550, True, True)
        server.replies.clear()
        send(smtp_client)

    assert [each.connection for each in server.received] == [2]


@pytest.mark.parametrize(
    ("command", "stage"), [("MAIL", "mail_from"), ("RCPT", "rcpt_to"), ("DATA", "data"), (".", "data")]
)
def test_a_lost_connection_is_a_temporary_error_and_nothing_is_repeated(
    server: MailServer, command: str, stage: str
) -> None:
    """After the final dot the client cannot know whether the server has accepted the mail."""
    server.replies[command] = HANG_UP

    with client(server.port) as smtp_client:
        assert meaning(rejection(smtp_client)) == (stage, None, False, False)
        assert server.commands.count("MAIL") == 1
        server.replies.clear()
        send(smtp_client)

    assert [each.connection for each in server.received] == [2]


@pytest.mark.parametrize(
    ("command", "reply", "message"),
    [
        ("MAIL", f"550 5.1.8 <{BOUNCES}> unknown", "mail_from 550"),
        ("RCPT", f"550 5.1.1 <{JANE}> unknown", "rcpt_to 550"),
        ("DATA", f"554 5.1.1 <{JANE}> unknown", "data 554"),
        ("DATA", f"250 <{JANE}> unknown", "data without reply"),
        (".", f"554 5.1.1 <{JANE}> unknown", "data 554"),
    ],
)
def test_a_rejection_does_not_contain_the_recipients_address(
    server: MailServer, command: str, reply: str, message: str
) -> None:
    server.replies[command] = reply

    with client(server.port) as smtp_client:
        error = rejection(smtp_client)

    assert str(error) == message
    assert_secret(error, JANE, BOUNCES, "unknown")


# Slow, silent and broken servers.


def talk(connection: socket.socket, *replies: bytes) -> None:
    """Plays a server: sends a greeting, then a reply to each command; a mail's content ends with a dot."""
    before = b""
    with connection.makefile("rb") as lines:
        for number, reply in enumerate(replies):
            if number and not (line := lines.readline()):
                return
            while before.startswith(b"354") and line and line != b".\r\n":
                line = lines.readline()
            connection.sendall(reply + b"\r\n")
            before = reply


def read_content(connection: socket.socket) -> None:
    with connection.makefile("rb") as lines:
        while lines.readline() not in (b"", b".\r\n"):
            pass


def silent_after(count: int, ehlo: bytes = REPLIES[1]) -> Serve:
    replies = (REPLIES[0], ehlo, *REPLIES[2:])

    def serve(connection: socket.socket, over: threading.Event) -> None:
        talk(connection, *replies[:count])
        over.wait(LONG)

    return serve


def dripping_after(count: int, data: bytes) -> Serve:
    def serve(connection: socket.socket, over: threading.Event) -> None:
        talk(connection, *REPLIES[:count])
        send_slowly(connection, over, data)

    return serve


@pytest.mark.parametrize(
    ("count", "ehlo"), [*((count, REPLIES[1]) for count in range(len(REPLIES))), (2, PIPELINING), (4, PIPELINING)]
)
def test_a_silent_server_is_abandoned(count: int, ehlo: bytes) -> None:
    began = time.monotonic()

    with script(silent_after(count, ehlo)) as port, client(port, seconds=SHORT, mail_seconds=2 * SHORT) as smtp_client:
        assert meaning(rejection(smtp_client)) == (STAGES[count], None, False, False)
        assert SHORT <= time.monotonic() - began < SOON


def test_accepting_a_mail_may_take_longer_than_answering_a_command(monkeypatch: pytest.MonkeyPatch) -> None:
    def serve(connection: socket.socket, over: threading.Event) -> None:
        talk(connection, *REPLIES[:-1])
        read_content(connection)
        over.wait(3 * SHORT)
        connection.sendall(REPLIES[-1] + b"\r\n")
        over.wait(LONG)

    monkeypatch.setattr(smtp, "QUIT_SECONDS", 0.1)
    with script(serve) as port, client(port, seconds=SHORT, mail_seconds=LONG) as smtp_client:
        send(smtp_client)


@pytest.mark.parametrize("data", [b"x", b"250-more\r\n"])
@pytest.mark.parametrize("count", range(len(REPLIES)))
def test_a_server_that_drips_its_replies_is_abandoned(count: int, data: bytes) -> None:
    began = time.monotonic()

    with script(dripping_after(count, data)) as port, client(port, seconds=LONG, mail_seconds=SHORT) as smtp_client:
        assert meaning(rejection(smtp_client)) == (STAGES[count], None, False, False)
        assert SHORT <= time.monotonic() - began < SOON


def test_a_server_that_drips_its_tls_handshake_is_abandoned() -> None:
    began = time.monotonic()
    hello = b"\x16\x03\x03\x3f\xff" + b"\x00" * 600

    with (
        script(dripping_after(0, hello)) as port,
        client(port, tls=True, seconds=LONG, mail_seconds=SHORT) as smtp_client,
    ):
        assert rejection(smtp_client).stage == "tls"
        assert SHORT <= time.monotonic() - began < SOON


def test_a_server_that_stops_reading_is_abandoned() -> None:
    began = time.monotonic()

    with (
        script(silent_after(5)) as port,
        client(port, seconds=LONG, mail_seconds=SHORT) as smtp_client,
        pytest.raises(SmtpError, match="data"),
    ):
        send(smtp_client, html="x" * 20_000_000)
    assert time.monotonic() - began < LONG


@pytest.mark.parametrize(
    ("seconds", "mail_seconds", "stage"),
    [(SHORT, 3 * SHORT, "connect"), (SHORT, LONG, "connect"), (LONG, SHORT, "mail_from")],
)
def test_a_second_connection_does_not_extend_the_time_limit(seconds: float, mail_seconds: float, stage: str) -> None:
    """The server sends nothing more after the first mail, on this connection and on the next one."""
    with (
        script(silent_after(len(REPLIES))) as port,
        client(port, seconds=seconds, mail_seconds=mail_seconds) as smtp_client,
    ):
        send(smtp_client)
        began = time.monotonic()
        error = rejection(smtp_client)

        assert meaning(error) == (stage, None, False, False)
        assert time.monotonic() - began < min(mail_seconds + 1, SOON)


@pytest.mark.parametrize("serve", [silent_after(6), dripping_after(6, b"x")])
def test_closing_takes_no_longer_than_its_limit(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(smtp, "QUIT_SECONDS", SHORT)

    with ExitStack() as stack:
        smtp_client = stack.enter_context(client(stack.enter_context(script(serve)), seconds=LONG))
        send(smtp_client)
        began = time.monotonic()
        smtp_client.close()

        assert time.monotonic() - began < SOON


def test_a_closed_port_is_a_temporary_error() -> None:
    with client(free_port()) as smtp_client:
        assert meaning(rejection(smtp_client)) == ("connect", None, False, False)


def test_a_host_that_accepts_no_connection_is_abandoned() -> None:
    with full_port("127.0.0.1", 0) as port, client(port, seconds=SHORT) as smtp_client:
        began = time.monotonic()
        assert rejection(smtp_client).stage == "connect"
        assert time.monotonic() - began < SOON


def test_the_time_of_a_mail_bounds_the_attempts_at_all_addresses_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """The host has two addresses: the first one never accepts a connection, the second one sends byte after byte."""
    began = time.monotonic()

    with (
        full_port("127.0.0.1", 0) as first,
        script(dripping_after(0, b"x")) as second,
        client(second, seconds=LONG, mail_seconds=SHORT) as smtp_client,
    ):
        ways = [(socket.AF_INET, socket.SOCK_STREAM, 0, "", ("127.0.0.1", port)) for port in (first, second)]
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: ways)
        assert rejection(smtp_client).stage == "connect"
        monkeypatch.undo()

    assert SHORT <= time.monotonic() - began < SOON


def test_the_time_of_a_mail_bounds_a_lookup_that_hangs(monkeypatch: pytest.MonkeyPatch) -> None:
    over = threading.Event()

    def hanging(*_: object, **__: object) -> list:
        over.wait(LONG)
        raise socket.gaierror

    monkeypatch.setattr(socket, "getaddrinfo", hanging)
    began = time.monotonic()
    with client(25, mail_seconds=SHORT) as smtp_client:
        assert meaning(rejection(smtp_client)) == ("connect", None, False, False)

    assert SHORT <= time.monotonic() - began < SOON
    over.set()


def test_an_unknown_host_is_a_temporary_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    with client(25) as smtp_client:
        assert meaning(rejection(smtp_client)) == ("connect", None, False, False)


@pytest.mark.one_in(4)
@pytest.mark.parametrize(
    "reply", [b"hello", b"", b"250" + b"x" * 10_000, b"9999 what", b"-50 no", b"\xff\xfe", b"600 No"]
)
@pytest.mark.parametrize("count", range(len(REPLIES)))
def test_a_server_with_another_protocol_is_abandoned(count: int, reply: bytes) -> None:
    replies = (*REPLIES[:count], reply)

    with script(lambda connection, _: talk(connection, *replies)) as port, client(port) as smtp_client:
        error = rejection(smtp_client)

    assert meaning(error) == (STAGES[count], None, False, False)
