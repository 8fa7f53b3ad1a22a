"""A campaign's statistics in the store: each day is counted once, and what came later is added when it is read.

The process. What was counted stands in slots (see slots), each with every outreach up to an id. Those behind it are
read and added. When they are many they are added to the slots for good, but never within SETTLED of now, since ids are
given before they are committed (see Store.total_outreaches). So no outreach pays for being counted.

Whoever changes what an outreach counts for, or deletes one, notes the dates concerned (see touches). A reader, an
erasure and now and then a worker delete the slots that a touch concerns, and they are counted anew. A touch stays for
SETTLED, longer than any reader takes: one that had counted before the change may store its slot after another reader's
deletion. Meanwhile a slot says which touches were there before it was counted, and is not deleted for these; but not
where a touch comes before its change, as without transactions, or before a change of many outreaches.
"""

import datetime as dt
import time
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from typing import Final

from pymongo import ASCENDING, ReplaceOne
from pymongo.errors import BulkWriteError

from osdi.documents import Document, Query
from osdi.errors import OsdiError, unavailable
from osdi.ids import id_before, now
from osdi.resources import OUTREACH
from osdi.statistics.days import DAYS, Interval
from osdi.statistics.invalidation import COUNTED, touch_document
from osdi.statistics.rollups import DAY, RANGE, Reading, Rollup
from osdi.statistics.tally import Tally
from osdi.store import Store
from osdi.store.driver import READ_MS, only_duplicate_keys
from osdi.store.indexes import INVALIDATIONS, STATISTICS
from osdi.store.store import SETTLED

# What is read behind the slots at once, and from how many on they are added for good.
ROUND: Final = 5_000
ADDED: Final = 500

# How many slots are counted before they are stored, which may take a second.
STORED: Final = 10

# A first reading of a large campaign goes on with what it has stored when it is asked again.
SECONDS: Final = 12.0

# Beyond these a campaign's slots are all counted anew, rather than looked through.
SLOTS: Final = 20_000
TOUCHED_HOURS: Final = 200

# No day lasts as long, whatever a clock did.
LONGEST_DAY: Final = dt.timedelta(days=3)
LONGEST_RANGE: Final = dt.timedelta(days=DAYS + 3)
HOUR: Final = dt.timedelta(hours=1)

Earlier = Mapping[str, Sequence[Document]]


def first_date(store: Store, campaign_id: str, interval: Interval) -> dt.datetime | None:
    """The earliest action_date that an outreach of the campaign has in an interval, or None."""
    wanted = Rollup(campaign_id, RANGE, interval).selected
    with store.operation():
        found = store.collection(OUTREACH.collection).find(wanted, {"action_date": 1})
        first = next(iter(found.sort("action_date", ASCENDING).limit(1).max_time_ms(READ_MS)), None)
    return first["action_date"] if first else None


def count(store: Store, campaign_id: str, days: Sequence[Interval]) -> tuple[list[Tally], Tally]:
    """What was counted on the days, which follow one another: of each the outreaches and people, and of all everything.

    Raises OsdiError 503 where there is so much to count that it takes several readings.
    """
    ends = time.monotonic() + SECONDS
    settled = id_before(now() - SETTLED)
    known = _drop_touched(store, campaign_id, settled)
    reading = Reading.of(campaign_id, days)
    summed = _recall(store, reading)
    if summed is None or not _add_later(store, reading, settled, ends, for_good=False):
        reading = Reading.of(campaign_id, days)
        _load(store, reading.asked, settled, ends, known)
        _remember(store, reading)
        summed = Tally()
        _add_later(store, reading, settled, ends)
    whole = Tally(people=reading.whole.tally.people)
    for tally in (summed, *(day.tally for day in reading.days)):
        whole.plus(tally)
    return [day.tally for day in reading.days], whole


def invalidate_all(store: Store, query: Query) -> None:
    """Note that every outreach which the query selects will be changed or deleted; before that is done."""
    hours: dict[str, set[dt.datetime]] = {}
    with store.operation():
        found = store.collection(OUTREACH.collection).find(query, {"advocacy_campaign_id": 1, "action_date": 1})
        for each in found:
            if "action_date" in each:
                hours.setdefault(each["advocacy_campaign_id"], set()).add(_hour(each["action_date"]))
        if hours:
            touches = (touch_document(each, dates, people=True, early=True) for each, dates in hours.items())
            store.collection(INVALIDATIONS).insert_many(touches)


def forget(store: Store, campaign_id: str) -> None:
    """Forget what was counted of a campaign that is deleted, and what was to be counted anew."""
    of_campaign = {"advocacy_campaign_id": campaign_id}
    with store.operation():
        store.collection(STATISTICS).delete_many(of_campaign)
        store.collection(INVALIDATIONS).delete_many(of_campaign)


