"""Numbers of the last days for the staff's lists, and of new outreaches for the worker.

Of campaigns these are numbers of outreaches by `action_date`; of a collection those of its documents by `created_date`.
A document of a collection is created at the present, so a day that is over changes by deletions only, each of which
writes an invalidation for the collection.
"""

import datetime as dt
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import suppress
from itertools import groupby
from typing import Any, Final

from osdi.documents import Document
from osdi.errors import DuplicateKey
from osdi.ids import id_before, new_id, now
from osdi.resources import ADVOCACY_CAMPAIGN, OUTREACH
from osdi.statistics.days import Calendar, Interval
from osdi.statistics.invalidation_store import Included, apply_invalidations, campaigns_with_invalidations
from osdi.statistics.rollups import Reading, Rollup
from osdi.store import Store
from osdi.store.driver import READ_MS
from osdi.store.indexes import STATISTICS
from osdi.store.store import SETTLED

# If more outreaches of a campaign than these are behind its rollups, its days are counted on an index instead.
MAX_LATER: Final = 2_000

# More campaigns than these without any rollup are counted together. An index counts one ten times as fast as a group.
MAX_SINGLE_CAMPAIGNS: Final = 25

CREATED: Final = "created"
# The number of documents behind the stored number of a day from which on that is stored anew.
EXTENDED_FROM: Final = 2_000

Stored = dict[str, Document]


def outreaches_within(store: Store, campaign_ids: Sequence[str], spans: Sequence[Calendar]) -> dict[str, list[int]]:
    """Returns, by campaign, the number of outreaches on the days of each of these calendars.

    These are sums of the stored rollups and of later outreaches. An index counts the days without a rollup. Raises
    OsdiError 503.
    """
    for each in campaigns_with_invalidations(store, campaign_ids):
        apply_invalidations(store, each, id_before(now() - SETTLED))
    readings = {each: [Reading.of(each, calendar) for calendar in spans] for each in campaign_ids}
    ids = [each.rollup_id for several in readings.values() for reading in several for each in reading.rollups]
    with store.operation():
        found = store.collection(STATISTICS).find({"_id": {"$in": ids}}, {"through": 1, "outreaches": 1})
        stored = {each["_id"]: each for each in found}
    uncounted = [each for each, several in readings.items() if not _stored_of(several, stored)]
    if len(uncounted) <= MAX_SINGLE_CAMPAIGNS:
        uncounted = []
    numbers = {each: _numbers(store, readings[each], stored) for each in campaign_ids if each not in uncounted}
    return numbers | (_grouped(store, uncounted, spans) if uncounted else {})


def created_within(store: Store, collection: str, spans: Sequence[Calendar]) -> list[int]:
    """Returns the number of documents of a collection that were created on the days of each of these calendars.

    Each day is counted once, and stored. Raises OsdiError 503.
    """
    settled = now() - SETTLED
    included = apply_invalidations(store, collection, id_before(settled))
    days = {each.rollup_id: each for calendar in spans for each in Reading.of(collection, calendar).rollups}
    with store.operation():
        stored = {each["_id"]: each for each in store.collection(STATISTICS).find({"_id": {"$in": list(days)}})}
    numbers = {each: _created(store, day, stored.get(each), settled, included) for each, day in days.items()}
    return [sum(numbers[each.rollup_id] for each in Reading.of(collection, calendar).rollups) for calendar in spans]


def outreaches_of_each(store: Store, through: str, *, max_count: int) -> Counter[str]:
    """Returns, by campaign, the number of outreaches up to an id, or `max_count`. Raises OsdiError 503."""
    with store.operation():
        campaigns = [each["_id"] for each in store.collection(ADVOCACY_CAMPAIGN.collection).find({}, {"_id": 1})]
        outreaches = store.collection(OUTREACH.collection)
        found: Counter[str] = Counter()
        for each in campaigns:
            behind = {"advocacy_campaign_id": each, "_id": {"$lte": through}}
            found[each] = outreaches.count_documents(behind, limit=max_count)
    return found


def outreaches_between(store: Store, after: str, through: str) -> Counter[str]:
    """Returns, by campaign, the number of outreaches behind an id, up to another. Raises OsdiError 503."""
    pipeline: list[Document] = [
        {"$match": {"_id": {"$gt": after, "$lte": through}}},
        {"$group": {"_id": "$advocacy_campaign_id", "number": {"$sum": 1}}},
    ]
    with store.operation():
        found = store.collection(OUTREACH.collection).aggregate(pipeline)
        return Counter({each["_id"]: each["number"] for each in found})


