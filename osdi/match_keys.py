"""Match keys: strings made of identifiers, e-mail addresses and phone numbers, by which stored documents are found.

Examples are `id:foreign_system:1`, `email:jane@example.com` and `phone:19876543210`. A unique index lets each key
belong to one person, the first who claims it. If another person owns a key, it is in the `unclaimed_keys` of the
person: the two may be duplicates (osdi.people.duplicates). Keys of names with postal codes find duplicates only; no
post is matched by them. docs/matching.md describes the rules for users.

People are documents that the caller has read, and a function changes only those that its docstring names.
"""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from typing import Any, Final, TypeVar

import idna
import phonenumbers

from osdi.documents import ReadOnlyDocument
from osdi.resources import LIST, TAG
from osdi.values.identifiers import is_placeholder, system_of
from osdi.values.names import compared_name, letters_and_digits, name_words, names_differ
from osdi.values.phones import split_extension
from osdi.values.text import normalized, unicode_form
from osdi.values.words import country

Person = TypeVar("Person", bound=ReadOnlyDocument)

EMAIL: Final = "email:"
PHONE: Final = "phone:"
ID: Final = "id:"
CLAIMED: Final = "claimed:"
SLUG: Final = "slug:"
MIN_PHONE_DIGITS: Final = 7
# The fields of a person that MatchKeyRules.set_derived_keys sets.
DERIVED_KEYS: Final = ("contact_keys", "unclaimed_keys", "maybe_duplicate", "name_words")

# A person's field: true as long as every post about the person came without a token.
ANONYMOUS_ONLY: Final = "anonymous_only"

PHONE_AND_NAME: Final = "phone_and_name:"
NAME_AND_POSTAL_CODE: Final = "name_and_postal_code:"
MAX_NAME_LENGTH: Final = 100
# A longer address is rare, and does not fill the cache of keys.
MAX_CACHED_LENGTH: Final = 100
POSTAL_CODES: Final = 10
ZIP_PLUS_4: Final = re.compile(r"([0-9]{5})[- ][0-9]{4}")
NO_DIGITS: Final = re.compile(r"[^0-9]+")


@dataclass(frozen=True)
class MatchKeys:
    """The keys of a posted person, each kind in the order in which it is tried.

    `phones_and_names` are the keys of people who share a phone: each has its own name. `name` is the posted name in
    the form in which names are compared.
    """

    identifiers: tuple[str, ...] = ()
    emails: tuple[str, ...] = ()
    phones_and_names: tuple[str, ...] = ()
    phones: tuple[str, ...] = ()
    claimed: tuple[str, ...] = ()
    name: tuple[str, str] = ("", "")

    @property
    def all(self) -> tuple[str, ...]:
        """Every key, the most certain kind first."""
        return (*self.identifiers, *self.emails, *self.phones_and_names, *self.phones, *self.claimed)

    @property
    def contacts(self) -> tuple[str, ...]:
        """The keys of contact details, which other people may know: e-mail addresses and phone numbers."""
        return (*self.emails, *self.phones)

    def contradict(self, person: ReadOnlyDocument) -> bool:
        """True if the posted person is another one than this stored person, although both have one phone number.

        Their names differ, or one system gave them different ids.
        """
        return names_differ(self.name, compared_name(person)) or _ids_differ(
            [key.partition(":")[2] for key in (*self.identifiers, *self.claimed)],
            [key.removeprefix(ID) for key in person.get("match_keys", ()) if key.startswith(ID)],
        )


def _ids_differ(some: Iterable[str], others: Iterable[str]) -> bool:
    """True if one system has given each side identifiers, and none of them is the same."""
    by_system: dict[str, tuple[set[str], set[str]]] = {}
    for side, identifiers in enumerate((some, others)):
        for each in identifiers:
            by_system.setdefault(system_of(each), (set(), set()))[side].add(each)
    return any(ours and theirs and not ours & theirs for ours, theirs in by_system.values())


