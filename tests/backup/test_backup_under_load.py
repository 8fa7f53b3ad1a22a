"""A backup that is not of one moment restores, whatever clients do while it is made.

The clients act between the documents that the backup reads, so a seed always gives the same sequence.
"""

import io
import random
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from pymongo import MongoClient
from pymongo.database import Database

from app import create_app
from blueprints.http.context import EXTENSION
from dev.mongod import Mongod
from osdi.access.signing_keys import SIGNING_KEYS
from osdi.access.tokens import new_token
from osdi.backup import backup, dump_store
from osdi.backup.archive import BadBackup
from osdi.backup.backup import check_backup, restore_backup, write_backup
from osdi.backup.links_store import Repaired
from osdi.crud.totals_store import total_outreaches
from osdi.settings import Settings
from osdi.store import Insert, Store
from osdi.store.indexes import TOKENS, TOMBSTONES
from tests.support import factories
from tests.support.client import Client
from tests.support.factories import RULES

# A backup reads from a snapshot.
pytestmark = pytest.mark.usefixtures("snapshots")

LIVE, RESTORED = "backup_under_load", "restored_after_load"
ADDRESSES = [f"person{number}@example.com" for number in range(12)]
PEOPLE = 20
# A seed gives the same sequence of actions on each kind of server. Each repair of a restore that is left out makes the
# test with one of these seeds fail, and more seeds find no more: 4 merges people between the reads of both, and 5
# deletes a tag behind the people who have it.
CASES = [("replica set", 5), ("standalone", 4)]


