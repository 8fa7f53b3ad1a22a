"""Each command ends with a sentence and an exit code, never with a traceback, whatever is missing (docs/commands.md).

The commands are those of `COMMANDS`, so that a new one is tested by itself. A new argument may need a value in
`values`.
"""

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, replace
from functools import cache
from ipaddress import ip_network
from pathlib import Path
from typing import IO, Any

import click
import pytest
from bson import ObjectId
from flask import Flask
from pymongo import MongoClient
from pymongo.database import Database

from app import create_app
from blueprints.http.context import EXTENSION
from dev.mongod import Mongod
from osdi.settings import Settings
from osdi.store import Store
from osdi.store.driver import with_database
from osdi.store.schema_version import SCHEMA
from tests.commands.command_runs import Ended, arguments, commands, run
from tests.support import factories
from tests.support.client import new_client
from tests.support.databases import Copy, empty
from tests.support.fork_server import ForkedProcess, popen
from tests.support.webhook_receiver import LOOPBACK, WebhookReceiver

NAMES = sorted(commands())
NOTHING_LISTENS = "mongodb://127.0.0.1:1/osdi"
PUBLIC = "http://localhost:5000"
SECONDS = 40
# These work on a database without our indexes, or only prepare one.
BEFORE_RELEASE = ("backup", "indexes", "release", "restore", "worker")
# One command of each module, and those that do not wait for the database as the others do.
WAITING = sorted(
    {*{commands()[name].callback.__module__: name for name in NAMES}.values(), "backup", "release", "restore"}
)
FILES = [(name, each.name) for name in NAMES for each in commands()[name].params if isinstance(each.type, click.Path)]


@pytest.fixture(scope="module")
def program(settings: Settings) -> Iterator[Callable[[str], Flask]]:
    """Returns the program for a database; a webhook may be on this machine."""

    @cache
    def make(uri: str) -> Flask:
        allowed = (ip_network(LOOPBACK),)
        made.append(create_app(replace(settings, mongodb_uri=uri, public_url=PUBLIC, webhook_networks=allowed)))
        return made[-1]

    made: list[Flask] = []
    yield make
    for app in made:
        app.extensions[EXTENSION].store.close()


@pytest.fixture(scope="module")
def app(program: Callable[[str], Flask], settings: Settings) -> Flask:  # type: ignore[override]
    """The program with the tests' database."""
    made = program(settings.mongodb_uri)
    store: Store = made.extensions[EXTENSION].store
    store.create_indexes()
    return made


@pytest.fixture(scope="module")
def database(app: Flask, mongod: Mongod) -> Iterator[Database]:  # type: ignore[override]
    """The tests' database. `values` fills it for each test."""
    with MongoClient(mongod.uri) as client:
        found = client.get_default_database()
        empty(found)
        yield found


@pytest.fixture
def one_attempt(monkeypatch: pytest.MonkeyPatch) -> None:
    """Makes an import give another server one attempt."""
    monkeypatch.setattr("osdi.importing.osdi_client.MAX_ATTEMPTS", 1)


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Shortens the times for which commands wait for a database."""
    monkeypatch.setattr("osdi.store.driver.SERVER_SELECTION_TIMEOUT_MS", 300)
    monkeypatch.setattr("osdi.operations.readiness.RETRY_SECONDS", 0.01)
    monkeypatch.setattr("osdi.operations.readiness.CHECK_SECONDS", 0.3)
    real = __import__("osdi.commands.register", fromlist=["wait_for_database"]).wait_for_database
    for place in ("register", "release"):
        monkeypatch.setattr(f"osdi.commands.{place}.wait_for_database", lambda store, _, say: real(store, 0.5, say))


@pytest.fixture(scope="module")
def kept_backup(app: Flask, database: Database, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A backup of an empty database."""
    file = tmp_path_factory.mktemp("backup") / "empty.backup.gz"
    assert run(app, "backup", "--no-snapshot", str(file)).code == 0
    return file.read_bytes()