def phone_and_name_key(phone: str, name: tuple[str, str]) -> str | None:
    """Returns the key of a phone's match key with a compared name; None without a name.

    Of several people with one phone number, one owns the number's key. The others own such a key.
    """
    letters = "".join(name)
    if not letters or len(letters) > MAX_NAME_LENGTH:
        return None
    return f"{PHONE_AND_NAME}{phone.removeprefix(PHONE)}|{letters}"


def id_key(identifier: str) -> str:
    """Returns the match key of an identifier that was sent with a token."""
    return f"{ID}{identifier}"


def slug_key(slug: str) -> str:
    """Returns the match key of a slug, by which the public page of a campaign is found."""
    return f"{SLUG}{slug}"


def claimed_key(identifier: str) -> str:
    """Returns the match key of an identifier that was sent without a token.

    It has a key space of its own, since identifiers can be guessed.
    """
    return f"{CLAIMED}{identifier}"


def email_key(address: str) -> str:
    """Returns the match key of an e-mail address; two addresses of one mailbox have the same key.

    The domain is normalised by UTS 46, as for sending mail, so that all its spellings have one key. The local part is
    normalised by NFKC and lower-cased, since nearly all mail servers ignore its letter case.
    """
    return _email_key(address) if len(address) <= MAX_CACHED_LENGTH else _key_of_address(address)


def _key_of_address(address: str) -> str:
    local, _, domain = address.strip().rpartition("@")
    return f"{EMAIL}{unicode_form('NFKC', local).lower()}@{_domain(domain)}"


# One post asks for the key of an address several times.
_email_key: Final = lru_cache(maxsize=10_000)(_key_of_address)


def mailbox_key(key: str) -> str:
    """Returns the match key of an e-mail address without its subaddress: that of `jane@x` for `jane+news@x`.

    Mail to both reaches one mailbox (RFC 5233). They do not match each other. Other keys stay as they are.
    """
    if not key.startswith(EMAIL):
        return key
    local, _, domain = key.removeprefix(EMAIL).rpartition("@")
    return f"{EMAIL}{local.partition('+')[0] or local}@{domain}"


def _domain(domain: str) -> str:
    """Returns the domain in Unicode, after conversion to ASCII (as for sending mail) and back."""
    if domain.isascii() and "xn--" not in domain.lower():
        return domain.lower()
    try:
        return idna.decode(idna.encode(domain, uts46=True).lower())
    except idna.IDNAError:  # no mail can be sent there
        return unicode_form("NFKC", domain).lower()


def confirm_contacts(person: dict[str, Any], keys: Iterable[str]) -> None:
    """Adds those of these match keys that the person owns to `confirmed_keys`, after a change with a token.

    These are the keys of the contact details that a token holder has posted or put (docs/decisions/0027).
    """
    person.pop(ANONYMOUS_ONLY, None)
    confirmed = dict.fromkeys((*person.pop("confirmed_keys", ()), *keys))
    person["confirmed_keys"] = [key for key in confirmed if key in person["match_keys"]]


def is_confirmed(person: ReadOnlyDocument, key: str) -> bool:
    """True if the contact detail of this match key may get what is stored about the person.

    A token holder has confirmed it, or nobody but those who posted this detail has added to the person.
    """
    if key not in person["match_keys"]:
        return False
    return key in person.get("confirmed_keys", ()) or bool(person.get(ANONYMOUS_ONLY))


