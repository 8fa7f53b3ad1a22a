"""A restore that fails leaves the former data in service; one whose process is killed can be ended."""

import gzip
import hashlib
import io
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest
from flask import Flask
from pymongo.database import Database

from app import create_app
from blueprints.http.context import EXTENSION
from dev.mongod import Mongod
from osdi.backup import backup, staging_store
from osdi.backup.archive import BadBackup
from osdi.backup.backup import check_backup
from osdi.backup.staging_store import CANCELLED, COMPLETED, end_interrupted_restore
from osdi.errors import OsdiError, unavailable
from osdi.match_keys import email_key
from osdi.privacy.erasure import erase
from osdi.settings import Settings
from osdi.store import Store
from osdi.store.schema_version import WrongDatabase
from tests.backup.test_backup import backed_up, dumped, insert_known, restored
from tests.support import factories
from tests.support.databases import long_history, own_database
from tests.support.factories import RULES

# A backup reads from a snapshot.
pytestmark = pytest.mark.usefixtures("snapshots")

DATABASE = "failed_restore"


class Killed(BaseException):
    """The process ends here: nothing is cleaned up."""


@pytest.fixture
def target(request: pytest.FixtureRequest, only_unique_indexes: None) -> Iterator[tuple[Store, Database]]:
    """A database with data in service, on the replica set or on the server that the test names, and its store.

    Staging has one way for both kinds of server: `ON_STANDALONE` are the tests that show it for the standalone.
    """
    server: Mongod = request.getfixturevalue(getattr(request, "param", "mongod"))
    with own_database(server.uri, DATABASE) as (store, database):
        insert_known(store, "former")
        yield store, database


ON_STANDALONE = pytest.mark.parametrize("target", ["standalone"], indirect=True)


@pytest.fixture(scope="module")
def content(mongod: Mongod) -> bytes:
    """A backup of two other people."""
    with long_history(mongod.uri), own_database(mongod.uri, "two_people") as (store, _):
        for name in ("jane", "joan"):
            insert_known(store, name)
        return backed_up(store)


def is_in_service(store: Store) -> bool:
    """True if another process works on the database."""
    later = Store(store.uri)
    try:
        later.get("people", "x")
    except WrongDatabase:
        return False
    finally:
        later.close()
    return True


def staged(database: Database) -> list[str]:
    return [name for name in database.list_collection_names() if name.startswith(staging_store.STAGING)]


def rewritten(content: bytes, change: Callable[[list[bytes]], list[bytes]], *, one_moment: bool) -> bytes:
    """A complete backup with other lines between the first and the last one."""
    lines = gzip.decompress(content).splitlines(keepends=True)
    header = orjson.loads(lines[0]) | {"one_moment": one_moment}
    body = change(lines[1:-1])
    first = orjson.dumps(header) + b"\n"
    counts: dict[str, int] = {}
    for line in body:
        name = next(iter(orjson.loads(line)))
        counts[name] = counts.get(name, 0) + 1
    digest = hashlib.sha256(b"".join([first, *body])).hexdigest()
    last = orjson.dumps({"osdi_backup_end": {"counts": counts, "sha256": digest}}) + b"\n"
    return gzip.compress(b"".join([first, *body, last]))


def with_another(name: str, **fields: Any) -> Callable[[list[bytes]], list[bytes]]:
    """Repeats the last document of a collection, with these fields."""

    def change(lines: list[bytes]) -> list[bytes]:
        found = [line for line in lines if line.startswith(b'{"%b":' % name.encode())]
        document = orjson.loads(found[-1])[name] | fields
        return [*lines, orjson.dumps({name: document}) + b"\n"]

    return change


@pytest.mark.one_in(3)
@pytest.mark.parametrize(
    ("change", "one_moment", "message"),
    [
        (with_another("people", _id="zoe"), True, "document zoe of people has .* unique value"),
        (with_another("outreaches", _id="zoe"), True, "document zoe of outreaches has .* unique value"),
        (with_another("people"), True, "document joan of people"),
        (with_another("people"), False, "document joan of people"),
    ],
    ids=["a match key of two people", "a match key of two outreaches", "an id twice", "an id twice without a snapshot"],
)
def test_a_file_with_a_unique_value_twice_is_rejected_with_its_reason(
    target: tuple[Store, Database],
    content: bytes,
    change: Callable[[list[bytes]], list[bytes]],
    one_moment: bool,
    message: str,
) -> None:
    store, database = target
    before = dumped(database)

    with pytest.raises(BadBackup, match=message) as caught:
        restored(store, rewritten(content, change, one_moment=one_moment))

    assert "example.com" not in str(caught.value), "the message is printed to logs"
    assert dumped(database) == before
    assert staged(database) == []
    assert is_in_service(store)


