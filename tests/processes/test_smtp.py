"""Mails handed over to real servers on loopback: what arrives, what a refusal means, what a bad server may do."""

import socket
import ssl
import threading
import time
import traceback
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from email.headerregistry import Address
from email.message import EmailMessage
from typing import Any

import pytest
import trustme

from dev.mongod import free_port
from osdi.ids import now
from osdi.mail import compose, smtp
from osdi.mail.smtp import Smtp, SmtpError, SmtpServer
from tests.mail_server import HANG_UP, MailServer
from tests.receivers import LONG, Serve, deaf, drip, script

SENDER = Address("Progressives United", "hello", "example.org")
BOUNCES = "bounces@example.org"
JANE = "jane@example.net"

# What is ended by time is ended after this, and must be over after that.
SHORT = 0.5
SOON = 3.0

# What a server says up to where the mail has been handed over.
REPLIES = (b"220 mail", b"250 mail", b"250 OK", b"250 OK", b"354 Go", b"250 Taken")
STAGES = ("connect", "ehlo", "mail_from", "rcpt_to", "data", "data")


@dataclass(frozen=True)
class Rendered:
    subject: str = "Thank you, Zoë"
    html: str = "<p>It helps.</p>"
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
    """A client of the server on that port, which takes its leave at the end."""
    context = how.pop("context", None)
    server = SmtpServer("127.0.0.1", port, **({"starttls": "never"} | how))
    handing_over = Smtp(server, seconds=seconds, mail_seconds=mail_seconds, context=context)
    try:
        yield handing_over
    finally:
        handing_over.close()


def composed(html: str = "<p>It helps.</p>", to: str = JANE) -> EmailMessage:
    return compose.compose(
        Rendered(html=html),
        to=to,
        message_id="0190e5a4-7c1f-7000-8000-000000000001",
        sender=SENDER,
        unsubscribe_url="https://osdi.example.org/unsubscribe/token",
        date=now(),
    )


def send(handing_over: Smtp, to: str = JANE, html: str = "<p>It helps.</p>") -> EmailMessage:
    message = composed(html, to if "@" in to else JANE)
    handing_over.send(message, envelope_from=BOUNCES, to=to)
    return message


def refusal(handing_over: Smtp, to: str = JANE) -> SmtpError:
    with pytest.raises(SmtpError) as caught:
        send(handing_over, to)
    return caught.value


def meaning(error: SmtpError) -> tuple[str, int | None, bool, bool]:
    return (error.stage, error.code, error.permanent, error.recipient)


# Delivery.


def test_a_mail_arrives_as_it_was_composed(server: MailServer) -> None:
    with client(server.port) as handing_over:
        message = send(handing_over)

    [received] = server.received
    assert (received.envelope_from, received.to, received.options) == (BOUNCES, [JANE], [])
    assert received.content == message.as_bytes()
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
def test_no_line_ends_or_changes_a_mail(server: MailServer, html: str) -> None:
    with client(server.port) as handing_over:
        message = send(handing_over, html=html)
        send(handing_over)

    assert server.received[0].content == message.as_bytes()
    assert len(server.received) == 2


def test_lines_of_a_mail_from_elsewhere_end_as_smtp_has_it(server: MailServer) -> None:
    message = EmailMessage()
    message.set_content("one\n.\ntwo\n")

    with client(server.port) as handing_over:
        handing_over.send(message, envelope_from=BOUNCES, to=JANE)

    assert server.received[0].content.endswith(b"\r\n\r\none\r\n.\r\ntwo\r\n")


def test_many_mails_go_over_one_connection(server: MailServer) -> None:
    with client(server.port) as handing_over:
        for number in range(5):
            send(handing_over, to=f"jane{number}@example.net")

    assert [(each.connection, *each.to) for each in server.received] == [
        (1, f"jane{number}@example.net") for number in range(5)
    ]
    assert server.commands.count("EHLO") == 1


