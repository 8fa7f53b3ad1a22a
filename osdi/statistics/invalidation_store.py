"""Invalidations in the store: recorded before a change of many outreaches, and applied to rollups.

To apply one means to delete the rollups of its dates, and those of all days on which its people act; they are counted
again when they are read. A reader applies those of its campaign, an erasure and now and then a worker those of all. An
invalidation is deleted only after SETTLED, longer than a reader takes: a reader that counted before the change may
store its rollup after another one deleted it.

Meanwhile a rollup holds the ids of the invalidations that existed before it was counted, and these do not delete it.
This does not hold for an invalidation that precedes its change: without transactions, and for an early one until
`complete` is called after the change.
"""

import datetime as dt
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from osdi.documents import Document, Query
from osdi.ids import id_before, now
from osdi.resources import OUTREACH
from osdi.statistics.days import Interval
from osdi.statistics.invalidation import invalidation
from osdi.store import Store
from osdi.store.indexes import INVALIDATIONS, STATISTICS
from osdi.store.store import SETTLED

# The number of invalidations of a campaign that are read at once. If there are more, all its rollups are deleted.
MAX_INVALIDATIONS: Final = 5_000
# The number of ids that a rollup holds.
MAX_HELD: Final = 500

HOUR: Final = dt.timedelta(hours=1)
# No day lasts longer, whatever a clock did.
MAX_DAY: Final = dt.timedelta(days=3)


@dataclass(frozen=True)
class Included:
    """The ids of invalidations by the hours that they concern."""

    hours: dict[dt.datetime, set[str]] = field(default_factory=dict)

    def within(self, interval: Interval) -> list[str]:
        """Returns the newest ids of the hours that overlap an interval."""
        found: set[str] = set()
        for hour in self._overlapping(interval):
            found |= self.hours[hour]
        return sorted(found)[-MAX_HELD:]

    def concern(self, rollup: Document) -> bool:
        """True if an id of the hours of a stored rollup is not among those that it holds."""
        applied = set(rollup["invalidations"])
        hours = self._overlapping(Interval(rollup["start"], rollup["end"]))
        return any(not self.hours[hour] <= applied for hour in hours)

    def _overlapping(self, interval: Interval) -> list[dt.datetime]:
        hours = sorted(self.hours)
        return hours[bisect_left(hours, _hour(interval.start)) : bisect_left(hours, interval.end)]


def invalidate_all(store: Store, query: Query, also: Iterable[str] = ()) -> list[str]:
    """Records that every outreach which the query selects will be changed or deleted; call it before that is done.

    `also` are the people who will have them. Returns ids for `complete`.
    """
    hours: dict[str, set[dt.datetime]] = {}
    people: dict[str, set[str]] = {}
    with store.operation():
        fields = ("advocacy_campaign_id", "action_date", "person_id")
        for each in store.collection(OUTREACH.collection).find(query, dict.fromkeys(fields, 1)):
            if "action_date" in each:
                campaign_id = each["advocacy_campaign_id"]
                hours.setdefault(campaign_id, set()).add(_hour(each["action_date"]))
                people.setdefault(campaign_id, {*also}).update({each["person_id"]} if "person_id" in each else ())
    return _insert_early(store, [invalidation(each, at, people[each], early=True) for each, at in hours.items()])


def invalidate_created_of(store: Store, collection: str, query: Query) -> list[str]:
    """Records that the documents which the query selects will be deleted, whose creation was counted.

    Call it before that is done. Returns ids for `complete`.
    """
    found = store.find(collection, query, limit=MAX_INVALIDATIONS, fields=("created_date",))
    if not found:
        return []
    early = invalidation(collection, {_hour(each["created_date"]) for each in found}, (), early=True)
    return _insert_early(store, [early | ({"all": True} if len(found) == MAX_INVALIDATIONS else {})])


def _insert_early(store: Store, early: Sequence[Document]) -> list[str]:
    if early:
        with store.operation():
            store.collection(INVALIDATIONS).insert_many(early)
    return [each["_id"] for each in early]


def complete(store: Store, ids: Sequence[str]) -> None:
    """Records that the changes of early invalidations are made."""
    if ids:
        with store.operation():
            store.collection(INVALIDATIONS).update_many({"_id": {"$in": list(ids)}}, {"$unset": {"early": ""}})


def forget_people(store: Store, people: Sequence[str]) -> None:
    """Removes people from invalidations after all of their outreaches were changed: the dates of these are in them."""
    ids = {"$in": list(people)}
    with store.operation():
        store.collection(INVALIDATIONS).update_many({"person_ids": ids}, {"$pull": {"person_ids": ids}})


