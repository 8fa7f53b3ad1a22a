"""Store functions for erasure: erasure records, people, their outreaches, and tombstones.

An erasure record contains ids only, `{_id, people, outreaches, erased_date}`, and is written together with the deletion
of the person. It stays until the erasure is complete, even if a process dies, and until no request that read the
person earlier can still write about them.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any, Final

from pymongo import ReturnDocument

from osdi.deletions.records import person_deletion, recorded
from osdi.documents import Document
from osdi.errors import WriteConflict
from osdi.people.duplicates.exceptions_store import remove_exceptions_of
from osdi.resources import ADVOCACY_CAMPAIGN, LIST, MESSAGE, OUTREACH, PERSON, QUESTION, TAG, WRAPPER
from osdi.statistics.invalidation import invalidate_created, invalidate_each
from osdi.statistics.invalidation_store import complete, invalidate_created_of
from osdi.store import Delete, DocumentStore, Store, write_log
from osdi.store.indexes import ERASURES, MERGED_PEOPLE, STAFF, TOKENS, TOMBSTONES

# The number of documents that one command changes.
BATCH: Final = 500

# These collections are small, so a scan is cheap; people and outreaches have an index on `modified_by_id`.
REFERENCE: Final = (ADVOCACY_CAMPAIGN, TAG, LIST, QUESTION, MESSAGE, WRAPPER)

WORDS: Final = ("person_id", "type", "origin_system", "referrer_data")


def keys_of_others(store: Store, keys: Sequence[str], people: Sequence[str]) -> set[str]:
    """Returns those of these keys that a person outside `people` has, as a contact detail or as a match key."""
    # One query for each key, because thousands of people may have the same made-up address.
    with store.operation():
        found = store.collection(PERSON.collection)
        elsewhere = {"$nin": list(people)}
        return {
            key
            for key in keys
            for field in ("contact_keys", "match_keys")
            if found.find_one({field: key, "_id": elsewhere}, {"_id": 1})
        }


def begin_erasure(store: Store, erasure: Document, person: Document | None) -> Document:
    """Stores the erasure record and deletes the person, in one transaction if the server supports transactions.

    Returns the stored record, which includes the people of an earlier, interrupted erasure. Raises WriteConflict if the
    person has changed since they were read; then nothing is written. The erasure is published with the deletion, and
    again if a concurrent merge has added people to it.
    """
    record = recorded(store, person_deletion(erasure["people"], erased=True))
    change = {
        "$set": {name: erasure[name] for name in ("outreaches", "erased_date")},
        "$addToSet": {"people": {"$each": erasure["people"]}},
    }
    with store.operation(), store.transaction() as options:
        erasures = store.collection(ERASURES)
        known = (erasures.find_one({"_id": erasure["_id"]}, **options) or {}).get("people", ())
        if person is not None or not set(erasure["people"]) <= set(known):
            store.apply(record, options)
        begun = erasures.find_one_and_update(
            {"_id": erasure["_id"]}, change, upsert=True, return_document=ReturnDocument.AFTER, **options
        )
        assert begun is not None
        if person is not None:
            try:
                store.apply(invalidate_created(PERSON.collection, person), options)
                store.apply(Delete(PERSON.collection, person["_id"], person["version"]), options)
            except WriteConflict:
                if not options:
                    erasures.delete_one({"_id": erasure["_id"]})
                raise
    if person is not None:
        write_log.record(PERSON.collection, person["_id"])
    return begun


def oldest_erasure(store: Store, timestamp: dt.datetime) -> Document | None:
    """Returns the oldest erasure record from before `timestamp`."""
    return store.find_one(ERASURES, {"erased_date": {"$lt": timestamp}}, sort=("erased_date",))


def end_erasure(store: Store, erasure: Document) -> None:
    """Deletes the erasure record, unless a later erasure has renewed it."""
    with store.operation():
        store.collection(ERASURES).delete_one({"_id": erasure["_id"], "erased_date": erasure["erased_date"]})


def delete_people(store: Store, people: Sequence[str]) -> int:
    """Deletes these people, their merged copies and duplicate exceptions; returns the number of merged copies."""
    ids = list(people)
    invalidated = invalidate_created_of(store, PERSON.collection, {"_id": {"$in": ids}})
    with store.operation():
        deleted = store.collection(PERSON.collection).delete_many({"_id": {"$in": ids}})
        copies = store.collection(MERGED_PEOPLE).delete_many({"_id": {"$in": ids}})
    write_log.record_many(PERSON.collection, {"_id": ids[0]}, deleted.deleted_count)
    complete(store, invalidated)
    remove_exceptions_of(store, ids)
    return copies.deleted_count


def count_outreaches(store: Store, people: Sequence[str]) -> int:
    """Returns the number of these people's outreaches."""
    with store.operation():
        return store.collection(OUTREACH.collection).count_documents({"person_id": {"$in": list(people)}})


