"""Which e-mail addresses are taken: what email-validator says, also where only the domain is asked about."""

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
def test_is_taken_where_email_validator_takes_it(domain: str) -> None:
    for local in LOCAL_PARTS:
        address = f"{local}@{domain}".strip()
        assert _taken(address) == (len(address) <= 254 and _valid(address)), address


@pytest.mark.parametrize("length", [3, 200, 201, 202, 203, 204, 250, 251, 252, 253, 254])
def test_is_taken_up_to_the_same_length(length: int) -> None:
    local = "x" * (length - len("@example.com"))
    for address in (f"{local}@example.com", f"a@{'d' * 60}.{'d' * 60}.{'d' * 60}.{'d' * 60}.com"[:length]):
        assert _taken(address) == _valid(address), address


def test_is_measured_as_what_punycode_stands_for() -> None:
    """40 letters of three bytes each, which take 46 in punycode."""
    domain = f"{idna.encode('あ' * 40).decode()}.com"
    assert _taken(f"a@{domain}")
    assert not _taken(f"{'x' * 150}@{domain}")


def test_of_the_usual_form_only_the_domain_is_asked_about() -> None:
    assert PLAIN_ADDRESS.fullmatch("Jane.Doe+tag@mail.example.com")


def _taken(address: str) -> bool:
    try:
        return bool(Email().deserialize(address) == address)
    except ValidationError:
        return False


def _valid(address: str) -> bool:
    try:
        validate_email(address, check_deliverability=False, test_environment=True)
    except EmailNotValidError:
        return False
    return True
