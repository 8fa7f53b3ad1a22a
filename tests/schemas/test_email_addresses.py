"""E-mail addresses: the field accepts the same as email-validator, also if it validates only the domain."""

import unicodedata

import idna
import pytest
from email_validator import EmailNotValidError, validate_email
from marshmallow import ValidationError

from schemas.base.fields import PLAIN_ADDRESS, Email

LONG_LABEL = "d" * 63
LOCAL_PARTS = (
    *("jane", "Jane.Doe", "j", "j+tag", "o'brien", "a!#$%&'*+/=?^_`{|}~-b", "1.2.3", "postmaster", "x" * 64, "x" * 65),
    *(
        "",
        ".jane",
        "jane.",
        "ja..ne",
        "ja ne",
        '"jane doe"',
        '"jane"',
        "ja@ne",
        "jäne",
        "ja\nne",
        "<jane",
        "Jane <jane",
    ),
)
DOMAINS = (
    *("example.com", "EXAMPLE.com", "mail.example.co.uk", "a.museum", "1and1.com", "x-y.org", "example.test"),
    *(f"{LONG_LABEL}.com", f"{LONG_LABEL}d.com", f"{LONG_LABEL}.{LONG_LABEL}.{LONG_LABEL}.{'d' * 44}.com"),
    *("", "com", ".com", "example.", "example..com", "-x.com", "x-.com", "ex_ample.com", "ab--cd.com", "example.123"),
    *("localhost", "x.localhost", "x.local", "x.invalid", "[127.0.0.1]", "127.0.0.1", "example.com>", "exa mple.com"),
    *(
        "xn--bcher-kva.example",
        "bücher.example",
        "xn--a.com",
        "\N{LATIN SMALL LETTER LONG S}ample.com",
        "\N{KELVIN SIGN}.com",
        "example。com",
    ),
)


@pytest.mark.parametrize("domain", DOMAINS)
def test_accepts_the_same_addresses_as_email_validator(domain: str) -> None:
    for local in LOCAL_PARTS:
        address = f"{local}@{domain}".strip()
        assert _accepted(address) == (len(address) <= 254 and _valid(address)), address


@pytest.mark.parametrize("length", [3, 200, 201, 202, 203, 204, 250, 251, 252, 253, 254])
def test_accepts_the_same_lengths_as_email_validator(length: int) -> None:
    local = "x" * (length - len("@example.com"))
    for address in (f"{local}@example.com", f"a@{'d' * 60}.{'d' * 60}.{'d' * 60}.{'d' * 60}.com"[:length]):
        assert _accepted(address) == _valid(address), address


def test_the_length_of_a_punycode_domain_is_that_of_its_letters() -> None:
    """40 letters have three bytes each, and 46 characters in punycode."""
    domain = f"{idna.encode('あ' * 40).decode()}.com"
    assert _accepted(f"a@{domain}")
    assert not _accepted(f"{'x' * 150}@{domain}")


def test_the_usual_form_is_recognised() -> None:
    assert PLAIN_ADDRESS.fullmatch("Jane.Doe+tag@mail.example.com")


def _accepted(address: str) -> bool:
    try:
        return bool(Email().deserialize(address) == unicodedata.normalize("NFC", address))
    except ValidationError:
        return False


def _valid(address: str) -> bool:
    try:
        validate_email(address, check_deliverability=False, test_environment=True)
    except EmailNotValidError:
        return False
    return True
