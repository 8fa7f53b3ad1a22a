"""Totals that are counted when a document is read: outreaches of a campaign, entries of a tag, list or question."""

from collections.abc import Mapping
from typing import Any, Final

from osdi.action_functions.answers import FURTHER_ANSWERS
from osdi.documents import Document, ReadOnlyDocument
from osdi.ids import id_before, now
from osdi.outreaches.deletion_store import complete_deletions
from osdi.resources import ADVOCACY_CAMPAIGN, ANSWER, ITEM, LIST, OUTREACH, PERSON, Resource
from osdi.statistics.invalidation_store import delete_all_rollups
from osdi.store import DocumentStore, Store
from osdi.store.driver import READ_MS
from osdi.store.pages.count_cache import LARGE
from osdi.store.store import SETTLED

# A campaign's mark is moved when this many outreaches come after it.
MAX_UNCOUNTED: Final = 1_000


def with_total(store: Store, resource: Resource, document: Mapping[str, Any]) -> Document:
    """Returns the document with the totals of its resource. Raises OsdiError 503."""
    if resource is ADVOCACY_CAMPAIGN:
        return {**document, "total_outreaches": total_outreaches(store, document)}
    if resource is LIST:
        return {**document, "total_items": count_people_with(store, ITEM.collection, "list_id", document["_id"])}
    return dict(document)


def total_outreaches(store: Store, campaign: ReadOnlyDocument) -> int:
    """Returns the exact number of a campaign's outreaches, without a write for each outreach.

    The campaign stores the number of outreaches up to an id, its mark; only outreaches after the mark are counted. When
    these become many, the mark is moved, but only to ids older than SETTLED, since an id is assigned before its
    document is committed. Raises OsdiError 503.
    """
    campaign = complete_deletions(store, campaign)
    counted = campaign.get("counted", {"outreaches": 0, "through": ""})
    behind: Document = {"advocacy_campaign_id": campaign["_id"], "_id": {"$gt": counted["through"]}}
    with store.operation():
        outreaches = store.collection(OUTREACH.collection)
        uncounted = outreaches.count_documents(behind)
        # While a deletion is announced, nobody can tell if the count below includes the outreach.
        if uncounted > MAX_UNCOUNTED and not campaign.get("deleting"):
            through = max(id_before(now() - SETTLED), counted["through"])
            settled = outreaches.count_documents(behind | {"_id": {"$gt": counted["through"], "$lt": through}})
            mark = {"outreaches": counted["outreaches"] + settled, "through": through}
            # The mark moves only if no other reader moved it, and no outreach was deleted, since the campaign was read.
            unchanged = {name: campaign.get(name) for name in ("counted", "deletions", "deleting")}
            store.collection(ADVOCACY_CAMPAIGN.collection).update_one(
                {"_id": campaign["_id"], **unchanged}, {"$set": {"counted": mark}}
            )
    return int(counted["outreaches"]) + uncounted


def count_people_with(store: DocumentStore, array: str, field: str, value: str) -> int:
    """Returns the number of people with an entry in `array` whose `field` is `value`, counted on an index.

    Raises OsdiError 503.
    """
    return store.count(PERSON.collection, {f"{array}.{field}": value})


def count_answers(store: Store, question_id: str) -> int:
    """Returns the number of answers to a question, of which a person may have given several. Raises OsdiError 503.

    Indexes count the people with an answer, and add up their further answers.
    """
    answered: Document = {f"{ANSWER.collection}.question_id": question_id}
    # Selected by a value, and projected, so that the database reads the index only.
    further: list[Document] = [
        {"$match": {**answered, FURTHER_ANSWERS: {"$gt": {}}}},
        {"$project": {"_id": 0, FURTHER_ANSWERS: 1}},
        {"$group": {"_id": None, "number": {"$sum": f"${FURTHER_ANSWERS}.{question_id}"}}},
    ]
    options: dict[str, Any] = {} if store.in_memory else {"maxTimeMS": READ_MS}

    def count() -> int:
        people = store.collection(PERSON.collection)
        number = people.count_documents(answered, **options)
        found = next(iter(people.aggregate(further, **options)), {"number": 0})
        return number + int(found["number"])

    with store.operation():
        return store.cached_count({"answers to": question_id}, count, large=LARGE)


def recount(store: Store) -> int:
    """Deletes all stored counts, so that they are counted again; returns the number of campaigns.

    Raises OsdiError 503.
    """
    delete_all_rollups(store)
    with store.operation():
        campaigns = store.collection(ADVOCACY_CAMPAIGN.collection)
        return campaigns.update_many({}, {"$unset": {"counted": ""}}).matched_count
