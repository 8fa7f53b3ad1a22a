"""Match keys: strings made of identifiers, e-mail addresses and phone numbers, by which stored documents are found.

Examples are `id:foreign_system:1`, `email:jane@example.com` and `phone:19876543210`. A unique index lets each key
belong to one person, the first who claims it. If another person owns a key, it is in the `unclaimed_keys` of the
person: the two may be duplicates (osdi.people.duplicates). Keys of names with postal codes find duplicates only; no
post is matched by them. docs/matching.md describes the rules for users.

Pure: people are documents that the caller has read.
"""

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from typing import Any, Final, TypeVar

import idna
import phonenumbers

from osdi.documents import ReadOnlyDocument
from osdi.resources import LIST, TAG
from osdi.values.text import normalized

Person = TypeVar("Person", bound=ReadOnlyDocument)

EMAIL: Final = "email:"
MINIMUM_PHONE_DIGITS: Final = 7

NAME_AND_POSTAL_CODE: Final = "name_and_postal_code:"
NAME_LENGTH: Final = 100
POSTAL_CODES: Final = 10
ZIP_PLUS_4: Final = re.compile(r"([0-9]{5})[- ][0-9]{4}")


@dataclass(frozen=True)
class MatchKeys:
    """The keys of a posted person, each kind in the order in which it is tried."""

    identifiers: tuple[str, ...] = ()
    emails: tuple[str, ...] = ()
    phones: tuple[str, ...] = ()
    claimed: tuple[str, ...] = ()

    @property
    def all(self) -> tuple[str, ...]:
        """Every key, the most certain kind first."""
        return (*self.identifiers, *self.emails, *self.phones, *self.claimed)

    @property
    def contacts(self) -> tuple[str, ...]:
        """The keys of contact details, which other people may know: e-mail addresses and phone numbers."""
        return (*self.emails, *self.phones)


def id_key(identifier: str) -> str:
    """Returns the match key of an identifier that was sent with a token."""
    return f"id:{identifier}"


def claimed_key(identifier: str) -> str:
    """Returns the match key of an identifier that was sent without a token.

    It has a key space of its own, since identifiers can be guessed.
    """
    return f"claimed:{identifier}"


def email_key(address: str) -> str:
    """Returns the match key of an e-mail address; two addresses of one mailbox have the same key.

    The domain is normalised by UTS 46, as for sending mail, so that all its spellings have one key. The local part is
    normalised by NFKC and lower-cased, since nearly all mail servers ignore its letter case.
    """
    local, _, domain = address.strip().rpartition("@")
    return f"{EMAIL}{unicodedata.normalize('NFKC', local).lower()}@{_domain(domain)}"


def _domain(domain: str) -> str:
    """Returns the domain in Unicode, after conversion to ASCII (as for sending mail) and back."""
    if domain.isascii() and "xn--" not in domain.lower():
        return domain.lower()
    try:
        return idna.decode(idna.encode(domain, uts46=True).lower())
    except idna.IDNAError:  # no mail can be sent there
        return unicodedata.normalize("NFKC", domain).lower()


def name_and_postal_code_keys(person: ReadOnlyDocument) -> list[str]:
    """Returns the keys of a person's name with each postal code: `name_and_postal_code:jane doe|10011`.

    Letter case, accents, punctuation and the last digits of a ZIP+4 code make no difference. A person without given or
    family name has none.
    """
    names = [_letters(str(person.get(name, ""))) for name in ("given_name", "family_name")]
    if not all(names) or sum(map(len, names)) > NAME_LENGTH:
        return []
    codes = (_postal_code(str(entry.get("postal_code", ""))) for entry in person.get("postal_addresses", ()))
    distinct = dict.fromkeys(code for code in codes if code)
    return [f"{NAME_AND_POSTAL_CODE}{' '.join(names)}|{code}" for code in islice(distinct, POSTAL_CODES)]


