"""Rollups: the numbers of one interval of UTC, counted by the outreaches' `action_date`, as they are stored.

A rollup of a day has all its numbers; one of a range of days has its distinct people. It has counted every outreach up
to the id `through`. Pure.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from osdi.documents import Document, ReadOnlyDocument
from osdi.ids import new_id
from osdi.statistics.days import Interval
from osdi.statistics.tally import KINDS, VALUES, Tally

DAY: Final = "day"
RANGE: Final = "range"


@dataclass
class Rollup:
    """The numbers of an interval.

    `stored` is the value of `through` in its document, None without one. `invalidations` are the ids of those that
    existed before it was counted, so that its numbers include their changes. Each stored version has another
    `revision`, so that a sum of rollups is known to be of these versions. `changed` is True if it has to be stored.
    `seen` holds the people who were added since it was loaded.
    """

    campaign_id: str
    kind: str
    interval: Interval
    through: str = ""
    tally: Tally = field(default_factory=Tally)
    stored: str | None = None
    invalidations: list[str] = field(default_factory=list)
    revision: str = ""
    changed: bool = False
    seen: set[str] = field(default_factory=set)

    @property
    def rollup_id(self) -> str:
        """The `_id` of its document."""
        ends = (self.interval.start.isoformat(), self.interval.end.isoformat())
        return "|".join((self.campaign_id, self.kind, *ends))

    @property
    def selected(self) -> Document:
        """The query for the outreaches that it counts."""
        dates = {"$gte": self.interval.start, "$lt": self.interval.end}
        return {"advocacy_campaign_id": self.campaign_id, "action_date": dates}

    def add(self, outreach: ReadOnlyDocument, *, new_person: bool) -> None:
        """Counts one more outreach."""
        if self.kind == DAY:
            self.tally.add(outreach)
        self.tally.people += new_person
        self.changed = True

    def document(self) -> Document:
        """Returns the document to store, with a new revision."""
        self.revision = new_id()
        found: Document = {
            "_id": self.rollup_id,
            "advocacy_campaign_id": self.campaign_id,
            "kind": self.kind,
            "start": self.interval.start,
            "end": self.interval.end,
            "through": self.through,
            "people": self.tally.people,
            "invalidations": self.invalidations,
            "revision": self.revision,
        }
        if self.kind == DAY:
            found |= {"outreaches": self.tally.outreaches, "by": {kind: self._most_frequent(kind) for kind in KINDS}}
        return found

    def load(self, document: ReadOnlyDocument) -> None:
        """Takes the numbers of its document, which may have been read without `by`."""
        self.through = self.stored = document["through"]
        self.invalidations = document["invalidations"]
        self.revision = document["revision"]
        self.tally = Tally(document.get("outreaches", 0), document["people"])
        for kind, counted in document.get("by", {}).items():
            self.tally.by[kind] = Counter(dict(zip(counted["values"], counted["counts"], strict=True)))
            self.tally.cut[kind] = counted["cut"]

    def _most_frequent(self, kind: str) -> Document:
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
    """The rollups of one request for statistics: those of the days, and that of the range of them all."""

    days: list[Rollup]
    whole: Rollup

    @classmethod
    def of(cls, campaign_id: str, days: Sequence[Interval]) -> "Reading":
        """Returns empty rollups of days that follow one another."""
        whole = Rollup(campaign_id, RANGE, Interval(days[0].start, days[-1].end))
        return cls([Rollup(campaign_id, DAY, day) for day in days], whole)

    @property
    def rollups(self) -> list[Rollup]:
        """Those whose interval is not empty: a time zone may leave out a day."""
        return [each for each in (*self.days, self.whole) if each.interval.start < each.interval.end]

    @property
    def revisions(self) -> dict[str, str]:
        """The revisions of the days by their ids."""
        return {each.rollup_id: each.revision for each in self.days}
