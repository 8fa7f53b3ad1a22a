"""A campaign with a page in the rest of the server: representation, exports, filters, backups, deletion, statistics."""

import csv
import io
from collections.abc import Iterator
from typing import Any

import orjson
import pytest
from flask import Flask
from pymongo import MongoClient
from pymongo.database import Database

from dev.mongod import Mongod
from osdi.backup.backup import check_backup, restore_backup, write_backup
from osdi.campaign_pages.page_settings import PageSettings
from osdi.campaign_pages.published import PageMoved, find_page
from osdi.crud.reference_cache import Reference
from osdi.errors import OsdiError
from osdi.store import Store
from tests.fixtures.deployed import Deployed
from tests.support import factories
from tests.support.client import Client
from tests.support.factories import RULES

OURS = "http://localhost/act/river"
FOREIGN = "https://example.org/river"


@pytest.fixture
def campaign(api: Client) -> str:
    return f"/advocacy_campaigns/{api.campaign_id}"


def shown(api: Client, campaign: str) -> str | None:
    found: str | None = api.get(campaign).json.get("browser_url")
    return found


class TestBrowserUrl:
    @pytest.mark.parametrize(
        ("chosen", "stored", "expected"),
        [
            ({"published": True, "slug": "river"}, None, OURS),
            ({"published": True, "slug": "river"}, FOREIGN, FOREIGN),
            ({"published": True, "slug": "river"}, "http://localhost/act/former", OURS),
            ({"published": True, "slug": "river"}, "http://localhost/action", "http://localhost/action"),
            ({"published": False, "slug": "river"}, None, None),
            ({"published": False, "slug": "river"}, FOREIGN, FOREIGN),
            ({}, None, None),
        ],
        ids=["published", "foreign", "sent back", "another path", "draft", "foreign draft", "without settings"],
    )
    def test_an_empty_one_is_shown_as_the_pages_address(
        self, api: Client, campaign: str, chosen: dict[str, Any], stored: str | None, expected: str | None
    ) -> None:
        api.put(f"{campaign}/page", chosen)
        if stored:
            api.put(campaign, {"browser_url": stored})

        assert shown(api, campaign) == expected
        listed = api.get("/advocacy_campaigns").json["_embedded"]["osdi:advocacy_campaigns"]
        assert [each.get("browser_url") for each in listed] == [expected]

    def test_nothing_of_it_is_stored(self, api: Client, campaign: str, database: Database) -> None:
        api.put(f"{campaign}/page", {"published": True, "slug": "river"})
        shown(api, campaign)

        assert "browser_url" not in database.advocacy_campaigns.find_one({"_id": api.campaign_id})

    def test_a_representation_that_is_sent_back_follows_a_new_slug(self, api: Client, campaign: str) -> None:
        api.put(f"{campaign}/page", {"published": True, "slug": "river"})
        api.put(campaign, api.get(campaign).json)

        api.put(f"{campaign}/page", {"slug": "stream"})

        assert shown(api, campaign) == "http://localhost/act/stream"

    def test_it_begins_with_the_public_url(self, deployed: Deployed, campaign: str) -> None:
        client = deployed(public_url="https://act.example.org/osdi")
        client.put(f"{campaign}/page", {"published": True, "slug": "river"})

        assert shown(client, campaign) == "https://act.example.org/osdi/act/river"

    def test_a_response_that_declines_the_body_has_none(self, api: Client, campaign: str) -> None:
        api.put(f"{campaign}/page", {"published": True, "slug": "river"})

        response = api.put(campaign, {"title": "New", "osdi:control": {"return_response": False}}).json

        assert set(response) == {"identifiers", "_links"}

    def test_filters_and_csv_have_the_stored_value_and_ndjson_that_of_the_api(
        self, app: Flask, api: Client, campaign: str
    ) -> None:
        api.put(f"{campaign}/page", {"published": True, "slug": "river"})
        other = api.created("/advocacy_campaigns", {"title": "Other", "browser_url": FOREIGN})["_links"]["self"]["href"]
        api.put(f"{other}/page", {"published": True, "slug": "other"})

        def selected(address: str) -> int:
            return int(api.get(f"/advocacy_campaigns?filter=browser_url eq '{address}'").json["total_records"])

        def exported(form: str) -> str:
            result = app.test_cli_runner().invoke(args=["export", "campaigns", "--format", form])
            return str(result.stdout)

        assert [selected(address) for address in (OURS, FOREIGN)] == [0, 1]
        assert [row["browser_url"] for row in csv.DictReader(io.StringIO(exported("csv")))] == ["", FOREIGN]
        in_ndjson = [orjson.loads(line)["browser_url"] for line in exported("ndjson").splitlines()]
        assert (in_ndjson[0].endswith("/act/river"), in_ndjson[1]) == (True, FOREIGN)


