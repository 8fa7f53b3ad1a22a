"""The statistics of a campaign as the staff pages show them: the numbers of the API, a chart, and a file of both.

Each number of outreaches has the filter that selects what it counts, so that a page can lead to the list.
"""

import csv
import datetime as dt
import io
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, Final
from zoneinfo import ZoneInfo

from osdi.campaign_pages.page_settings import PageSettings
from osdi.crud.totals_store import total_outreaches
from osdi.documents import Document, Json
from osdi.errors import OsdiError
from osdi.exporting.csv_cells import BOM, defused
from osdi.fields.outreach import NEW_PERSON, OWN_WORDS
from osdi.ids import now
from osdi.odata.target_names import MAX_WORDS
from osdi.settings import Settings
from osdi.staff.campaign.chart import Chart, chart
from osdi.staff.campaign.outreach_filter import OutreachFilter
from osdi.staff.campaign.period import Period
from osdi.staff.campaign_list import goal_of
from osdi.statistics.query import read_statistics, read_with_flags
from osdi.statistics.reader import StatisticsReader
from osdi.statistics.tally import FALSE, MAX_VALUE_LENGTH, TRUE, Tally
from osdi.store import Store

KINDS: Final = ("source", "referrer", "target", "type")
COLUMNS: Final = ("kind", "value", "outreaches", "people", "period_before")


@dataclass(frozen=True)
class Supporters:
    """Outreaches by what the server has recorded of their supporters.

    `new` were made by people who were stored with them. `own_words` of the `written` ones, those with a message that
    could be changed on the campaign's page, have words of the supporter's own.
    """

    new: int
    own_words: int
    written: int


@dataclass(frozen=True)
class CampaignStatistics:
    """The statistics of a period.

    `summary` is the body of the API, and `previous` that of as many days before, None without them or while they cannot
    be read. `as_of` is when they were read.
    """

    campaign_id: str
    period: Period
    summary: Json
    previous: Json | None
    supporters: Supporters
    total: int
    goal: int | None
    chart: Chart
    as_of: dt.datetime
    zone: ZoneInfo

    @property
    def before(self) -> int:
        return outside(self.total, self.summary)

    @property
    def query(self) -> dict[str, str]:
        """The query of the API's request with the same numbers."""
        return {name: self.summary[name] for name in ("from", "to", "time_zone")}

    @property
    def whole(self) -> OutreachFilter:
        """The filter of all outreaches in the period."""
        first, last = (dt.date.fromisoformat(self.summary[name]) for name in ("from", "to"))
        return OutreachFilter(self.campaign_id, first, last)

    @property
    def earlier(self) -> OutreachFilter | None:
        """The filter of those in the period before."""
        return replace(self, summary=self.previous).whole if self.previous else None

    @property
    def days(self) -> list[tuple[Json, Json | None]]:
        """Each day with the day of the period before in its place, the latest first."""
        days = self.summary["days"]
        previous = self.previous["days"] if self.previous else [None] * len(days)
        return list(reversed(list(zip(days, previous, strict=True))))

    def on(self, day: str) -> OutreachFilter:
        """Returns the filter of the outreaches of a day."""
        date = dt.date.fromisoformat(day)
        return OutreachFilter(self.campaign_id, date, date)

    def having(self, kind: str, value: str) -> OutreachFilter | None:
        """Returns the filter of those with a value; None for the name of a target that is too long to be found by."""
        too_long = kind == "target" and (value.count(" ") >= MAX_WORDS or len(value) == MAX_VALUE_LENGTH)
        chosen: dict[str, Any] = {kind: value}
        return None if too_long or not value else replace(self.whole, **chosen)

    def others(self, kind: str) -> OutreachFilter | None:
        """Returns the filter of those with a value below the top ten; None if no filter can say that.

        Others of targets are counted for each target, and an outreach may have several.
        """
        values = tuple(each["value"] for each in self.summary[f"by_{kind}"]["top"])
        found = replace(self.whole, other=kind, other_than=values)
        return None if kind == "target" or not found.fits_the_api(self.zone) else found

    def by_supporter(self, **chosen: str) -> OutreachFilter:
        """Returns the filter of those with `new_person` or `own_words`, YES or NO."""
        values: dict[str, Any] = dict(chosen)
        return replace(self.whole, **values)

    def without(self, kind: str) -> OutreachFilter:
        """Returns the filter of those without a value."""
        return replace(self.whole, without=kind)


def campaign_statistics(
    store: Store, reader: StatisticsReader, campaign: Document, settings: Settings, period: Period
) -> CampaignStatistics:
    """Returns the statistics of a period. Raises OsdiError 503."""
    zone = settings.zone
    summary, whole = read_with_flags(reader, campaign["_id"], period.first, period.last, zone)
    previous = _previous(reader, campaign["_id"], summary, zone) if period.first else None
    total = total_outreaches(store, campaign)
    goal = goal_of(PageSettings.of(campaign), total)
    drawn = chart(counts_of(summary), outside(total, summary), goal, counts_of(previous) if previous else ())
    supporters = _supporters(whole)
    return CampaignStatistics(campaign["_id"], period, summary, previous, supporters, total, goal, drawn, now(), zone)


def _supporters(whole: Tally) -> Supporters:
    own, unchanged = (whole.by[OWN_WORDS][each] for each in (TRUE, FALSE))
    return Supporters(whole.by[NEW_PERSON][TRUE], own, own + unchanged)


def counts_of(summary: Json) -> list[int]:
    """Returns the outreaches of each day."""
    return [day["outreaches"] for day in summary["days"]]


def _previous(reader: StatisticsReader, campaign_id: str, summary: Json, zone: ZoneInfo) -> Json | None:
    """Returns the statistics of as many days before; None while they cannot be read, or if a year has no number."""
    first = dt.date.fromisoformat(summary["from"])
    number = len(summary["days"])
    if first.toordinal() <= number:
        return None
    try:
        return read_statistics(
            reader, campaign_id, first - dt.timedelta(days=number), first - dt.timedelta(days=1), zone
        )
    except OsdiError:
        return None


def outside(total: int, summary: Json) -> int:
    """Returns the outreaches of a campaign that are on none of the days."""
    return max(0, total - int(summary["total"]["outreaches"]))


def as_csv(found: CampaignStatistics) -> str:
    """Returns the numbers as a CSV file in UTF-8 with a byte order mark, as spreadsheets need it."""
    out = io.StringIO(BOM, newline="")
    out.seek(0, io.SEEK_END)
    writer = csv.writer(out)
    writer.writerow(COLUMNS)
    writer.writerows(_rows(found))
    return out.getvalue()


def _rows(statistics: CampaignStatistics) -> Iterator[tuple[Any, ...]]:
    summary, previous = statistics.summary, statistics.previous
    total = summary["total"]
    yield "total", "", total["outreaches"], total["people"], previous["total"]["outreaches"] if previous else ""
    for day, before in reversed(statistics.days):
        yield "day", day["date"], day["outreaches"], day["people"], before["outreaches"] if before else ""
    for kind in KINDS:
        found = summary[f"by_{kind}"]
        for each in found["top"]:
            yield kind, defused(each["value"]), each["outreaches"], "", ""
        if found["others"]["outreaches"]:
            yield f"other {kind}s", "", found["others"]["outreaches"], "", ""
        if found["without"]:
            yield f"without {kind}", "", found["without"], "", ""
