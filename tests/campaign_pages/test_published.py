"""The slug of a page: made from the title, unique, decided by the database, and kept for old links."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from flask import Flask
from pymongo.database import Database

from app import create_app
from blueprints.http.context import EXTENSION
from osdi.campaign_pages.published import PageMoved, find_page
from osdi.crud.reference_cache import Reference
from osdi.errors import OsdiError
from osdi.settings import Settings
from osdi.store import Store
from tests.support import factories
from tests.support.client import Client


def campaign(api: Client, **fields: Any) -> str:
    """Creates a campaign; returns the path of its page settings."""
    created = api.created("/advocacy_campaigns", {"title": "Save the river", **fields})
    return str(created["_links"]["osdi_outreach:page"]["href"])


def put(api: Client, path: str, **settings: Any) -> dict[str, Any]:
    response = api.put(path, settings)
    assert response.status_code == 200, response.get_data(as_text=True)
    return dict(response.json)


@pytest.fixture
def reference(store: Store) -> Reference:
    return Reference(store, cache_seconds=0)


class TestMadeFromTheTitle:
    @pytest.mark.parametrize(
        ("fields", "slug"),
        [
            ({"title": "Rettet den Fluß"}, "rettet-den-fluss"),
            ({"title": "", "name": "river 2026"}, "river-2026"),
            ({"title": "Спасём реку"}, "campaign"),
            ({"title": "Confirm"}, "campaign-confirm"),
        ],
    )
    def test_a_page_that_is_published_without_slug_gets_one(
        self, api: Client, fields: dict[str, Any], slug: str
    ) -> None:
        assert put(api, campaign(api, **fields), published=True)["slug"] == slug

    def test_a_draft_has_none(self, api: Client) -> None:
        assert put(api, campaign(api), goal=100)["slug"] is None

    def test_a_new_title_does_not_change_it(self, api: Client) -> None:
        path = campaign(api)
        put(api, path, published=True)

        api.put(path.removesuffix("/page"), {"title": "Another title"})

        assert api.get(path).json["slug"] == "save-the-river"

    def test_null_makes_it_anew_from_the_present_title(self, api: Client) -> None:
        path = campaign(api)
        put(api, path, published=True)
        api.put(path.removesuffix("/page"), {"title": "Another title"})

        assert put(api, path, slug=None)["slug"] == "another-title"

    def test_equal_titles_get_numbers(self, api: Client) -> None:
        slugs = [put(api, campaign(api), published=True)["slug"] for _ in range(3)]

        assert slugs == ["save-the-river", "save-the-river-2", "save-the-river-3"]

    def test_there_are_more_numbers_than_are_looked_up_at_once(self, api: Client, database: Database) -> None:
        taken = ["slug:save-the-river", *(f"slug:save-the-river-{number}" for number in range(2, 45))]
        other = campaign(api).removesuffix("/page").rsplit("/", 1)[1]
        database.advocacy_campaigns.update_one({"_id": other}, {"$push": {"match_keys": {"$each": taken}}})

        assert put(api, campaign(api), published=True)["slug"] == "save-the-river-45"

    def test_simultaneous_publications_of_equal_titles_get_different_slugs(self, api: Client, app: Flask) -> None:
        paths = [campaign(api) for _ in range(8)]

        def publish(path: str) -> Any:
            return put(Client(app.test_client(), api.token), path, published=True)["slug"]

        with ThreadPoolExecutor(len(paths)) as threads:
            slugs = list(threads.map(publish, paths))

        assert sorted(slugs) == ["save-the-river", *(f"save-the-river-{number}" for number in range(2, 9))]

    def test_a_publication_that_loses_the_race_takes_the_next_number(
        self, api: Client, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        first, second = campaign(api), campaign(api)
        read, once = Store.by_match_keys, iter([True])

        def late(store: Store, collection: str, keys: Any) -> Any:
            found = read(store, collection, keys)
            if "slug:save-the-river" in keys and next(once, False):
                put(api, first, published=True)  # between the look-up of the second and its write
            return found

        monkeypatch.setattr(Store, "by_match_keys", late)

        assert put(api, second, published=True)["slug"] == "save-the-river-2"
        assert api.get(first).json["slug"] == "save-the-river"


class TestChosen:
    def test_a_draft_reserves_its_slug(self, api: Client) -> None:
        put(api, campaign(api), slug="river")

        response = api.put(campaign(api), {"slug": "river", "goal": 5})

        assert response.status_code == 409
        described = response.json["osdi:error"]["resource_status"][0]["error_descriptions"][0]
        assert (described["error_code"], described["properties"]) == ("SLUG_EXISTS", ["slug"])

    def test_a_rejected_slug_changes_nothing(self, api: Client) -> None:
        put(api, campaign(api), slug="river")
        path = campaign(api)
        before = api.get(path).json

        api.put(path, {"slug": "river", "goal": 5})

        assert api.get(path).json == before

    def test_of_two_that_name_it_at_once_one_is_rejected(self, api: Client, app: Flask) -> None:
        paths = [campaign(api) for _ in range(6)]

        def name(path: str) -> int:
            return Client(app.test_client(), api.token).put(path, {"slug": "river"}).status_code

        with ThreadPoolExecutor(len(paths)) as threads:
            assert sorted(threads.map(name, paths)) == [200, *[409] * 5]

    def test_a_former_slug_stays_with_its_campaign(self, api: Client) -> None:
        path, other = campaign(api), campaign(api)
        put(api, path, slug="river", published=True)
        put(api, path, slug="stream")

        assert api.put(other, {"slug": "river"}).status_code == 409
        assert put(api, path, slug="river")["slug"] == "river"

    def test_a_deleted_campaign_frees_its_slugs(self, api: Client) -> None:
        path, other = campaign(api), campaign(api)
        put(api, path, slug="river", published=True)
        put(api, path, slug="stream")

        assert api.delete(path.removesuffix("/page")).status_code == 200

        assert [put(api, other, slug=slug)["slug"] for slug in ("river", "stream")] == ["river", "stream"]

    def test_an_identifier_that_looks_like_a_slug_is_another_key(self, api: Client) -> None:
        put(api, campaign(api, identifiers=["slug:river"]), slug="stream")

        assert put(api, campaign(api), slug="river")["slug"] == "river"

    def test_a_post_that_merges_into_the_campaign_keeps_it(self, api: Client, reference: Reference) -> None:
        put(api, campaign(api, identifiers=["crm:1"]), slug="river", published=True)

        campaign(api, identifiers=["crm:1", "crm:2"], title="New title")

        assert find_page(reference, "river").campaign["title"] == "New title"

    def test_a_put_of_identifiers_keeps_present_and_former_slugs(self, api: Client, reference: Reference) -> None:
        path = campaign(api)
        put(api, path, slug="river", published=True)
        put(api, path, slug="stream")

        api.put(path.removesuffix("/page"), {"identifiers": ["crm:9"]})

        assert find_page(reference, "stream").campaign["identifiers"] == ["crm:9"]
        with pytest.raises(PageMoved):
            find_page(reference, "river")


class TestFound:
    def test_a_published_page_is_found_by_its_slug(self, api: Client, reference: Reference) -> None:
        put(api, campaign(api), published=True, goal=5)

        page = find_page(reference, "save-the-river")

        assert (page.campaign["title"], page.settings.goal, page.slug) == ("Save the river", 5, "save-the-river")

    @pytest.mark.parametrize("slug", ["first", "second", "Third", "FIRST"])
    def test_former_slugs_and_other_letter_cases_lead_to_the_present_one(
        self, api: Client, reference: Reference, slug: str
    ) -> None:
        path = campaign(api)
        for each in ("first", "second", "third"):
            put(api, path, published=True, slug=each)

        with pytest.raises(PageMoved) as moved:
            find_page(reference, slug)

        assert moved.value.slug == "third"

    @pytest.mark.parametrize("slug", ["unknown", "draft", "former", "withdrawn", "", "a" * 5_000, "\x00", "slug:draft"])
    def test_unknown_and_unpublished_pages_are_the_same_error(
        self, api: Client, reference: Reference, slug: str
    ) -> None:
        draft, withdrawn = campaign(api), campaign(api)
        put(api, draft, slug="former")
        put(api, draft, slug="draft")
        put(api, withdrawn, slug="withdrawn", published=True)
        put(api, withdrawn, published=False)

        with pytest.raises(OsdiError) as error:
            find_page(reference, slug)

        assert (error.value.status, str(error.value)) == (404, "There is no such page.")

    def test_the_look_up_is_cached(self, api: Client, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
        put(api, campaign(api), published=True)
        reference = Reference(store, cache_seconds=60)
        first = find_page(reference, "save-the-river")
        for name in ("by_match_keys", "by_ids"):
            monkeypatch.setattr(Store, name, lambda *_: pytest.fail("the database was read"))

        assert find_page(reference, "save-the-river").campaign is first.campaign

    def test_this_process_forgets_a_changed_page_at_once(
        self, settings: Settings, api: Client, caching: Client
    ) -> None:
        path = campaign(api)
        put(caching, path, published=True)
        assert caching.http.get("/act/save-the-river").status_code == 200

        put(caching, path, slug="river")
        assert caching.http.get("/act/save-the-river").headers["Location"] == "/act/river"

        put(caching, path, published=False)
        assert caching.http.get("/act/river").status_code == 404

    @pytest.fixture
    def caching(self, settings: Settings, api: Client) -> Iterator[Client]:
        """A client of an application that caches campaigns."""
        app = create_app(Settings(mongodb_uri=settings.mongodb_uri, cache_seconds=60, **factories.UNLIMITED))
        yield Client(app.test_client(), api.token)
        app.extensions[EXTENSION].store.close()


class TestRedirect:
    @pytest.fixture
    def moved(self, api: Client) -> Callable[..., Any]:
        path = campaign(api)
        put(api, path, published=True, slug="river")
        put(api, path, slug="stream")
        return api.http.open

    @pytest.mark.parametrize(
        ("address", "location"),
        [
            ("/act/river", "/act/stream"),
            ("/act/River", "/act/stream"),
            ("/act/STREAM", "/act/stream"),
            ("/act/river/embed", "/act/stream/embed"),
            ("/act/river?source=mail&utm_medium=a%20b", "/act/stream?source=mail&utm_medium=a%20b"),
            (
                "/act/river?_external=1&_scheme=javascript&_anchor=x",
                "/act/stream?_external=1&_scheme=javascript&_anchor=x",
            ),
            ("/act/river?slug=evil", "/act/stream?slug=evil"),
        ],
    )
    def test_a_former_slug_leads_to_the_same_address_below_the_present_one(
        self, moved: Callable[..., Any], address: str, location: str
    ) -> None:
        response = moved(address)

        assert (response.status_code, response.headers["Location"]) == (301, location)
        assert moved(response.headers["Location"]).status_code == 200

    def test_a_form_that_is_posted_to_a_former_slug_is_posted_again(self, moved: Callable[..., Any]) -> None:
        response = moved("/act/river", method="POST", data={"person.email_address": "jane@example.com"})

        assert (response.status_code, response.headers["Location"]) == (308, "/act/stream")
