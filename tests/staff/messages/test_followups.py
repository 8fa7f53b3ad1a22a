"""The page of follow-ups: numbers, list, reasons in words, and queueing again."""

import datetime as dt
import re
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from pymongo.database import Database

from osdi.access.tokens import READ
from osdi.followups.transports import transports
from osdi.ids import new_id, now
from osdi.settings import Settings
from osdi.staff.members import add_member
from osdi.staff.messages.followup_list import PER_PAGE, missing_settings
from osdi.store import Insert, Store
from tests.staff.conftest import SignedIn, StaffBrowser
from tests.support.client import Client

DOCS = Path(__file__).parents[3] / "docs" / "follow-ups.md"
HOSTILE = "<script>alert(1)</script>"
BEFORE = dt.timedelta(hours=1)


def stored(store: Store, campaign_id: str = "c", **fields: Any) -> str:
    """Stores an outreach with one follow-up, which has failed, and returns the follow-up's id."""
    followup = {
        "_id": new_id(),
        "kind": "autoresponse",
        "state": "failed",
        "reason": "smtp_login_535",
        "message_id": "m",
        "by_token": True,
        "attempts": 3,
        "queued_date": now() - BEFORE,
        **fields,
    }
    outreach_id = new_id()
    outreach = {"_id": outreach_id, "version": 1, "match_keys": [f"id:{outreach_id}"], "person_id": "p"}
    followup = {name: value for name, value in followup.items() if value is not None}
    store.write(Insert("outreaches", outreach | {"advocacy_campaign_id": campaign_id, "followups": [followup]}))
    return str(followup["_id"])


def states(database: Database) -> list[str]:
    return [each["followups"][0]["state"] for each in database.outreaches.find().sort("_id")]


def rows_of(page: str) -> list[str]:
    """The rows of the list, below the numbers."""
    return re.findall(r"<tr role=\"row\">.*?</tr>", page.partition('id="list"')[2], re.DOTALL)[1:]


class TestTheList:
    def test_shows_campaign_kind_reason_attempts_and_next_attempt(
        self, ada: StaffBrowser, api: Client, store: Store
    ) -> None:
        due = dt.datetime(2026, 3, 18, 11, 2)
        stored(store, api.campaign_id, state="queued", reason="smtp_connect", not_before=due)

        (row,) = rows_of(ada.get("/staff/followups?state=queued").text)

        for shown in ("Protect the river", "mail", "could not be reached", "smtp_connect", ">3<", "2026-03-18"):
            assert shown in row

    @pytest.mark.parametrize(
        ("query", "found"),
        [
            ("", 2),
            ("?state=failed&kind=sms_response", 1),
            ("?state=failed&reason=smtp_login_535", 1),
            ("?state=skipped", 1),
            ("?state=sent", 0),
            ("?state=lost&kind=letter", 2),
            ("?reason=%00%ff", 0),
            ("?before=x", 2),
            ("?before=0", 0),
        ],
    )
    def test_shows_the_chosen_followups_only(
        self, ada: StaffBrowser, store: Store, database: Database, query: str, found: int
    ) -> None:
        stored(store)
        stored(store, kind="sms_response", reason="gateway_400")
        stored(store, state="skipped", reason="sent_before")

        assert len(rows_of(ada.get(f"/staff/followups{query}").text)) == found

    def test_has_pages_from_the_newest_on(self, ada: StaffBrowser, store: Store, database: Database) -> None:
        for number in range(PER_PAGE + 2):
            stored(store, attempts=number)

        first = ada.get("/staff/followups").text
        link = re.search(r'rel="next" href="([^"]+)"', first)
        assert link
        second = ada.get(link[1].replace("&amp;", "&")).text

        assert len(rows_of(first)) == PER_PAGE
        assert [f">{number}<" in row for number, row in zip((1, 0), rows_of(second), strict=True)] == [True, True]
        assert 'rel="next"' not in second

    def test_leads_from_each_number_to_the_list_that_it_counts(
        self, ada: StaffBrowser, store: Store, database: Database
    ) -> None:
        for reason in ("bouncing", "bouncing", "template"):
            stored(store, reason=reason)
        stored(store, state="sent", reason=None)
        page = ada.get("/staff/followups").text.partition('id="list"')[0]

        links = re.findall(r'href="([^"]+)#list">(\d+)', page)

        assert sorted(number for _, number in links) == ["0", "1", "1", "2"]
        for address, number in links:
            assert len(rows_of(ada.get(address.replace("&amp;", "&")).text)) == int(number)

    def test_shows_stored_text_as_text(self, ada: StaffBrowser, store: Store, database: Database) -> None:
        stored(store, HOSTILE, reason=HOSTILE, kind=HOSTILE)

        page = ada.get(f"/staff/followups?reason={HOSTILE}").text

        assert "<script" not in page
        assert page.count("&lt;script&gt;alert(1)") > 2

    def test_says_if_it_is_empty(self, ada: StaffBrowser, database: Database) -> None:
        assert "no follow-up of this selection" in ada.get("/staff/followups").text


