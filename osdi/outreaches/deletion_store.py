"""Deletes one outreach, and corrects the counts that include it."""

from osdi.documents import Document
from osdi.resources import ADVOCACY_CAMPAIGN, OUTREACH
from osdi.statistics.invalidation import invalidate
from osdi.store import Delete, Store, write_log


def delete_outreach(store: Store, outreach: Document) -> None:
    """Deletes an outreach that was read; lowers the stored count of its campaign if the outreach is in it.

    This is one transaction if the server supports them. Raises WriteConflict if the outreach has changed since;
    OsdiError 503.
    """
    campaign_id = outreach["advocacy_campaign_id"]
    counted = {"_id": campaign_id, "counted.through": {"$gte": outreach["_id"]}}
    with store.operation(), store.transaction() as options:
        if invalidation := invalidate(outreach):
            store.apply(invalidation, options)
        store.apply(Delete(OUTREACH.collection, outreach["_id"], outreach["version"]), options)
        campaigns = store.collection(ADVOCACY_CAMPAIGN.collection)
        campaigns.update_one(counted, {"$inc": {"counted.outreaches": -1}}, **options)
    write_log.record(OUTREACH.collection, outreach["_id"])
