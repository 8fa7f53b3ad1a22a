"""Composing mails: headers and parts, read back from the bytes that are sent as a mail program would read them."""

import datetime as dt
import re
from dataclasses import dataclass, replace
from email import message_from_bytes, policy
from email.header import decode_header, make_header
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import parseaddr
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from osdi.mail.compose import BOUNDARY, compose
from osdi.mail.mailboxes import mailboxes, with_ascii_domain

URL = "https://osdi.example.org/unsubscribe/ImphbmVAZXhhbXBsZS5vcmci.signature"
FOLLOWUP_ID = "0190e5a4-7c1f-7000-8000-000000000001"
SENDER = Address("Progressives United", "hello", "example.org")
AUTOMATIC = ["Auto-Submitted", "X-Auto-Response-Suppress", "List-Unsubscribe", "List-Unsubscribe-Post"]
HEADERS = ["Subject", "From", "To", "Date", "Message-ID", *AUTOMATIC, "MIME-Version", "Content-Type"]

# Text of a header: any characters except line breaks and surrogates.
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=300).filter(lambda text: len(text.splitlines()) < 2)


@dataclass(frozen=True)
class Rendered:
    subject: str = "Thank you"
    html: str = "<p>Hello Jane</p>"
    text: str = ""
    reply_to: str = ""


def sent(rendered: Rendered = Rendered(), **how: Any) -> bytes:
    """Returns a mail as the bytes that are sent."""
    usual: dict[str, Any] = {
        "to": "jane@example.net",
        "message_id": FOLLOWUP_ID,
        "sender": SENDER,
        "unsubscribe_url": URL,
        "date": dt.datetime(2026, 11, 24, 9, 30, tzinfo=dt.UTC),
    }
    return compose(rendered, **(usual | how))


def read(content: bytes) -> EmailMessage:
    found: Any = message_from_bytes(content, policy=policy.default)
    return found


def part(content: bytes, kind: str) -> str:
    body = read(content).get_body((kind,))
    assert body is not None
    return str(body.get_content()).replace("\r\n", "\n")


def raw(content: bytes, name: str) -> str:
    """Returns a header's undecoded value, its lines joined."""
    head = content.partition(b"\r\n\r\n")[0].decode()
    [found] = re.findall(rf"^{name}: ([^\r]*(?:\r\n[ \t][^\r]*)*)", head, re.MULTILINE)
    return str(found).replace("\r\n", "")


def assert_lines(content: bytes) -> None:
    """RFC 5322, section 2.1.1: lines end with CR LF, contain neither elsewhere, and are not too long."""
    lines = content.split(b"\r\n")
    assert [line for line in lines if b"\r" in line or b"\n" in line or len(line) > 998] == []


# Headers.


def test_a_mail_has_the_headers_of_an_automatic_reply() -> None:
    mail = read(sent())

    assert mail.keys() == HEADERS
    assert mail["Subject"] == "Thank you"
    assert mail["From"] == "Progressives United <hello@example.org>"
    assert mail["To"] == "jane@example.net"
    assert mail["Date"].datetime == dt.datetime(2026, 11, 24, 9, 30, tzinfo=dt.UTC)
    assert mail["Auto-Submitted"] == "auto-replied"
    assert mail["X-Auto-Response-Suppress"] == "All"
    assert mail["List-Unsubscribe"] == f"<{URL}>"
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert mail["MIME-Version"] == "1.0"


def test_a_repeated_mail_has_the_same_message_id() -> None:
    first, again = sent(date=dt.datetime(2026, 11, 24, tzinfo=dt.UTC)), sent(date=dt.datetime.now(dt.UTC))

    assert raw(first, "Message-ID") == raw(again, "Message-ID") == f"<{FOLLOWUP_ID}@example.org>"


