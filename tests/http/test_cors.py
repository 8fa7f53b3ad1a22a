"""CORS: a page of another origin may post without a token. Tests of the preflight and of the readable headers."""

import pytest
from flask import Flask

from app import create_app
from blueprints.http.context import EXTENSION
from osdi.settings import Settings
from osdi.store import Store
from tests.support import factories
from tests.support.client import Client

ORIGIN = {"Origin": "https://campaign.example.org"}


HELPER_HEADERS = ("content-type", "osdi-api-token", "idempotency-key", "prefer")
# Headers that libraries for browsers add although the author of the page does not name them.
ADDED_HEADERS = ("accept", "cache-control", "pragma", "x-requested-with")


@pytest.mark.one_in(5)
@pytest.mark.parametrize(
    ("method", "path", "headers"),
    [
        ("POST", "/advocacy_campaigns/{campaign}/record_outreach_helper", HELPER_HEADERS),
        ("POST", "/people/person_signup_helper", HELPER_HEADERS),
        ("PUT", "/people/1", ("osdi-api-token", "if-match", "prefer", "content-type")),
        ("DELETE", "/people/1", ("osdi-api-token", "if-match")),
        ("GET", "/people", ("osdi-api-token",)),
        ("HEAD", "/people", ("osdi-api-token",)),
        ("HEAD", "/people/1", ("osdi-api-token",)),
    ],
)
@pytest.mark.parametrize("added", [(), *((name,) for name in ADDED_HEADERS), ADDED_HEADERS])
def test_a_preflight_allows_every_method_with_its_headers(
    api: Client, method: str, path: str, headers: tuple[str, ...], added: tuple[str, ...]
) -> None:
    requested = (*headers, *added)
    preflight = {"Access-Control-Request-Method": method, "Access-Control-Request-Headers": ",".join(requested)}
    response = api.http.options(
        f"/api/v1{path.format(campaign=api.campaign_id)}",
        headers=ORIGIN | preflight,
    )

    assert response.headers["Access-Control-Allow-Origin"] == "*"
    assert method in response.headers["Access-Control-Allow-Methods"].split(", ")
    assert set(requested) <= set(response.headers["Access-Control-Allow-Headers"].lower().split(", "))
    assert "Access-Control-Allow-Credentials" not in response.headers


def test_a_page_may_read_every_header_that_a_response_can_need(api: Client) -> None:
    response = api.get("/people", headers=dict(ORIGIN))

    exposed = response.headers["Access-Control-Expose-Headers"].lower().split(", ")
    assert set(exposed) == {
        *("allow", "content-disposition", "etag", "location", "osdi-request-id", "retry-after", "www-authenticate"),
    }


def test_the_preflight_allows_the_helper(api: Client) -> None:
    response = api.http.options(
        f"/api/v1/advocacy_campaigns/{api.campaign_id}/record_outreach_helper",
        headers=ORIGIN
        | {
            "Access-Control-Request-Method": "POST",
            "Access-Control-Request-Headers": "content-type,osdi-api-token,idempotency-key",
        },
    )

    assert response.status_code == 200
    assert response.headers["Access-Control-Allow-Origin"] == "*"
    assert "POST" in response.headers["Access-Control-Allow-Methods"]
    allowed = response.headers["Access-Control-Allow-Headers"].lower()
    assert {"content-type", "osdi-api-token", "idempotency-key"} <= set(allowed.split(", "))


@pytest.mark.parametrize(
    ("body", "campaign", "status"),
    [
        (factories.outreach(), None, 200),
        ("{", None, 400),
        (factories.outreach(), "nothing", 404),
        ("x" * 300_000, None, 413),
    ],
)
def test_every_response_can_be_read(api: Client, body: object, campaign: str | None, status: int) -> None:
    response = api.record(body, campaign=campaign, token=False, headers=dict(ORIGIN))

    assert response.status_code == status
    assert response.headers["Access-Control-Allow-Origin"] == "*"


def test_an_unexpected_error_can_be_read_too(api: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError

    monkeypatch.setattr(Store, "write", fail)
    response = api.record(factories.outreach(), token=False, headers=dict(ORIGIN))

    assert response.status_code == 500
    assert response.headers["Access-Control-Allow-Origin"] == "*"
    assert response.headers["OSDI-Request-ID"] in response.get_data(as_text=True)
    assert "OSDI-Request-ID" in response.headers["Access-Control-Expose-Headers"]


def test_an_unknown_route_can_be_read_too(api: Client) -> None:
    assert api.http.get("/api/v1/nothing", headers=ORIGIN).headers["Access-Control-Allow-Origin"] == "*"


@pytest.fixture
def listed(settings: Settings) -> Flask:
    app = create_app(Settings(mongodb_uri=settings.mongodb_uri, cors_origins=("https://campaign.example.org",)))
    yield app
    app.extensions[EXTENSION].store.close()


def test_only_listed_origins_where_a_list_is_set(api: Client, listed: Flask) -> None:
    address = f"/api/v1/advocacy_campaigns/{api.campaign_id}/record_outreach_helper"
    mine = listed.test_client().post(address, json=factories.outreach(), headers=ORIGIN)
    other = listed.test_client().post(address, json=factories.outreach(), headers={"Origin": "https://evil.example"})

    assert mine.headers["Access-Control-Allow-Origin"] == ORIGIN["Origin"]
    assert "Access-Control-Allow-Origin" not in other.headers