def test_a_connection_carries_no_more_mails_than_its_bound(server: MailServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(smtp, "MAILS", 2)

    with client(server.port) as handing_over:
        for _ in range(5):
            send(handing_over)

    assert [each.connection for each in server.received] == [1, 1, 2, 2, 3]
    assert server.commands.count("QUIT") == 3


def test_an_old_connection_is_given_up(server: MailServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(smtp, "IDLE_SECONDS", 0.0)

    with client(server.port) as handing_over:
        send(handing_over)
        send(handing_over)

    assert [each.connection for each in server.received] == [1, 2]
    assert server.commands.count("QUIT") == 2


@pytest.mark.parametrize("say", ["", "421 4.4.2 mail.example.org Error: timeout exceeded"])
@pytest.mark.parametrize("encrypted", [False, True])
def test_a_mail_goes_out_once_where_the_server_has_hung_up(
    certificate: trustme.LeafCert, trust: ssl.SSLContext, say: str, encrypted: bool
) -> None:
    with (
        MailServer(certificate=certificate if encrypted else None) as server,
        client(server.port, starttls="require" if encrypted else "never", context=trust) as handing_over,
    ):
        send(handing_over)
        server.hang_up(say)
        send(handing_over)
        send(handing_over)

    assert [each.connection for each in server.received] == [1, 2, 2]
    assert {each.encrypted for each in server.received} == {encrypted}


@pytest.mark.parametrize("reply", ["421 4.3.2 Shutting down", HANG_UP])
def test_a_server_that_hangs_up_each_time_is_asked_twice(server: MailServer, reply: str) -> None:
    with client(server.port) as handing_over:
        send(handing_over)
        server.replies["MAIL"] = reply
        error = refusal(handing_over)

    assert meaning(error) == ("mail_from", None if reply == HANG_UP else 421, False, False)
    assert server.commands.count("MAIL") == 3


def test_a_client_that_took_its_leave_comes_again(server: MailServer) -> None:
    with client(server.port) as handing_over:
        handing_over.close()
        send(handing_over)
        handing_over.close()
        handing_over.close()
        send(handing_over)

    assert [each.connection for each in server.received] == [1, 2]


def test_we_greet_with_our_address_and_look_up_no_name(server: MailServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "getfqdn", lambda *_: pytest.fail("this can take long"))

    with client(server.port) as handing_over:
        send(handing_over)

    assert server.received[0].greeted_as == "[127.0.0.1]"


@pytest.mark.skipif(not socket.has_ipv6, reason="has no IPv6")
def test_our_address_may_be_of_ipv6() -> None:
    try:
        listening = socket.create_server(("::1", 0), family=socket.AF_INET6)
    except OSError:
        pytest.skip("has no IPv6 on loopback")
    with listening, socket.create_connection(listening.getsockname()[:2]) as connection:
        assert smtp._address_literal(connection) == "[IPv6:::1]"


def test_a_server_that_knows_no_ehlo_is_greeted_as_of_old() -> None:
    with MailServer(replies={"EHLO": "502 5.5.1 Not implemented"}) as server, client(server.port) as handing_over:
        send(handing_over)

    assert len(server.received) == 1


# Recipients beyond ASCII.


@pytest.mark.parametrize(
    ("to", "received_as"),
    [("jané@example.net", "jané@example.net"), ("用户@bücher.example", "用户@xn--bcher-kva.example")],
)
def test_a_recipient_beyond_ascii_takes_a_server_that_knows_such(server: MailServer, to: str, received_as: str) -> None:
    with client(server.port) as handing_over:
        message = send(handing_over, to=to)
        send(handing_over)

    international, usual = server.received
    assert international.to == [received_as]
    assert international.options == ["SMTPUTF8", "BODY=8BITMIME"]
    assert f"\r\nTo: {received_as}\r\n".encode() in international.content == message.as_bytes()
    assert (usual.to, usual.options) == ([JANE], [])


def test_without_smtputf8_a_recipient_beyond_ascii_is_refused_for_good() -> None:
    with MailServer(utf8=False) as server, client(server.port) as handing_over:
        error = refusal(handing_over, to="jané@example.net")
        send(handing_over, to="jane@bücher.example")

    assert meaning(error) == ("smtputf8", None, True, False)
    assert [(each.connection, each.to) for each in server.received] == [(1, ["jane@xn--bcher-kva.example"])]
    assert server.commands.count("MAIL") == 1


@pytest.mark.parametrize(
    "to", ["", "jane", "jane@❤.example", "a@example.org,jane@example.net", "jane@example.net>\r\nRSET"]
)
def test_what_is_no_address_is_sent_nowhere(server: MailServer, to: str) -> None:
    with client(server.port) as handing_over, pytest.raises(SmtpError) as caught:
        handing_over.send(composed(), envelope_from=BOUNCES, to=to)

    assert meaning(caught.value) == ("address", None, True, True)
    assert server.connections == 0


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
def test_a_connection_is_encrypted_as_the_setting_says(
    certificate: trustme.LeafCert, trust: ssl.SSLContext, offered: bool, starttls: str, encrypted: bool
) -> None:
    with (
        MailServer(certificate=certificate if offered else None) as server,
        client(server.port, starttls=starttls, context=trust) as handing_over,
    ):
        send(handing_over)

    assert [each.encrypted for each in server.received] == [encrypted]


def test_a_server_that_offers_no_encryption_gets_nothing_where_it_is_required(server: MailServer) -> None:
    with client(server.port, starttls="require", user="me", password="hunter2") as handing_over:
        assert meaning(refusal(handing_over)) == ("starttls", None, False, False)

    assert server.commands == ["EHLO"]


@pytest.mark.parametrize("starttls", ["require", "if_offered"])
def test_encryption_that_is_offered_and_then_refused_stops_the_mail(
    certificate: trustme.LeafCert, trust: ssl.SSLContext, starttls: str
) -> None:
    with (
        MailServer(certificate=certificate, replies={"STARTTLS": "454 4.7.0 Not now"}) as server,
        client(server.port, starttls=starttls, context=trust) as handing_over,
    ):
        assert meaning(refusal(handing_over)) == ("starttls", 454, False, False)

    assert server.commands == ["EHLO", "STARTTLS"]


def test_a_connection_may_be_encrypted_from_the_first_byte(
    certificate: trustme.LeafCert, trust: ssl.SSLContext
) -> None:
    with (
        MailServer(certificate=certificate, from_the_first_byte=True, users={"me": "hunter2"}) as server,
        client(server.port, tls=True, user="me", password="hunter2", context=trust) as handing_over,
    ):
        send(handing_over)

    assert [(each.encrypted, each.user) for each in server.received] == [(True, "me")]


@pytest.mark.parametrize("from_the_first_byte", [True, False])
def test_a_certificate_that_nobody_trusts_gets_nothing(
    certificate: trustme.LeafCert, from_the_first_byte: bool
) -> None:
    how = {"tls": True} if from_the_first_byte else {"starttls": "require"}
    with (
        MailServer(certificate=certificate, from_the_first_byte=from_the_first_byte) as server,
        client(server.port, **how) as handing_over,
    ):
        assert meaning(refusal(handing_over)) == ("tls", None, False, False)

    assert server.commands == ([] if from_the_first_byte else ["EHLO", "STARTTLS"])


def test_a_certificate_of_another_host_gets_nothing(authority: trustme.CA, trust: ssl.SSLContext) -> None:
    with (
        MailServer(certificate=authority.issue_cert("mail.example.org")) as server,
        client(server.port, starttls="require", context=trust) as handing_over,
    ):
        assert refusal(handing_over).stage == "tls"


def test_a_server_that_speaks_no_tls_gets_nothing(server: MailServer) -> None:
    with client(server.port, tls=True) as handing_over:
        assert refusal(handing_over).stage == "tls"


def test_what_came_in_the_open_counts_no_more(certificate: trustme.LeafCert, trust: ssl.SSLContext) -> None:
    """Somebody in between puts a reply behind the one to STARTTLS: it is not taken for one that was encrypted."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(context)
    said: list[bytes] = []

    def serve(connection: socket.socket, over: threading.Event) -> None:
        talk(connection, b"220 mail", b"250-mail\r\n250 STARTTLS", b"220 Go\r\n250-mail\r\n250 AUTH PLAIN")
        with context.wrap_socket(connection, server_side=True) as encrypted, encrypted.makefile("rb") as lines:
            said.append(lines.readline())
            encrypted.sendall(b"250 mail\r\n")
            said.append(lines.readline())

    with (
        script(serve) as port,
        client(port, starttls="require", user="me", password="x", context=trust) as handing_over,
    ):
        assert refusal(handing_over).stage == "login"

    assert said == [b"ehlo [127.0.0.1]\r\n", b""]


# Logging in.


@pytest.mark.parametrize("password", ["hunter2", "with spaces, \\ and 'quotes'"])
def test_a_login_is_tried_before_the_mail(password: str) -> None:
    with (
        MailServer(users={"me@example.org": password}) as server,
        client(server.port, user="me@example.org", password=password) as handing_over,
    ):
        send(handing_over)

    assert [each.user for each in server.received] == ["me@example.org"]


def test_a_wrong_password_is_for_now_and_stays_secret() -> None:
    with (
        MailServer(users={"me": "another"}) as server,
        client(server.port, user="me", password="hunter2") as handing_over,
    ):
        error = refusal(handing_over)

    assert meaning(error) == ("login", 535, False, False)
    assert_secret(error, "hunter2", "aHVudGVyMg", "AG1lAGh1bnRlcjI")
    assert server.commands == ["EHLO"]


def test_a_server_without_logins_is_told_no_password(certificate: trustme.LeafCert) -> None:
    """It offers them behind STARTTLS alone."""
    with (
        MailServer(certificate=certificate) as server,
        client(server.port, starttls="never", user="me", password="hunter2") as handing_over,
    ):
        error = refusal(handing_over)

    assert meaning(error) == ("login", None, False, False)
    assert_secret(error, "hunter2")


@pytest.mark.parametrize("reply", [b"535 5.7.8 hunter2 is wrong for me", b"334 hunter2", b"hunter2"])
def test_no_words_of_a_server_are_told(reply: bytes) -> None:
    replies = (b"220 mail", b"250-mail\r\n250 AUTH PLAIN", reply)

    with (
        script(lambda connection, _: talk(connection, *replies)) as port,
        client(port, user="me", password="hunter2") as handing_over,
    ):
        assert_secret(refusal(handing_over), "hunter2")


def test_a_password_that_cannot_be_sent_is_not_told() -> None:
    """The URL has none such; the standard library would have its words in an error."""
    with MailServer() as server, client(server.port, user="me", password="hünter2") as handing_over:
        error = refusal(handing_over)

    assert error.stage == "login"
    assert_secret(error, "hünter2", "xfc", "ünter")


def assert_secret(error: SmtpError, *secrets: str) -> None:
    told = "".join(traceback.format_exception(error)) + str(error) + repr(error)
    frames = [line for line in traceback.format_exception(error) if "File" in line and "tests" in line]
    for line in frames:  # these show this file's own lines
        told = told.replace(line, "")
    assert [secret for secret in secrets if secret in told] == []


# Refusals.


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
        # For good, but not the address's fault, or nobody knows.
        ("554 Transaction failed", True, False),
        ("553 Mailbox name not allowed", True, False),
        ("501 Syntax error", True, False),
        ("550 5.1.0 Address rejected", True, False),
        ("550 5.4.1 Recipient address rejected: Access denied", True, False),
        ("550 5.4.4 Host not found", True, False),
        ("552 5.2.3 Message too large for this recipient", False, False),
        # About us: the operator can do something.
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
        # For now.
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
def test_what_a_refusal_of_the_recipient_means(
    server: MailServer, reply: str, permanent: bool, recipient: bool
) -> None:
    server.replies["RCPT"] = reply

    with client(server.port) as handing_over:
        error = refusal(handing_over)

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
def test_what_a_refusal_of_the_mail_means(
    server: MailServer, command: str, reply: str, permanent: bool, recipient: bool
) -> None:
    server.replies[command] = reply

    with client(server.port) as handing_over:
        error = refusal(handing_over)

    assert meaning(error) == ("data", int(reply[:3]), permanent, recipient)
    assert server.received == []


@pytest.mark.parametrize(
    "reply", ["450 4.7.1 Not now", "550 5.1.1 Unknown", "550 5.7.1 Not yours", "552 Too big", "553 No such sender"]
)
def test_a_refusal_of_the_sender_is_for_now(server: MailServer, reply: str) -> None:
    """It is the operator's, who can put it right while the mail waits."""
    server.replies["MAIL"] = reply

    with client(server.port) as handing_over:
        assert meaning(refusal(handing_over)) == ("mail_from", int(reply[:3]), False, False)


@pytest.mark.parametrize("greeting", [b"554 5.7.1 You are blocked", b"421 Too many connections"])
def test_a_refusal_to_talk_is_for_now(greeting: bytes) -> None:
    with script(lambda connection, _: talk(connection, greeting)) as port, client(port) as handing_over:
        assert meaning(refusal(handing_over)) == ("connect", int(greeting[:3]), False, False)


@pytest.mark.parametrize("command", ["RCPT", "DATA", "."])
@pytest.mark.parametrize("reply", ["550 5.1.1 No", "450 4.2.0 Later"])
def test_the_next_mail_goes_over_the_connection_on_which_one_was_refused(
    server: MailServer, command: str, reply: str
) -> None:
    server.replies[command] = reply

    with client(server.port) as handing_over:
        refusal(handing_over, to="nobody@example.net")
        server.replies.clear()
        send(handing_over)

    assert [(each.connection, each.to) for each in server.received] == [(1, [JANE])]
    assert server.commands.count("RSET") == 1


def test_a_connection_that_the_server_is_about_to_end_is_given_up(server: MailServer) -> None:
    server.replies["RCPT"] = "421 4.7.0 Too many mails"

    with client(server.port) as handing_over:
        refusal(handing_over)
        server.replies.clear()
        send(handing_over)

    assert [each.connection for each in server.received] == [2]
    assert "RSET" not in server.commands


@pytest.mark.parametrize("rset", ["451 Not now", HANG_UP])
def test_a_connection_that_does_not_forget_a_mail_is_given_up(server: MailServer, rset: str) -> None:
    server.replies |= {"RCPT": "550 5.1.1 No", "RSET": rset}

    with client(server.port) as handing_over:
        assert meaning(refusal(handing_over)) == ("rcpt_to", 550, True, True)
        server.replies.clear()
        send(handing_over)

    assert [each.connection for each in server.received] == [2]


@pytest.mark.parametrize(
    ("command", "stage"), [("MAIL", "mail_from"), ("RCPT", "rcpt_to"), ("DATA", "data"), (".", "data")]
)
def test_a_connection_that_is_lost_is_for_now_and_nothing_is_repeated(
    server: MailServer, command: str, stage: str
) -> None:
    """Behind the final dot nobody knows whether the mail was taken."""
    server.replies[command] = HANG_UP

    with client(server.port) as handing_over:
        assert meaning(refusal(handing_over)) == (stage, None, False, False)
        assert server.commands.count("MAIL") == 1
        server.replies.clear()
        send(handing_over)

    assert [each.connection for each in server.received] == [2]


@pytest.mark.parametrize(
    ("command", "reply", "said"),
    [
        ("MAIL", f"550 5.1.8 <{BOUNCES}> unknown", "mail_from 550"),
        ("RCPT", f"550 5.1.1 <{JANE}> unknown", "rcpt_to 550"),
        ("DATA", f"554 5.1.1 <{JANE}> unknown", "data 554"),
        ("DATA", f"250 <{JANE}> unknown", "data without reply"),
        (".", f"554 5.1.1 <{JANE}> unknown", "data 554"),
    ],
)
def test_a_mail_that_was_refused_says_nothing_of_whom_it_was_for(
    server: MailServer, command: str, reply: str, said: str
) -> None:
    server.replies[command] = reply

    with client(server.port) as handing_over:
        error = refusal(handing_over)

    assert str(error) == said
    assert_secret(error, JANE, BOUNCES, "unknown")


# Servers that nobody would want to wait for.


def talk(connection: socket.socket, *replies: bytes) -> None:
    """What a server says: a greeting, then a reply to each command; a mail's content ends with a dot."""
    before = b""
    with connection.makefile("rb") as lines:
        for number, reply in enumerate(replies):
            if number and not (line := lines.readline()):
                return
            while before.startswith(b"354") and line and line != b".\r\n":
                line = lines.readline()
            connection.sendall(reply + b"\r\n")
            before = reply


def content(connection: socket.socket) -> None:
    with connection.makefile("rb") as lines:
        while lines.readline() not in (b"", b".\r\n"):
            pass


def silent_after(count: int) -> Serve:
    def serve(connection: socket.socket, over: threading.Event) -> None:
        talk(connection, *REPLIES[:count])
        over.wait(LONG)

    return serve


def dripping_after(count: int, data: bytes) -> Serve:
    def serve(connection: socket.socket, over: threading.Event) -> None:
        talk(connection, *REPLIES[:count])
        drip(connection, over, data)

    return serve


@pytest.mark.parametrize("count", range(len(REPLIES)))
def test_a_server_that_never_answers_is_left(count: int) -> None:
    began = time.monotonic()

    with script(silent_after(count)) as port, client(port, seconds=SHORT, mail_seconds=2 * SHORT) as handing_over:
        assert meaning(refusal(handing_over)) == (STAGES[count], None, False, False)
        assert SHORT <= time.monotonic() - began < SOON


def test_a_server_has_longer_to_take_a_mail_than_to_answer_a_command(monkeypatch: pytest.MonkeyPatch) -> None:
    def serve(connection: socket.socket, over: threading.Event) -> None:
        talk(connection, *REPLIES[:-1])
        content(connection)
        over.wait(3 * SHORT)
        connection.sendall(REPLIES[-1] + b"\r\n")
        over.wait(LONG)

    monkeypatch.setattr(smtp, "QUIT_SECONDS", 0.1)
    with script(serve) as port, client(port, seconds=SHORT, mail_seconds=LONG) as handing_over:
        send(handing_over)


@pytest.mark.parametrize("data", [b"x", b"250-more\r\n"])
@pytest.mark.parametrize("count", range(len(REPLIES)))
def test_a_server_that_drips_its_replies_is_left(count: int, data: bytes) -> None:
    began = time.monotonic()

    with script(dripping_after(count, data)) as port, client(port, seconds=LONG, mail_seconds=SHORT) as handing_over:
        assert meaning(refusal(handing_over)) == (STAGES[count], None, False, False)
        assert SHORT <= time.monotonic() - began < SOON


def test_a_server_that_drips_its_part_of_tls_is_left() -> None:
    began = time.monotonic()
    hello = b"\x16\x03\x03\x3f\xff" + b"\x00" * 600

    with (
        script(dripping_after(0, hello)) as port,
        client(port, tls=True, seconds=LONG, mail_seconds=SHORT) as handing_over,
    ):
        assert refusal(handing_over).stage == "tls"
        assert SHORT <= time.monotonic() - began < SOON


def test_a_server_that_reads_no_further_is_left() -> None:
    began = time.monotonic()

    with (
        script(silent_after(5)) as port,
        client(port, seconds=LONG, mail_seconds=SHORT) as handing_over,
        pytest.raises(SmtpError, match="data"),
    ):
        send(handing_over, html="x" * 20_000_000)
    assert time.monotonic() - began < LONG


@pytest.mark.parametrize(
    ("seconds", "mail_seconds", "stage"),
    [(SHORT, 3 * SHORT, "connect"), (SHORT, LONG, "connect"), (LONG, SHORT, "mail_from")],
)
def test_a_second_connection_gets_no_more_time(seconds: float, mail_seconds: float, stage: str) -> None:
    """The server falls silent after the first mail, on this connection and on the next one."""
    with (
        script(silent_after(len(REPLIES))) as port,
        client(port, seconds=seconds, mail_seconds=mail_seconds) as handing_over,
    ):
        send(handing_over)
        began = time.monotonic()
        error = refusal(handing_over)

        assert meaning(error) == (stage, None, False, False)
        assert time.monotonic() - began < min(mail_seconds + 1, SOON)


@pytest.mark.parametrize("serve", [silent_after(6), dripping_after(6, b"x")])
def test_taking_leave_takes_no_longer_than_its_bound(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(smtp, "QUIT_SECONDS", SHORT)

    with ExitStack() as stack:
        handing_over = stack.enter_context(client(stack.enter_context(script(serve)), seconds=LONG))
        send(handing_over)
        began = time.monotonic()
        handing_over.close()

        assert time.monotonic() - began < SOON


def test_nothing_listens() -> None:
    with client(free_port()) as handing_over:
        assert meaning(refusal(handing_over)) == ("connect", None, False, False)


def test_a_host_that_takes_no_connection_is_left() -> None:
    with deaf("127.0.0.1", 0) as port, client(port, seconds=SHORT) as handing_over:
        began = time.monotonic()
        assert refusal(handing_over).stage == "connect"
        assert time.monotonic() - began < SOON


def test_the_time_of_a_mail_bounds_the_attempts_at_all_addresses_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """The host has two addresses: the first one never accepts a connection, the second one sends byte after byte."""
    began = time.monotonic()

    with (
        deaf("127.0.0.1", 0) as first,
        script(dripping_after(0, b"x")) as second,
        client(second, seconds=LONG, mail_seconds=SHORT) as handing_over,
    ):
        ways = [(socket.AF_INET, socket.SOCK_STREAM, 0, "", ("127.0.0.1", port)) for port in (first, second)]
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: ways)
        assert refusal(handing_over).stage == "connect"
        monkeypatch.undo()

    assert SHORT <= time.monotonic() - began < SOON


def test_the_time_of_a_mail_bounds_a_lookup_that_hangs(monkeypatch: pytest.MonkeyPatch) -> None:
    over = threading.Event()

    def hanging(*_: object, **__: object) -> list:
        over.wait(LONG)
        raise socket.gaierror

    monkeypatch.setattr(socket, "getaddrinfo", hanging)
    began = time.monotonic()
    with client(25, mail_seconds=SHORT) as handing_over:
        assert meaning(refusal(handing_over)) == ("connect", None, False, False)

    assert SHORT <= time.monotonic() - began < SOON
    over.set()


def test_a_host_of_which_nobody_knows_is_for_now(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    with client(25) as handing_over:
        assert meaning(refusal(handing_over)) == ("connect", None, False, False)


@pytest.mark.parametrize(
    "reply", [b"hello", b"", b"250" + b"x" * 10_000, b"9999 what", b"-50 no", b"\xff\xfe", b"600 No"]
)
@pytest.mark.parametrize("count", range(len(REPLIES)))
def test_a_server_that_speaks_another_protocol_is_left(count: int, reply: bytes) -> None:
    replies = (*REPLIES[:count], reply)

    with script(lambda connection, _: talk(connection, *replies)) as port, client(port) as handing_over:
        error = refusal(handing_over)

    assert meaning(error) == (STAGES[count], None, False, False)
