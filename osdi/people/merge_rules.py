"""Merges a posted person into a stored one, by the merge rules of docs/matching.md.

With a token a posted value replaces the stored one; without a token it only fills an empty field. No post clears a
field: objects merge by name, arrays by the key of their entries ("Merging Objects and Arrays" in the standard's general
concepts).

Pure: returns a new document and does not change its arguments.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, Final

import orjson

from osdi.documents import ReadOnlyDocument
from osdi.fields.definition import ContactRule, EntryKey, Objects
from osdi.fields.limits import MAX_ANONYMOUS_STORED_ENTRIES, MAX_ANONYMOUS_STORED_FIELDS
from osdi.fields.webhook import UNSUBSCRIBED
from osdi.match_keys import MatchKeyRules, email_key
from osdi.resources import CONTACTS, CUSTOM_FIELDS, PERSON
from osdi.values.postal_codes import more_exact_country, more_exact_postal_code, same_country, same_postal_code

Entry = dict[str, Any]
SameEntry = Callable[[ReadOnlyDocument, ReadOnlyDocument], bool]

CLAIMED_IDENTIFIERS: Final = "claimed_identifiers"
MAX_DOCUMENT_BYTES: Final = 1_000_000

# No mail is sent to an address with one of these statuses. A PUT lifts one if it states another status; a post only if
# no token has confirmed it (`_replaceable`).
KEPT_STATUSES: Final = ("unsubscribed", "spam complaints", "bouncing")
SUBSCRIBED: Final = "subscribed"
# If people have different statuses of one address, the first of these applies.
STRICTEST: Final = ("spam complaints", "unsubscribed", "bouncing")

PLACE: Final = ("postal_code", "address_lines", "locality")
AREA: Final = ("region", "country")
# The parts of a postal address that have several spellings.
SAME_PART: Final[Mapping[str, Callable[[Any, Any], bool]]] = {"postal_code": same_postal_code, "country": same_country}
MORE_EXACT: Final = {"postal_code": more_exact_postal_code, "country": more_exact_country}


def merge_posted_values(
    stored: ReadOnlyDocument,
    posted: ReadOnlyDocument,
    *,
    overwrite: bool,
    owned_elsewhere: Collection[str] = (),
    rules: MatchKeyRules,
) -> dict[str, Any]:
    """Returns the fields of `stored` with those of `posted` merged in.

    `overwrite` is the token holder's rule. `owned_elsewhere` holds match keys that belong to other people: without
    `overwrite` the e-mail addresses and phone numbers of these keys are left out.
    """
    merged = dict(stored)
    for name, value in posted.items():
        if name == "identifiers":
            continue
        if name not in stored and name not in ENTRIES:
            merged[name] = value
        elif name in ENTRIES and not overwrite and name not in CONTACTS and stored.get(name):
            continue  # without a token only contact details are appended
        elif name in ENTRIES:
            entries = value if overwrite else _unowned(name, value, owned_elsewhere, rules)
            unconfirmed = stored.get("unconfirmed_statuses", ())
            merged[name] = merge_entries(name, stored.get(name, ()), entries, overwrite, rules, unconfirmed=unconfirmed)
            if not merged[name]:
                del merged[name]
        elif isinstance(value, Mapping) and isinstance(stored[name], Mapping):
            merged[name] = merge_object(stored[name], value, overwrite)
        elif isinstance(value, list) and isinstance(stored[name], list) and overwrite:
            merged[name] = list(dict.fromkeys([*stored[name], *value]))
        elif overwrite:
            merged[name] = value
    return merged


def within_anonymous_limits(stored: ReadOnlyDocument, merged: dict[str, Any]) -> dict[str, Any]:
    """Returns the person after a post without a token, without what it appended to full arrays and custom fields.

    Otherwise a stranger could append so much to a person that a PUT or a later post about the person fails.
    """
    kept = dict(merged)
    for name in CONTACTS:
        room = max(MAX_ANONYMOUS_STORED_ENTRIES, len(stored.get(name, ())))
        if len(merged.get(name, ())) > room:
            kept[name] = merged[name][:room]
    room = max(MAX_ANONYMOUS_STORED_FIELDS, len(stored.get(CUSTOM_FIELDS, ())))
    if len(merged.get(CUSTOM_FIELDS, ())) > room:
        kept[CUSTOM_FIELDS] = dict(islice(merged[CUSTOM_FIELDS].items(), room))
    return kept


def left_out(
    stored: ReadOnlyDocument, person: ReadOnlyDocument, posted: ReadOnlyDocument, rules: MatchKeyRules
) -> list[str]:
    """Returns the fields of a post without a token of which something is not in the person, because they are full."""
    names = [
        name
        for name in CONTACTS
        if len(stored.get(name, ())) + len(posted.get(name, ())) > MAX_ANONYMOUS_STORED_ENTRIES
        and any(_index_of(name, person.get(name, ()), entry, rules) is None for entry in posted.get(name, ()))
    ]
    known, identifiers = person.get(CLAIMED_IDENTIFIERS, ()), posted.get("identifiers", ())
    is_full = len(known) + len(identifiers) > MAX_ANONYMOUS_STORED_ENTRIES
    if is_full and not set(identifiers).issubset((*known, *person.get("identifiers", ()))):
        names.append("identifiers")
    if not posted.get(CUSTOM_FIELDS, {}).keys() <= person.get(CUSTOM_FIELDS, {}).keys():
        names.append(CUSTOM_FIELDS)
    return names


def exceeds_size_limit(document: ReadOnlyDocument, *, anonymous: bool = False) -> bool:
    """True if a document is larger than MAX_DOCUMENT_BYTES as JSON, or with `anonymous` than half of that.

    Posts without a token can fill half of the limit at most, so they cannot block changes by token holders.
    """
    return len(orjson.dumps(document)) > (MAX_DOCUMENT_BYTES // 2 if anonymous else MAX_DOCUMENT_BYTES)


def without_own(document: ReadOnlyDocument, rules: MatchKeyRules) -> dict[str, Any]:
    """Returns the document without its own identifier, which responses add and clients send back."""
    own = rules.own_identifier(document["_id"])
    others = [each for each in document.get("identifiers", ()) if each != own]
    if len(others) == len(document.get("identifiers", ())):
        return dict(document)
    kept = {name: value for name, value in document.items() if name != "identifiers"}
    return {**kept, "identifiers": others} if others else kept


def keep_status(stored: ReadOnlyDocument, changed: Entry) -> Entry:
    """Returns the changed e-mail entry; it keeps a status of KEPT_STATUSES if the change would subscribe it again."""
    if stored.get("status") in KEPT_STATUSES and changed.get("status", SUBSCRIBED) == SUBSCRIBED:
        return {**changed, "status": stored["status"]}
    return changed


def keep_opt_outs(stored: ReadOnlyDocument, changed: Entry, replaceable: Collection[str] = ()) -> Entry:
    """Returns the changed entry with the opt-outs of the stored one: a post lifts none but those in `replaceable`."""
    kept = changed if "status" in replaceable else keep_status(stored, changed)
    if stored.get("do_not_call") and "do_not_call" not in replaceable:
        kept = {**kept, "do_not_call": True}
    if stored.get("sms_capable") is False and "sms_capable" not in replaceable:
        kept = {**kept, "sms_capable": False}
    return kept


def _replaceable(
    array: str, stored: ReadOnlyDocument, unconfirmed: Collection[str], rules: MatchKeyRules
) -> tuple[str, ...]:
    """Returns the names of the statuses of an entry that only posts without a token have stated."""
    names = ("status",) if array == "email_addresses" else ("do_not_call", "sms_capable")
    return tuple(name for name in names if unconfirmed and status_name(array, name, stored, rules) in unconfirmed)


def keep_strictest_opt_out(
    person: ReadOnlyDocument, others: Sequence[ReadOnlyDocument], rules: MatchKeyRules
) -> dict[str, Any]:
    """Returns the person with the strictest opt-out that `person` or `others` have for each address and number.

    Opt-outs are the statuses of STRICTEST, `do_not_call`, and `sms_capable` false. An imported file may be older than
    the stored data, and may contain addresses that other people have.
    """
    people = (*others, person)
    statuses: dict[str, set[str]] = {}
    for entry in _all(people, "email_addresses"):
        if "address" in entry:
            statuses.setdefault(email_key(entry["address"]), set()).add(entry.get("status", ""))
    numbers: dict[Any, Entry] = {}
    for entry in _all(people, "phone_numbers"):
        opt_outs = numbers.setdefault(number_of(entry, rules), {})
        if entry.get("do_not_call"):
            opt_outs["do_not_call"] = True
        if entry.get("sms_capable") is False:
            opt_outs["sms_capable"] = False
    kept = dict(person)
    if "email_addresses" in person:
        kept["email_addresses"] = [
            {**entry, **_strictest(statuses[email_key(entry["address"])])} if "address" in entry else dict(entry)
            for entry in person["email_addresses"]
        ]
    if "phone_numbers" in person:
        kept["phone_numbers"] = [
            {**entry, **numbers.get(number_of(entry, rules), {})} for entry in person["phone_numbers"]
        ]
    return kept


def _strictest(statuses: Collection[str]) -> Entry:
    return next(({"status": status} for status in STRICTEST if status in statuses), {})


def _all(people: Sequence[ReadOnlyDocument], array: str) -> Iterator[ReadOnlyDocument]:
    for person in people:
        yield from person.get(array, ())


def same_email(stored: ReadOnlyDocument, posted: ReadOnlyDocument) -> bool:
    """True if two entries have the same e-mail address."""
    return "address" in stored and "address" in posted and email_key(stored["address"]) == email_key(posted["address"])


def one_primary(entries: Sequence[ReadOnlyDocument], primary: int | None = None) -> list[Entry]:
    """Returns the entries with at most one primary: the one at this index, else the first that is marked primary."""
    if primary is None:
        primary = next((index for index, entry in enumerate(entries) if entry.get("primary")), None)
    return [
        {**entry, "primary": False} if entry.get("primary") and index != primary else dict(entry)
        for index, entry in enumerate(entries)
    ]


def merge_object(stored: ReadOnlyDocument, posted: ReadOnlyDocument, overwrite: bool) -> Entry:
    """Returns `stored` with the values of `posted`, by name; without `overwrite` only values that `stored` lacks."""
    merged = dict(stored)
    for name, value in posted.items():
        if isinstance(value, Mapping) and isinstance(stored.get(name), Mapping):
            merged[name] = merge_object(stored[name], value, overwrite)
        elif overwrite or name not in stored:
            merged[name] = value
    return merged


def merge_entries(
    array: str,
    stored: Sequence[ReadOnlyDocument],
    posted: Sequence[ReadOnlyDocument],
    overwrite: bool,
    rules: MatchKeyRules,
    *,
    unconfirmed: Collection[str] = (),
) -> list[Entry]:
    """Returns the entries of one array: a posted entry merges into the stored one with its key, or is appended.

    At most one entry stays primary. `overwrite` is as in `merge_posted_values`. A status in `unconfirmed` was stated
    without a token, so one with a token replaces it.
    """
    merged = [dict(entry) for entry in stored]
    primary = next((index for index, entry in enumerate(merged) if entry.get("primary")), None)
    for entry in posted:
        index = _index_of(array, merged, entry, rules)
        if index is None and array in CONTACT_VALUE and CONTACT_VALUE[array] not in entry:
            # A status without an address applies to the primary address; only a token holder may send one.
            if not overwrite or not merged:
                continue
            index = primary or 0
        if index is None:
            merged.append(dict(entry))
            index = len(merged) - 1
        else:
            posted_entry = with_exact_parts(merged[index], entry) if array == "postal_addresses" else entry
            changed = merge_object(merged[index], posted_entry, overwrite)
            merged[index] = keep_opt_outs(
                merged[index], changed, _replaceable(array, merged[index], unconfirmed, rules) if overwrite else ()
            )
        if entry.get("primary"):
            primary = index if overwrite or primary is None else primary
    return one_primary(merged, primary)


def _index_of(
    array: str, entries: Sequence[ReadOnlyDocument], entry: ReadOnlyDocument, rules: MatchKeyRules
) -> int | None:
    """Returns the index of the stored entry with the key of `entry`; of postal addresses, the most similar one."""
    if array == "phone_numbers":
        number = number_of(entry, rules)
        same = [
            i
            for i, each in enumerate(entries)
            if number and number_of(each, rules) == number and not _extensions_differ(each, entry)
        ]
    else:
        same = [i for i, each in enumerate(entries) if ENTRIES[array](each, entry)]
        # An entry without a key is the same as a stored entry that has all its values.
        same = same or [i for i, each in enumerate(entries) if each.items() >= entry.items()]
    if array == "postal_addresses":
        return max(same, key=lambda i: _shared_parts(entries[i], entry), default=None)
    return next(iter(same), None)


def _unowned(
    array: str, entries: Sequence[ReadOnlyDocument], owned: Collection[str], rules: MatchKeyRules
) -> list[ReadOnlyDocument]:
    def key(entry: ReadOnlyDocument) -> str | None:
        if array == "email_addresses" and "address" in entry:
            return email_key(entry["address"])
        return rules.phone_key(entry) if array == "phone_numbers" else None

    return [entry for entry in entries if key(entry) not in owned]


def number_of(entry: ReadOnlyDocument, rules: MatchKeyRules) -> str | None:
    """Returns the value by which phone numbers are compared: the match key, or a number too short for one."""
    return rules.phone_key(entry) or entry.get("number")


def _extensions_differ(stored: ReadOnlyDocument, posted: ReadOnlyDocument) -> bool:
    """True if both entries have an extension, and not the same: two telephones of one office."""
    return "extension" in stored and "extension" in posted and stored["extension"] != posted["extension"]


def status_name(array: str, name: str, entry: ReadOnlyDocument, rules: MatchKeyRules) -> str | None:
    """Returns the name of an entry's status in `unconfirmed_statuses`, such as `status email:jane@example.com`.

    None without an address or number.
    """
    if array == "email_addresses":
        return f"{name} {email_key(entry['address'])}" if entry.get("address") else None
    number = number_of(entry, rules) if array == "phone_numbers" else None
    return f"{name} {number}" if number else None


def _same_address(stored: ReadOnlyDocument, posted: ReadOnlyDocument) -> bool:
    """True if no part of two postal addresses differs and both share a place, or one has only an area."""
    for part in (*PLACE, *AREA):
        if part not in stored or part not in posted or stored[part] == posted[part]:
            continue
        if not SAME_PART.get(part, _equal)(stored[part], posted[part]):
            return False
    if any(part in stored and part in posted for part in PLACE):
        return True
    area_only = not any(part in stored for part in PLACE) or not any(part in posted for part in PLACE)
    return area_only and any(part in stored and part in posted for part in AREA)


def with_exact_parts(stored: ReadOnlyDocument, posted: ReadOnlyDocument) -> Entry:
    """Returns a posted postal address with the stored postal code and country where these are more exact."""
    exact = {
        part: more(stored[part], posted[part]) for part, more in MORE_EXACT.items() if part in stored and part in posted
    }
    return {**posted, **exact}


def _equal(one: Any, other: Any) -> bool:
    return _folded(one) == _folded(other)


def _shared_parts(stored: ReadOnlyDocument, posted: ReadOnlyDocument) -> int:
    return sum(part in stored and part in posted for part in (*PLACE, *AREA))


def _folded(value: Any) -> str:
    text = " ".join(value) if isinstance(value, list) else str(value)
    return " ".join(text.casefold().split())


def _same(*names: str) -> SameEntry:
    """Returns a rule: entries are the same if the first of `names` that both have is equal, in any case."""

    def same(stored: ReadOnlyDocument, posted: ReadOnlyDocument) -> bool:
        for name in names:
            if name in stored and name in posted:
                return _folded(stored[name]) == _folded(posted[name])
        return False

    return same


def _by_key(key: EntryKey) -> SameEntry:
    """Returns a rule: entries are the same if each group of the key has an equal property; never without a key."""
    groups = [_same(*group) for group in key]
    return lambda stored, posted: bool(groups) and all(same(stored, posted) for same in groups)


CONTACT_VALUE: Final = {"email_addresses": "address", "phone_numbers": "number"}

CONTACT_RULES: Final[dict[ContactRule, SameEntry]] = {
    "email address": same_email,
    "phone number": _same("number"),
    "postal address": _same_address,
}

ENTRIES: Final[dict[str, SameEntry]] = {
    each.name: CONTACT_RULES[each.same_by] if isinstance(each.same_by, str) else _by_key(each.same_by)
    for each in PERSON.table
    if isinstance(each, Objects)
}


def events_of_change(stored: ReadOnlyDocument, changed: ReadOnlyDocument) -> tuple[str, ...]:
    """Returns the events of a person's change besides the update: UNSUBSCRIBED if an address was unsubscribed."""
    return (UNSUBSCRIBED,) if _unsubscribed(changed) - _unsubscribed(stored) else ()


def _unsubscribed(person: ReadOnlyDocument) -> set[str]:
    entries = person.get("email_addresses", ())
    return {
        email_key(each["address"]) for each in entries if each.get("status") == "unsubscribed" and "address" in each
    }
