"""Clients that misbehave on the wire, through real gunicorn: they are cut off, and everybody else is served."""

import socket
import time
from collections.abc import Iterator

import pytest
import requests

from dev.mongod import Mongod
from osdi.resources import API
from tests.live import Live

THREADS = 2


@pytest.fixture(scope="module")
def live(mongod: Mongod) -> Iterator[Live]:
    with Live({"MONGODB_URI": mongod.uri}, workers=1, threads=THREADS) as live:
        yield live


def send(live: Live, head: str, body: bytes = b"") -> socket.socket:
    """A connection on which a POST to the helper has been begun."""
    connection = socket.create_connection(("127.0.0.1", live.port), timeout=20)
    path = f"{API}/advocacy_campaigns/nothing/record_outreach_helper"
    connection.sendall(f"POST {path} HTTP/1.1\r\nHost: localhost\r\n{head}\r\n\r\n".encode() + body)
    return connection


def answer(connection: socket.socket) -> str:
    received = b""
    while b"\r\n\r\n" not in received and (more := connection.recv(4096)):
        received += more
    return received.decode()


def test_clients_that_never_send_their_body_stop_nobody(live: Live) -> None:
    stalled = [send(live, "Content-Length: 500", b"{") for _ in range(THREADS)]
    began = time.monotonic()

    honest = requests.get(f"{live.url}{API}/", timeout=20)

    assert honest.status_code == 200
    assert time.monotonic() - began < 15
    assert [answer(connection).split(" ")[1] for connection in stalled] == ["408"] * THREADS
    for connection in stalled:
        connection.close()


@pytest.mark.parametrize("chunk", [b"zz\r\n{}\r\n0\r\n\r\n", b"-1\r\n{}\r\n0\r\n\r\n"])
def test_a_broken_chunk_is_the_clients_fault(live: Live, chunk: bytes) -> None:
    with send(live, "Transfer-Encoding: chunked", chunk) as connection:
        assert answer(connection).split(" ")[1] == "400"


def test_an_address_with_as_long_a_filter_as_may_be_is_read(live: Live) -> None:
    response = requests.get(f"{live.url}{API}/people", params={"filter": "'" * 2_000}, timeout=20)

    assert (response.status_code, response.headers["Content-Type"]) == (401, "application/hal+json")


def test_a_longer_address_is_refused(live: Live) -> None:
    assert requests.get(f"{live.url}{API}/people", params={"filter": "x" * 8_200}, timeout=20).status_code == 414


def test_a_client_that_hangs_up_harms_nobody(live: Live) -> None:
    send(live, "Content-Length: 500", b"{").close()

    assert requests.get(f"{live.url}{API}/", timeout=20).status_code == 200
    assert "Traceback" not in live.output
