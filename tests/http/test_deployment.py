"""Settings of a deployment: addresses, namespace, proxies, trust, memory."""

import datetime as dt
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from pymongo.database import Database

from app import create_app
from blueprints.http.context import EXTENSION, Deployment
from osdi.access.tokens import new_token
from osdi.sample import CAMPAIGN_ID, create_sample
from osdi.settings import Settings
from osdi.store import Insert
from osdi.store.indexes import TOKENS
from tests.support import factories
from tests.support.client import Client


@pytest.fixture
def deployed(settings: Settings, database: Database) -> Iterator[Any]:
    """Makes further applications on the test's database; they are closed at the end."""
    apps: list[Flask] = []

    def make(**changed: Any) -> FlaskClient:
        apps.append(create_app(replace(settings, **changed)))
        return apps[-1].test_client()

    yield make
    for app in apps:
        app.extensions[EXTENSION].store.close()


def self_link(client: FlaskClient, **headers: str) -> str:
    return str(client.get("/api/v1/", headers=headers).json["_links"]["self"]["href"])


def test_links_have_the_host_of_the_request(deployed: Any) -> None:
    assert self_link(deployed(), Host="osdi.example.org:8000") == "http://osdi.example.org:8000/api/v1"


def test_links_have_the_public_url_if_it_is_set(deployed: Any) -> None:
    client = deployed(public_url="https://osdi.example.org/sub")

    assert self_link(client) == "https://osdi.example.org/sub/api/v1"


FORWARDED = {"X-Forwarded-Proto": "https", "X-Forwarded-Host": "public.example.org"}


def test_headers_of_a_trusted_proxy_are_used(deployed: Any) -> None:
    assert self_link(deployed(trusted_proxies=1), **FORWARDED) == "https://public.example.org/api/v1"


def test_headers_of_other_clients_are_ignored(deployed: Any) -> None:
    assert self_link(deployed(), **FORWARDED) == "http://localhost/api/v1"


def test_the_namespace_is_a_setting(api: Client, deployed: Any) -> None:
    other = Client(deployed(namespace="action_network").application.test_client(), api.token)
    other.campaign_id = api.campaign_id

    response = other.recorded(factories.outreach(add_tags=["unknown"]))

    assert response["identifiers"][0].startswith("action_network:")
    assert "action_network:warnings" in response


def test_a_closed_deployment_may_trust_identifiers_without_a_token(
    api: Client, deployed: Any, database: Database
) -> None:
    client = Client(deployed(trust_anonymous_identifiers=True).application.test_client(), api.token)
    client.campaign_id = api.campaign_id
    api.recorded(factories.outreach(person={"identifiers": ["crm:1"]}))

    for identifiers in (["crm:1"], ["crm:1"]):
        body = factories.outreach(person={"identifiers": ["crm:1"], "given_name": "Jane"}, identifiers=identifiers)
        assert client.record(body, token=False).data == b"{}"

    assert (database.people.count_documents({}), database.outreaches.count_documents({})) == (1, 2)
    assert database.people.find_one()["given_name"] == "Jane"


def test_identifiers_of_two_people_go_to_the_first_without_a_token(
    api: Client, deployed: Any, database: Database
) -> None:
    client = Client(deployed(trust_anonymous_identifiers=True).application.test_client(), api.token)
    client.campaign_id = api.campaign_id
    first, second = (api.recorded(factories.outreach(person={"identifiers": [f"crm:{n}"]})) for n in (1, 2))

    body = factories.outreach(person={"identifiers": ["crm:2", "crm:1"]})
    assert client.record(body, token=False).status_code == 200

    assert api.follow(api.follow(second, "osdi:person"), "osdi:outreaches")["total_records"] == 2
    assert api.follow(api.follow(first, "osdi:person"), "osdi:outreaches")["total_records"] == 1


def test_reference_data_is_cached(api: Client, deployed: Any, database: Database) -> None:
    client = Client(deployed(cache_seconds=60.0).application.test_client(), api.token)
    client.campaign_id = api.campaign_id
    client.recorded(factories.outreach())
    database.advocacy_campaigns.delete_many({})
    database.tokens.delete_many({})

    client.recorded(factories.outreach())


