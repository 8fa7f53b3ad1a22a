"""What an import did, or would do: counts, reasons with the lines that they stand for, and the summary of them.

However many lines a file has, no more is remembered than a bounded number of reasons and of lines for each.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from osdi.people.matching import EMAIL, NEW
from osdi.people.signup import CHANGED, CREATED, UNCHANGED

REASONS: Final = 100
LINES_SHOWN: Final = 5
OTHER_REASONS: Final = "other reasons"
# Words of the report that differ from those of osdi.people.matching.
WORDS: Final = {EMAIL: "e-mail"}

RECORDED, KNOWN = "recorded", "known"


@dataclass(frozen=True)
class Outcome:
    """What became of one row: of its outreach, if it is one; of its person, and by what they were matched; or why not.

    `person` is CREATED, CHANGED or UNCHANGED; `outreach` RECORDED or KNOWN; `refused` a sentence.
    """

    person: str | None = None
    matched_by: str | None = None
    outreach: str | None = None
    refused: str | None = None
    warnings: tuple[str, ...] = ()


@dataclass
class Reasons:
    """How often each reason came, and the first lines that it came for."""

    counts: Counter[str] = field(default_factory=Counter)
    lines: dict[str, list[int]] = field(default_factory=dict)

    def add(self, reason: str, line: int) -> None:
        """Note that a line has the reason."""
        if reason not in self.counts and len(self.counts) >= REASONS:
            reason = OTHER_REASONS
        self.counts[reason] += 1
        shown = self.lines.setdefault(reason, [])
        if len(shown) < LINES_SHOWN:
            shown.append(line)

    def told(self) -> list[str]:
        """A line of text for each reason, the most frequent first."""
        return [f"  {count:>7,}  {reason} ({self._where(reason)})" for reason, count in self.counts.most_common()]

    def _where(self, reason: str) -> str:
        lines = self.lines[reason]
        more = ", ..." if self.counts[reason] > len(lines) else ""
        return f"line{'s' if len(lines) > 1 else ''} {', '.join(map(str, lines))}{more}"


@dataclass
class Report:
    """The counts of an import so far."""

    rows: int = 0
    people: Counter[str] = field(default_factory=Counter)
    matched_by: Counter[str] = field(default_factory=Counter)
    outreaches: Counter[str] = field(default_factory=Counter)
    refusals: Reasons = field(default_factory=Reasons)
    warnings: Reasons = field(default_factory=Reasons)

    @property
    def refused(self) -> int:
        return self.refusals.counts.total()

    def add(self, outcome: Outcome, line: int) -> None:
        """Count what became of a row that begins on this line."""
        self.rows += 1
        if outcome.refused is not None:
            self.refusals.add(outcome.refused, line)
        if outcome.person:
            self.people[outcome.person] += 1
        if outcome.matched_by and outcome.matched_by != NEW:
            self.matched_by[WORDS.get(outcome.matched_by, outcome.matched_by)] += 1
        if outcome.outreach:
            self.outreaches[outcome.outreach] += 1
        for warning in outcome.warnings:
            self.warnings.add(warning, line)

    def summary(self, *, dry: bool, of_people: bool = True) -> list[str]:
        """What happened, in lines of text; `dry` tells what would have. Campaigns are nothing `of_people`."""
        would = "would be " if dry else ""
        lines = [f"{self.rows:,} rows"]
        if self.outreaches:
            lines.append(f"  {self.outreaches[RECORDED]:>7,}  outreaches {would}recorded")
            lines.append(f"  {self.outreaches[KNOWN]:>7,}  outreaches that exist already")
        if of_people and (self.people or not self.outreaches):
            matched = self.people[CHANGED] + self.people[UNCHANGED]
            how = ", ".join(f"{count:,} by {what}" for what, count in self.matched_by.most_common())
            lines.append(f"  {self.people[CREATED]:>7,}  people {would}created")
            lines.append(f"  {matched:>7,}  people matched{f': {how}' if how else ''}")
            lines.append(f"  {self.people[CHANGED]:>7,}    of them {would}changed")
            lines.append(f"  {self.people[UNCHANGED]:>7,}    of them unchanged")
        lines.append(f"  {self.refused:>7,}  rows {would}rejected")
        if self.refusals.counts:
            lines += ["Rejected:", *self.refusals.told()]
        if self.warnings.counts:
            lines += ["Imported with warnings:", *self.warnings.told()]
        return lines

    def kept(self) -> dict[str, Any]:
        """The report as it is kept in the database; names of fields may hold no dots there, so reasons are values."""
        return {
            "rows": self.rows,
            "people": dict(self.people),
            "matched_by": dict(self.matched_by),
            "outreaches": dict(self.outreaches),
            "refusals": _kept(self.refusals),
            "warnings": _kept(self.warnings),
        }

    @classmethod
    def of(cls, kept: Mapping[str, Any]) -> "Report":
        """What `kept` made of a report."""
        return cls(
            rows=kept["rows"],
            people=Counter(kept["people"]),
            matched_by=Counter(kept["matched_by"]),
            outreaches=Counter(kept["outreaches"]),
            refusals=_reasons_of(kept["refusals"]),
            warnings=_reasons_of(kept["warnings"]),
        )


def _kept(reasons: Reasons) -> list[dict[str, Any]]:
    return [
        {"reason": reason, "count": count, "lines": reasons.lines[reason]} for reason, count in reasons.counts.items()
    ]


def _reasons_of(kept: list[dict[str, Any]]) -> Reasons:
    return Reasons(
        Counter({each["reason"]: each["count"] for each in kept}), {each["reason"]: each["lines"] for each in kept}
    )
