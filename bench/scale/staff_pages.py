"""Measures what staff members and clients read of a campaign with very many outreaches, with the worker's counts.

The largest database gets a campaign with as many outreaches as it has people. The worker's part counts its statistics.
Then one client sends each kind of request in turn to one gunicorn worker. The figures to compare with the budgets are
those that 95 % of the readings keep, and the longest one.
"""

import datetime as dt
import http.client
import random
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

import click

from bench.contenders import API
from bench.loaded_people import FAMILY, email
from bench.scale.busy_campaign import DAYS, add_busy_campaign, percentile
from bench.scale.sizes import Filled
from bench.server import ServerFailed
from osdi.ids import now
from osdi.resources import OUTREACH
from osdi.staff.members import add_member
from osdi.staff.sessions import begin_session
from osdi.statistics.ahead import StatisticsAhead
from osdi.store import Store

WARM_UP: Final = 5
TIMEOUT_SECONDS: Final = 60
COOKIE: Final = "osdi_staff_loopback"
STAFF: Final = "/staff"


@dataclass(frozen=True)
class Page:
    """A kind of reading: label, function that makes a path, and the budget in milliseconds.

    With `after_deletion` an outreach is deleted before each reading.
    """

    label: str
    path: Callable[["Paths"], str]
    budget: float
    after_deletion: bool = False


@dataclass(frozen=True)
class Paths:
    """Makes the paths of requests about the busy campaign, and about random people."""

    campaign_id: str
    filled: Filled
    rng: random.Random

    def statistics(self, **query: str) -> str:
        return f"{API}/advocacy_campaigns/{self.campaign_id}/stats?{urlencode(query)}"

    def of_random_days(self) -> str:
        today = now().date()
        first, last = sorted(self.rng.sample(range(DAYS), 2), reverse=True)
        dates = {"from": today - dt.timedelta(days=first), "to": today - dt.timedelta(days=last)}
        return self.statistics(**{name: each.isoformat() for name, each in dates.items()})

    def people(self, text: str) -> str:
        return f"{STAFF}/people?{urlencode({'text': text})}"

    def email(self) -> str:
        return email(self.rng.choice(list(self.filled.loaded.ids)))


PAGES: Final = (
    Page("API: a campaign's statistics", lambda on: on.statistics(), 200),
    Page("API: statistics of days that nobody asked for before", lambda on: on.of_random_days(), 200),
    Page("API: statistics after an outreach was deleted", lambda on: on.statistics(), 2_000, after_deletion=True),
    Page("staff: home", lambda on: f"{STAFF}/", 150),
    Page("staff: list of campaigns", lambda on: f"{STAFF}/campaigns", 150),
    Page("staff: a campaign", lambda on: f"{STAFF}/campaigns/{on.campaign_id}", 200),
    Page("staff: a campaign's statistics", lambda on: f"{STAFF}/campaigns/{on.campaign_id}/statistics", 200),
    Page("staff: people", lambda on: f"{STAFF}/people", 150),
    Page("staff: people by the beginning of a name", lambda on: on.people(on.rng.choice(FAMILY)), 150),
    Page("staff: people by e-mail address", lambda on: on.people(on.email()), 150),
)


@dataclass(frozen=True)
class Row:
    """The milliseconds of the readings of a page."""

    page: Page
    milliseconds: tuple[float, ...]

    @property
    def p95(self) -> float:
        return percentile(self.milliseconds, 0.95)

    @property
    def kept(self) -> bool:
        return self.p95 <= self.page.budget


@dataclass(frozen=True)
class StaffPages:
    """The rows, and the seconds in which the worker's part counted the campaign in two zones."""

    rows: tuple[Row, ...]
    outreaches: int
    counted_in: float

    @property
    def broken(self) -> list[str]:
        return [
            f"{each.page.label}: {each.p95:.0f} ms, at most {each.page.budget:.0f}"
            for each in self.rows
            if not each.kept
        ]


def measure_staff_pages(filled: Filled, scratch: Path, turns: int) -> StaffPages:
    """Adds the campaign, and reads each page `turns` times. Raises ServerFailed."""
    uri, outreaches = filled.loaded.uri, filled.loaded.people
    campaign_id = add_busy_campaign(uri, outreaches)
    store = Store(uri)
    try:
        counted_in = _count_ahead(store)
        secret, _ = begin_session(store, add_member(store, "bench@example.org"), "bench", now())
        paths = Paths(campaign_id, filled, random.Random(1))
        with filled.server(scratch) as server:
            client = _Client(server.port, {"OSDI-API-Token": filled.loaded.token, "Cookie": f"{COOKIE}={secret}"})
            with click.progressbar(range(WARM_UP + turns), label="turns of all pages", file=sys.stderr) as bar:
                read = [[_read(client, store, paths, page) for page in PAGES] for _ in bar]
            client.close()
    finally:
        store.close()
    columns = zip(PAGES, zip(*read[WARM_UP:], strict=True), strict=True)
    return StaffPages(tuple(Row(page, times) for page, times in columns), outreaches, counted_in)


def _count_ahead(store: Store) -> float:
    """Counts statistics as the worker does; returns the seconds."""
    began = time.monotonic()
    ahead = StatisticsAhead(store, ZoneInfo("Europe/Berlin"))
    while ahead.do_next():
        pass
    return time.monotonic() - began


def _read(client: "_Client", store: Store, paths: Paths, page: Page) -> float:
    """Reads a page; returns the milliseconds."""
    if page.after_deletion:
        found = store.find_one(OUTREACH.collection, {"advocacy_campaign_id": paths.campaign_id}, sort=("-_id",))
        assert found is not None
        client.send("DELETE", f"{API}/advocacy_campaigns/{paths.campaign_id}/outreaches/{found['_id']}")
    return client.send("GET", page.path(paths)) * 1_000


class _Client:
    """Sends requests on one kept-alive connection."""

    def __init__(self, port: int, headers: Mapping[str, str]) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=TIMEOUT_SECONDS)
        self._headers = dict(headers)

    def send(self, method: str, path: str) -> float:
        """Returns the seconds until the whole response arrived. Raises ServerFailed unless it is a success."""
        began = time.perf_counter()
        try:
            self._connection.request(method, path, headers=self._headers)
            response = self._connection.getresponse()
            body = response.read()
        except (OSError, http.client.HTTPException) as error:
            raise ServerFailed(f"{method} {path}: {error!r}") from error
        if response.status not in (200, 204):
            raise ServerFailed(f"{method} {path} got {response.status}: {body[:500]!r}")
        return time.perf_counter() - began

    def close(self) -> None:
        self._connection.close()


def staff_pages_section(found: StaffPages) -> str:
    """Returns the Markdown section with the table of all pages."""
    lines = ["| | median ms | p95 ms | longest ms | p95 at most | |", "|---|---:|---:|---:|---:|---|"]
    for row in found.rows:
        figures = (percentile(row.milliseconds, 0.5), row.p95, max(row.milliseconds), row.page.budget)
        verdict = "kept" if row.kept else "**not kept**"
        lines.append(f"| {row.page.label} | {' | '.join(f'{each:.0f}' for each in figures)} | {verdict} |")
    return "\n\n".join(
        (
            "### Statistics and staff pages",
            f"A campaign of {found.outreaches:,} outreaches in the last {DAYS} days was added to the largest database. "
            f"The worker's part counted its statistics in two zones in {found.counted_in:.0f} s. Then one client read "
            f"each page {len(found.rows[0].milliseconds):,} times from one gunicorn worker, in turns.",
            "\n".join(lines),
        )
    )
