"""Merging one person into another, because they are the same (docs/duplicates.md, docs/decisions/0021).

The process: the survivor as they will be is made of both; the other one's document is put aside, taken away, and the
survivor written, in one transaction or, on a standalone, in this order; then outreaches are moved in batches. Whoever
reads meanwhile finds them under the survivor, since what points at either is the survivor's. Whoever writes about
either has their version condition broken, looks again, and finds the survivor.

On a standalone merges are done one at a time, since two could each take away the other's survivor. The match keys of
whoever is merged are nobody's there between two of the writes. Whoever would claim one then finds what is put aside,
and finishes the merge first; so do the same merge again, and the worker.
"""

import datetime as dt
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, Final

from osdi.documents import Document
from osdi.errors import WriteConflict, conflict, document_too_large, invalid, not_found
from osdi.ids import new_id, now
from osdi.match_keys import MatchKeyRules
from osdi.people.lookup import get_person
from osdi.people.merge_rules import exceeds_size_limit, of_change
from osdi.people.merged_people_store import (
    delete_merged_copies,
    end_pending,
    erasure_of,
    merged_copies_of,
    note_merged,
    one_at_a_time,
    pending_since,
    pending_with,
)
from osdi.people.outreach_links_store import forget_person, move_outreaches
from osdi.people.survivorship import combine
from osdi.resources import PERSON
from osdi.retry import retry_on_conflict
from osdi.statistics.invalidation_store import invalidate_all
from osdi.store import Delete, Replace, Store, Update
from osdi.store.indexes import MERGED_PEOPLE

LINK: Final = "_links.osdi:person"

# A platform's router gives up at 30 s. What is not moved by then is the worker's, and under the survivor all the same.
MOVE_SECONDS: Final = 10.0

# Whoever has read a person before they were merged, and inserts an outreach of theirs, has done so by then.
SETTLED: Final = dt.timedelta(seconds=60)

# Completes the erasure of a person with one of the ids; False if none has begun (osdi.privacy.erasure.resume_erasure).
ResumeErasure = Callable[[Store, Sequence[str], MatchKeyRules], bool]


def merge_people(
    store: Store, survivor_id: str, other_id: str, rules: MatchKeyRules, *, by: str | None = None
) -> Document:
    """Merge the other person into the survivor; returns the survivor. Repeated, it finishes what was begun.

    `by` is the id of the person whose token asks. Raises OsdiError 404 without survivor, 400 without another person,
    409 for one who was merged into somebody else, 413 for a survivor who would exceed the size limit.
    """
    if survivor_id == other_id:
        raise invalid("A person cannot be merged into themselves.", LINK, resource=PERSON.rel)

    def attempt() -> Document:
        with one_at_a_time(store):
            return _merge_once(store, survivor_id, other_id, rules, by)

    survivor = retry_on_conflict(attempt)
    until = time.monotonic() + MOVE_SECONDS
    for gone_id in {survivor_id, other_id} - {survivor["_id"]}:
        _move(store, gone_id, survivor["_id"], until)
    return survivor


