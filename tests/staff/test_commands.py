"""The commands `staff`."""

import re
from typing import Any

import pytest
from click.testing import Result
from flask import Flask
from pymongo.database import Database

from osdi.staff.members import add_member, find_member
from osdi.store import Store
from tests.staff.conftest import StaffBrowser
from tests.support.client import Client


def run(app: Flask, *arguments: str) -> Result:
    return app.test_cli_runner().invoke(args=["staff", *arguments])


def secret_of(result: Result) -> str:
    """The secret of the link on the last line."""
    assert result.exit_code == 0, result.output
    found = re.fullmatch(r"http://localhost:5000/staff/link/([\w-]{43})", result.output.splitlines()[-1])
    assert found, result.output
    return found[1]


def test_a_new_member_signs_in_by_the_printed_link(app: Flask, stranger: StaffBrowser, store: Store) -> None:
    result = run(app, "add", "Ada@example.org", "--name", "Ada", "--scope", "read", "--scope", "write")

    assert "Added ada@example.org with scope read, write." in result.output
    assert stranger.open_link(secret_of(result)).status_code == 303
    assert "Hello, Ada" in stranger.get("/staff").text


def test_a_member_has_every_scope_unless_some_are_named(app: Flask, store: Store) -> None:
    run(app, "add", "ada@example.org")

    assert find_member(store, "ada@example.org")["scopes"] == ["read", "write", "admin"]


def test_a_member_may_be_a_person_and_be_bound_to_a_campaign(app: Flask, api: Client, store: Store) -> None:
    person = api.created("/people", {"person": {"given_name": "Ada"}})["_links"]["self"]["href"].rsplit("/", 1)[1]

    result = run(app, "add", "ada@example.org", "--person", person, "--campaign", api.campaign_id)

    assert f"for campaign {api.campaign_id}" in result.output
    member = find_member(store, "ada@example.org")
    assert (member["person_id"], member["advocacy_campaign_id"]) == (person, api.campaign_id)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["add", "ada"], "e-mail address"),
        (["add", "known@example.org"], "already"),
        (["add", "ada@example.org", "--name", "x" * 101], "printable characters"),
        (["add", "ada@example.org", "--scope", "owner"], "'owner' is not one of"),
        (["add", "ada@example.org", "--person", "nobody"], "No person has the id"),
        (["add", "ada@example.org", "--campaign", "none"], "No advocacy campaign has the id"),
        (["link", "eve@example.org"], "is not a staff member"),
        (["link", "e e@x"], "e-mail address"),
        (["link", "off@example.org"], "is disabled"),
        (["disable", "eve@example.org"], "is not a staff member"),
        (["enable", "01a20a71"], "is not a staff member"),
        (["remove", "eve@example.org", "--yes"], "is not a staff member"),
    ],
)
def test_a_wrong_argument_is_explained(app: Flask, store: Store, arguments: list[str], message: str) -> None:
    add_member(store, "known@example.org")
    add_member(store, "off@example.org")
    run(app, "disable", "off@example.org")

    result = run(app, *arguments)

    assert result.exit_code == 2
    assert message in result.output


def test_another_link_for_a_known_member_is_printed(app: Flask, stranger: StaffBrowser, member: dict[str, Any]) -> None:
    assert stranger.open_link(secret_of(run(app, "link", "ada@example.org"))).status_code == 303


def test_a_disabled_member_is_signed_out_and_may_be_enabled_again(
    app: Flask, ada: StaffBrowser, member: dict[str, Any]
) -> None:
    assert "All sessions have ended" in run(app, "disable", "ada@example.org").output
    assert ada.get("/staff").status_code == 303

    assert run(app, "enable", member["_id"]).exit_code == 0
    assert ada.open_link(secret_of(run(app, "link", member["_id"]))).status_code == 303


def test_a_removed_member_is_signed_out_and_nowhere_but_by_id(
    app: Flask, ada: StaffBrowser, member: dict[str, Any], database: Database
) -> None:
    assert run(app, "remove", "ada@example.org").exit_code == 1  # it asks, and nobody answers
    assert ada.get("/staff").status_code == 200

    result = run(app, "remove", "ada@example.org", "--yes")

    assert member["_id"] in result.output
    assert ada.get("/staff").status_code == 303
    left = str([list(database[name].find()) for name in database.list_collection_names()])
    assert "Ada" not in left  # ids have the letters a and d too, but no capitals
    assert "ada@" not in left
    assert member["_id"] in left


def test_the_list_shows_each_member_and_no_secret(app: Flask, store: Store, database: Database) -> None:
    add_member(store, "ada@example.org", name="Ada", scopes=["read"])
    add_member(store, "eve@example.org", advocacy_campaign_id="campaign-1")
    run(app, "disable", "eve@example.org")

    lines = run(app, "list").output.splitlines()

    assert [line.split()[1:4] for line in lines[1:]] == [
        ["ada@example.org", "Ada", "read"],
        ["eve@example.org", "eve@example.org", "read,write,admin"],
    ]
    assert lines[1].endswith("enabled")
    assert "campaign-1" in lines[2]
    assert lines[2].endswith("disabled")


def test_what_an_operator_does_is_in_the_audit_log(app: Flask, store: Store, database: Database) -> None:
    run(app, "add", "ada@example.org")
    for command in ("link", "disable", "enable"):
        run(app, command, "ada@example.org")

    events = list(database.staff_events.find(sort=[("_id", 1)]))
    assert [each["action"] for each in events] == ["add_staff", "print_link", "disable_staff", "enable_staff"]
    assert all("staff_id" not in each and each["ids"][0].startswith("staff/") for each in events)
