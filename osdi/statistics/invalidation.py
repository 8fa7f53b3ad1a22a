"""Invalidations: what a change or deletion of outreaches records, so that rollups which counted them are counted again.

An invalidation holds the dates whose numbers change. It is written in one transaction with the change; before it on a
server without transactions, and before a change of more documents than a transaction takes (see `invalidation_store`).
Pure.
"""

import datetime as dt
from collections.abc import Iterable
from typing import Final

from osdi.documents import Document, ReadOnlyDocument
from osdi.ids import new_id
from osdi.store.indexes import INVALIDATIONS
from osdi.store.writes import Insert

COUNTED: Final = ("action_date", "type", "referrer_data", "targets", "person_id")
PEOPLE: Final = ("action_date", "person_id")


def invalidate(before: ReadOnlyDocument, after: ReadOnlyDocument | None = None) -> Insert | None:
    """Returns the write that goes with the change or deletion of an outreach; None if every number stays the same."""
    if after is not None and all(before.get(name) == after.get(name) for name in COUNTED):
        return None
    people = after is None or any(before.get(name) != after.get(name) for name in PEOPLE)
    dates = {each["action_date"] for each in (before, after) if each and "action_date" in each}
    return Insert(INVALIDATIONS, invalidation(before["advocacy_campaign_id"], dates, people=people))


def invalidate_each(changes: Iterable[tuple[ReadOnlyDocument, ReadOnlyDocument]]) -> list[Insert]:
    """Returns the writes that go with the changes of several outreaches in one transaction: one for each campaign."""
    found: dict[str, Insert] = {}
    for before, after in changes:
        one = invalidate(before, after)
        if one is None:
            continue
        of_campaign = found.setdefault(before["advocacy_campaign_id"], one).document
        of_campaign["dates"] = sorted({*of_campaign["dates"], *one.document["dates"]})
        of_campaign["people"] = of_campaign["people"] or one.document["people"]
    return list(found.values())


def invalidation(campaign_id: str, dates: Iterable[dt.datetime], *, people: bool, early: bool = False) -> Document:
    """Returns the document `{_id, advocacy_campaign_id, dates, people, early?}`.

    `people` is True if other people than before may have made the outreaches of these dates. An `early` one precedes
    its change even on a server with transactions.
    """
    found = {"_id": new_id(), "advocacy_campaign_id": campaign_id, "dates": sorted(dates), "people": people}
    return {**found, "early": True} if early else found
