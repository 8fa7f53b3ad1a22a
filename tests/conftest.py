"""Fixtures of all tests: a real mongod, an application that uses it, and a clean database for each test."""

import gc
import os
import re
import subprocess
import tempfile
from collections import Counter
from collections.abc import Callable, Generator, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import hypothesis
import pymongo.common
import pytest
from flask import Flask
from jinja2.bccache import Bucket, BytecodeCache
from pymongo import MongoClient
from pymongo.database import Database
from werkzeug.routing import Rule

from app import create_app
from blueprints.http.context import EXTENSION
from dev.mongod import Mongod
from osdi.access.tokens import new_token
from osdi.ids import new_id, now
from osdi.settings import Settings
from osdi.store import Store
from osdi.store.indexes import SIGNING_KEYS, TOKENS
from schemas.base.common import STRICT
from tests.support import factories
from tests.support.client import Client
from tests.support.databases import SHORT_HISTORY_SECONDS, SMALL_JOURNAL, Kept, empty, long_history, without_journal
from tests.support.fork_server import popen, run
from tests.support.live import Live, Worker
from tests.support.smtp_sink import SmtpSink
from tests.support.webhook_receiver import WebhookReceiver

pytest_plugins = [
    "tests.fixtures.browser",
    "tests.fixtures.campaign_pages",
    "tests.fixtures.deployed",
    "tests.fixtures.left_out",
]

IN_MEMORY = Path("/dev/shm")
CAMPAIGNS = "advocacy_campaigns"

# Thousands of tests are collected and none is garbage. A third of the time of the collection is saved.
gc.disable()

# No test needs the public certificate authorities, and reading them takes 25 ms for each TLS context. The machine may
# name a file of its own.
os.environ["SSL_CERT_FILE"] = os.devnull

# Closing a client that has been used waits until its monitors wake up, which they do twice a second; tests close
# hundreds of clients. With this, closing takes 3 ms instead of 480 ms.
pymongo.common.MIN_HEARTBEAT_INTERVAL = 0.02

# Werkzeug parses each route of each application and compiles two functions for it. Hundreds of applications of tests
# have other settings and the same routes; one application for each setting would keep counters and caches from test to
# test. With each route compiled once, create_app takes 3 ms instead of 9 ms.
_compile = Rule.compile
_compiled: dict[tuple[Any, ...], Rule] = {}


def _compile_once(rule: Rule) -> None:
    """Sets what Rule.compile sets, for the same text with the same types of arguments."""
    assert rule.map is not None
    key = (rule.rule, rule.merge_slashes, *rule.map.converters.values())
    if rule.defaults or rule.host or rule.subdomain:
        _compile(rule)
    elif key not in _compiled:
        _compile(rule)
        _compiled[key] = rule
    else:
        compiled = _compiled[key]
        rule._parts, rule._trace, rule._converters = compiled._parts, compiled._trace, compiled._converters
        rule.arguments = compiled.arguments
        rule._build = compiled._build.__func__.__get__(rule)  # type: ignore[attr-defined]
        rule._build_unknown = compiled._build_unknown.__func__.__get__(rule)  # type: ignore[attr-defined]


Rule.compile = _compile_once  # type: ignore[method-assign]


class _CompiledTemplates(BytecodeCache):
    """Keeps compiled templates for all applications of this process, by the text of the template."""

    def __init__(self) -> None:
        self._compiled: dict[tuple[str, str], bytes] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        if compiled := self._compiled.get((bucket.key, bucket.checksum)):
            bucket.bytecode_from_string(compiled)

    def dump_bytecode(self, bucket: Bucket) -> None:
        self._compiled[bucket.key, bucket.checksum] = bucket.bytecode_to_string()


Flask.jinja_options = {"bytecode_cache": _CompiledTemplates()}

# The duration of an example depends more on the machine than on the tested code.
hypothesis.settings.register_profile("without deadlines", deadline=None)
hypothesis.settings.load_profile("without deadlines")


MONGO_FIXTURES = {"mongod", "standalone", "mongod_folder"}
STARTERS = {id(each) for each in (subprocess, Live, Worker, popen, run)}


