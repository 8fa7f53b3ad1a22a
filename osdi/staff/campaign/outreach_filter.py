"""The filter of the list of outreaches: what its address says, and the same as a filter of the API.

The list, its CSV file and the API's request come from one text, so they have the same outreaches. Pure.
"""

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final
from zoneinfo import ZoneInfo

from osdi.odata.parser import MAX_FILTER_LENGTH
from osdi.statistics.days import MAX_DAYS, midnight
from osdi.statistics.tally import MAX_VALUE_LENGTH

# By kind of a value in the statistics: its field in the API's filters.
FIELDS: Final = {
    "source": "referrer_data/source",
    "referrer": "referrer_data/referrer",
    "target": "target_name",
    "type": "type",
}
YES, NO = "yes", "no"


@dataclass(frozen=True)
class OutreachFilter:
    """The outreaches to list; an empty value means any.

    `first` and `last` are days: in a campaign those on which supporters acted, as in the statistics, else those on
    which the outreaches were recorded. `other_than` has values of the kind `other`, so it stands for all further values
    of it. `without` is a kind of which an outreach has no value.
    """

    campaign: str = ""
    first: dt.date | None = None
    last: dt.date | None = None
    source: str = ""
    referrer: str = ""
    target: str = ""
    type: str = ""
    other: str = ""
    other_than: tuple[str, ...] = ()
    without: str = ""
    own_words: str = ""
    new_person: str = ""

    @property
    def arguments(self) -> dict[str, str | list[str]]:
        """The query of the list's address."""
        days = {"from": self.first, "to": self.last}
        texts = ("campaign", *FIELDS, "other", "without", "own_words", "new_person")
        found: dict[str, str | list[str]] = {name: getattr(self, name) for name in texts if getattr(self, name)}
        found |= {name: day.isoformat() for name, day in days.items() if day}
        return {**found, "other_than": list(self.other_than)} if self.other_than else found

    @property
    def by_value(self) -> bool:
        """True if it selects by more than campaign and days, which needs the index of a campaign."""
        return replace(self, campaign="", first=None, last=None) != OutreachFilter()

    def by_index(self, zone: ZoneInfo) -> list[str]:
        """Returns the conditions that one index serves: the days, and one value."""
        field = "action_date" if self.campaign else "created_date"
        bounds = (("ge", self.first), ("lt", self.last and self.last + dt.timedelta(days=1)))
        days = [f"{field} {operator} {midnight(day, zone).isoformat()}Z" for operator, day in bounds if day]
        return [*days, *list(self._indexed())[:1]]

    def others(self) -> list[str]:
        """Returns the other conditions, for which outreaches have to be read."""
        return [*list(self._indexed())[1:], *self._not_indexed()]

    def text(self, zone: ZoneInfo) -> str:
        """Returns the filter of the API that selects the same outreaches, within the campaign if there is one."""
        return " and ".join([*self.by_index(zone), *self.others()])

    def fits_the_api(self, zone: ZoneInfo) -> bool:
        """True if the API accepts a filter of this length."""
        return len(self.text(zone)) <= MAX_FILTER_LENGTH

    def _indexed(self) -> Iterator[str]:
        for kind in ("source", "referrer", "type"):
            if value := getattr(self, kind):
                yield _equals(FIELDS[kind], value)
        if self.own_words:
            yield f"own_words eq {'true' if self.own_words == YES else 'false'}"
        if self.new_person == YES:
            yield "new_person eq true"

    def _not_indexed(self) -> Iterator[str]:
        if self.target:
            yield _equals(FIELDS["target"], self.target)
        if self.other:
            yield f"{FIELDS[self.other]} ne null"
            for value in self.other_than:
                yield f"not {_equals(FIELDS[self.other], value)}"
        if self.new_person == NO:
            yield "new_person ne true"
        if self.without:
            yield f"{FIELDS[self.without]} eq null"


def days_of(first: str, last: str, limit: int | None = None) -> tuple[dt.date | None, dt.date | None, dict[str, str]]:
    """Returns two typed days, either of which may be empty, and the mistakes by the name of the control."""
    errors: dict[str, str] = {}
    days = []
    for name, text in (("from", first), ("to", last)):
        try:
            days.append(_day(text) if text else None)
        except ValueError:
            days.append(None)
            errors[name] = f"“{text[:40]}” is no day. Write it as 2026-11-30, from 1900 to 2199."
    start, end = days
    if start and end and start > end:
        errors["to"] = "The last day is before the first."
    elif start and end and limit and (end - start).days >= limit:
        errors["to"] = f"There are more than {MAX_DAYS} days from the first to the last."
    return start, end, errors


def _day(text: str) -> dt.date:
    day = dt.datetime.strptime(text, "%Y-%m-%d").date()
    if not 1900 <= day.year <= 2199:
        raise ValueError(text)
    return day


def _equals(field: str, value: str) -> str:
    """Returns the condition for a value as the statistics have it: cut to its first characters if it is longer."""
    quoted = "'" + value.replace("'", "''") + "'"
    return f"startswith({field},{quoted})" if len(value) == MAX_VALUE_LENGTH else f"{field} eq {quoted}"
