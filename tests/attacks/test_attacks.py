"""Every attack in the tables of tests/attacks gets an error response in the standard's form, and writes nothing."""

import json
import re
from dataclasses import dataclass, field
from typing import Any

import pytest
from flask import Flask
from pymongo import MongoClient
from pymongo.database import Database
from werkzeug.test import TestResponse

from blueprints.http.context import EXTENSION
from osdi.access.tokens import new_token
from osdi.resources import API
from osdi.store import Insert
from osdi.store.indexes import TOKENS
from osdi.values.text import cleaned
from tests.attacks import (
    COLLECTIONS,
    LINKED,
    MERGED,
    ORIGIN,
    SINGLE,
    SMALL,
    WRAPPED,
    Attack,
    addresses,
    bodies,
    check_error,
    ignored,
    requests,
)
from tests.support import factories
from tests.support.client import Client
from tests.support.databases import empty

ATTACKS = [*bodies.ATTACKS, *addresses.ATTACKS, *requests.ATTACKS]
PLACE = re.compile(r"<([a-z_]+)>")
SERVERS_OWN = (
    "_id",
    "created_date",
    "creator_id",
    "modified_by_id",
    "counted",
    "contact_keys",
    "person_id",
    "wrapper_id",
    "followups",
)

Documents = dict[str, dict[str, Any]]


@dataclass(frozen=True)
class World:
    """A database with one or two documents of each kind; `ids` has the values for `<person>` and other placeholders."""

    http: Client
    database: Database
    ids: dict[str, str]
    # The last result of `hashes`: it is the state before the next test.
    known: dict[str, Any] = field(default_factory=dict)

    def send(self, attack: Attack) -> TestResponse:
        """Sends the attack with its placeholders replaced, and returns the response."""
        headers = {"Origin": ORIGIN, **attack.headers}
        if attack.token:
            headers["OSDI-API-Token"] = self.http.token if attack.token is True else attack.token
        headers = {name: self.filled(value) for name, value in headers.items()}
        sent = attack.sent()
        return self.http.http.open(
            attack.root + self.filled(attack.path),
            method=attack.method,
            query_string=self.filled(attack.query),
            headers=headers,
            data=self.filled(sent) if isinstance(sent, str) else sent,
        )

    def filled(self, text: str) -> str:
        return PLACE.sub(lambda found: self.ids.get(found[1], found[0]), text)

    def hashes(self) -> dict[str, Any]:
        """Returns MongoDB's hash of each collection, and the tokens without the date of their last use.

        Without `statistics`, which a request for statistics fills. Tokens whose hash is known are not read again.
        """
        found: dict[str, Any] = dict(self.database.command("dbHash")["collections"])
        found.pop("statistics", None)
        digest, known = found["tokens"], self.known
        tokens = known["tokens"] if known and known["digest"] == digest else self.documents("tokens")
        known.update(digest=digest, tokens=tokens, hashes=found | {"tokens": tokens})
        return dict(known["hashes"])

    def hashes_before(self) -> dict[str, Any]:
        """Returns the hashes at the end of the test before, or reads them if that test did not."""
        return dict(self.known["hashes"]) if self.known else self.hashes()

    def documents(self, collection: str) -> Documents:
        return {
            each["_id"]: {key: value for key, value in each.items() if key != "last_used_date"}
            for each in self.database[collection].find()
        }

    def dump(self) -> dict[str, Documents]:
        """Returns every document by collection and id, without `statistics`."""
        names = set(self.database.list_collection_names()) - {"statistics"}
        return {name: self.documents(name) for name in names}


@pytest.fixture(scope="module")
def world(app: Flask, _raw_client: MongoClient) -> World:
    """Returns a World for the whole module: attacks do not change it, and requests with 200 only add to it."""
    database = _raw_client.get_default_database()
    empty(database)
    ids: dict[str, str] = {}
    for name, scopes in (("secret", ("admin",)), ("reader", ("read",))):
        ids[name], document = new_token(name, scopes)
        app.extensions[EXTENSION].store.write(Insert(TOKENS, document))
        ids |= {"token": document["_id"], "hash": document["hash"]}
    client = Client(app.test_client(), ids["secret"])

    def make(name: str, path: str, body: Any) -> None:
        found = World(client, database, ids)
        sent = Attack("", "POST", found.filled(path), 200, body).sent()
        created = client.created(found.filled(path), found.filled(str(sent)))
        ids[name] = created["_links"]["self"]["href"].rsplit("/", 1)[1]

    make("campaign", "/advocacy_campaigns", {"title": "Protect the river", "target_list": [{"title": "Senator"}]})
    make("other_campaign", "/advocacy_campaigns", {"title": "Another"})
    make(
        "person",
        "/people",
        factories.person(custom_fields={"colour": "blue"}, phone_numbers=[{"number": "12025550123"}]),
    )
    make("outreach", "/advocacy_campaigns/<campaign>/outreaches", LINKED | {"targets": [{"title": "Senator"}]})
    make("tag", "/tags", {"name": "volunteer"})
    make("other_tag", "/tags", {"name": "donor"})
    make("list", "/lists", {"name": "supporters"})
    make("question", "/questions", {"question_type": "Paragraph"})
    make("wrapper", "/wrappers", {"footer": "Riverton", "default": True})
    make(
        "message",
        "/messages",
        WRAPPED | {"subject": "Thank you", "targets": [{"href": "x"}], "sections": [{"keyword": "stop"}]},
    )
    make("webhook", "/webhooks", {"url": "https://hooks.example.org/osdi", "events": ["unsubscribed"]})
    make("tagging", "/tags/<tag>/taggings", LINKED)
    make("item", "/lists/<list>/items", LINKED)
    make("answer", "/questions/<question>/answers", LINKED | {"value": "because"})
    for name in ("merged", "other_person"):
        make(name, "/people", factories.person())
    found = World(client, database, ids)
    client.created(found.filled("/people/<person>/merge"), json.loads(found.filled(json.dumps(MERGED))))
    return found


