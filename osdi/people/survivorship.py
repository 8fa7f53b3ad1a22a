"""Two people who are one: what the survivor is when another person has been merged into them (docs/duplicates.md).

The survivor's word stands, and only gaps are filled from the other one; arrays are united; and of what either has said
about an address or a number the stricter holds. Nothing that makes somebody known is lost.

Pure: returns a new document and leaves both arguments as they are.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from osdi.documents import ReadOnlyDocument
from osdi.fields.definition import Object
from osdi.match_keys import MatchKeyRules
from osdi.people.merge_rules import ENTRIES, keep_strictest_opt_out, merge_entries, merge_object, number_of, one_primary
from osdi.resources import ANSWER, PERSON
from osdi.resources import ENTRIES as POINTING

Entry = dict[str, Any]

KNOWN_BY: Final = ("identifiers", "claimed_identifiers")

# Objects whose parts make sense together only: half of one birthday and half of another is nobody's.
WHOLE: Final = tuple(each.name for each in PERSON.table if isinstance(each, Object) and each.whole)


def combine(survivor: ReadOnlyDocument, other: ReadOnlyDocument, rules: MatchKeyRules) -> dict[str, Any]:
    """The survivor's document with the other person's merged in; version, id and modified date stay the survivor's."""
    united = dict(survivor)
    for name in PERSON.fields:
        if name in ENTRIES and other.get(name):
            united[name] = _combined_entries(name, survivor.get(name, ()), other[name], rules)
        elif name in other:
            united[name] = _combined_value(name, survivor[name], other[name]) if name in survivor else other[name]
    united = keep_strictest_opt_out(united, (survivor, other), rules)
    for name in (*KNOWN_BY, "match_keys"):
        _set(united, name, _distinct(survivor.get(name, ()), other.get(name, ())))
    for resource, (_, pointer) in POINTING.items():
        array = resource.collection
        add = _combined_answers if resource is ANSWER else _pointing
        _set(united, array, add(survivor.get(array, ()), other.get(array, ()), pointer))
    united["merged_ids"] = _distinct(survivor.get("merged_ids", ()), [other["_id"]], other.get("merged_ids", ()))
    united["created_date"] = min(survivor["created_date"], other["created_date"])
    rules.set_derived_keys(united)
    return united


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
    # Which one is written to stays as it was, also where nobody has said it; and a number stays what it was read as.
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


def _pointing(stored: Sequence[ReadOnlyDocument], other: Sequence[ReadOnlyDocument], pointer: str) -> list[Entry]:
    """Taggings or items, one to each tag or list: the survivor's, since links lead to it, as old as the older one."""
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
    """Answers in the order in which they were given, the latest last, as everywhere.

    One of the other person's goes where the answer just before or after it, to the same question, says the same.
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