@dataclass(frozen=True)
class MatchKeyRules:
    """Makes the match keys of one deployment, which depend on two of its settings.

    `namespace` is the system of the identifiers that this server gives. `phone_region` (ISO 3166-1 Alpha-2, or empty)
    is the country of phone numbers without one. Neither has a default, so that no caller can omit one: keys made
    without the region would differ from the stored ones.
    """

    namespace: str
    phone_region: str

    def own_identifier(self, document_id: str) -> str:
        """Returns the identifier that this server gives a document: `namespace:id`."""
        return f"{self.namespace}:{document_id}"

    def own_key(self, document_id: str) -> str:
        """Returns the match key of the identifier that this server gives a document."""
        return id_key(self.own_identifier(document_id))

    def phone_key(self, entry: ReadOnlyDocument) -> str | None:
        """Returns the match key of a phone number entry: its digits with country code; None if there are too few.

        The number is read in the country that its entry names, else in `phone_region`. Without either the digits are
        used unchanged, since OSDI requires numbers with country code.
        """
        region = str(entry.get("country") or self.phone_region or "").upper()
        digits = _phone_digits(str(entry.get("number", "")), region)
        return f"phone:{digits}" if len(digits) >= MINIMUM_PHONE_DIGITS else None

    def contact_keys(self, person: ReadOnlyDocument) -> list[str]:
        """Returns the keys of every e-mail address and phone number of a person, also those that other people own.

        Filters compare with these keys.
        """
        emails = (email_key(entry["address"]) for entry in person.get("email_addresses", ()) if "address" in entry)
        phones = (self.phone_key(entry) for entry in person.get("phone_numbers", ()))
        return list(dict.fromkeys([*emails, *(key for key in phones if key)]))

    def match_keys(self, person: ReadOnlyDocument, *, trusted: bool) -> MatchKeys:
        """Returns the match keys of a posted person; identifiers of an untrusted sender are only `claimed`."""
        identifiers = person.get("identifiers", ())
        emails = (
            email_key(entry["address"]) for entry in _primary_first(person, "email_addresses") if "address" in entry
        )
        phones = (self.phone_key(entry) for entry in _primary_first(person, "phone_numbers") if "number" in entry)
        return MatchKeys(
            identifiers=tuple(map(id_key, identifiers)) if trusted else (),
            emails=tuple(dict.fromkeys(emails)),
            phones=tuple(dict.fromkeys(key for key in phones if key)),
            claimed=() if trusted else tuple(map(claimed_key, identifiers)),
        )

    def set_derived_keys(self, person: dict[str, Any]) -> None:
        """Sets the fields of a person's document that derive from contact details, names and match keys.

        Filters compare with `contact_keys`. `unclaimed_keys` are the keys of contact details and names that the person
        does not own; `maybe_duplicate` is set if there are any.
        """
        contacts = self.contact_keys(person)
        unclaimed = [key for key in (*contacts, *name_and_postal_code_keys(person)) if key not in person["match_keys"]]
        derived = {"contact_keys": contacts, "unclaimed_keys": unclaimed, "maybe_duplicate": bool(unclaimed)}
        for name, value in derived.items():
            person.pop(name, None)
            if value:
                person[name] = value


def _letters(name: str) -> str:
    """Returns the letters and digits of a name, without case, accents, spaces and punctuation."""
    decomposed = unicodedata.normalize("NFKD", name.casefold())
    return "".join(
        each for each in decomposed if not unicodedata.combining(each) and unicodedata.category(each)[0] in "LMN"
    )


def _postal_code(code: str) -> str:
    """Returns the letters and digits of a postal code; the first five digits of a ZIP+4 code (`10011-1234`)."""
    found = ZIP_PLUS_4.fullmatch(code.strip())
    return found[1] if found else _letters(code)


def _primary_first(person: ReadOnlyDocument, array: str) -> list[ReadOnlyDocument]:
    return sorted(person.get(array, ()), key=lambda entry: not entry.get("primary"))


@lru_cache(maxsize=10_000)
def _phone_digits(number: str, region: str) -> str:
    """Returns the E.164 digits if the country is known, else the digits unchanged."""
    digits = "".join(str(unicodedata.decimal(character)) for character in number if character.isdecimal())
    international = number.strip().startswith("+")
    if digits.startswith("00") and not international:  # a common way to write "+"
        digits, international = digits[2:], True
    if not international and region not in phonenumbers.SUPPORTED_REGIONS:
        return digits
    try:
        parsed = phonenumbers.parse(("+" if international else "") + digits, None if international else region)
    except phonenumbers.NumberParseException:
        return digits
    return f"{parsed.country_code}{phonenumbers.national_significant_number(parsed)}"


NAME: Final = "name:"
NAMED: Final = (TAG, LIST)


def name_key(name: str) -> str:
    """Returns the match key of a tag's or list's name.

    Letter case, spacing, invisible characters and the Unicode form make no difference.
    """
    return NAME + " ".join(normalized(normalized(name).casefold()).split())