def delete_rollups(store: Store, campaign_id: str) -> None:
    """Deletes the rollups and invalidations of a campaign that was deleted."""
    of_campaign = {"advocacy_campaign_id": campaign_id}
    with store.operation():
        store.collection(STATISTICS).delete_many(of_campaign)
        store.collection(INVALIDATIONS).delete_many(of_campaign)


def delete_all_rollups(store: Store) -> None:
    """Deletes every rollup, so that all statistics are counted again when they are read."""
    with store.operation():
        store.collection(STATISTICS).delete_many({})


def drop_stale_rollups(store: Store) -> None:
    """Applies the invalidations of every campaign, also of those whose statistics nobody reads.

    A rollup holds words of outreaches, which must not stay longer than in the outreaches.
    """
    with store.operation():
        campaigns = store.collection(INVALIDATIONS).distinct("advocacy_campaign_id")
    for campaign_id in campaigns:
        apply_invalidations(store, campaign_id, id_before(now() - SETTLED))


def campaigns_with_invalidations(store: Store, campaign_ids: Sequence[str]) -> list[str]:
    """Returns those of the campaigns that have invalidations."""
    with store.operation():
        query = {"advocacy_campaign_id": {"$in": list(campaign_ids)}}
        return sorted(store.collection(INVALIDATIONS).distinct("advocacy_campaign_id", query))


def latest_invalidations(store: Store) -> dict[str, str]:
    """Returns the id of the latest invalidation of each campaign that has one."""
    latest = {"$group": {"_id": "$advocacy_campaign_id", "latest": {"$max": "$_id"}}}
    with store.operation():
        return {each["_id"]: each["latest"] for each in store.collection(INVALIDATIONS).aggregate([latest])}


def apply_invalidations(store: Store, campaign_id: str, settled: str) -> Included:
    """Deletes the rollups that invalidations concern, and the invalidations up to the id `settled`.

    Returns those that stay and whose changes are made: a rollup that is counted from now on includes them.
    """
    of_campaign = {"advocacy_campaign_id": campaign_id}
    found = store.find(INVALIDATIONS, of_campaign, sort=("_id",), limit=MAX_INVALIDATIONS)
    if not found:
        return Included()
    all_of_them = Included(_by_hour(store, found))
    with store.operation():
        rollups = store.collection(STATISTICS)
        # An invalidation of the previous release does not hold its people.
        if len(found) == MAX_INVALIDATIONS or any("person_ids" not in each or "all" in each for each in found):
            rollups.delete_many(of_campaign)
        elif all_of_them.hours:
            around = {"$gt": min(all_of_them.hours) - MAX_DAY, "$lt": max(all_of_them.hours) + HOUR}
            fields = {"start": 1, "end": 1, "invalidations": 1}
            stored = rollups.find(of_campaign | {"start": around}, fields)
            rollups.delete_many({"_id": {"$in": [each["_id"] for each in stored if all_of_them.concern(each)]}})
        # Also those beyond MAX_INVALIDATIONS, since all rollups are deleted then.
        store.collection(INVALIDATIONS).delete_many(of_campaign | {"_id": {"$lte": settled}})
    made = {each["_id"] for each in found if each["_id"] > settled and not each.get("early")}
    if not store.supports_transactions:
        made = set()
    return Included({hour: ids & made for hour, ids in all_of_them.hours.items() if ids & made})


def _by_hour(store: Store, found: Sequence[Document]) -> dict[dt.datetime, set[str]]:
    """Returns the ids of invalidations of one campaign by the hours that they concern."""
    acts: dict[str, set[dt.datetime]] = {}
    people = {person_id for each in found for person_id in each.get("person_ids", ())}
    if people:
        query = {"person_id": {"$in": sorted(people)}}
        for each in store.find(OUTREACH.collection, query, fields=("advocacy_campaign_id", "person_id", "action_date")):
            if each["advocacy_campaign_id"] == found[0]["advocacy_campaign_id"] and "action_date" in each:
                acts.setdefault(each["person_id"], set()).add(_hour(each["action_date"]))
    hours: dict[dt.datetime, set[str]] = {}
    for each in found:
        theirs = {hour for person_id in each.get("person_ids", ()) for hour in acts.get(person_id, ())}
        changed = {_hour(date) for date in each["dates"]}
        # Only later days contain on which day a person acted before.
        for hour in changed | {hour for hour in theirs if changed and hour > min(changed)}:
            hours.setdefault(hour, set()).add(each["_id"])
    return hours


def _hour(timestamp: dt.datetime) -> dt.datetime:
    return timestamp.replace(minute=0, second=0, microsecond=0)
