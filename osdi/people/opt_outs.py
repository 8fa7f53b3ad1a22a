"""Opt-outs of contact details, and which of them a token holder has confirmed; posts without a token only claim them.

Anybody can post any address. A status (the value of one of STATUSES) that such a post gives a person is stored, and its
name is in `unconfirmed_statuses` of the person's document, such as `status email:jane@example.com`. Follow-ups respect
it until a token holder states the opposite. docs/decisions/0027 gives the reasons.

Pure: documents are not changed.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any, Final

from osdi.documents import ReadOnlyDocument
from osdi.match_keys import MatchKeyRules
from osdi.people.merge_rules import CONTACT_VALUE, KEPT_STATUSES, SUBSCRIBED, status_name

UNCONFIRMED: Final = "unconfirmed_statuses"

# By array of contact details: the properties that say if the person may be contacted.
STATUSES: Final = {"email_addresses": ("status",), "phone_numbers": ("do_not_call", "sms_capable")}
# By array: the properties by which a contact detail is recognised.
IDENTITY: Final = {"email_addresses": ("address",), "phone_numbers": ("number", "country")}


def is_opt_out(name: str, value: Any) -> bool:
    """True if this value of a status says that the person must not be contacted."""
    if name == "status":
        return value is not None and value != SUBSCRIBED
    return value is (name == "do_not_call")


def claimed_opt_outs(fields: ReadOnlyDocument) -> list[dict[str, Any]]:
    """Returns the opt-outs that a posted person states: entries with the address or number and the opt-outs alone."""
    found = []
    for array, names in STATUSES.items():
        for entry in fields.get(array, ()):
            stated = {name: entry[name] for name in names if name in entry and is_opt_out(name, entry[name])}
            if stated:
                found.append({name: entry[name] for name in IDENTITY[array] if name in entry} | stated)
    return found


def without_opt_outs(fields: ReadOnlyDocument) -> dict[str, Any]:
    """Returns a posted person without what a post without a token cannot change in a known one.

    That is each `status` but `subscribed`, each `do_not_call`, and `sms_capable: false`.
    """
    kept = dict(fields)
    for array, names in STATUSES.items():
        entries = [
            {
                name: value
                for name, value in entry.items()
                if name not in names or not (name == "do_not_call" or is_opt_out(name, value))
            }
            for entry in fields.get(array, ())
        ]
        if array in fields:
            kept[array] = [entry for entry in entries if entry]
    return kept


def unconfirmed_after_anonymous_post(
    stored: ReadOnlyDocument, merged: ReadOnlyDocument, rules: MatchKeyRules
) -> list[str]:
    """Returns `unconfirmed_statuses` after a post without a token: those before, and those that the post added."""
    before, after = _stated(stored, rules), _stated(merged, rules)
    return [name for name in after if name not in before or name in stored.get(UNCONFIRMED, ())]


def unconfirmed_after_change(
    stored: ReadOnlyDocument, changed: ReadOnlyDocument, stated: ReadOnlyDocument, rules: MatchKeyRules
) -> list[str]:
    """Returns `unconfirmed_statuses` after a change with a token: those that the change neither states nor replaces.

    `stated` are the fields that the token's holder sent. An entry without an address or number is about the primary
    one.
    """
    if not stored.get(UNCONFIRMED):
        return []
    before, after = _stated(stored, rules), _stated(changed, rules)
    confirmed = set(_stated(stated, rules))
    for array, names in STATUSES.items():
        bare = [entry for entry in stated.get(array, ()) if CONTACT_VALUE[array] not in entry]
        primary = _primary(changed.get(array, ()))
        for name in names:
            if primary and any(name in entry for entry in bare):
                confirmed.add(status_name(array, name, primary, rules) or "")
    return [
        name
        for name in stored[UNCONFIRMED]
        if name in after and name not in confirmed and before.get(name) == after[name]
    ]


def without_unconfirmed(person: ReadOnlyDocument, rules: MatchKeyRules) -> ReadOnlyDocument:
    """Returns the person without the statuses that only a post without a token stated."""
    return without_statuses(person, person.get(UNCONFIRMED, ()), rules)


def without_contradicted_statuses(
    person: ReadOnlyDocument, other: ReadOnlyDocument, rules: MatchKeyRules
) -> ReadOnlyDocument:
    """Returns the person without the unconfirmed statuses about which the other document has a confirmed one."""
    unconfirmed = person.get(UNCONFIRMED, ())
    if not unconfirmed:
        return person
    confirmed = _stated(without_unconfirmed(other, rules), rules)
    left = [name for name in unconfirmed if name not in confirmed]
    changed = dict(without_statuses(person, confirmed.keys() & unconfirmed, rules))
    changed.pop(UNCONFIRMED)
    return {**changed, UNCONFIRMED: left} if left else changed


def without_statuses(person: ReadOnlyDocument, statuses: Collection[str], rules: MatchKeyRules) -> ReadOnlyDocument:
    """Returns the person without these statuses."""
    if not statuses:
        return person
    changed = dict(person)
    for array, names in STATUSES.items():
        if array in person:
            changed[array] = [
                {
                    name: value
                    for name, value in entry.items()
                    if name not in names or status_name(array, name, entry, rules) not in statuses
                }
                for entry in person[array]
            ]
    return changed


def mail_opt_out(people: Iterable[ReadOnlyDocument], key: str, rules: MatchKeyRules) -> str | None:
    """Returns the strictest status of KEPT_STATUSES of the address with this match key; None if it may get mail."""
    statuses = _values(people, f"status {key}", rules, subscribed=SUBSCRIBED)
    return next((status for status in KEPT_STATUSES if status in statuses), None)


def phone_opt_out(people: Iterable[ReadOnlyDocument], name: str, key: str, rules: MatchKeyRules) -> bool:
    """True if `do_not_call` or `sms_capable`, which is `name`, forbids calls or texts to the number of this key."""
    values = _values(people, f"{name} {key}", rules, subscribed=name == "sms_capable")
    return any(is_opt_out(name, value) for value in values)


def _values(people: Iterable[ReadOnlyDocument], status: str, rules: MatchKeyRules, *, subscribed: Any) -> list[Any]:
    """Returns the values of a status that apply among these people.

    Those that are confirmed apply. Unconfirmed ones apply, too, unless somebody with a token stated the value
    `subscribed`, which permits contact.
    """
    confirmed: list[Any] = []
    unconfirmed: list[Any] = []
    for person in people:
        values = [value for name, value in _pairs(person, rules) if name == status]
        (unconfirmed if status in person.get(UNCONFIRMED, ()) else confirmed).extend(values)
    return confirmed if subscribed in confirmed else [*confirmed, *unconfirmed]


def _stated(person: ReadOnlyDocument, rules: MatchKeyRules) -> Mapping[str, Any]:
    return dict(_pairs(person, rules))


def _pairs(person: ReadOnlyDocument, rules: MatchKeyRules) -> Iterator[tuple[str, Any]]:
    """Yields the name and the value of each status of a person's entries that have an address or number."""
    for array, names in STATUSES.items():
        for entry in person.get(array, ()):
            for name in names:
                if name in entry and (found := status_name(array, name, entry, rules)):
                    yield found, entry[name]


def _primary(entries: Collection[ReadOnlyDocument]) -> ReadOnlyDocument | None:
    return next((each for each in entries if each.get("primary")), next(iter(entries), None))
