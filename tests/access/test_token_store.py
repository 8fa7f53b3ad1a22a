"""Replacing a token by its successor is atomic with transactions; a concurrent deletion makes it fail."""

import datetime as dt
from collections.abc import Iterator
from contextlib import closing

import pytest
from flask import Flask
from pymongo.database import Database

from dev.mongod import Mongod
from osdi.access.token_store import find_tokens, replace_token
from osdi.access.tokens import new_token, successor, token_hash
from osdi.errors import WriteConflict
from osdi.store import Store
from osdi.store.indexes import TOKENS
from tests.support import factories
from tests.support.databases import own_database

LATER = dt.datetime(2126, 3, 18)


@pytest.fixture(params=["mongod", "standalone", "memory"])
def emptied(request: pytest.FixtureRequest) -> Iterator[Store]:
    """A store without tokens on a replica set, on a standalone, and in memory."""
    if request.param == "memory":
        with closing(Store("mongomock://")) as store:
            store.create_indexes()
            yield store
        return
    server: Mongod = request.getfixturevalue(request.param)
    with own_database(server.uri, "stored_tokens") as (store, _):
        yield store


@pytest.mark.parametrize("ends", [None, LATER])
def test_a_token_is_replaced(emptied: Store, ends: dt.datetime | None) -> None:
    former = token_hash(factories.token(emptied, _id="1"))
    latter = successor(find_tokens(emptied, {})[0])[1]

    replace_token(emptied, "1", latter, ends)

    left = {token["hash"]: token.get("expires_date") for token in find_tokens(emptied, {})}
    assert left == {latter["hash"]: None} | ({former: ends} if ends else {})


@pytest.mark.parametrize("ends", [None, LATER])
def test_a_deleted_token_is_not_replaced(emptied: Store, ends: dt.datetime | None) -> None:
    with pytest.raises(WriteConflict):
        replace_token(emptied, "gone", new_token("late")[1], ends)

    if emptied.supports_transactions:
        assert find_tokens(emptied, {}) == []


def test_tokens_are_found_oldest_first(emptied: Store) -> None:
    for name in ("c", "a", "b"):
        factories.token(emptied, name=name)

    assert [token["name"] for token in find_tokens(emptied, {})] == ["c", "a", "b"]


def test_a_rotation_of_a_token_revoked_meanwhile_fails(
    app: Flask, store: Store, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    factories.token(store, name="crm")

    def while_another_revokes(token: dict) -> tuple[str, dict]:
        store.delete_many(TOKENS, {"_id": token["_id"]})
        return successor(token)

    monkeypatch.setattr("osdi.access.token_changes.successor", while_another_revokes)
    result = app.test_cli_runner().invoke(args=["tokens", "rotate", "crm"])

    assert result.exit_code == 2
    assert "Somebody else" in result.output
    assert "osdi_" not in result.output
    assert database.tokens.count_documents({}) == 0