@pytest.mark.one_in(11)
@pytest.mark.parametrize("attack", ATTACKS, ids=str)
def test_an_attack_is_rejected_and_changes_nothing(world: World, attack: Attack) -> None:
    before = world.hashes_before()

    response = world.send(attack)

    check_error(response, attack.status, attack.names)
    assert response.headers.get("Access-Control-Allow-Origin") == ("*" if attack.is_of_the_api else None)
    assert world.hashes() == before


@pytest.mark.one_in(5)
@pytest.mark.parametrize("attack", bodies.SKIPPED, ids=str)
def test_an_attack_by_an_optional_value_is_named_and_stores_nothing(world: World, attack: Attack) -> None:
    world.known.clear()
    response = world.send(attack)

    assert response.status_code == 200, response.get_data(as_text=True)
    warnings = response.json["osdi_outreach:warnings"]
    assert any(warning.startswith(name) for warning in warnings for name in _last_names(attack)), warnings


def _last_names(attack: Attack) -> tuple[str, ...]:
    """Returns the property that an attack adds to a body, as warnings name it."""
    added = {name: value for name, value in attack.body.items() if name not in SMALL}
    inside = [name for name in attack.body["person"] if name not in SMALL["person"]]
    return (*added, *(f"person.{name}" for name in inside))


@pytest.mark.one_in(5)
@pytest.mark.parametrize("attack", ignored.SETTING, ids=str)
def test_fields_that_only_the_server_sets_are_ignored(world: World, attack: Attack) -> None:
    world.known.clear()
    before = world.dump()

    response = world.send(attack)

    assert response.status_code == 200, response.get_data(as_text=True)
    after = world.dump()
    assert ignored.MARK not in response.get_data(as_text=True) + repr(after)
    assert f"datetime({ignored.YEAR}" not in repr(after)
    assert str(ignored.NUMBER) not in repr(after)
    assert after["tokens"] == before["tokens"]
    for name, documents in before.items():
        for document_id, document in documents.items():
            now = after[name][document_id]
            assert {key: now.get(key) for key in SERVERS_OWN} == {key: document.get(key) for key in SERVERS_OWN}
            assert now.get("version", 0) - document.get("version", 0) in (0, 1)
            assert set(now.get("match_keys", ())) >= set(document.get("match_keys", ()))


@pytest.mark.one_in(11)
@pytest.mark.parametrize("attack", ignored.READING, ids=str)
def test_a_get_changes_nothing(world: World, attack: Attack) -> None:
    before = world.hashes_before()

    response = world.send(attack)

    assert response.status_code == 200, response.get_data(as_text=True)
    assert ignored.MARK not in response.get_data(as_text=True)
    assert world.hashes() == before


def test_every_route_is_attacked(app: Flask, world: World) -> None:
    """A new route needs rows in the tables."""
    routes = app.url_map.bind("localhost")
    attacked = set()
    for attack in ATTACKS:
        if attack.status != 405 and routes.test(path := attack.root + world.filled(attack.path), attack.method):
            rule, _ = routes.match(path, attack.method, return_rule=True)
            attacked.add((attack.method, str(rule)))
    served = {
        (method, str(rule))
        for rule in app.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
        if str(rule).startswith(f"{API}/") and str(rule) != f"{API}/"
    }

    assert served - attacked == set()


def test_every_collection_is_in_the_tables(app: Flask) -> None:
    collections = {
        re.sub(r"<(advocacy_)?([a-z]+)_id>", r"<\2>", str(rule)).removeprefix(API)
        for rule in app.url_map.iter_rules()
        if "GET" in (rule.methods or ()) and re.search(r"/[a-z_]+[^>/]$", str(rule)) and str(rule).startswith(f"{API}/")
    }

    assert collections - set(SINGLE) == set(COLLECTIONS)


def test_there_are_more_than_a_thousand_attacks() -> None:
    assert len({str(attack) for attack in ATTACKS}) > 1_000


class TestStrings:
    """Texts are returned as they are stored, and only in the body."""

    @pytest.mark.parametrize(
        "text",
        [
            "\u202eright to left\u202c",
            "zero\u200bwidth\u2060\ufeff",
            "\u0301" * 1_000,
            "a" + "\u0301" * 999,
            "\U0001f600\U0010ffff",
            "\uffff\ufffe\x7f\x01\x85\u2028",
            "line\r\nSet-Cookie: a=b",
            "<script>alert(1)</script>",
            "{{7*7}}${7*7}%s%n",
            "$where",
            "../../etc/passwd",
            "ﷺ" * 100,
        ],
        ids=range(12),
    )
    def test_a_text_is_returned_in_nfc_without_invisible_characters(self, api: Client, text: str) -> None:
        created = api.created("/tags", {"name": text, "description": text})

        response = api.get(created["_links"]["self"]["href"])

        assert (response.json["name"], response.json["description"]) == (cleaned(text), cleaned(text))
        assert "Set-Cookie" not in response.headers
        assert all(value.isprintable() and value.isascii() for value in response.headers.values())

    def test_an_argument_is_encoded_in_links(self, api: Client) -> None:
        response = api.get("/people?filter=given_name%20eq%20'%0d%0aSet-Cookie:%20a=b%22%3E'")

        assert "Set-Cookie" not in response.headers
        assert response.json["_links"]["self"]["href"].endswith("%0D%0ASet-Cookie%3A+a%3Db%22%3E%27")
