"""DELETE leaves no link to a missing person, campaign, tag, list or question, whatever happens at the same time."""

import datetime as dt
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from flask import Flask
from pymongo.database import Database

from app import create_app
from blueprints.http.context import EXTENSION
from dev.mongod import Mongod
from osdi.access.tokens import new_token
from osdi.crud import delete as deletions
from osdi.crud.delete import CACHED, complete_next_deletion
from osdi.ids import now
from osdi.privacy.retention import Retention
from osdi.settings import Settings
from osdi.store import Insert, Store
from osdi.store.indexes import DELETIONS, TOKENS
from osdi.store.store import SETTLED
from tests.support import factories
from tests.support.client import Client
from tests.support.databases import own_database

DATABASE = "deletions"
LATER = dt.timedelta(seconds=1)


@dataclass
class Service:
    """An application on one server, a client with a token, and the database."""

    app: Flask
    client: Client
    database: Database

    @property
    def store(self) -> Store:
        found: Store = self.app.extensions[EXTENSION].store
        return found

    def complete(self, *, after: dt.timedelta) -> None:
        """Runs the worker's steps as if this time had passed since the DELETE."""
        for _ in range(10):
            if not complete_next_deletion(self.store, now() + after):
                return
        raise AssertionError("The worker does not come to an end.")


@pytest.fixture(params=["replica set", "standalone"])
def service(request: pytest.FixtureRequest) -> Iterator[Service]:
    server: Mongod = request.getfixturevalue("mongod" if request.param == "replica set" else "standalone")
    with own_database(server.uri, DATABASE) as (store, database):
        app = create_app(Settings(mongodb_uri=store.uri, cache_seconds=0, **factories.UNLIMITED))
        secret, token = new_token("tests")
        store.write(Insert(TOKENS, token))
        client = Client(app.test_client(), secret)
        client.campaign_id = id_of(client.created("/advocacy_campaigns", {"title": "Protect the river"}))
        yield Service(app, client, database)
        app.extensions[EXTENSION].store.close()


def id_of(resource: dict[str, Any], relation: str = "self") -> str:
    return str(resource["_links"][relation]["href"].rsplit("/", 1)[1])


def before_the_next_write(service: Service, monkeypatch: pytest.MonkeyPatch, act: Callable[[], None]) -> None:
    """Lets `act` happen between the reads of the next request and its write."""
    original = service.store.write
    acts = iter([act])

    def act_first(*writes: Any) -> None:
        next(acts, lambda: None)()
        original(*writes)

    monkeypatch.setattr(service.store, "write", act_first)


