"""What becomes of a stored person when a post names them again: the merge rules of docs/matching.md.

Two rules, chosen by who posts. With a token a value that is said replaces the stored one; without, it only fills what
is empty. Neither ever clears: objects merge by name, arrays by the key of their entries ("Merging Objects and Arrays"
in the standard's general concepts).

Pure: returns a new document and leaves both arguments as they are.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Any, Final

import orjson

from osdi.documents import ReadOnlyDocument
from osdi.fields.definition import ContactRule, EntryKey, Objects
from osdi.fields.webhook import UNSUBSCRIBED
from osdi.match_keys import MatchKeyRules, email_key
from osdi.resources import CONTACTS, PERSON

Entry = dict[str, Any]
SameEntry = Callable[[ReadOnlyDocument, ReadOnlyDocument], bool]

MAX_DOCUMENT_BYTES: Final = 1_000_000

# By these statuses no mail goes to an address. No post lifts them, nor does a PUT that says nothing.
KEPT_STATUSES: Final = ("unsubscribed", "spam complaints", "bouncing")
SUBSCRIBED: Final = "subscribed"
# Of what is said of one address the first of these holds, whoever says it.
STRICTEST: Final = ("spam complaints", "unsubscribed", "bouncing")

PLACE: Final = ("postal_code", "address_lines", "locality")
AREA: Final = ("region", "country")


def merge_person(
    stored: ReadOnlyDocument,
    posted: ReadOnlyDocument,
    *,
    overwrite: bool,
    owned_elsewhere: Collection[str] = (),
    rules: MatchKeyRules,
) -> dict[str, Any]:
    """The fields of `stored` with those of `posted` merged in.

    `overwrite` is the token holder's rule. `owned_elsewhere` holds match keys that belong to other people: without
    `overwrite` the e-mails and phones behind them are left out.
    """
    merged = dict(stored)
    for name, value in posted.items():
        if name == "identifiers":
            continue
        if name not in stored and name not in ENTRIES:
            merged[name] = value
        elif name in ENTRIES and not overwrite and name not in CONTACTS and stored.get(name):
            continue  # only contact details are appended for strangers
        elif name in ENTRIES:
            entries = value if overwrite else _unowned(name, value, owned_elsewhere, rules)
            merged[name] = merge_entries(name, stored.get(name, ()), entries, overwrite, rules)
            if not merged[name]:
                del merged[name]
        elif isinstance(value, Mapping) and isinstance(stored[name], Mapping):
            merged[name] = merge_object(stored[name], value, overwrite)
        elif isinstance(value, list) and isinstance(stored[name], list) and overwrite:
            merged[name] = list(dict.fromkeys([*stored[name], *value]))
        elif overwrite:
            merged[name] = value
    return merged


def exceeds_size_limit(document: ReadOnlyDocument, *, by_stranger: bool = False) -> bool:
    """Whether a document is larger than anybody needs: then it is not kept growing, by whomever.

    Strangers fill half of the bound at most. What they leave free is the token holders', whom they cannot hinder so.
    """
    return len(orjson.dumps(document)) > (MAX_DOCUMENT_BYTES // 2 if by_stranger else MAX_DOCUMENT_BYTES)


def without_own(document: ReadOnlyDocument, rules: MatchKeyRules) -> dict[str, Any]:
    """The document without its own identifier among those of others: answers add it, so what was read is sent back."""
    own = rules.own_identifier(document["_id"])
    others = [each for each in document.get("identifiers", ()) if each != own]
    if len(others) == len(document.get("identifiers", ())):
        return dict(document)
    kept = {name: value for name, value in document.items() if name != "identifiers"}
    return {**kept, "identifiers": others} if others else kept


def keep_status(stored: ReadOnlyDocument, changed: Entry) -> Entry:
    """An e-mail entry that a change would subscribe again, with the status that it had."""
    if stored.get("status") in KEPT_STATUSES and changed.get("status", SUBSCRIBED) == SUBSCRIBED:
        return {**changed, "status": stored["status"]}
    return changed


def keep_strictest_opt_out(
    person: ReadOnlyDocument, others: Sequence[ReadOnlyDocument], rules: MatchKeyRules
) -> dict[str, Any]:
    """The person, with what is strictest of all that they or others say of each of their addresses and numbers.

    That is a status by which no mail goes to an address, and that a number is not to be called, or takes no texts. A
    file may be older than what is stored, and it names addresses that somebody else has.
    """
    people = (*others, person)
    statuses: dict[str, set[str]] = {}
    for entry in _all(people, "email_addresses"):
        if "address" in entry:
            statuses.setdefault(email_key(entry["address"]), set()).add(entry.get("status", ""))
    numbers: dict[Any, Entry] = {}
    for entry in _all(people, "phone_numbers"):
        said = numbers.setdefault(number_of(entry, rules), {})
        if entry.get("do_not_call"):
            said["do_not_call"] = True
        if entry.get("sms_capable") is False:
            said["sms_capable"] = False
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
    """Whether two entries are about the same e-mail address."""
    return "address" in stored and "address" in posted and email_key(stored["address"]) == email_key(posted["address"])


def one_primary(entries: Sequence[ReadOnlyDocument], primary: int | None = None) -> list[Entry]:
    """The entries, of which at most one is primary: the one at this index, else the first that says so."""
    if primary is None:
        primary = next((index for index, entry in enumerate(entries) if entry.get("primary")), None)
    return [
        {**entry, "primary": False} if entry.get("primary") and index != primary else dict(entry)
        for index, entry in enumerate(entries)
    ]


def merge_object(stored: ReadOnlyDocument, posted: ReadOnlyDocument, overwrite: bool) -> Entry:
    """`stored` with what `posted` says, by name; without `overwrite` only what `stored` does not say."""
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
) -> list[Entry]:
    """Entries with the key of a stored one merge into it, others are appended; one at most stays primary.

    The arguments are as `merge_person` has them, of one array.
    """
    merged = [dict(entry) for entry in stored]
    primary = next((index for index, entry in enumerate(merged) if entry.get("primary")), None)
    for entry in posted:
        index = _index_of(array, merged, entry, rules)
        if index is None and array in CONTACT_VALUE and CONTACT_VALUE[array] not in entry:
            # A status without an address is about the address that mails go to; whose it is, only a token may say.
            if not overwrite or not merged:
                continue
            index = primary or 0
        if index is None:
            merged.append(dict(entry))
            index = len(merged) - 1
        else:
            merged[index] = keep_status(merged[index], merge_object(merged[index], entry, overwrite))
        if entry.get("primary"):
            primary = index if overwrite or primary is None else primary
    return one_primary(merged, primary)


def _index_of(
    array: str, entries: Sequence[ReadOnlyDocument], entry: ReadOnlyDocument, rules: MatchKeyRules
) -> int | None:
    """Where the stored entry stands that `entry` is about; among postal addresses the one that shares most parts."""
    if array == "phone_numbers":
        number = number_of(entry, rules)
        same = [i for i, each in enumerate(entries) if number and number_of(each, rules) == number]
    else:
        same = [i for i, each in enumerate(entries) if ENTRIES[array](each, entry)]
        # What says nothing new is about the entry that says it already, whatever it can be compared by.
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
    """What a number is compared by: its match key, or itself where it is too short to have one."""
    return rules.phone_key(entry) or entry.get("number")


def _same_address(stored: ReadOnlyDocument, posted: ReadOnlyDocument) -> bool:
    """Two addresses are one where no part contradicts and they share a place, or one of them names only an area."""
    for part in (*PLACE, *AREA):
        if part in stored and part in posted and _folded(stored[part]) != _folded(posted[part]):
            return False
    if any(part in stored and part in posted for part in PLACE):
        return True
    area_only = not any(part in stored for part in PLACE) or not any(part in posted for part in PLACE)
    return area_only and any(part in stored and part in posted for part in AREA)


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


def of_change(stored: ReadOnlyDocument, changed: ReadOnlyDocument) -> tuple[str, ...]:
    """The events of a person's change besides that there was one: whether an e-mail address was unsubscribed."""
    return (UNSUBSCRIBED,) if _unsubscribed(changed) - _unsubscribed(stored) else ()


def _unsubscribed(person: ReadOnlyDocument) -> set[str]:
    entries = person.get("email_addresses", ())
    return {
        email_key(each["address"]) for each in entries if each.get("status") == "unsubscribed" and "address" in each
    }