@pytest.mark.parametrize("domain", ["bücher.example", f"{'long.' * 40}example"])
def test_a_message_id_is_neither_encoded_nor_folded(domain: str) -> None:
    ascii_domain = domain.replace("bücher", "xn--bcher-kva")

    content = sent(sender=Address("", "hello", domain))

    assert f"\r\nMessage-ID: <{FOLLOWUP_ID}@{ascii_domain}>\r\n".encode() in content
    assert f"\r\nFrom: hello@{ascii_domain}\r\n".encode() in content


@pytest.mark.parametrize(
    "subject",
    [
        "",
        "Merci\u00a0!",
        "Grüße aus Köln",
        "ขอบคุณ สำหรับ ข้อความ " * 9,
        "ありがとうございます。" * 20,
        "👩‍🚀 Well done 👍🏽",
        "שלום לך!",
        "a long subject of plain words, " * 9,
        "x" * 500,
        "two  spaces, and a\ttab",
    ],
)
def test_a_subject_is_read_back_unchanged(subject: str) -> None:
    content = sent(Rendered(subject=subject))

    assert read(content)["Subject"] == subject.strip()
    assert all(len(line) <= 78 for line in content.partition(b"\r\n\r\n")[0].split(b"\r\n") if b"Unsub" not in line)


@given(TEXT)
@example("=?utf-8?q?x?=")
@example("=?utf-8?q?a?= =?utf-8?q?b?=")
def test_any_subject_is_read_back_unchanged_and_adds_no_header(subject: str) -> None:
    content = sent(Rendered(subject=subject))

    assert_lines(content)
    assert read(content)["Subject"] == subject.strip()
    assert read(content).keys() == HEADERS


@pytest.mark.parametrize("end", ["\r\n", "\n", "\r", "\v", "\x85", "\u2028"])
def test_a_subject_of_two_lines_is_rejected(end: str) -> None:
    with pytest.raises(ValueError, match="more than one line"):
        sent(Rendered(subject=f"Hello{end}Bcc: everybody@example.org"))


def test_encoded_words_in_a_name_add_no_header() -> None:
    """The standard library would decode them and write the line break that they contain."""
    hostile = "Hi =?utf-8?q?=0D=0ABcc=3A_everybody=40example=2Eorg?="

    mail = read(sent(Rendered(subject=hostile), sender=Address(hostile, "hello", "example.org")))

    assert mail.keys() == HEADERS
    assert mail["Subject"] == hostile


@pytest.mark.parametrize(
    "name",
    [
        "Grüne Jugend",
        "Smith, John",
        'The "Friends" of the River \\o/',
        "Dr. Smith (Berlin) <not@here.example>",
        "Progressives United; everybody: all of us",
        "x@example.com",
        "=?utf-8?q?Somebody_Else?=",
        "ขอบคุณ สำหรับ ข้อความ " * 9,
        "a name of plain words, " * 9,
        "  spaces, around  ",
        "الحملة",
        "Team 😀",
    ],
)
def test_a_senders_name_is_read_back_unchanged(name: str) -> None:
    content = sent(sender=Address(name, "hello", "example.org"))

    assert_lines(content)
    [mailbox] = read(content)["From"].addresses
    assert mailbox.addr_spec == "hello@example.org"
    written, address = parseaddr(raw(content, "From"))
    assert (str(make_header(decode_header(written))), address) == (name.strip(), "hello@example.org")


@pytest.mark.parametrize(
    ("reply_to", "read_as"),
    [
        ("office@example.org", ["office@example.org"]),
        ("The Office <office@example.org>", ["The Office <office@example.org>"]),
        ("Büro <office@bücher.example>", ["Büro <office@xn--bcher-kva.example>"]),
        ("a@example.org, B <b@example.org>", ["a@example.org", "B <b@example.org>"]),
        (", ".join(f"Office {number} <office{number}@example.org>" for number in range(30)), None),
    ],
)
def test_a_mail_has_the_reply_to_of_its_message(reply_to: str, read_as: list[str] | None) -> None:
    content = sent(Rendered(reply_to=reply_to))

    assert_lines(content)
    assert [str(each) for each in read(content)["Reply-To"].addresses] == (read_as or reply_to.split(", "))