def _grouped(store: Store, campaign_ids: Sequence[str], spans: Sequence[Calendar]) -> dict[str, list[int]]:
    """Returns the same of many campaigns without rollups, which have few outreaches once the worker has looked."""
    found = {each: [0] * len(spans) for each in campaign_ids}
    options: dict[str, Any] = {} if store.in_memory else {"maxTimeMS": READ_MS}
    for position, calendar in enumerate(spans):
        within = {"$gte": calendar.whole.start, "$lt": calendar.whole.end}
        pipeline: list[Document] = [
            {"$match": {"advocacy_campaign_id": {"$in": list(campaign_ids)}, "action_date": within}},
            {"$group": {"_id": "$advocacy_campaign_id", "number": {"$sum": 1}}},
        ]
        with store.operation():
            for each in store.collection(OUTREACH.collection).aggregate(pipeline, **options):
                found[each["_id"]][position] = each["number"]
    return found


def _stored_of(readings: Sequence[Reading], stored: Stored) -> list[Document]:
    """Returns the stored rollups of the readings of a campaign."""
    ids = (each.rollup_id for reading in readings for each in reading.rollups)
    return [stored[each] for each in ids if each in stored]


def _numbers(store: Store, readings: Sequence[Reading], stored: Stored) -> list[int]:
    """Returns the numbers of outreaches of several readings of one campaign."""
    counted = _stored_of(readings, stored)
    later: list[Document] = []
    if counted:
        campaign_id, after = readings[0].campaign_id, min(each["through"] for each in counted)
        behind = {"advocacy_campaign_id": campaign_id, "_id": {"$gt": after}}
        later = store.find(OUTREACH.collection, behind, sort=("_id",), limit=MAX_LATER + 1, fields=("action_date",))
    if len(later) > MAX_LATER:
        stored, later = {}, []
    return [_number(store, each, stored, later) for each in readings]


def _number(store: Store, reading: Reading, stored: Stored, later: Sequence[Document]) -> int:
    """Returns the number of outreaches of a reading: of its rollups, behind them, and of its other days."""
    ids = [each.rollup_id for each in reading.rollups]
    total: int = sum(stored[each]["outreaches"] for each in ids if each in stored)
    for outreach in later:
        number = reading.calendar.number_of(outreach.get("action_date"))
        rollup = stored.get(reading.by_number[number].rollup_id) if number in reading.by_number else None
        total += rollup is not None and outreach["_id"] > rollup["through"]
    for interval in _others(reading, stored):
        total += store.count(OUTREACH.collection, Rollup(reading.campaign_id, "", interval).selected)
    return total


def _others(reading: Reading, stored: Stored) -> Iterator[Interval]:
    """Yields the intervals of the days without a stored rollup, as few as possible."""
    for is_stored, rollups in groupby(reading.rollups, key=lambda each: each.rollup_id in stored):
        if not is_stored:
            days = [each.interval for each in rollups]
            yield Interval(days[0].start, days[-1].end)


def _created(store: Store, day: Rollup, stored: Document | None, settled: dt.datetime, included: Included) -> int:
    """Returns the number of documents that were created on a day; stores the number of those before `settled`."""
    start, end = day.interval.start, day.interval.end
    counted: Document = stored or {"number": 0, "until": start}
    until = max(min(end, settled), start)
    number: int = counted["number"]
    if counted["until"] < end:
        number += _created_between(store, day.campaign_id, counted["until"], end)
    if (stored is None and until > start) or number - counted["number"] > EXTENDED_FROM:
        settled_number = counted["number"] + _created_between(store, day.campaign_id, counted["until"], until)
        _save(store, day, counted, settled_number, until, included)
    return number


def _created_between(store: Store, collection: str, start: dt.datetime, end: dt.datetime) -> int:
    if start >= end:
        return 0
    # Not Store.count, which may return an earlier number: this one is stored.
    options: dict[str, Any] = {} if store.in_memory else {"maxTimeMS": READ_MS}
    with store.operation():
        return store.collection(collection).count_documents({"created_date": {"$gte": start, "$lt": end}}, **options)


def _save(store: Store, day: Rollup, counted: Document, number: int, until: dt.datetime, included: Included) -> None:
    """Stores the number of documents of a day that were created before `until`."""
    document = {
        "_id": day.rollup_id,
        "advocacy_campaign_id": day.campaign_id,
        "kind": CREATED,
        "start": day.interval.start,
        "end": day.interval.end,
        "until": until,
        "number": number,
        "invalidations": counted.get("invalidations", included.within(day.interval)),
        "revision": new_id(),
    }
    if store.in_memory:
        return
    as_read = {"revision": counted["revision"]} if "revision" in counted else {}
    with suppress(DuplicateKey), store.operation():  # another reader has counted the same day for the first time
        store.collection(STATISTICS).replace_one({"_id": day.rollup_id, **as_read}, document, upsert=not as_read)
