"""The home page and the list of campaigns: their numbers, and what each member sees."""

import datetime as dt
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from flask import Flask
from pymongo.database import Database

from osdi.access.tokens import READ, WRITE
from osdi.errors import unavailable
from osdi.ids import now
from osdi.staff import home as home_page
from osdi.staff.campaign_list import CLOSED, DRAFT, OPEN, CampaignList, Filter, campaign_list, last_days
from osdi.staff.home import Home, home
from osdi.staff.members import add_member, caller_of
from osdi.store import Store
from tests.fixtures.deployed import Deployed
from tests.staff.conftest import SignedIn, StaffBrowser
from tests.support import factories
from tests.support.client import Client

UTC = ZoneInfo("UTC")
NEW_YORK = ZoneInfo("America/New_York")
ADMIN = caller_of({"_id": "ada", "scopes": ["admin"]}, "session")
HOSTILE = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>"


def days_ago(days: float) -> str:
    return (now() - dt.timedelta(days=days)).isoformat() + "Z"


def listed(store: Store, zone: ZoneInfo = UTC, **options: Any) -> CampaignList:
    return campaign_list(store, ADMIN, zone, **options)


def read(app: Flask, store: Store, caller: Any = ADMIN) -> Home:
    return home(store, caller, app.extensions["osdi"].settings)


def kinds(found: Home) -> dict[str, int]:
    return {each.kind: each.count for each in found.todo}


def shared(api: Client, number: int = 2) -> None:
    """Stores people with the same number and other addresses."""
    for each in range(number):
        phone = [{"number": "+1 202-555-0123"}]
        address = [{"address": f"{each}@example.com"}]
        person = factories.person(given_name=f"G{each}", email_addresses=address, phone_numbers=phone)
        api.created("/people", {"person": person})


class TestTheListOfCampaigns:
    def test_has_the_count_and_the_last_seven_days_beside_the_seven_before(self, api: Client, store: Store) -> None:
        for days in (0, 1, 6, 7, 8, 13, 14, 40):
            api.recorded(factories.outreach(action_date=days_ago(days)))

        (row,) = listed(store).rows

        assert (row.title, row.outreaches) == ("Protect the river", 8)
        assert (row.last_days, row.days_before, row.trend) == (3, 3, 0)

    def test_counts_as_the_statistics_and_the_collection_of_the_campaign_do(self, api: Client, store: Store) -> None:
        for days in range(0, 20, 3):
            api.recorded(factories.outreach(action_date=days_ago(days)))
        today = now().date()

        (row,) = listed(store).rows

        first = today - dt.timedelta(days=6)
        statistics = api.get(f"/advocacy_campaigns/{api.campaign_id}/stats?from={first}&to={today}").json
        assert row.last_days == statistics["total"]["outreaches"]
        assert row.outreaches == api.get(f"/advocacy_campaigns/{api.campaign_id}/outreaches").json["total_records"]

    def test_begins_a_day_in_the_zone_of_the_deployment(self) -> None:
        interval = last_days(NEW_YORK).whole

        assert interval.start.hour in (4, 5)
        assert dt.timedelta(days=7, hours=-1) <= interval.end - interval.start <= dt.timedelta(days=7, hours=1)
        assert last_days(NEW_YORK, before=7).whole.end == interval.start

    @pytest.mark.parametrize(
        ("page", "state"),
        [
            ({}, DRAFT),
            ({"published": False}, DRAFT),
            ({"published": True}, OPEN),
            ({"published": True, "closes_at": dt.datetime(2099, 1, 1)}, OPEN),
            ({"published": True, "closes_at": dt.datetime(2001, 1, 1)}, CLOSED),
        ],
    )
    def test_has_the_state_of_the_page(
        self, api: Client, store: Store, database: Database, page: dict[str, Any], state: str
    ) -> None:
        database.advocacy_campaigns.update_one({}, {"$set": {"page": page}})

        assert listed(store).rows[0].state == state

    @pytest.mark.parametrize(("goal", "reached"), [(None, None), ("auto", 3), (10, 30), (3, 100), (2, 100), (1_000, 0)])
    def test_has_the_part_of_the_goal_that_is_reached(
        self, api: Client, store: Store, database: Database, goal: Any, reached: int | None
    ) -> None:
        database.advocacy_campaigns.update_one({}, {"$set": {"page": {"goal": goal}}})
        for _ in range(3):
            api.recorded(factories.outreach())

        assert listed(store).rows[0].reached == reached

    @pytest.mark.parametrize(
        ("page", "shown", "first"), [(1, 25, "29"), (2, 5, "4"), (3, 5, "4"), (0, 25, "29"), (-1, 25, "29")]
    )
    def test_has_pages(self, api: Client, store: Store, database: Database, page: int, shown: int, first: str) -> None:
        database.advocacy_campaigns.delete_many({})
        for number in range(30):
            api.created("/advocacy_campaigns", {"title": str(number)})

        found = listed(store, page=page)

        assert (len(found.rows), found.rows[0].title, found.total, found.pages) == (shown, first, 30, 2)

    @pytest.mark.parametrize("page", ["x", "-1", "1e9", "9" * 30, "", "2"])
    def test_accepts_any_number_in_its_address(self, ada: StaffBrowser, page: str) -> None:
        assert ada.get(f"/staff/campaigns?page={page}").status_code == 200


