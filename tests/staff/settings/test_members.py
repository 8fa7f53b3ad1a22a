"""Staff members on the settings pages: adding, inviting, disabling, enabling and signing them out."""

import re
from typing import Any

import pytest
from pymongo.database import Database

from osdi.staff.members import add_member, set_disabled
from osdi.store import Store
from tests.fixtures.deployed import Deployed
from tests.staff.conftest import SignedIn, StaffBrowser, latest_events

LIST = "/staff/settings/staff"
NEW = f"{LIST}/new"
GOOD = {"email": "eve@example.org", "name": "Eve", "scopes": "read"}
LINK = re.compile(r"https?://[^/\s]+(/staff/link/[A-Za-z0-9_-]+)")


@pytest.fixture
def eve(store: Store) -> dict[str, Any]:
    return add_member(store, "eve@example.org", name="Eve")


class TestAdding:
    def test_shows_the_link_once_without_mail_and_the_link_signs_in(
        self, ada: StaffBrowser, stranger: StaffBrowser, database: Database
    ) -> None:
        response = ada.post(NEW, GOOD)

        (path,) = LINK.findall(response.text)
        assert stranger.post(path, form=path).status_code == 303
        assert "Hello, Eve" in stranger.get("/staff").text
        assert database.staff.find_one({"email": "eve@example.org"})["scopes"] == ["read"]
        assert path not in ada.get(LIST).text

    def test_asks_the_worker_for_a_mail_and_shows_no_link(
        self, deployed: Deployed, member: dict[str, Any], signed_in: SignedIn, database: Database
    ) -> None:
        with_mail = deployed(smtp_url="smtp://localhost:1", mail_from="hello@river.example.org").http.application
        response = signed_in(member, with_mail).post(NEW, GOOD)

        assert response.status_code == 303
        assert not LINK.search(response.text)
        request = database.staff_links.find_one({"email": "eve@example.org"})
        assert "hash" not in request

    def test_is_an_event_with_ids_only(self, ada: StaffBrowser, store: Store, database: Database) -> None:
        ada.post(NEW, GOOD)

        event = latest_events(store, 1)[0]
        assert event["action"] == "add_staff"
        assert f"staff/{database.staff.find_one({'email': 'eve@example.org'})['_id']}" in event["ids"]
        assert "eve" not in str(event).casefold()

    @pytest.mark.parametrize(
        ("fields", "message"),
        [
            ({"email": "eve"}, "Enter an e-mail address such as ada@example.org."),
            ({"email": "ADA@example.org"}, "ada@example.org is a staff member already."),
            ({"name": "x" * 101}, "Use at most 100 printable characters."),
            ({"scopes": ""}, "Choose at least one of read, write, admin."),
            ({"scopes": "owner"}, "Choose at least one of read, write, admin."),
            ({"person_id": "none"}, "No person has the id"),
            ({"advocacy_campaign_id": "none"}, "No advocacy campaign has the id"),
        ],
        ids=["address", "known", "name", "no scope", "unknown scope", "person", "campaign"],
    )
    def test_keeps_what_was_typed_if_a_value_is_wrong(
        self, ada: StaffBrowser, database: Database, fields: dict[str, str], message: str
    ) -> None:
        response = ada.post(NEW, GOOD | fields)

        assert response.status_code == 422
        assert message in response.text
        assert f'value="{(GOOD | fields)["email"]}"' in response.text
        assert database.staff.count_documents({}) == 1


def test_disabling_asks_first_and_ends_all_sessions(
    ada: StaffBrowser, signed_in: SignedIn, eve: dict[str, Any]
) -> None:
    hers = signed_in(eve)
    address = f"{LIST}/{eve['_id']}/disable"

    assert "Disable Eve?" in ada.get(address).text
    assert hers.get("/staff").status_code == 200
    ada.post(address)

    assert hers.get("/staff").status_code == 303
    assert "disabled" in ada.get(LIST).text


def test_an_enabled_member_may_sign_in_again(
    ada: StaffBrowser, signed_in: SignedIn, store: Store, eve: dict[str, Any]
) -> None:
    set_disabled(store, eve["_id"], disabled=True)

    assert ada.post(f"{LIST}/{eve['_id']}/link").status_code == 409
    ada.post(f"{LIST}/{eve['_id']}/enable")

    assert signed_in(eve).get("/staff").status_code == 200


def test_nobody_disables_the_own_account(ada: StaffBrowser, member: dict[str, Any]) -> None:
    assert ada.post(f"{LIST}/{member['_id']}/disable").status_code == 409
    assert ada.get("/staff").status_code == 200
    assert f"{member['_id']}/disable" not in ada.get(LIST).text


def test_a_member_is_signed_out_everywhere(
    ada: StaffBrowser, signed_in: SignedIn, store: Store, eve: dict[str, Any]
) -> None:
    browsers = [signed_in(eve), signed_in(eve)]

    ada.post(f"{LIST}/{eve['_id']}/sign-out")

    assert [each.get("/staff").status_code for each in browsers] == [303, 303]
    assert ada.get("/staff").status_code == 200
    assert eve["_id"] in latest_events(store, 1)[0]["ids"][0]


@pytest.mark.parametrize("act", ["link", "disable", "enable", "sign-out"])
def test_an_unknown_member_is_a_404(ada: StaffBrowser, act: str) -> None:
    assert ada.post(f"{LIST}/none/{act}").status_code == 404
    assert ada.post(f"{LIST}/ada@example.org/{act}").status_code == 404


@pytest.mark.usefixtures("not_fresh")
@pytest.mark.parametrize("act", ["link", "disable", "enable", "sign-out"])
def test_an_old_sign_in_changes_no_member(ada: StaffBrowser, database: Database, eve: dict[str, Any], act: str) -> None:
    before = list(database.staff.find()), database.staff_links.count_documents({})

    assert ada.post(f"{LIST}/{eve['_id']}/{act}").status_code == 403
    assert (list(database.staff.find()), database.staff_links.count_documents({})) == before
