"""The public count of a campaign: the number of times that people took part, and the goal. Nothing in it is personal.

The number is that of the campaign's outreaches, the API's `total_outreaches`, so pages, API, CSV and statistics agree.
A page records one outreach for each form that a supporter sends, and a repeat of it is the same outreach. A supporter
who takes part again counts again; therefore the words are "people took part N times". The number of distinct people
would change with every merge of duplicates, and counting it takes seconds for a million outreaches.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from typing import Final

from osdi.campaign_pages.page_settings import AUTO
from osdi.campaign_pages.published import Page, published_pages
from osdi.crud.totals_store import total_outreaches
from osdi.errors import OsdiError
from osdi.ids import now
from osdi.settings import Settings
from osdi.store import Store

# Campaigns on one page of the list.
MAX_LISTED: Final = 50
# The first goals of AUTO; the further ones are these times ten, times a hundred and so on.
FIRST_GOALS: Final = (100, 250, 500)


@dataclass(frozen=True)
class PublicCount:
    """The number of times that people took part, and the goal, if any. A page shows it from `show_from` on."""

    total: int
    goal: int | None
    show_from: int

    @property
    def is_shown(self) -> bool:
        """True if a page shows the count: a small number discourages."""
        return self.total >= self.show_from

    @property
    def percent(self) -> int:
        """The part of the goal that is reached, from 0 to 100. 0 without a goal."""
        return min(100, self.total * 100 // self.goal) if self.goal else 0


def public_count(store: Store, page: Page) -> PublicCount:
    """Returns the count of a page, at most CACHE_SECONDS old. Raises OsdiError 503."""
    campaign, wanted = page.campaign, page.settings.goal
    counted = {"public_count": campaign["_id"]}
    total = store.cached_count(counted, lambda: total_outreaches(store, campaign), large=0)
    goal = next_goal(total) if wanted == AUTO else wanted
    return PublicCount(total, goal if isinstance(goal, int) else None, page.settings.show_count_from)


def shown_count(store: Store, page: Page) -> PublicCount | None:
    """Returns the count of a page; None while the database is unavailable, since a page is of use without it."""
    try:
        return public_count(store, page)
    except OsdiError:
        return None


@dataclass(frozen=True)
class ListedPage:
    """A page in the list of campaigns."""

    page: Page
    count: PublicCount | None
    is_open: bool


def list_pages(store: Store, deployment: Settings, before: str | None = None) -> tuple[list[ListedPage], str | None]:
    """Returns up to MAX_LISTED published pages, the newest first, and the `before` of those that follow, if any do.

    `before` is the id of a campaign. Raises OsdiError 503.
    """
    found, timestamp = published_pages(store, limit=MAX_LISTED + 1, before=before), now()
    shown = found[:MAX_LISTED]
    listed = [ListedPage(each, shown_count(store, each), each.is_open(deployment, timestamp)) for each in shown]
    return listed, shown[-1].campaign["_id"] if len(found) > MAX_LISTED else None


def next_goal(total: int) -> int:
    """Returns the first goal above a number: 100, 250, 500, 1,000, 2,500 and so on."""
    return next(goal for goal in _goals() if goal > total)


def _goals() -> Iterator[int]:
    for power in count():
        yield from (goal * 10**power for goal in FIRST_GOALS)
