"""Erases a person: deletes their data, and keeps their outreaches in the counts.

Steps: (1) store tombstones, so that no import creates the person again; (2) in one write, delete the person's document
if its version is unchanged, and store an erasure record; (3) delete or anonymise everything else, which is safe to
repeat. A request that read the person before step 2 can still record an outreach for them. The erasure record
therefore stays until all such requests have ended; a worker (or `apply-retention`) repeats step 3 before it deletes
the record. docs/decisions/0022 explains the order.
"""

import datetime as dt
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from osdi.documents import Document
from osdi.errors import OsdiError, WriteConflict, not_found, unavailable
from osdi.etags import IfMatch, check_if_match
from osdi.ids import now
from osdi.match_keys import NAME_AND_POSTAL_CODE, MatchKeyRules
from osdi.outreaches.deletion_store import delete_outreach
from osdi.people import merged_people_store
from osdi.people.custom_names_store import forget_names
from osdi.people.lookup import get_person
from osdi.people.merged_people_store import all_ids, ids_of, merged_copies_of
from osdi.privacy import erasure_store
from osdi.privacy.anonymisation import ANONYMISE, DELETE, KEEP, all_words, anonymised, unlinked, words_of_others
from osdi.privacy.tombstones import erased_since, note_erasure
from osdi.resources import PERSON
from osdi.retry import retry_on_conflict
from osdi.statistics.invalidation_store import drop_stale_rollups, forget_people
from osdi.store import Store
from osdi.store.scan import scan
from osdi.store.store import SETTLED

# Time limit within a request, because a platform's router gives up at 30 s. A repeat or a worker does the rest.
REQUEST_SECONDS: Final = 15.0
BATCH: Final = 100
# The number of outreaches before and after an outreach that are searched for the same value.
NEIGHBOURS: Final = 500


@dataclass(frozen=True)
class Erased:
    """The number of outreaches that were changed or deleted, and of merged people who were deleted with the person."""

    outreaches: int = 0
    merged: int = 0


def erase(
    store: Store,
    person_id: str,
    rules: MatchKeyRules,
    outreaches: str = ANONYMISE,
    *,
    if_match: IfMatch = None,
    seconds: float = REQUEST_SECONDS,
) -> Erased:
    """Erases the person with this id, or the survivor of a merge of that id. `outreaches` is one of CHOICES.

    Raises OsdiError 404 after completing an earlier erasure of that id; 412; 503 if the work takes longer than
    `seconds`: a repeat continues it.
    """

    def begin() -> Document | None:
        person = get_person(store, person_id)
        ids = ids_of(person) if person else [person_id]
        copies = merged_copies_of(store, ids)
        if person is None and not copies:
            return None
        if person is not None:
            check_if_match(person, if_match, merged=person["_id"] != person_id)
        people = all_ids(ids, copies)
        documents = [*([person] if person else []), *(each["person"] for each in copies)]
        timestamp = now()
        note_erasure(store, _keys(store, documents, people, rules), timestamp)
        erasure = {"_id": ids[0], "people": people, "outreaches": outreaches, "erased_date": timestamp}
        return erasure_store.begin_erasure(store, erasure, person)

    begun = retry_on_conflict(begin)
    ends = time.monotonic() + seconds
    if begun is None:
        left = merged_people_store.erasure_of(store, [person_id])
        if left is not None:
            _carry_out(store, left, rules, ends)
        raise not_found("There is no such person.", PERSON.rel)
    return _carry_out(store, begun, rules, ends)


def erase_again(store: Store, since: dt.datetime, rules: MatchKeyRules) -> int:
    """Erases people again after a restore: those who were erased at `since` (naive UTC) or later.

    A person who was created after the erasure has come back. Returns the number of erased people. Raises OsdiError 503.
    """
    was_erased = erased_since(store, since)
    erased = 0
    for person in scan(store, PERSON.collection, {}, wait_seconds=REQUEST_SECONDS):
        if was_erased([*person["match_keys"], *rules.contact_keys(person)], person["created_date"]):
            try:
                erase(store, person["_id"], rules, seconds=float("inf"))
            except OsdiError as error:
                if error.status != 404:  # erased with another person since the scan read them
                    raise
            else:
                erased += 1
    return erased