@pytest.fixture
def files(tmp_path: Path, kept_backup: bytes) -> dict[str, Any]:
    """Values of the arguments that need no document in the database: files to read, and where to write."""
    tmp_path.chmod(0o755)
    people, outreaches = tmp_path / "people.csv", tmp_path / "outreaches.csv"
    people.write_text("email\nada@example.com\n")
    outreaches.write_text("email,action_date,campaign\nada@example.com,2026-03-18,x\n")
    backup = tmp_path / "kept.backup.gz"
    backup.write_bytes(kept_backup)
    return {
        "path": tmp_path / "new",
        "import people file": people,
        "import outreaches file": outreaches,
        "restore file": backup,
        "import osdi url": "http://127.0.0.1:1/api/v1",
        "webhooks create url": "http://127.0.0.1:1/",
        "staff add email": "grace@example.org",
        "name": "CRM",
    }


@pytest.fixture(scope="module")
def receiver() -> Iterator[WebhookReceiver]:
    with WebhookReceiver() as started:
        yield started


@dataclass(frozen=True)
class Stored:
    """The values of arguments that name a document, and these documents."""

    values: dict[str, Any]
    copy: Copy


@pytest.fixture(scope="module")
def stored(
    app: Flask,
    database: Database,
    kept_backup: bytes,  # of the database before
    new_campaign: Callable[[], dict[str, Any]],
    receiver: WebhookReceiver,
) -> Stored:
    api = new_client(app, database, new_campaign())
    ids = [api.created("/people", factories.person())["_links"]["self"]["href"].rsplit("/", 1)[1] for _ in range(3)]
    for words in (["staff", "add", "ada@example.org"], ["erase-person", ids[2], "--yes"]):
        assert run(app, *words).code == 0
    created = run(app, "webhooks", "create", receiver.url).out.split()
    values = {
        "campaign": api.campaign_id,
        "survivor_id": ids[0],
        "other_id": ids[1],
        "who": ids[0],
        "allow-reimport who": f"osdi_outreach:{ids[2]}",
        "email_or_id": "ada@example.org",
        "name_or_id": "tests",
        "webhook_id": created[2].rstrip("."),
    }
    return Stored(values, Copy(database))


@pytest.fixture
def values(files: dict[str, Any], stored: Stored) -> dict[str, Any]:
    """Values with which each command does its work. The database contains the documents that they name."""
    stored.copy.put_back()
    outreaches = [files["import outreaches file"], "--campaign", stored.values["campaign"]]
    return files | stored.values | {"import outreaches file": outreaches}


def is_a_sentence(ended: Ended) -> bool:
    """True if the command has failed, and its last line on standard error says why."""
    *_, last = ended.err.rstrip().splitlines() or [""]
    return ended.raised is None and ended.code in (1, 2) and last.endswith(".") and "Traceback" not in ended.err


@pytest.mark.parametrize("name", NAMES)
def test_help_is_shown_without_a_database(program: Callable[[str], Flask], quick: None, name: str) -> None:
    ended = run(program(NOTHING_LISTENS), *name.split(), "--help")

    assert (ended.code, ended.err, ended.raised) == (0, "", None)
    assert ended.out.startswith(f"Usage: osdi {name.split()[0]}")


@pytest.mark.one_in(3)
@pytest.mark.parametrize("name", NAMES)
def test_without_a_database_the_sentence_has_its_address(
    program: Callable[[str], Flask], quick: None, files: dict[str, Any], name: str, tmp_path: Path
) -> None:
    before = set(os.listdir(tmp_path))

    ended = run(program(NOTHING_LISTENS), *arguments(name, files))

    assert is_a_sentence(ended), ended
    assert ended.code == 1
    assert "The address in MONGODB_URI is 127.0.0.1:1." in ended.err
    assert set(os.listdir(tmp_path)) == before


