"""Mail servers from URLs, and senders from settings and messages."""

import traceback

import pytest

from osdi.mail.mailboxes import mailbox, sender
from osdi.mail.smtp import SmtpServer

# Servers.


@pytest.mark.parametrize(
    ("url", "server"),
    [
        ("smtp://mail.example.org", SmtpServer("mail.example.org", 587, starttls="require")),
        ("smtp://MAIL.example.org:25/", SmtpServer("mail.example.org", 25, starttls="require")),
        ("smtps://mail.example.org", SmtpServer("mail.example.org", 465, tls=True)),
        ("smtp://me:secret@mail.example.org", SmtpServer("mail.example.org", 587, user="me", password="secret")),
        ("smtp://me%40example.org:p%2Fa%3A%40s@mail.example.org:2525",
         SmtpServer("mail.example.org", 2525, user="me@example.org", password="p/a:@s")),
        ("smtp://me@mail.example.org", SmtpServer("mail.example.org", 587, user="me")),
        ("smtp://mail.example.org?starttls=never", SmtpServer("mail.example.org", 587, starttls="never")),
        ("smtp://mail.example.org?starttls=if_offered", SmtpServer("mail.example.org", 587, starttls="if_offered")),
        ("smtp://localhost:25", SmtpServer("localhost", 25, starttls="never")),
        ("smtp://me:secret@[::1]:25?starttls=require",
         SmtpServer("::1", 25, starttls="require", user="me", password="secret")),
        ("smtp://me:secret@127.0.0.1?starttls=if_offered",
         SmtpServer("127.0.0.1", 587, starttls="if_offered", user="me", password="secret")),
    ],
)  # fmt: skip
def test_a_url_is_parsed_into_a_server(url: str, server: SmtpServer) -> None:
    assert SmtpServer.of(url) == server


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("", "Not a URL"),
        ("mail.example.org", "Not a URL"),
        ("mailto:hello@example.org", "Not a URL"),
        ("https://mail.example.org", "Not a URL"),
        ("smtp://", "Not a URL"),
        ("smtp://:587", "Not a URL"),
        ("smtp://me:secret@", "Not a URL"),
        ("smtp://mail.example.org/inbox", "Not a URL"),
        ("smtp://me:sec#ret@mail.example.org", "Not a URL"),
        ("smtp://me:secret@[::1", "Not a URL"),
        ("smtp://me:secret\u2100@mail.example.org", "Not a URL"),
        ("smtp://me:1/secret@mail.example.org", "Not a URL"),
        ("smtp://mail.example.org:99999", "port"),
        ("smtp://mail.example.org:port", "port"),
        ("smtp://mail.example.org?tls=no", r"after \?"),
        ("smtp://mail.example.org?starttls=perhaps", r"after \?"),
        ("smtp://mail.example.org?starttls", r"after \?"),
        ("smtp://me:s%C3%A9cret@mail.example.org", "ASCII"),
        ("smtp://:secret@mail.example.org", "user name"),
        ("smtp://me:secret@mail.example.org?starttls=if_offered", "unencrypted"),
    ],
)
def test_an_invalid_url_is_rejected_with_the_reason(url: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        SmtpServer.of(url)


@pytest.mark.parametrize(
    "url",
    [
        "smtp://me:hunter2@[::1",
        "smtp://me:hunter2/x@mail.example.org",
        "smtp://me:hunter2\u2100@mail.example.org",
        "smtp://me:hunter2@mail.example.org:hunter2",
        "smtp://me:hunter2@mail.example.org?starttls=perhaps",
        "smtp://me:hunter2%C3%A9@mail.example.org",
    ],
)
def test_error_messages_do_not_contain_the_password(url: str) -> None:
    with pytest.raises(ValueError, match=r".") as caught:
        SmtpServer.of(url)

    assert "hunter2" not in "".join(traceback.format_exception(caught.value)).replace(url, "")


def test_the_repr_of_a_server_does_not_contain_the_password() -> None:
    assert "hunter2" not in repr(SmtpServer.of("smtp://me:hunter2@mail.example.org"))


# Senders.


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("hello@example.org", "hello@example.org"),
        ("Our Name <hello@example.org>", "Our Name <hello@example.org>"),
        ("  Our Name  <hello@example.org> ", "Our Name <hello@example.org>"),
        ("Grüne <hello@bücher.example.org>", "Grüne <hello@xn--bcher-kva.example.org>"),
        ("hello@staging.test", "hello@staging.test"),
    ],
)
def test_a_mailbox_is_read(text: str, written: str) -> None:
    assert str(mailbox(text)) == written


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Our Name",
        "hello",
        "hello@",
        "@example.org",
        "hello@localhost",
        "hello@example..org",
        "hello@exa_mple.org",
        "hélène@example.org",
        "a@example.org, b@example.org",
        "Us: hello@example.org;",
        "Us:;",
        "Our Name <hello@example.org> and more",
        "Our Name hello@example.org",
        '"hello world"@example.org',
        "hello@[127.0.0.1]",
        "Our\tName <hello@example.org>",
        "Our Name <hello@example.org>\r\nBcc: all@example.org",
        "Our\0Name <hello@example.org>",
        "=?utf-8?q?Our=0D=0AName?= <hello@example.org>",
        "=?utf-8?q?Our=07Name?= <hello@example.org>",
    ],
)
def test_text_that_is_not_one_mailbox_is_rejected(text: str) -> None:
    with pytest.raises(ValueError, match="mailbox"):
        mailbox(text)


@pytest.mark.parametrize(
    ("from_", "mail_from", "written"),
    [
        ("", "Us <us@example.org>", "Us <us@example.org>"),
        ("  ", "us@example.org", "us@example.org"),
        ("Progressives United", "Us <us@example.org>", "Progressives United <us@example.org>"),
        ("Progressives United", "us@bücher.example", "Progressives United <us@xn--bcher-kva.example>"),
        (" Grüne, Köln ", "us@example.org", '"Grüne, Köln" <us@example.org>'),
        ("Agir\u00a0Ensemble 👩\u200d🚀", "us@example.org", "Agir\u00a0Ensemble 👩\u200d🚀 <us@example.org>"),
        ("Rock <3 Roll", "us@example.org", '"Rock <3 Roll" <us@example.org>'),
        ("hello@example.net", "us@example.org", "hello@example.net"),
        ("Hello <hello@example.net>", "us@example.org", "Hello <hello@example.net>"),
        ("Hello <hello@example.net>", "", "Hello <hello@example.net>"),
    ],
)
def test_the_sender_combines_the_message_and_the_setting(from_: str, mail_from: str, written: str) -> None:
    assert str(sender(from_, mail_from)) == written


@pytest.mark.parametrize(
    ("from_", "mail_from"),
    [
        ("", ""),
        ("Progressives United", ""),
        ("Progressives United", "Us"),
        ("meet us @ the river", "us@example.org"),
        ("a@example.org, b@example.org", "us@example.org"),
        ("Us\r\nBcc: all", "us@example.org"),
        ("Us\0", "us@example.org"),
        ("U\u2028s", "us@example.org"),
    ],
)
def test_an_invalid_sender_is_rejected(from_: str, mail_from: str) -> None:
    with pytest.raises(ValueError, match=r"mailbox|control characters"):
        sender(from_, mail_from)
