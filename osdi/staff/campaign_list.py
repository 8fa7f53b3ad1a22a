"""The campaigns as the staff pages list them: state, count, goal, and the last seven days beside the seven before.

A day is one of the deployment's time zone, and an outreach belongs to the day of its `action_date`, as in the
statistics of a campaign.
"""

import datetime as dt
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final
from zoneinfo import ZoneInfo

from osdi.access.tokens import Caller
from osdi.campaign_pages import page_settings
from osdi.campaign_pages.page_settings import AUTO, PageSettings
from osdi.campaign_pages.public_count import next_goal
from osdi.documents import Document, Query, ReadOnlyDocument
from osdi.exporting.columns import cell
from osdi.exporting.csv_cells import BOM, CsvLines
from osdi.ids import now, time_in
from osdi.resources import ADVOCACY_CAMPAIGN
from osdi.staff.campaign.campaign_numbers_store import latest_of, numbers_in, numbers_of, totals_of
from osdi.staff.campaign.outreach_filter import OutreachFilter
from osdi.statistics.days import Calendar
from osdi.store import Store

PER_PAGE: Final = 25
DAYS: Final = 7
MAX_CAMPAIGNS: Final = 1_000
DRAFT, OPEN, CLOSED = "draft", "open", "closed"
STATES: Final = (OPEN, DRAFT, CLOSED)
# The fields of a campaign that its row is made of.
ROW_FIELDS: Final = ("title", "name", "type", "page", "counted", "deletions", "deleting")
COLUMNS: Final = (
    "id",
    "title",
    "type",
    "state",
    "outreaches",
    "goal",
    "last_7_days",
    "7_days_before",
    "last_outreach",
)


@dataclass(frozen=True)
class Filter:
    """The campaigns to list: those in a state, of a type, and with a text in their title or name. Empty means any."""

    state: str = ""
    type: str = ""
    text: str = ""

    def query(self, timestamp: dt.datetime) -> Query:
        """Returns the query at a moment (naive UTC). There are few campaigns, so the text needs no index."""
        parts: list[Query] = []
        if self.state in STATES:
            parts.append(_in_state(self.state, timestamp))
        if self.type:
            parts.append({"type": self.type})
        if text := self.text.replace("\0", ""):  # which no stored text has, and MongoDB takes in no expression
            contained = {"$regex": re.escape(text), "$options": "i"}
            parts.append({"$or": [{"title": contained}, {"name": contained}]})
        return {"$and": parts} if parts else {}


ANY: Final = Filter()