def resume_erasure(store: Store, ids: Sequence[str], rules: MatchKeyRules, seconds: float = REQUEST_SECONDS) -> bool:
    """Completes the pending erasure of one of these ids; False if there is none.

    Raises OsdiError 503 if the work takes longer than `seconds`.
    """
    erasure = merged_people_store.erasure_of(store, ids)
    if erasure is None:
        return False
    _carry_out(store, erasure, rules, time.monotonic() + seconds)
    return True


def finish_next_erasure(
    store: Store, rules: MatchKeyRules, timestamp: dt.datetime, seconds: float = REQUEST_SECONDS
) -> bool:
    """Completes the oldest erasure that no running request can add to, and deletes its record; False if there is none.

    Raises OsdiError 503 if the work takes longer than `seconds`.
    """
    erasure = erasure_store.oldest_erasure(store, timestamp - SETTLED)
    if erasure is None:
        return False
    _carry_out(store, erasure, rules, time.monotonic() + seconds)
    erasure_store.end_erasure(store, erasure)
    return True


def _carry_out(store: Store, erasure: Document, rules: MatchKeyRules, ends: float) -> Erased:
    """Does all steps after the tombstones, and skips those that are complete. Raises OsdiError 503."""
    erasure = _with_merged_since(store, erasure, rules)
    erasure_store.delete_people(store, erasure["people"])
    forget_names(store)
    outreaches = 0
    while changed := retry_on_conflict(lambda: _next_outreaches(store, erasure)):
        outreaches += changed
        if time.monotonic() >= ends:
            raise unavailable("There is more to erase than one request can; send it again to go on.", seconds=1)
    erasure_store.forget_editors(store, erasure["people"])
    drop_stale_rollups(store)
    forget_people(store, erasure["people"])
    return Erased(outreaches, len(erasure["people"]) - 1)


def _with_merged_since(store: Store, erasure: Document, rules: MatchKeyRules) -> Document:
    """Returns the erasure, with the people that a concurrent merge moved; undoing a merge must not bring one back."""
    copies = merged_copies_of(store, erasure["people"])
    people = all_ids(erasure["people"], copies)
    if len(people) == len(erasure["people"]):
        return erasure
    note_erasure(store, _keys(store, [each["person"] for each in copies], people, rules), now())
    return erasure_store.begin_erasure(store, {**erasure, "people": people}, None)


def _next_outreaches(store: Store, erasure: Document) -> int:
    """Deletes or rewrites one batch of outreaches; returns their number. Raises WriteConflict."""
    found = erasure_store.outreaches_of(store, erasure["people"], BATCH)
    if erasure["outreaches"] == DELETE:
        for outreach in found:
            delete_outreach(store, outreach)
        return len(found)
    changed = erasure_store.rewrite_outreaches(store, [(each, _left(store, each, erasure)) for each in found], now())
    if found and not changed:
        raise WriteConflict("Every one of these outreaches has changed since it was read.")
    return changed


def _left(store: Store, outreach: Document, erasure: Mapping[str, Any]) -> Document:
    """Returns the outreach in the form in which it is kept."""
    if erasure["outreaches"] == KEEP:
        return unlinked(outreach)
    wanted = all_words(outreach)
    others = erasure_store.outreaches_around(store, outreach, NEIGHBOURS) if wanted else []
    return anonymised(outreach, wanted & words_of_others(others, set(erasure["people"])))


def _keys(store: Store, documents: list[Document], people: list[str], rules: MatchKeyRules) -> list[str]:
    """Returns the keys that get tombstones: identifiers and contact details that no other stored person has.

    A name with a postal code gets none, because another person can have the same. An identifier of a merged copy may
    belong to another person by now.
    """
    contacts = {key for each in documents for key in (*each.get("contact_keys", ()), *rules.contact_keys(each))}
    keys = contacts.union(*(each["match_keys"] for each in documents))
    identifying = sorted(key for key in keys if not key.startswith(NAME_AND_POSTAL_CODE))
    return sorted(set(identifying) - erasure_store.keys_of_others(store, identifying, people))
