"""A token's way through a request: where it is read, what its scopes let it do, and that it is never told again."""

from urllib.parse import quote

import pytest
from flask import Flask
from pymongo.database import Database
from werkzeug.test import TestResponse

from osdi.store import Store
from tests.support import factories
from tests.support.client import Client

READ_ME = "/api/v1/people?per_page=1"
HEADER = "OSDI-API-Token"


@pytest.mark.parametrize(("scope", "reads", "writes"), [("read", 200, 403), ("write", 403, 200), ("admin", 200, 200)])
def test_a_token_does_what_its_scope_says(
    api: Client, store: Store, database: Database, scope: str, reads: int, writes: int
) -> None:
    token = factories.token(store, scopes=[scope])

    assert api.get("/people", token=token).status_code == reads
    assert api.record(factories.outreach(), token=token).status_code == writes
    assert database.outreaches.count_documents({}) == (writes == 200)


class TestATokenOfAPerson:
    """What the holder of a token creates and changes says whose token it was."""

    def test_is_named_as_creator_and_last_editor(self, app: Flask, api: Client, store: Store) -> None:
        editor = api.recorded(factories.outreach())["_links"]["osdi:person"]["href"]
        token = factories.token(store, person_id=editor.rsplit("/", 1)[1])
        other = Client(app.test_client(), token)

        tag = other.created("/tags", {"name": "one"})
        person = other.created("/people", factories.person())
        mine = api.created("/lists", {"name": "two"})
        changed = other.put(mine["_links"]["self"]["href"], {"title": "Two"}).json

        assert tag["_links"]["osdi:creator"]["href"] == tag["_links"]["osdi:modified_by"]["href"] == editor
        assert person["_links"]["osdi:modified_by"]["href"] == editor
        assert "osdi:creator" not in mine["_links"]
        assert changed["_links"]["osdi:modified_by"]["href"] == editor
        assert api.follow(changed, "osdi:modified_by")["_links"]["self"]["href"] == editor
        for relation in (*tag["_links"], *person["_links"]):
            if relation.startswith("osdi:"):
                assert api.http.get(f"/docs/v1/{relation.removeprefix('osdi:')}").status_code == 200, relation


class TestWhereATokenIsRead:
    """In the header, or in the address by a name in any letter case."""

    @pytest.mark.parametrize("name", ["osdi-api-token", "OSDI-API-Token", "OSDI-API-TOKEN", "oSdI-ApI-tOkEn"])
    def test_in_the_address_by_a_name_in_any_case(self, api: Client, name: str) -> None:
        assert api.http.get(f"{READ_ME}&{name}={api.token}").status_code == 200

    def test_in_both_where_they_agree(self, api: Client) -> None:
        assert api.get(f"/people?osdi-api-token={api.token}").status_code == 200

    @pytest.mark.parametrize("header", ["", "osdi_other"])
    def test_not_where_they_disagree(self, api: Client, header: str) -> None:
        response = api.http.get(f"{READ_ME}&osdi-api-token={api.token}", headers={HEADER: header})

        assert response.status_code == 401
        assert "More than one token" in response.json["error"]

    @pytest.mark.parametrize("second", ["{token}", "osdi_other", ""])
    @pytest.mark.parametrize("name", ["osdi-api-token", "OSDI-API-TOKEN"])
    def test_not_twice_in_the_address(self, api: Client, name: str, second: str) -> None:
        twice = f"osdi-api-token={api.token}&{name}={second.format(token=api.token)}"

        assert api.http.get(f"{READ_ME}&{twice}").status_code == 401

    def test_not_twice_in_the_header(self, api: Client) -> None:
        sent = [(HEADER, api.token), (HEADER, api.token)]

        assert api.http.get(READ_ME, headers=sent).status_code == 401

    NOT_TOKENS = {
        "empty": "",
        "space": " ",
        "the prefix alone": "osdi_",
        "NUL": "\x00",
        "a valid one and NUL": "{token}\x00",
        "a valid one and a space": "{token} ",
        "a valid one in capitals": "{TOKEN}",
        "not ASCII": "osdi_\u00e9\u00ff",
        "a query of MongoDB": '{{"$ne": null}}',
        "long": "osdi_" + "x" * 196,
        "very long": "osdi_" + "x" * 50_000,
    }

    @pytest.mark.parametrize("wrong", NOT_TOKENS.values(), ids=NOT_TOKENS)
    @pytest.mark.parametrize("place", ["header", "query"])
    @pytest.mark.parametrize("path", ["/people", "/", "/advocacy_campaigns/x/record_outreach_helper"])
    def test_anything_else_is_401_and_says_how_to_come(self, api: Client, path: str, place: str, wrong: str) -> None:
        secret = wrong.format(token=api.token, TOKEN=api.token.upper())
        method = "POST" if path.endswith("helper") else "GET"
        if place == "header":
            environ = {"HTTP_OSDI_API_TOKEN": secret}
            response = api.http.open(f"/api/v1{path}", method=method, environ_overrides=environ)
        else:
            response = api.http.open(f"/api/v1{path}?osdi-api-token={quote(secret)}", method=method)

        assert response.status_code == 401
        assert response.headers["WWW-Authenticate"].startswith("OSDI-API-Token")
        assert response.json["osdi:error"]["response_code"] == 401

    @pytest.mark.parametrize("raw", ["%ff", "%ed%a0%80", "%", "%zz", "osdi_%00%ff"])
    def test_bytes_that_are_no_text_are_401(self, api: Client, raw: str) -> None:
        assert api.http.get(f"{READ_ME}&osdi-api-token={raw}").status_code == 401

    def test_none_is_401_where_one_is_needed(self, api: Client) -> None:
        response = api.get("/people", token=False)

        assert response.status_code == 401
        assert response.headers["WWW-Authenticate"].startswith("OSDI-API-Token")

    def test_a_missing_scope_is_named(self, api: Client, store: Store) -> None:
        response = api.record(factories.outreach(), token=factories.token(store, scopes=["read"]))

        assert response.status_code == 403
        assert "'write'" in response.json["error"]


