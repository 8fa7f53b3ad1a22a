"""What is kept of a campaign's statistics: a slot for each interval of UTC that was asked for, and how it is counted.

A slot is a document with what was counted in its interval by the outreaches' action_date: of a day all its numbers, of
a range of days its distinct people. It has counted every outreach up to the id `through`.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from osdi.documents import Document
from osdi.ids import new_id
from osdi.resources import OUTREACH
from osdi.statistics.days import Interval
from osdi.statistics.tally import KINDS, VALUE_LENGTH, VALUES, Tally
from osdi.store import Store
from osdi.store.driver import READ_MS

DAY: Final = "day"
RANGE: Final = "range"


@dataclass
class Rollup:
    """What was counted in an interval; `stored` is up to where its document in the store has counted, if it has one.

    `touches` are those that were there before it was counted: it counts what they are about as it is now. `revision`
    is another one for each document that is stored, so that what was made of it is known to be of it.
    """

    campaign_id: str
    kind: str
    interval: Interval
    through: str = ""
    tally: Tally = field(default_factory=Tally)
    stored: str | None = None
    touches: list[str] = field(default_factory=list)
    revision: str = ""
    changed: bool = False
    seen: set[str] = field(default_factory=set)

    @property
    def slot_id(self) -> str:
        ends = (self.interval.start.isoformat(), self.interval.end.isoformat())
        return "|".join((self.campaign_id, self.kind, *ends))

    @property
    def selected(self) -> Document:
        """The outreaches that it counts."""
        dates = {"$gte": self.interval.start, "$lt": self.interval.end}
        return {"advocacy_campaign_id": self.campaign_id, "action_date": dates}

    def add(self, outreach: Document, *, new_person: bool) -> None:
        """Count one more outreach."""
        if self.kind == DAY:
            self.tally.add(outreach)
        self.tally.people += new_person
        self.changed = True

    def document(self) -> Document:
        """As it is stored."""
        self.revision = new_id()
        found: Document = {
            "_id": self.slot_id,
            "advocacy_campaign_id": self.campaign_id,
            "kind": self.kind,
            "start": self.interval.start,
            "end": self.interval.end,
            "through": self.through,
            "people": self.tally.people,
            "touches": self.touches,
            "revision": self.revision,
        }
        if self.kind == DAY:
            found |= {"outreaches": self.tally.outreaches, "by": {kind: self._kept(kind) for kind in KINDS}}
        return found

    def load(self, document: Document) -> None:
        """Take over what its document says, which may have been read without `by`."""
        self.through = self.stored = document["through"]
        self.touches = document["touches"]
        self.revision = document["revision"]
        self.tally = Tally(document.get("outreaches", 0), document["people"])
        for kind, counted in document.get("by", {}).items():
            self.tally.by[kind] = Counter(dict(zip(counted["values"], counted["counts"], strict=True)))
            self.tally.cut[kind] = counted["cut"]

    def count_anew(self, store: Store, through: str) -> None:
        """Count all outreaches up to an id from nothing, in the server. Raises OsdiError 503 where that takes long."""
        outreaches = store.collection(OUTREACH.collection)
        selected = {"$match": self.selected | {"_id": {"$lte": through}}}
        self.tally = Tally()
        with store.operation():
            for each in outreaches.aggregate([selected, *_PEOPLE], maxTimeMS=READ_MS, allowDiskUse=True):
                self.tally.people = each["number"]
            for kind in KINDS if self.kind == DAY else ():
                counting = [selected, *_COUNTING[kind]]
                self._take(kind, outreaches.aggregate(counting, maxTimeMS=READ_MS, allowDiskUse=True))
                if not self.tally.outreaches:
                    break
        self.through = through
        self.changed = True

    def _take(self, kind: str, found: Any) -> None:
        for each in found:
            number = each["number"]
            if kind == "type":
                self.tally.outreaches += number  # each has one
            if len(self.tally.by[kind]) < VALUES:
                self.tally.by[kind][each["_id"]] = number
            else:
                self.tally.cut[kind] += number

    def _kept(self, kind: str) -> Document:
        counted = self.tally.by[kind]
        ranked = counted.most_common(VALUES)
        beyond = counted.total() - sum(number for _, number in ranked)
        return {
            "values": [value for value, _ in ranked],
            "counts": [number for _, number in ranked],
            "cut": self.tally.cut[kind] + beyond,
        }


@dataclass(frozen=True)
class Reading:
    """The slots that one reading of a campaign's statistics is made of: the days, and the range of them all."""

    days: list[Rollup]
    whole: Rollup

    @classmethod
    def of(cls, campaign_id: str, days: Sequence[Interval]) -> "Reading":
        """Empty ones, of days that follow one another."""
        whole = Rollup(campaign_id, RANGE, Interval(days[0].start, days[-1].end))
        return cls([Rollup(campaign_id, DAY, day) for day in days], whole)

    @property
    def asked(self) -> list[Rollup]:
        """Those in which there is any time: not a day that a zone left out."""
        return [slot for slot in (*self.days, self.whole) if slot.interval.start < slot.interval.end]

    @property
    def revisions(self) -> dict[str, str]:
        """The days' revisions by their ids."""
        return {slot.slot_id: slot.revision for slot in self.days}


def _text(value: Any) -> Document:
    """A value where it is text, as far as it counts, else null; as an expression of MongoDB."""
    return {"$cond": [{"$eq": [{"$type": value}, "string"]}, {"$substrCP": [value, 0, VALUE_LENGTH]}, None]}


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
    {"$count": "number"},
]
# By kind how often each value is named, the most frequent first.
_COUNTING: Final[dict[str, list[Document]]] = {
    "type": [{"$project": {"_id": 0, "value": _text("$type")}}, *_EACH],
    "source": [{"$project": {"_id": 0, "value": _text("$referrer_data.source")}}, *_EACH],
    "referrer": [{"$project": {"_id": 0, "value": _text("$referrer_data.referrer")}}, *_EACH],
    "target": [
        {"$project": {"_id": 0, "value": {"$setDifference": [_NAMES, [None]]}}},
        {"$unwind": {"path": "$value", "preserveNullAndEmptyArrays": True}},
        *_EACH,
    ],
}