class TestAWrongDatabase:
    """The database is there, but it is none of this version of this program."""

    @pytest.fixture
    def other(self, mongod: Mongod) -> Iterator[Database]:
        """Another database of the server, which is empty."""
        with MongoClient(with_database(mongod.uri, "osdi_other")) as client:
            yield client.get_default_database()
            client.drop_database("osdi_other")

    @pytest.fixture
    def ends(self, program: Callable[[str], Flask], mongod: Mongod, files: dict[str, Any]) -> Callable[[str], Ended]:
        """Runs a command on the other database."""
        app = program(with_database(mongod.uri, "osdi_other"))
        return lambda name: run(app, *arguments(name, files))

    def test_of_a_newer_version_is_not_used(self, other: Database, ends: Callable[[str], Ended]) -> None:
        other[SCHEMA].insert_one({"_id": "schema", "schema_version": 1_000})

        for name in NAMES:
            if name != "restore":  # it replaces everything, once its name is confirmed
                ended = ends(name)
                assert is_a_sentence(ended), (name, ended)
                assert "The database has schema_version 1000" in ended.err, (name, ended)
        assert other.list_collection_names() == [SCHEMA]

    @pytest.mark.parametrize("collection", ["people", SCHEMA])
    def test_of_another_program_is_not_used(
        self, other: Database, ends: Callable[[str], Ended], collection: str
    ) -> None:
        document = {"_id": "schema" if collection == SCHEMA else ObjectId(), "email": "ada@example.com"}
        other[collection].insert_one(document | ({"schema_version": "2.1"} if collection == SCHEMA else {}))

        for name in NAMES:
            ended = ends(name)
            assert is_a_sentence(ended), (name, ended)
            assert "another program" in ended.err, (name, ended)
        assert other.list_collection_names() == [collection]
        assert other[collection].find_one().keys() - {"schema_version"} == {"_id", "email"}

    def test_that_is_not_prepared_names_the_command_that_prepares_it(
        self, other: Database, ends: Callable[[str], Ended]
    ) -> None:
        for name in NAMES:
            if name not in BEFORE_RELEASE:
                ended = ends(name)
                assert is_a_sentence(ended), (name, ended)
                assert "run `bin/osdi release`" in ended.err, (name, ended)
        assert other.list_collection_names() == []

    def test_that_is_no_replica_set_is_used(
        self, standalone: Mongod, program: Callable[[str], Flask], one_attempt: None, files: dict[str, Any]
    ) -> None:
        app = program(standalone.uri)
        assert run(app, "release").code == 0
        for name in NAMES:
            ended = run(app, *arguments(name, files))
            assert ended.raised is None, (name, ended)
            assert ended.code == 0 or is_a_sentence(ended), (name, ended)
        with MongoClient(standalone.uri) as client:
            client.drop_database("osdi")


@pytest.fixture(scope="module")
def without_rights(mongod_folder: Path) -> Iterator[str]:
    """The address of a database with a user who may not read it."""
    with Mongod(mongod_folder / "with-login", replica_set=None, options=("--auth",)) as server:
        with MongoClient(server.uri) as client:
            client.admin.command("createUser", "root", pwd="secret", roles=["root"])
        with MongoClient(server.uri, username="root", password="secret", authSource="admin") as client:
            client.osdi.command("createUser", "ada", pwd="secret", roles=[])
        yield server.uri.replace("//", "//ada:secret@")


