"""Statistics of a campaign: which days there are, what an outreach counts for, and how what was counted adds up.

A day is the time from one midnight to the next in a time zone, as an interval of UTC: 23 or 25 hours where the clock
changes, and nothing where a zone left a date out.

Pure: outreaches are documents that somebody else has read.
"""

import datetime as dt
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from osdi.documents import Json, ReadOnlyDocument

# By what outreaches are counted, besides the day. An outreach has one type, source and referrer, and many targets.
KINDS: Final = ("type", "source", "target", "referrer")
TOP: Final = 10

# How many values of a kind are kept for each day, the most frequent ones, and the characters by which one is known.
VALUES: Final = 1_000
VALUE_LENGTH: Final = 200


@dataclass
class Tally:
    """What was counted: outreaches, distinct people, and by kind how many outreaches name each value, or none (None).

    `cut` says by kind how many there are of values that were not kept.
    """

    outreaches: int = 0
    people: int = 0
    by: dict[str, Counter[str | None]] = field(default_factory=lambda: {kind: Counter() for kind in KINDS})
    cut: Counter[str] = field(default_factory=Counter)

    def add(self, outreach: ReadOnlyDocument) -> None:
        """Count one more outreach; whether its person is new is for others to know."""
        self.outreaches += 1
        for kind, values in values_of(outreach).items():
            self.by[kind].update(values)

    def plus(self, other: "Tally") -> None:
        """Count what another tally has; not its people, who may be the same."""
        self.outreaches += other.outreaches
        for kind in KINDS:
            self.by[kind].update(other.by[kind])
        self.cut.update(other.cut)


def values_of(outreach: ReadOnlyDocument) -> dict[str, tuple[str | None, ...]]:
    """What an outreach counts for, by kind; `(None,)` where it says nothing."""
    referrer_data = outreach.get("referrer_data") or {}
    named = dict.fromkeys(_cut(target_name(target)) for target in outreach.get("targets") or ())
    named.pop(None, None)
    return {
        "type": (_cut(outreach.get("type")),),
        "source": (_cut(referrer_data.get("source")),),
        "target": tuple(named) or (None,),
        "referrer": (_cut(referrer_data.get("referrer")),),
    }


def target_name(target: ReadOnlyDocument) -> str | None:
    """How a target is called: title and names, or else the organization, or else the division."""
    named = " ".join(target[part] for part in ("title", "given_name", "family_name") if target.get(part))
    other: str | None = target.get("organization") or target.get("ocdid")
    return named or other


def top(kind: str, tally: Tally) -> Json:
    """The most frequent values: `{top: [{value, outreaches}], others: {values, outreaches}, without, complete}`."""
    counted = Counter(tally.by[kind])
    without = counted.pop(None, 0)
    ranked = sorted(counted.items(), key=lambda each: (-each[1], str(each[0])))
    return {
        "top": [{"value": value, "outreaches": number} for value, number in ranked[:TOP]],
        "others": {
            "values": len(ranked[TOP:]),
            "outreaches": sum(number for _, number in ranked[TOP:]) + tally.cut[kind],
        },
        "without": without,
        "complete": not tally.cut[kind],
    }


def summary(days: Sequence[dt.date], tallies: Sequence[Tally], whole: Tally) -> Json:
    """What is answered: the totals, each day's numbers, and the top of each kind of all days."""
    return {
        "total": {"outreaches": whole.outreaches, "people": whole.people},
        "days": [
            {"date": date.isoformat(), "outreaches": tally.outreaches, "people": tally.people}
            for date, tally in zip(days, tallies, strict=True)
        ],
        **{f"by_{kind}": top(kind, whole) for kind in KINDS},
    }


def _cut(value: str | None) -> str | None:
    return None if value is None else value[:VALUE_LENGTH]