def outreaches_of(store: Store, people: Sequence[str], limit: int) -> list[Document]:
    """Returns at most `limit` outreaches of these people."""
    return store.find(OUTREACH.collection, {"person_id": {"$in": list(people)}}, limit=limit)


def tokens_of(store: Store, people: Sequence[str]) -> list[Document]:
    """Returns the tokens of these people."""
    return store.find(TOKENS, {"person_id": {"$in": list(people)}}, sort=("_id",))


def staff_of(store: Store, people: Sequence[str]) -> list[Document]:
    """Returns the staff members who are these people."""
    return store.find(STAFF, {"person_id": {"$in": list(people)}}, sort=("_id",))


def outreaches_around(store: Store, outreach: Document, limit: int) -> list[Document]:
    """Returns the free-text values of at most `limit` outreaches of the same campaign before this one, and after it."""
    found: list[Document] = []
    for operator, order in (("$lt", "-_id"), ("$gt", "_id")):
        query = {"advocacy_campaign_id": outreach["advocacy_campaign_id"], "_id": {operator: outreach["_id"]}}
        found += store.find(OUTREACH.collection, query, sort=(order,), limit=limit, fields=WORDS)
    return found


def rewrite_outreaches(
    store: Store, changes: Sequence[tuple[Document, Mapping[str, Any]]], timestamp: dt.datetime
) -> int:
    """Replaces each outreach by the document of its pair if it is unchanged; returns the number of replaced ones.

    Follow-ups change without a new version, so they are compared too. Raises WriteConflict.
    """
    changed = 0
    with store.operation(), store.transaction() as options:
        outreaches = store.collection(OUTREACH.collection)
        for each in invalidate_each(changes):
            store.apply(each, options)
        for stored, left in changes:
            selected = {
                **{name: stored[name] for name in ("_id", "version", "person_id")},
                "followups": stored.get("followups", {"$exists": False}),
            }
            # Webhook events that were queued since the outreach was read stay queued.
            fields = {name: value for name, value in left.items() if name not in ("_id", "webhook_events")}
            update: Document = {"$set": {**fields, "modified_date": timestamp, "version": stored["version"] + 1}}
            update["$unset"] = {name: "" for name in stored if name not in left}
            changed += outreaches.update_one(selected, update, **options).modified_count
    return changed


def forget_editors(store: Store, people: Sequence[str]) -> None:
    """Removes these people as creators, editors, token owners and staff members; the documents stay."""
    ids = {"$in": list(people)}
    with store.operation():
        for collection in (TOKENS, STAFF):
            store.collection(collection).update_many({"person_id": ids}, {"$unset": {"person_id": ""}})
        for resource in REFERENCE:
            for field in ("creator_id", "modified_by_id"):
                store.collection(resource.collection).update_many({field: ids}, _without(field))
        for resource in (PERSON, OUTREACH):
            documents = store.collection(resource.collection)
            while found := [each["_id"] for each in documents.find({"modified_by_id": ids}, {"_id": 1}).limit(BATCH)]:
                documents.update_many({"_id": {"$in": found}, "modified_by_id": ids}, _without("modified_by_id"))


def lay_tombstones(store: Store, digests: Sequence[str], timestamp: dt.datetime) -> None:
    """Stores these digests; safe to repeat."""
    with store.operation(), store.transaction() as options:
        for digest in digests:
            change = {"$set": {"erased_date": timestamp}}
            store.collection(TOMBSTONES).update_one({"_id": digest}, change, upsert=True, **options)


def any_tombstone(store: DocumentStore, digests: Sequence[str]) -> bool:
    """True if one of these digests is stored."""
    return bool(store.by_ids(TOMBSTONES, digests))


def date_of_tombstone(store: DocumentStore, digests: Sequence[str]) -> dt.datetime | None:
    """Returns the time of the erasure of one of these digests; None if none is stored."""
    found = store.find_one(TOMBSTONES, {"_id": {"$in": list(digests)}}, fields=("erased_date",))
    return found["erased_date"] if found else None


def tombstones_since(store: Store, timestamp: dt.datetime) -> dict[str, dt.datetime]:
    """Returns the digests that were stored at `timestamp` or later, with the times of the erasures."""
    with store.operation():
        found = store.collection(TOMBSTONES).find({"erased_date": {"$gte": timestamp}})
        return {each["_id"]: each["erased_date"] for each in found}


def lift_tombstones(store: Store, digests: Sequence[str]) -> int:
    """Deletes these digests; returns the number of deleted ones."""
    with store.operation():
        return store.collection(TOMBSTONES).delete_many({"_id": {"$in": list(digests)}}).deleted_count


def _without(field: str) -> Document:
    return {"$unset": {field: ""}, "$inc": {"version": 1}}
