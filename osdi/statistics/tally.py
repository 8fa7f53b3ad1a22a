"""Tallies of a campaign's statistics: the values that an outreach counts for, and sums of them.

A day is the time from one midnight to the next in a time zone, as an interval of UTC: 23 or 25 hours when the clock
changes, and empty for a date that a zone left out. Pure.
"""

import datetime as dt
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from osdi.documents import Json, ReadOnlyDocument
from osdi.fields.outreach import NEW_PERSON, OWN_WORDS

# Outreaches are counted by these, besides the day. One has one type, source and referrer, and many targets.
KINDS: Final = ("type", "source", "target", "referrer")
# And by these, for the staff pages: a value is TRUE, FALSE or none.
FLAGS: Final = (NEW_PERSON, OWN_WORDS)
COUNTED_KINDS: Final = (*KINDS, *FLAGS)
TRUE, FALSE = "true", "false"
TOP: Final = 10

# The number of values of a kind that a day keeps, the most frequent ones, and the characters that are kept of each.
MAX_VALUES: Final = 1_000
MAX_VALUE_LENGTH: Final = 200


@dataclass
class Tally:
    """Numbers of outreaches and of distinct people, and by kind the number of outreaches that name a value, or none.

    None stands for no value. `cut` has by kind the number of outreaches with values that were not kept.

    Of a day, `returned` has the people who had acted in the campaign in the year before it: how many, by the number of
    days since the last day on which they did (see osdi.statistics.people).
    """

    outreaches: int = 0
    people: int = 0
    returned: Counter[int] = field(default_factory=Counter)
    by: dict[str, Counter[str | None]] = field(default_factory=lambda: {kind: Counter() for kind in COUNTED_KINDS})
    cut: Counter[str] = field(default_factory=Counter)

    def add(self, outreach: ReadOnlyDocument) -> None:
        """Counts one more outreach. The caller counts its person."""
        self.outreaches += 1
        for kind, values in values_of(outreach).items():
            self.by[kind].update(values)

    def plus(self, other: "Tally") -> None:
        """Adds another tally, but not its people, who may be the same."""
        self.outreaches += other.outreaches
        for kind in COUNTED_KINDS:
            self.by[kind].update(other.by[kind])
        self.cut.update(other.cut)


_FLAG_VALUES: Final[dict[Any, str]] = {True: TRUE, False: FALSE}


def values_of(outreach: ReadOnlyDocument) -> dict[str, tuple[str | None, ...]]:
    """Returns the values that an outreach counts for, by kind; `(None,)` if it has none."""
    referrer_data = outreach.get("referrer_data") or {}
    named = dict.fromkeys(_cut(target_name(target)) for target in outreach.get("targets") or ())
    named.pop(None, None)
    return {
        "type": (_cut(outreach.get("type")),),
        "source": (_cut(referrer_data.get("source")),),
        "target": tuple(named) or (None,),
        "referrer": (_cut(referrer_data.get("referrer")),),
        **{flag: (_FLAG_VALUES.get(outreach.get(flag)),) for flag in FLAGS},
    }


def target_name(target: ReadOnlyDocument) -> str | None:
    """Returns the name of a target: title and names, or else the organization, or else the division."""
    named = " ".join(target[part] for part in ("title", "given_name", "family_name") if target.get(part))
    other: str | None = target.get("organization") or target.get("ocdid")
    return named or other


def top(kind: str, tally: Tally) -> Json:
    """Returns the top values: `{top: [{value, outreaches}], others: {values, outreaches}, without, complete}`."""
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
    """Returns the body of the response: totals, each day's numbers, and the top values of all days by kind."""
    return {
        "total": {"outreaches": whole.outreaches, "people": whole.people},
        "days": [
            {"date": date.isoformat(), "outreaches": tally.outreaches, "people": tally.people}
            for date, tally in zip(days, tallies, strict=True)
        ],
        **{f"by_{kind}": top(kind, whole) for kind in KINDS},
    }


def _cut(value: str | None) -> str | None:
    return None if value is None else value[:MAX_VALUE_LENGTH]