def test_every_documented_reason_has_words(ada: StaffBrowser, store: Store, database: Database) -> None:
    section = DOCS.read_text(encoding="utf-8").partition("## States and reasons")[2].partition("\n## ")[0]
    cells = [line.split("|")[2] for line in section.splitlines() if line.startswith("|")]
    documented = {name for cell in cells for name in re.findall(r"`([a-z_]+)`", cell)}
    assert len(documented) > 20

    for reason in sorted(documented):
        stored(store, reason=reason)
    page = ada.get("/staff/followups").text.partition('id="list"')[0]

    unexplained = [reason for reason in documented if not re.search(rf'\w\. <code class="hint">{reason}</code>', page)]
    assert unexplained == []


class TestMissingSettings:
    def test_are_named(self, ada: StaffBrowser, database: Database) -> None:
        assert "SMTP_URL, MAIL_FROM is missing" in ada.get("/staff/followups").text

    @pytest.mark.parametrize(
        "given",
        [
            {},
            {"smtp_url": "smtp://127.0.0.1:9", "mail_from": "hello@example.org"},
            {"sms_gateway_url": "http://127.0.0.1:9", "call_gateway_url": "http://127.0.0.1:9"},
        ],
        ids=str,
    )
    def test_are_those_of_kinds_without_a_transport(self, store: Store, given: dict[str, str]) -> None:
        settings = Settings(**given)

        kinds = {"autoresponse", "confirmation", "sms_response", "call_response"}
        assert set(missing_settings(settings)) == kinds - set(transports(store, settings))


class TestQueueingAgain:
    def test_asks_first_and_then_queues_one(self, ada: StaffBrowser, store: Store, database: Database) -> None:
        stored(store)
        meant = stored(store)

        assert "Queue follow-ups again?" in ada.get(f"/staff/followups/retry?id={meant}").text
        assert states(database) == ["failed", "failed"]
        response = ada.post("/staff/followups/retry", {"id": meant})

        assert response.status_code == 303
        assert "is queued again" in ada.get(response.headers["Location"]).text
        assert states(database) == ["failed", "queued"]
        (event,) = database.staff_events.find({"action": "retry_followups"})
        assert event["ids"] == [f"outreaches/{database.outreaches.find_one(sort=[('_id', -1)])['_id']}"]

    @pytest.mark.parametrize(
        ("fields", "queued"),
        [
            ({"state": "failed"}, {0, 1}),
            ({"state": "failed", "kind": "sms_response"}, {1}),
            ({"state": "failed", "reason": "smtp_login_535"}, {0}),
            ({"state": "skipped", "reason": "no_smtp"}, {2}),
        ],
        ids=str,
    )
    def test_queues_all_that_are_chosen(
        self, ada: StaffBrowser, store: Store, database: Database, fields: dict[str, str], queued: set[int]
    ) -> None:
        stored(store)
        stored(store, kind="sms_response", reason="gateway_400")
        stored(store, state="skipped", reason="no_smtp")
        stored(store, state="skipped", reason="sent_before")
        before = states(database)

        assert ada.post("/staff/followups/retry", fields).status_code == 303

        assert states(database) == ["queued" if at in queued else state for at, state in enumerate(before)]

    @pytest.mark.parametrize(
        ("fields", "status"),
        [
            ({"state": "skipped"}, 400),
            ({"state": "skipped", "reason": " "}, 400),
            ({"state": "queued"}, 400),
            ({"state": "sent"}, 400),
            ({"state": "failed", "reason": "other"}, 409),
            ({"id": "unknown"}, 404),
        ],
        ids=str,
    )
    def test_rejects_a_selection_that_is_too_wide_or_empty(
        self, ada: StaffBrowser, store: Store, database: Database, fields: dict[str, str], status: int
    ) -> None:
        stored(store)
        stored(store, state="skipped", reason="sent_before")

        assert ada.post("/staff/followups/retry", fields).status_code == status
        assert states(database) == ["failed", "skipped"]

    def test_stops_after_as_many_as_a_request_may_queue(
        self, ada: StaffBrowser, store: Store, database: Database, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("osdi.staff.messages.followup_list.MAX_QUEUED", 2)
        monkeypatch.setattr("osdi.followups.retry.BATCH", 2)
        for _ in range(5):
            stored(store)

        response = ada.post("/staff/followups/retry", {"state": "failed"})

        assert response.headers["Location"].endswith("done=followups_queued_partly")
        assert sorted(states(database)) == ["failed"] * 3 + ["queued"] * 2

    def test_is_not_offered_to_members_who_may_only_read(
        self, store: Store, database: Database, signed_in: SignedIn
    ) -> None:
        stored(store)

        assert (
            "retry" not in signed_in(add_member(store, "eve@example.org", scopes=[READ])).get("/staff/followups").text
        )


def test_home_leads_to_the_failed_followups(ada: StaffBrowser, app: Flask, store: Store, database: Database) -> None:
    stored(store)

    page = ada.get("/staff").text

    assert 'href="/staff/followups?state=failed"' in page
    assert "followups list" not in page