def drop_stale_rollups(store: Store) -> None:
    """Forget what was counted of outreaches that have changed since, also of campaigns that nobody reads any more.

    It holds words that they said.
    """
    with store.operation():
        campaigns = store.collection(INVALIDATIONS).distinct("advocacy_campaign_id")
    for campaign_id in campaigns:
        _drop_touched(store, campaign_id, id_before(now() - SETTLED))


def _drop_touched(store: Store, campaign_id: str, settled: str) -> list[str]:
    """Delete the slots that touches concern, and the touches that have done their work; the ids of those that stay."""
    of_campaign = {"advocacy_campaign_id": campaign_id}
    with store.operation():
        touches = list(store.collection(INVALIDATIONS).find(of_campaign).sort("_id", ASCENDING).limit(ROUND))
        if not touches:
            return []
        days = _by_hour(touches)
        ranges = _by_hour([each for each in touches if each["people"]])
        statistics = store.collection(STATISTICS)
        if len(days) > TOUCHED_HOURS or len(touches) == ROUND:
            statistics.delete_many(of_campaign)
        else:
            for kind, hours, longest in ((DAY, days, LONGEST_DAY), (RANGE, ranges, LONGEST_RANGE)):
                for hour, ids in hours.items():
                    around = {"start": {"$gt": hour - longest, "$lt": hour + HOUR}, "end": {"$gt": hour}}
                    unaware = {"touches": {"$not": {"$all": ids}}}
                    statistics.delete_many(of_campaign | {"kind": kind} | around | unaware)
        # Also those beyond ROUND: all slots are deleted then.
        store.collection(INVALIDATIONS).delete_many(of_campaign | {"_id": {"$lte": settled}})
        left = [each for each in touches if each["_id"] > settled] if store.supports_transactions else []
        return [each["_id"] for each in left if not each.get("early")]


def _by_hour(touches: Sequence[Document]) -> dict[dt.datetime, list[str]]:
    """The ids of touches by the hours that they concern."""
    found: dict[dt.datetime, list[str]] = {}
    for each in touches:
        for hour in {_hour(timestamp) for timestamp in each["dates"]}:
            found.setdefault(hour, []).append(each["_id"])
    return found


def _recall(store: Store, reading: Reading) -> Tally | None:
    """Take over the numbers alone, where it is remembered what the days have by kind in all: that is returned."""
    if not store.range_cache.knows(reading.whole.slot_id):
        return None
    slots = reading.asked
    with store.operation():
        wanted = {"_id": {"$in": [slot.slot_id for slot in slots]}}
        found = {each["_id"]: each for each in store.collection(STATISTICS).find(wanted, {"by": 0})}
    if len(found) < len(slots):
        return None
    for slot in slots:
        slot.load(found[slot.slot_id])
    return store.range_cache.of(reading.whole.slot_id, reading.revisions)


def _remember(store: Store, reading: Reading) -> None:
    """Remember what the days that were loaded have by kind in all."""
    if not all(slot.stored for slot in reading.asked):
        return
    summed = Tally()
    for day in reading.days:
        summed.plus(day.tally)
    summed.outreaches = 0  # these are told day by day
    store.range_cache.remember(reading.whole.slot_id, reading.revisions, summed)


def _load(store: Store, slots: Sequence[Rollup], settled: str, ends: float, known: list[str]) -> None:
    """Take over what the store has of the slots, and count the others from nothing."""
    if store.in_memory:
        return  # nothing is kept there, nor is there what it could be counted by: all is added one by one
    statistics = store.collection(STATISTICS)
    with store.operation():
        found = {each["_id"]: each for each in statistics.find({"_id": {"$in": [slot.slot_id for slot in slots]}})}
    for slot in slots:
        if slot.slot_id in found:
            slot.load(found[slot.slot_id])
    missing = [slot for slot in slots if slot.stored is None]
    if not missing:
        return
    of_campaign = {"advocacy_campaign_id": slots[0].campaign_id}
    with store.operation():
        if statistics.count_documents(of_campaign, limit=SLOTS) + len(missing) > SLOTS:
            statistics.delete_many(of_campaign)
    for start in range(0, len(missing), STORED):
        several = missing[start : start + STORED]
        for slot in several:
            slot.touches = known[-TOUCHED_HOURS:]
            slot.count_anew(store, settled)
        _store(store, several)
        if time.monotonic() > ends and start + STORED < len(missing):
            raise _not_ready()