def test_an_outreach_of_a_person_who_is_deleted_meanwhile_is_unlinked(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The post changes nothing of the person, so no version protects them."""
    body = factories.outreach()
    first = service.client.recorded(body)
    person = first["_links"]["osdi:person"]["href"]
    before_the_next_write(service, monkeypatch, lambda: service.client.delete(person))

    service.client.recorded(body)
    linked = {"person_id": {"$exists": True}}
    assert service.database.outreaches.count_documents(linked) == 1, "the test has met the moment"
    service.complete(after=SETTLED - 5 * LATER)
    assert service.database.outreaches.count_documents(linked) == 1, "requests may be running"
    service.complete(after=SETTLED + LATER)

    assert service.database.outreaches.count_documents(linked) == 0
    assert service.database.outreaches.count_documents({}) == 2
    assert service.database[DELETIONS].count_documents({}) == 0
    statistics = service.client.get(f"/advocacy_campaigns/{service.client.campaign_id}/stats").json
    assert statistics["total"] == {"outreaches": 2, "people": 0}


@pytest.mark.parametrize("merged", [False, True], ids=["of the person", "of a person who was merged into them"])
def test_a_worker_completes_a_deletion_whose_process_died(
    service: Service, monkeypatch: pytest.MonkeyPatch, merged: bool
) -> None:
    outreach = service.client.recorded(factories.outreach())
    person = outreach["_links"]["osdi:person"]
    if merged:
        survivor = service.client.created("/people", factories.person())["_links"]["self"]
        assert service.client.post(f"{survivor['href']}/merge", {"_links": {"osdi:person": person}}).status_code == 200
        # A request that has read the duplicate before records an outreach of it.
        service.database.outreaches.update_one({}, {"$set": {"person_id": person["href"].rsplit("/", 1)[1]}})
        person = survivor

    class Died(BaseException):
        pass

    def die(*_: object) -> None:
        raise Died

    with monkeypatch.context() as patch:
        patch.setattr(deletions, "_remove_links", die)
        with pytest.raises(Died):
            service.client.delete(person["href"])
    service.complete(after=SETTLED + LATER)

    assert service.database.outreaches.find_one({})["version"] > 1
    assert service.database.outreaches.count_documents({"person_id": {"$exists": True}}) == 0
    assert service.database.merged_people.count_documents({}) == 0


def test_a_deletion_that_failed_has_no_effect(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody else changes the person first, and the client says which version it means."""
    outreach = service.client.recorded(factories.outreach())
    person = outreach["_links"]["osdi:person"]["href"]
    read = service.client.get(person).headers["ETag"]
    before_the_next_write(
        service, monkeypatch, lambda: service.database.people.update_one({}, {"$inc": {"version": 1}}) and None
    )

    assert service.client.delete(person, headers={"If-Match": read}).status_code == 412
    service.complete(after=SETTLED + LATER)

    assert service.database.outreaches.count_documents({"person_id": person.rsplit("/", 1)[1]}) == 1
    assert service.database[DELETIONS].count_documents({}) == 0


@pytest.fixture
def other_process(service: Service) -> Iterator[Client]:
    """A client of another process, which caches the campaign and the tag for a minute."""
    settings = Settings(mongodb_uri=service.store.uri, cache_seconds=60, **factories.UNLIMITED)
    app = create_app(settings)
    client = Client(app.test_client(), service.client.token)
    client.campaign_id = service.client.campaign_id
    yield client
    app.extensions[EXTENSION].store.close()


@pytest.mark.one_in(4)
@pytest.mark.parametrize("passes", [(SETTLED,), (CACHED,), (SETTLED, CACHED)], ids=["first", "last", "both"])
def test_outreaches_of_a_campaign_that_another_process_still_caches_are_deleted(
    service: Service, other_process: Client, passes: tuple[dt.timedelta, ...]
) -> None:
    other_process.recorded(factories.outreach())
    assert service.client.delete(f"/advocacy_campaigns/{service.client.campaign_id}?force=true").status_code == 200
    other_process.recorded(factories.outreach())
    assert service.database.outreaches.count_documents({}) == 1, "the other process has not noticed the deletion"

    for after in passes:
        service.complete(after=after + LATER)

    assert service.database.outreaches.count_documents({}) == 0
    assert service.database.people.count_documents({}) == 2


def test_an_outreach_that_is_recorded_between_the_two_passes_is_deleted(
    service: Service, other_process: Client
) -> None:
    """An import may repeat a row for longer than a request takes."""
    other_process.recorded(factories.outreach())
    service.client.delete(f"/advocacy_campaigns/{service.client.campaign_id}?force=true")
    service.complete(after=SETTLED + LATER)
    other_process.recorded(factories.outreach())

    service.complete(after=CACHED + LATER)

    assert service.database.outreaches.count_documents({}) == 0
    assert service.database[DELETIONS].count_documents({}) == 0


@pytest.mark.parametrize(
    ("collection", "body", "helper", "entries"),
    [
        ("tags", {"name": "volunteer"}, {"add_tags": ["volunteer"]}, "taggings"),
        ("lists", {"name": "supporters"}, {"add_lists": ["supporters"]}, "items"),
    ],
)
def test_entries_of_a_resource_that_another_process_still_caches_are_removed(
    service: Service,
    other_process: Client,
    collection: str,
    body: dict[str, Any],
    helper: dict[str, Any],
    entries: str,
) -> None:
    created = service.client.created(f"/{collection}", body)
    other_process.recorded(factories.outreach(**helper))
    service.client.delete(created["_links"]["self"]["href"])
    other_process.recorded(factories.outreach(**helper))
    assert service.database.people.count_documents({f"{entries}._id": {"$exists": True}}) == 1

    service.complete(after=CACHED + LATER)

    assert service.database.people.count_documents({f"{entries}._id": {"$exists": True}}) == 0


def a_worker(service: Service) -> None:
    Retention(service.store, Settings(mongodb_uri=service.store.uri)).do_next()


def apply_retention(service: Service) -> None:
    result = service.app.test_cli_runner().invoke(args=["apply-retention"])
    assert result.exit_code == 0, result.output


@pytest.mark.parametrize("complete", [a_worker, apply_retention])
def test_a_worker_or_apply_retention_completes_deletions_that_are_due(
    service: Service, complete: Callable[[Service], None]
) -> None:
    outreach = service.client.recorded(factories.outreach())
    person_id = id_of(outreach, "osdi:person")
    service.client.delete(f"/people/{person_id}")
    service.database.outreaches.update_one({}, {"$set": {"person_id": person_id}})
    service.database[DELETIONS].update_one({"_id": person_id}, {"$set": {"not_before": now() - LATER}})

    complete(service)

    assert service.database.outreaches.count_documents({"person_id": {"$exists": True}}) == 0


def test_a_deletion_that_a_restore_has_undone_has_no_effect(service: Service) -> None:
    """The note is in the backup, and so is the person, who was read before."""
    outreach = service.client.recorded(factories.outreach())
    person_id = id_of(outreach, "osdi:person")
    stored = [list(service.database[name].find()) for name in ("people", "outreaches")]
    service.client.delete(f"/people/{person_id}")
    for name, documents in zip(("people", "outreaches"), stored, strict=True):
        service.database[name].delete_many({})
        service.database[name].insert_many(documents)

    service.complete(after=SETTLED + LATER)

    assert service.database.outreaches.count_documents({"person_id": person_id}) == 1
    assert service.database[DELETIONS].count_documents({}) == 0