@pytest.mark.parametrize("reply_to", ["nobody", "a@example.org\r\nBcc: b@example.org", "a@", "Us: a@example.org;"])
def test_an_invalid_reply_to_is_rejected(reply_to: str) -> None:
    with pytest.raises(ValueError, match="Not a mailbox"):
        sent(Rendered(reply_to=reply_to))


@pytest.mark.parametrize(
    ("to", "written"),
    [
        ("jane@bücher.example", "jane@xn--bcher-kva.example"),
        ("jane@BÜCHER.example", "jane@xn--bcher-kva.example"),
        ("jane@straße.example", "jane@xn--strae-oqa.example"),  # IDNA2003 would have sent it to strasse.example
        ("jane@例え。テスト", "jane@xn--r8jz45g.xn--zckzah"),
        ("jané@example.net", "jané@example.net"),
        ("用户@例え.テスト", "用户@xn--r8jz45g.xn--zckzah"),
        (f"{'j' * 64}@{'d' * 60}.{'d' * 60}.example", f"{'j' * 64}@{'d' * 60}.{'d' * 60}.example"),
        ("o'neil+tag@example.net", "o'neil+tag@example.net"),
    ],
)
def test_a_recipient_has_an_ascii_domain_and_is_not_folded(to: str, written: str) -> None:
    assert f"\r\nTo: {written}\r\n".encode() in sent(to=to)


@pytest.mark.parametrize(
    "to",
    [
        "",
        "jane",
        "@example.net",
        "jane@",
        "jane@example.net\r\nBcc: x@example.org",
        "jane@example.net, x@example.org",
        "victim@example.org,x@example.net",
        "Jane <jane@example.net>",
        "jane doe@example.net",
        '"jane doe"@example.net',
        "jane@exa mple.net",
        "jane@[127.0.0.1]",
        "jane@-ü.example",
        "jane@❤.example",
        "jane\u2028@example.net",
        "jane\u00a0@example.net",
    ],
)
def test_an_invalid_recipient_is_rejected(to: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        sent(to=to)
    with pytest.raises(ValueError, match=r".+"):
        with_ascii_domain(to)


def test_a_long_unsubscribe_link_is_not_folded() -> None:
    url = f"{URL}{'x' * 800}"

    content = sent(unsubscribe_url=url)

    assert f"\r\nList-Unsubscribe: <{url}>\r\n".encode() in content
    assert_lines(content)


@pytest.mark.parametrize("url", [f"{URL}\r\nBcc: x@example.org", f"{URL} x", f"{URL}>", f"{URL}ü", URL + "x" * 1_000])
def test_an_unsubscribe_link_that_would_break_the_header_is_rejected(url: str) -> None:
    with pytest.raises(ValueError, match="unsubscribe link"):
        sent(unsubscribe_url=url)


# Mailboxes in text.


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("a@example.org", ["a@example.org"]),
        ("A <a@example.org>", ["A <a@example.org>"]),
        ("Dr. Smith <a@example.org>", ['"Dr. Smith" <a@example.org>']),
        ('"Smith, John" <a@example.org>', ['"Smith, John" <a@example.org>']),
        ("A\u00a0B 👩\u200d🚀 <a@example.org>", ["A\u00a0B 👩\u200d🚀 <a@example.org>"]),
        ("=?utf-8?q?M=C3=BCller?= <a@example.org>", ["Müller <a@example.org>"]),
        ("a@bücher.example, B <b@example.org>", ["a@xn--bcher-kva.example", "B <b@example.org>"]),
    ],
)
def test_mailboxes_are_found(text: str, found: list[str]) -> None:
    assert [str(each) for each in mailboxes(text)] == found


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        ",",
        "a",
        "a@",
        "@example.org",
        "<>",
        ":;a",
        "a@example.org;",
        "a@example.org b",
        "a@b@example.org",
        "Us: a@example.org;",
        "Us:;",
        "Smith, John <a@example.org>",
        "A <a@example.org",
        "A <a b@example.org>",
        '"a b"@example.org',
        "a@[127.0.0.1]",
        "A\0 <a@example.org>",
        "A <a@example.org>\r\nBcc: b@example.org",
        "=?utf-8?q?A=0D=0ABcc=3A?= <a@example.org>",
        "=?utf-8?q?A=00?= <a@example.org>",
    ],
)
def test_an_invalid_mailbox_is_rejected(text: str) -> None:
    with pytest.raises(ValueError, match="Not a mailbox"):
        mailboxes(text)


