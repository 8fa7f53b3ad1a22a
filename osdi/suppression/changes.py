"""Keeps a change of a person within the suppression list, and the list up to date with the change.

The list counts for contact details that are new to the person, and for what the change says about consent.
"""

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from osdi.action_functions.followup_kinds import primary
from osdi.documents import Document, ReadOnlyDocument
from osdi.errors import ErrorDescription
from osdi.match_keys import MatchKeyRules, email_key
from osdi.store import Store, Write
from osdi.suppression.refusals import (
    API,
    CALLS,
    MAIL,
    TEXTS,
    RefusalsByKey,
    changed,
    obeying,
    of_entries,
    refusals_of,
    united,
    without,
)
from osdi.suppression.suppression_list import SuppressionList, suppression_list

SUBSCRIBED: Final = "subscribed"
# The arrays of contact details, and the property without which an entry is about the primary detail.
CONTACTS: Final = {"email_addresses": "address", "phone_numbers": "number"}
# Warnings for the sender of a post that would undo an opt-out.
KEPT: Final = {
    what: ErrorDescription("OPTED_OUT", description, (f"person.{array}",))
    for what, array, description in (
        (MAIL, "email_addresses", "an address has opted out of mail, and keeps its status. A PUT can subscribe it."),
        (CALLS, "phone_numbers", "a number has opted out of calls, and keeps do_not_call. A PUT can change that."),
        (TEXTS, "phone_numbers", "a number has opted out of texts, and keeps sms_capable. A PUT can change that."),
    )
}


@dataclass(frozen=True)
class Checked:
    """A changed person who obeys the list, the writes to the list, and warnings for the sender."""

    person: Document
    writes: tuple[Write, ...] = ()
    warnings: tuple[ErrorDescription, ...] = ()


def check_post(
    suppressed: SuppressionList,
    stored: ReadOnlyDocument,
    person: Document,
    posted: ReadOnlyDocument,
    rules: MatchKeyRules,
    source: str | None,
    timestamp: dt.datetime,
    listed: Mapping[str, Document | None],
) -> Checked:
    """Returns the person after a post, with its opt-outs in the list. A post lifts no refusal.

    `stored` is the person before the post, `posted` the fields of the post. Without a `source` the sender had no token:
    then what the post says is not added to the list. `listed` has the entry of each match key that was read with the
    person, None without an entry; other keys are read here. Raises OsdiError 503.
    """
    known = set(stored.get("contact_keys", ()))
    new = [key for key in person.get("contact_keys", ()) if key not in known]
    stated: RefusalsByKey = {}
    if source is not None:
        after = refusals_of(person, rules, source)
        became = changed(refusals_of(stored, rules, source), after) if after else {}
        stated = united(became, refusals_of(posted, rules, source))
    obedient = person
    writes: tuple[Write, ...] = ()
    if new or stated:
        concerned = {*new, *stated}
        entries = {key: entry for key in concerned if (entry := listed.get(key))}
        entries |= suppressed.read(concerned - listed.keys())
        obedient = obeying(person, of_entries(entries), rules)
        writes = suppressed.writes(entries, timestamp, add=stated)
    warnings = (*_warnings(posted, obedient, rules), *_about_nothing(posted, obedient)) if source is not None else ()
    return Checked(obedient, writes, warnings)


def check_put(
    store: Store,
    stored: ReadOnlyDocument,
    person: Document,
    named: ReadOnlyDocument,
    rules: MatchKeyRules,
    timestamp: dt.datetime,
) -> Checked:
    """Returns the person after a PUT of the fields `named`. Only what it says explicitly lifts a refusal.

    Raises OsdiError 503.
    """
    if not any(array in named for array in CONTACTS):
        return Checked(person)
    before, after = (refusals_of(each, rules, API) for each in (stored, person))
    stated = united(changed(before, after), refusals_of(named, rules, API))
    lifted = without(_lifted(named, person, rules), stated)
    suppressed = suppression_list(store)
    entries = suppressed.read(rules.contact_keys(person))
    writes = suppressed.writes(entries, timestamp, add=stated, lift=lifted)
    # A PUT that omits a flag of a number keeps it, as it keeps the status of an address (osdi.crud.resource_rules).
    numbers = {key: {what: by for what, by in each.items() if what != MAIL} for key, each in before.items()}
    refused = without(united(numbers, of_entries(entries)), united(lifted, stated))
    # Of two entries for one address or number, the one that refuses counts.
    return Checked(obeying(person, united(refused, stated), rules), writes)


def _lifted(named: ReadOnlyDocument, person: ReadOnlyDocument, rules: MatchKeyRules) -> RefusalsByKey:
    """Returns the refusals that a PUT lifts; an entry without an address or number is about the primary one."""
    found: list[RefusalsByKey] = []
    for entry in named.get("email_addresses", ()):
        address = entry.get("address") or primary(person.get("email_addresses", ()), "address")
        if entry.get("status") == SUBSCRIBED and address:
            found.append({email_key(address): {MAIL: API}})
    for entry in named.get("phone_numbers", ()):
        wanted = {CALLS: entry.get("do_not_call") is False, TEXTS: entry.get("sms_capable") is True}
        if "number" not in entry:
            number = primary(person.get("phone_numbers", ()), "number")
            entry = next((each for each in person.get("phone_numbers", ()) if each.get("number") == number), entry)
        key = rules.phone_key(entry) if any(wanted.values()) else None
        if key:
            found.append({key: {what: API for what, is_lifted in wanted.items() if is_lifted}})
    return united(*found)


def _warnings(posted: ReadOnlyDocument, person: ReadOnlyDocument, rules: MatchKeyRules) -> Iterator[ErrorDescription]:
    """Yields a warning for each kind of opt-out that the post would have undone."""
    refused = refusals_of(person, rules, API)
    if not refused:
        return
    wanted = _lifted(posted, person, rules)
    undone = {what for key, each in wanted.items() for what in each if what in refused.get(key, {})}
    yield from (KEPT[what] for what in KEPT if what in undone)


def _about_nothing(posted: ReadOnlyDocument, person: ReadOnlyDocument) -> Iterator[ErrorDescription]:
    """Yields a warning for each entry without an address or number, if the person has none that it could be about."""
    for array, detail in CONTACTS.items():
        if any(each.get(detail) for each in person.get(array, ())):
            continue
        for index, entry in enumerate(posted.get(array, ())):
            if entry:
                text = f"the person has no {detail} that this could be about."
                yield ErrorDescription("NOT_STORED", text, (f"person.{array}[{index}]",))
