"""Posts without a token on real processes: a flood does not block other clients, and responses reveal no stored person.

The tests send addresses as a proxy does, since all clients run on one machine.
"""

import itertools
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests
from pymongo.database import Database

from dev.mongod import Mongod
from osdi.resources import API
from tests.support import factories
from tests.support.client import Client
from tests.support.live import Live

SECONDS = 60
FLOODERS = 8
HONEST_POSTS = 20
PER_MINUTE = 30
FLOODER, HONEST = "192.0.2.66", "192.0.2.1"


@pytest.fixture
def live(mongod: Mongod, api: Client) -> Iterator[Live]:
    limits = {"RATE_LIMIT_ANONYMOUS": f"{PER_MINUTE}/minute", "RATE_LIMIT_STORAGE": "mongodb"}
    with Live({"MONGODB_URI": mongod.uri, "TRUSTED_PROXIES": "1", **limits}, workers=2) as server:
        yield server


def post(live: Live, campaign_id: str, address: str, body: dict) -> requests.Response:
    url = f"{live.url}{API}/advocacy_campaigns/{campaign_id}/record_outreach_helper"
    return requests.post(url, json=body, headers={"X-Forwarded-For": address}, timeout=SECONDS)


@pytest.mark.slow
def test_a_flood_from_one_address_does_not_block_other_clients(live: Live, api: Client, database: Database) -> None:
    over, flooded_already = threading.Event(), threading.Event()

    def flood() -> list[int]:
        responses = []
        for _ in itertools.takewhile(lambda _: not over.is_set(), range(100_000)):
            responses.append(post(live, api.campaign_id, FLOODER, factories.outreach()).status_code)
            if responses[-1] == 429:
                flooded_already.set()
        return responses

    with ThreadPoolExecutor(FLOODERS) as pool:
        floods = [pool.submit(flood) for _ in range(FLOODERS)]
        try:
            assert flooded_already.wait(SECONDS)
            honest = [
                post(live, api.campaign_id, HONEST, factories.outreach(identifiers=[f"page:{number}"])).status_code
                for number in range(HONEST_POSTS)
            ]
        finally:
            over.set()
        flooded = [status for each in floods for status in each.result()]

    assert honest == [200] * HONEST_POSTS
    assert set(flooded) == {200, 429}
    # The test may run across the end of a window.
    assert flooded.count(200) <= 2 * PER_MINUTE
    kept = database.outreaches.count_documents({"claimed_identifiers": {"$exists": True}})
    assert kept == HONEST_POSTS
    assert database.outreaches.count_documents({}) == HONEST_POSTS + flooded.count(200)


def test_no_response_reveals_if_a_person_is_stored(live: Live, api: Client) -> None:
    known = [factories.person(phone_numbers=[{"number": "12025550123"}]), factories.person(identifiers=["crm:1"])]
    for person in known:
        api.recorded(factories.outreach(person=person))
    bodies = [
        *(factories.outreach(person=person) for person in known),
        factories.outreach(person={"phone_numbers": [{"number": "12025550123"}]}),
        factories.outreach(person={"phone_numbers": [{"number": "12025550199"}]}),
        factories.outreach(person=factories.person(identifiers=["crm:1"])),
        factories.outreach(person=factories.person(identifiers=["crm:2"])),
        factories.outreach(),
    ]

    responses = [post(live, api.campaign_id, HONEST, body) for body in bodies]

    changing = {"Date", "OSDI-Request-ID"}
    seen = {
        (each.status_code, each.content, tuple(sorted((k, v) for k, v in each.headers.items() if k not in changing)))
        for each in responses
    }
    assert len(seen) == 1
    assert (responses[0].status_code, responses[0].content) == (200, b"{}")
