"""No write is left to the server's defaults, and no route's query scans a collection: asked of the driver itself."""

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
    """Keeps every command that the driver sends."""

    def __init__(self) -> None:
        self.commands: list[tuple[str, dict[str, Any]]] = []

    def started(self, event: monitoring.CommandStartedEvent) -> None:
        self.commands.append((event.command_name, dict(event.command)))

    def succeeded(self, event: monitoring.CommandSucceededEvent) -> None:
        """Only what was sent matters here."""

    def failed(self, event: monitoring.CommandFailedEvent) -> None:
        """Only what was sent matters here."""

    def named(self, names: set[str]) -> list[tuple[str, dict[str, Any]]]:
        return [each for each in self.commands if each[0] in names]


@pytest.fixture
def listener(monkeypatch: pytest.MonkeyPatch) -> Listener:
    """Hears every client that is made from now on."""
    heard = Listener()
    monkeypatch.setattr("pymongo.monitoring._LISTENERS", monitoring._Listeners([heard], [], [], [], []))
    return heard


@pytest.fixture(params=["replica set", "standalone"])
def app(request: pytest.FixtureRequest, listener: Listener) -> Iterator[Flask]:
    mongod: Mongod = request.getfixturevalue("mongod" if request.param == "replica set" else "standalone")
    uri = mongod.uri.replace("/osdi?", "/durability?")
    with MongoClient(uri) as client:
        client.drop_database("durability")
    app = create_app(Settings(mongodb_uri=uri, cache_seconds=0))
    yield app
    app.extensions[EXTENSION].store.close()


def is_mark_of_use(command: dict[str, Any]) -> bool:
    """Whether this moves a token's last use: the one write that nobody is promised, see osdi/access/token_store.py."""
    changed = [each["u"] for each in command.get("updates", ())]
    mark = command.get("update") == TOKENS and all(list(each) == ["$max"] for each in changed)
    return mark and [list(each["$max"]) for each in changed] == [["last_used_date"]]


def use_everything(app: Flask) -> None:
    """Call every route and every way through the helper."""
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


def test_every_acknowledged_write_is_journaled_on_a_majority(app: Flask, listener: Listener) -> None:
    use_everything(app)

    loose = []
    for name, command in listener.named(WRITES | {"commitTransaction"}):
        if is_mark_of_use(command):
            continue
        in_transaction = name != "commitTransaction" and command.get("autocommit") is False
        if not in_transaction and command.get("writeConcern") != {"w": "majority", "j": True}:
            loose.append((name, command.get("writeConcern")))
    assert loose == []
    assert {name for name, _ in listener.named(WRITES)} == {"insert", "update", "delete"}, "the test heard the writes"


def test_no_query_scans_a_collection(app: Flask, listener: Listener) -> None:
    use_everything(app)
    deployment: Deployment = app.extensions[EXTENSION]
    uri = deployment.settings.mongodb_uri

    scans = []
    with MongoClient(uri) as client:
        database = client.get_default_database()
        for name, asked in questions(listener):
            plan = database.command("explain", asked, verbosity="queryPlanner")
            if "COLLSCAN" in str(plan["queryPlanner"] if "queryPlanner" in plan else plan["stages"]):
                scans.append((name, asked))
    assert scans == []
    assert {command[name] for name, command in listener.named({"find"})} >= {"people", "outreaches", "tags"}


def questions(listener: Listener) -> Iterator[tuple[str, dict[str, Any]]]:
    """What was asked of the server, as it can explain it: each read, and how each write finds what it is about."""
    for name, command in listener.named(READS):
        yield name, {key: value for key, value in command.items() if key in _EXPLAINED}
    for name, several in (("update", "updates"), ("delete", "deletes")):
        for _, command in listener.named({name}):
            for each in command[several]:
                yield name, {"find": command[name], "filter": each["q"]}


_EXPLAINED = {"find", "aggregate", "count", "filter", "query", "pipeline", "sort", "limit", "skip", "cursor"}
