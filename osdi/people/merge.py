"""Merges a duplicate into the survivor (docs/duplicates.md, docs/decisions/0021).

A merge stores a copy of the duplicate's document in `merged_people`, deletes the document, and updates the survivor: in
one transaction or, on a standalone, in this order. Then it moves outreaches in batches. Reads find the outreaches under
the survivor at any time. A concurrent write fails on the version, is retried, and finds the survivor.

On a standalone one merge runs at a time, since two could each delete the other's survivor. A merge that was interrupted
there is completed by the same request, by the worker, or by a request that claims one of the duplicate's match keys.
"""

import datetime as dt
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, Final

from osdi.deletions.records import merge_deletion
from osdi.documents import Document
from osdi.errors import WriteConflict, conflict, document_too_large, invalid, not_found
from osdi.ids import new_id, now
from osdi.match_keys import MatchKeyRules
from osdi.people.duplicates.exceptions_store import remove_exceptions_within
from osdi.people.lookup import get_person
from osdi.people.merge_rules import events_of_change, exceeds_size_limit
from osdi.people.merged_people_store import (
    delete_merged_copies,
    end_pending,
    erasure_of,
    find_pending_copies,
    find_pending_copy,
    ids_of,
    merge_lock,
    merged_copies_of,
    set_merged_date,
)
from osdi.people.outreach_links_store import forget_person, move_outreaches
from osdi.people.survivorship import combine
from osdi.resources import PERSON
from osdi.retry import retry_on_conflict
from osdi.statistics.invalidation import invalidate_created
from osdi.statistics.invalidation_store import complete, invalidate_all
from osdi.store import Delete, Replace, Store, Update
from osdi.store.indexes import MERGED_PEOPLE

PERSON_LINK: Final = "_links.osdi:person"

# A platform's router gives up at 30 s. The worker moves the remaining outreaches; reads find them under the survivor.
MOVE_SECONDS: Final = 10.0

# A request that has read the duplicate before the merge has inserted its outreach by then.
SETTLED: Final = dt.timedelta(seconds=60)

# Completes the erasure of a person with one of the ids; False if none has begun (osdi.privacy.erasure.resume_erasure).
ResumeErasure = Callable[[Store, Sequence[str], MatchKeyRules], bool]

# Raises OsdiError if the survivor and the other person, as they are stored now, must not be merged.
CheckBoth = Callable[[Document, Document], None]


def merge_stored_people(
    store: Store,
    survivor_id: str,
    other_id: str,
    rules: MatchKeyRules,
    *,
    by: str | None = None,
    check: CheckBoth = lambda survivor, other: None,
) -> Document:
    """Merges the other person into the survivor; returns the survivor. A repeated call completes an interrupted merge.

    `by` is the id of the person whose token is used. Raises OsdiError 404 if there is no survivor, 400 if there is no
    other person, 409 if the other one was merged into a third, 413 if the survivor would exceed the size limit; and the
    error of `check` before anything is written.
    """
    if survivor_id == other_id:
        raise invalid("A person cannot be merged into themselves.", PERSON_LINK, resource=PERSON.rel)

    def attempt() -> Document:
        with merge_lock(store):
            return _merge_once(store, survivor_id, other_id, rules, by, check)

    survivor = retry_on_conflict(attempt)
    remove_exceptions_within(store, survivor)
    until = time.monotonic() + MOVE_SECONDS
    for gone_id in {survivor_id, other_id} - {survivor["_id"]}:
        _move(store, gone_id, survivor["_id"], until)
    return survivor


def merged_survivor(
    store: Store, survivor: Document, other: Document, rules: MatchKeyRules, by: str | None = None
) -> tuple[Document, Update]:
    """Returns the survivor's document after the merge, and the write that stores it.

    A match key that a third person has claimed meanwhile stays with that person.
    """
    person = combine(survivor, other, rules)
    owners = store.by_match_keys(PERSON.collection, person["match_keys"])
    both = (survivor["_id"], other["_id"])
    elsewhere = {key for owner in owners if owner["_id"] not in both for key in owner["match_keys"]}
    person["match_keys"] = [key for key in person["match_keys"] if key not in elsewhere]
    rules.set_derived_keys(person)
    person |= {"modified_date": now(), **({"modified_by_id": by} if by else {})}
    changed = {name: value for name, value in person.items() if survivor.get(name) != value}
    gone = tuple(name for name in survivor if name not in person)
    events = events_of_change(survivor, person)
    update = Update(PERSON.collection, survivor["_id"], survivor["version"], changed, gone, events)
    return person | {"version": survivor["version"] + 1}, update


