"""The report of an import or dry run: counts, reasons of rejections with their lines, and the summary.

The number of reasons, and of lines for each reason, is limited, so memory use does not grow with the file.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from osdi.people.matching import EMAIL, NEW
from osdi.people.signup import CHANGED, CREATED, UNCHANGED

MAX_REASONS: Final = 100
MAX_LINES_SHOWN: Final = 5
OTHER_REASONS: Final = "other reasons"
# Words of the report that differ from those of osdi.people.matching.
WORDS: Final = {EMAIL: "e-mail"}

RECORDED, KNOWN = "recorded", "known"


@dataclass(frozen=True)
class Outcome:
    """The result for one row.

    `person` is CREATED, CHANGED or UNCHANGED; `matched_by` says how the person was matched; `outreach` is RECORDED or
    KNOWN; `rejected` is the reason of a rejection.
    """

    person: str | None = None
    matched_by: str | None = None
    outreach: str | None = None
    rejected: str | None = None
    warnings: tuple[str, ...] = ()


@dataclass
class Reasons:
    """Counts of reasons, with the first lines of each."""

    counts: Counter[str] = field(default_factory=Counter)
    lines: dict[str, list[int]] = field(default_factory=dict)

    def add(self, reason: str, line: int) -> None:
        """Counts the reason for a line; beyond the first MAX_REASONS different ones it counts as OTHER_REASONS."""
        if reason not in self.counts and len(self.counts) >= MAX_REASONS:
            reason = OTHER_REASONS
        self.counts[reason] += 1
        shown = self.lines.setdefault(reason, [])
        if len(shown) < MAX_LINES_SHOWN:
            shown.append(line)

    def summary(self) -> list[str]:
        """Returns a line of text for each reason, the most frequent first."""
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
    rejections: Reasons = field(default_factory=Reasons)
    warnings: Reasons = field(default_factory=Reasons)

    @property
    def rejected(self) -> int:
        return self.rejections.counts.total()

    def add(self, outcome: Outcome, line: int) -> None:
        """Counts the outcome of a row that begins on this line."""
        self.rows += 1
        if outcome.rejected is not None:
            self.rejections.add(outcome.rejected, line)
        if outcome.person:
            self.people[outcome.person] += 1
        if outcome.matched_by and outcome.matched_by != NEW:
            self.matched_by[WORDS.get(outcome.matched_by, outcome.matched_by)] += 1
        if outcome.outreach:
            self.outreaches[outcome.outreach] += 1
        for warning in outcome.warnings:
            self.warnings.add(warning, line)

    def summary(self, *, dry: bool, of_people: bool = True) -> list[str]:
        """Returns the report as lines of text, for a dry run with "would be"; `of_people` adds the counts of people."""
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
        lines.append(f"  {self.rejected:>7,}  rows {would}rejected")
        if self.rejections.counts:
            lines += ["Rejected:", *self.rejections.summary()]
        if self.warnings.counts:
            lines += ["Imported with warnings:", *self.warnings.summary()]
        return lines

    def kept(self) -> dict[str, Any]:
        """Returns the report as a document; reasons are values in it, since names of fields should have no dots."""
        return {
            "rows": self.rows,
            "people": dict(self.people),
            "matched_by": dict(self.matched_by),
            "outreaches": dict(self.outreaches),
            "rejections": _kept(self.rejections),
            "warnings": _kept(self.warnings),
        }

    @classmethod
    def of(cls, kept: Mapping[str, Any]) -> "Report":
        """Returns the report from the document that `kept` returned."""
        return cls(
            rows=kept["rows"],
            people=Counter(kept["people"]),
            matched_by=Counter(kept["matched_by"]),
            outreaches=Counter(kept["outreaches"]),
            rejections=_reasons_of(kept["rejections"]),
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
