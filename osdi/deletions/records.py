"""Makes the record of a deletion: an insert that belongs to the transaction of the Delete.

Without transactions the record is written before the Delete. If the Delete fails then, the document still exists, and
feed and webhooks skip the record (see `void_among`).
"""

from collections.abc import Sequence

from osdi.documents import Document, ReadOnlyDocument
from osdi.fields.webhook import CAMPAIGN_DELETED, OUTREACH_DELETED, PERSON_DELETED, PERSON_ERASED, PERSON_MERGED
from osdi.ids import id_before, new_id, now
from osdi.resources import DELETED, DELETION
from osdi.store import Insert, Store
from osdi.store.store import SETTLED
from osdi.store.writes import Write, with_events


def person_deletion(ids: Sequence[str], *, erased: bool = False) -> Insert:
    """Returns the record of a deleted or erased person: `ids` has the own id first, then those of merged people."""
    return _record(PERSON_ERASED if erased else PERSON_DELETED, {"ids": list(ids)})


def merge_deletion(ids: Sequence[str], survivor_id: str) -> Insert:
    """Returns the record of a person who was merged into the survivor; `ids` as for `person_deletion`."""
    return _record(PERSON_MERGED, {"ids": list(ids), "survivor_id": survivor_id})


def outreach_deletion(outreach: ReadOnlyDocument) -> Insert:
    """Returns the record of a deleted outreach."""
    campaign_id = outreach["advocacy_campaign_id"]
    return _record(OUTREACH_DELETED, {"ids": [outreach["_id"]], "advocacy_campaign_id": campaign_id})


def campaign_deletion(campaign_id: str) -> Insert:
    """Returns the record of a deleted campaign, which stands for all of its outreaches."""
    return _record(CAMPAIGN_DELETED, {"ids": [campaign_id]})


def recorded(store: Store, record: Insert) -> Write:
    """Returns the record with its events, for `Store.apply`. `Store.write` adds them itself. Raises OsdiError 503."""
    return with_events(record, store.webhooks_of())


def void_among(store: Store, records: Sequence[ReadOnlyDocument]) -> set[str]:
    """Returns the ids of those records whose document exists: their Delete has failed or is not done yet."""
    void: set[str] = set()
    for resource in dict.fromkeys(DELETED.values()):
        ids = sorted({each["ids"][0] for each in records if DELETED[each["event"]] is resource})
        found = store.find(resource.collection, {"_id": {"$in": ids}}, fields=("_id",)) if ids else ()
        exist = {each["_id"] for each in found}
        void |= {each["_id"] for each in records if each["ids"][0] in exist}
    return void


def deliverable(store: Store, record: ReadOnlyDocument) -> bool:
    """True if webhooks may get the record now, since its document does not exist any more.

    A record whose Delete has failed is removed when the Delete cannot be running any more. Raises OsdiError 503.
    """
    if not void_among(store, [record]):
        return True
    if record["_id"] < id_before(now() - SETTLED):
        store.delete_many(DELETION.collection, {"_id": record["_id"]})
    return False


def _record(event: str, ids: Document) -> Insert:
    record = {"_id": new_id(), "version": 1, "event": event, **ids, "deleted_date": now()}
    return Insert(DELETION.collection, record)
