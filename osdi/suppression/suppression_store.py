"""Brings the suppression list and stored people together: after a migration, and in a restore. All safe to repeat."""

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import Final

from pymongo.errors import BulkWriteError

from osdi.documents import Document
from osdi.errors import WriteConflict
from osdi.ids import now
from osdi.match_keys import MatchKeyRules
from osdi.resources import PERSON
from osdi.retry import retry_on_conflict
from osdi.store import Store, Update
from osdi.store.driver import only_duplicate_keys
from osdi.store.indexes import SUPPRESSIONS
from osdi.store.scan import scan
from osdi.suppression.opt_outs import (
    CALLS,
    MAIL,
    MIGRATION,
    STRICTNESS,
    TEXTS,
    OptOutsByKey,
    obeying,
    of_entries,
    opt_outs_of,
    united,
    with_earlier,
    with_opt_outs,
)
from osdi.suppression.suppression_list import SuppressionList, suppression_list

BATCH: Final = 500
# The names by which a person's `unconfirmed_statuses` (osdi.people.opt_outs) begin.
STATUS_NAMES: Final = {MAIL: "status", CALLS: "do_not_call", TEXTS: "sms_capable"}
WAIT_SECONDS: Final = 60.0
# The people whose contact details have an opt-out.
WITH_OPT_OUTS: Final = {
    "$or": [
        {"email_addresses.status": {"$in": list(STRICTNESS)}},
        {"phone_numbers.do_not_call": True},
        {"phone_numbers.sms_capable": False},
    ]
}


def fill_from_people(store: Store, rules: MatchKeyRules) -> Iterator[int]:
    """Adds the opt-outs of all stored people to the list; yields the number of changed entries after each batch.

    Nobody knows since when they hold: the date is that of the person's last change. Raises OsdiError 503.
    """
    people = scan(store, PERSON.collection, WITH_OPT_OUTS, wait_seconds=WAIT_SECONDS)
    while batch := list(islice(people, BATCH)):
        suppressed = suppression_list(store)  # its key is made if there is anything to add
        found: OptOutsByKey = {}
        dates: dict[str, dt.datetime] = {}
        for person in batch:
            opt_outs = _confirmed(person, opt_outs_of(person, rules, MIGRATION))
            found = united(found, opt_outs)
            changed: dt.datetime = person.get("modified_date") or now()
            dates |= dict.fromkeys(opt_outs, changed)
        # The list is opened for people only: opening it creates its signing key.
        suppressed = suppression_list(store)
        yield retry_on_conflict(lambda: _add(suppressed, store, found, dates))  # noqa: B023  # called at once


def _confirmed(person: Document, opt_outs: OptOutsByKey) -> OptOutsByKey:
    """Returns the opt-outs that a token holder or the supporter stated: a post without a token only claims one."""
    unconfirmed = person.get("unconfirmed_statuses", ())
    return {
        key: {what: source for what, source in each.items() if f"{STATUS_NAMES[what]} {key}" not in unconfirmed}
        for key, each in opt_outs.items()
    }


def apply_to_people(store: Store, rules: MatchKeyRules) -> Iterator[int]:
    """Gives stored people the opt-outs of the list; yields the number of changed people after each batch.

    Raises OsdiError 503.
    """
    if store.find_one(SUPPRESSIONS, {}, fields=("_id",)) is None:
        return
    suppressed = suppression_list(store)
    people = scan(store, PERSON.collection, {"contact_keys": {"$exists": True}}, wait_seconds=WAIT_SECONDS)
    while batch := list(islice(people, BATCH)):
        opt_outs = of_entries(suppressed.read({key for person in batch for key in person["contact_keys"]}))
        yield sum(_apply(store, person, opt_outs, rules) for person in batch) if opt_outs else 0


def _apply(store: Store, person: Document, opt_outs: OptOutsByKey, rules: MatchKeyRules) -> bool:
    obedient = obeying(person, opt_outs, rules)
    changed = {name: value for name, value in obedient.items() if value != person[name]}
    if changed:
        fields = {**changed, "modified_date": now()}
        store.write(Update(PERSON.collection, person["_id"], person["version"], fields))
    return bool(changed)


def _add(suppressed: SuppressionList, store: Store, opt_outs: OptOutsByKey, dates: Mapping[str, dt.datetime]) -> int:
    """Adds the opt-outs of one batch; returns the number of changed entries. Raises WriteConflict."""
    entries = suppressed.read(opt_outs)
    new = {key: each for key, each in opt_outs.items() if key not in entries}
    made = [with_opt_outs(suppressed.new_entry(key), each, dates[key]) for key, each in new.items() if each]
    changed = _insert(store, made)
    for key, entry in entries.items():
        if writes := suppressed.writes({key: entry}, dates[key], add={key: opt_outs[key]}):
            store.write(*writes)
            changed += 1
    return changed


def unite(store: Store, documents: Iterable[Document]) -> int:
    """Adds the entries of a backup to the list, and returns the number of changed entries.

    An entry that is in both keeps its present opt-outs, and gains those of the backup that nobody has lifted since. So
    no restore of an older backup loses an opt-out. Raises OsdiError 503.
    """
    documents = iter(documents)
    changed = 0
    while batch := list(islice(documents, BATCH)):
        changed += retry_on_conflict(lambda: _unite(store, batch))  # called at once
    return changed


def _unite(store: Store, batch: list[Document]) -> int:
    present = {each["_id"]: each for each in store.by_ids(SUPPRESSIONS, [each["_id"] for each in batch])}
    changed = _insert(store, [each for each in batch if each["_id"] not in present])
    for earlier in batch:
        entry = present.get(earlier["_id"], earlier)
        whole = with_earlier(entry, earlier)
        if whole != entry:
            fields = {name: whole[name] for name in ("refused", "history")}
            store.write(Update(SUPPRESSIONS, entry["_id"], entry["version"], fields))
            changed += 1
    return changed


def _insert(store: Store, entries: list[Document]) -> int:
    """Inserts new entries; returns their number. Raises WriteConflict if another process has inserted some of them."""
    if not entries:
        return 0
    with store.operation():
        try:
            return len(store.collection(SUPPRESSIONS).insert_many(entries, ordered=False).inserted_ids)
        except BulkWriteError as error:
            if not only_duplicate_keys(error):
                raise
            raise WriteConflict("Another process has added the same opt-outs.") from error
