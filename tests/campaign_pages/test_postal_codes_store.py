"""Tables of postal codes in the database: a look-up, and what a reader sees while a table is replaced."""

import threading
from collections.abc import Iterator

import pytest
from pymongo.database import Database

from osdi.campaign_pages.postal_codes import postal_codes_store
from osdi.campaign_pages.postal_codes.postal_codes_store import delete_table, entries, look_up, replace_table
from osdi.campaign_pages.postal_codes.table import Found, Table, read_table
from osdi.errors import OsdiError
from osdi.store import Store
from osdi.store.indexes import POSTAL_CODES

CAMPAIGN = "01a20a71-74b6-7406-a578-4e870a3dd118"
TARGETS = [{"ocdid": "a"}, {"ocdid": "b"}]
A, B = "ocdid:a", "ocdid:b"


def table(*lines: str) -> Table:
    return read_table("\n".join(["postal_code,target", *lines]), TARGETS)


def test_a_code_is_found_by_its_longest_prefix(store: Store) -> None:
    replace_table(store, CAMPAIGN, table("1,a", "10115,b", "*,a"))
    assert look_up(store, CAMPAIGN, "D-10115") == Found((B,), (A,))
    assert look_up(store, CAMPAIGN, "10117") == Found((A,), (A,))
    assert look_up(store, CAMPAIGN, "99999") == Found((A,), (A,))


def test_a_campaign_without_a_table_finds_nobody(store: Store) -> None:
    replace_table(store, "another campaign", table("1,a"))
    assert look_up(store, CAMPAIGN, "10115") == Found()
    assert entries(store, CAMPAIGN) == []


def test_a_new_table_replaces_the_former_one_whole(store: Store) -> None:
    replace_table(store, CAMPAIGN, table("1,a", "10115,b"))
    replace_table(store, CAMPAIGN, table("1,b"))
    assert look_up(store, CAMPAIGN, "10115").keys == (B,)
    assert entries(store, CAMPAIGN) == [("1", [B])]


def test_only_the_table_in_use_and_the_one_before_are_stored(store: Store, database: Database) -> None:
    for code in range(5):
        replace_table(store, CAMPAIGN, table(f"{code},a"))
    stored = database[POSTAL_CODES].find({"prefix": {"$exists": True}}, sort=[("prefix", 1)])
    assert [each["prefix"] for each in stored] == ["3", "4"]


def test_a_deleted_table_is_gone(store: Store, database: Database) -> None:
    replace_table(store, CAMPAIGN, table("1,a"))
    replace_table(store, "another campaign", table("1,b"))
    delete_table(store, CAMPAIGN)
    delete_table(store, CAMPAIGN)
    assert look_up(store, CAMPAIGN, "1") == Found()
    assert database[POSTAL_CODES].count_documents({"advocacy_campaign_id": CAMPAIGN}) == 0
    assert look_up(store, "another campaign", "1").keys == (B,)


@pytest.fixture
def before_last_step(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[object]]:
    """Calls of the test that run once, after an upload has inserted its entries and before it puts them into use."""
    calls: list[object] = []
    insert = postal_codes_store._insert

    def insert_and_call(store: Store, documents: list[dict[str, object]]) -> None:
        insert(store, documents)
        if calls:
            calls.pop()()  # type: ignore[operator]

    monkeypatch.setattr(postal_codes_store, "_insert", insert_and_call)
    yield calls
    assert not calls


def test_a_reader_sees_the_former_table_until_the_new_one_is_whole(
    store: Store, before_last_step: list[object]
) -> None:
    replace_table(store, CAMPAIGN, table("1,a"))
    seen = []
    before_last_step.append(lambda: seen.append(look_up(store, CAMPAIGN, "10115").keys))
    replace_table(store, CAMPAIGN, table("1,a", "10115,b"))
    assert seen == [(A,)]


def test_the_upload_that_began_last_wins(store: Store, database: Database, before_last_step: list[object]) -> None:
    before_last_step.append(lambda: replace_table(store, CAMPAIGN, table("1,b", "2,b")))
    with pytest.raises(OsdiError) as raised:
        replace_table(store, CAMPAIGN, table("1,a"))
    assert raised.value.status == 409
    assert entries(store, CAMPAIGN) == [("1", [B]), ("2", [B])]
    assert database[POSTAL_CODES].count_documents({}) == 3


def test_a_table_that_is_deleted_during_an_upload_stays_deleted(
    store: Store, database: Database, before_last_step: list[object]
) -> None:
    before_last_step.append(lambda: delete_table(store, CAMPAIGN))
    with pytest.raises(OsdiError) as raised:
        replace_table(store, CAMPAIGN, table("1,a"))
    assert raised.value.status == 409
    assert database[POSTAL_CODES].count_documents({}) == 0


def test_an_interrupted_upload_changes_nothing_and_the_next_one_cleans_up(store: Store, database: Database) -> None:
    replace_table(store, CAMPAIGN, table("1,a"))
    database[POSTAL_CODES].insert_one(
        {"_id": "dead 1", "advocacy_campaign_id": CAMPAIGN, "table": "dead", "prefix": "1", "targets": [B]}
    )
    assert look_up(store, CAMPAIGN, "1").keys == (A,)
    replace_table(store, CAMPAIGN, table("1,b"))
    assert database[POSTAL_CODES].count_documents({"table": "dead"}) == 0


def test_readers_find_a_whole_table_while_tables_are_replaced(store: Store) -> None:
    tables = [table("1,a", "10115,a"), table("1,b", "10115,b")]
    replace_table(store, CAMPAIGN, tables[0])
    stopped = threading.Event()
    seen: list[tuple[str, ...]] = []

    def read() -> None:
        while not stopped.is_set():
            seen.append(look_up(store, CAMPAIGN, "10115").keys + look_up(store, CAMPAIGN, "17").keys)

    reader = threading.Thread(target=read)
    reader.start()
    for number in range(500):
        replace_table(store, CAMPAIGN, tables[(number + 1) % 2])
        if number > 20 and len(seen) > 20:  # on a busy machine the reader is slow
            break
    stopped.set()
    reader.join()
    assert len(seen) > 20
    assert all(len(each) == 2 for each in seen)


def test_a_look_up_scans_no_collection(store: Store, database: Database) -> None:
    replace_table(store, CAMPAIGN, table("1,a", "10115,b"))
    query = {"advocacy_campaign_id": CAMPAIGN, "prefix": {"$in": [None, "*", "1", "10"]}}
    plan = database.command("explain", {"find": POSTAL_CODES, "filter": query}, verbosity="executionStats")
    assert "COLLSCAN" not in str(plan)
    assert plan["executionStats"]["totalDocsExamined"] == 2