class TestExported:
    def test_no_export_has_the_settings(self, app: Flask, api: Client, campaign: str) -> None:
        api.put(f"{campaign}/page", {"published": True, "slug": "river", "closed_message": "in the settings"})

        for form in ("csv", "ndjson"):
            result = app.test_cli_runner().invoke(args=["export", "campaigns", "--format", form])
            assert result.exit_code == 0
            assert "in the settings" not in result.stdout


class TestBackup:
    @pytest.fixture(params=["mongod", "standalone"])
    def other(self, request: pytest.FixtureRequest) -> Iterator[Store]:
        """Another database, empty, on a replica set or a standalone."""
        server: Mongod = request.getfixturevalue(request.param)
        uri = server.uri.replace("/osdi?", "/restored_page?")
        store = Store(uri)
        with MongoClient(uri) as client:
            client.drop_database("restored_page")
            yield store
            client.drop_database("restored_page")
        store.close()

    def test_a_restored_campaign_has_its_settings_and_slugs(
        self, api: Client, campaign: str, store: Store, other: Store
    ) -> None:
        for slug in ("river", "stream"):
            api.put(f"{campaign}/page", {"published": True, "slug": slug, "goal": 5})
        file = io.BytesIO()
        write_backup(store, file, "osdi", snapshot=True, begin=lambda _: lambda _: None)

        file.seek(0)
        restore_backup(other, file, check_backup(file), RULES, send_queued=False, progress=lambda _: None)

        reference = Reference(other, cache_seconds=0)
        before = store.get("advocacy_campaigns", api.campaign_id)
        assert find_page(reference, "stream").settings == PageSettings.of(before or {})
        with pytest.raises(PageMoved):
            find_page(reference, "river")


class TestDeleted:
    def test_a_deleted_campaign_has_no_page(self, api: Client, campaign: str, store: Store) -> None:
        api.put(f"{campaign}/page", {"published": True, "slug": "river"})

        assert api.delete(campaign).status_code == 200

        with pytest.raises(OsdiError, match="There is no such page"):
            find_page(Reference(store, cache_seconds=0), "river")
        assert api.http.get("/act/river").status_code == api.http.get("/act/river.json").status_code == 404

    def test_a_campaign_with_outreaches_keeps_its_page_until_it_is_deleted_with_them(
        self, api: Client, campaign: str
    ) -> None:
        api.put(f"{campaign}/page", {"published": True, "slug": "river"})
        api.recorded(factories.outreach())

        assert api.delete(campaign).status_code == 409
        assert api.http.get("/act/river").status_code == 200

        assert api.delete(f"{campaign}?force=true").status_code == 200
        assert api.http.get("/act/river").status_code == 404


def test_settings_change_no_statistics_and_no_total(api: Client, campaign: str) -> None:
    api.recorded(factories.outreach())

    def numbers() -> list[Any]:
        return [api.get(f"{campaign}/stats").json["total"], api.get(campaign).json["total_outreaches"]]

    before = numbers()
    api.put(f"{campaign}/page", {"published": True, "goal": 100})

    assert numbers() == before == [{"outreaches": 1, "people": 1}, 1]


def test_settings_change_no_policy_and_no_triggers(api: Client, campaign: str) -> None:
    def others() -> list[Any]:
        return [api.get(f"{campaign}/{name}").json for name in ("anonymous_posts", "triggers")]

    before = others()
    api.put(f"{campaign}/page", {"published": True, "consent": {"text": "Yes."}})

    assert others() == before