class TestMissingPermission:
    """Of the user of the database, and of the user of the process."""

    @pytest.fixture
    def unprivileged(self) -> Callable[[], Any]:
        """Makes this process that of a user who owns no file, until the test ends."""
        root = os.geteuid() == 0

        @contextmanager
        def change() -> Iterator[None]:
            if root:
                os.seteuid(65_534)
            try:
                yield
            finally:
                if root:
                    os.seteuid(0)

        return change

    def test_a_user_without_rights_is_named_at_once(
        self, without_rights: str, program: Callable[[str], Flask], files: dict[str, Any]
    ) -> None:
        for name in NAMES:
            began = time.monotonic()
            app = program(without_rights)
            ended = run(app, *arguments(name, files))
            app.extensions[EXTENSION].store.close()  # else the next command finds the connections of this one
            assert is_a_sentence(ended), (name, ended)
            assert "The database rejects the user of MONGODB_URI" in ended.err, (name, ended)
            assert "secret" not in ended.err
            assert time.monotonic() - began < 10, name

    @pytest.mark.parametrize(("name", "parameter"), FILES)
    def test_a_file_that_cannot_be_used_is_named(
        self,
        app: Flask,
        values: dict[str, Any],
        unprivileged: Callable[[], Any],
        name: str,
        parameter: str,
        tmp_path: Path,
    ) -> None:
        (kind,) = [each for each in commands()[name].params if each.name == parameter]
        assert isinstance(kind.type, click.Path)
        file = tmp_path / ("secret.csv" if kind.type.exists else "new.csv")
        if kind.type.exists:
            file.write_text("x")
            file.chmod(0)
        tmp_path.chmod(0o555)
        option = [] if isinstance(kind, click.Argument) else [kind.opts[-1], str(file)]
        words = arguments(name, values | {f"{name} {parameter}": file})
        before = set(os.listdir(tmp_path))

        with unprivileged():
            ended = run(app, *words, *option)

        tmp_path.chmod(0o755)
        assert is_a_sentence(ended), ended
        assert file.name in ended.err
        assert set(os.listdir(tmp_path)) == before


class TestAFullDisk:
    """On Linux: the device whose writes fail, and a small file system."""

    @pytest.mark.one_in(4)
    @pytest.mark.skipif(not Path("/dev/full").exists(), reason="this machine has no /dev/full")
    @pytest.mark.parametrize("name", NAMES)
    def test_of_standard_output_is_named(
        self, app: Flask, values: dict[str, Any], one_attempt: None, name: str
    ) -> None:
        ended = run(app, *arguments(name, values), stdout=Path("/dev/full"))

        assert is_a_sentence(ended), ended
        expected = "cannot be reached" if name == "import osdi" else "Standard output: No space left on device."
        assert expected in ended.err

    def test_leaves_no_part_of_a_file(
        self, settings: Settings, values: dict[str, Any], database: Database, tmp_path: Path
    ) -> None:
        database.people.update_one(
            {"_id": values["who"]}, {"$set": {"custom_fields": {"long": os.urandom(40_000).hex()}}}
        )
        disk = tmp_path / "disk"
        disk.mkdir()
        written = [
            ["export", "people", "-o", f"{disk}/people.csv"],
            ["export-person", values["who"], "-o", f"{disk}/person.json"],
            ["backup", f"{disk}/new.backup.gz"],
            ["backup", "--keep", "2", str(disk)],
        ]
        program = [sys.executable, "-m", "tests.commands.small_disk", settings.mongodb_uri, str(disk)]
        script = f'mount -t tmpfs -o size=36k tmpfs {disk} && exec "$0" "$@"'
        namespace = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c"]
        if subprocess.run([*namespace, f"mount -t tmpfs tmpfs {disk}"], capture_output=True).returncode:
            pytest.skip("this machine allows no mount namespaces")

        done = subprocess.run(
            [*namespace, script, *program, json.dumps(written)], capture_output=True, text=True, timeout=60
        )

        assert done.returncode == 0, done.stderr
        for words, (code, err, raised, created) in zip(written, json.loads(done.stdout), strict=True):
            assert (code, raised, created) == (1, "None", []), (words, err)
            assert "No space left on device." in err, words