@dataclass(frozen=True)
class Row:
    """A campaign with its numbers.

    `slug` is None unless its page is public, `goal` is None without one, `latest` is the time of its last outreach.
    `recent` and `earlier` select the outreaches of the last seven days and of the seven days before.
    """

    campaign_id: str
    title: str
    type: str
    state: str
    slug: str | None
    outreaches: int
    goal: int | None
    last_days: int
    days_before: int
    latest: dt.datetime | None
    closes_at: dt.datetime | None
    recent: OutreachFilter
    earlier: OutreachFilter

    @property
    def listed(self) -> OutreachFilter:
        """The filter that selects all its outreaches."""
        return OutreachFilter(campaign=self.campaign_id)

    @property
    def trend(self) -> int:
        """The outreaches of the last seven days minus those of the seven days before."""
        return self.last_days - self.days_before

    @property
    def reached(self) -> int | None:
        """The part of the goal that is reached, in per cent and at most 100; None without a goal."""
        return min(100, self.outreaches * 100 // self.goal) if self.goal else None


# The orders of the list by the value of `sort`; a `-` before it reverses one.
SORTS: Final = ("title", "outreaches", "last_days", "latest")


@dataclass(frozen=True)
class CampaignList:
    """A page of campaigns, newest first or in the order `sort`, and the number of all.

    `unsorted` is True if there are too many to be sorted, so that only the newest are. They were counted at `as_of`.
    """

    rows: tuple[Row, ...]
    total: int
    page: int
    as_of: dt.datetime
    sort: str = ""
    unsorted: bool = False

    @property
    def pages(self) -> int:
        total = min(self.total, MAX_CAMPAIGNS) if self.unsorted else self.total
        return max(1, -(-total // PER_PAGE))


def campaign_list(
    store: Store,
    caller: Caller,
    zone: ZoneInfo,
    page: int = 1,
    *,
    chosen: Filter = ANY,
    sort: str = "",
    limit: int = PER_PAGE,
) -> CampaignList:
    """Returns a page, from 1 on, of the chosen campaigns that the caller may see; the last one for a page behind it.

    An unknown order means the newest first. Raises OsdiError 503.
    """
    timestamp = now()
    visible = {**visible_to(caller), **chosen.query(timestamp)}
    name = sort.removeprefix("-")
    is_sorted = name in SORTS
    total = store.count(ADVOCACY_CAMPAIGN.collection, visible)
    shown = min(total, MAX_CAMPAIGNS) if is_sorted else total
    page = max(1, min(page, -(-shown // PER_PAGE)))
    first = (page - 1) * PER_PAGE
    # There are few campaigns, so those ahead of the page are read too.
    most = MAX_CAMPAIGNS if is_sorted else first + limit
    found = store.find(ADVOCACY_CAMPAIGN.collection, visible, sort=("-_id",), limit=most, fields=ROW_FIELDS)
    if is_sorted:
        found.sort(key=_order(store, found, name, zone), reverse=sort.startswith("-"))
    rows = tuple(rows_of(store, found[first : first + limit], zone))
    return CampaignList(rows, total, page, timestamp, sort if is_sorted else "", unsorted=total > shown)


def _order(store: Store, campaigns: Sequence[Document], name: str, zone: ZoneInfo) -> Callable[[Document], Any]:
    """Returns the function that gives a campaign's place in an order of SORTS. Raises OsdiError 503."""
    if name == "title":
        return lambda campaign: title_of(campaign).casefold()
    if name == "latest":
        latest = latest_of(store, campaigns)
        return lambda campaign: latest.get(campaign["_id"], dt.datetime.min)
    numbers = numbers_in(store, campaigns, last_days(zone)) if name == "last_days" else totals_of(store, campaigns)
    return lambda campaign: numbers.get(campaign["_id"], 0)


def campaign_file(store: Store, caller: Caller, zone: ZoneInfo, chosen: Filter) -> str:
    """Returns a CSV file with a row for each of the chosen campaigns that the caller may see. Raises OsdiError 503."""
    visible = {**visible_to(caller), **chosen.query(now())}
    found = store.find(ADVOCACY_CAMPAIGN.collection, visible, sort=("-_id",), fields=ROW_FIELDS)
    lines = CsvLines()
    rows = (
        (
            row.campaign_id,
            row.title,
            row.type,
            row.state,
            row.outreaches,
            row.goal,
            row.last_days,
            row.days_before,
            cell(row.latest),
        )
        for row in rows_of(store, found, zone)
    )
    return BOM + lines.line(COLUMNS) + "".join(map(lines.line, rows))


def visible_to(caller: Caller) -> dict[str, Any]:
    """Returns the query for the campaigns that a caller may see."""
    return {"_id": caller.advocacy_campaign_id} if caller.advocacy_campaign_id else {}


def _in_state(state: str, timestamp: dt.datetime) -> Query:
    """Returns the query for the campaigns of which `state_of` returns this state."""
    closed = {"page.closes_at": {"$lte": timestamp}}
    if state == CLOSED:
        return closed
    published = {"$eq": True} if state == OPEN else {"$ne": True}
    return {"$nor": [closed], "page.published": published}


def types(store: Store, caller: Caller) -> list[str]:
    """Returns the types of the campaigns that the caller may see, for a filter."""
    found = store.find(ADVOCACY_CAMPAIGN.collection, visible_to(caller), limit=MAX_CAMPAIGNS, fields=("type",))
    return sorted({each["type"] for each in found if each.get("type")})


def last_dates(zone: ZoneInfo, days: int = DAYS, *, before: int = 0) -> tuple[dt.date, dt.date]:
    """Returns the first and the last of the days up to today in a zone, or of those that end `before` days earlier."""
    last = time_in(zone).date() - dt.timedelta(days=before)
    return last - dt.timedelta(days=days - 1), last


def last_days(zone: ZoneInfo, days: int = DAYS, *, before: int = 0) -> Calendar:
    """Returns these days."""
    return Calendar(*last_dates(zone, days, before=before), zone)


def state_of(settings: PageSettings, timestamp: dt.datetime) -> str:
    """Returns DRAFT for a campaign without a published page, CLOSED if it takes no more outreaches, else OPEN."""
    if settings.closed(timestamp):
        return CLOSED
    return OPEN if settings.published else DRAFT


def title_of(campaign: ReadOnlyDocument) -> str:
    """Returns the title of a campaign, else its name, else its id."""
    return page_settings.title_of(campaign) or str(campaign["_id"])


def options(store: Store, caller: Caller) -> tuple[tuple[str, str], ...]:
    """Returns the ids and titles of the campaigns that the caller may see, by title."""
    fields = ("title", "name")
    found = store.find(
        ADVOCACY_CAMPAIGN.collection, visible_to(caller), sort=("-_id",), limit=MAX_CAMPAIGNS, fields=fields
    )
    return tuple(sorted(((each["_id"], title_of(each)) for each in found), key=lambda pair: pair[1].casefold()))


def row_of(store: Store, campaign: Document, zone: ZoneInfo) -> Row:
    """Returns a campaign with its numbers. Raises OsdiError 503."""
    return next(rows_of(store, [campaign], zone))


def rows_of(store: Store, campaigns: Sequence[Document], zone: ZoneInfo) -> Iterator[Row]:
    """Yields each campaign with its numbers. Raises OsdiError 503."""
    timestamp = now()
    recent, earlier = last_dates(zone), last_dates(zone, before=DAYS)
    numbers = numbers_of(store, campaigns, last_days(zone), last_days(zone, before=DAYS))
    for each in campaigns:
        settings = PageSettings.of(each)
        counted = numbers[each["_id"]]
        yield Row(
            campaign_id=each["_id"],
            title=title_of(each),
            type=each.get("type", ""),
            state=state_of(settings, timestamp),
            slug=settings.slug if settings.published else None,
            outreaches=counted.outreaches,
            goal=goal_of(settings, counted.outreaches),
            last_days=counted.last_days,
            days_before=counted.days_before,
            latest=counted.latest,
            closes_at=settings.closes_at,
            recent=OutreachFilter(each["_id"], *recent),
            earlier=OutreachFilter(each["_id"], *earlier),
        )


def goal_of(settings: PageSettings, outreaches: int) -> int | None:
    """Returns the goal of a page at this number of outreaches, or None."""
    if settings.goal == AUTO:
        return next_goal(outreaches)
    return settings.goal if isinstance(settings.goal, int) else None
