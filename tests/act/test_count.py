"""`/act/{slug}.json`, the public count for other sites, and the count on the page itself."""

import datetime as dt
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask import Flask

from app import create_app
from blueprints.http.context import EXTENSION
from osdi.settings import Settings
from osdi.store import Store
from tests.fixtures.campaign_pages import CampaignPage
from tests.fixtures.deployed import Deployed
from tests.support import factories
from tests.support.client import Client

Publish = Callable[..., CampaignPage]


def record(api: Client, page: CampaignPage, times: int) -> None:
    for number in range(times):
        api.recorded(factories.outreach(identifiers=[f"crm:{number}"]), campaign=page.campaign["_id"])


def test_it_has_title_count_goal_address_and_state(publish: Publish, api: Client) -> None:
    page = publish({"goal": 2_000}, title="Save the <river>")
    record(api, page, 2)

    response = page.get(".json")

    assert response.status_code == 200
    assert response.content_type == "application/json"
    assert response.json == {
        "title": "Save the <river>",
        "total": 2,
        "show_count_from": 25,
        "goal": 2_000,
        "url": "http://localhost/act/protect-the-river",
        "closed": False,
    }


@pytest.mark.parametrize(
    ("chosen", "name", "value"),
    [
        ({}, "goal", None),
        ({"goal": "auto"}, "goal", 100),
        ({"show_count_from": 3}, "show_count_from", 3),
        ({"closes_at": dt.datetime(2020, 1, 1)}, "closed", True),
        ({"closes_at": dt.datetime(2999, 1, 1)}, "closed", False),
    ],
)
def test_a_setting_of_the_page_is_in_it(publish: Publish, chosen: dict[str, Any], name: str, value: Any) -> None:
    assert publish(chosen).get(".json").json[name] == value


def test_a_campaign_that_rejects_anonymous_posts_is_closed(publish: Publish) -> None:
    assert publish(anonymous_posts={"enabled": False}).get(".json").json["closed"] is True


def test_any_site_may_read_it_and_keep_it_for_seconds(publish: Publish) -> None:
    response = publish().get(".json", headers={"Origin": "https://elsewhere.example"})

    assert response.headers["Access-Control-Allow-Origin"] == "*"
    assert response.headers["Cache-Control"] == "private, max-age=10", "the address in it has the host of the request"
    assert "Access-Control-Allow-Credentials" not in response.headers
    assert "Set-Cookie" not in response.headers
    assert "Vary" not in response.headers


def test_proxies_may_keep_it_where_public_url_names_the_host(publish: Publish, deployed: Deployed) -> None:
    page = publish()

    response = deployed(public_url="https://osdi.example.org").http.get(f"{page.path}.json")

    assert response.headers["Cache-Control"] == "public, max-age=10"


def test_any_site_may_read_it_although_the_api_is_for_one_site(settings: Settings, publish: Publish) -> None:
    page = publish()
    app = create_app(
        Settings(mongodb_uri=settings.mongodb_uri, cors_origins=("https://example.org",), **factories.UNLIMITED)
    )
    headers = {"Origin": "https://elsewhere.example"}
    preflight = {
        **headers,
        "Access-Control-Request-Method": "GET",
        "Access-Control-Request-Headers": "X-Requested-With",
    }

    with app.test_client() as http:
        assert http.get(f"{page.path}.json", headers=headers).headers["Access-Control-Allow-Origin"] == "*"
        assert http.options(f"{page.path}.json", headers=preflight).headers["Access-Control-Allow-Origin"] == "*"
        assert "Access-Control-Allow-Origin" not in http.get("/api/v1/", headers=headers).headers
    app.extensions[EXTENSION].store.close()


