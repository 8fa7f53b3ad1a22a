"""The columns of custom fields in a file of many people, whose names are counted ahead."""

import csv
import datetime as dt
import io
from collections import Counter
from typing import Any

import pytest
from pymongo.database import Database

from osdi.ids import now
from osdi.people import custom_names_store as names
from osdi.people.custom_names_store import CustomNamesAhead, count_next, forget_names, names_of_all, stored_names
from osdi.store import Store
from tests.support import factories
from tests.support.client import Client
from tests.support.profiled import profiled

COLUMN = "custom_fields/"


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two people are many, and a batch."""
    monkeypatch.setattr("osdi.exporting.export.FEW", 1)
    monkeypatch.setattr(names, "BATCH", 2)


def columns(api: Client, path: str = "/people.csv") -> list[str]:
    """Returns the custom fields that have a column."""
    header = next(csv.reader(io.StringIO(api.get(path).get_data(as_text=True), newline="")))
    return [each.removeprefix(COLUMN) for each in header if each.startswith(COLUMN)]


def people(api: Client, *several: dict[str, str]) -> list[str]:
    """Stores people with these custom fields; returns their addresses."""
    created = [api.created("/people", factories.person(custom_fields=each)) for each in several]
    return [each["_links"]["self"]["href"] for each in created]


def make_old(database: Database) -> None:
    """Makes all changes old enough to be committed for sure."""
    database.people.update_many({}, {"$set": {"modified_date": now() - dt.timedelta(hours=1)}})


def worker(store: Store) -> int:
    """Lets a worker count; returns the number of batches."""
    ahead, batches = CustomNamesAhead(store), 0
    while ahead.do_next():
        batches += 1
    return batches


@pytest.mark.parametrize("counted", [False, True], ids=["nobody has counted", "a worker has counted"])
@pytest.mark.parametrize("path", ["/people.csv", "/people.csv?filter=gender eq null"])
def test_each_custom_field_has_a_column(
    api: Client, store: Store, database: Database, path: str, counted: bool
) -> None:
    people(api, {"shirt.size": "M"}, {"colour": "red"}, {}, {"colour": "blue", "$x": "y"}, {"shoe": "42"})
    make_old(database)
    assert not counted or worker(store) >= 3

    assert columns(api, path) == ["$x", "colour", "shirt.size", "shoe"]
    assert columns(api, "/people.csv?filter=custom_fields/shoe eq '42'") == ["shoe"], "few people have their own fields"


def test_people_who_were_changed_since_the_count_are_read_by_an_export(
    api: Client, store: Store, database: Database
) -> None:
    changed, *_ = people(api, {}, {"colour": "red"}, {})
    make_old(database)
    worker(store)
    api.put(changed, {"custom_fields": {"shoe": "42"}})
    people(api, {"hat": "6"})

    assert columns(api) == ["colour", "hat", "shoe"]


def test_an_export_reads_no_people_whose_fields_were_counted(api: Client, store: Store, database: Database) -> None:
    people(api, *({"colour": "red"} for _ in range(10)))
    make_old(database)
    worker(store)

    with profiled(database) as operations:
        assert set(names_of_all(store)) == {"colour"}

    assert sum(each.read for each in operations if each.collection == "people") == 0


def test_a_name_that_nobody_has_any_more_is_dropped_by_a_complete_export(
    api: Client, store: Store, database: Database
) -> None:
    changed, *_ = people(api, {"old": "x"}, {"colour": "red"}, {"colour": "red"})
    make_old(database)
    worker(store)
    api.put(changed, {"custom_fields": {"new": "x", "old": None}})

    assert columns(api, "/people.csv?filter=gender eq null") == ["colour", "new", "old"]
    assert columns(api) == ["colour", "new", "old"]
    assert columns(api) == ["colour", "new"]
    counted = stored_names(store)
    assert counted is not None
    assert counted["names"]["colour"] == 2


def test_an_erasure_deletes_the_names(api: Client, store: Store, database: Database) -> None:
    erased, *_ = people(api, {"jane@example.com": "x"}, {"colour": "red"}, {})
    make_old(database)
    worker(store)

    assert api.delete(f"{erased}?erase=true").status_code == 200

    assert stored_names(store) is None
    worker(store)
    assert set(names_of_all(store)) == {"colour"}


def test_a_count_that_began_before_an_erasure_stores_no_names(
    api: Client, store: Store, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    people(api, {"jane@example.com": "x"}, {"colour": "red"}, {})
    read = names._people

    def read_and_erase(*arguments: Any) -> list[dict[str, Any]]:
        found = read(*arguments)
        database.people.delete_many({"custom_fields": {"jane@example%2Ecom": "x"}})
        forget_names(store)
        return found

    with monkeypatch.context() as patch:
        patch.setattr(names, "_people", read_and_erase)
        count_next(store)

    assert stored_names(store) is None
    assert set(names_of_all(store)) == {"colour"}


def test_two_workers_count_a_batch_once(
    api: Client, store: Store, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    people(api, {"colour": "red"}, {"colour": "red"})
    make_old(database)
    read = names._people
    first = iter([True])

    def read_while_another_counts(*arguments: Any) -> list[dict[str, Any]]:
        found = read(*arguments)
        if next(first, False):
            count_next(store)
        return found

    monkeypatch.setattr(names, "_people", read_while_another_counts)
    count_next(store)

    counted = stored_names(store)
    assert counted is not None
    assert counted["names"] == {"colour": 2}


def test_names_beyond_a_bound_are_not_stored(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(names, "MAX_NAMES", 2)

    assert names.with_names(Counter({"a": 1}), [{"b": "", "c": ""}, {"a": "", "d": ""}]) == {"a": 2, "b": 1}