def _add_later(store: Store, reading: Reading, settled: str, ends: float, *, for_good: bool = True) -> bool:
    """Add the outreaches that the slots have not counted; for good where they are settled and many.

    Returns False, having not added all, where that is due and not wanted.
    """
    slots, whole = reading.asked, reading.whole
    if not slots:
        return True
    counted_to = {slot.slot_id: slot.through for slot in slots}
    latest = max(counted_to.values())
    after = min(counted_to.values())
    waiting = 0
    while True:
        later = _later(store, whole.campaign_id, after)
        earlier = _earlier(store, whole, later, latest)
        added = [each for each in later if each["_id"] <= settled]
        done = len(later) < ROUND
        _add(added, slots, whole, counted_to, earlier)
        waiting += len(added)
        if added and (waiting > ADDED or not done):
            if not for_good:
                return False
            _store(store, slots, settled if len(added) < len(later) or done else added[-1]["_id"])
            waiting = 0
        _add(later[len(added) :], slots, whole, counted_to, earlier)
        if done:
            return True
        if time.monotonic() > ends:
            raise _not_ready()
        after = later[-1]["_id"]


def _later(store: Store, campaign_id: str, after: str) -> list[Document]:
    """The next outreaches of a campaign behind an id."""
    behind = {"advocacy_campaign_id": campaign_id, "_id": {"$gt": after}}
    with store.operation():
        found = store.collection(OUTREACH.collection).find(behind, dict.fromkeys(COUNTED, 1))
        return list(found.sort("_id", ASCENDING).limit(ROUND).max_time_ms(READ_MS))


def _earlier(store: Store, whole: Rollup, later: Sequence[Document], through: str) -> Earlier:
    """What those who made these outreaches did in the range besides, as far as a slot may have counted it."""
    people = {each["person_id"] for each in later if "person_id" in each}
    found: dict[str, list[Document]] = {}
    if people and through:
        query = {"person_id": {"$in": list(people)}, "_id": {"$lte": through}} | whole.selected
        with store.operation():
            outreaches = store.collection(OUTREACH.collection).find(query, {"person_id": 1, "action_date": 1})
            for each in outreaches.max_time_ms(READ_MS):
                found.setdefault(each["person_id"], []).append(each)
    return found


def _add(
    outreaches: Sequence[Document],
    slots: Sequence[Rollup],
    whole: Rollup,
    counted_to: Mapping[str, str],
    earlier: Earlier,
) -> None:
    days = [slot for slot in slots if slot.kind == DAY]
    starts = [slot.interval.start for slot in days]
    for outreach in outreaches:
        timestamp = outreach.get("action_date")
        if timestamp is None or not whole.interval.start <= timestamp < whole.interval.end:
            continue
        for slot in (days[bisect_right(starts, timestamp) - 1], whole):
            counted = counted_to[slot.slot_id]
            if outreach["_id"] > counted:
                slot.add(outreach, new_person=_is_new(outreach.get("person_id"), slot, counted, earlier))


def _is_new(person_id: str | None, slot: Rollup, counted: str, earlier: Earlier) -> bool:
    """Whether the slot has not counted the person yet; from now on it has."""
    if person_id is None or person_id in slot.seen:
        return False
    slot.seen.add(person_id)
    interval = slot.interval
    return not any(
        each["_id"] <= counted and interval.start <= each["action_date"] < interval.end
        for each in earlier.get(person_id, ())
    )


def _store(store: Store, slots: Sequence[Rollup], through: str = "") -> None:
    """Store what the slots have counted, up to an id by now; where another reader was further, that one's stays."""
    writes: list[ReplaceOne[Document]] = []
    moved: list[str] = []
    for slot in slots:
        slot.through = max(slot.through, through)
        if slot.changed:
            kept = {"_id": slot.slot_id} if slot.stored is None else {"_id": slot.slot_id, "through": slot.stored}
            writes.append(ReplaceOne(kept, slot.document(), upsert=slot.stored is None))
        elif slot.stored is not None and slot.through > slot.stored:
            moved.append(slot.slot_id)
        slot.stored, slot.changed = slot.through, False
    if store.in_memory:
        return
    with store.operation():
        statistics = store.collection(STATISTICS)
        if moved:
            statistics.update_many({"_id": {"$in": moved}, "through": {"$lt": through}}, {"$set": {"through": through}})
        if writes:
            try:
                statistics.bulk_write(writes, ordered=False)
            except BulkWriteError as error:  # two readers have counted the same day for the first time
                if not only_duplicate_keys(error):
                    raise


def _hour(timestamp: dt.datetime) -> dt.datetime:
    return timestamp.replace(minute=0, second=0, microsecond=0)


def _not_ready() -> OsdiError:
    return unavailable("There is much to count, which goes on when this is asked again.", seconds=1)
