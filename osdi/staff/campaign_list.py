"""The campaigns as the staff pages list them: state, count, goal, and the last seven days beside the seven before.

A day is one of the deployment's time zone, and an outreach belongs to the day of its `action_date`, as in the
statistics of a campaign.
"""

import datetime as dt
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final
from zoneinfo import ZoneInfo

from osdi.access.tokens import Caller
from osdi.campaign_pages import page_settings
from osdi.campaign_pages.page_settings import AUTO, PageSettings
from osdi.campaign_pages.public_count import next_goal
from osdi.crud.totals_store import total_outreaches
from osdi.documents import Document, Query, ReadOnlyDocument
from osdi.ids import now, time_in
from osdi.resources import ADVOCACY_CAMPAIGN, OUTREACH
from osdi.statistics.days import Calendar
from osdi.statistics.recent_store import outreaches_within
from osdi.store import Store

PER_PAGE: Final = 25
DAYS: Final = 7
MOST_CAMPAIGNS: Final = 1_000
DRAFT, OPEN, CLOSED = "draft", "open", "closed"
STATES: Final = (OPEN, DRAFT, CLOSED)


@dataclass(frozen=True)
class Filter:
    """The campaigns to list: those in a state, of a type, and with a text in their title or name. Empty means any."""

    state: str = ""
    type: str = ""
    text: str = ""

    def query(self, moment: dt.datetime) -> Query:
        """Returns the query at a moment (naive UTC). There are few campaigns, so the text needs no index."""
        parts: list[Query] = []
        if self.state in STATES:
            parts.append(_in_state(self.state, moment))
        if self.type:
            parts.append({"type": self.type})
        if self.text:
            contained = {"$regex": re.escape(self.text), "$options": "i"}
            parts.append({"$or": [{"title": contained}, {"name": contained}]})
        return {"$and": parts} if parts else {}


ANY: Final = Filter()


@dataclass(frozen=True)
class Row:
    """A campaign with its numbers.

    `slug` is None unless its page is public, `goal` is None without one, `latest` is the time of its last outreach.
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

    @property
    def trend(self) -> int:
        """The outreaches of the last seven days minus those of the seven days before."""
        return self.last_days - self.days_before

    @property
    def reached(self) -> int | None:
        """The part of the goal that is reached, in per cent and at most 100; None without a goal."""
        return min(100, self.outreaches * 100 // self.goal) if self.goal else None


@dataclass(frozen=True)
class CampaignList:
    """A page of campaigns, newest first, and the number of all."""

    rows: tuple[Row, ...]
    total: int
    page: int

    @property
    def pages(self) -> int:
        return max(1, -(-self.total // PER_PAGE))


def campaign_list(
    store: Store,
    caller: Caller,
    zone: ZoneInfo,
    page: int = 1,
    *,
    chosen: Filter = ANY,
    limit: int = PER_PAGE,
) -> CampaignList:
    """Returns a page, from 1 on, of the chosen campaigns that the caller may see; the last one for a page behind it.

    Raises OsdiError 503.
    """
    visible = {**visible_to(caller), **chosen.query(now())}
    total = store.count(ADVOCACY_CAMPAIGN.collection, visible)
    page = max(1, min(page, -(-total // PER_PAGE)))
    first = (page - 1) * PER_PAGE
    # There are few campaigns, so those ahead of the page are read too.
    found = store.find(ADVOCACY_CAMPAIGN.collection, visible, sort=("-_id",), limit=first + limit)[first:]
    numbers = outreaches_within(store, [each["_id"] for each in found], last_days_and_before(zone))
    return CampaignList(tuple(row_of(store, each, zone, numbers[each["_id"]]) for each in found), total, page)


def visible_to(caller: Caller) -> dict[str, Any]:
    """Returns the query for the campaigns that a caller may see."""
    return {"_id": caller.advocacy_campaign_id} if caller.advocacy_campaign_id else {}


def _in_state(state: str, moment: dt.datetime) -> Query:
    """Returns the query for the campaigns of which `state_of` returns this state."""
    closed = {"page.closes_at": {"$lte": moment}}
    if state == CLOSED:
        return closed
    published = {"$eq": True} if state == OPEN else {"$ne": True}
    return {"$nor": [closed], "page.published": published}


def types(store: Store, caller: Caller) -> list[str]:
    """Returns the types of the campaigns that the caller may see, for a filter."""
    found = store.find(ADVOCACY_CAMPAIGN.collection, visible_to(caller), limit=MOST_CAMPAIGNS, fields=("type",))
    return sorted({each["type"] for each in found if each.get("type")})


def state_of(settings: PageSettings, moment: dt.datetime) -> str:
    """Returns DRAFT for a campaign without a published page, CLOSED if it takes no more outreaches, else OPEN."""
    if settings.closed(moment):
        return CLOSED
    return OPEN if settings.published else DRAFT


def title_of(campaign: ReadOnlyDocument) -> str:
    """Returns the title of a campaign, else its name, else its id."""
    return page_settings.title_of(campaign) or str(campaign["_id"])


def row_of(store: Store, campaign: Document, zone: ZoneInfo, numbers: Sequence[int] = ()) -> Row:
    """Returns a campaign with its numbers.

    `numbers` are the outreaches of the last days and of those before, if they are known. Raises OsdiError 503.
    """
    if not numbers:
        numbers = outreaches_within(store, [campaign["_id"]], last_days_and_before(zone))[campaign["_id"]]
    settings = PageSettings.of(campaign)
    outreaches = total_outreaches(store, campaign)
    return Row(
        campaign_id=campaign["_id"],
        title=title_of(campaign),
        type=campaign.get("type", ""),
        state=state_of(settings, now()),
        slug=settings.slug if settings.published else None,
        outreaches=outreaches,
        goal=goal_of(settings, outreaches),
        last_days=numbers[0],
        days_before=numbers[1],
        latest=_latest(store, campaign["_id"]),
        closes_at=settings.closes_at,
    )


def goal_of(settings: PageSettings, outreaches: int) -> int | None:
    """Returns the goal of a page at this number of outreaches, or None."""
    if settings.goal == AUTO:
        return next_goal(outreaches)
    return settings.goal if isinstance(settings.goal, int) else None


def last_days_and_before(zone: ZoneInfo) -> tuple[Calendar, Calendar]:
    """Returns the last DAYS days up to today in a zone, and as many before."""
    today, one = time_in(zone).date(), dt.timedelta(days=1)
    return Calendar(today - (DAYS - 1) * one, today, zone), Calendar(
        today - (2 * DAYS - 1) * one, today - DAYS * one, zone
    )


def _latest(store: Store, campaign_id: str) -> dt.datetime | None:
    query = {"advocacy_campaign_id": campaign_id}
    found = store.find_one(OUTREACH.collection, query, sort=("-_id",), fields=("action_date", "created_date"))
    return found.get("action_date", found["created_date"]) if found else None
