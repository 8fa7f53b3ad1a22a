"""What is noted of an outreach that is changed or deleted, so that statistics which have counted it are counted anew.

A *touch* holds the dates at which something counts otherwise now. It is written with the change in one transaction, or
before it where the server has none; see statistics.
"""

import datetime as dt
from collections.abc import Iterable
from typing import Final

from osdi.ids import new_id
from osdi.store.driver import Document
from osdi.store.indexes import TOUCHES
from osdi.store.writes import Insert

COUNTED: Final = ("action_date", "type", "referrer_data", "targets", "person_id")
PEOPLE: Final = ("action_date", "person_id")


def touch(before: Document, after: Document | None = None) -> Insert | None:
    """The write that goes with the change or deletion of an outreach; None where it counts as it did."""
    if after is not None and all(before.get(name) == after.get(name) for name in COUNTED):
        return None
    people = after is None or any(before.get(name) != after.get(name) for name in PEOPLE)
    moments = {each["action_date"] for each in (before, after) if each and "action_date" in each}
    return Insert(TOUCHES, touch_document(before["advocacy_campaign_id"], moments, people=people))


def touch_document(campaign_id: str, moments: Iterable[dt.datetime], *, people: bool) -> Document:
    """A touch; `people` says whether it may be others who made the outreaches of those moments."""
    return {"_id": new_id(), "advocacy_campaign_id": campaign_id, "dates": sorted(moments), "people": people}
