"""Links that open a mail program or dial a number: their length, their encoding, and hostile values in them."""

from email.headerregistry import Address
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import pytest

from osdi.campaign_pages.acting.mail_links import MAX_LINK_LENGTH, MailLinks, mail_address, mail_links
from osdi.campaign_pages.acting.phone_links import phone_link

ADA, BEN = "ada@example.org", "ben@example.org"


def fields(link: str | None) -> dict[str, list[str]]:
    assert link is not None
    return parse_qs(
        urlsplit(link).query, strict_parsing=True, keep_blank_values=True, encoding="utf-8", errors="strict"
    )


@pytest.mark.parametrize(
    ("text", "encoded"),
    [
        ("Grüße", "Gr%C3%BC%C3%9Fe"),
        ("50 % & more?", "50%20%25%20%26%20more%3F"),
        ("Rivers \U0001f30a", "Rivers%20%F0%9F%8C%8A"),
        ("a+b", "a%2Bb"),
        ("one\ntwo", "one%0D%0Atwo"),
        ("one\r\ntwo", "one%0D%0Atwo"),
        ("one\rtwo", "one%0D%0Atwo"),
        ("\u05e9\u05dc\u05d5\u05dd", "%D7%A9%D7%9C%D7%95%D7%9D"),
        ("#top", "%23top"),
        ('"<b>"', "%22%3Cb%3E%22"),
    ],
)
def test_a_text_is_encoded_by_rfc_6068(text: str, encoded: str) -> None:
    assert mail_links([ADA], "", text).mail_program == f"mailto:ada@example.org?body={encoded}"


def test_a_link_has_all_addresses_subject_and_text() -> None:
    found = mail_links([ADA, BEN], "Save the river", "Dear all,\nthanks")
    assert found.mail_program == (
        "mailto:ada@example.org,ben@example.org?subject=Save%20the%20river&body=Dear%20all%2C%0D%0Athanks"
    )
    assert fields(found.gmail) == {
        "view": ["cm"],
        "fs": ["1"],
        "to": ["ada@example.org,ben@example.org"],
        "su": ["Save the river"],
        "body": ["Dear all,\r\nthanks"],
    }
    assert fields(found.outlook) == {
        "to": ["ada@example.org;ben@example.org"],
        "subject": ["Save the river"],
        "body": ["Dear all,\r\nthanks"],
    }
    assert found.with_text


@pytest.mark.parametrize(
    "subject",
    [
        "River?bcc=eve@example.org",
        "River&bcc=eve@example.org",
        "River\r\nBcc: eve@example.org",
        "River%0D%0ABcc: x",
        "\u2028Bcc: x",
    ],
)
def test_a_subject_cannot_begin_another_field(subject: str) -> None:
    found = mail_links([ADA], subject, "Text")
    assert found.mail_program is not None
    assert found.mail_program.count("?") == 1
    assert set(fields(found.mail_program)) == {"subject", "body"}
    assert set(fields(found.outlook)) == {"to", "subject", "body"}
    assert not set("\r\n\u2028") & set(fields(found.mail_program)["subject"][0])


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("ada@example.org", ADA),
        (" ada@example.org ", ADA),
        ("ada@bücher.example", "ada@xn--bcher-kva.example"),
        ("o'neil+x@example.org", "o'neil+x@example.org"),
        ("a?bcc=eve@example.org", "a?bcc=eve@example.org"),
        ("javascript:alert(1)", None),
        ("javascript:alert(1)@example.org", None),
        ("ada@example.org,eve@example.org", None),
        ("ada@example.org\r\nBcc: eve@example.org", None),
        ("ada@example.org?bcc=eve@example.org", None),
        ("", None),
        ("@", None),
    ],
)
def test_an_address_of_a_target_is_one_mailbox(text: str, address: str | None) -> None:
    assert mail_address(text) == address


