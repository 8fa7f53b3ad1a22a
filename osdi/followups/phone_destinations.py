"""The phone numbers to which texts and calls go: possible ones and, for anonymous posts, valid ones of few countries.

Anybody can post any number, and the owner of an expensive one earns from each text and call to it (toll fraud). So a
follow-up of a post without a token goes only to a valid number of an allowed country, at no premium rate.

Pure.
"""

from collections.abc import Collection
from typing import Final

import phonenumbers
from phonenumbers import PhoneNumberType

ANY_COUNTRY: Final = "*"
EXPENSIVE: Final = frozenset(
    {PhoneNumberType.PREMIUM_RATE, PhoneNumberType.SHARED_COST, PhoneNumberType.PERSONAL_NUMBER}
)


def rejected_number(number: str, countries: Collection[str], *, by_token: bool) -> str | None:
    """Returns why nothing is sent to an E.164 number, as the reason of a follow-up; None if it may be sent.

    The reasons are `invalid_number`, `premium_rate` and `country_not_allowed`. `countries` are codes of ISO 3166, or
    ANY_COUNTRY. The choice of a token holder needs to be a possible number only, since lists of valid ones grow old.
    """
    try:
        parsed = phonenumbers.parse(number)
    except phonenumbers.NumberParseException:
        return "invalid_number"
    if not phonenumbers.is_possible_number(parsed):
        return "invalid_number"
    if by_token:
        return None
    if not phonenumbers.is_valid_number(parsed):
        return "invalid_number"
    if phonenumbers.number_type(parsed) in EXPENSIVE:
        return "premium_rate"
    if ANY_COUNTRY not in countries and phonenumbers.region_code_for_number(parsed) not in countries:
        return "country_not_allowed"
    return None
