"""The fault harness finds lost and repeated outreaches in broken databases and in the naive variant, not in ours."""

import json
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from pymongo.database import Database

from faults import processes
from faults.__main__ import naive_variant_failed
from faults.administration import load
from faults.administration.leftovers import Leftovers
from faults.administration.load import Done
from faults.check import Found, check
from faults.deployments import SINGLE, STANDALONE, THREE
from faults.faults import FAULTS
from faults.load import OK, TIMED_OUT, Acknowledged, Attempt, Ledger, longest_pause
from faults.posts import FIELD_VALUE, post
from faults.report import NoRow, page
from faults.row import NAIVE, OURS, Row, run_row
from tests.support import fork_server
from tests.support.waiting import eventually

SECONDS = 2
CLIENTS = 4
ROWS = 100  # of an import
SECONDS_TO_END = 60
KILLED = next(fault for fault in FAULTS if fault.key == "mongod-killed")
JANE, JOHN = "id-jane", "id-john"
DASHES = " | ".join("-" * 5)

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="needs /proc")


@pytest.fixture
def _short(monkeypatch: pytest.MonkeyPatch) -> None:
    """Processes start quickly, and imports are short."""
    monkeypatch.setattr(processes, "start", fork_server.popen)
    monkeypatch.setattr(load, "ROWS", ROWS)


@pytest.fixture
def unguarded(database: Database) -> Iterator[Database]:
    """A database without our indexes, in which anything can be wrong."""
    found = database.client.get_database("faults")
    yield found
    database.client.drop_database(found.name)


@pytest.mark.slow
@pytest.mark.usefixtures("_short")
def test_ours_keeps_what_it_acknowledged_when_the_database_is_killed(mongod_folder: Path) -> None:
    row = run_row(KILLED, STANDALONE, OURS, seconds=SECONDS, clients=CLIENTS, parent=mongod_folder)

    assert row.problems == []
    assert len(row.ledger.acknowledged) > 0
    assert row.done is not None
    assert min(len(row.done.merges), len(row.done.erased), row.done.deletions, row.done.rows) > 0


@pytest.mark.slow
@pytest.mark.usefixtures("_short")
def test_the_naive_variant_does_not(mongod_folder: Path) -> None:
    row = run_row(KILLED, STANDALONE, NAIVE, seconds=SECONDS, clients=CLIENTS, parent=mongod_folder)

    assert row.found.lost_outreaches + row.found.doubled + row.found.people_doubled > 0
    assert not row.kept
    assert row.done is None


@pytest.mark.slow
def test_a_run_that_is_interrupted_leaves_no_process_and_no_folder(tmp_path: Path) -> None:
    mark = f"FAULTS_TEST={tmp_path}"
    options = ("--only", "mongod-hung", "--deployment", STANDALONE, "--seconds", "4", "--folder", str(tmp_path))
    environment = {**os.environ, "FAULTS_TEST": str(tmp_path)}
    with open(os.devnull, "wb") as nowhere:
        run = fork_server.popen("tests.faults.forked_run", *options, env=environment, stdout=nowhere)
    try:
        # The mongod is stopped, while gunicorn's master and both workers, the worker and perhaps an import are there.
        # The fork server of the run is one more.
        assert eventually(lambda: "T" in (found := states(mark, besides=run.pid)) and len(found) >= 6)
        run.send_signal(signal.SIGINT)

        assert run.wait(SECONDS_TO_END) == 130
        # The fork server ends after the run. A process that was left would go on.
        assert eventually(lambda: states(mark, besides=run.pid) == [], seconds=SECONDS_TO_END)
        assert list(tmp_path.iterdir()) == []
    finally:
        run.kill()
        run.wait()


def test_a_process_has_a_session_and_its_output_is_in_the_file(tmp_path: Path) -> None:
    """Without forks, as `make faults` starts them."""
    with (tmp_path / "log").open("ab") as log:
        process = processes.start("platform", env=os.environ, stdout=log)

    assert os.getsid(process.pid) == process.pid
    assert process.wait(SECONDS_TO_END) == 0
    assert (tmp_path / "log").read_text()


