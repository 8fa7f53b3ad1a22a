"""Every write has an explicit write concern, and no query of a route scans a collection, as the driver sends them."""

from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask
from pymongo import MongoClient, monitoring

from app import create_app
from blueprints.http.context import EXTENSION, Deployment
from dev.mongod import Mongod
from osdi.access.tokens import new_token
from osdi.messages.wrapper_store import default_wrapper
from osdi.sample import CAMPAIGN_ID, CHOICE_ID, SHARED_ID, create_sample
from osdi.settings import Settings
from osdi.store import Insert
from osdi.store.indexes import TOKENS
from tests.support import factories
from tests.support.client import Client

WRITES = {"insert", "update", "delete", "findAndModify", "bulkWrite"}
READS = {"find", "aggregate", "count"}
NAMES = {"find": "filter", "count": "query"}


class Listener(monitoring.CommandListener):
    """Records every command that the driver sends."""

    def __init__(self) -> None:
        self.commands: list[tuple[str, dict[str, Any]]] = []

    def started(self, event: monitoring.CommandStartedEvent) -> None:
        self.commands.append((event.command_name, dict(event.command)))

    def succeeded(self, event: monitoring.CommandSucceededEvent) -> None:
        """Does nothing: the tests read sent commands only."""

    def failed(self, event: monitoring.CommandFailedEvent) -> None:
        """Does nothing: the tests read sent commands only."""

    def named(self, names: set[str]) -> list[tuple[str, dict[str, Any]]]:
        return [each for each in self.commands if each[0] in names]


@pytest.fixture
def listener(monkeypatch: pytest.MonkeyPatch) -> Listener:
    """Listens to every client that is created after it."""
    listening = Listener()
    monkeypatch.setattr("pymongo.monitoring._LISTENERS", monitoring._Listeners([listening], [], [], [], []))
    return listening


@pytest.fixture(params=["replica set", "standalone"])
def app(request: pytest.FixtureRequest, listener: Listener) -> Iterator[Flask]:
    mongod: Mongod = request.getfixturevalue("mongod" if request.param == "replica set" else "standalone")
    uri = mongod.uri.replace("/osdi?", "/durability?")
    with MongoClient(uri) as client:
        client.drop_database("durability")
    app = create_app(Settings(mongodb_uri=uri, cache_seconds=0))
    yield app
    app.extensions[EXTENSION].store.close()


def is_last_use_update(command: dict[str, Any]) -> bool:
    """True if this stores a token's last use, the one unacknowledged write (see osdi/access/token_store.py)."""
    changed = [each["u"] for each in command.get("updates", ())]
    mark = command.get("update") == TOKENS and all(list(each) == ["$max"] for each in changed)
    return mark and [list(each["$max"]) for each in changed] == [["last_used_date"]]


