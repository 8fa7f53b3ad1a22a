"""Many clients at once through real gunicorn, on a replica set and on a standalone: one person stays one person."""

from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import pytest
import requests
from pymongo import MongoClient
from pymongo.database import Database

from dev.mongod import Mongod
from osdi.access.tokens import new_token
from osdi.ids import new_id
from osdi.resources import API
from osdi.store import Insert, Store
from osdi.store.indexes import TOKENS
from tests.support import factories
from tests.support.examples import examples
from tests.support.factories import by_email
from tests.support.live import Live

THREADS = 16
POSTS = max(3 * THREADS, examples(100))


@dataclass
class Deployed:
    """A running server, its database, and a campaign to record on."""

    live: Live
    database: Database
    token: str
    campaign: str

    def record_all(self, body: Callable[[int], dict[str, Any]], *, token: bool, **headers: str) -> Counter[int]:
        """POST `body(0)`, `body(1)` and so on from 16 threads; returns how often each status was returned."""
        sent = {**({"OSDI-API-Token": self.token} if token else {}), **headers}

        def post(number: int) -> int:
            return requests.post(
                f"{self.campaign}/record_outreach_helper", json=body(number), headers=sent, timeout=30
            ).status_code

        with ThreadPoolExecutor(THREADS) as pool:
            return Counter(pool.map(post, range(POSTS)))

    def counts(self) -> tuple[int, int]:
        """Returns the numbers of people and outreaches; the fixture has deleted earlier ones."""
        return self.database.people.count_documents({}), self.database.outreaches.count_documents({})


@pytest.fixture(scope="module", params=["replica set", "standalone"])
def server(request: pytest.FixtureRequest) -> Iterator[Deployed]:
    mongod: Mongod = request.getfixturevalue("mongod" if request.param == "replica set" else "standalone")
    uri = mongod.uri.replace("/osdi?", "/concurrency?")
    store = Store(uri)
    store.create_indexes()
    token, document = new_token("tests")
    store.write(Insert(TOKENS, document))
    store.close()
    with Live({"MONGODB_URI": uri}, workers=2, threads=4) as live, MongoClient(uri) as client:
        response = requests.post(
            f"{live.url}{API}/advocacy_campaigns", json={"title": "x"}, headers={"OSDI-API-Token": token}, timeout=30
        )
        yield Deployed(live, client.get_default_database(), token, response.json()["_links"]["self"]["href"])


@pytest.fixture
def deployed(server: Deployed) -> Deployed:
    server.database.people.delete_many({})
    server.database.outreaches.delete_many({})
    return server


@pytest.mark.one_in(4)
@pytest.mark.parametrize("token", [True, False], ids=["with a token", "without"])
def test_one_new_email_is_one_person(deployed: Deployed, token: bool) -> None:
    statuses = deployed.record_all(lambda number: by_email("jane@example.com"), token=token)

    assert statuses == {200: POSTS}
    assert deployed.counts() == (1, POSTS)


@pytest.mark.one_in(2)
def test_the_same_identifiers_are_one_person_and_one_outreach(deployed: Deployed) -> None:
    body = by_email("jane@example.com", identifiers=["crm:1"]) | {"identifiers": ["crm:1"]}

    statuses = deployed.record_all(lambda number: body, token=True)

    assert statuses == {200: POSTS}
    assert deployed.counts() == (1, 1)


@pytest.mark.one_in(2)
def test_one_idempotency_key_is_one_outreach(deployed: Deployed) -> None:
    body = by_email("jane@example.com")

    statuses = deployed.record_all(lambda number: body, token=False, **{"Idempotency-Key": new_id()})

    assert statuses == {200: POSTS}
    assert deployed.counts() == (1, 1)


@pytest.mark.one_in(2)
def test_data_of_concurrent_posts_about_one_person_is_kept(deployed: Deployed) -> None:
    def body(number: int) -> dict[str, Any]:
        return by_email("jane@example.com", custom_fields={f"field {number}": "x"})

    statuses = deployed.record_all(body, token=True)

    assert statuses == {200: POSTS}
    (person,) = deployed.database.people.find()
    assert len(person["custom_fields"]) == POSTS


@pytest.mark.one_in(2)
def test_posts_with_crossed_keys_of_two_people(deployed: Deployed) -> None:
    both = [{"address": "jane@example.com"}, {"address": "john@example.com"}]

    def body(number: int) -> dict[str, Any]:
        return factories.outreach(person={"email_addresses": both if number % 2 else both[::-1]})

    statuses = deployed.record_all(body, token=True)

    assert statuses == {200: POSTS}
    assert deployed.counts() == (1, POSTS)


@pytest.mark.one_in(2)
def test_no_key_has_two_owners(deployed: Deployed) -> None:
    def body(number: int) -> dict[str, Any]:
        phone = [{"number": f"1555000{number % 10:04}"}]
        return by_email(f"person{number % 20}@example.com", phone_numbers=phone, identifiers=[f"crm:{number % 40}"])

    statuses = deployed.record_all(body, token=True)

    assert set(statuses) <= {200, 409}, "409 where an identifier and an e-mail had come to different people"
    keys = Counter(key for person in deployed.database.people.find() for key in person["match_keys"])
    assert max(keys.values()) == 1
    assert deployed.counts()[1] == statuses[200]
