"""Tokens on the settings pages: created, rotated and revoked there, they open and close the API."""

import re

import pytest
from pymongo.database import Database

from osdi.access.tokens import token_hash
from osdi.store import Store
from tests.staff.conftest import StaffBrowser, latest_events
from tests.support.client import Client

SECRET = re.compile(r"osdi_[A-Za-z0-9_-]{43}")
NEW = "/staff/settings/tokens/new"
GOOD = {"name": "newsletter", "scopes": "read"}


def secret_in(page: str) -> str:
    (found,) = SECRET.findall(page)
    return str(found)


def newest(database: Database) -> str:
    return str(database.tokens.find_one({"name": "newsletter"}, sort=[("_id", -1)])["_id"])


class TestCreating:
    def test_shows_the_secret_once_in_a_response_that_no_cache_stores(
        self, ada: StaffBrowser, api: Client, database: Database
    ) -> None:
        response = ada.post(NEW, GOOD)

        secret = secret_in(response.text)
        assert response.status_code == 200
        assert response.headers["Cache-Control"] == "no-store"
        assert database.tokens.find_one({"name": "newsletter"})["hash"] == token_hash(secret)
        assert api.get("/people", token=secret).status_code == 200
        assert secret not in ada.get("/staff/settings/tokens").text

    def test_is_an_event_with_the_id_and_without_the_secret(
        self, ada: StaffBrowser, store: Store, database: Database
    ) -> None:
        secret = secret_in(ada.post(NEW, GOOD).text)

        event = latest_events(store, 1)[0]
        assert (event["action"], event["ids"]) == ("create_api_token", [f"tokens/{newest(database)}"])
        assert secret not in str(event)

    def test_binds_the_token_to_a_campaign(self, ada: StaffBrowser, api: Client) -> None:
        secret = secret_in(ada.post(NEW, {**GOOD, "advocacy_campaign_id": api.campaign_id}).text)

        assert api.get("/people", token=secret).status_code == 403
        assert api.get(f"/advocacy_campaigns/{api.campaign_id}", token=secret).status_code == 200

    @pytest.mark.parametrize(
        ("fields", "message"),
        [
            ({"name": ""}, "Use 1 to 100 printable characters."),
            ({"name": "x" * 101}, "Use 1 to 100 printable characters."),
            ({"name": "a\x1b[2J"}, "Use 1 to 100 printable characters."),
            ({"scopes": ""}, "Choose at least one of read, write, admin."),
            ({"scopes": "root"}, "Choose at least one of read, write, admin."),
            ({"person_id": "<b>none</b>"}, "No person has the id &#39;&lt;b&gt;none&lt;/b&gt;&#39;."),
            ({"advocacy_campaign_id": "none"}, "No advocacy campaign has the id &#39;none&#39;."),
        ],
        ids=["no name", "long name", "control character", "no scope", "unknown scope", "no person", "no campaign"],
    )
    def test_keeps_what_was_typed_if_a_value_is_wrong(
        self, ada: StaffBrowser, database: Database, fields: dict[str, str], message: str
    ) -> None:
        before = database.tokens.count_documents({})

        response = ada.post(NEW, {**GOOD, "person_id": "", **fields})

        assert response.status_code == 422
        assert message in response.text
        assert 'role="alert"' in response.text
        assert database.tokens.count_documents({}) == before
        if "name" not in fields:
            assert 'value="newsletter"' in response.text


class TestRotating:
    @pytest.mark.parametrize(("hours", "former"), [("0", 401), ("1", 200)])
    def test_shows_a_new_secret_and_ends_the_old_one_after_the_hours(
        self, ada: StaffBrowser, api: Client, database: Database, hours: str, former: int
    ) -> None:
        old = secret_in(ada.post(NEW, GOOD).text)

        response = ada.post(f"/staff/settings/tokens/{newest(database)}/rotate", {"hours": hours})

        assert api.get("/people", token=secret_in(response.text)).status_code == 200
        assert api.get("/people", token=old).status_code == former

    @pytest.mark.parametrize("hours", ["-1", "8785", "", "a", "1.5", "٣٣٣٣٣٣"])
    def test_rejects_another_number_of_hours(
        self, ada: StaffBrowser, api: Client, database: Database, hours: str
    ) -> None:
        old = secret_in(ada.post(NEW, GOOD).text)

        response = ada.post(f"/staff/settings/tokens/{newest(database)}/rotate", {"hours": hours})

        assert response.status_code == 422
        assert "Enter a number from 0 to 8784." in response.text
        assert api.get("/people", token=old).status_code == 200


def test_revoking_asks_first_and_then_ends_the_token(ada: StaffBrowser, api: Client, database: Database) -> None:
    secret = secret_in(ada.post(NEW, GOOD).text)
    address = f"/staff/settings/tokens/{newest(database)}/revoke"

    assert "Revoke newsletter" in ada.get(address).text
    assert api.get("/people", token=secret).status_code == 200
    response = ada.post(address)

    assert "The token is revoked." in ada.get(response.headers["Location"]).text
    assert api.get("/people", token=secret).status_code == 401


def test_the_list_names_scopes_campaign_and_last_use(
    ada: StaffBrowser, api: Client, database: Database, store: Store
) -> None:
    ada.post(NEW, {**GOOD, "name": "<b>crm</b>", "advocacy_campaign_id": api.campaign_id})
    ada.post(NEW, {**GOOD, "name": "lost"})
    database.tokens.update_one({"name": "lost"}, {"$set": {"advocacy_campaign_id": "gone"}})

    page = ada.get("/staff/settings/tokens").text

    assert "&lt;b&gt;crm&lt;/b&gt;" in page
    assert "gone (deleted)" in page
    assert "never" in page


@pytest.mark.parametrize("act", ["rotate", "revoke"])
@pytest.mark.parametrize("token_id", ["none", "$where", "%00"])
def test_an_unknown_token_is_a_404(ada: StaffBrowser, act: str, token_id: str) -> None:
    assert ada.get(f"/staff/settings/tokens/{token_id}/{act}").status_code == 404


@pytest.mark.usefixtures("not_fresh")
class TestAnOldSignIn:
    def test_reads_the_list(self, ada: StaffBrowser) -> None:
        assert ada.get("/staff/settings/tokens").status_code == 200

    def test_creates_no_token_and_keeps_the_form(self, ada: StaffBrowser, database: Database) -> None:
        before = database.tokens.count_documents({})

        assert ada.get(NEW).headers["Location"].startswith("/staff/confirm")
        response = ada.post(NEW, GOOD)

        assert response.status_code == 403
        assert "newsletter" in response.text
        assert database.tokens.count_documents({}) == before