def call_everything(app: Flask) -> None:
    """Calls every route and every branch of the helper."""
    deployment: Deployment = app.extensions[EXTENSION]
    deployment.store.create_indexes()
    create_sample(deployment.store, "osdi_outreach")
    secret, document = new_token("tests")
    deployment.store.write(Insert(TOKENS, document))
    api = Client(app.test_client(), secret)
    api.campaign_id = CAMPAIGN_ID
    for collection, body in (
        ("advocacy_campaigns", {"title": "x", "identifiers": ["crm:1"]}),
        ("tags", {"name": "x"}),
        ("lists", {"name": "x"}),
        ("questions", {"question_type": "Paragraph", "identifiers": ["crm:1"]}),
        ("messages", {"identifiers": ["crm:1"]}),
        ("wrappers", {"identifiers": ["crm:1"], "default": True}),
    ):
        api.follow(api.created(f"/{collection}", body), "self")
        api.created(f"/{collection}", body | {"description": "more"})
        api.created(f"/{collection}", body | {"name": "another", "identifiers": ["crm:2"]})
        page = api.get(f"/{collection}?per_page=1").json
        api.follow(api.follow(page, "next"), "previous")
    wrapper = default_wrapper(deployment.store, "email")
    assert wrapper is not None
    link = {"href": f"/wrappers/{wrapper['_id']}"}
    assert "osdi:wrapper" in api.created("/messages", {"_links": {"osdi:wrapper": link}})["_links"]
    assert api.delete(f"/wrappers/{wrapper['_id']}").status_code == 200
    for token in (True, False):
        body = factories.outreach(identifiers=["crm:1"], add_tags=["volunteer", "unknown"])
        for again in (body, body, body | {"identifiers": ["crm:2"], "person": body["person"] | {"gender": "Other"}}):
            assert (
                api.record(again, token=token, headers={"Idempotency-Key": again["identifiers"][0]}).status_code == 200
            )
    outreach = api.recorded(factories.outreach(person={"phone_numbers": [{"number": "19876543210"}]}))
    for relation in ("self", "osdi:advocacy_campaign", "osdi:person"):
        found = api.follow(outreach, relation)
        if "osdi:outreaches" in found["_links"]:
            api.follow(found, "osdi:outreaches")
    api.get("/people?page=2&per_page=1")
    api.get("/people?filter=email_address eq 'x@example.com' or phone_number eq '19876543210'")
    api.get("/people?filter=identifier eq 'crm:1'&$expand=osdi:outreaches,osdi:taggings")
    api.get("/outreaches?$expand=osdi:person,osdi:advocacy_campaign")
    person = api.follow(outreach, "osdi:person")
    for relation, parent, fields in (
        ("taggings", f"/tags/{SHARED_ID}", {}),
        ("items", f"/lists/{SHARED_ID}", {}),
        ("answers", f"/questions/{CHOICE_ID}", {"responses": ["r1"]}),
    ):
        entry = api.created(f"{parent}/{relation}", {"_links": {"osdi:person": person["_links"]["self"]}, **fields})
        api.get(f"{parent}/{relation}?per_page=1")
        api.follow(person, f"osdi:{relation}")
        assert api.put(entry["_links"]["self"]["href"], {"origin_system": "x"}).status_code == 200
        assert api.delete(entry["_links"]["self"]["href"]).status_code == 200
    api.put(outreach["_links"]["self"]["href"], {"duration": 1})
    api.put(outreach["_links"]["osdi:person"]["href"], {"email_addresses": [{"address": "new@example.com"}]})
    for address in (outreach["_links"]["self"]["href"], outreach["_links"]["osdi:person"]["href"]):
        assert api.delete(address).status_code == 200
    for collection in ("tags", "lists", "questions"):
        assert api.delete(f"/{collection}/{SHARED_ID if collection != 'questions' else CHOICE_ID}").status_code == 200
    assert api.delete(f"/advocacy_campaigns/{CAMPAIGN_ID}?force=true").status_code == 200


@pytest.mark.one_in(2)
def test_every_acknowledged_write_is_journaled_on_a_majority(app: Flask, listener: Listener) -> None:
    call_everything(app)

    not_durable = []
    for name, command in listener.named(WRITES | {"commitTransaction"}):
        if is_last_use_update(command):
            continue
        in_transaction = name != "commitTransaction" and command.get("autocommit") is False
        if not in_transaction and command.get("writeConcern") != {"w": "majority", "j": True}:
            not_durable.append((name, command.get("writeConcern")))
    assert not_durable == []
    assert {name for name, _ in listener.named(WRITES)} == {"insert", "update", "delete"}, "the listener saw the writes"


@pytest.mark.one_in(2)
def test_no_query_scans_a_collection(app: Flask, listener: Listener) -> None:
    call_everything(app)
    deployment: Deployment = app.extensions[EXTENSION]
    uri = deployment.settings.mongodb_uri

    scans = []
    with MongoClient(uri) as client:
        database = client.get_default_database()
        for name, read in explainable_reads(listener):
            plan = database.command("explain", read, verbosity="queryPlanner")
            if "COLLSCAN" in str(plan["queryPlanner"] if "queryPlanner" in plan else plan["stages"]):
                scans.append((name, read))
    assert scans == []
    assert {command[name] for name, command in listener.named({"find"})} >= {"people", "outreaches", "tags"}


def explainable_reads(listener: Listener) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yields each read, and the filter of each write as a read, for the `explain` command."""
    for name, command in listener.named(READS):
        yield name, {key: value for key, value in command.items() if key in _EXPLAINED}
    for name, several in (("update", "updates"), ("delete", "deletes")):
        for _, command in listener.named({name}):
            for each in command[several]:
                yield name, {"find": command[name], "filter": each["q"]}


_EXPLAINED = {"find", "aggregate", "count", "filter", "query", "pipeline", "sort", "limit", "skip", "cursor", "hint"}