def test_signs_in_an_address_stay_in_the_address() -> None:
    link = mail_links(["a?bcc=eve&x=%@example.org", "o'neil+x@example.org"], "s", "").mail_program
    assert link == "mailto:a%3Fbcc%3Deve%26x%3D%25@example.org,o%27neil%2Bx@example.org?subject=s"
    assert Address(addr_spec=unquote(urlsplit(link).path.split(",")[1])).username == "o'neil+x"


@pytest.mark.parametrize("letter", ["x", "ü", "\U0001f30a"])
def test_a_text_that_makes_a_link_too_long_is_left_out(letter: str) -> None:
    length = next(
        number for number in range(2_000) if not mail_links([ADA], "Save the river", letter * number).with_text
    )
    longest = mail_links([ADA], "Save the river", letter * (length - 1))
    links = [longest.mail_program, longest.gmail, longest.outlook]
    assert all(link and len(link) <= MAX_LINK_LENGTH for link in links)
    assert max(len(link or "") for link in links) > MAX_LINK_LENGTH - 12
    assert (
        mail_links([ADA], "Save the river", letter * length).mail_program
        == "mailto:ada@example.org?subject=Save%20the%20river"
    )


def test_addresses_that_make_a_link_too_long_leave_no_link() -> None:
    addresses = [f"member{number}@parliament.example.org" for number in range(100)]
    assert mail_links(addresses, "Subject", "Text") == MailLinks(None, None, None, with_text=False)


def test_a_message_without_addresses_has_a_link_to_complete() -> None:
    assert mail_links([], "Subject", "Text").mail_program == "mailto:?subject=Subject&body=Text"


@pytest.mark.parametrize(
    ("entry", "region", "link", "text"),
    [
        ({"number": "+1 202-224-3121"}, "", "tel:+1-202-224-3121", "+1 202-224-3121"),
        ({"number": "12022243121"}, "", "tel:+1-202-224-3121", "+1 202-224-3121"),
        ({"number": "2022243121"}, "US", "tel:+1-202-224-3121", "+1 202-224-3121"),
        ({"number": "030 22732152", "country": "DE"}, "US", "tel:+49-30-22732152", "+49 30 22732152"),
        ({"number": "(030) 227-32152"}, "DE", "tel:+49-30-22732152", "+49 30 22732152"),
        ({"number": "4930227-32152", "extension": "12"}, "", "tel:+49-30-22732152;ext=12", "+49 30 22732152 ext. 12"),
        ({"number": "+49 30 22732152 ext. 7"}, "", "tel:+49-30-22732152;ext=7", "+49 30 22732152 ext. 7"),
        ({"number": "030 22732152"}, "", "tel:03022732152", "030 22732152"),
        ({"number": "115"}, "DE", "tel:115", "115"),
        ({"number": "+999 12345", "extension": "x3"}, "", "tel:+99912345;ext=3", "+999 12345 ext. x3"),
    ],
)
def test_a_number_is_dialled_by_rfc_3966(entry: dict[str, Any], region: str, link: str, text: str) -> None:
    found = phone_link(entry, region)
    assert found is not None
    assert (found.link, found.text) == (link, text)


@pytest.mark.parametrize("number", ["", "12", "javascript:alert(1)", "none", "tel:;phone-context=evil"])
def test_a_text_without_a_number_has_no_link(number: str) -> None:
    assert phone_link({"number": number}) is None


@pytest.mark.parametrize(
    "number",
    [
        "123;phone-context=evil",
        "javascript:alert(123)",
        "+123%0a",
        "123?x=1&y",
        "12345\r\n",
        "\u0661\u0662\u0663\u0664\u0665",
    ],
)
def test_a_link_dials_digits_only(number: str) -> None:
    found = phone_link({"number": number, "extension": ";isub=1"})
    assert found is None or set(found.link.removeprefix("tel:").replace(";ext=", "")) <= set("+-0123456789")


def test_a_number_is_described_in_the_words_of_the_campaign() -> None:
    assert phone_link({"number": "115", "description": "Office", "number_type": "Work"}).description == "Office"  # type: ignore[union-attr]
    assert phone_link({"number": "115", "number_type": "Work"}).description == "Work"  # type: ignore[union-attr]