def finish_merges_of(store: Store, keys: Collection[str], rules: MatchKeyRules) -> None:
    """Completes interrupted merges of people who owned these match keys; called before another person claims them.

    Raises WriteConflict if there was such a merge, so that the caller retries. With transactions there is none.
    """
    if not keys or store.supports_transactions:
        return
    for copy in find_pending_copies(store, keys):
        alive = store.get(PERSON.collection, copy["_id"])
        if alive is None and not _is_in_survivor(store, copy):
            if _finish(store, copy, rules) is None:
                continue  # one of both was deleted or erased: the keys are free
        elif alive is None or set(keys).isdisjoint(alive["match_keys"]):
            continue
        raise WriteConflict(f"person {copy['_id']} was being merged")


def complete_next_merge(
    store: Store, rules: MatchKeyRules, resume_erasure: ResumeErasure, timestamp: dt.datetime | None = None
) -> bool:
    """Completes one merge that began more than SETTLED before `timestamp` (default: now); False if there is none.

    It moves outreaches that were inserted during the merge, and does the steps that a crash or a large number of
    outreaches left. `resume_erasure` completes an erasure of one of both, if one has begun, and returns True then.
    """
    copy = find_pending_copy(store, (timestamp or now()) - SETTLED)
    if copy is None:
        return False
    if store.get(PERSON.collection, copy["_id"]) is not None:
        # On a standalone the process ended before it deleted the document: the merge did not happen.
        delete_merged_copies(store, {"_id": copy["_id"], "pending": copy["pending"]})
        return True
    survivor = retry_on_conflict(lambda: _finish(store, copy, rules))
    if survivor is None:
        if resume_erasure(store, _both(copy), rules):
            return True
        invalidated = invalidate_all(store, {"person_id": copy["_id"]})
        forget_person(store, copy["_id"], now())
        complete(store, invalidated)
        delete_merged_copies(store, {"_id": copy["_id"], "pending": copy["pending"]})
        return True
    _move(store, copy["_id"], survivor["_id"])
    end_pending(store, copy, survivor["_id"])
    return True


def _merge_once(
    store: Store, survivor_id: str, other_id: str, rules: MatchKeyRules, by: str | None, check: CheckBoth
) -> Document:
    """Writes the merge once; returns the survivor. Raises OsdiError, WriteConflict."""
    survivor, other = get_person(store, survivor_id), get_person(store, other_id)
    if survivor is None:
        raise not_found("There is no such person.", PERSON.rel)
    if other is None:
        raise invalid("There is no such person.", PERSON_LINK, resource=PERSON.rel)
    if other["_id"] == survivor["_id"]:
        for copy in store.by_ids(MERGED_PEOPLE, sorted({survivor_id, other_id} - {survivor["_id"]})):
            finished = _finish(store, copy, rules)
            if finished is None:
                raise not_found("There is no such person.", PERSON.rel)
            survivor = finished
        return survivor
    if other["_id"] != other_id:
        message = f"This person was merged into {other['_id']}; use that id instead."
        raise conflict("MERGED", message, PERSON_LINK, resource=PERSON.rel)
    check(survivor, other)
    person, update = merged_survivor(store, survivor, other, rules, by)
    if exceeds_size_limit(person):
        raise document_too_large(PERSON.name)
    copy = {"_id": other_id, "survivor_id": survivor["_id"], "person": other, "pending": new_id()}
    if store.supports_transactions:
        copy["merged_date"] = now()
    # People who were merged into the duplicate before lead to the survivor now.
    redirected = (
        Replace(MERGED_PEOPLE, {**each, "survivor_id": survivor["_id"]}) for each in merged_copies_of(store, [other_id])
    )
    # The order matters without transactions: from the stored copy an interrupted merge can be completed.
    delete = Delete(PERSON.collection, other_id, other["version"])
    invalidation = invalidate_created(PERSON.collection, other)
    record = merge_deletion(ids_of(other), survivor["_id"])
    store.write(*redirected, Replace(MERGED_PEOPLE, copy), invalidation, record, delete, update)
    set_merged_date(store, other_id, now())
    return person


def _finish(store: Store, copy: Mapping[str, Any], rules: MatchKeyRules) -> Document | None:
    """Completes the update of the survivor; returns the survivor, or None if one of both was deleted or erased.

    `copy` is the stored copy of the duplicate. Raises WriteConflict, OsdiError.
    """
    survivor = get_person(store, copy["survivor_id"])
    if survivor is None or erasure_of(store, _both(copy)):
        return None
    if copy["_id"] not in survivor.get("merged_ids", ()):
        survivor, update = merged_survivor(store, survivor, copy["person"], rules)
        store.write(update)
    set_merged_date(store, copy["_id"], now())
    return survivor


def _both(copy: Mapping[str, Any]) -> tuple[str, str]:
    return copy["_id"], copy["survivor_id"]


def _is_in_survivor(store: Store, copy: Mapping[str, Any]) -> bool:
    return store.find_one(PERSON.collection, {"merged_ids": copy["_id"]}) is not None


def _move(store: Store, from_id: str, to_id: str, until: float = float("inf")) -> None:
    """Moves outreaches from one person to another until none is left, or until the time `until` (time.monotonic)."""
    while move_outreaches(store, from_id, to_id, now()) and time.monotonic() < until:
        pass
