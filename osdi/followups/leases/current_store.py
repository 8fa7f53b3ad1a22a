"""Reads what decides whether a leased follow-up may be sent, in one command right before it is sent.

These are the outreach with its lease, the people who have the address or number, the suppression list, and other
follow-ups of the kind to the person. All of them may have changed since the batch was leased: somebody unsubscribes, or
deletes the outreach or the person.
"""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from osdi.action_functions.followup_kinds import LEASED, QUEUED, SENT
from osdi.documents import Document, Query
from osdi.followups.leases.lease_store import LeasedFollowup
from osdi.followups.outcomes import Gone
from osdi.ids import id_before
from osdi.people.lookup import MAX_PEOPLE
from osdi.resources import OUTREACH, PERSON
from osdi.store import Store
from osdi.store.driver import READ_MS
from osdi.store.indexes import SUPPRESSIONS

# Names of the documents of other collections in the result; those of people stand for themselves.
OUTREACHES, ENTRIES = "outreach of the result", "entry of the result"


@dataclass(frozen=True)
class Current:
    """The documents that decide about a follow-up at the time of sending.

    `others` is true if there is another follow-up of the kind to the person and campaign.
    """

    followup: LeasedFollowup
    people: list[Document] = field(default_factory=list)
    entries: list[Document] = field(default_factory=list)
    others: bool = False


def read_current(store: Store, leased: LeasedFollowup, key: str, listed: Query, around: dt.timedelta) -> Current:
    """Returns what is stored about a leased follow-up to the owner of a match key.

    `listed` selects the entries of the suppression list. Others of the kind count within `around`, if it is not zero.
    Raises Gone if the outreach was deleted, or the lease was lost.
    """
    pipeline: list[Document] = [
        {"$match": {"contact_keys": key}},
        {"$limit": MAX_PEOPLE},
        _union(SUPPRESSIONS, listed, ENTRIES),
        _union(OUTREACH.collection, _of_its_kind(leased, around), OUTREACHES, limit=2),
    ]
    with store.operation():
        found = list(store.collection(PERSON.collection).aggregate(pipeline, maxTimeMS=READ_MS))
    outreaches = _named(found, OUTREACHES)
    own = next((each for each in outreaches if each["_id"] == leased.outreach["_id"]), None)
    if own is None:  # deleted, of another person after a merge, or behind two others
        own = store.get(OUTREACH.collection, leased.outreach["_id"])
    ours = leased.in_outreach(own) if own else None
    if ours is None:
        raise Gone
    others = any(each["_id"] != leased.outreach["_id"] for each in outreaches)
    people = [each for each in found if OUTREACHES not in each and ENTRIES not in each]
    return Current(ours, people, _named(found, ENTRIES), others)


def _of_its_kind(leased: LeasedFollowup, around: dt.timedelta) -> Document:
    """Returns the query for the outreach and, unless `around` is zero, for others with a follow-up of the kind."""
    outreach, followup = leased.outreach, leased.followup
    if not around:
        return {"_id": outreach["_id"]}
    return {
        "person_id": outreach.get("person_id"),
        "advocacy_campaign_id": outreach["advocacy_campaign_id"],
        "_id": {
            "$gt": id_before(outreach["created_date"] - around),
            "$lt": id_before(followup["queued_date"] + around),
        },
        "followups": {"$elemMatch": {"kind": followup["kind"], "state": {"$in": [SENT, LEASED, QUEUED]}}},
    }


def _union(collection: str, query: Query, name: str, **stages: Any) -> Document:
    more = [{f"${stage}": value} for stage, value in stages.items()]
    pipeline = [{"$match": query}, *more, {"$project": {"_id": 0, name: "$$ROOT"}}]
    return {"$unionWith": {"coll": collection, "pipeline": pipeline}}


def _named(found: Iterable[Document], name: str) -> list[Document]:
    return [each[name] for each in found if name in each]