# A file without any of these words contains no test that is marked `waits`. A run of all other tests verifies that.
WAITING_WORDS = re.compile(
    r"subprocess|fork_server|\bLive\b|\bWorker\b|support\.browser|\bbrowser: |mark\.(?:waits|process|browser)"
)


@cache
def may_wait(path: Path) -> bool:
    """True if the file may contain a test that is marked `waits`."""
    return WAITING_WORDS.search(path.read_text()) is not None


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Skips files that a run of the waiting tests does not need: each of its many workers would import them."""
    if not config.getoption("markexpr").startswith("waits") or collection_path.suffix != ".py":
        return None
    return None if may_wait(collection_path) else True


def mark_further_cases(items: list[pytest.Item]) -> None:
    """Marks as slow all cases but each n-th of a test that is marked `one_in(n)`."""
    cases: Counter[str] = Counter()
    for item in items:
        if marker := item.get_closest_marker("one_in"):
            (n,) = marker.args
            test = item.nodeid.partition("[")[0]
            if cases[test] % n:
                item.add_marker("slow")
            cases[test] += 1


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Marks each test by what it uses, and puts the files with long stories first.

    A file whose tests start processes is recognised by what it imports. `dev/run_tests.py` runs the tests that mostly
    wait, which are marked `waits`, on more workers than there are processors.
    """
    mark_further_cases(items)
    long_files = set()
    imported_by: dict[Path, set[int]] = {}
    for item in items:
        fixtures = set(getattr(item, "fixturenames", ()))
        if item.path not in imported_by:
            imported_by[item.path] = {id(each) for each in vars(getattr(item, "module", item)).values()}
        imported = imported_by[item.path]
        if fixtures & MONGO_FIXTURES or id(Mongod) in imported:
            item.add_marker("mongo")
        if "browser" in fixtures:
            item.add_marker("browser")
        if imported & STARTERS:
            item.add_marker("process")
        if item.get_closest_marker("browser") or item.get_closest_marker("process"):
            item.add_marker("waits")
        if item.get_closest_marker("waits"):
            assert may_wait(item.path), f"WAITING_WORDS has no word of {item.path}: CI would leave out its tests"
            if item.get_closest_marker("slow"):
                long_files.add(item.path)
    items.sort(key=lambda item: item.path not in long_files)


def pytest_collection_finish() -> None:
    """Turns garbage collection on, for what the tests make."""
    gc.freeze()
    gc.enable()


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup() -> None:
    """Forgets that the last request of the test before was strict: a server sets this anew for each request."""
    STRICT.set(False)


@pytest.hookimpl(wrapper=True)
def pytest_report_to_serializable(report: pytest.TestReport) -> Generator[None, dict[str, Any] | None, Any]:
    """Shortens what a worker of pytest-xdist sends about a passed test: nobody reads its output and its names."""
    data = yield
    if data is not None and report.passed and isinstance(report, pytest.TestReport):
        data["sections"], data["keywords"] = [], {}
    return data


@pytest.fixture(scope="session")
def mongod_folder() -> Iterator[Path]:
    """A folder for databases, in memory where the machine has such: tests need mongod's behaviour, not its disk."""
    place = IN_MEMORY if IN_MEMORY.is_dir() else None
    with tempfile.TemporaryDirectory(dir=place, prefix="osdi-tests-") as folder:
        yield Path(folder)


@pytest.fixture(scope="session")
def mongod(mongod_folder: Path) -> Iterator[Mongod]:
    """A single-member replica set, as `make run` starts it, but it forgets deleted documents soon."""
    parameters = ("enableTestCommands=1", f"minSnapshotHistoryWindowInSeconds={SHORT_HISTORY_SECONDS}")
    options = [option for parameter in parameters for option in ("--setParameter", parameter)]
    with Mongod(mongod_folder / "replica-set", options=(*SMALL_JOURNAL, *options)) as server:
        without_journal(server.uri)
        yield server


@pytest.fixture(scope="module")
def snapshots(mongod: Mongod) -> Iterator[None]:
    """Makes the replica set keep deleted documents until the end of the module: see `long_history`."""
    with long_history(mongod.uri):
        yield


@pytest.fixture(scope="session")
def standalone(mongod_folder: Path) -> Iterator[Mongod]:
    """A mongod without transactions."""
    with Mongod(mongod_folder / "standalone", replica_set=None, options=SMALL_JOURNAL) as server:
        yield server


