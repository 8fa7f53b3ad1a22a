"""Backup and restore: everything comes back as it was, and a file that is not whole writes nothing."""

import datetime as dt
import gzip
import io
import os
import re
import stat
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import bson
import orjson
import pytest
from bson import Binary, Code, Decimal128, Int64, MaxKey, MinKey, ObjectId, Regex, Timestamp
from bson.datetime_ms import DatetimeMS
from bson.raw_bson import RawBSONDocument
from click.testing import Result
from flask import Flask
from hypothesis import given, settings
from hypothesis import strategies as st
from pymongo import MongoClient
from pymongo.database import Database
from pymongo.errors import BulkWriteError

from app import create_app
from blueprints.http.context import EXTENSION
from dev.mongod import Mongod
from osdi.access.signing_keys import ERASURE, SIGNING_KEYS, SUPPRESSION, signing_key
from osdi.backup import archive, backup, dump_store
from osdi.backup.archive import BadBackup, Header
from osdi.backup.backup import OTHER_KEY, check_backup, restore_backup, without_queued, write_backup
from osdi.backup.dump_store import COUNTED, LEFT_OUT, SIGN_INS, UPLOADS, decode, encode
from osdi.errors import OsdiError
from osdi.ids import new_id, now
from osdi.match_keys import email_key
from osdi.people.merge import merge_stored_people
from osdi.privacy.erasure import erase
from osdi.privacy.tombstones import note_erasure, was_erased
from osdi.settings import Settings
from osdi.store import Insert, Store
from osdi.store.indexes import INDEXES, TOMBSTONES
from osdi.store.schema_version import LOOK_SECONDS, SCHEMA_VERSION, WrongDatabase
from osdi.suppression.opt_outs import LINK, MAIL
from osdi.suppression.suppression_list import suppression_list
from tests.support import factories
from tests.support.client import Client, new_client
from tests.support.databases import long_history, own_database
from tests.support.examples import examples
from tests.support.factories import RULES
from tests.support.planted import MARKER, traces

# A backup reads from a snapshot.
pytestmark = pytest.mark.usefixtures("snapshots")

TIMESTAMP = dt.datetime(2026, 3, 18, 11, 2, 15, 123_000)
EVERY_TYPE = {
    "string": "Jané \u2028 \U0001f30a",
    "empty": "",
    "int": 5,
    "negative": -(2**31),
    "long": Int64(5),
    "longest": Int64(2**63 - 1),
    "double": 5.0,
    "odd": [float("inf"), float("-inf"), -0.0, 1e300, None],
    "true": True,
    "null": None,
    "date": TIMESTAMP,
    "before": dt.datetime(1, 1, 1),
    "after all": DatetimeMS(2**60),
    "array": [[], {}, [1, {"a": [None]}]],
    "object": {"nested": {"deeper": {}}},
    "id": ObjectId("65f81d7e1c9d440000000000"),
    "binary": b"\x00\xff",
    "uuid": Binary(bytes(16), 4),
    "decimal": Decimal128("1.10"),
    "timestamp": Timestamp(1, 2),
    "regex": Regex("^a", "i"),
    "code": Code("x"),
    "least": MinKey(),
    "most": MaxKey(),
}


def same(one: Any, other: Any) -> bool:
    """True if two documents are the same BSON, types and order included."""
    return bson.encode(one) == bson.encode(other)


