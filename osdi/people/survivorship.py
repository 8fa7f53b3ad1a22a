"""Combines the documents of two people who are merged (docs/duplicates.md).

The survivor's values stay, and the other person's values fill empty fields. Arrays are joined. The strictest opt-out of
an address or number applies. Identifiers and match keys of both are kept.

Pure: returns a new document and does not change its arguments.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from osdi.action_functions.answers import set_further_answers
from osdi.documents import ReadOnlyDocument
from osdi.fields.definition import Object
from osdi.match_keys import ANONYMOUS_ONLY, MatchKeyRules
from osdi.people.merge_rules import ENTRIES, keep_strictest_opt_out, merge_entries, merge_object, number_of, one_primary
from osdi.people.opt_outs import UNCONFIRMED, without_answered
from osdi.resources import ANSWER, PERSON
from osdi.resources import ENTRIES as EMBEDDED

Entry = dict[str, Any]

IDENTITY: Final = ("identifiers", "claimed_identifiers")

# Objects whose parts belong together: year and day of two different birthdays make no date.
WHOLE: Final = tuple(each.name for each in PERSON.table if isinstance(each, Object) and each.whole)


def combine(survivor: ReadOnlyDocument, other: ReadOnlyDocument, rules: MatchKeyRules) -> dict[str, Any]:
    """Returns the survivor's document with the other person's merged in; id, version and modified date are kept."""
    survivor, other = without_answered(survivor, other, rules), without_answered(other, survivor, rules)
    combined = dict(survivor)
    for name in PERSON.fields:
        if name in ENTRIES and other.get(name):
            combined[name] = _combined_entries(name, survivor.get(name, ()), other[name], rules)
        elif name in other:
            combined[name] = _combined_value(name, survivor[name], other[name]) if name in survivor else other[name]
    combined = keep_strictest_opt_out(combined, (survivor, other), rules)
    # Two people's data are together now, so only confirmed contact details may get them.
    combined.pop(ANONYMOUS_ONLY, None)
    combined["confirmed_keys"] = _distinct(survivor.get("confirmed_keys", ()), other.get("confirmed_keys", ()))
    for name in (*IDENTITY, "match_keys", UNCONFIRMED):
        _set(combined, name, _distinct(survivor.get(name, ()), other.get(name, ())))
    claims = survivor.get("claimed_opt_outs", ())
    further = (each for each in other.get("claimed_opt_outs", ()) if each not in claims)
    _set(combined, "claimed_opt_outs", [*claims, *further])
    for resource, (_, pointer) in EMBEDDED.items():
        array = resource.collection
        join = _combined_answers if resource is ANSWER else _combined_links
        _set(combined, array, join(survivor.get(array, ()), other.get(array, ()), pointer))
    combined["merged_ids"] = _distinct(survivor.get("merged_ids", ()), [other["_id"]], other.get("merged_ids", ()))
    combined["created_date"] = min(survivor["created_date"], other["created_date"])
    rules.set_derived_keys(combined)
    set_further_answers(combined)
    return combined


def _combined_value(name: str, stored: Any, other: Any) -> Any:
    if isinstance(stored, Mapping) and isinstance(other, Mapping):
        if name in WHOLE and any(stored[part] != other[part] for part in stored.keys() & other.keys()):
            return stored
        return merge_object(stored, other, False)
    if isinstance(stored, list) and isinstance(other, list):
        return _distinct(stored, other)
    return stored


def _combined_entries(
    array: str, stored: Sequence[ReadOnlyDocument], other: Sequence[ReadOnlyDocument], rules: MatchKeyRules
) -> list[Entry]:
    if not stored:
        return one_primary(other)
    # The primary entry stays the survivor's. An equal number keeps the survivor's country, by which its key was made.
    kept = ("primary", "country") if array == "phone_numbers" else ("primary",)
    known = {number_of(entry, rules) for entry in stored} if array == "phone_numbers" else set()
    added = [
        {
            name: value
            for name, value in entry.items()
            if name not in kept or (name == "country" and number_of(entry, rules) not in known)
        }
        for entry in other
    ]
    return merge_entries(array, stored, added, False, rules)


def _combined_links(stored: Sequence[ReadOnlyDocument], other: Sequence[ReadOnlyDocument], pointer: str) -> list[Entry]:
    """Returns taggings or items, one for each tag or list: the survivor's entry, with the older creation date.

    The survivor's entry is kept because clients may have links to it.
    """
    entries = {entry[pointer]: dict(entry) for entry in stored}
    for entry in other:
        same = entries.get(entry[pointer])
        if same is None:
            entries[entry[pointer]] = dict(entry)
            continue
        one = {**entry, **same, "created_date": min(entry["created_date"], same["created_date"])}
        _set(one, "identifiers", _distinct(same.get("identifiers", ()), entry.get("identifiers", ())))
        entries[entry[pointer]] = one
    return list(entries.values())


def _combined_answers(
    stored: Sequence[ReadOnlyDocument], other: Sequence[ReadOnlyDocument], pointer: str
) -> list[Entry]:
    """Returns the answers of both in the order of their dates, the latest last.

    Of two equal answers to one question, with no other answer to it between them, the survivor's is kept.
    """
    ours = {entry["_id"] for entry in stored}
    kept: list[Entry] = []
    for entry in sorted((*stored, *other), key=lambda each: each.get("action_date", each["created_date"])):
        before = next((each for each in reversed(kept) if each[pointer] == entry[pointer]), None)
        if before is not None and all(before.get(name) == entry.get(name) for name in ("value", "responses")):
            if entry["_id"] not in ours:
                continue
            if before["_id"] not in ours:
                kept.remove(before)
        kept.append(dict(entry))
    return kept


def _distinct(*arrays: Iterable[Any]) -> list[Any]:
    return list(dict.fromkeys(each for array in arrays for each in array))


def _set(document: dict[str, Any], name: str, value: Sequence[Any]) -> None:
    if value:
        document[name] = value
