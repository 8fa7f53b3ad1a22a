"""The sites that frame the form of a campaign: what is counted, how seldom it is written, and that it has a bound."""

import datetime as dt
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from flask import Flask
from pymongo.database import Database

from osdi.campaign_pages.embedding import site_counts
from osdi.campaign_pages.embedding.site_counts import SiteCounts
from osdi.campaign_pages.embedding.site_store import MAX_SITES, add_frames, blocked_since
from osdi.errors import DuplicateKey, unavailable
from osdi.ids import now
from osdi.store import Store
from tests.fixtures.campaign_pages import CampaignPage
from tests.support.client import Client

Publish = Callable[..., CampaignPage]
SITE = "https://river.example.org"
OTHER = "https://other.example.org"
NEVER = {"Sec-Fetch-Dest": "iframe", "Sec-Fetch-Site": "cross-site"}


@pytest.fixture
def counts(app: Flask, store: Store, monkeypatch: pytest.MonkeyPatch) -> SiteCounts:
    """The counts of a new process, for the application of the tests."""
    made = SiteCounts(store)
    deployment = app.extensions["osdi"]
    monkeypatch.setitem(
        app.extensions, "osdi", type(deployment)(**{**vars(deployment), "embedding_sites": made, "store": store})
    )
    return made


@pytest.fixture
def page(counts: SiteCounts, publish: Publish) -> CampaignPage:
    return publish(anonymous_posts={"origins": [SITE]})


