"""Authentication by a token in the header or the query, its scopes, and that no response or log line repeats it."""

from urllib.parse import quote

import pytest
from flask import Flask
from pymongo.database import Database
from werkzeug.test import TestResponse

from osdi.store import Store
from tests.support import factories
from tests.support.client import Client

PEOPLE_PATH = "/api/v1/people?per_page=1"
HEADER = "OSDI-API-Token"


@pytest.mark.parametrize(("scope", "reads", "writes"), [("read", 200, 403), ("write", 403, 200), ("admin", 200, 200)])
def test_a_scope_allows_its_requests_only(
    api: Client, store: Store, database: Database, scope: str, reads: int, writes: int
) -> None:
    token = factories.token(store, scopes=[scope])

    assert api.get("/people", token=token).status_code == reads
    assert api.record(factories.outreach(), token=token).status_code == writes
    assert database.outreaches.count_documents({}) == (writes == 200)


class TestTokenOfAPerson:
    """Resources link the person whose token created or changed them."""

    def test_the_person_is_linked_as_creator_and_last_editor(self, app: Flask, api: Client, store: Store) -> None:
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


class TestTokenInHeaderOrQuery:
    """The token is read from the header, or from the query by a name in any letter case."""

    @pytest.mark.parametrize("name", ["osdi-api-token", "OSDI-API-Token", "OSDI-API-TOKEN", "oSdI-ApI-tOkEn"])
    def test_the_query_parameter_is_read_in_any_letter_case(self, api: Client, name: str) -> None:
        assert api.http.get(f"{PEOPLE_PATH}&{name}={api.token}").status_code == 200

    def test_the_same_token_in_both_is_accepted(self, api: Client) -> None:
        assert api.get(f"/people?osdi-api-token={api.token}").status_code == 200

    @pytest.mark.parametrize("header", ["", "osdi_other"])
    def test_different_tokens_in_both_are_rejected(self, api: Client, header: str) -> None:
        response = api.http.get(f"{PEOPLE_PATH}&osdi-api-token={api.token}", headers={HEADER: header})

        assert response.status_code == 401
        assert "More than one token" in response.json["error"]

    @pytest.mark.parametrize("second", ["{token}", "osdi_other", ""])
    @pytest.mark.parametrize("name", ["osdi-api-token", "OSDI-API-TOKEN"])
    def test_two_query_parameters_are_rejected(self, api: Client, name: str, second: str) -> None:
        twice = f"osdi-api-token={api.token}&{name}={second.format(token=api.token)}"

        assert api.http.get(f"{PEOPLE_PATH}&{twice}").status_code == 401

    def test_two_headers_are_rejected(self, api: Client) -> None:
        sent = [(HEADER, api.token), (HEADER, api.token)]

        assert api.http.get(PEOPLE_PATH, headers=sent).status_code == 401

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

    @pytest.mark.one_in(5)
    @pytest.mark.parametrize("wrong", NOT_TOKENS.values(), ids=NOT_TOKENS)
    @pytest.mark.parametrize("place", ["header", "query"])
    @pytest.mark.parametrize("path", ["/people", "/", "/advocacy_campaigns/x/record_outreach_helper"])
    def test_an_invalid_token_is_401_and_names_the_header(self, api: Client, path: str, place: str, wrong: str) -> None:
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
    def test_an_invalid_encoding_is_401(self, api: Client, raw: str) -> None:
        assert api.http.get(f"{PEOPLE_PATH}&osdi-api-token={raw}").status_code == 401

    def test_a_missing_token_is_401(self, api: Client) -> None:
        response = api.get("/people", token=False)

        assert response.status_code == 401
        assert response.headers["WWW-Authenticate"].startswith("OSDI-API-Token")

    def test_the_error_names_the_missing_scope(self, api: Client, store: Store) -> None:
        response = api.record(factories.outreach(), token=factories.token(store, scopes=["read"]))

        assert response.status_code == 403
        assert "'write'" in response.json["error"]


class TestTokenInTheAddressIsNeverRepeated:
    """A token in the query is not repeated in a link, an error response, a header or the log."""

    def text_of(self, response: TestResponse) -> str:
        return response.get_data(as_text=True) + str(response.headers)

    @pytest.mark.parametrize("name", ["osdi-api-token", "OSDI-API-TOKEN"])
    def test_links_of_a_collection_do_not_contain_the_token(self, api: Client, noise: list[dict], name: str) -> None:
        people = api.http.get(f"{PEOPLE_PATH}&{name}={api.token}&$expand=osdi:outreaches")
        assert {"self", "next"} <= set(people.json["_links"])
        after = people.json["_links"]["next"]["href"]
        second = api.http.get(f"{after}&{name}={api.token}")
        assert {"self", "next", "previous"} <= set(second.json["_links"])

        assert api.token not in self.text_of(people) + self.text_of(second)

    ERRORS = {
        "GET /people?page=x": 400,
        "GET /people?filter=nonsense": 400,
        "GET /people?$expand=osdi:nothing": 400,
        "POST /tags": 400,
        "GET /people/none": 404,
        "GET /nothing": 404,
        "PATCH /people": 405,
        "GET /people?OSDI-api-TOKEN=another": 401,
    }

    @pytest.mark.parametrize(("request_line", "status"), ERRORS.items())
    def test_error_responses_do_not_contain_the_token(self, api: Client, request_line: str, status: int) -> None:
        method, _, path = request_line.partition(" ")
        joint = "&" if "?" in path else "?"

        response = api.http.open(f"/api/v1{path}{joint}osdi-api-token={api.token}", method=method)

        assert response.status_code == status
        assert api.token not in self.text_of(response)

    def test_the_log_of_a_failure_does_not_contain_the_token(
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
        assert api.token not in logged + self.text_of(response)
