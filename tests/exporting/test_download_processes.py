"""Downloads from real gunicorn: memory use stays constant, slow clients block no others, and a failure is visible."""

import csv
import datetime as dt
import http.client
import socket
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from pymongo import MongoClient
from pymongo.database import Database

from dev.mongod import Mongod
from osdi.access.tokens import new_token
from osdi.ids import new_id
from osdi.resources import API
from osdi.store.indexes import TOKENS
from tests.support.databases import SMALL_JOURNAL
from tests.support.live import Live
from tests.support.waiting import eventually

PEOPLE = 20_000
SECONDS = 60
# Memory in MB that a download may add to a worker. The whole file has 12 MB, and its documents far more.
GROWTH_MB = 12

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="needs /proc")


@pytest.fixture(scope="module")
def own(mongod_folder: Path) -> Iterator[Mongod]:
    """Yields a mongod that a test may stop."""
    with Mongod(mongod_folder / "downloads", options=SMALL_JOURNAL) as mongod:
        yield mongod


@pytest.fixture(scope="module")
def database(own: Mongod) -> Iterator[Database]:
    """Yields a database with many people, written without the API to keep the test short."""
    timestamp = dt.datetime(2026, 3, 18)
    with MongoClient(own.uri) as client:
        found = client.get_default_database()
        for start in range(0, PEOPLE, 1_000):
            found.people.insert_many([person(number, timestamp) for number in range(start, start + 1_000)])
        yield found


@pytest.fixture(scope="module")
def token(database: Database) -> str:
    secret, document = new_token("reader", ("read",))
    database[TOKENS].insert_one(document)
    return secret


@pytest.fixture(scope="module")
def live(own: Mongod, token: str) -> Iterator[Live]:
    with Live({"MONGODB_URI": own.uri, "LOG_FORMAT": "json"}, workers=1, threads=3) as started:
        yield started


def person(number: int, timestamp: dt.datetime) -> dict[str, object]:
    person_id = new_id()
    return {
        "_id": person_id,
        "version": 1,
        "created_date": timestamp,
        "modified_date": timestamp,
        "match_keys": [f"id:osdi_outreach:{person_id}"],
        "given_name": f"Given{number}",
        "name_words": [f"given{number}"],
        "email_addresses": [{"address": f"person{number}@example.com", "status": "subscribed"}],
        "custom_fields": {f"field{number % 50}": "x" * 300},
    }


def megabytes(pid: int) -> float:
    """Returns the memory of a process in MB."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * 4096 / 1_000_000


def download(live: Live, token: str, path: str = "/people.csv") -> requests.Response:
    return requests.get(f"{live.url}{API}{path}", headers={"OSDI-API-Token": token}, stream=True, timeout=SECONDS)


@pytest.mark.slow
def test_memory_does_not_grow_with_the_number_of_people(live: Live, token: str) -> None:
    (worker,) = live.workers()
    few = download(live, token, "/people.csv?filter=given_name%20eq%20'Given7'")
    assert len(few.content.splitlines()) == 2
    before = megabytes(worker)

    with download(live, token) as response:
        lines = response.iter_lines(decode_unicode=True)
        rows, most = 0, before
        for row in csv.reader(line for line in lines if line):  # requests splits "\r\n" between two chunks
            rows += 1
            if rows % 1_000 == 0:
                most = max(most, megabytes(worker))
            assert row

    assert response.headers["Transfer-Encoding"] == "chunked"
    assert rows == PEOPLE + 1
    assert most - before < GROWTH_MB, f"{before:.0f} MB, then {most:.0f} MB"


def test_a_closed_connection_frees_its_slot(live: Live, token: str) -> None:
    for _ in range(4):
        connection = socket.create_connection(("127.0.0.1", live.port), SECONDS)
        head = f"GET {API}/people.csv HTTP/1.1\r\nHost: x\r\nOSDI-API-Token: {token}\r\n\r\n"
        connection.sendall(head.encode())
        assert connection.recv(100).startswith(b"HTTP/1.1")
        connection.close()

    assert eventually(lambda: download_status(live, token) != 429)
    assert download_status(live, token) == 200


@pytest.mark.slow
def test_a_client_that_does_not_read_is_disconnected_and_blocks_no_others(live: Live, token: str) -> None:
    with socket.create_connection(("127.0.0.1", live.port), SECONDS) as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        head = f"GET {API}/people.csv HTTP/1.1\r\nHost: x\r\nOSDI-API-Token: {token}\r\n\r\n"
        connection.sendall(head.encode())

        assert requests.get(f"{live.url}{API}/", timeout=SECONDS).status_code == 200
        assert eventually(lambda: "Socket error processing request" in live.output)


def test_an_interrupted_download_does_not_look_complete(own: Mongod, live: Live, token: str) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", live.port, timeout=SECONDS)
    connection.request("GET", f"{API}/people.csv", headers={"OSDI-API-Token": token})
    response = connection.getresponse()
    assert response.status == 200
    beginning = response.read(10_000)
    own.stop()
    try:
        with pytest.raises((http.client.IncompleteRead, ConnectionResetError)):
            response.read()
    finally:
        connection.close()
        own.start()

    assert beginning.startswith(b"id,")
    assert '"event":"download"' in live.output


def download_status(live: Live, token: str) -> int:
    with download(live, token, "/people.csv?filter=given_name%20eq%20'Given7'") as response:
        return response.status_code
