"""The list is filled from stored people by a migration, and united with that of a backup."""

import datetime as dt
from collections.abc import Iterator
from typing import Any

import pytest
from pymongo import MongoClient
from pymongo.database import Database

from dev.mongod import Mongod
from osdi.match_keys import email_key
from osdi.operations.migration_steps import MIGRATIONS, MigrationContext
from osdi.store import Store
from osdi.suppression.suppression_list import suppression_list
from osdi.suppression.suppression_store import unite
from tests.support.factories import RULES

JANE, NUMBER = "jane@example.com", "12025550123"
THEN, LATER = dt.datetime(2026, 1, 1), dt.datetime(2026, 2, 1)


@pytest.fixture(params=["mongod", "standalone"])
def old(request: pytest.FixtureRequest) -> Iterator[tuple[Store, Database]]:
    """A database of its own, and a store on it."""
    server: Mongod = request.getfixturevalue(request.param)
    uri = server.uri.replace("/osdi?", "/suppressed?")
    with MongoClient(uri) as client:
        client.drop_database("suppressed")
        store = Store(uri)
        yield store, client.get_default_database()
        store.close()
        client.drop_database("suppressed")


def person(number: int, **fields: Any) -> dict[str, Any]:
    return {"_id": f"p{number}", "version": 1, "match_keys": [f"id:x:{number}"], "modified_date": THEN, **fields}


def fill(store: Store) -> int:
    return sum(MIGRATIONS[4].run(MigrationContext(store, RULES)))


def sources(store: Store, *keys: str) -> list[dict[str, str]]:
    """Returns the opt-outs of these keys, with their sources."""
    entries = suppression_list(store).read(keys)
    return [{what: each["source"] for what, each in entries[key]["refused"].items()} for key in keys if key in entries]


class TestFilledFromPeople:
    @pytest.mark.one_in(6)
    @pytest.mark.parametrize(
        ("entries", "expected"),
        [
            ({"email_addresses": [{"address": JANE, "status": "unsubscribed"}]}, [{"mail": "migration"}]),
            ({"email_addresses": [{"address": JANE, "status": "bouncing"}]}, [{"mail": "bounce"}]),
            ({"email_addresses": [{"address": JANE, "status": "spam complaints"}]}, [{"mail": "complaint"}]),
            ({"phone_numbers": [{"number": NUMBER, "do_not_call": True}]}, [{"calls": "migration"}]),
            ({"phone_numbers": [{"number": NUMBER, "sms_capable": False}]}, [{"texts": "migration"}]),
            ({"email_addresses": [{"address": JANE, "status": "subscribed"}]}, []),
            ({"phone_numbers": [{"number": NUMBER, "do_not_call": False, "sms_capable": True}]}, []),
            ({"email_addresses": [{"status": "unsubscribed"}], "phone_numbers": [{"do_not_call": True}]}, []),
        ],
    )
    def test_by_their_opt_outs(
        self, entries: dict[str, Any], expected: list[dict[str, str]], old: tuple[Store, Database]
    ) -> None:
        store, database = old
        database.people.insert_one(person(1, **entries))

        assert fill(store) == len(expected)

        assert sources(store, email_key(JANE), f"phone:{NUMBER}") == expected
        assert [
            each["refused"][what]["since"] for each in database.suppressions.find() for what in each["refused"]
        ] == [THEN for _ in expected]

    def test_once(self, old: tuple[Store, Database]) -> None:
        store, database = old
        status = {"address": JANE, "status": "unsubscribed"}
        database.people.insert_many([person(number, email_addresses=[status]) for number in range(3)])
        assert fill(store) == 1
        before = list(database.suppressions.find())

        assert fill(store) == 0

        assert list(database.suppressions.find()) == before

    def test_with_the_strictest_of_several_people(self, old: tuple[Store, Database]) -> None:
        store, database = old
        statuses = ("bouncing", "spam complaints", "unsubscribed")
        people = [person(n, email_addresses=[{"address": JANE, "status": each}]) for n, each in enumerate(statuses)]
        database.people.insert_many(people)

        fill(store)

        assert sources(store, email_key(JANE)) == [{"mail": "complaint"}]

    def test_beside_entries_that_are_there(self, old: tuple[Store, Database]) -> None:
        store, database = old
        suppression_list(store).change(f"phone:{NUMBER}", add={"calls": "api"})
        database.people.insert_one(
            person(1, phone_numbers=[{"number": NUMBER, "do_not_call": True, "sms_capable": False}])
        )

        assert fill(store) == 1

        assert sources(store, f"phone:{NUMBER}") == [{"calls": "api", "texts": "migration"}]


def entry(*changes: tuple[str, str, dt.datetime]) -> dict[str, Any]:
    """Returns an entry with a history of (what, change, date)."""
    opted_out: dict[str, Any] = {}
    for what, change, date in changes:
        opted_out.pop(what, None)
        if change == "refused":
            opted_out[what] = {"since": date, "source": "api"}
    history = [{"what": what, "change": change, "date": date, "source": "api"} for what, change, date in changes]
    return {"_id": "digest", "version": 1, "refused": opted_out, "history": history}


@pytest.mark.one_in(4)
@pytest.mark.parametrize(
    ("present", "backup", "opted_out"),
    [
        (None, entry(("mail", "refused", THEN)), {"mail"}),
        (entry(("mail", "refused", LATER)), None, {"mail"}),
        (entry(("mail", "refused", LATER)), entry(("calls", "refused", THEN)), {"mail", "calls"}),
        (entry(("mail", "refused", THEN), ("mail", "lifted", LATER)), entry(("mail", "refused", THEN)), set()),
        (entry(("mail", "refused", THEN), ("mail", "lifted", THEN)), entry(("mail", "refused", LATER)), {"mail"}),
        (entry(("mail", "refused", LATER)), entry(("mail", "refused", THEN), ("mail", "lifted", THEN)), {"mail"}),
    ],
)
def test_a_restore_of_an_older_backup_loses_no_opt_out(
    present: dict[str, Any] | None, backup: dict[str, Any] | None, opted_out: set[str], old: tuple[Store, Database]
) -> None:
    store, database = old
    if present:
        database.suppressions.insert_one(present)

    for _ in range(2):
        unite(store, [backup] if backup else [])
        (found,) = database.suppressions.find()
        assert set(found["refused"]) == opted_out

    assert unite(store, [backup] if backup else []) == 0
    assert [each["date"] for each in found["history"]] == sorted(each["date"] for each in found["history"])
