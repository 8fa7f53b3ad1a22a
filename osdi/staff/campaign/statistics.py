"""The statistics of a campaign as the staff pages show them: the numbers of the API, a chart, and a file of both."""

import csv
import datetime as dt
import io
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final
from zoneinfo import ZoneInfo

from osdi.campaign_pages.page_settings import PageSettings
from osdi.crud.totals_store import total_outreaches
from osdi.documents import Document, Json
from osdi.exporting.csv_cells import BOM, defused
from osdi.ids import time_in
from osdi.staff.campaign.chart import Chart, chart
from osdi.staff.campaign_list import goal_of
from osdi.statistics.query import read_statistics
from osdi.statistics.reader import StatisticsReader
from osdi.store import Store

ALL: Final = "all"
# The ranges by the value of the form's control: the number of days up to today, or None for all.
RANGES: Final[dict[str, int | None]] = {ALL: None, "7": 7, "30": 30}
KINDS: Final = ("source", "referrer", "target", "type")
COLUMNS: Final = ("kind", "value", "outreaches", "people")


@dataclass(frozen=True)
class CampaignStatistics:
    """The statistics of a range. `summary` is the body of the API, `before` the outreaches outside these days."""

    range: str
    summary: Json
    total: int
    goal: int | None
    chart: Chart

    @property
    def before(self) -> int:
        return outside(self.total, self.summary)

    @property
    def query(self) -> dict[str, str]:
        """The query of the API's request with the same numbers."""
        return {name: self.summary[name] for name in ("from", "to", "time_zone")}


def campaign_statistics(
    store: Store, reader: StatisticsReader, campaign: Document, zone: ZoneInfo, wanted: str
) -> CampaignStatistics:
    """Returns the statistics of a range of RANGES; an unknown one means all. Raises OsdiError 503."""
    wanted = wanted if wanted in RANGES else ALL
    number = RANGES[wanted]
    today = time_in(zone).date()
    first = today - dt.timedelta(days=number - 1) if number else None
    summary = read_statistics(reader, campaign["_id"], first, today, zone)
    total = total_outreaches(store, campaign)
    goal = goal_of(PageSettings.of(campaign), total)
    counts = [day["outreaches"] for day in summary["days"]]
    return CampaignStatistics(wanted, summary, total, goal, chart(counts, outside(total, summary), goal))


def outside(total: int, summary: Json) -> int:
    """Returns the outreaches of a campaign that are on none of the days."""
    return max(0, total - int(summary["total"]["outreaches"]))


def as_csv(summary: Json) -> str:
    """Returns the numbers as a CSV file in UTF-8 with a byte order mark, as spreadsheets need it."""
    out = io.StringIO(BOM, newline="")
    out.seek(0, io.SEEK_END)
    writer = csv.writer(out)
    writer.writerow(COLUMNS)
    writer.writerows(_rows(summary))
    return out.getvalue()


def _rows(summary: Json) -> Iterator[tuple[Any, ...]]:
    total = summary["total"]
    yield "total", "", total["outreaches"], total["people"]
    for day in summary["days"]:
        yield "day", day["date"], day["outreaches"], day["people"]
    for kind in KINDS:
        found = summary[f"by_{kind}"]
        for each in found["top"]:
            yield kind, defused(each["value"]), each["outreaches"], ""
        if found["others"]["outreaches"]:
            yield f"other {kind}s", "", found["others"]["outreaches"], ""
        if found["without"]:
            yield f"without {kind}", "", found["without"], ""
