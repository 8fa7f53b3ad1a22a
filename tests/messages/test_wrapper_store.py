"""Which wrapper stands around messages that name none, and who loses one that is deleted: on a server and in memory."""

import datetime as dt
from collections.abc import Iterator
from typing import Any

import pytest

from osdi.crud.unlink_store import forget_wrapper
from osdi.documents import Document
from osdi.ids import new_id
from osdi.messages.wrapper_store import default_wrapper
from osdi.store import Insert, Store, write_log

OLD, NEW = dt.datetime(2020, 1, 1), dt.datetime(2021, 1, 1)


@pytest.fixture(params=["mongod", "memory"])
def anywhere(request: pytest.FixtureRequest) -> Iterator[Store]:
    """A store on a replica set, then one in memory."""
    if request.param == "mongod":
        yield request.getfixturevalue("store")
        return
    store = Store("mongomock://")
    store.create_indexes()
    yield store
    store.close()


def stored(store: Store, collection: str, **fields: Any) -> Document:
    """A new document with these fields besides what every one has."""
    document_id = new_id()
    document = {"_id": document_id, "version": 1, "match_keys": [f"id:ns:{document_id}"], "modified_date": OLD}
    store.write(Insert(collection, document | fields))
    return document | fields


@pytest.mark.parametrize(
    ("wrapper", "types"),
    [
        ({"default": True, "wrapper_type": "email"}, ["email"]),
        ({"default": True, "wrapper_type": "sms"}, ["sms"]),
        ({"default": True}, ["email"]),
        ({"default": False, "wrapper_type": "email"}, []),
        ({"default": False}, []),
        ({"wrapper_type": "sms"}, []),
        ({}, []),
    ],
    ids=str,
)
def test_a_wrapper_is_the_default_of_its_type(anywhere: Store, wrapper: dict[str, Any], types: list[str]) -> None:
    document = stored(anywhere, "wrappers", **wrapper)

    found = {each: default_wrapper(anywhere, each) for each in ("email", "sms")}

    assert found == {each: document if each in types else None for each in ("email", "sms")}


@pytest.mark.parametrize("kinds", [("email", "email"), ("email", None), (None, "email"), (None, None)], ids=str)
@pytest.mark.parametrize("newest_first", [True, False])
def test_of_several_it_is_the_one_changed_last(
    anywhere: Store, kinds: tuple[str | None, str | None], newest_first: bool
) -> None:
    types = [{"wrapper_type": kind} if kind else {} for kind in kinds]
    dates = (NEW, OLD) if newest_first else (OLD, NEW)
    wrappers = [
        stored(anywhere, "wrappers", default=True, modified_date=date, **each)
        for date, each in zip(dates, types, strict=True)
    ]
    stored(anywhere, "wrappers", modified_date=NEW + dt.timedelta(days=1))
    stored(anywhere, "wrappers", default=True, wrapper_type="sms", modified_date=NEW + dt.timedelta(days=1))

    assert default_wrapper(anywhere, "email") == next(each for each in wrappers if each["modified_date"] == NEW)


def test_of_those_changed_at_once_it_is_the_one_created_last(anywhere: Store) -> None:
    wrappers = [stored(anywhere, "wrappers", default=True) for _ in range(3)]

    assert default_wrapper(anywhere, "email") == wrappers[-1]


def test_a_deleted_wrapper_is_removed_from_its_messages(anywhere: Store) -> None:
    wrapped = [stored(anywhere, "messages", wrapper_id="w", subject="A") for _ in range(2)]
    other = stored(anywhere, "messages", wrapper_id="other")

    forget_wrapper(anywhere, "w", NEW)

    for message in wrapped:
        kept = {name: value for name, value in message.items() if name != "wrapper_id"}
        assert anywhere.get("messages", message["_id"]) == kept | {"version": 2, "modified_date": NEW}
    assert anywhere.get("messages", other["_id"]) == other


def test_the_changed_messages_are_in_the_write_log(anywhere: Store) -> None:
    for _ in range(2):
        stored(anywhere, "messages", wrapper_id="w")
    written = write_log.start()

    forget_wrapper(anywhere, "w", NEW)
    forget_wrapper(anywhere, "nobody's", NEW)

    write_log.end()
    assert written == ["messages?wrapper_id=w (2)"]
