"""The audit log: each action of a member and of an operator, with ids only."""

import datetime as dt
from typing import Any

import pytest
from flask import Flask
from pymongo.database import Database

from osdi.errors import unavailable
from osdi.ids import now
from osdi.staff.events import MAX_IDS, record_event
from osdi.staff.links import new_link
from osdi.store import Store
from tests.fixtures.deployed import Deployed
from tests.staff.conftest import StaffBrowser, latest_events


def test_each_action_is_recorded_with_the_member_and_the_ids_of_what_it_wrote(
    stranger: StaffBrowser, store: Store, member: dict[str, Any], database: Database
) -> None:
    stranger.open_link(new_link(store, member, now()))
    stranger.post("/staff/sign-out")

    events = latest_events(store, 10)
    assert [each["action"] for each in events] == ["sign_out", "use_link"]
    assert {each["staff_id"] for each in events} == {member["_id"]}
    assert events[1]["ids"][0].startswith("staff_links")


def test_it_contains_no_name_and_no_address(
    stranger: StaffBrowser, store: Store, member: dict[str, Any], database: Database
) -> None:
    stranger.open_link(new_link(store, member, now()))
    stranger.post("/staff/sign-out", {"email": "jane@example.com"})

    stored = str(list(database.staff_events.find()))
    assert "sign_out" in stored
    assert "Ada" not in stored  # ids have the letters a and d too, but no capitals
    assert "@" not in stored


@pytest.mark.parametrize("fields", [{}, {"form_token": "0"}])
def test_what_was_rejected_is_not_in_it(
    ada: StaffBrowser, stranger: StaffBrowser, database: Database, fields: dict[str, str]
) -> None:
    before = database.staff_events.count_documents({})

    ada.post("/staff/devices/sign-out", fields, token="")
    ada.post("/staff/devices/unknown/sign-out")
    stranger.post("/staff/sign-in", {"email": "ada@example.org"}, form="/staff/devices", token="0")

    assert database.staff_events.count_documents({}) == before


def test_an_event_has_the_time_at_which_the_database_deletes_it(
    deployed: Deployed, store: Store, member: dict[str, Any], database: Database
) -> None:
    StaffBrowser(deployed(staff_event_days=30).http.application).open_link(new_link(store, member, now()))

    event = database.staff_events.find_one()
    assert event["expires_date"] - event["at"] == dt.timedelta(days=30)
    assert database.staff_events.index_information()["expires_date_1"]["expireAfterSeconds"] == 0


def test_an_action_on_very_many_documents_is_a_short_event(store: Store, database: Database) -> None:
    record_event(store, 1, "delete", [f"people/{number}" for number in range(10_000)], "ada")

    assert len(database.staff_events.find_one()["ids"]) == MAX_IDS


def test_an_action_that_is_done_does_not_fail_because_its_event_cannot_be_stored(
    ada: StaffBrowser, app: Flask, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def fail(*_: object) -> None:
        raise unavailable("The database does not respond.")

    monkeypatch.setattr("blueprints.staff.gate.record_event", fail)

    assert ada.post("/staff/sign-out").status_code == 303
    assert '"event":"staff_event"' in capfd.readouterr().out
