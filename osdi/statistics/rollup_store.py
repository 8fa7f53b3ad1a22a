"""Rollups in the store: loaded, counted by the database, and saved."""

from collections.abc import Iterable, Sequence
from typing import Any, Final

from pymongo import ReplaceOne
from pymongo.errors import BulkWriteError

from osdi.documents import Document, Query
from osdi.resources import OUTREACH
from osdi.statistics.days import Calendar
from osdi.statistics.invalidation import COUNTED
from osdi.statistics.people import Acts, gaps
from osdi.statistics.rollups import Rollup
from osdi.statistics.tally import COUNTED_KINDS, FALSE, FLAGS, MAX_VALUE_LENGTH, MAX_VALUES, TRUE, Tally
from osdi.store import Store
from osdi.store.driver import READ_MS, only_duplicate_keys
from osdi.store.indexes import STATISTICS

# The number of people whose outreaches are read at once, and the fields of these.
PEOPLE_AT_ONCE: Final = 2_000
_ACTS: Final = ("person_id", "advocacy_campaign_id", "action_date")

# The outreaches of a day are read if there are at most as many. Otherwise the database counts them: it needs seven
# queries, which take longer than reading a few.
MAX_READ_OUTREACHES: Final = 1_000

# A campaign with more rollups loses all of them, which are then counted again.
MAX_ROLLUPS: Final = 20_000


def load(store: Store, rollups: Sequence[Rollup], *, values: bool = True) -> list[Rollup]:
    """Loads the rollups that are stored, without their values by kind if not needed; returns the others."""
    wanted = {"_id": {"$in": [each.rollup_id for each in rollups]}}
    with store.operation():
        documents = store.collection(STATISTICS).find(wanted, None if values else {"by": 0})
        found = {each["_id"]: each for each in documents}
    for each in rollups:
        if each.rollup_id in found:
            each.load(found[each.rollup_id])
    return [each for each in rollups if each.rollup_id not in found]


def campaigns_with_rollups(store: Store) -> set[str]:
    """Returns the ids of the campaigns that have rollups."""
    with store.operation():
        return set(store.collection(STATISTICS).distinct("advocacy_campaign_id"))


def make_room(store: Store, campaign_id: str, number: int) -> None:
    """Deletes the campaign's rollups if there were more than MAX_ROLLUPS with this number of new ones."""
    of_campaign = {"advocacy_campaign_id": campaign_id}
    with store.operation():
        rollups = store.collection(STATISTICS)
        if rollups.count_documents(of_campaign, limit=MAX_ROLLUPS) + number > MAX_ROLLUPS:
            rollups.delete_many(of_campaign)


def count_anew(store: Store, rollup: Rollup, through: str, calendar: Calendar) -> None:
    """Counts all outreaches of a rollup up to an id. Raises OsdiError 503 if that takes too long."""
    selected = rollup.selected | {"_id": {"$lte": through}}
    rollup.tally = Tally()
    few = store.find(OUTREACH.collection, selected, limit=MAX_READ_OUTREACHES + 1, fields=COUNTED)
    if len(few) <= MAX_READ_OUTREACHES:
        for each in few:
            rollup.tally.add(each)
        people = list(dict.fromkeys(each["person_id"] for each in few if "person_id" in each))
    else:
        people = _count_in_database(store, rollup.tally, selected)
    _add_people(store, rollup, people, through, calendar)
    rollup.through = through
    rollup.changed = True


def _count_in_database(store: Store, tally: Tally, selected: Query) -> list[str]:
    """Counts the outreaches by aggregations; returns the ids of their people."""
    outreaches = store.collection(OUTREACH.collection)
    with store.operation():
        for kind in COUNTED_KINDS:
            counting = [{"$match": selected}, *_COUNTING[kind]]
            _add_counts(tally, kind, outreaches.aggregate(counting, maxTimeMS=READ_MS, allowDiskUse=True))
        found = outreaches.aggregate([{"$match": selected}, *_PEOPLE], maxTimeMS=READ_MS, allowDiskUse=True)
        return [each["_id"] for each in found]


def acts_of(store: Store, campaign_id: str, people: Sequence[str], calendar: Calendar) -> Acts:
    """Returns the outreaches of these people for a campaign on the days of a calendar, and before its first one."""
    # No other field, lest the database reads the index of the campaign's dates instead of that of people.
    query = {"person_id": {"$in": list(people)}}
    found: dict[str, list[tuple[str, int]]] = {each: [] for each in people}
    for each in store.find(OUTREACH.collection, query, fields=_ACTS) if people else ():
        number = calendar.number_of(each.get("action_date"))
        if number is not None and each["advocacy_campaign_id"] == campaign_id:
            found[each["person_id"]].append((each["_id"], number))
    return found


