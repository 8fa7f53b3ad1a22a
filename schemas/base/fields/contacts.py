"""Types of contact details: e-mail addresses and phone numbers.

An invalid one makes the object around it meaningless: its reason says so.
"""

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Final

import marshmallow as ma
from email_validator import EmailNotValidError, validate_email

from osdi.fields.limits import MAX_EMAIL_LENGTH, MAX_PHONE_DIGITS, MAX_PHONE_LENGTH, MIN_PHONE_DIGITS
from schemas.base.fields.text import Reason, Text, described

# The form of nearly all addresses: a dot-atom (RFC 5322), which is valid before every domain, and an ASCII domain. Not
# punycode: its length differs from that of the decoded domain, and the length of an address is limited.
ATOM: Final = r"[a-z0-9!#$%&'*+/=?^_`{|}~-]+"
PLAIN_ADDRESS: Final = re.compile(rf"{ATOM}(?:\.{ATOM})*@(?!.*xn--)(?P<domain>[a-z0-9.-]+)", re.ASCII | re.IGNORECASE)
DOMAINS: Final = 1_000


class Email(Text):
    """An e-mail address by RFC 5321 and 6531. The server does not check that it can receive mail."""

    default_error_messages = {"invalid": "Not a valid e-mail address."}

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_length=MAX_EMAIL_LENGTH, **described(kwargs, format="email"))

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> str:
        try:
            address = super()._deserialize(value, attr, data, **kwargs)
            plain = PLAIN_ADDRESS.fullmatch(address)
            if address and not (_is_domain(plain["domain"]) if plain else _is_address(address)):
                raise self.make_error("invalid")
        except ma.ValidationError as error:
            raise _of_whole_entry(error) from None
        return address


class PhoneNumber(Text):
    """A phone number: digits with any punctuation; a JSON number becomes a string of digits."""

    default_error_messages = {"invalid": "Not a valid phone number: digits are expected."}

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_length=MAX_PHONE_LENGTH, **described(kwargs, type=["string", "integer"]))

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> str:
        try:
            number = super()._deserialize(value, attr, data, **kwargs)
            digits = sum(character.isdecimal() for character in number)
            if number and not MIN_PHONE_DIGITS <= digits <= MAX_PHONE_DIGITS:
                raise self.make_error("invalid")
        except ma.ValidationError as error:
            raise _of_whole_entry(error) from None
        return number

    def _written(self, value: Any) -> str:
        if isinstance(value, bool) or not isinstance(value, int | float) or value < 0:
            raise self.make_error("invalid")
        return super()._written(value)


def _is_address(address: str) -> bool:
    """True if this is an e-mail address by the RFCs."""
    try:
        # The reserved domain `test` is accepted: staging deployments and tests use it, and it cannot receive mail.
        validate_email(address, check_deliverability=False, test_environment=True)
    except EmailNotValidError:
        return False
    return True


@lru_cache(DOMAINS)
def _is_domain(domain: str) -> bool:
    """True if an address can have this domain. Cached: most addresses share a few domains, and validation is slow."""
    return _is_address(f"a@{domain}")  # the shortest local part allows the longest domain


def _of_whole_entry(error: ma.ValidationError) -> ma.ValidationError:
    """Returns the error of a value without which the object around it means nothing."""
    return ma.ValidationError([Reason(str(each), whole_entry=True) for each in error.messages])