PIECES = ["a@b.example", "a", "@", "<", ">", ",", ";", ":", " ", '"', "(", ")", "\\", "[", "=?utf-8?q?", "?=", "=0A"]


@given(st.lists(st.sampled_from([*PIECES, "ü", ".", "=?utf-8?q?=40?="]), max_size=12).map("".join))
def test_every_accepted_reply_to_is_written_as_the_mailboxes_that_were_read(text: str) -> None:
    try:
        found = mailboxes(text)
    except ValueError:
        return

    content = sent(Rendered(reply_to=text))

    assert_lines(content)
    assert [each.addr_spec for each in read(content)["Reply-To"].addresses] == [each.addr_spec for each in found]
    assert read(content).keys() == [*HEADERS[:2], "Reply-To", *HEADERS[2:]]


# The body.


def test_a_mail_has_a_text_and_an_html_part() -> None:
    content = sent(Rendered(html="<h1>Thank you, Zoë!</h1><p>It <b>helps</b>. 👍🏽 שלום</p>"))

    assert read(content).get_content_type() == "multipart/alternative"
    assert [each.get_content_type() for each in read(content).iter_parts()] == ["text/plain", "text/html"]
    assert part(content, "plain") == f"Thank you, Zoë!\n\nIt helps. 👍🏽 שלום\n\nUnsubscribe ({URL})\n"
    assert part(content, "html").startswith("<h1>Thank you, Zoë!</h1><p>It <b>helps</b>. 👍🏽 שלום</p><p")


@pytest.mark.parametrize(
    ("html", "before", "after"),
    [
        ("<p>Hello</p>", "<p>Hello</p>", ""),
        ("<html><body><p>Hello</p></body></html>", "<html><body><p>Hello</p>", "</body></html>"),
        ("<BODY>Hello</BODY >", "<BODY>Hello", "</BODY >"),
        ("<body>İİİİİİİİ</body>", "<body>İİİİİİİİ", "</body>"),  # lower case takes more characters
        ("<body>not at </bodyguard></body>", "<body>not at </bodyguard>", "</body>"),
        ("<body>a</body><body>b</body>", "<body>a</body><body>b", "</body>"),
        ("", "", ""),
    ],
)
def test_an_unsubscribe_link_is_added_at_the_end_of_the_body(html: str, before: str, after: str) -> None:
    link = f'<p lang="en" dir="ltr" style="font-size: small"><a href="{URL}">Unsubscribe</a></p>\n'

    assert part(sent(Rendered(html=html)), "html").rstrip() == (before + link + after).rstrip()


@pytest.mark.parametrize(
    ("language", "direction", "words"),
    [
        ("de", "ltr", "Abmelden"),
        ("es", "ltr", "Cancelar la suscripción"),
        ("fr", "ltr", "Se désabonner"),
        ("ar-XB", "rtl", "\u202eUnsubscribe\u202c"),
    ],
)
def test_the_words_of_the_unsubscribe_link_are_in_the_language_of_the_mail(
    language: str, direction: str, words: str
) -> None:
    content = sent(Rendered(html="<p>Hallo</p>", text="Hallo"), language=language)

    link = f'<p lang="{language}" dir="{direction}" style="font-size: small"><a href="{URL}">{words}</a></p>'
    assert part(content, "html") == f"<p>Hallo</p>{link}\n"
    assert part(content, "plain") == f"Hallo\n\n{words} ({URL})\n"