class TestATokenInTheAddress:
    """Is never told again: not in a link, a refusal, a header or a line of the log."""

    def told(self, response: TestResponse) -> str:
        return response.get_data(as_text=True) + str(response.headers)

    @pytest.mark.parametrize("name", ["osdi-api-token", "OSDI-API-TOKEN"])
    def test_is_in_no_link_of_a_collection(self, api: Client, noise: list[dict], name: str) -> None:
        people = api.http.get(f"{READ_ME}&{name}={api.token}&$expand=osdi:outreaches")
        assert {"self", "next"} <= set(people.json["_links"])
        after = people.json["_links"]["next"]["href"]
        second = api.http.get(f"{after}&{name}={api.token}")
        assert {"self", "next", "previous"} <= set(second.json["_links"])

        assert api.token not in self.told(people) + self.told(second)

    REFUSED = {
        "GET /people?page=x": 400,
        "GET /people?filter=nonsense": 400,
        "GET /people?$expand=osdi:nothing": 400,
        "POST /tags": 400,
        "GET /people/none": 404,
        "GET /nothing": 404,
        "PATCH /people": 405,
        "GET /people?OSDI-api-TOKEN=another": 401,
    }

    @pytest.mark.parametrize(("request_line", "status"), REFUSED.items())
    def test_is_in_no_refusal(self, api: Client, request_line: str, status: int) -> None:
        method, _, path = request_line.partition(" ")
        joint = "&" if "?" in path else "?"

        response = api.http.open(f"/api/v1{path}{joint}osdi-api-token={api.token}", method=method)

        assert response.status_code == status
        assert api.token not in self.told(response)

    def test_is_in_no_line_of_the_log_of_a_failure(
        self, api: Client, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
    ) -> None:
        def fail(*_: object) -> None:
            raise ArithmeticError(f"of {api.token}")

        monkeypatch.setattr("blueprints.outreaches.get_or_404", fail)
        address = f"/api/v1/advocacy_campaigns/{api.campaign_id}/outreaches?osdi-api-token={api.token}"
        capfd.readouterr()

        response = api.http.get(address)

        logged = "".join(capfd.readouterr())
        assert response.status_code == 500
        assert "ArithmeticError" in logged
        assert api.token not in logged + self.told(response)
