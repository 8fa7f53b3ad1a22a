"""Records opt-outs of calls or texts to a number, as staff have heard them. Nothing here lifts an opt-out.

It does for numbers what `osdi.followups.unsubscribe` does for addresses: the suppression list comes first, so that
nothing is sent to the number after it, and then every person who has the number.
"""

from collections.abc import Collection, Mapping
from functools import partial
from typing import Any, Final

from osdi.documents import Document, ReadOnlyDocument
from osdi.errors import invalid
from osdi.ids import now
from osdi.match_keys import MatchKeyRules
from osdi.people.lookup import find_people_by_contact
from osdi.people.merge_rules import events_of_change, status_name
from osdi.people.opt_outs import UNCONFIRMED
from osdi.resources import PERSON
from osdi.retry import retry_on_conflict
from osdi.store import Store, Update
from osdi.suppression.opt_outs import API, CALLS, TEXTS
from osdi.suppression.suppression_list import suppression_list

ARRAY: Final = "phone_numbers"
# By channel: the property of a number that opts out, and its value.
STATED: Final[Mapping[str, tuple[str, bool]]] = {CALLS: ("do_not_call", True), TEXTS: ("sms_capable", False)}


def opt_out_numbers(
    store: Store, person: ReadOnlyDocument, opted_out: Mapping[str, Collection[str]], rules: MatchKeyRules
) -> None:
    """Records that these numbers of the person opted out of CALLS or TEXTS, the keys of `opted_out`; safe to repeat.

    Raises OsdiError 400 for no number, or one that the person does not have; 503.
    """
    entries = [each for each in person.get(ARRAY, ()) if each.get("number")]
    unknown = {number for numbers in opted_out.values() for number in numbers} - {each["number"] for each in entries}
    if unknown or not any(opted_out.values()):
        raise invalid("Choose at least one of the person's numbers.", CALLS)
    for entry in entries:
        whats = [what for what, numbers in opted_out.items() if entry["number"] in numbers]
        if whats:
            _opt_out(store, person, entry, whats, rules)


def _opt_out(
    store: Store, person: ReadOnlyDocument, entry: ReadOnlyDocument, whats: Collection[str], rules: MatchKeyRules
) -> None:
    key = rules.phone_key(entry)
    people = {person["_id"]}
    if key:
        suppression_list(store).change(key, add=dict.fromkeys(whats, API))
        people |= {each["_id"] for each in find_people_by_contact(store, key)}
    for person_id in sorted(people):
        retry_on_conflict(partial(_set_opted_out, store, person_id, entry, whats, rules))


def _set_opted_out(
    store: Store, person_id: str, entry: ReadOnlyDocument, whats: Collection[str], rules: MatchKeyRules
) -> None:
    """Stores the opt-outs in each entry of this number. Raises WriteConflict."""
    person = store.get(PERSON.collection, person_id)
    if person is None:
        return
    key = rules.phone_key(entry)
    stated = dict(STATED[what] for what in whats)

    def is_same(other: ReadOnlyDocument) -> bool:
        return rules.phone_key(other) == key if key else other.get("number") == entry["number"]

    entries = [{**each, **stated} if is_same(each) else each for each in person.get(ARRAY, ())]
    certain = {status_name(ARRAY, name, each, rules) for each in entries if is_same(each) for name in stated}
    unconfirmed = person.get(UNCONFIRMED, [])
    left = [each for each in unconfirmed if each not in certain]
    if entries == person.get(ARRAY, []) and left == unconfirmed:
        return
    changed: Document = {ARRAY: entries, "modified_date": now(), **({UNCONFIRMED: left} if left else {})}
    gone: tuple[Any, ...] = (UNCONFIRMED,) if unconfirmed and not left else ()
    events = events_of_change(person, changed)
    store.write(Update(PERSON.collection, person_id, person["version"], changed, gone, events))