class TestTheFilterOfCampaigns:
    @pytest.fixture
    def campaigns(self, api: Client, database: Database) -> None:
        """Campaigns in each state, which is their title."""
        database.advocacy_campaigns.delete_many({})
        past, future = dt.datetime(2001, 1, 1), dt.datetime(2099, 1, 1)
        pages: dict[str, dict[str, Any] | None] = {
            "Draft without page": None,
            "Draft": {"published": False, "closes_at": future},
            "Open": {"published": True, "slug": "open"},
            "Open until 2099": {"published": True, "closes_at": future},
            "Closed": {"published": True, "closes_at": past},
            "Closed draft": {"closes_at": past},
        }
        for title, page in pages.items():
            api.created("/advocacy_campaigns", {"title": title, "type": "email" if "Open" in title else "phone"})
            if page is not None:
                database.advocacy_campaigns.update_one({"title": title}, {"$set": {"page": page}})

    @pytest.mark.parametrize(
        ("chosen", "titles"),
        [
            (Filter(state=DRAFT), {"Draft without page", "Draft"}),
            (Filter(state=OPEN), {"Open", "Open until 2099"}),
            (Filter(state=CLOSED), {"Closed", "Closed draft"}),
            (Filter(type="email"), {"Open", "Open until 2099"}),
            (Filter(text="DRAFT"), {"Draft without page", "Draft", "Closed draft"}),
            (Filter(text="draft", state=CLOSED, type="phone"), {"Closed draft"}),
            (Filter(text=".*"), set()),
            (Filter(text="("), set()),
            (Filter(type="email", state=CLOSED), set()),
        ],
    )
    def test_finds_by_state_type_and_text(
        self, campaigns: None, store: Store, chosen: Filter, titles: set[str]
    ) -> None:
        found = listed(store, chosen=chosen)

        assert {row.title for row in found.rows} == titles
        assert found.total == len(titles)
        assert {row.state for row in found.rows} <= ({chosen.state} if chosen.state else {DRAFT, OPEN, CLOSED})

    def test_is_in_the_address_and_stays_in_the_links_to_other_pages(
        self, campaigns: None, ada: StaffBrowser, api: Client
    ) -> None:
        for number in range(30):
            api.created("/advocacy_campaigns", {"title": f"Many {number}", "type": "visit"})

        page = ada.get("/staff/campaigns?type=visit&text=many&state=draft").text

        assert '<option value="visit" selected>' in page
        assert '<option value="draft" selected>' in page
        assert 'value="many"' in page
        assert 'href="/staff/campaigns?page=2&amp;state=draft&amp;type=visit&amp;text=many"' in page

    def test_that_finds_nothing_leads_back_to_all(self, campaigns: None, ada: StaffBrowser) -> None:
        page = ada.get("/staff/campaigns?text=<b>nothing</b>").text

        assert "No campaign fits." in page
        assert "&lt;b&gt;nothing" in page

    def test_leads_from_a_public_page_to_its_address(self, campaigns: None, ada: StaffBrowser) -> None:
        page = ada.get("/staff/campaigns?text=open").text

        assert page.count('href="/act/open"') == 1

    def test_shows_a_campaign_scoped_member_the_types_of_that_campaign_only(
        self, campaigns: None, store: Store, database: Database, signed_in: SignedIn
    ) -> None:
        campaign = database.advocacy_campaigns.find_one({"title": "Open"})["_id"]
        eve = signed_in(add_member(store, "eve@example.org", scopes=[READ], advocacy_campaign_id=campaign))

        page = eve.get("/staff/campaigns?state=closed").text

        assert "Closed draft" not in page
        assert '<option value="phone"' not in page