class TestALine:
    """Holds a document exactly."""

    @pytest.mark.one_in(3)
    @pytest.mark.parametrize("name", EVERY_TYPE)
    def test_keeps_every_type(self, name: str) -> None:
        assert same(decode(encode({name: EVERY_TYPE[name]})), {name: EVERY_TYPE[name]})

    def test_keeps_all_types_in_one_document(self) -> None:
        assert same(decode(encode(EVERY_TYPE)), EVERY_TYPE)

    def test_preserves_nan_and_none(self) -> None:
        found = decode(encode({"a": [float("nan")], "b": None}))

        assert str(found) == "{'a': [nan], 'b': None}"

    def test_is_one_line_of_json(self) -> None:
        line = encode(EVERY_TYPE)

        assert b"\n" not in line
        orjson.loads(line)

    values = st.recursive(
        st.one_of(
            st.none(),
            st.booleans(),
            st.floats(allow_nan=False),
            st.text(st.characters(codec="utf-8", exclude_characters="\x00")),
            st.integers(-(2**31), 2**31 - 1),
            st.integers(-(2**63), 2**63 - 1).map(Int64),
            st.datetimes(dt.datetime(1, 1, 1), dt.datetime(9999, 1, 1)).map(
                lambda timestamp: timestamp.replace(microsecond=timestamp.microsecond // 1000 * 1000)
            ),
            st.binary(max_size=20),
        ),
        lambda inner: st.one_of(
            st.lists(inner, max_size=4), st.dictionaries(st.text("abcdefg. é", min_size=1), inner, max_size=4)
        ),
        max_leaves=15,
    )

    @settings(max_examples=examples(100))
    @given(st.dictionaries(st.text("abcdefg. é", min_size=1), values))
    def test_keeps_any_document(self, document: dict[str, Any]) -> None:
        assert same(decode(encode(document)), document)

    @pytest.mark.parametrize("line", [b"", b"[]", b"1", b"{", b'{"a": {"$date": "x"}}', b'{"a": {"$oid": 1}}'])
    def test_that_is_no_document_is_rejected(self, line: bytes) -> None:
        with pytest.raises(ValueError):
            decode(line)


@dataclass(frozen=True)
class Sample:
    """A database with one or two of everything: a backup of it, what the backup contains, and a token."""

    content: bytes
    documents: dict[str, list[bytes]]
    token: str
    campaign_id: str


@pytest.fixture(scope="module")
def sample(mongod: Mongod, new_campaign: Callable[[], dict[str, Any]]) -> Sample:
    """Made once over the API. A test that changes the documents takes the fixture `api`, which stores them again."""
    with long_history(mongod.uri), own_database(mongod.uri, "sample") as (store, database):
        app = create_app(Settings(mongodb_uri=store.uri, cache_seconds=0, **factories.UNLIMITED))
        client = new_client(app, database, new_campaign())
        fill(client, database)
        for name in (*SIGN_INS, *UPLOADS, "rate_limits"):
            database[name].insert_one({"_id": "of the backed up database"})
        app.extensions[EXTENSION].store.close()
        return Sample(backed_up(store), dumped(database), client.token, client.campaign_id)


def fill(api: Client, database: Database) -> None:
    """Stores one or two of everything, in every collection that the store has, and types that only others write."""
    api.created("/tags", {"name": "volunteer"})
    api.created("/lists", {"name": "supporters"})
    api.created("/questions", {"question_type": "Paragraph"})
    api.created("/wrappers", {"footer": "Riverton"})
    message = api.created("/messages", factories.message())
    api.put(
        f"/advocacy_campaigns/{api.campaign_id}/triggers", {"autoresponse": {"identifiers": message["identifiers"]}}
    )
    api.created("/webhooks", {"url": "https://hooks.example.org/osdi", "events": ["outreach_recorded"]})
    for number in range(3):
        body = factories.outreach(
            add_tags=["volunteer"], add_lists=["supporters"], triggers={"autoresponse": {"enabled": True}}
        )
        api.recorded(body | {"identifiers": [f"crm:{number}"]})
    signing_key(api.http.application.extensions[EXTENSION].store, "unsubscribe")
    merged = [api.recorded(factories.by_email(f"jane.{at}@example.com"))["_links"]["osdi:person"] for at in range(2)]
    api.post(f"{merged[0]['href']}/merge", {"_links": {"osdi:person": merged[1]}})
    database.erasures.insert_one({"_id": "gone", "people": ["gone"], "outreaches": "keep", "erased_date": TIMESTAMP})
    database.suppressions.insert_one({"_id": "digest", "version": 1, "refused": {}, "history": []})
    database.mailbox_intervals.insert_one({"_id": "interval", "followup_id": "f", "until": dt.datetime(2999, 1, 1)})
    database.tombstones.insert_one({"_id": "0" * 64, "erased_date": TIMESTAMP})
    opted_out = {"email_addresses": [{"address": "jim@example.com", "status": "unsubscribed"}]}
    api.created("/people", {"person": opted_out})
    database.mailbox_intervals.insert_one({"_id": "0" * 64, "followup_id": "x", "until": now() + dt.timedelta(days=9)})
    database.postal_codes.insert_one({"_id": "x", "advocacy_campaign_id": "y", "version": 1, "next": "z"})
    database.embedding_sites.insert_one({"_id": "x", "advocacy_campaign_id": "y", "origin": "z", "last_date": now()})
    database.of_a_later_version.insert_one({"_id": "x", **EVERY_TYPE})
    database.staff.insert_one({"_id": "x", "email": "ada@example.org", "scopes": ["read"], "disabled": False})
    database.staff_events.insert_one({"_id": "x", "action": "add_staff", "expires_date": now() + dt.timedelta(days=9)})
    database.duplicate_exceptions.insert_one({"_id": "a b", "people": ["a", "b"], "created_date": TIMESTAMP})
    database.exports.insert_one({"_id": "x", "staff_id": "y", "expires_date": now() + dt.timedelta(days=9)})


@pytest.fixture
def api(app: Flask, sample: Sample, database: Database) -> Client:
    """A client of a database that contains the sample."""
    for name, documents in sample.documents.items():
        database[name].delete_many({})  # the signing keys, which `database` keeps
        database[name].insert_many([RawBSONDocument(each) for each in documents])
    client = Client(app.test_client(), sample.token)
    client.campaign_id = sample.campaign_id
    return client


def dumped(database: Database) -> dict[str, list[bytes]]:
    """Everything that is backed up, as BSON."""
    raw = database.client.get_database(database.name).with_options(
        codec_options=database.codec_options.with_options(document_class=RawBSONDocument)
    )
    names = set(database.list_collection_names()) - set(LEFT_OUT)
    found = {name: [bytes(each.raw) for each in raw[name].find().sort("_id")] for name in sorted(names)}
    return {name: documents for name, documents in found.items() if documents}


def quiet(_: Header) -> Callable[[int], None]:
    return lambda _: None


def backed_up(store: Store, *, snapshot: bool = True) -> bytes:
    file = io.BytesIO()
    write_backup(store, file, "osdi", snapshot=snapshot, begin=quiet)
    return file.getvalue()


def restored(store: Store, content: bytes, **options: Any) -> int:
    """Restores it; how many were erased again."""
    file = io.BytesIO(content)
    options = {"send_queued": True, "progress": lambda _: None, **options}
    return restore_backup(store, file, check_backup(file), RULES, **options)


@contextmanager
def restored_database(server: Mongod) -> Iterator[tuple[Store, Database]]:
    """Yields a store on another database of a server, which is empty, and that database."""
    uri = server.uri.replace("/osdi?", "/restored?")
    with MongoClient(uri) as client, closing(Store(uri)) as store:
        client.drop_database("restored")
        yield store, client.get_default_database()
        client.drop_database("restored")


@pytest.fixture
def other(request: pytest.FixtureRequest, only_unique_indexes: None) -> Iterator[tuple[Store, Database]]:
    """Another database, empty, on the replica set, or on the server that the test names.

    A restore has one way for both kinds of server. So one test of each function that writes in a transaction is
    enough on the standalone: `WITHOUT_TRANSACTIONS`.
    """
    with restored_database(request.getfixturevalue(getattr(request, "param", "mongod"))) as found:
        yield found


WITHOUT_TRANSACTIONS = pytest.mark.parametrize("other", ["standalone"], indirect=True)
ON_BOTH = pytest.mark.parametrize("other", ["mongod", "standalone"], indirect=True)


@dataclass(frozen=True)
class Restored:
    """The sample after a restore: where it is, and what it contained at once."""

    store: Store
    database: Database
    documents: dict[str, list[bytes]]


@pytest.fixture(scope="module", params=["mongod", "standalone"])
def restored_sample(request: pytest.FixtureRequest, sample: Sample) -> Iterator[Restored]:
    """The sample with all indexes, restored over other documents. Its tests share it, since they change nothing."""
    with restored_database(request.getfixturevalue(request.param)) as (store, database):
        for name in ("people", "elsewhere", "rate_limits", *COUNTED, *SIGN_INS, *UPLOADS):
            database[name].insert_one({"_id": "before"})
        restored(store, sample.content)
        yield Restored(store, database, dumped(database))


class TestARestoredBackup:
    """It equals the database that was backed up."""

    @pytest.mark.one_in(2)
    def test_is_equal_in_every_collection(self, sample: Sample, restored_sample: Restored) -> None:
        """And contains nothing else: two collections had documents before."""
        assert set(sample.documents) == {*INDEXES, TOMBSTONES, SIGNING_KEYS, "of_a_later_version"} - {
            *COUNTED,
            *SIGN_INS,
            *UPLOADS,
        }

        assert restored_sample.documents == sample.documents

    def test_has_recomputed_statistics(self, restored_sample: Restored) -> None:
        assert [restored_sample.database[name].count_documents({}) for name in COUNTED] == [0] * len(COUNTED)

    def test_has_no_session_no_link_of_staff_and_no_uploaded_file(self, restored_sample: Restored) -> None:
        found = [restored_sample.database[name].count_documents({}) for name in (*SIGN_INS, *UPLOADS)]

        assert found == [0, 0, 0, 0]

    def test_has_indexes_and_schema_version(self, restored_sample: Restored) -> None:
        database = restored_sample.database

        for name, indexes in INDEXES.items():
            there = [tuple(field for field, _ in each["key"]) for each in database[name].index_information().values()]
            assert {each.fields for each in indexes} <= set(there)
        found = database.schema.find_one()
        assert (found["schema_version"], "restoring" in found) == (SCHEMA_VERSION, False)

    def test_keeps_rate_limit_counters(self, restored_sample: Restored) -> None:
        assert [each["_id"] for each in restored_sample.database.rate_limits.find()] == ["before"]

    def test_serves_requests(self, api: Client, restored_sample: Restored) -> None:
        app = create_app(Settings(mongodb_uri=restored_sample.store.uri, cache_seconds=0, **factories.UNLIMITED))
        try:
            client = Client(app.test_client(), api.token)
            client.campaign_id = api.campaign_id

            assert client.get("/people").json == api.get("/people").json
            client.recorded(factories.outreach())
        finally:
            app.extensions[EXTENSION].store.close()

    def test_does_not_contain_people_erased_since(self, sample: Sample, other: tuple[Store, Database]) -> None:
        restored(other[0], sample.content)
        before = backed_up(other[0])
        person = other[1].people.find_one({"contact_keys": {"$exists": True}})
        assert person is not None
        erase(other[0], person["_id"], RULES)
        assert other[1].people.find_one({"_id": person["_id"]}) is None
        key = signing_key(other[0], ERASURE)

        assert restored(other[0], before) == 1

        assert other[1].people.find_one({"_id": person["_id"]}) is None
        assert other[1].outreaches.find_one({"person_id": person["_id"]}) is None
        assert signing_key(other[0], ERASURE) == key

    def test_contains_people_who_returned_after_an_erasure(
        self, api: Client, store: Store, other: tuple[Store, Database]
    ) -> None:
        note_erasure(store, ["email:back@example.com"], TIMESTAMP)
        api.record(factories.by_email("back@example.com"))

        assert restored(other[0], backed_up(store)) == 0

        assert other[1].people.find_one({"contact_keys": "email:back@example.com"}) is not None

    @pytest.mark.one_in(3)
    @pytest.mark.parametrize(
        ("other", "merged"),
        [("mongod", False), ("mongod", True), ("standalone", True)],
        ids=["alone", "with another person who was merged into them since", "without transactions"],
        indirect=["other"],
    )
    def test_contains_no_data_of_erased_people(self, other: tuple[Store, Database], merged: bool) -> None:
        store, database = other
        for number in range(2):
            insert_known(store, f"{MARKER}{number}")
        insert_known(store, "somebody else")
        before = backed_up(store)
        if merged:
            merge_stored_people(store, f"{MARKER}0", f"{MARKER}1", RULES)
        erase(store, f"{MARKER}0", RULES, "delete")
        tombstones = set(database.tombstones.distinct("_id"))

        assert restored(store, before) == (2 if merged else 1)

        database.erasures.delete_many({})  # ids alone, of what is not over
        database.published_deletions.delete_many({})  # ids alone, so that other systems delete their copies
        assert set(traces(database)) == (set() if merged else {"people", "outreaches"})
        assert f"{MARKER}0" not in str([list(database[name].find()) for name in database.list_collection_names()])
        assert database.outreaches.count_documents({}) == 3
        assert database.people.count_documents({"_id": "somebody else"}) == 1
        assert set(database.tombstones.distinct("_id")) == tombstones

    def test_does_not_contain_people_whose_erasure_was_running(self, other: tuple[Store, Database]) -> None:
        """Tombstones come first."""
        insert_known(other[0], MARKER)
        other[1].people.update_one({}, {"$set": {"created_date": TIMESTAMP}})
        note_erasure(other[0], [email_key(f"{MARKER}@example.com")], now() - dt.timedelta(seconds=1))

        assert restored(other[0], backed_up(other[0])) == 1

        assert other[1].people.count_documents({}) == 0

    def test_contains_people_who_returned_shortly_before_the_backup(self, other: tuple[Store, Database]) -> None:
        """The tombstone is young enough to be of an erasure that was running."""
        insert_known(other[0], "back")
        note_erasure(other[0], [email_key("back@example.com")], now() - dt.timedelta(seconds=30))

        assert restored(other[0], backed_up(other[0])) == 0

        assert other[1].people.count_documents({"_id": "back"}) == 1

    def test_adds_its_tombstones_to_the_present_ones(self, other: tuple[Store, Database]) -> None:
        """The two databases are not of one deployment, or one has lost its key."""
        store, database = other
        insert_known(store, MARKER)
        note_erasure(store, ["email:before@example.com"], TIMESTAMP)
        before = backed_up(store)
        (theirs,) = database.tombstones.distinct("_id")
        for name in ("tombstones", "signing_keys"):
            database[name].delete_many({})
        key = signing_key(store, ERASURE)
        erase(store, MARKER, RULES)

        assert restored(store, before) == 1

        assert signing_key(store, ERASURE) == key
        assert was_erased(store, [email_key(f"{MARKER}@example.com")])
        assert database.tombstones.count_documents({"_id": theirs}) == 1
        assert not was_erased(store, ["email:before@example.com"])  # the deleted key is needed to find it

    def test_has_the_opt_outs_since_the_backup(self, api: Client, store: Store, other: tuple[Store, Database]) -> None:
        """The address of a person who is in the backup, and one that belongs to nobody."""
        here, database = other
        insert_known(here, MARKER)
        before = backed_up(here)
        known, unknown = email_key(f"{MARKER}@example.com"), email_key("nobody@example.com")
        for key in (known, unknown):
            suppression_list(here).change(key, add={MAIL: LINK})

        restored(here, before)

        here = Store(here.uri)
        assert [suppression_list(here).reason(MAIL, key, whole_mailbox=False) for key in (known, unknown)] == [
            *("unsubscribed", "unsubscribed"),
        ]
        here.close()
        person = database.people.find_one({"contact_keys": known})
        assert person["email_addresses"][0]["status"] == "unsubscribed"

    def test_lists_no_opt_out_that_only_a_post_without_a_token_has_claimed(
        self, api: Client, store: Store, other: tuple[Store, Database]
    ) -> None:
        claims = [{"number": "+16175550123", "do_not_call": True, "sms_capable": False}]
        for entries in ({"email_addresses": [{"address": "a@example.com", "status": "unsubscribed"}]}, claims):
            person = entries if isinstance(entries, dict) else {"phone_numbers": entries}
            api.record(factories.outreach(person=person), token=False)

        restored(other[0], backed_up(store))

        assert other[1].people.count_documents({"unconfirmed_statuses": {"$exists": True}}) == 2
        assert other[1].suppressions.count_documents({}) == store.count("suppressions", {})

    def test_has_the_opt_outs_of_the_backup(self, other: tuple[Store, Database]) -> None:
        """The person had opted out when the backup was made, and the database was lost since."""
        store, database = other
        suppression_list(store).change("email:nobody@example.com", add={MAIL: LINK})
        before = backed_up(store)
        for name in ("suppressions", "signing_keys"):
            database[name].delete_many({})

        restored(store, before)

        again = Store(store.uri)
        assert suppression_list(again).reason(MAIL, "email:nobody@example.com", whole_mailbox=False) == "unsubscribed"
        again.close()

    @pytest.mark.one_in(2)
    @pytest.mark.parametrize("present", [(), (SUPPRESSION,), (ERASURE,), (ERASURE, SUPPRESSION)])
    def test_says_which_digests_of_the_backup_count_no_more(
        self, other: tuple[Store, Database], present: tuple[str, ...]
    ) -> None:
        """The database was lost, and another one has been in service before the restore."""
        store, database = other
        suppression_list(store).change("email:before@example.com", add={MAIL: LINK})
        note_erasure(store, ["email:before@example.com"], TIMESTAMP)
        before = backed_up(store)
        database.client.drop_database(database.name)
        again = Store(store.uri)
        if SUPPRESSION in present:
            suppression_list(again).change("email:after@example.com", add={MAIL: LINK})
        if ERASURE in present:
            note_erasure(again, ["email:after@example.com"], TIMESTAMP)
        reported: list[str] = []

        restored(again, before, report=reported.append)
        again.close()

        assert reported == [OTHER_KEY[each] for each in present]
        again = Store(store.uri)
        reason = suppression_list(again).reason(MAIL, "email:before@example.com", whole_mailbox=False)
        assert (reason is None) == (SUPPRESSION in present)
        again.close()

    def test_has_its_own_key_without_present_tombstones(self, other: tuple[Store, Database]) -> None:
        store, database = other
        note_erasure(store, ["email:before@example.com"], TIMESTAMP)
        before = backed_up(store)
        database.client.drop_database(database.name)
        assert not was_erased(store, ["email:before@example.com"])  # makes a key

        restored(store, before)

        assert was_erased(store, ["email:before@example.com"])

    @pytest.mark.one_in(2)
    @pytest.mark.parametrize(("name", "limit"), [("BATCH", 2), ("BATCH_BYTES", 1)])
    def test_is_written_and_read_in_batches(
        self,
        api: Client,
        sample: Sample,
        store: Store,
        other: tuple[Store, Database],
        monkeypatch: pytest.MonkeyPatch,
        name: str,
        limit: int,
    ) -> None:
        """However many, or however large, they are; the bar goes on by as many."""
        monkeypatch.setattr(backup, name, limit)
        monkeypatch.setattr("osdi.store.scan.BATCH", 2)
        file = io.BytesIO()
        written: list[int] = []
        read: list[int] = []

        header = write_backup(store, file, "osdi", snapshot=True, begin=lambda _: written.append)
        restored(other[0], file.getvalue(), progress=read.append)

        assert max(written) == max(read) == limit
        assert sum(written) == sum(read) == header.documents
        assert dumped(other[1]) == sample.documents

    def test_of_an_older_program_is_migrated(self, other: tuple[Store, Database]) -> None:
        store, database = other
        insert_known(store, "jane")
        database.people.update_one({}, {"$unset": {"contact_keys": ""}})
        before = backed_up(store)
        assert check_backup(io.BytesIO(before)).schema_version == 0

        restored(store, before)

        assert database.people.distinct("contact_keys") == [email_key("jane@example.com")]
        assert database.schema.find_one()["schema_version"] == SCHEMA_VERSION

    def test_is_not_usable_before_erasures_are_repeated(
        self, other: tuple[Store, Database], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        store, database = other
        before = backed_up(store)

        def erase_again(*_: object) -> int:
            assert "restoring" in database.schema.find_one()
            return 7

        monkeypatch.setattr(backup, "erase_again", erase_again)

        assert restored(store, before) == 7
        assert "restoring" not in database.schema.find_one()

    def test_has_collections_of_other_programs_but_no_views(self, other: tuple[Store, Database]) -> None:
        store, database = other
        database['theirs: "1"'].insert_one({"_id": ObjectId("65f81d7e1c9d440000000000")})
        database.create_collection("view", viewOn="people", pipeline=[])
        there = dumped(database)

        restored(store, backed_up(store))

        assert dumped(database) == there
        assert check_backup(io.BytesIO(backed_up(store))).counts == {'theirs: "1"': 1}


def insert_known(store: Store, name: str) -> None:
    """A person whose id is a name, with an address made of it, and an outreach."""
    dates = {"version": 1, "created_date": now(), "modified_date": now()}
    address = f"{name}@example.com"
    person = {"_id": name, **dates, "email_addresses": [{"address": address}], "contact_keys": [email_key(address)]}
    store.write(Insert("people", {**person, "match_keys": [f"id:osdi_outreach:{name}", email_key(address)]}))
    outreach = {"_id": new_id(), **dates, "advocacy_campaign_id": "c", "action_date": now(), "person_id": name}
    store.write(Insert("outreaches", {**outreach, "message": name, "match_keys": [f"id:{outreach['_id']}"]}))


class TestQueuedFollowup:
    """A restore sends it again only with `--send-queued`."""

    FOLLOWUPS = (
        {"_id": "q", "state": "queued", "not_before": TIMESTAMP, "message_id": "m"},
        {"_id": "l", "state": "leased", "not_before": TIMESTAMP, "lease": "x"},
        {"_id": "s", "state": "sent", "sent_date": TIMESTAMP},
        {"_id": "f", "state": "failed", "reason": "no_smtp"},
    )

    def test_is_skipped_with_a_reason(self) -> None:
        found = without_queued("outreaches", {"_id": "o", "followups": list(self.FOLLOWUPS)})

        assert found["followups"] == [
            {"_id": "q", "state": "skipped", "reason": "restored", "message_id": "m"},
            {"_id": "l", "state": "skipped", "reason": "restored"},
            *self.FOLLOWUPS[2:],
        ]

    def test_drops_queued_webhook_events(self) -> None:
        events = {name: [{"event": "person_created"}] for name in ("webhook_events", "webhook_rejections")}

        assert without_queued("people", {"_id": "p", **events}) == {"_id": "p"}

    def test_changes_nothing_else(self) -> None:
        assert without_queued("outreaches", {"_id": "o", "targets": []}) == {"_id": "o", "targets": []}
        assert without_queued("x", {"_id": "o", "followups": [{"state": "queued"}]})["followups"] == [
            {"state": "queued"}
        ]

    def test_can_be_queued_again(self, app: Flask, api: Client, store: Store, database: Database) -> None:
        assert database.outreaches.count_documents({"followups.state": "queued"}) == 3
        restored(store, backed_up(store), send_queued=False)
        assert database.outreaches.count_documents({"followups.state": "queued"}) == 0

        command = ["followups", "retry", "--state", "skipped", "--reason", "restored"]
        assert app.test_cli_runner().invoke(args=command).output == "Queued follow-ups: 3.\n"

        assert database.outreaches.count_documents({"followups.state": "queued"}) == 3
        assert database.outreaches.count_documents({"webhook_events": {"$exists": True}}) == 0


class TestInvalidFile:
    """A restore rejects it with a message, and writes nothing."""

    @pytest.fixture
    def content(self, sample: Sample) -> bytes:
        return sample.content

    @pytest.mark.parametrize("twentieth", range(20))
    def test_that_is_cut_off(self, content: bytes, twentieth: int) -> None:
        cut = content[: len(content) * twentieth // 20]

        with pytest.raises(BadBackup, match=r"cut off|no backup|damaged"):
            check_backup(io.BytesIO(cut))

    @pytest.mark.parametrize("less", [1, 2, 8, 9])
    def test_without_its_last_line(self, content: bytes, less: int) -> None:
        with pytest.raises(BadBackup):
            check_backup(io.BytesIO(content[:-less]))

    def test_with_one_changed_byte(self, content: bytes) -> None:
        for place in range(10, len(content), max(1, len(content) // 97)):
            changed = bytearray(content)
            changed[place] ^= 0x55
            with pytest.raises(BadBackup):
                check_backup(io.BytesIO(bytes(changed)))

    @pytest.mark.parametrize(
        ("change", "message"),
        [
            (lambda lines: lines[:-1], "last line is missing"),
            (lambda lines: lines[:-2] + lines[-1:], "incomplete"),
            (lambda lines: [*lines[:-1], lines[1], lines[-1]], "incomplete"),
            (lambda lines: [lines[0], lines[2], lines[1], *lines[3:]], "SHA-256"),
            (lambda lines: [*lines, b"{}\n"], "follows the end"),
            (lambda lines: lines[1:], "not a backup's header"),
            (lambda lines: [b"id,given_name\r\n"], "not a backup's header"),
            (lambda lines: [b"[]\n", *lines[1:]], "not a backup's header"),
            (lambda lines: [b'{"osdi_backup": 2}\n', *lines[1:]], "format 2"),
            (lambda lines: [b'{"osdi_backup": 1}\n', *lines[1:]], "first line"),
            (lambda lines: [lines[0].replace(b'"counts":{', b'"counts":1,"x":{'), *lines[1:]], "first line"),
            (lambda lines: [re.sub(rb'"counts":{[^}]*}', b'"counts":1', lines[0]), *lines[1:]], "first line"),
            (lambda lines: [re.sub(rb'"counts":{[^}]*}', b'"counts":{"a":"1"}', lines[0]), *lines[1:]], "first line"),
            (lambda lines: [re.sub(rb'"schema_version":\d+', b'"schema_version":"1"', lines[0])], "first line"),
            (lambda lines: [re.sub(rb'"created_date":"', b'"created_date":"x', lines[0]), *lines[1:]], "first line"),
            (lambda lines: [lines[0], b"garbage\n", *lines[1:]], "Line 2"),
            (lambda lines: [lines[0], b'{"people":{"a":}}\n', *lines[1:]], "Line 2"),
            (lambda lines: [lines[0], b'{"people":{"a":{"$date":"x"}}}\n', *lines[1:]], "Line 2"),
            (lambda lines: [lines[0], b'{"":{}}\n', *lines[1:]], "Line 2"),
            (lambda lines: [lines[0], b'{"system.views":{}}\n', *lines[1:]], "Line 2"),
            (lambda lines: [lines[0], b'{"schema":{}}\n', *lines[1:]], "Line 2"),
            (lambda lines: [lines[0], b'{"restore_staging.people":{}}\n', *lines[1:]], "Line 2"),
            (lambda lines: [*lines[:-1], b'{"osdi_backup_end":{}}\n'], "last line of the backup is broken"),
        ],
    )
    def test_with_changed_lines(
        self, content: bytes, change: Callable[[list[bytes]], list[bytes]], message: str
    ) -> None:
        lines = gzip.decompress(content).splitlines(keepends=True)

        with pytest.raises(BadBackup, match=re.escape(message)):
            check_backup(io.BytesIO(gzip.compress(b"".join(change(lines)))))

    @pytest.mark.parametrize("content", [b"", b"id,name\n", b"PK\x03\x04", gzip.compress(b"", mtime=0)])
    def test_that_is_no_backup(self, content: bytes) -> None:
        with pytest.raises(BadBackup, match="no backup"):
            check_backup(io.BytesIO(content))

    def test_with_an_endless_line(self, content: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
        """Of such a line no more is read than the longest document takes, and it is not looked at any further."""
        monkeypatch.setattr(archive, "decode", lambda _: pytest.fail("parsed it"))
        monkeypatch.setattr(archive, "MAX_LINE_BYTES", 10_000)
        bomb = gzip.compress(gzip.decompress(content).splitlines(keepends=True)[0] + b'{"people":' + b" " * 10_000_000)
        file = io.BytesIO(bomb)

        with pytest.raises(BadBackup, match=r"Line 2 is longer than 10,000 bytes"):
            check_backup(file)
        assert file.tell() < len(bomb)

    def test_with_an_endless_first_line(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(archive, "MAX_HEADER_BYTES", 10_000)
        bomb = gzip.compress(b'{"osdi_backup":' + b" " * 10_000_000)
        file = io.BytesIO(bomb)

        with pytest.raises(BadBackup, match="first line"):
            check_backup(file)
        assert file.tell() < len(bomb)

    def test_of_a_newer_program(self, content: bytes) -> None:
        newer = gzip.decompress(content).replace(b'"schema_version":0', b'"schema_version":99', 1)

        with pytest.raises(BadBackup, match="schema_version 99"):
            check_backup(io.BytesIO(gzip.compress(newer)))


class TestTheCommands:
    """`backup FILE` and `restore FILE`."""

    def run(self, app: Flask, *arguments: str, stdin: str | None = None) -> Result:
        return app.test_cli_runner().invoke(args=list(arguments), input=stdin)

    @pytest.fixture
    def file(self, app: Flask, api: Client, tmp_path: Path) -> Path:
        found = tmp_path / "osdi.backup.backup.gz"
        result = self.run(app, "backup", str(found))
        assert result.exit_code == 0, result.output
        assert "5 outreaches" in result.stdout
        return found

    def test_write_a_file_that_only_its_owner_reads(self, file: Path) -> None:
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        assert os.listdir(file.parent) == [file.name]

    def test_reject_a_database_that_is_not_empty(self, app: Flask, file: Path, database: Database) -> None:
        before = dumped(database)

        result = self.run(app, "restore", str(file))

        assert result.exit_code == 2
        assert "not empty" in result.stderr
        assert dumped(database) == before

    def test_replace_the_database_when_its_name_is_typed(self, app: Flask, file: Path, database: Database) -> None:
        before = dumped(database)
        database.people.delete_many({})
        database.tags.insert_one({"_id": "new", "match_keys": ["name:new"]})

        result = self.run(app, "restore", str(file), "--replace", "--send-queued", stdin="osdi\n")

        assert result.exit_code == 0, result.output
        assert dumped(database) == before
        assert "tests" in result.stderr  # the tokens that are valid again

    @pytest.mark.one_in(2)
    @pytest.mark.parametrize("back", [False, True], ids=["as a rule", "unless they are brought back"])
    def test_erases_again_people_erased_since_the_backup(
        self, app: Flask, file: Path, store: Store, database: Database, back: bool
    ) -> None:
        person_id = database.people.find_one({"contact_keys": {"$exists": True}})["_id"]
        erase(store, person_id, RULES)
        known = database.tombstones.count_documents({})
        options = ["--include-erased"] if back else []

        result = self.run(app, "restore", str(file), "--replace", *options, stdin="osdi\n")

        assert result.exit_code == 0, result.output
        assert ("Erased 1 people again" in result.stdout) is not back
        assert database.people.count_documents({"_id": person_id}) == (1 if back else 0)
        assert database.tombstones.count_documents({}) == known  # imports leave them out all the same

    def test_do_not_overwrite_another_backup(self, app: Flask, file: Path) -> None:
        before = file.read_bytes()

        result = self.run(app, "backup", str(file))

        assert result.exit_code == 2
        assert "exists already" in result.stderr
        assert file.read_bytes() == before

    def test_change_nothing_when_another_name_is_typed(self, app: Flask, file: Path, database: Database) -> None:
        before = dumped(database)

        assert self.run(app, "restore", str(file), "--replace", stdin="production\n").exit_code == 1
        assert dumped(database) == before

    @pytest.mark.parametrize("part", [0.0, 0.5, 0.95])
    def test_restore_nothing_of_a_file_that_is_cut_off(
        self, app: Flask, file: Path, database: Database, part: float
    ) -> None:
        before = dumped(database)
        file.write_bytes(file.read_bytes()[: int(file.stat().st_size * part)])

        result = self.run(app, "restore", str(file), "--replace", stdin="osdi\n")

        assert result.exit_code == 1
        assert result.stderr.startswith("Error: The file is")
        assert dumped(database) == before

    def test_need_a_server(self, tmp_path: Path) -> None:
        app = create_app(Settings(mongodb_uri="mongomock://"))

        assert self.run(app, "backup", str(tmp_path / "x")).exit_code == 2


def test_a_backup_during_posts_is_one_snapshot(api: Client, store: Store, other: tuple[Store, Database]) -> None:
    """Every outreach has its person, and the counts are those of the header."""
    stop, recorded = threading.Event(), threading.Semaphore(0)

    def record() -> None:
        while not stop.is_set():
            api.recorded(factories.outreach())
            recorded.release()

    thread = threading.Thread(target=record)
    thread.start()
    try:
        for _ in range(5):
            assert recorded.acquire(timeout=30)

        def begin(header: Header) -> Callable[[int], None]:
            for _ in range(5):  # what came behind the moment
                assert recorded.acquire(timeout=30)
            return lambda _: None

        file = io.BytesIO()
        written = write_backup(store, file, "osdi", snapshot=True, begin=begin)
    finally:
        stop.set()
        thread.join()
    restored(other[0], file.getvalue())

    people = set(other[1].people.distinct("_id"))
    assert written.one_moment
    assert other[1].outreaches.count_documents({}) == written.counts["outreaches"]
    assert set(other[1].outreaches.distinct("person_id")) <= people
    assert len(people) < store.count("people", {})


@ON_BOTH
def test_a_standalone_is_read_without_a_snapshot(other: tuple[Store, Database]) -> None:
    other[0].write(Insert("tags", {"_id": new_id(), "match_keys": ["a"]}))
    file = io.BytesIO()

    written = write_backup(other[0], file, "osdi", snapshot=True, begin=quiet)

    assert written.one_moment == other[0].supports_transactions
    assert check_backup(io.BytesIO(file.getvalue())).counts["tags"] == 1


def test_documents_written_during_a_backup_are_in_its_counts(other: tuple[Store, Database]) -> None:
    store, database = other
    database.tags.insert_one({"_id": "before"})
    file = io.BytesIO()

    def begin(header: Header) -> Callable[[int], None]:
        assert header.counts == {"tags": 1}
        database.tags.insert_one({"_id": "meanwhile"})
        return lambda _: None

    written = write_backup(store, file, "osdi", snapshot=False, begin=begin)

    assert written.counts == check_backup(file).counts == {"tags": 2}


@WITHOUT_TRANSACTIONS
@pytest.mark.parametrize("people", [2, 3])
def test_the_person_who_was_read_last_keeps_a_shared_match_key(
    other: tuple[Store, Database], monkeypatch: pytest.MonkeyPatch, people: int
) -> None:
    store, database = other
    scan = dump_store.scan

    def scan_and_sign_up_again(of: Store, collection: str, *given: Any, **options: Any) -> Iterator[Any]:
        for document in scan(of, collection, *given, **options):
            yield document
            if collection == "people" and document["_id"] != f"{people - 1}":
                database.people.delete_one({"_id": document["_id"]})
                sign_up(int(document["_id"]) + 1)

    def sign_up(number: int) -> None:
        insert_known(store, str(number))
        contact = {"email_addresses": [{"address": "jane@example.com"}], "contact_keys": ["email:jane@example.com"]}
        keys = [f"id:osdi_outreach:{number}", "email:jane@example.com", "id:crm:7"]
        database.people.update_one(
            {"_id": str(number)}, {"$set": {**contact, "identifiers": ["crm:7"], "match_keys": keys}}
        )

    sign_up(0)
    monkeypatch.setattr(dump_store, "scan", scan_and_sign_up_again)
    monkeypatch.setattr("osdi.store.scan.BATCH", 1)
    content = backed_up(store, snapshot=False)
    reported: list[str] = []

    restored(store, content, report=reported.append)

    assert f"Documents that gave a match key up to a document that was read later: {people - 1}." in reported
    *earlier, last = database.people.find().sort("_id")
    assert last["match_keys"] == [f"id:osdi_outreach:{people - 1}", "email:jane@example.com", "id:crm:7"]
    assert [each["match_keys"] for each in earlier] == [[f"id:osdi_outreach:{n}"] for n in range(people - 1)]
    assert all(each["unclaimed_keys"] == ["email:jane@example.com"] for each in earlier)
    assert [each.get("identifiers") for each in (*earlier, last)] == [None] * len(earlier) + [["crm:7"]]


LINKS = {
    "an outreach of a deleted person": (
        [("people", {"_id": "gone"})],
        "People who are not in the backup and whose outreaches stay without them: 1.",
    ),
    "a tagging of a deleted tag": (
        [("tags", {"_id": "tag"})],
        "Tags, lists and questions that are not in the backup and were removed from people: 1.",
    ),
}


@pytest.mark.one_in(2)
@pytest.mark.parametrize(("deleted", "reported"), LINKS.values(), ids=LINKS)
def test_links_to_documents_that_are_not_in_the_file_are_removed_and_reported(
    other: tuple[Store, Database], deleted: list[tuple[str, dict[str, str]]], reported: str
) -> None:
    """A snapshot may be of the middle of a DELETE."""
    store, database = other
    for name in ("gone", "jane"):
        insert_known(store, name)
    store.write(Insert("tags", {"_id": "tag", "match_keys": ["name:tag"]}))
    database.people.update_many({}, {"$set": {"taggings": [{"_id": new_id(), "tag_id": "tag"}]}})
    for collection, query in deleted:
        database[collection].delete_one(query)
    sentences: list[str] = []

    restored(store, backed_up(store), report=sentences.append)

    assert sentences == [reported]
    assert database.outreaches.count_documents({}) == 2
    linked = database.outreaches.find({"person_id": {"$exists": True}})
    assert {each["person_id"] for each in linked} == set(database.people.distinct("_id"))
    assert database.people.distinct("taggings.tag_id") == database.tags.distinct("_id")


@WITHOUT_TRANSACTIONS
def test_a_collection_that_is_created_during_a_backup_is_in_it(
    other: tuple[Store, Database], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first erasure creates the collection of tombstones, and the key that they are made with."""
    store, database = other
    insert_known(store, "jane")
    scan = dump_store.scan

    def scan_and_erase(of: Store, collection: str, *given: Any, **options: Any) -> Iterator[Any]:
        yield from scan(of, collection, *given, **options)
        if collection == "people":
            erase(store, "jane", RULES)

    monkeypatch.setattr(dump_store, "scan", scan_and_erase)
    content = backed_up(store, snapshot=False)
    database.client.drop_database(database.name)

    assert restored(store, content) == 1
    assert was_erased(store, [email_key("jane@example.com")])


def test_a_document_that_no_restore_would_take_is_no_part_of_a_backup(
    other: tuple[Store, Database], monkeypatch: pytest.MonkeyPatch
) -> None:
    other[1].theirs.insert_one({"_id": "long", "text": "x" * 10_000})
    monkeypatch.setattr(archive, "MAX_LINE_BYTES", 10_000)

    with pytest.raises(OsdiError, match="document long of theirs is too long"):
        backed_up(other[0])


def test_the_longest_document_of_the_database_can_be_restored(other: tuple[Store, Database]) -> None:
    other[1].theirs.insert_one({"_id": "long", "text": "x" * (16 * 1024 * 1024 - 100)})
    there = dumped(other[1])

    restored(other[0], backed_up(other[0]))

    assert dumped(other[1]) == there


def test_an_incomplete_read_is_no_backup(api: Client, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    reading = dump_store.scan
    monkeypatch.setattr(dump_store, "scan", lambda *given, **options: islice(reading(*given, **options), 1, None))
    file = io.BytesIO()

    with pytest.raises(OsdiError, match="but read"):
        write_backup(store, file, "osdi", snapshot=True, begin=quiet)
    with pytest.raises(BadBackup):
        check_backup(file)


def test_a_backup_waits_for_an_unavailable_database(
    api: Client, store: Store, fail: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("osdi.retry.PAUSE_SECONDS", 0)
    there = check_backup(io.BytesIO(backed_up(store)))
    fail({"times": 1}, ["find"], errorCode=50, namespace="osdi.people")

    assert check_backup(io.BytesIO(backed_up(store))).counts == there.counts


def test_collections_with_references_are_read_first(api: Client, store: Store) -> None:
    """So that without a snapshot the person of each outreach is there too."""
    lines = gzip.decompress(backed_up(store, snapshot=False)).splitlines()

    collections = list(dict.fromkeys(next(iter(orjson.loads(line))) for line in lines[1:]))
    assert collections[:2] == ["outreaches", "people"]


def test_a_failed_write_of_a_tombstone_is_not_counted_as_a_duplicate(other: tuple[Store, Database]) -> None:
    store, database = other
    database.create_collection("tombstones", validator={"erased_date": {"$exists": True}})

    with pytest.raises(BulkWriteError):
        dump_store.insert(store, "tombstones", [{"_id": "a"}])


@pytest.mark.parametrize("command", ["find", "aggregate"])
def test_an_expired_snapshot_is_reported(api: Client, store: Store, fail: Callable[..., None], command: str) -> None:
    fail("alwaysOn", [command], errorCode=239, namespace="osdi.people")

    with pytest.raises(OsdiError, match="--no-snapshot"):
        backed_up(store)


def test_a_connected_process_notices_a_restore(other: tuple[Store, Database], monkeypatch: pytest.MonkeyPatch) -> None:
    store, database = other
    store.get("people", "x")
    database.schema.replace_one({"_id": "schema"}, {"restoring": now()}, upsert=True)
    later = time.monotonic() + LOOK_SECONDS
    monkeypatch.setattr("osdi.store.store.time.monotonic", lambda: later)

    with pytest.raises(WrongDatabase, match="restore"):
        store.get("people", "x")

    database.schema.update_one({}, {"$unset": {"restoring": ""}})
    assert store.get("people", "x") is None


def test_every_collection_is_backed_up_or_left_out_on_purpose() -> None:
    assert not ({*INDEXES, SIGNING_KEYS} - {*COUNTED, *SIGN_INS, *UPLOADS}) & set(LEFT_OUT)
