"""Rollups: the numbers of one day in a time zone, counted by the outreaches' `action_date`, as they are stored.

A rollup has counted every outreach up to the id `through`. Pure.
"""

from collections import Counter
from dataclasses import dataclass, field
from typing import Final

from osdi.documents import Document, ReadOnlyDocument
from osdi.ids import new_id
from osdi.statistics.days import Calendar, Interval
from osdi.statistics.people import FIRST_TIME, distinct_people
from osdi.statistics.tally import COUNTED_KINDS, MAX_VALUES, Tally

DAY: Final = "day"


@dataclass
class Rollup:
    """The numbers of a day.

    `stored` is the value of `through` in its document, None without one. `invalidations` are the ids of those that
    existed before it was counted, so that its numbers include their changes. Each stored version has another
    `revision`, so that a sum of rollups is known to be of these versions. `changed` is True if it has to be stored.
    """

    campaign_id: str
    zone: str
    interval: Interval
    through: str = ""
    tally: Tally = field(default_factory=Tally)
    stored: str | None = None
    invalidations: list[str] = field(default_factory=list)
    revision: str = ""
    changed: bool = False

    @property
    def rollup_id(self) -> str:
        """The `_id` of its document."""
        ends = (self.interval.start.isoformat(), self.interval.end.isoformat())
        return "|".join((self.campaign_id, self.zone, *ends))

    @property
    def lasts(self) -> bool:
        """True if its interval is not empty: a time zone may leave out a day."""
        return self.interval.start < self.interval.end

    @property
    def selected(self) -> Document:
        """The query for the outreaches that it counts."""
        dates = {"$gte": self.interval.start, "$lt": self.interval.end}
        return {"advocacy_campaign_id": self.campaign_id, "action_date": dates}

    def add(self, outreach: ReadOnlyDocument) -> None:
        """Counts one more outreach, without its person."""
        self.tally.add(outreach)
        self.changed = True

    def move_person(self, before: int | None, after: int | None) -> None:
        """Counts a person with another gap than before (see osdi.statistics.people). None means not on this day."""
        if before == after:
            return
        for gap, number in ((before, -1), (after, 1)):
            if gap is None:
                continue
            self.tally.people += number
            if gap != FIRST_TIME:
                self.tally.returned[gap] += number
        self.changed = True

    def document(self) -> Document:
        """Returns the document to store, with a new revision."""
        self.revision = new_id()
        returned = {since: people for since, people in self.tally.returned.items() if people}
        return {
            "_id": self.rollup_id,
            "advocacy_campaign_id": self.campaign_id,
            "kind": DAY,
            "start": self.interval.start,
            "end": self.interval.end,
            "through": self.through,
            "outreaches": self.tally.outreaches,
            "people": self.tally.people,
            "returned": {"days": list(returned), "people": list(returned.values())},
            "by": {kind: self._most_frequent(kind) for kind in COUNTED_KINDS},
            "invalidations": self.invalidations,
            "revision": self.revision,
        }

    def load(self, document: ReadOnlyDocument) -> None:
        """Takes the numbers of its document, which may have been read without `by`."""
        self.through = self.stored = document["through"]
        self.invalidations = document["invalidations"]
        self.revision = document["revision"]
        returned = document["returned"]
        since = Counter(dict(zip(returned["days"], returned["people"], strict=True)))
        self.tally = Tally(document["outreaches"], document["people"], since)
        for kind, counted in document.get("by", {}).items():
            self.tally.by[kind] = Counter(dict(zip(counted["values"], counted["counts"], strict=True)))
            self.tally.cut[kind] = counted["cut"]

    def _most_frequent(self, kind: str) -> Document:
        counted = self.tally.by[kind]
        ranked = counted.most_common(MAX_VALUES)
        beyond = counted.total() - sum(number for _, number in ranked)
        return {
            "values": [value for value, _ in ranked],
            "counts": [number for _, number in ranked],
            "cut": self.tally.cut[kind] + beyond,
        }


@dataclass(frozen=True)
class Reading:
    """The rollups of one request for statistics, by the numbers of their days."""

    campaign_id: str
    calendar: Calendar
    by_number: dict[int, Rollup]

    @classmethod
    def of(cls, campaign_id: str, calendar: Calendar) -> "Reading":
        """Returns empty rollups of the days of a calendar."""
        zone = calendar.zone.key
        days = {number: Rollup(campaign_id, zone, calendar.interval(number)) for number in calendar.numbers}
        return cls(campaign_id, calendar, days)

    @property
    def reading_id(self) -> str:
        """The campaign, the zone and the dates."""
        return "|".join((self.campaign_id, self.calendar.zone.key, str(self.calendar.first), str(self.calendar.last)))

    @property
    def days(self) -> list[Rollup]:
        return list(self.by_number.values())

    @property
    def rollups(self) -> list[Rollup]:
        """Those whose interval is not empty."""
        return [each for each in self.days if each.lasts]

    @property
    def revisions(self) -> dict[str, str]:
        """The revisions of the days by their ids."""
        return {each.rollup_id: each.revision for each in self.days}

    @property
    def people(self) -> int:
        """The number of distinct people of all days."""
        return distinct_people([each.tally for each in self.days])
