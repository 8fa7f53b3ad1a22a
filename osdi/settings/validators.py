"""Checks the values of settings. A validator raises environs.ValidationError with a sentence that says what to change.

No message repeats a value that may contain a password.
"""

import re
from collections.abc import Callable, Sequence
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Final
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from environs import EnvValidationError, ValidationError, validate
from limits import parse_many
from phonenumbers import SUPPORTED_REGIONS

from osdi.resources import ACTION_FIELDS, OUTREACH, PERSON
from osdi.settings.table import INTRODUCTION
from osdi.store.driver import check_uri
from osdi.values.web_addresses import secure_address

Network = IPv4Network | IPv6Network

ANY_ORIGIN: Final = "*"
ANY_COUNTRY: Final = "*"
# A scheme, a host in lower case (browsers send no other), and a port where it is not the scheme's own.
ORIGIN: Final = re.compile(r"[a-z][a-z0-9+.-]*://([a-z0-9._-]+|\[[0-9a-f:]+\])(:[0-9]{1,5})?")
# The names at the top of a body of the Record Outreach Helper and of the Person Signup Helper.
BODY_FIELDS: Final = frozenset(
    {
        "_links",
        "identifiers",
        "osdi:control",
        PERSON.name,
        *OUTREACH.fields,
        *(name for names in ACTION_FIELDS.values() for name in names),
    }
)
MAX_HONEYPOT_LENGTH: Final = 100

_is_url = validate.URL(schemes={"http", "https"}, require_tld=False, error="Set an address such as https://example.org")


def empty_or(check: Callable[[str], object]) -> Callable[[str], None]:
    """Returns a validator that accepts an empty value, and each that `check` raises no ValueError for."""

    def validator(text: str) -> None:
        try:
            if text:
                check(text)
        except ValueError as error:
            raise ValidationError(str(error)) from error

    return validator


def connection_string(uri: str) -> None:
    """Accepts a connection string of MongoDB, and `mongomock://`."""
    try:
        check_uri(uri)
    except ValueError as error:
        raise ValidationError(str(error)) from error


def rate_limit(text: str) -> None:
    """Accepts rate limits as the package limits parses them; empty means no limit."""
    if text:
        try:
            parse_many(text)
        except ValueError as error:
            raise ValidationError(f"{text!r} is no rate limit. Set one such as 120/minute;2000/hour.") from error


def time_zone(text: str) -> None:
    """Accepts the name of a time zone of the IANA database."""
    try:
        ZoneInfo(text)
    except (ValueError, OSError, ZoneInfoNotFoundError) as error:
        raise ValidationError(f"{text!r} is no time zone. Set a name such as America/New_York.") from error


def token(text: str) -> None:
    """Accepts a token that can be sent in a header and is hard to guess."""
    if text and not re.fullmatch(r"[!-~]{16,200}", text):
        raise ValidationError("Set 16 to 200 ASCII characters without spaces.")


def url(text: str) -> None:
    """Accepts an http or https URL in ASCII."""
    if not text:
        return
    if not text.isascii():
        raise ValidationError("Write the address in ASCII, such as https://xn--bcher-kva.example")
    _is_url(text)


def public_url(text: str) -> None:
    """Accepts a URL that paths can be appended to: without user, password, query and fragment."""
    url(text)
    if "?" in text or "#" in text:
        raise ValidationError("Remove the query (?) and the fragment (#): links are made by appending a path.")
    if "@" in urlsplit(text).netloc:
        raise ValidationError("Remove user and password: every client can read this address.")


def region(text: str) -> None:
    """Accepts a region that the package phonenumbers has a numbering plan of."""
    if text and text not in SUPPORTED_REGIONS:
        raise ValidationError(f"{text!r} is no known region. Set a code of ISO 3166 in capitals, such as US or GB.")


def country(text: str) -> str:
    """Returns a region that the package phonenumbers has a numbering plan of, or `*`."""
    found = text.strip()
    if found != ANY_COUNTRY:
        region(found or text)
        if not found:
            raise ValidationError("Remove the empty entry.")
    return found


def countries(found: Sequence[str]) -> None:
    """Accepts a list of countries, or `*` alone."""
    if ANY_COUNTRY in found and len(found) > 1:
        raise ValidationError("* allows every country. Remove it, or remove the others.")


def honeypot(text: str) -> None:
    """Accepts the name of a field that no helper has: a real field would make the server drop real posts."""
    if text in BODY_FIELDS:
        raise ValidationError(f"{text!r} is a real field of the body. Choose a name that OSDI does not use.")
    if len(text) > MAX_HONEYPOT_LENGTH:
        raise ValidationError(f"Choose a name of at most {MAX_HONEYPOT_LENGTH} characters.")


def origin(text: str) -> str:
    """Returns an origin without the spaces around it. Accepts what a browser sends as `Origin`, and `*`."""
    found = text.strip()
    if found == ANY_ORIGIN or ORIGIN.fullmatch(found):
        return found
    if ANY_ORIGIN in found:
        raise ValidationError(f"{found!r} has a wildcard. List each origin, or set * alone for any origin.")
    raise ValidationError(f"{found!r} is no origin. Write scheme and host in lower case, as in https://example.org.")


def origins(found: Sequence[str]) -> None:
    """Accepts a list of origins, or `*` alone."""
    if ANY_ORIGIN in found and len(found) > 1:
        raise ValidationError("* allows every origin. Remove it, or remove the others.")


def actions(found: Sequence[str]) -> None:
    """Accepts a list of the actions that a body can ask for."""
    unknown = [each for each in found if each not in ACTION_FIELDS]
    if unknown:
        raise ValidationError(f"{', '.join(map(repr, unknown))}: use some of {', '.join(ACTION_FIELDS)}.")


def network(text: str) -> Network:
    """Returns an IP network."""
    try:
        return ip_network(text.strip())
    except ValueError as error:
        raise ValidationError(f"{text.strip()!r} is no network. Set one such as 10.0.0.0/8.") from error


def issuer(text: str) -> None:
    """Accepts the issuer of an OpenID provider. Raises ValueError."""
    if "?" in secure_address(text) or "#" in text:
        raise ValueError("Remove the query (?) and the fragment (#): an issuer has none.")


def credential(text: str) -> None:
    """Accepts a client id or a client secret of OAuth 2.0."""
    if not re.fullmatch(r"[ -~]{0,500}", text):
        raise ValidationError("Set at most 500 ASCII characters.")


def domain(text: str) -> None:
    """Accepts a domain in lower case, and an empty value."""
    if text and not re.fullmatch(r"(?=.{1,253}\Z)([a-z0-9-]{1,63}\.)+[a-z0-9-]{2,63}", text):
        raise ValidationError("Set a domain in lower case, such as example.org.")


def require_all_or_none(settings: object, names: Sequence[str]) -> None:
    """Raises EnvValidationError if some of these settings are set, and others are not."""
    missing = [name.upper() for name in names if not getattr(settings, name)]
    if missing and len(missing) < len(names):
        messages = {name: ["Set it too: one of these settings needs the others."] for name in missing}
        lines = (f"  {name}: {' '.join(found)}" for name, found in messages.items())
        raise EnvValidationError("\n".join((INTRODUCTION, *lines)), messages)