def name_and_postal_code_keys(person: ReadOnlyDocument) -> list[str]:
    """Returns the keys of a person's name with each postal code: `name_and_postal_code:jane doe|10011`.

    Letter case, accents, punctuation and the last digits of a ZIP+4 code make no difference. A person without given or
    family name has none.
    """
    names = compared_name(person)
    if not all(names) or sum(map(len, names)) > MAX_NAME_LENGTH:
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
        used unchanged, since OSDI requires numbers with country code. An extension is not part of the key.
        """
        return _phone_key(str(entry.get("number", "")), str(entry.get("country") or ""), self.phone_region)

    def number_key(self, number: str, named_country: str) -> str | None:
        """Returns the match key of a number without extension, in the named country; see `phone_key`."""
        return _number_key(number, named_country or self.phone_region)

    def contact_keys(self, person: ReadOnlyDocument) -> list[str]:
        """Returns the keys of every e-mail address and phone number of a person, also those that other people own.

        Filters compare with these keys.
        """
        emails = (email_key(entry["address"]) for entry in person.get("email_addresses", ()) if "address" in entry)
        phones = (self.phone_key(entry) for entry in person.get("phone_numbers", ()))
        return list(dict.fromkeys([*emails, *(key for key in phones if key)]))

    def phone_and_name_keys(self, person: ReadOnlyDocument) -> list[tuple[str, str]]:
        """Returns, for each phone number of a person, its key and its key with the person's name, if there is one."""
        name = compared_name(person)
        phones = [key for entry in person.get("phone_numbers", ()) if (key := self.phone_key(entry))]
        return [(phone, key) for phone in phones if (key := phone_and_name_key(phone, name))]

    def match_keys(self, person: ReadOnlyDocument, *, trusted: bool) -> MatchKeys:
        """Returns the match keys of a posted person; identifiers of an untrusted sender are only `claimed`.

        A placeholder in place of an identifier has no key.
        """
        identifiers = [each for each in person.get("identifiers", ()) if not is_placeholder(each)]
        emails = (
            email_key(entry["address"]) for entry in _primary_first(person, "email_addresses") if "address" in entry
        )
        numbers = (self.phone_key(entry) for entry in _primary_first(person, "phone_numbers") if "number" in entry)
        phones = tuple(dict.fromkeys(key for key in numbers if key))
        name = compared_name(person)
        return MatchKeys(
            identifiers=tuple(map(id_key, identifiers)) if trusted else (),
            emails=tuple(dict.fromkeys(emails)),
            phones_and_names=tuple(key for phone in phones if (key := phone_and_name_key(phone, name))),
            phones=phones,
            claimed=() if trusted else tuple(map(claimed_key, identifiers)),
            name=name,
        )

    def set_derived_keys(self, person: dict[str, Any]) -> None:
        """Sets the fields of a person's document that derive from contact details, names and match keys.

        Filters compare with `contact_keys`. `unclaimed_keys` are the keys of contact details and names that the person
        does not own; `maybe_duplicate` is set if there are any. A search by name compares with `name_words`.
        """
        contacts = self.contact_keys(person)
        unclaimed = [key for key in (*contacts, *name_and_postal_code_keys(person)) if key not in person["match_keys"]]
        derived = (contacts, unclaimed, bool(unclaimed), name_words(person))
        for name, value in zip(DERIVED_KEYS, derived, strict=True):
            person.pop(name, None)
            if value:
                person[name] = value


def _postal_code(code: str) -> str:
    """Returns the letters and digits of a postal code; the first five digits of a ZIP+4 code (`10011-1234`)."""
    found = ZIP_PLUS_4.fullmatch(code.strip())
    return found[1] if found else letters_and_digits(code)


def _primary_first(person: ReadOnlyDocument, array: str) -> list[ReadOnlyDocument]:
    return sorted(person.get(array, ()), key=lambda entry: not entry.get("primary"))


@lru_cache(maxsize=10_000)
def _phone_key(number: str, named_country: str, phone_region: str) -> str | None:
    """Returns `phone_key` of an entry with these values. Cached: one post asks for it several times."""
    without_extension, _ = split_extension(number)
    return _number_key(without_extension, country(named_country) or phone_region)


def _number_key(number: str, region: str) -> str | None:
    digits = _phone_digits(number, region.upper())
    return f"{PHONE}{digits}" if len(digits) >= MIN_PHONE_DIGITS else None


def _phone_digits(number: str, region: str) -> str:
    """Returns the E.164 digits if the country is known, else the digits unchanged."""
    if number.isascii():
        digits = NO_DIGITS.sub("", number)
    else:
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
