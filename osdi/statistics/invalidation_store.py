"""Invalidations in the store: recorded before a change of many outreaches, and applied to rollups.

To apply one means to delete the rollups around its dates; they are counted again when they are read. A reader applies
those of its campaign, an erasure and now and then a worker those of all. An invalidation is deleted only after SETTLED,
longer than a reader takes: a reader that counted before the change may store its rollup after another one deleted it.

Meanwhile a rollup holds the ids of the invalidations that existed before it was counted, and these do not delete it.
This does not hold for an invalidation that precedes its change: without transactions, and for an early one.
"""

import datetime as dt
from collections.abc import Sequence
from typing import Final

from osdi.documents import Document, Query
from osdi.ids import id_before, now
from osdi.resources import OUTREACH
from osdi.statistics.days import DAYS
from osdi.statistics.invalidation import invalidation
from osdi.statistics.rollups import DAY, RANGE
from osdi.store import Store
from osdi.store.indexes import INVALIDATIONS, STATISTICS
from osdi.store.store import SETTLED

# The number of invalidations of a campaign that are read at once. Beyond it, or beyond this number of hours, all
# rollups of the campaign are deleted.
AT_ONCE: Final = 5_000
HOURS: Final = 200

# No day lasts longer, whatever a clock did.
LONGEST_DAY: Final = dt.timedelta(days=3)
LONGEST_RANGE: Final = dt.timedelta(days=DAYS + 3)
HOUR: Final = dt.timedelta(hours=1)


def invalidate_all(store: Store, query: Query) -> None:
    """Records that every outreach which the query selects will be changed or deleted; call it before that is done."""
    hours: dict[str, set[dt.datetime]] = {}
    with store.operation():
        found = store.collection(OUTREACH.collection).find(query, {"advocacy_campaign_id": 1, "action_date": 1})
        for each in found:
            if "action_date" in each:
                hours.setdefault(each["advocacy_campaign_id"], set()).add(_hour(each["action_date"]))
        if hours:
            early = [invalidation(each, dates, people=True, early=True) for each, dates in hours.items()]
            store.collection(INVALIDATIONS).insert_many(early)


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


def apply_invalidations(store: Store, campaign_id: str, settled: str) -> list[str]:
    """Deletes the rollups that invalidations concern, and the invalidations up to the id `settled`.

    Returns the ids of those that stay and whose changes are made: a rollup that is counted from now on includes them.
    """
    of_campaign = {"advocacy_campaign_id": campaign_id}
    found = store.find(INVALIDATIONS, of_campaign, sort=("_id",), limit=AT_ONCE)
    if not found:
        return []
    days = _by_hour(found)
    ranges = _by_hour([each for each in found if each["people"]])
    with store.operation():
        rollups = store.collection(STATISTICS)
        if len(days) > HOURS or len(found) == AT_ONCE:
            rollups.delete_many(of_campaign)
        else:
            for kind, hours, longest in ((DAY, days, LONGEST_DAY), (RANGE, ranges, LONGEST_RANGE)):
                for hour, ids in hours.items():
                    around = {"start": {"$gt": hour - longest, "$lt": hour + HOUR}, "end": {"$gt": hour}}
                    unaware = {"invalidations": {"$not": {"$all": ids}}}
                    rollups.delete_many(of_campaign | {"kind": kind} | around | unaware)
        # Also those beyond AT_ONCE, since all rollups are deleted then.
        store.collection(INVALIDATIONS).delete_many(of_campaign | {"_id": {"$lte": settled}})
    left = [each for each in found if each["_id"] > settled] if store.supports_transactions else []
    return [each["_id"] for each in left if not each.get("early")]


def _by_hour(found: Sequence[Document]) -> dict[dt.datetime, list[str]]:
    """Returns the ids of invalidations by the hours that they concern."""
    hours: dict[dt.datetime, list[str]] = {}
    for each in found:
        for hour in {_hour(date) for date in each["dates"]}:
            hours.setdefault(hour, []).append(each["_id"])
    return hours


def _hour(timestamp: dt.datetime) -> dt.datetime:
    return timestamp.replace(minute=0, second=0, microsecond=0)