def united(
    store: Store, survivor: Document, other: Document, rules: MatchKeyRules, by: str | None = None
) -> tuple[Document, Update]:
    """The survivor as they will be, and the write that makes them so.

    A match key that somebody else has claimed meanwhile is left to them.
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
    events = of_change(survivor, person)
    update = Update(PERSON.collection, survivor["_id"], survivor["version"], changed, gone, events)
    return person | {"version": survivor["version"] + 1}, update


def finish_merges_of(store: Store, keys: Collection[str], rules: MatchKeyRules) -> None:
    """Before somebody claims these match keys, which nobody owns: finish the merges of those who owned them.

    Raises WriteConflict where there was one, so that the caller retries. On a server with transactions there is none.
    """
    if not keys or store.supports_transactions:
        return
    for held in pending_with(store, keys):
        alive = store.get(PERSON.collection, held["_id"])
        if alive is None and not _is_joined(store, held):
            if _finish(store, held, rules) is None:
                continue  # nobody is left who could have them
        elif alive is None or set(keys).isdisjoint(alive["match_keys"]):
            continue
        raise WriteConflict(f"person {held['_id']} was being merged")


def complete_next_merge(store: Store, rules: MatchKeyRules, resume_erasure: ResumeErasure) -> bool:
    """Finish what a merge has left behind that was done a while ago; False where there is nothing.

    That is an outreach that came in while its person was merged, or what a crash or too many outreaches left undone.
    `resume_erasure` completes the erasure of one of both, if one has begun, and returns whether it did.
    """
    held = pending_since(store, now() - SETTLED)
    if held is None:
        return False
    if store.get(PERSON.collection, held["_id"]) is not None:
        # A crash before anything was done, on a standalone.
        delete_merged_copies(store, {"_id": held["_id"], "pending": held["pending"]})
        return True
    survivor = retry_on_conflict(lambda: _finish(store, held, rules))
    if survivor is None:
        if resume_erasure(store, _both(held), rules):
            return True
        invalidate_all(store, {"person_id": held["_id"]})
        forget_person(store, held["_id"], now())
        delete_merged_copies(store, {"_id": held["_id"], "pending": held["pending"]})
        return True
    _move(store, held["_id"], survivor["_id"])
    end_pending(store, held, survivor["_id"])
    return True


def _merge_once(store: Store, survivor_id: str, other_id: str, rules: MatchKeyRules, by: str | None) -> Document:
    """The survivor, once the other one's document is gone and in theirs. Raises OsdiError, WriteConflict."""
    survivor, other = get_person(store, survivor_id), get_person(store, other_id)
    if survivor is None:
        raise not_found("There is no such person.", PERSON.rel)
    if other is None:
        raise invalid("There is no such person.", LINK, resource=PERSON.rel)
    if other["_id"] == survivor["_id"]:
        for held in store.by_ids(MERGED_PEOPLE, sorted({survivor_id, other_id} - {survivor["_id"]})):
            finished = _finish(store, held, rules)
            if finished is None:
                raise not_found("There is no such person.", PERSON.rel)
            survivor = finished
        return survivor
    if other["_id"] != other_id:
        message = f"This person was merged into {other['_id']}; name that one, if they are meant."
        raise conflict("MERGED", message, LINK, resource=PERSON.rel)
    person, update = united(store, survivor, other, rules, by)
    if exceeds_size_limit(person):
        raise document_too_large(PERSON.name)
    held = {"_id": other_id, "survivor_id": survivor["_id"], "person": other, "pending": new_id()}
    if store.supports_transactions:
        held["merged_date"] = now()
    # Who was merged into the other one before is the survivor too.
    led_on = (
        Replace(MERGED_PEOPLE, {**each, "survivor_id": survivor["_id"]}) for each in merged_copies_of(store, [other_id])
    )
    # The order matters on a server without transactions: whatever is put aside can be finished.
    delete = Delete(PERSON.collection, other_id, other["version"])
    store.write(*led_on, Replace(MERGED_PEOPLE, held), delete, update)
    note_merged(store, other_id, now())
    return person


def _finish(store: Store, held: Mapping[str, Any], rules: MatchKeyRules) -> Document | None:
    """The survivor of a merge that was put aside, once they have the other one; None where one of them is gone.

    The other one is gone who was erased while the merge began. Raises WriteConflict, OsdiError.
    """
    survivor = get_person(store, held["survivor_id"])
    if survivor is None or erasure_of(store, _both(held)):
        return None
    if held["_id"] not in survivor.get("merged_ids", ()):
        survivor, update = united(store, survivor, held["person"], rules)
        store.write(update)
    note_merged(store, held["_id"], now())
    return survivor


def _both(held: Mapping[str, Any]) -> tuple[str, str]:
    return held["_id"], held["survivor_id"]


def _is_joined(store: Store, held: Mapping[str, Any]) -> bool:
    return store.find_one(PERSON.collection, {"merged_ids": held["_id"]}) is not None


def _move(store: Store, from_id: str, to_id: str, until: float = float("inf")) -> None:
    """Move outreaches from one person to another, as long as there are some and it is not later than that."""
    while move_outreaches(store, from_id, to_id, now()) and time.monotonic() < until:
        pass