class TestASignal:
    """SIGINT, as Ctrl-C sends it, and SIGTERM."""

    @pytest.mark.one_in(7)
    @pytest.mark.parametrize("number", [1, 4])
    @pytest.mark.parametrize("name", NAMES)
    def test_while_a_command_works_ends_it(
        self,
        app: Flask,
        values: dict[str, Any],
        one_attempt: None,
        monkeypatch: pytest.MonkeyPatch,
        name: str,
        number: int,
        tmp_path: Path,
    ) -> None:
        before, real, done = set(os.listdir(tmp_path)), Store.operation, []

        def operation(store: Store) -> Any:
            done.append(store)
            if len(done) == number:
                signal.raise_signal(signal.SIGINT)
            return real(store)

        monkeypatch.setattr(Store, "operation", operation)
        usual = signal.signal(signal.SIGINT, signal.default_int_handler)  # a run in the background ignores it
        try:
            ended = run(app, *arguments(name, values))
            assert signal.getsignal(signal.SIGINT) == signal.default_int_handler or name == "worker"
        finally:
            signal.signal(signal.SIGINT, usual)

        assert ended.raised is None
        if len(done) >= number:
            assert (ended.code, ended.err.splitlines()[-1]) == (130, "Ended by Ctrl-C.")
            assert set(os.listdir(tmp_path)) == before
        else:
            assert number > 1

    def test_at_a_question_ends_the_command_and_another_answer_does_too(
        self, app: Flask, values: dict[str, Any], monkeypatch: pytest.MonkeyPatch, database: Database
    ) -> None:
        words = ("merge", values["survivor_id"], values["other_id"])

        result = run(app, *words)
        monkeypatch.setattr("click.termui.visible_prompt_func", lambda _: signal.raise_signal(signal.SIGINT))
        usual = signal.signal(signal.SIGINT, signal.default_int_handler)
        try:
            interrupted = run(app, *words)
        finally:
            signal.signal(signal.SIGINT, usual)

        assert (result.code, result.err.splitlines()[-1]) == (1, "Not confirmed: nothing was changed.")
        assert (interrupted.code, interrupted.err.splitlines()[-1]) == (130, "Ended by Ctrl-C.")
        assert database.people.count_documents({"merged_ids": {"$exists": True}}) == 0

    @pytest.mark.slow
    def test_while_a_command_waits_for_a_database_ends_it(self, files: dict[str, Any], tmp_path: Path) -> None:
        """The database accepts connections and never responds."""
        with ExitStack() as stack:
            start = stack.enter_context(processes(tmp_path))
            waiting: dict[tuple[str, signal.Signals], tuple[ForkedProcess, IO[bytes]]] = {}
            silent: list[socket.socket] = []
            for name in WAITING:
                for sent in (signal.SIGINT, *([signal.SIGTERM] if name in ("backup", "release") else [])):
                    silent.append(stack.enter_context(socket.create_server(("127.0.0.1", 0))))
                    uri = f"mongodb://127.0.0.1:{silent[-1].getsockname()[1]}/osdi"
                    waiting[name, sent] = start(*arguments(name, files), MONGODB_URI=uri, PUBLIC_URL=PUBLIC)
            for each in silent:
                each.settimeout(SECONDS)
                stack.enter_context(each.accept()[0])
            for (_, sent), (process, _) in waiting.items():
                process.send_signal(sent)
            ended = {
                key: (process.wait(SECONDS), Path(err.name).read_text()) for key, (process, err) in waiting.items()
            }

        for (name, sent), (code, err) in ended.items():
            sentence = "Ended by Ctrl-C." if sent == signal.SIGINT else "Ended by SIGTERM."
            assert (code, "Traceback" in err) == (128 + sent, False), (name, err)
            assert sentence in err, (name, err)


@contextmanager
def processes(folder: Path) -> Iterator[Callable[..., tuple[ForkedProcess, IO[bytes]]]]:
    """Yields a function that starts `bin/osdi` with words and variables; returns the process and its standard error."""
    with tempfile.TemporaryDirectory() as logs:
        started: list[ForkedProcess] = []

        def start(*words: str, **variables: str) -> tuple[ForkedProcess, IO[bytes]]:
            err = Path(logs, str(len(started))).open("wb")  # noqa: SIM115  # closed with the test
            with err, Path(os.devnull).open("wb") as out:
                started.append(popen("app", *words, env=os.environ | variables, stdout=out, stderr=err))
            return started[-1], err

        yield start
        for process in started:
            with suppress(ProcessLookupError):
                process.kill()