@pytest.mark.parametrize(
    ("people", "outreaches", "expected"),
    [
        pytest.param([{}], [{}], {}, id="all is right"),
        pytest.param([{}], [], {"lost_outreaches": 1, "people_alone": 1}, id="no outreach"),
        pytest.param([{}], [{"_id": "other"}], {"lost_outreaches": 1}, id="another outreach than was returned"),
        pytest.param([], [{}], {"lost_people": 1}, id="no person"),
        pytest.param([{"custom_fields": {}}], [{}], {"lost_people": 1}, id="what was said of the person is not there"),
        pytest.param(
            [{}, {"_id": JOHN, "email_addresses": [{"address": "john@example.com"}], "match_keys": []}],
            [{"person_id": JOHN}],
            {"lost_people": 1, "people_alone": 1},
            id="somebody else's",
        ),
        pytest.param([{}], [{}, {"_id": "second"}], {"doubled": 1}, id="two outreaches of a post"),
        pytest.param([{}], [{}, {"_id": "2"}, {"_id": "3"}], {"doubled": 2}, id="three outreaches of a post"),
        pytest.param(
            [{}, {"_id": JOHN, "match_keys": []}],
            [{}],
            {"people_doubled": 1, "people_alone": 1},
            id="one address of two",
        ),
        pytest.param(
            [{}, {"_id": JOHN, "email_addresses": []}],
            [{}],
            {"people_doubled": 1, "people_alone": 1},
            id="one key of two",
        ),
        pytest.param(
            [{}, {"_id": JOHN, "email_addresses": [], "match_keys": []}], [{}], {"people_alone": 1}, id="no outreach of"
        ),
    ],
)
def test_each_violation_in_a_database_is_found(
    unguarded: Database, people: list[dict], outreaches: list[dict], expected: dict[str, int]
) -> None:
    sent = post(0, "token")
    person = {
        "_id": JANE,
        "email_addresses": [{"address": sent.address}],
        "match_keys": [f"email:{sent.address}"],
        "custom_fields": {sent.field: FIELD_VALUE},
    }
    outreach = {"_id": "first", "person_id": JANE, "referrer_data": {"source": sent.source}}
    for collection, right, documents in (("people", person, people), ("outreaches", outreach, outreaches)):
        for document in documents:
            unguarded[collection].insert_one(right | document)

    found = check(unguarded, [Acknowledged(sent, 0.0, "first", JANE)])

    assert {name: value for name, value in vars(found).items() if value and name != "examples"} == expected
    assert bool(found.examples) == bool(expected)


def test_a_post_that_was_never_acknowledged_may_be_there_or_not(unguarded: Database) -> None:
    assert check(unguarded, []) == Found()

    unguarded.people.insert_one({"_id": JANE})
    unguarded.outreaches.insert_one({"person_id": JANE, "referrer_data": {"source": "post-1"}})
    assert check(unguarded, []) == Found()


@pytest.mark.parametrize(
    ("moments", "stopped", "longest"),
    [
        ([], 9.0, 0.0),
        ([1.0, 2.0, 5.0, 6.0], 7.0, 3.0),
        ([5.0, 1.0], 5.0, 4.0),
        ([1.0, 2.0], 9.0, 7.0),
        ([1.0, 2.0, 8.0], 5.0, 6.0),
        ([1.0, 2.0, 6.0, 20.0], 5.0, 4.0),
    ],
    ids=["nothing", "between two", "in any order", "until the stop", "over the stop", "not after the stop"],
)
def test_the_longest_pause(moments: list[float], stopped: float, longest: float) -> None:
    assert longest_pause(moments, stopped) == longest


