"""Erasing in the store: people who are erased, their outreaches, and tombstones.

An erasure is a document of ids alone, `{_id, people, outreaches, erased_date}`, written together with the deletion of
the person. It says what is to be done until it is done, whoever dies meanwhile, and no request that read the person
before can still write about them.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any, Final

from pymongo import ReturnDocument

from osdi.documents import Document
from osdi.errors import WriteConflict
from osdi.resources import ADVOCACY_CAMPAIGN, LIST, MESSAGE, OUTREACH, PERSON, QUESTION, TAG, WRAPPER
from osdi.statistics.invalidation import invalidate_each
from osdi.store import Delete, DocumentStore, Store, write_log
from osdi.store.indexes import ERASURES, MERGED_PEOPLE, TOKENS, TOMBSTONES

# So many documents are changed by one command.
MANY: Final = 500

# In these few a scan is cheap; people and outreaches have an index for whom they were changed by.
REFERENCE: Final = (ADVOCACY_CAMPAIGN, TAG, LIST, QUESTION, MESSAGE, WRAPPER)

WORDS: Final = ("person_id", "type", "origin_system", "referrer_data")


def keys_of_others(store: Store, keys: Sequence[str], people: Sequence[str]) -> set[str]:
    """Those of these contact keys that somebody has who is not among `people`."""
    # One look for each: thousands may have given the same address that is nobody's.
    with store.operation():
        found = store.collection(PERSON.collection)
        elsewhere = {"$nin": list(people)}
        return {key for key in keys if found.find_one({"contact_keys": key, "_id": elsewhere}, {"_id": 1})}


def begin_erasure(store: Store, erasure: Document, person: Document | None) -> Document:
    """Write down the erasure and delete the person, as one where the server has transactions.

    Returns the erasure as it stands, including what an earlier, interrupted one has begun with. Raises WriteConflict if
    the person has changed since; then nothing is written.
    """
    change = {
        "$set": {name: erasure[name] for name in ("outreaches", "erased_date")},
        "$addToSet": {"people": {"$each": erasure["people"]}},
    }
    with store.operation(), store.transaction() as options:
        erasures = store.collection(ERASURES)
        begun = erasures.find_one_and_update(
            {"_id": erasure["_id"]}, change, upsert=True, return_document=ReturnDocument.AFTER, **options
        )
        assert begun is not None
        if person is not None:
            try:
                store.apply(Delete(PERSON.collection, person["_id"], person["version"]), options)
            except WriteConflict:
                if not options:
                    erasures.delete_one({"_id": erasure["_id"]})
                raise
    if person is not None:
        write_log.record(PERSON.collection, person["_id"])
    return begun


def oldest_erasure(store: Store, timestamp: dt.datetime) -> Document | None:
    """The oldest of the erasures that were begun before this moment and are not over."""
    return store.find_one(ERASURES, {"erased_date": {"$lt": timestamp}}, sort=("erased_date",))


def end_erasure(store: Store, erasure: Document) -> None:
    """Nothing is left to do for the erasure."""
    with store.operation():
        store.collection(ERASURES).delete_one({"_id": erasure["_id"], "erased_date": erasure["erased_date"]})


def delete_people(store: Store, people: Sequence[str]) -> int:
    """Delete these people, and what is held of them; how many held documents these were."""
    ids = list(people)
    with store.operation():
        deleted = store.collection(PERSON.collection).delete_many({"_id": {"$in": ids}})
        held = store.collection(MERGED_PEOPLE).delete_many({"_id": {"$in": ids}})
    write_log.record_many(PERSON.collection, {"_id": ids[0]}, deleted.deleted_count)
    return held.deleted_count


def count_outreaches(store: Store, people: Sequence[str]) -> int:
    """How many outreaches these people have."""
    with store.operation():
        return store.collection(OUTREACH.collection).count_documents({"person_id": {"$in": list(people)}})


def outreaches_of(store: Store, people: Sequence[str], limit: int) -> list[Document]:
    """Outreaches of these people, so many at the most."""
    return store.find(OUTREACH.collection, {"person_id": {"$in": list(people)}}, limit=limit)


def tokens_of(store: Store, people: Sequence[str]) -> list[Document]:
    """The tokens that are these people's."""
    return store.find(TOKENS, {"person_id": {"$in": list(people)}}, sort=("_id",))


def outreaches_around(store: Store, outreach: Document, limit: int) -> list[Document]:
    """What others said on the same campaign: of so many outreaches before this one and after it, the words."""
    found: list[Document] = []
    for operator, order in (("$lt", "-_id"), ("$gt", "_id")):
        query = {"advocacy_campaign_id": outreach["advocacy_campaign_id"], "_id": {operator: outreach["_id"]}}
        found += store.find(OUTREACH.collection, query, sort=(order,), limit=limit, fields=WORDS)
    return found


def rewrite_outreaches(
    store: Store, changes: Sequence[tuple[Document, Mapping[str, Any]]], timestamp: dt.datetime
) -> int:
    """Make these outreaches what stands beside them; how many were still as they were read.

    Follow-ups are marked without moving the version, so they are compared too. Raises WriteConflict.
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
            # What is noted for webhooks meanwhile stays noted.
            fields = {name: value for name, value in left.items() if name not in ("_id", "webhook_events")}
            update: Document = {"$set": {**fields, "modified_date": timestamp, "version": stored["version"] + 1}}
            update["$unset"] = {name: "" for name in stored if name not in left}
            changed += outreaches.update_one(selected, update, **options).modified_count
    return changed


def forget_editors(store: Store, people: Sequence[str]) -> None:
    """Take these people off what they made and changed, and off their tokens, which stay."""
    ids = {"$in": list(people)}
    with store.operation():
        store.collection(TOKENS).update_many({"person_id": ids}, {"$unset": {"person_id": ""}})
        for resource in REFERENCE:
            for field in ("creator_id", "modified_by_id"):
                store.collection(resource.collection).update_many({field: ids}, _without(field))
        for resource in (PERSON, OUTREACH):
            documents = store.collection(resource.collection)
            while found := [each["_id"] for each in documents.find({"modified_by_id": ids}, {"_id": 1}).limit(MANY)]:
                documents.update_many({"_id": {"$in": found}, "modified_by_id": ids}, _without("modified_by_id"))


def lay_tombstones(store: Store, digests: Sequence[str], timestamp: dt.datetime) -> None:
    """Write down these digests; safe to repeat."""
    with store.operation(), store.transaction() as options:
        for digest in digests:
            change = {"$set": {"erased_date": timestamp}}
            store.collection(TOMBSTONES).update_one({"_id": digest}, change, upsert=True, **options)


def any_tombstone(store: DocumentStore, digests: Sequence[str]) -> bool:
    """Whether one of these digests is written down."""
    return store.find_one(TOMBSTONES, {"_id": {"$in": list(digests)}}, fields=("_id",)) is not None


def tombstones_since(store: Store, timestamp: dt.datetime) -> set[str]:
    """The digests that were written down at this moment or later."""
    with store.operation():
        return {
            each["_id"] for each in store.collection(TOMBSTONES).find({"erased_date": {"$gte": timestamp}}, {"_id": 1})
        }


def lift_tombstones(store: Store, digests: Sequence[str]) -> int:
    """Delete these digests; how many there were."""
    with store.operation():
        return store.collection(TOMBSTONES).delete_many({"_id": {"$in": list(digests)}}).deleted_count


def _without(field: str) -> Document:
    return {"$unset": {field: ""}, "$inc": {"version": 1}}
