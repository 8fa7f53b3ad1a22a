"""HAL clients that nobody here wrote walk from the entry point to the person of an outreach, by links alone.

`halchemy` and `restnavigator` are general: they know HAL, and nothing of OSDI. The outreach is the last of a campaign,
on the second page, so `next` is followed too. It is reached through its campaign: the entry point links no outreaches.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
import requests
from halchemy import Api
from pymongo import MongoClient
from restnavigator import Navigator

from dev.mongod import Mongod
from osdi.access.tokens import new_token
from osdi.resources import API
from osdi.store import Insert, Store
from osdi.store.indexes import TOKENS
from tests.support import factories
from tests.support.live import Live

OUTREACHES = 30  # more than a page
PAGES = 10  # limit of followed `next` links


@dataclass(frozen=True)
class Served:
    """A server with campaigns, and the person of the last campaign's last outreach."""

    entry_point: str
    token: str
    last_person: str


@pytest.fixture(scope="module")
def served(mongod: Mongod) -> Iterator[Served]:
    uri = mongod.uri.replace("/osdi?", "/hal_clients?")
    store = Store(uri)
    store.create_indexes()
    token, document = new_token("tests")
    store.write(Insert(TOKENS, document))
    store.close()
    with Live({"MONGODB_URI": uri}) as live:
        session = requests.Session()
        session.headers["OSDI-API-Token"] = token

        def create(address: str, body: object) -> str:
            response = session.post(address, json=body, timeout=30)
            assert response.status_code == 200, response.text
            return str(response.json()["_links"]["self"]["href"])

        for title in ("Protect the forest", "Protect the river"):
            campaign = create(f"{live.url}{API}/advocacy_campaigns", {"title": title})
            for number in range(OUTREACHES):
                person = factories.person(given_name=f"Caller {number}", family_name=title)
                create(f"{campaign}/record_outreach_helper", factories.outreach(person=person, subject=str(number)))
        session.close()
        yield Served(f"{live.url}{API}/", token, f"Caller {OUTREACHES - 1}")
    with MongoClient(uri) as client:
        client.drop_database("hal_clients")


def test_halchemy_walks_to_an_outreachs_person(served: Served) -> None:
    api = Api(served.entry_point.rstrip("/"), headers={"OSDI-API-Token": served.token})

    entry_point = api.home.get()
    campaigns = api.follow(entry_point).to("osdi:advocacy_campaigns").get()
    found = campaigns.embedded_many("osdi:advocacy_campaigns")[-1]
    campaign = api.follow(found).to("self").get()
    page = api.follow(campaign).to("osdi:outreaches").get()
    for _ in range(PAGES):
        if not page.has_rel("next"):
            break
        page = api.follow(page).to("next").get()
    outreach = api.follow(page.embedded_many("osdi:outreaches")[-1]).to("self").get()
    person = api.follow(outreach).to("osdi:person").get()

    assert page["page"] == 2
    assert (outreach["type"], outreach["subject"]) == ("phone", str(OUTREACHES - 1))
    assert (person["given_name"], person["family_name"]) == (served.last_person, "Protect the river")


def test_halchemy_changes_a_person_by_their_entity_tag(served: Served) -> None:
    """halchemy sends the ETag of the read resource as If-Match."""
    api = Api(served.entry_point.rstrip("/"), headers={"OSDI-API-Token": served.token})
    people = api.follow(api.home.get()).to("osdi:people").get()
    person = api.follow(people.embedded_many("osdi:people")[0]).to("self").get()

    changed = api.follow(person).to("self").put({"additional_name": "Marques"})
    stale = api.follow(person).to("self").put({"additional_name": "Edwin"})

    assert changed["additional_name"] == "Marques"
    assert stale._halchemy.response.status_code == 412


def test_restnavigator_walks_to_an_outreachs_person(served: Served) -> None:
    with requests.Session() as session:
        entry_point = Navigator.hal(
            served.entry_point, default_curie="osdi", headers={"OSDI-API-Token": served.token}, session=session
        )

        campaign = entry_point["advocacy_campaigns"].links()["osdi:advocacy_campaigns"][-1]
        page = campaign["outreaches"]
        for _ in range(PAGES):
            if "next" not in page.links():
                break
            page = page["next"]
        outreach = page.links()["osdi:outreaches"][-1]
        person = outreach["person"]

        assert page()["page"] == 2
        assert (outreach()["type"], outreach()["subject"]) == ("phone", str(OUTREACHES - 1))
        assert (person()["given_name"], person()["family_name"]) == (served.last_person, "Protect the river")


def test_restnavigator_finds_embedded_resources_by_their_links(served: Served) -> None:
    with requests.Session() as session:
        headers = {"OSDI-API-Token": served.token}
        entry_point = Navigator.hal(served.entry_point, default_curie="osdi", headers=headers, session=session)

        embedded = entry_point["people"].embedded()["people"][0]

        assert embedded["self"]()["identifiers"] == embedded.state["identifiers"]


@pytest.mark.parametrize("token", ["", "osdi_wrong"], ids=["without a token", "with a wrong one"])
def test_without_a_token_only_the_entry_point_can_be_read(served: Served, token: str) -> None:
    api = Api(served.entry_point.rstrip("/"), headers={"OSDI-API-Token": token} if token else {})
    entry_point = Api(served.entry_point.rstrip("/")).home.get()

    response = api.follow(entry_point).to("osdi:advocacy_campaigns").get()

    assert "osdi:people" in entry_point.links
    assert response._halchemy.response.status_code == 401
