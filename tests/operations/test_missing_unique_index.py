"""A database without its unique indexes: `release` lists the duplicate values, and the web process rejects posts."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from flask import Flask
from pymongo import MongoClient
from pymongo.database import Database

from app import create_app
from blueprints.http.context import EXTENSION
from dev.mongod import Mongod
from osdi.settings import Settings
from osdi.store.indexes import MATCH_KEYS
from tests.support import factories
from tests.support.client import Client

DUPLICATES = {
    "a1": ["email:jane@example.com", "phone:+12025550123"],
    "b2": ["email:jane@example.com"],
    "c3": ["phone:+12025550123", "email:john@example.com"],
    "d4": ["email:john@example.com"],
    "e5": ["email:other@example.com"],
}


@pytest.fixture
def other(mongod: Mongod, settings: Settings) -> Iterator[tuple[Flask, Database]]:
    """An application on a database without indexes."""
    uri = mongod.uri.replace("/osdi?", "/no_indexes?")
    app = create_app(replace(settings, mongodb_uri=uri))
    with MongoClient(uri) as client:
        yield app, client.get_default_database()
        app.extensions[EXTENSION].store.close()
        client.drop_database("no_indexes")


@pytest.mark.parametrize("command", ["release", "indexes"])
def test_release_lists_all_documents_with_equal_keys_by_their_ids_only(
    other: tuple[Flask, Database], command: str
) -> None:
    app, database = other
    database.schema.insert_one({"_id": "schema", "schema_version": 4})
    database.people.insert_many({"_id": name, "match_keys": keys, "version": 1} for name, keys in DUPLICATES.items())

    result = app.test_cli_runner().invoke(args=[command, "--wait", "1"])

    assert result.exit_code == 1
    assert isinstance(result.exception, SystemExit)
    assert [line for line in result.output.splitlines() if line[1:2].isdigit()] == ["a1 b2", "a1 c3", "c3 d4"]
    assert "people (match_keys)" in result.output
    assert not [word for word in ("jane", "john", "2025550123", "e5") if word in result.output]


def test_posts_are_503_while_a_unique_index_is_missing(other: tuple[Flask, Database]) -> None:
    app, database = other
    store = app.extensions[EXTENSION].store
    store.create_indexes()
    secret = factories.token(store)
    client = Client(app.test_client(), secret)
    database.people.drop_index("match_keys_1")

    for method, path in (("post", "/people"), ("post", "/people/person_signup_helper"), ("put", "/people/x")):
        rejected = getattr(client, method)(path, {"person": factories.person()})
        assert rejected.status_code == 503
        assert rejected.headers["Retry-After"] == "60"
        assert "people (match_keys)" in rejected.json["error"]
    assert client.record(factories.outreach(), token=False, campaign="x").status_code == 503
    assert client.get("/people").status_code == 200
    assert database.people.count_documents({}) == 0

    database.people.create_indexes([MATCH_KEYS.model])

    assert client.post("/people", {"person": factories.person()}).status_code == 200


def test_forms_of_the_staff_pages_have_a_503_page_while_a_unique_index_is_missing(
    other: tuple[Flask, Database],
) -> None:
    app, database = other
    app.extensions[EXTENSION].store.create_indexes()
    database.staff.drop_index("email_1")

    response = app.test_client().post("/staff/sign-out", base_url="https://osdi.example.org", data={"text": "kept"})

    assert (response.status_code, response.mimetype) == (503, "text/html")
    assert "staff (email)" in response.text
    assert "kept</textarea>" in response.text