def test_what_clients_saw_is_counted() -> None:
    seen = [(1.0, 1.1, OK), (5.0, 28.1, OK), (5.0, 35.0, TIMED_OUT), (6.0, 6.1, "500"), (6.2, 6.3, "503")]
    ledger = Ledger(attempts=[Attempt(number, *each) for number, each in enumerate(seen)])

    assert ledger.late() == 2
    assert ledger.unexpected() == 1
    assert ledger.longest_answer() == 30.0
    assert ledger.outcomes() == {OK: 2, TIMED_OUT: 1, "500": 1, "503": 1}


def test_each_post_is_recognisable_when_it_is_sent_again() -> None:
    posts = [post(number, "token") for number in range(100)]

    assert posts == [post(number, "token") for number in range(100)]
    keys = [json.loads(sent.body).get("identifiers", [sent.headers.get("Idempotency-Key")])[0] for sent in posts]
    assert None not in keys
    assert len(set(keys)) == 100


def test_the_page_lists_failed_and_skipped_faults() -> None:
    moments = [Acknowledged(post(number, "token"), float(number), None, None) for number in (1, 2, 5)]
    ledger = Ledger([Attempt(1, 0.0, 1.0, "503"), Attempt(1, 3.0, 27.0, OK)], moments, stopped=6.0)
    broken = Row(KILLED, STANDALONE, ledger, Found(lost_outreaches=2, lost_people=1, doubled=4), 9.0, ["3 are lost"])
    done = Done(erased=["1"] * 5, deleted_people=["1"], deleted_campaigns=["2"] * 3)
    right = Row(KILLED, SINGLE, ledger, Found(), 9.0, [], done, Leftovers(erased=1, imported=1))
    skipped = NoRow(KILLED, SINGLE, "Only root can.", skipped=True)
    failed = NoRow(KILLED, THREE, "It did not start.\nA log.", skipped=False)

    def written(*ours: Row | NoRow) -> str:
        return page(ours, [broken], clients=8, command="python -m faults", mongodb="6.0.5")

    text = written(broken, right, skipped, failed)
    title = KILLED.title
    assert (
        f"| {title} | standalone | 3 | 3 | 4 | 0 | 0 | {DASHES} | 1 | 0 | 0 | 0 | 0 | 1 | 24.0 | 3.0 | **no** |" in text
    )
    administered = "0 | 5 | 4 | 0 | 2"
    assert (
        f"| {title} | single-member set | 3 | 0 | 0 | 0 | 0 | {administered} | 1 | 0 | 0 | 0 | 0 | 1 | 24.0 |" in text
    )
    assert "- `mongod-killed`, standalone: 3 are lost\n" in text
    assert "- `mongod-killed`, single-member set: Only root can.\n" in text
    assert "- `mongod-killed`, three members: It did not start.\n" in text
    assert "A log." not in text
    rows = [line for line in text.splitlines() if line.startswith(("| fault |", "|---|---|---:|", f"| {title} |"))]
    assert len(rows) == 2 + 4 + 2 + 1  # both tables with their heads
    assert len({line.count("|") for line in rows}) == 1
    assert "Not every promise was kept" in text
    assert "Every promise was kept." in written(right, skipped)
    assert "Not every promise was kept" in written(right, failed)


def test_the_naive_variant_has_to_be_caught_in_each_row() -> None:
    caught = Row(KILLED, STANDALONE, Ledger(), Found(doubled=1), 9.0)
    passed = Row(KILLED, STANDALONE, Ledger(), Found(), 9.0)

    assert naive_variant_failed([caught, caught])
    assert not naive_variant_failed([caught, passed])
    assert not naive_variant_failed([NoRow(KILLED, STANDALONE, "It did not start.", skipped=False)])


def states(mark: str, *, besides: int) -> list[str]:
    """The states (R, S, T, ...) of all processes but one that have this variable in their environment."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(FileNotFoundError, ProcessLookupError, PermissionError):
            if int(folder.name) != besides and mark.encode() in (folder / "environ").read_bytes().split(b"\0"):
                found.append((folder / "stat").read_text().rsplit(")", 1)[1].split()[0])
    return found
