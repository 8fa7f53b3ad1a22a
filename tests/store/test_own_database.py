"""A database that tests use one after another is as new for each of them."""

from collections.abc import Callable

import pytest
from pymongo.database import Database

from dev.mongod import Mongod
from tests.support.databases import own_database

NAME = "as_new"

CHANGES: dict[str, Callable[[Database], object]] = {
    "a document": lambda database: database.people.insert_one({"_id": "1"}),
    "a collection that no index needs": lambda database: database.others.insert_one({"_id": "1"}),
    "an index more": lambda database: database.people.create_index("given_name"),
    "an index less": lambda database: database.people.drop_index("match_keys_1"),
    "an index with another option": lambda database: database.command(
        "collMod", "merged_people", index={"name": "merged_date_1", "expireAfterSeconds": 1}
    ),
    "a collection less": lambda database: database.drop_collection("outreaches"),
    "another collection of this name": lambda database: (
        database.others.insert_one({"_id": "1"}) and database.others.rename("people", dropTarget=True)
    ),
}


def content(database: Database) -> dict[str, tuple[int, dict[str, object]]]:
    """Returns the number of documents and the indexes of each collection."""
    names = database.list_collection_names()
    return {name: (database[name].count_documents({}), database[name].index_information()) for name in names}


# Both kinds of server describe their collections in the same way, which one change shows.
CASES = [*(("mongod", name) for name in CHANGES), ("standalone", "an index with another option")]


@pytest.mark.one_in(7)
@pytest.mark.parametrize(("server", "change"), [(server, CHANGES[name]) for server, name in CASES], ids=map(str, CASES))
def test_nothing_is_left_of(change: Callable[[Database], object], server: str, request: pytest.FixtureRequest) -> None:
    mongod: Mongod = request.getfixturevalue(server)
    with own_database(mongod.uri, NAME) as (_, database):
        new = content(database)
        change(database)
        assert content(database) != new

    with own_database(mongod.uri, NAME) as (_, database):
        assert content(database) == new
        assert new["people"][0] == 0
        assert "match_keys_1" in new["people"][1]