class Load:
    """Clients that create, change, merge, delete and erase people, outreaches, tags and campaigns at random."""

    def __init__(self, client: Client, database: Database, seed: int) -> None:
        self.client = client
        self.database = database
        self.random = random.Random(seed)
        self.erased: set[str] = set()
        self.erased_before: set[str] = set()
        self.done: Counter[str] = Counter()
        self.actions: tuple[Callable[[], None], ...] = (
            self.record,
            self.record,
            self.delete,
            self.sign_up_again,
            self.sign_up_again,
            self.erase,
            self.merge,
            self.change_address,
            self.delete_outreach,
            self.replace_tag,
            self.replace_campaign,
        )

    def act(self) -> None:
        action = self.random.choice(self.actions)
        self.done[action.__name__] += 1
        action()

    def record(self) -> None:
        """Records an outreach of a person who is new, known, or was deleted before."""
        person: dict[str, Any] = {"email_addresses": [{"address": self.random.choice(ADDRESSES)}]}
        if self.random.random() < 0.5:
            person["identifiers"] = [f"crm:{self.random.randrange(12)}"]
        body = factories.outreach(person=person, add_tags=["volunteer"])
        assert self.client.record(body).status_code in (200, 409)  # 409: identifiers of two people

    def delete(self) -> None:
        self._on_person(self.client.delete)

    def erase(self) -> None:
        if (person := self._any("people")) is not None:
            self.erased |= {person, *(self.database.people.find_one({"_id": person}).get("merged_ids", ()))}
            assert self.client.delete(f"/people/{person}?erase=true").status_code == 200

    def sign_up_again(self) -> None:
        """Deletes or erases a person with an address, who signs up again at once."""
        person = self.database.people.aggregate([{"$match": {"contact_keys": {"$exists": True}}}, *self._one()]).next()
        erases = self.random.random() < 0.5
        self.erased |= {person["_id"], *person.get("merged_ids", ())} if erases else set()
        assert self.client.delete(f"/people/{person['_id']}{'?erase=true' if erases else ''}").status_code == 200
        address = person["email_addresses"][0]["address"]
        assert self.client.record(factories.by_email(address)).status_code == 200

    def _one(self) -> list[dict[str, Any]]:
        return [{"$sort": {"_id": 1}}, {"$skip": self._place("people") // 2}, {"$limit": 1}]

    def merge(self) -> None:
        survivor, other = self._any("people"), self._any("people")
        if survivor is not None and survivor != other:
            link = {"_links": {"osdi:person": {"href": f"/api/v1/people/{other}"}}}
            assert self.client.post(f"/people/{survivor}/merge", link).status_code == 200

    def change_address(self) -> None:
        body = {"email_addresses": [{"address": self.random.choice(ADDRESSES)}]}
        self._on_person(lambda address: self.client.put(address, body))

    def delete_outreach(self) -> None:
        outreach = (
            self.database.outreaches.find_one({}, skip=self._place("outreaches")) if self._any("people") else None
        )
        if outreach is not None:
            campaign = outreach["advocacy_campaign_id"]
            self.client.delete(f"/advocacy_campaigns/{campaign}/outreaches/{outreach['_id']}")

    def replace_tag(self) -> None:
        for tag in self.database.tags.find():
            assert self.client.delete(f"/tags/{tag['_id']}").status_code == 200
        self.client.created("/tags", {"name": "volunteer"})

    def replace_campaign(self) -> None:
        created = self.client.created("/advocacy_campaigns", {"title": "Next"})
        former, self.client.campaign_id = self.client.campaign_id, created["_links"]["self"]["href"].rsplit("/", 1)[1]
        if self.random.random() < 0.3:
            assert self.client.delete(f"/advocacy_campaigns/{former}?force=true").status_code == 200

    def _on_person(self, act: Callable[[str], Any]) -> None:
        if (person := self._any("people")) is not None:
            assert act(f"/people/{person}").status_code == 200

    def _place(self, collection: str) -> int:
        return self.random.randrange(max(1, self.database[collection].count_documents({})))

    def _any(self, collection: str) -> str | None:
        found = self.database[collection].find_one({}, skip=self._place(collection), sort=[("_id", 1)])
        return str(found["_id"]) if found else None


@pytest.fixture(scope="module")
def server(request: pytest.FixtureRequest) -> Iterator[tuple[Store, Client, MongoClient]]:
    """An application, on a standalone, and on a replica set for backups with --no-snapshot."""
    mongod: Mongod = request.getfixturevalue("mongod" if request.param == "replica set" else "standalone")
    uri = mongod.uri.replace("/osdi?", f"/{LIVE}?")
    with MongoClient(uri) as raw:
        raw.drop_database(LIVE)
        app = create_app(Settings(mongodb_uri=uri, cache_seconds=0, **factories.UNLIMITED))
        store = app.extensions[EXTENSION].store
        store.create_indexes()
        secret, token = new_token("load")
        store.write(Insert(TOKENS, token))
        yield store, Client(app.test_client(), secret), raw
        store.close()
        for name in (LIVE, RESTORED):
            raw.drop_database(name)


@dataclass(frozen=True)
class Backup:
    """A backup that was made under load."""

    content: bytes
    load: Load


@pytest.fixture(scope="module")
def backups() -> dict[int, Backup]:
    """The backups by their seeds: both tests of a seed restore the same one."""
    return {}


@pytest.fixture
def made(
    backups: dict[int, Backup], server: tuple[Store, Client, MongoClient], seed: int, monkeypatch: pytest.MonkeyPatch
) -> Backup:
    """The backup of a seed."""
    if seed not in backups:
        load = new_load(server, seed)
        backups[seed] = Backup(backed_up_under(load, server[0], monkeypatch), load)
    return backups[seed]


def new_load(server: tuple[Store, Client, MongoClient], seed: int) -> Load:
    """Returns the clients of a seed, beside a database with PEOPLE people."""
    _, client, raw = server
    for name in raw[LIVE].list_collection_names():
        if name not in (TOKENS, SIGNING_KEYS):  # a process keeps the keys that it has read
            raw[LIVE][name].delete_many({})
    client.campaign_id = client.created("/advocacy_campaigns", {"title": "Protect"})["_links"]["self"]["href"][-36:]
    client.created("/tags", {"name": "volunteer"})
    found = Load(client, raw[LIVE], seed)
    for _ in range(PEOPLE):
        client.recorded(factories.outreach())
    return found


def backed_up_under(load: Load, store: Store, monkeypatch: pytest.MonkeyPatch) -> bytes:
    """A backup without a snapshot; a client acts after about each second document."""
    scan = dump_store.scan

    def scan_under_load(*given: Any, **options: Any) -> Iterator[Any]:
        # An erasure after the tombstones were read is an erasure after the backup.
        if given[1] == TOMBSTONES:
            load.erased_before = set(load.erased)
        for document in scan(*given, **options):
            yield document
            if load.random.random() < 0.5:
                load.act()

    file = io.BytesIO()
    with monkeypatch.context() as patch:
        patch.setattr("osdi.store.scan.BATCH", 2)
        patch.setattr(dump_store, "scan", scan_under_load)
        write_backup(store, file, LIVE, snapshot=False, begin=lambda _: lambda _: None)
    return file.getvalue()


@pytest.fixture
def other(server: tuple[Store, Client, MongoClient], only_unique_indexes: None) -> Iterator[Store]:
    """A store on an empty database of the same server."""
    server[2].drop_database(RESTORED)
    found = Store(server[0].uri.replace(f"/{LIVE}?", f"/{RESTORED}?"))
    yield found
    found.close()


@pytest.mark.slow
@pytest.mark.parametrize(("server", "seed"), CASES, indirect=["server"])
def test_a_backup_restores_whatever_clients_do_meanwhile(
    server: tuple[Store, Client, MongoClient], made: Backup, other: Store
) -> None:
    raw, load = server[2], made.load
    assert len(load.done) >= 7, "most kinds of actions happened"

    restore(other, made.content)

    found = raw[RESTORED]
    people = {person["_id"]: person for person in found.people.find()}
    assert people
    for name in ("people", "outreaches", "tags"):
        owned = Counter(key for document in found[name].find() for key in document["match_keys"])
        assert set(owned.values()) <= {1}
    assert {each["person_id"] for each in found.outreaches.find({"person_id": {"$exists": True}})} <= people.keys()
    assert not load.erased_before & people.keys()
    merged = {each for person in people.values() for each in person.get("merged_ids", ())}
    assert not merged & people.keys()
    assert not {each["_id"] for each in found.merged_people.find()} & people.keys()
    assert set(found.people.distinct("taggings.tag_id")) <= set(found.tags.distinct("_id"))
    for campaign in found.advocacy_campaigns.find():
        of_campaign = found.outreaches.count_documents({"advocacy_campaign_id": campaign["_id"]})
        assert total_outreaches(other, campaign) == of_campaign

    again = io.BytesIO()
    write_backup(other, again, RESTORED, snapshot=True, begin=lambda _: lambda _: None)
    restore(other, again.getvalue())
    assert {person["_id"] for person in found.people.find()} == people.keys()


def restore(store: Store, content: bytes) -> None:
    file = io.BytesIO(content)
    restore_backup(store, file, check_backup(file), RULES, send_queued=False, progress=lambda _: None)


@pytest.mark.parametrize(("server", "seed"), CASES[:1], indirect=["server"])
def test_the_load_breaks_a_restore_that_repairs_nothing(
    server: tuple[Store, Client, MongoClient], made: Backup, other: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Otherwise the test above could not fail."""
    raw = server[2]

    monkeypatch.setattr(backup, "repair_links", lambda *_: Repaired(0, 0, 0))
    restore(other, made.content)

    assert set(raw[RESTORED].outreaches.distinct("person_id")) - set(raw[RESTORED].people.distinct("_id"))
    monkeypatch.setattr(backup, "_without_keys", lambda _, owner, *__: owner)
    with pytest.raises(BadBackup, match="unique value"):
        restore(other, made.content)
