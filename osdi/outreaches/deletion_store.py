"""Deletes one outreach, and corrects the count of its campaign that includes it.

A campaign stores how many outreaches it has up to an id, its mark (see osdi.crud.totals_store). A deletion lowers the
stored number if the outreach is before the mark, and raises `deletions` in any case: so a reader that has counted the
outreach, and moves the mark past it meanwhile, notices the deletion and moves nothing.

Without transactions the two writes are apart. So a deletion is announced in the campaign first: while `deleting` has an
entry, nobody moves the mark. If the process dies in between, a later reader of the total completes the correction.
"""

from collections.abc import Mapping
from typing import Any

from osdi.deletions.records import campaign_deletion, outreach_deletion, recorded
from osdi.documents import Document, ReadOnlyDocument
from osdi.errors import WriteConflict
from osdi.ids import id_before, new_id, now
from osdi.resources import ADVOCACY_CAMPAIGN, OUTREACH
from osdi.statistics.invalidation import invalidate, invalidate_created
from osdi.statistics.invalidation_store import complete, invalidate_created_of
from osdi.store import Delete, Store, write_log
from osdi.store.store import SETTLED


def delete_outreach(store: Store, outreach: Document) -> None:
    """Deletes an outreach that was read; lowers the stored count of its campaign if the outreach is in it.

    This is one transaction if the server supports them. Raises WriteConflict if the outreach has changed since;
    OsdiError 503.
    """
    campaign_id = outreach["advocacy_campaign_id"]
    record = recorded(store, outreach_deletion(outreach))
    announced = None if store.supports_transactions else _announce(store, campaign_id, outreach["_id"])
    try:
        with store.operation(), store.transaction() as options:
            if invalidation := invalidate(outreach):
                store.apply(invalidation, options)
            store.apply(invalidate_created(OUTREACH.collection, outreach), options)
            store.apply(record, options)
            store.apply(Delete(OUTREACH.collection, outreach["_id"], outreach["version"]), options)
            _correct_count(store, campaign_id, outreach["_id"], announced, options)
    except WriteConflict:
        if announced:
            _withdraw(store, campaign_id, announced)
        raise
    write_log.record(OUTREACH.collection, outreach["_id"])


def delete_outreaches_of(store: Store, campaign_id: str) -> None:
    """Deletes all outreaches of a campaign that is deleted, whose own numbers nobody reads any more.

    The record of the campaign's deletion stands for them.
    """
    of_campaign = {"advocacy_campaign_id": campaign_id}
    invalidated = invalidate_created_of(store, OUTREACH.collection, of_campaign)
    store.delete_many(OUTREACH.collection, of_campaign)
    complete(store, invalidated)


def delete_late_outreaches_of(store: Store, campaign_id: str) -> None:
    """Deletes outreaches that were recorded while their campaign was deleted, and publishes that deletion again."""
    if store.find_one(OUTREACH.collection, {"advocacy_campaign_id": campaign_id}, fields=("_id",)):
        store.write(campaign_deletion(campaign_id))
        delete_outreaches_of(store, campaign_id)


def complete_deletions(store: Store, campaign: ReadOnlyDocument) -> ReadOnlyDocument:
    """Corrects the count for deletions that a process announced and did not complete; returns the present campaign.

    An announcement that is younger than SETTLED belongs to a process that is at work. Raises OsdiError 503.
    """
    settled = id_before(now() - SETTLED)
    left = {each: outreach for each, outreach in campaign.get("deleting", {}).items() if each < settled}
    for announced, outreach_id in left.items():
        if store.get(OUTREACH.collection, outreach_id) is not None:
            _withdraw(store, campaign["_id"], announced)
            continue
        with store.operation():
            _correct_count(store, campaign["_id"], outreach_id, announced, {})
    return (store.get(ADVOCACY_CAMPAIGN.collection, campaign["_id"]) or campaign) if left else campaign


def _announce(store: Store, campaign_id: str, outreach_id: str) -> str:
    """Announces a deletion in the campaign; returns the id of the announcement, which contains its time."""
    announced = new_id()
    with store.operation():
        campaigns = store.collection(ADVOCACY_CAMPAIGN.collection)
        campaigns.update_one({"_id": campaign_id}, {"$set": {f"deleting.{announced}": outreach_id}})
    return announced


def _withdraw(store: Store, campaign_id: str, announced: str) -> None:
    with store.operation():
        campaigns = store.collection(ADVOCACY_CAMPAIGN.collection)
        campaigns.update_one({"_id": campaign_id}, {"$unset": {f"deleting.{announced}": ""}})


def _correct_count(
    store: Store, campaign_id: str, outreach_id: str, announced: str | None, options: Mapping[str, Any]
) -> None:
    """Counts a deletion once, and ends its announcement if there is one."""
    selected: Document = {"_id": campaign_id}
    change: Document = {"$inc": {"deletions": 1}}
    if announced:
        selected[f"deleting.{announced}"] = {"$exists": True}
        change["$unset"] = {f"deleting.{announced}": ""}
    before_the_mark = {**selected, "counted.through": {"$gte": outreach_id}}
    campaigns = store.collection(ADVOCACY_CAMPAIGN.collection)
    lowered = {**change, "$inc": {"deletions": 1, "counted.outreaches": -1}}
    if not campaigns.update_one(before_the_mark, lowered, **options).matched_count:
        campaigns.update_one(selected, change, **options)
