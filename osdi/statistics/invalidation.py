"""Invalidations: what a change or deletion of outreaches records, so that rollups which counted them are counted again.

An invalidation holds the dates whose numbers change. If people other than before made these outreaches, or on other
days, it also holds the ids of these people: the numbers of their later days may change too, as these contain on which
day a person acted before. It is written in one transaction with the change; before it on a server without transactions,
and before a change of more documents than a transaction takes (see `invalidation_store`). Pure.
"""

import datetime as dt
from collections.abc import Iterable
from typing import Final

from osdi.documents import Document, ReadOnlyDocument
from osdi.fields.outreach import NEW_PERSON, OWN_WORDS
from osdi.ids import new_id
from osdi.store.indexes import INVALIDATIONS
from osdi.store.writes import Insert

COUNTED: Final = ("action_date", "type", "referrer_data", "targets", "person_id", NEW_PERSON, OWN_WORDS)
PEOPLE: Final = ("action_date", "person_id")


def invalidate(before: ReadOnlyDocument, after: ReadOnlyDocument | None = None) -> Insert | None:
    """Returns the write that goes with the change or deletion of an outreach; None if every number stays the same."""
    if after is not None and all(before.get(name) == after.get(name) for name in COUNTED):
        return None
    both = (before, after or {})
    other_people = any(both[0].get(name) != both[1].get(name) for name in PEOPLE)
    people = {each["person_id"] for each in both if "person_id" in each} if other_people else ()
    dates = {each["action_date"] for each in both if "action_date" in each}
    return Insert(INVALIDATIONS, invalidation(before["advocacy_campaign_id"], dates, people))


def invalidate_each(changes: Iterable[tuple[ReadOnlyDocument, ReadOnlyDocument]]) -> list[Insert]:
    """Returns the writes that go with the changes of several outreaches in one transaction: one for each campaign."""
    found: dict[str, Insert] = {}
    for before, after in changes:
        one = invalidate(before, after)
        if one is None:
            continue
        of_campaign = found.setdefault(before["advocacy_campaign_id"], one).document
        for name in ("dates", "person_ids"):
            of_campaign[name] = sorted({*of_campaign[name], *one.document[name]})
    return list(found.values())


def invalidate_created(collection: str, deleted: ReadOnlyDocument) -> Insert:
    """Returns the write that goes with the deletion of a person or an outreach, whose creation was counted."""
    return Insert(INVALIDATIONS, invalidation(collection, [deleted["created_date"]], ()))


def invalidation(
    campaign_id: str, dates: Iterable[dt.datetime], people: Iterable[str], *, early: bool = False
) -> Document:
    """Returns the document `{_id, advocacy_campaign_id, dates, person_ids, people, early?}`.

    `person_ids` are the people who made outreaches of these dates before the change or after it, if that may be others
    or on other days. Without them `people` is False, which the program of the previous release reads. An `early` one
    precedes its change even on a server with transactions. In place of a campaign there may be a collection, whose
    documents are counted by the day of their creation.
    """
    ids = {"_id": new_id(), "advocacy_campaign_id": campaign_id, "person_ids": sorted(people)}
    found = {**ids, "dates": sorted(dates), "people": bool(ids["person_ids"])}
    return {**found, "early": True} if early else found
