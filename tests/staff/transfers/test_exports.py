"""A member downloads people, outreaches or campaigns; the page lists who did so, and if the file was complete."""

from typing import Any

import pytest
from flask import Flask
from pymongo.database import Database

from osdi.access.tokens import READ, WRITE
from osdi.errors import unavailable
from osdi.ids import now
from osdi.staff.members import add_member
from osdi.staff.sessions import FRESH
from osdi.staff.transfers import exports
from osdi.store import Store
from tests.staff.conftest import SignedIn, StaffBrowser
from tests.support import factories
from tests.support.client import Client

PEOPLE = {"what": "people", "format": "csv"}

Stored = Database[dict[str, Any]]


@pytest.fixture
def recorded(api: Client) -> None:
    """Two outreaches, of which one is on another campaign."""
    api.record(factories.outreach(person=factories.person(given_name="=Ann")))
    other = api.created("/advocacy_campaigns", {"title": "Other"})
    path = other["_links"]["osdi:record_outreach_helper"]["href"].partition("/api/v1")[2]
    assert api.post(path, factories.outreach(person=factories.person(given_name="Bob"))).status_code == 200


@pytest.mark.parametrize(
    ("fields", "name", "lines"),
    [
        (PEOPLE, "people.csv", 3),
        ({"what": "people", "format": "ndjson"}, "people.ndjson", 2),
        ({"what": "outreaches", "format": "csv"}, "outreaches.csv", 3),
        ({"what": "campaigns", "format": "csv"}, "campaigns.csv", 3),
    ],
)
def test_a_file_has_what_the_command_exports(
    ada: StaffBrowser, recorded: None, fields: dict[str, str], name: str, lines: int
) -> None:
    response = ada.post("/staff/exports", fields)

    assert response.status_code == 200
    assert response.headers["Content-Disposition"] == f'attachment; filename="{name}"'
    assert response.headers["Cache-Control"] == "no-store"
    assert len(response.text.splitlines()) == lines


def test_outreaches_of_one_campaign_are_a_file(ada: StaffBrowser, api: Client, recorded: None) -> None:
    response = ada.post("/staff/exports", {"what": "outreaches", "format": "csv", "campaign": api.campaign_id})

    assert len(response.text.splitlines()) == 2


def test_formulas_are_disarmed_and_excel_recognises_the_encoding(ada: StaffBrowser, recorded: None) -> None:
    response = ada.post("/staff/exports", {**PEOPLE, "bom": "1"})

    assert response.get_data().startswith(b"\xef\xbb\xbf")
    assert ",'=Ann," in response.text


def test_the_page_lists_who_exported_what(ada: StaffBrowser, recorded: None, database: Stored) -> None:
    ada.post("/staff/exports", PEOPLE).get_data()

    page = ada.get("/staff/exports").text
    assert "complete, 2 documents" in page
    export = database.exports.find_one()
    assert export is not None
    assert (export["what"], export["state"], export["documents"]) == ("people", "complete", 2)
    event = database.staff_events.find_one({"action": "download_export"})
    assert event is not None
    assert event["ids"] == [f"exports/{export['_id']}"]


def test_an_export_that_breaks_off_is_listed_as_such(
    ada: StaffBrowser, recorded: None, database: Stored, monkeypatch: pytest.MonkeyPatch
) -> None:
    original = exports.csv

    def breaking(*arguments: Any, **options: Any) -> Any:
        yield from original(*arguments, **options)
        raise unavailable("away")

    monkeypatch.setattr(exports, "csv", breaking)
    with pytest.raises(Exception, match="away"):
        ada.post("/staff/exports", PEOPLE).get_data()

    assert "broken off after 2 documents" in ada.get("/staff/exports").text


def test_an_export_needs_a_fresh_sign_in(ada: StaffBrowser, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("blueprints.staff.gate.now", lambda: now() + FRESH)

    response = ada.post("/staff/exports", PEOPLE)

    assert response.status_code == 403
    assert "Content-Disposition" not in response.headers
    assert ada.get("/staff/exports").status_code == 200


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"what": "tokens", "format": "csv"},
        {"what": "people", "format": "exe"},
        {"what": "people", "format": "csv", "campaign": "c1"},
        {"what": "outreaches", "format": "csv", "campaign": "nowhere"},
    ],
)
def test_a_choice_that_is_not_offered_is_an_error_of_the_form(
    ada: StaffBrowser, database: Stored, fields: dict[str, str]
) -> None:
    response = ada.post("/staff/exports", fields)

    assert response.status_code == 422
    assert "Please correct this" in response.text
    assert database.exports.count_documents({}) == 0


@pytest.mark.parametrize(
    ("rights", "status"),
    [({"scopes": [READ]}, 200), ({"scopes": [WRITE]}, 403), ({"advocacy_campaign_id": "c1"}, 403)],
    ids=["read", "write", "campaign-scoped"],
)
def test_only_readers_who_see_all_people_export(
    app: Flask, store: Store, signed_in: SignedIn, rights: dict[str, Any], status: int
) -> None:
    other = signed_in(add_member(store, "other@example.org", **rights))

    assert other.get("/staff/exports").status_code == status
    assert other.post("/staff/exports", PEOPLE).status_code == status