def framed(page: CampaignPage, referrer: str | None, suffix: str = "/embed", **headers: str) -> None:
    """Asks for the form as a browser does for a frame."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    sent = {**NEVER, **({"Referer": referrer} if referrer is not None else {}), **named}
    page.get(suffix, headers=sent).close()


def stored(database: Database) -> dict[str, dict[str, int]]:
    """The numbers of each site."""
    outcomes = ("shown", "blocked", "unknown")
    return {
        each["origin"]: {name: each[name] for name in outcomes if name in each}
        for each in database.embedding_sites.find()
    }


class TestAFrame:
    @pytest.mark.parametrize(
        ("referrer", "expected"),
        [
            (f"{SITE}/", {SITE: {"shown": 1}}),
            (f"{OTHER}/a/page?mail=jane@example.org", {OTHER: {"blocked": 1}}),
            (None, {"": {"unknown": 1}}),
            ("about:srcdoc", {"": {"unknown": 1}}),
            ("javascript:alert(1)", {"": {"unknown": 1}}),
            (f"https://{'x' * 2_500}/", {"": {"unknown": 1}}),
            ("https://xn--/", {"": {"unknown": 1}}),
        ],
    )
    def test_counts_for_the_origin_of_the_page_around_it(
        self, page: CampaignPage, database: Database, referrer: str | None, expected: dict[str, Any]
    ) -> None:
        framed(page, referrer)

        assert stored(database) == expected

    @pytest.mark.parametrize(
        ("suffix", "headers"),
        [
            ("/embed", {"Sec-Fetch-Dest": "document"}),
            ("/embed", {"Sec-Fetch-Dest": ""}),
            ("/embed", {"Sec-Fetch-Site": "same-origin"}),
            ("", {}),
            ("/thanks", {}),
        ],
    )
    def test_counts_only_if_another_site_frames_the_form(
        self, page: CampaignPage, database: Database, suffix: str, headers: dict[str, str]
    ) -> None:
        framed(page, f"{OTHER}/", suffix, **headers)

        assert stored(database) == {}

    def test_stores_nothing_about_a_visitor(self, page: CampaignPage, database: Database) -> None:
        framed(page, f"{OTHER}/jane?mail=jane@example.org", User_Agent="Jane's browser", Cookie="jane=1")

        (found,) = database.embedding_sites.find()
        assert set(found) == {"_id", "advocacy_campaign_id", "origin", "blocked", "last_date"}
        assert "jane" not in str(found).lower()

    def test_changes_no_header_of_the_response(self, page: CampaignPage) -> None:
        varying = {"OSDI-Request-ID", "Content-Length", "ETag"}

        plain, in_frame = page.get("/embed"), page.get("/embed", headers={**NEVER, "Referer": f"{OTHER}/"})

        kept = [{name: value for name, value in each.headers if name not in varying} for each in (plain, in_frame)]
        assert kept[0] == kept[1]

    def test_is_shown_also_if_nothing_can_be_written(
        self, page: CampaignPage, database: Database, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
    ) -> None:
        def fail(*_: Any, **__: Any) -> None:
            raise unavailable("The database does not respond at the moment.")

        monkeypatch.setattr(site_counts, "add_frames", fail)

        response = page.get("/embed", headers={**NEVER, "Referer": f"{OTHER}/"})
        response.close()

        assert response.status_code == 200
        assert stored(database) == {}

    def test_of_a_draft_counts_nothing(self, counts: SiteCounts, publish: Publish, database: Database) -> None:
        draft = publish({"published": False})

        framed(draft, f"{OTHER}/")

        assert stored(database) == {}


class TestTheCounts:
    """Counts of one process, with a clock that the test sets."""

    @pytest.fixture
    def clock(self, monkeypatch: pytest.MonkeyPatch) -> list[float]:
        timestamp = [1_000.0]
        monkeypatch.setattr(site_counts, "time", SimpleNamespace(monotonic=lambda: timestamp[0]))
        return timestamp

    @staticmethod
    def count(counts: SiteCounts, origin: str = OTHER) -> bool:
        return counts.count("c", f"{origin}/", listed=(SITE,), sources=(SITE,))

    def test_are_written_at_the_first_frame_and_then_every_five_minutes(
        self, counts: SiteCounts, database: Database, clock: list[float]
    ) -> None:
        due = []
        for seconds in (0, 1, 100, 299, 300, 301):
            clock[0] = 1_000.0 + seconds
            due.append(self.count(counts))
            if due[-1]:
                counts.write()

        assert due == [True, False, False, False, True, False]
        assert stored(database) == {OTHER: {"blocked": 5}}

    def test_are_written_at_once_when_the_outcome_changes(
        self, counts: SiteCounts, database: Database, clock: list[float]
    ) -> None:
        self.count(counts)
        counts.write()
        clock[0] += 2

        assert counts.count("c", f"{OTHER}/", listed=(OTHER,), sources=(OTHER,))
        counts.write()

        assert stored(database) == {OTHER: {"blocked": 1, "shown": 1}}

    def test_are_written_for_few_sites_in_a_second_whatever_requests_come(
        self, counts: SiteCounts, database: Database, clock: list[float]
    ) -> None:
        for number in range(site_counts.MAX_WRITES * 3):
            if self.count(counts, f"https://{number}.example.net"):
                counts.write()

        assert len(stored(database)) == 1
        clock[0] += 1
        self.count(counts)
        counts.write()
        assert len(stored(database)) == 1 + site_counts.MAX_WRITES

    def test_need_little_memory_whatever_requests_come(self, counts: SiteCounts, clock: list[float]) -> None:
        for number in range(site_counts.MAX_COUNTS + 50):
            self.count(counts, f"https://{number}.example.net")

        assert len(counts._counts) == site_counts.MAX_COUNTS

    @pytest.mark.parametrize("error", [unavailable("away"), DuplicateKey("another process was faster")])
    def test_stay_in_memory_until_they_can_be_written(
        self,
        counts: SiteCounts,
        database: Database,
        clock: list[float],
        monkeypatch: pytest.MonkeyPatch,
        error: Exception,
    ) -> None:
        def fail(*_: Any, **__: Any) -> None:
            raise error

        with monkeypatch.context() as patched:
            patched.setattr(site_counts, "add_frames", fail)
            self.count(counts)
            counts.write()
        clock[0] += site_counts.WRITE_EVERY_SECONDS
        self.count(counts)
        counts.write()

        assert stored(database) == {OTHER: {"blocked": 2}}


def add(store: Store, origin: str, outcome: str = "blocked", timestamp: dt.datetime | None = None) -> None:
    add_frames(store, "c", origin, outcome, 1, listed=(SITE,), timestamp=timestamp or now())


class TestTheBound:
    @pytest.fixture
    def full(self, store: Store) -> None:
        """A campaign with as many forged sites as it can have, and more."""
        for number in range(MAX_SITES + 5):
            add(store, f"https://{number}.evil.example")

    def test_keeps_the_number_of_sites_small(self, full: None, database: Database) -> None:
        found = stored(database)

        assert len(found) == MAX_SITES + 1
        assert found["*"] == {"blocked": 5}

    def test_leaves_room_for_the_sites_that_the_campaign_lists(
        self, full: None, store: Store, database: Database
    ) -> None:
        add(store, SITE, "shown")
        add(store, "", "unknown")

        assert stored(database)[SITE] == {"shown": 1}
        assert stored(database)[""] == {"unknown": 1}

    def test_lets_no_site_replace_another(self, full: None, store: Store, database: Database) -> None:
        before = set(stored(database))

        for number in range(5):
            add(store, f"https://{number}.new.example")
        add(store, "https://0.evil.example")

        assert set(stored(database)) == before
        assert stored(database)["https://0.evil.example"] == {"blocked": 2}

    def test_is_that_of_one_campaign(self, full: None, store: Store, database: Database) -> None:
        add_frames(store, "d", OTHER, "blocked", 1, listed=(), timestamp=now())

        assert stored(database)[OTHER] == {"blocked": 1}


def test_the_database_deletes_a_site_after_thirty_days(database: Database) -> None:
    found = database.embedding_sites.index_information()["last_date_1"]

    assert found["expireAfterSeconds"] == dt.timedelta(days=30).total_seconds()


def test_sites_that_were_blocked_lately_are_found_by_an_index(store: Store, database: Database) -> None:
    add(store, OTHER, timestamp=now() - dt.timedelta(days=8))
    add(store, SITE, "shown")
    add(store, "https://new.example.org")

    assert [each["origin"] for each in blocked_since(store, now() - dt.timedelta(days=7), None)] == [
        "https://new.example.org"
    ]
    plan = database.embedding_sites.find({"last_date": {"$gte": now()}}).sort("last_date", -1).explain()
    assert "IXSCAN" in str(plan["queryPlanner"]["winningPlan"])


def test_a_deleted_campaign_leaves_no_site(api: Client, store: Store, database: Database) -> None:
    add_frames(store, api.campaign_id, OTHER, "blocked", 1, listed=(), timestamp=now())

    api.delete(f"/advocacy_campaigns/{api.campaign_id}")

    assert stored(database) == {}