def _add_people(store: Store, rollup: Rollup, people: Sequence[str], through: str, calendar: Calendar) -> None:
    """Counts the people of a rollup, each with the day on which they acted before."""
    today = calendar.number_of(rollup.interval.start)
    assert today is not None
    for first in range(0, len(people), PEOPLE_AT_ONCE):
        acts = acts_of(store, rollup.campaign_id, people[first : first + PEOPLE_AT_ONCE], calendar)
        for theirs in acts.values():
            known = gaps(number for outreach_id, number in theirs if outreach_id <= through)
            rollup.move_person(None, known.get(today))


def save(store: Store, rollups: Sequence[Rollup], through: str = "") -> None:
    """Saves the rollups, which have counted up to the id `through`; where another reader was further, its one stays."""
    writes: list[ReplaceOne[Document]] = []
    moved: list[str] = []
    for each in rollups:
        each.through = max(each.through, through)
        if each.changed:
            as_loaded = {} if each.stored is None else {"through": each.stored}
            writes.append(ReplaceOne({"_id": each.rollup_id, **as_loaded}, each.document(), upsert=each.stored is None))
        elif each.stored is not None and each.through > each.stored:
            moved.append(each.rollup_id)
        each.stored, each.changed = each.through, False
    if store.in_memory:
        return
    with store.operation():
        stored = store.collection(STATISTICS)
        if moved:
            stored.update_many({"_id": {"$in": moved}, "through": {"$lt": through}}, {"$set": {"through": through}})
        if writes:
            try:
                stored.bulk_write(writes, ordered=False)
            except BulkWriteError as error:  # two readers have counted the same day for the first time
                if not only_duplicate_keys(error):
                    raise


def _add_counts(tally: Tally, kind: str, found: Iterable[Document]) -> None:
    """Adds what was counted by kind, the most frequent value first."""
    for each in found:
        number = each["number"]
        if kind == "type":
            tally.outreaches += number  # each outreach has one type
        if len(tally.by[kind]) < MAX_VALUES:
            tally.by[kind][each["_id"]] = number
        else:
            tally.cut[kind] += number


def _text(value: Any) -> Document:
    """Returns the expression of MongoDB for the beginning of a value that is text; null for any other."""
    return {"$cond": [{"$eq": [{"$type": value}, "string"]}, {"$substrCP": [value, 0, MAX_VALUE_LENGTH]}, None]}


def _flag(value: str) -> Document:
    """Returns the expression of MongoDB for TRUE, FALSE or, for any other value, null."""
    return {"$cond": [{"$eq": [value, True]}, TRUE, {"$cond": [{"$eq": [value, False]}, FALSE, None]}]}


# As osdi.statistics.tally.target_name.
_PARTS: Final = {
    "$filter": {
        "input": [f"$$target.{part}" for part in ("title", "given_name", "family_name")],
        "as": "part",
        "cond": {"$and": [{"$eq": [{"$type": "$$part"}, "string"]}, {"$ne": ["$$part", ""]}]},
    }
}
_JOINED: Final = {
    "$reduce": {
        "input": _PARTS,
        "initialValue": "",
        "in": {"$concat": ["$$value", {"$cond": [{"$eq": ["$$value", ""]}, "", " "]}, "$$this"]},
    }
}
_OTHERWISE: Final = {"$ifNull": ["$$target.organization", "$$target.ocdid"]}
_NAME: Final = {"$let": {"vars": {"name": _JOINED}, "in": {"$cond": [{"$eq": ["$$name", ""]}, _OTHERWISE, "$$name"]}}}
_CUT_NAME: Final = {"$let": {"vars": {"name": _NAME}, "in": _text("$$name")}}
_NAMES: Final = {"$map": {"input": {"$ifNull": ["$targets", []]}, "as": "target", "in": _CUT_NAME}}
_EACH: Final[list[Document]] = [
    {"$group": {"_id": "$value", "number": {"$sum": 1}}},
    {"$sort": {"number": -1, "_id": 1}},
]
_PEOPLE: Final[list[Document]] = [
    {"$match": {"person_id": {"$gt": ""}}},
    {"$group": {"_id": "$person_id"}},
]
# By kind: how often each value is named, the most frequent first.
_COUNTING: Final[dict[str, list[Document]]] = {
    "type": [{"$project": {"_id": 0, "value": _text("$type")}}, *_EACH],
    "source": [{"$project": {"_id": 0, "value": _text("$referrer_data.source")}}, *_EACH],
    "referrer": [{"$project": {"_id": 0, "value": _text("$referrer_data.referrer")}}, *_EACH],
    "target": [
        {"$project": {"_id": 0, "value": {"$setDifference": [_NAMES, [None]]}}},
        {"$unwind": {"path": "$value", "preserveNullAndEmptyArrays": True}},
        *_EACH,
    ],
    **{flag: [{"$project": {"_id": 0, "value": _flag(f"${flag}")}}, *_EACH] for flag in FLAGS},
}