def test_a_client_that_has_it_gets_304_until_it_changes(publish: Publish, api: Client) -> None:
    page = publish()
    entity_tag = page.get(".json").headers["ETag"]

    same = page.get(".json", headers={"If-None-Match": entity_tag})
    record(api, page, 1)
    changed = page.get(".json", headers={"If-None-Match": entity_tag})

    assert (same.status_code, same.data, same.headers["ETag"]) == (304, b"", entity_tag)
    assert same.headers["Cache-Control"] == "private, max-age=10"
    assert (changed.status_code, changed.json["total"]) == (200, 1)


def test_head_has_the_headers_only(publish: Publish) -> None:
    page = publish()

    response = page.http.head(f"{page.path}.json")

    assert (response.status_code, response.data) == (200, b"")
    assert response.headers["ETag"] == page.get(".json").headers["ETag"]


@pytest.mark.parametrize("slug", ["unknown", "draft"])
def test_an_unknown_and_a_draft_page_are_the_same_error_for_programs(publish: Publish, slug: str) -> None:
    page = publish({"published": False, "slug": "draft"})

    response = page.http.get(f"/act/{slug}.json", headers={"Origin": "https://elsewhere.example"})

    assert response.status_code == 404
    assert response.json["error"] == "There is no such page."
    assert response.headers["Access-Control-Allow-Origin"] == "*"


def test_a_former_slug_leads_to_the_present_one(api: Client) -> None:
    for slug in ("river", "stream"):
        api.put(f"/advocacy_campaigns/{api.campaign_id}/page", {"published": True, "slug": slug})

    response = api.http.get("/act/river.json", headers={"Origin": "https://elsewhere.example"})

    assert (response.status_code, response.headers["Location"]) == (301, "/act/stream.json")
    assert response.headers["Access-Control-Allow-Origin"] == "*"


@pytest.mark.parametrize("method", ["PUT", "DELETE"])
def test_it_can_only_be_read(publish: Publish, method: str) -> None:
    page = publish()

    assert page.http.open(f"{page.path}.json", method=method).status_code == 405


class TestUnderLoad:
    @pytest.fixture
    def caching(self, settings: Settings) -> Iterator[Flask]:
        app = create_app(Settings(mongodb_uri=settings.mongodb_uri, cache_seconds=60, **factories.UNLIMITED))
        yield app
        app.extensions[EXTENSION].store.close()

    def test_it_is_read_from_the_database_once_in_some_seconds(
        self, publish: Publish, api: Client, caching: Flask, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        page = publish()
        record(api, page, 1)
        http = caching.test_client()
        assert http.get(f"{page.path}.json").json["total"] == 1
        for name in ("by_match_keys", "by_ids", "operation"):
            monkeypatch.setattr(Store, name, lambda *_, **__: pytest.fail("the database was read"))

        assert http.get(f"{page.path}.json").json["total"] == 1


@pytest.mark.parametrize(
    ("times", "chosen", "text"),
    [
        (1, {"show_count_from": 1}, "People took part once."),
        (2, {"show_count_from": 1}, "People took part 2 times."),
        (2, {"show_count_from": 0, "goal": 1_500}, "People took part 2 times. The goal is 1,500."),
        (2, {"show_count_from": 0, "goal": "auto"}, "People took part 2 times. The goal is 100."),
        (2, {"show_count_from": 0, "goal": 1_500, "language": "de"}, "1.500"),
    ],
)
def test_the_page_shows_count_and_goal(
    publish: Publish, api: Client, times: int, chosen: dict[str, Any], text: str
) -> None:
    page = publish(chosen)
    record(api, page, times)

    shown = " ".join(page.soup().select_one(".count").get_text().split())

    assert text in shown


def test_the_page_shows_no_small_count(publish: Publish, api: Client) -> None:
    page = publish({"goal": 100})
    record(api, page, 3)

    assert page.soup().select(".count, progress") == []


def test_the_bar_shows_the_part_of_the_goal(publish: Publish, api: Client) -> None:
    page = publish({"goal": 4, "show_count_from": 0})
    record(api, page, 3)

    (bar,) = page.soup().select("progress")

    assert (bar["value"], bar["max"], bar["aria-label"]) == ("75", "100", "Part of the goal")