def test_a_cached_campaign_has_its_current_total(api: Client, deployed: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("osdi.crud.totals_store.MAX_UNCOUNTED", 1)
    monkeypatch.setattr("osdi.crud.totals_store.SETTLED", dt.timedelta(seconds=-5))
    first, *_ = [api.recorded(factories.outreach()) for _ in range(3)]
    assert api.get(f"/advocacy_campaigns/{api.campaign_id}").json["total_outreaches"] == 3
    client = Client(deployed(cache_seconds=60.0).application.test_client(), api.token)
    outreaches = f"/advocacy_campaigns/{api.campaign_id}/outreaches"
    assert client.get(outreaches).json["total_records"] == 3

    assert client.delete(first["_links"]["self"]["href"]).status_code == 200

    assert client.get(outreaches).json["total_records"] == 2


def test_a_campaign_that_was_missing_is_looked_up_again(api: Client, deployed: Any, database: Database) -> None:
    client = Client(deployed(cache_seconds=60.0).application.test_client(), api.token)
    assert client.record(factories.outreach(), campaign=CAMPAIGN_ID).status_code == 404

    create_sample(client.http.application.extensions[EXTENSION].store, "osdi_outreach")

    assert client.record(factories.outreach(), campaign=CAMPAIGN_ID).status_code == 200


def test_cached_resources_do_not_hide_new_ones(api: Client, deployed: Any) -> None:
    client = Client(deployed(cache_seconds=60.0).application.test_client(), api.token)
    client.campaign_id = api.campaign_id
    for name in ("volunteer", "donor"):
        api.created("/tags", {"name": name})
    client.recorded(factories.outreach(add_tags=["volunteer"]))

    outreach = client.recorded(factories.outreach(add_tags=["volunteer", "donor"]))

    assert api.follow(api.follow(outreach, "osdi:person"), "osdi:taggings")["total_records"] == 2


def test_spellings_of_one_reference_share_a_cache_entry(api: Client, deployed: Any) -> None:
    app = deployed(cache_seconds=60.0).application
    client = Client(app.test_client(), api.token)
    client.campaign_id = api.campaign_id
    tag = api.created("/tags", {"name": "volunteer"})["_links"]["self"]["href"]

    for number in range(5):
        client.recorded(factories.outreach(add_tags_uri=[f"//host{number}{n}/{tag}" for n in range(50)]))

    remembered = app.extensions[EXTENSION].reference._documents
    assert [key[0] for key in remembered].count("tags") == 1


def test_works_in_memory_without_a_database() -> None:
    app = create_app(Settings(mongodb_uri="mongomock://"))
    deployment: Deployment = app.extensions[EXTENSION]
    deployment.store.create_indexes()
    create_sample(deployment.store, "osdi_outreach")
    secret, document = new_token("tests")
    deployment.store.write(Insert(TOKENS, document))
    api = Client(app.test_client(), secret)
    api.campaign_id = CAMPAIGN_ID

    body = factories.by_email("jane@example.com", given_name="Jane") | {"identifiers": ["crm:1"]}
    first = api.recorded(body)
    again = api.recorded(factories.by_email("jane@example.com", gender="Female") | {"identifiers": ["crm:2"]})

    assert api.recorded(body) == first
    person = api.follow(again, "osdi:person")
    assert (person["given_name"], person["gender"]) == ("Jane", "Female")
    assert api.follow(person, "osdi:outreaches")["total_records"] == 2


PATHS = ("/api/v1/", "/api/v1/people", "/api/v1/nothing", "/docs", "/explorer", "/openapi.json")


@pytest.mark.parametrize("path", PATHS)
def test_responses_have_security_headers(api: Client, path: str) -> None:
    """No sniffing, no framing, no scripts but our own, and no address handed on: it may hold a token."""
    headers = api.http.get(path).headers

    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
    assert "default-src 'none'" in headers["Content-Security-Policy"]
