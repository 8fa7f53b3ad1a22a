"""What is noted of an outreach that is changed or deleted, so that statistics which have counted it are counted anew.

A *touch* holds the dates at which something counts otherwise now. It is written with the change in one transaction, or
before it where the server has none, or where the change is of more than a transaction takes; see statistics.
"""

import datetime as dt
from collections.abc import Iterable, Mapping
from typing import Any, Final

from osdi.documents import Document
from osdi.ids import new_id
from osdi.store.indexes import INVALIDATIONS
from osdi.store.writes import Insert

COUNTED: Final = ("action_date", "type", "referrer_data", "targets", "person_id")
PEOPLE: Final = ("action_date", "person_id")


def invalidate(before: Document, after: Mapping[str, Any] | None = None) -> Insert | None:
    """The write that goes with the change or deletion of an outreach; None where it counts as it did."""
    if after is not None and all(before.get(name) == after.get(name) for name in COUNTED):
        return None
    people = after is None or any(before.get(name) != after.get(name) for name in PEOPLE)
    moments = {each["action_date"] for each in (before, after) if each and "action_date" in each}
    return Insert(INVALIDATIONS, touch_document(before["advocacy_campaign_id"], moments, people=people))


def touches(changes: Iterable[tuple[Document, Mapping[str, Any]]]) -> list[Insert]:
    """The writes that go with the changes of several outreaches in one transaction: one for each campaign."""
    found: dict[str, Insert] = {}
    for before, after in changes:
        one = invalidate(before, after)
        if one is None:
            continue
        several = found.setdefault(before["advocacy_campaign_id"], one).document
        several["dates"] = sorted({*several["dates"], *one.document["dates"]})
        several["people"] = several["people"] or one.document["people"]
    return list(found.values())


def touch_document(campaign_id: str, moments: Iterable[dt.datetime], *, people: bool, early: bool = False) -> Document:
    """A touch; `people` says whether it may be others who made the outreaches of those moments.

    An `early` one comes before its change, also on a server that has transactions.
    """
    touched = {"_id": new_id(), "advocacy_campaign_id": campaign_id, "dates": sorted(moments), "people": people}
    return {**touched, "early": True} if early else touched