def fail_at(module: Any, name: str, error: BaseException) -> Callable[[pytest.MonkeyPatch], None]:
    def fail(*_: Any, **__: Any) -> None:
        raise error

    return lambda monkeypatch: monkeypatch.setattr(module, name, fail)


FAILURES = {
    "while it deletes an earlier attempt": fail_at(staging_store, "_drop_staging", unavailable("away")),
    "while it keeps the tombstones": fail_at(staging_store, "keep_digests", unavailable("away")),
    "while it inserts": fail_at(backup, "insert", unavailable("away")),
    "by Ctrl-C": fail_at(backup, "insert", KeyboardInterrupt()),
    "while it migrates": fail_at(backup, "migrate", OsdiError(503)),
    "while it repairs links": fail_at(backup, "repair_links", MemoryError()),
    "while it erases again": fail_at(backup, "erase_again", unavailable("away")),
    "before it replaces": fail_at(staging_store, "_begin_replacing", unavailable("away")),
}


@pytest.mark.one_in(4)
@ON_STANDALONE
@pytest.mark.parametrize("failure", [each for each in FAILURES if "earlier" not in each])
def test_the_former_data_is_in_service_after_a_restore_that_fails(
    target: tuple[Store, Database], content: bytes, monkeypatch: pytest.MonkeyPatch, failure: str
) -> None:
    store, database = target
    before = dumped(database)
    schema = list(database.schema.find())

    with monkeypatch.context() as patch:
        FAILURES[failure](patch)
        with pytest.raises((OsdiError, KeyboardInterrupt, MemoryError)):
            restored(store, content)

    assert (dumped(database), list(database.schema.find())) == (before, schema)
    assert staged(database) == []
    assert is_in_service(store)
    restored(store, content)
    assert set(database.people.distinct("_id")) == {"jane", "joan"}


@pytest.mark.one_in(4)
@pytest.mark.parametrize("failure", ["while it deletes an earlier attempt", "while it inserts", "before it replaces"])
@pytest.mark.parametrize("again", ["it is ended", "it is repeated"])
def test_a_restore_whose_process_was_killed_before_it_replaced_anything_can_be_cancelled(
    target: tuple[Store, Database], content: bytes, monkeypatch: pytest.MonkeyPatch, failure: str, again: str
) -> None:
    store, database = target
    before = dumped(database)
    with monkeypatch.context() as patch:
        FAILURES[failure](patch)
        patch.setattr(staging_store, "_cancel", lambda _: None)
        with pytest.raises((OsdiError, KeyboardInterrupt, MemoryError)):
            restored(store, content)
    assert not is_in_service(store)

    if again == "it is ended":
        assert end_interrupted_restore(store) == CANCELLED
        assert dumped(database) == before
        assert end_interrupted_restore(store) is None
    else:
        restored(store, content)
        assert set(database.people.distinct("_id")) == {"jane", "joan"}
    assert staged(database) == []
    assert is_in_service(store)