@pytest.fixture(scope="session")
def settings(mongod: Mongod) -> Settings:
    """The default settings, without caches and without rate limits."""
    return Settings(mongodb_uri=mongod.uri, cache_seconds=0, **factories.UNLIMITED)


@pytest.fixture(scope="session")
def app(settings: Settings) -> Iterator[Flask]:
    app = create_app(settings)
    app.extensions[EXTENSION].store.create_indexes()
    yield app
    app.extensions[EXTENSION].store.close()


@pytest.fixture(scope="session")
def _raw_client(mongod: Mongod) -> Iterator[MongoClient]:
    with MongoClient(mongod.uri) as client:
        yield client


@pytest.fixture(scope="session")
def new_campaign(settings: Settings, _raw_client: MongoClient) -> Callable[[], dict[str, Any]]:
    """Makes documents of campaigns as the API stores them, each new: inserting one is cheaper than a POST."""
    found = _raw_client.get_default_database()
    secret, token = new_token("new_campaign")
    found[TOKENS].insert_one(token)
    app = create_app(settings)
    app.extensions[EXTENSION].store.create_indexes()
    created = Client(app.test_client(), secret).created("/advocacy_campaigns", {"title": "Protect the river"})
    app.extensions[EXTENSION].store.close()
    template_id = created["_links"]["self"]["href"].rsplit("/", 1)[1]
    template = found.advocacy_campaigns.find_one({"_id": template_id})

    def document() -> dict[str, Any]:
        campaign_id, moment = new_id(), now()
        keys = [key.replace(template_id, campaign_id) for key in template["match_keys"]]
        return template | {"_id": campaign_id, "match_keys": keys, "created_date": moment, "modified_date": moment}

    return document


@pytest.fixture(scope="session")
def _caller(new_campaign: Callable[[], dict[str, Any]]) -> tuple[str, Kept]:
    """The token of the fixture `api`, and its documents. With the date of a use, requests write none for a minute."""
    secret, token = new_token("tests")
    return secret, Kept({TOKENS: token | {"last_used_date": now()}, CAMPAIGNS: new_campaign()})


@pytest.fixture
def database(
    app: Flask, _raw_client: MongoClient, _caller: tuple[str, Kept], request: pytest.FixtureRequest
) -> Database:
    """The emptied database, to check the stored documents. It keeps its signing keys, as a deployment does.

    It also keeps the unchanged documents of the fixture `api` for a test that uses that one.
    """
    found = _raw_client.get_default_database()
    _, kept = _caller
    digests = kept.digests if "api" in request.fixturenames else {}
    kept.present = empty(found, kept={SIGNING_KEYS: None, **digests})
    return found


@pytest.fixture
def store(app: Flask, database: Database) -> Store:
    found: Store = app.extensions[EXTENSION].store
    return found


@pytest.fixture
def fail(mongod: Mongod) -> Iterator[Callable[..., None]]:
    """Makes the server fail the named commands until the test ends."""
    with MongoClient(mongod.uri) as client:

        def set_failure(mode: Any, commands: list[str], **how: Any) -> None:
            client.admin.command("configureFailPoint", "failCommand", mode=mode, data={"failCommands": commands, **how})

        yield set_failure
        client.admin.command("configureFailPoint", "failCommand", mode="off")


@pytest.fixture
def api(app: Flask, database: Database, _caller: tuple[str, Kept]) -> Client:
    """A client with a token of every scope, and a campaign to record on."""
    secret, kept = _caller
    kept.insert(database)
    client = Client(app.test_client(), secret)
    client.campaign_id = kept.documents[CAMPAIGNS]["_id"]
    return client


@pytest.fixture
def sink() -> Iterator[SmtpSink]:
    """A mail server."""
    with SmtpSink() as started:
        yield started


@pytest.fixture
def gateway() -> Iterator[WebhookReceiver]:
    """A gateway for texts and calls, or a receiver of webhooks."""
    with WebhookReceiver() as started:
        yield started


@pytest.fixture
def noise(api: Client) -> list[dict]:
    """Other people with outreaches, which no test may change."""
    return [api.recorded(factories.outreach(identifiers=[f"noise:{number}"])) for number in range(3)]