class TestTheHomePage:
    def test_says_if_there_is_nothing_to_do(
        self, deployed: Deployed, store: Store, member: dict[str, Any], signed_in: SignedIn
    ) -> None:
        client = deployed(smtp_url="smtp://127.0.0.1:9", mail_from="hello@example.org")

        page = signed_in(member, client.http.application).get("/staff").text

        assert "Nothing needs your attention." in page

    def test_names_what_needs_attention(self, app: Flask, api: Client, store: Store, database: Database) -> None:
        shared(api)
        api.recorded(factories.outreach())
        failed = {"_id": "f", "kind": "autoresponse", "state": "failed", "reason": "smtp_connect", "queued_date": now()}
        database.outreaches.update_one({}, {"$set": {"followups": [failed]}})
        for number, reason in enumerate(("gave_up", "receiver_gone", "by_hand", None)):
            webhook = {"_id": str(number), "url": f"https://{number}.example.org", "enabled": reason is None}
            database.webhooks.insert_one({**webhook, "events": [], "disabled_reason": reason, "not_before": now()})
        soon = {"published": True, "closes_at": now() + dt.timedelta(days=3)}
        database.advocacy_campaigns.update_one({}, {"$set": {"page": soon}})

        found = read(app, store)

        assert kinds(found) == {
            "failed_followups": 1,
            "disabled_webhooks": 2,
            "no_mail": 0,
            "closing_campaigns": 1,
            "likely_duplicates": 1,
        }
        details = {each.kind: each.details for each in found.todo}
        assert details["failed_followups"] == ("smtp_connect (1)",)
        assert details["disabled_webhooks"] == ("https://0.example.org", "https://1.example.org")
        assert details["closing_campaigns"] == ("Protect the river",)

    @pytest.mark.parametrize(("days", "soon"), [(-1, False), (0.1, True), (6.9, True), (7.1, False)])
    def test_names_campaigns_that_close_within_seven_days(
        self, app: Flask, api: Client, store: Store, database: Database, days: float, soon: bool
    ) -> None:
        page = {"published": True, "closes_at": now() + dt.timedelta(days=days)}
        database.advocacy_campaigns.update_one({}, {"$set": {"page": page}})

        assert ("closing_campaigns" in kinds(read(app, store))) == soon

    def test_has_the_numbers_of_what_was_recorded_in_seven_days(
        self, app: Flask, api: Client, store: Store, database: Database
    ) -> None:
        for _ in range(3):
            api.recorded(factories.outreach())
        oldest = database.outreaches.find_one(sort=[("_id", 1)])["_id"]
        before = now() - dt.timedelta(days=8)
        database.outreaches.update_one({"_id": oldest}, {"$set": {"created_date": before}})

        figures = {each.name: (each.count, each.before) for each in read(app, store).figures}

        assert figures == {"outreaches": (2, 1), "new_people": (3, 0)}

    def test_shows_a_campaign_scoped_member_that_campaign_and_nothing_else(
        self, app: Flask, api: Client, store: Store, database: Database, signed_in: SignedIn
    ) -> None:
        shared(api)
        api.created("/advocacy_campaigns", {"title": "Another campaign"})
        member = add_member(store, "eve@example.org", scopes=[READ], advocacy_campaign_id=api.campaign_id)
        eve = signed_in(member)

        found = read(app, store, caller_of(member, "session"))

        assert (found.todo, found.figures) == ((), ())
        for path in ("/staff", "/staff/campaigns"):
            assert "Protect the river" in eve.get(path).text
            assert "Another campaign" not in eve.get(path).text

    def test_shows_a_member_without_read_no_data(
        self, app: Flask, api: Client, store: Store, signed_in: SignedIn
    ) -> None:
        writer = signed_in(add_member(store, "eve@example.org", scopes=[WRITE]))

        page = writer.get("/staff").text

        assert "may not read data" in page
        assert "Protect the river" not in page
        assert "/staff/campaigns" not in page  # no link to what is forbidden

    def test_shows_administrators_only_which_webhooks_were_disabled(
        self, app: Flask, api: Client, store: Store, database: Database
    ) -> None:
        webhook = {"_id": "w", "url": "https://secret.example.org", "enabled": False, "events": []}
        database.webhooks.insert_one({**webhook, "disabled_reason": "gave_up"})

        assert "disabled_webhooks" in kinds(read(app, store))
        assert "disabled_webhooks" not in kinds(read(app, store, caller_of({"_id": "x", "scopes": ["read"]}, "s")))

    def test_is_shown_without_a_number_that_takes_too_long_to_count(
        self, app: Flask, api: Client, store: Store, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def fail(_: object) -> None:
            raise unavailable("The query took too long.")

        monkeypatch.setattr(home_page.outbox_store, "counts", fail)

        assert "unknown" in kinds(read(app, store))


@pytest.mark.parametrize("path", ["/staff", "/staff/campaigns", "/staff/devices"])
def test_stored_text_is_shown_as_text(
    api: Client, store: Store, database: Database, signed_in: SignedIn, path: str
) -> None:
    database.advocacy_campaigns.update_one({}, {"$set": {"title": HOSTILE, "type": HOSTILE}})
    database.webhooks.insert_one({"_id": "w", "url": HOSTILE, "enabled": False, "events": []})
    page = signed_in(add_member(store, "eve@example.org", name=HOSTILE)).get(path).text

    assert "<script" not in page
    assert "<img" not in page
    assert "&lt;script&gt;alert(1)" in page


def test_a_database_that_does_not_respond_gives_a_page_that_keeps_the_text(
    ada: StaffBrowser, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = ada.form_token("/staff/devices")

    def fail(*_: object) -> None:
        raise unavailable("The database does not respond.")

    monkeypatch.setattr("blueprints.staff.gate.find_session", fail)

    response = ada.post("/staff/sign-out", {"text": "a long text"}, token=token)

    assert response.status_code == 503
    assert response.headers["Retry-After"] == "2"
    assert "a long text" in response.text
    assert f'value="{token}"' in response.text  # one click sends the same form again