def test_a_cancelled_restore_is_never_completed(
    target: tuple[Store, Database], content: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The write that begins the replacement is stored, its reply is lost, and the process dies while it cancels."""
    store, database = target
    before = dumped(database)
    begin, drop = staging_store._begin_replacing, type(database).drop_collection
    dropped = iter([True])

    def begin_and_lose_the_reply(of: Store) -> None:
        begin(of)
        raise unavailable("away")

    def drop_one(self: Any, *given: Any) -> Any:
        if next(dropped, None) is None:
            raise Killed
        return drop(self, *given)

    with monkeypatch.context() as patch:
        patch.setattr(staging_store, "_begin_replacing", begin_and_lose_the_reply)
        patch.setattr(type(database), "drop_collection", drop_one)
        with pytest.raises(Killed):
            restored(store, content)

    assert end_interrupted_restore(store) == CANCELLED
    assert dumped(database) == before
    assert is_in_service(store)


def test_replacing_waits_for_an_unavailable_database(
    target: tuple[Store, Database], content: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, database = target
    complete, failures = staging_store._complete, iter([True, True])

    def be_away_first(of: Store) -> None:
        if next(failures, False):
            raise unavailable("away")
        complete(of)

    monkeypatch.setattr("osdi.retry.PAUSE_SECONDS", 0)
    monkeypatch.setattr(staging_store, "_complete", be_away_first)

    restored(store, content)

    assert set(database.people.distinct("_id")) == {"jane", "joan"}
    assert is_in_service(store)


@pytest.mark.one_in(3)
@ON_STANDALONE
@pytest.mark.parametrize(
    ("after", "again"),
    [
        (0, "it is ended"),
        (1, "it is ended"),
        (4, "it is ended"),
        (1, "it is repeated with a file that is rejected"),
    ],
)
def test_a_restore_whose_process_was_killed_while_it_replaced_can_be_completed(
    target: tuple[Store, Database], content: bytes, monkeypatch: pytest.MonkeyPatch, after: int, again: str
) -> None:
    """`after` is the number of collections that were renamed before."""
    store, database = target
    database.of_the_former_data.insert_one({"_id": "x"})
    renamed = iter(range(after))
    collection = type(database.people)
    rename = collection.rename

    def die(self: Any, *given: Any, **options: Any) -> Any:
        if next(renamed, None) is None:
            raise Killed
        return rename(self, *given, **options)

    with monkeypatch.context() as patch:
        patch.setattr(collection, "rename", die)
        with pytest.raises(Killed):
            restored(store, content)
    assert not is_in_service(store)

    if again == "it is ended":
        assert end_interrupted_restore(store) == COMPLETED
    else:
        twice = rewritten(content, with_another("people"), one_moment=True)
        with pytest.raises(BadBackup):
            restored(store, twice)

    assert set(database.people.distinct("_id")) == {"jane", "joan"}
    assert database.outreaches.count_documents({}) == 2
    assert "of_the_former_data" not in database.list_collection_names()
    assert any(each.get("unique") for each in database.people.index_information().values())
    assert staged(database) == []
    assert is_in_service(store)


@pytest.mark.parametrize("target", ["mongod", "standalone"], indirect=True)
def test_a_person_who_is_erased_while_a_restore_begins_stays_erased(
    target: tuple[Store, Database], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The process that erases has not noticed the restore yet."""
    store, database = target
    before = backed_up(store)
    migrate = backup.migrate
    other_process = Store(store.uri)
    other_process.get("people", "x")

    def erase_then_migrate(*given: Any) -> Any:
        erase(other_process, "former", RULES)
        return migrate(*given)

    monkeypatch.setattr(backup, "migrate", erase_then_migrate)

    assert restored(store, before) == 1
    other_process.close()
    assert database.people.count_documents({"contact_keys": email_key("former@example.com")}) == 0


class TestTheCommand:
    """`restore --recover`."""

    @pytest.fixture
    def app(self, target: tuple[Store, Database]) -> Iterator[Flask]:
        found = create_app(Settings(mongodb_uri=target[0].uri, cache_seconds=0, **factories.UNLIMITED))
        yield found
        found.extensions[EXTENSION].store.close()

    @pytest.mark.parametrize(
        ("module", "name", "message"),
        [
            (backup, "insert", "The former data is in service again"),
            (staging_store, "_complete", "All data was restored, and is in service now"),
        ],
        ids=["before anything is replaced", "while it replaces"],
    )
    def test_ends_an_interrupted_restore(
        self,
        app: Flask,
        target: tuple[Store, Database],
        content: bytes,
        monkeypatch: pytest.MonkeyPatch,
        module: Any,
        name: str,
        message: str,
    ) -> None:
        with monkeypatch.context() as patch:
            fail_at(module, name, Killed())(patch)
            patch.setattr(staging_store, "_cancel", lambda _: None)
            with pytest.raises(Killed):
                restored(target[0], content)

        result = app.test_cli_runner().invoke(args=["restore", "--recover"])

        assert (result.exit_code, result.output) == (0, result.output)
        assert message in result.output
        assert is_in_service(target[0])

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            (["--recover"], "No restore was interrupted"),
            (["--recover", "FILE"], "Leave out FILE"),
            ([], "Name the FILE"),
        ],
    )
    def test_reports_the_error(
        self,
        app: Flask,
        target: tuple[Store, Database],
        content: bytes,
        tmp_path: Path,
        arguments: list[str],
        message: str,
    ) -> None:
        file = tmp_path / "osdi.backup.gz"
        file.write_bytes(content)
        check_backup(io.BytesIO(content))

        result = app.test_cli_runner().invoke(
            args=["restore", *(str(file) if each == "FILE" else each for each in arguments)]
        )

        assert result.exit_code == 2
        assert message in result.stderr
