"""A process that ends between the two writes of a post on a standalone loses nothing, and a retry records it once."""

from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask
from pymongo import MongoClient
from pymongo.database import Database

from app import create_app
from blueprints.http.context import EXTENSION
from blueprints.http.rate_limits import EXTENSION as RATE_LIMITS
from dev.mongod import Mongod
from osdi.access.tokens import new_token
from osdi.resources import OUTREACH
from osdi.settings import Settings
from osdi.store import Insert, Store
from osdi.store.indexes import TOKENS
from tests.support import factories
from tests.support.client import Client

NAME = "crashing"


class Crashed(BaseException):
    """Simulates the end of the process; no code catches it."""


@pytest.fixture
def alone(standalone: Mongod) -> Iterator[tuple[Client, Database]]:
    """A client of a deployment on a standalone, and its database."""
    uri = standalone.uri.replace("/osdi?", f"/{NAME}?")
    app: Flask = create_app(Settings(mongodb_uri=uri, cache_seconds=0, **factories.UNLIMITED))
    store: Store = app.extensions[EXTENSION].store
    store.create_indexes()
    secret, token = new_token("tests")
    store.write(Insert(TOKENS, token))
    api = Client(app.test_client(), secret)
    api.campaign_id = api.created("/advocacy_campaigns", {"title": "x"})["_links"]["self"]["href"].rsplit("/", 1)[1]
    with MongoClient(uri) as client:
        yield api, client[NAME]
        app.extensions[RATE_LIMITS].close()
        store.close()
        client.drop_database(NAME)


@pytest.mark.one_in(3)
@pytest.mark.parametrize(
    ("person", "people"),
    [
        ({"given_name": "Jane", "email_addresses": [{"address": "jane@example.com"}]}, 1),
        ({"given_name": "Jane", "phone_numbers": [{"number": "+1 202 555 0123"}]}, 1),
        ({"given_name": "Jane", "identifiers": ["crm:1"]}, 1),
        ({"given_name": "Jane"}, 2),
    ],
    ids=["e-mail address", "phone number", "identifier", "only a name"],
)
def test_a_retry_finds_the_person_again_unless_they_have_only_a_name(
    alone: tuple[Client, Database], monkeypatch: pytest.MonkeyPatch, person: dict[str, Any], people: int
) -> None:
    api, database = alone
    store: Store = api.http.application.extensions[EXTENSION].store
    apply = store.apply

    def crash_before_the_outreach(write: Any, *arguments: Any) -> None:
        if getattr(write, "collection", None) == OUTREACH.collection:
            raise Crashed
        apply(write, *arguments)

    body = {"person": person, "identifiers": ["crm:outreach"]}
    with monkeypatch.context() as patched:
        patched.setattr(store, "apply", crash_before_the_outreach)
        with pytest.raises(Crashed):
            api.record(body)
    assert (database.people.count_documents({}), database.outreaches.count_documents({})) == (1, 0)

    assert [api.record(body).status_code for _ in range(2)] == [200, 200]

    assert (database.people.count_documents({}), database.outreaches.count_documents({})) == (people, 1)