@pytest.mark.parametrize("url", [URL, f"{URL}?a=1&b=2"])
@pytest.mark.parametrize("written", [lambda url: url, lambda url: url.replace("&", "&amp;")])
def test_a_message_with_an_unsubscribe_link_gets_no_second_one(url: str, written: Any) -> None:
    html = f'<body><a href="{written(url)}">No more mails</a></body>\n'

    assert part(sent(Rendered(html=html), unsubscribe_url=url), "html") == html


def test_an_unsubscribe_link_is_escaped_in_the_body() -> None:
    content = sent(unsubscribe_url=f"{URL}?a=1&b=2")

    assert f'<a href="{URL}?a=1&amp;b=2">' in part(content, "html")
    assert f"({URL}?a=1&b=2)" in part(content, "plain")


@pytest.mark.parametrize(
    "html",
    [
        "<p>.</p>\n.\n..\n.hidden\nFrom here on",
        "a\rb\r\nc\nd",
        "<p>" + "x" * 5_000 + "</p>",
        "<p>" + "ü" * 5_000 + "</p>",
        "<pre>  spaces at the end   \n\t\n=20\n</pre>",
        "\v\f\x1c\x85\u2028\u2029 lines of other kinds",
        "\0\x07",
        "👩‍👩‍👧‍👦 \u202eright to left\u202c שלום",
        "--===============0==\r\nContent-Type: text/plain\r\n\r\nno part of its own",
    ],
)
def test_the_html_arrives_unchanged(html: str) -> None:
    content = sent(Rendered(html=f"{html}<!-- {URL} -->\n"))

    assert_lines(content)
    assert all(len(line) <= 78 for line in content.split(b"\r\n\r\n", 1)[1].split(b"\r\n"))
    assert part(content, "html") == re.sub("\r\n?", "\n", f"{html}<!-- {URL} -->\n")


LINES = [
    "=",
    "=_",
    "_",
    ".",
    " ",
    "\t",
    "\n",
    "\r",
    "\r\n",
    "--",
    BOUNDARY,
    "From ",
    "x" * 75,
    "ü",
    "👍🏽",
    "\0",
    "\x85",
    "\u2028",
]


@given(st.lists(st.sampled_from(LINES) | st.text(st.characters(exclude_categories=["Cs"]), max_size=9)).map("".join))
def test_any_html_and_text_arrive_unchanged_in_lines_that_every_server_keeps(body: str) -> None:
    content = sent(Rendered(html=f"{body}<!-- {URL} -->\n", text=f"{body} {URL}"))

    assert read(content).defects == []
    assert part(content, "html") == re.sub("\r\n?", "\n", f"{body}<!-- {URL} -->\n")
    assert part(content, "plain") == re.sub("\r\n?", "\n", f"{body} {URL}\n")
    assert_lines(content)
    encoded = content.split(b"\r\n\r\n", 1)[1]
    assert all(len(line) <= 76 and not line.endswith((b" ", b"\t")) for line in encoded.split(b"\r\n"))
    assert encoded.isascii()
    assert encoded.count(b"=_") == 3


def test_a_mail_to_a_recipient_beyond_ascii_has_its_parts_in_ascii() -> None:
    """Only the recipient's header needs SMTPUTF8."""
    content = sent(replace(Rendered(), html="<p>Grüße</p>"), to="jané@example.net")

    assert content.replace("jané@example.net".encode(), b"").isascii()
    assert part(content, "html").startswith("<p>Grüße</p>")
