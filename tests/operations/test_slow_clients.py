"""Clients that misbehave on the wire, through real gunicorn: they are cut off, and everybody else is served."""

import os
import resource
import runpy
import select
import socket
import statistics
import time
from collections.abc import Iterator
from contextlib import ExitStack
from types import SimpleNamespace

import pytest
import requests
from flask import Flask

from dev.mongod import Mongod
from osdi.operations.serving.gunicorn_worker import MAX_UNFINISHED_PER_ADDRESS
from osdi.operations.serving.incoming_request import Bounds
from osdi.resources import API
from tests.support.live import ROOT, Live
from tests.support.waiting import eventually

THREADS = 2
WORKER_CONNECTIONS = 1_000  # gunicorn's default
# Shorter than the defaults, each different, so that a test sees which of them ended a connection.
BOUNDS = Bounds(head_seconds=1.5, body_seconds=2.5, silence_seconds=1.0)


@pytest.fixture(scope="module")
def live(mongod: Mongod, app: Flask) -> Iterator[Live]:
    bounds = {name.upper(): str(seconds) for name, seconds in BOUNDS._asdict().items()}
    with Live({"MONGODB_URI": mongod.uri} | bounds, workers=1, threads=THREADS) as live:
        yield live


@pytest.fixture
def patient(mongod: Mongod, app: Flask) -> Iterator[Live]:
    """A server that waits for every client, so that only their number closes connections."""
    bounds = {f"{name}_SECONDS": "600" for name in ("HEAD", "BODY", "SILENCE")}
    with Live({"MONGODB_URI": mongod.uri} | bounds, workers=1, threads=THREADS) as patient:
        yield patient


def send(live: Live, head: str, body: bytes = b"") -> socket.socket:
    """Opens a connection and sends the beginning of a POST to the helper."""
    connection = socket.create_connection(("127.0.0.1", live.port), timeout=60)
    path = f"{API}/advocacy_campaigns/nothing/record_outreach_helper"
    connection.sendall(f"POST {path} HTTP/1.1\r\nHost: localhost\r\n{head}\r\n\r\n".encode() + body)
    return connection


def read_response(connection: socket.socket) -> str:
    received = b""
    while b"\r\n\r\n" not in received and (more := connection.recv(4096)):
        received += more
    return received.decode()


def test_clients_that_never_send_a_body_do_not_block_others(live: Live) -> None:
    stalled = [send(live, "Content-Length: 500", b"{") for _ in range(THREADS)]
    began = time.monotonic()

    honest = requests.get(f"{live.url}{API}/", timeout=60)

    assert honest.status_code == 200
    assert time.monotonic() - began < BOUNDS.silence_seconds + 15
    assert [read_response(connection).split(" ")[1] for connection in stalled] == ["408"] * THREADS
    for connection in stalled:
        connection.close()


@pytest.mark.parametrize("chunk", [b"zz\r\n{}\r\n0\r\n\r\n", b"-1\r\n{}\r\n0\r\n\r\n"])
def test_a_broken_chunk_is_400(live: Live, chunk: bytes) -> None:
    with send(live, "Transfer-Encoding: chunked", chunk) as connection:
        assert read_response(connection).split(" ")[1] == "400"


def test_a_body_of_one_byte_chunks_occupies_no_thread_for_long(live: Live) -> None:
    began = time.monotonic()

    with send(live, "Transfer-Encoding: chunked", b"1\r\n \r\n" * 60_000 + b"0\r\n\r\n") as connection:
        assert read_response(connection).split(" ")[1] in {"408", "413"}

    assert time.monotonic() - began < BOUNDS.body_seconds + 15


def test_chunks_whose_sizes_begin_with_many_zeros_are_read(live: Live) -> None:
    with send(live, "Transfer-Encoding: chunked", b"0" * 40 + b"4\r\n\r\n{}\r\n") as connection:
        connection.sendall(b"0\r\n\r\n")

        assert read_response(connection).split(" ")[1] == "400"  # the body arrived, and names no person


@pytest.mark.parametrize("chunk", [b"zz\r\n{}\r\n0\r\n\r\n", b"2\r\n{}XX0\r\n\r\n", b"0\r\nbroken\r\n\r\n"])
def test_a_broken_body_that_nobody_reads_causes_no_second_response(live: Live, chunk: bytes) -> None:
    with socket.create_connection(("127.0.0.1", live.port), timeout=60) as connection:
        connection.sendall(CHUNKED + chunk)
        received = b""
        while more := connection.recv(65536):
            received += more

    assert received.startswith(b"HTTP/1.1 401 ")
    assert received.count(b"HTTP/1.1 ") == 1


def test_a_process_without_free_file_descriptors_closes_the_oldest_connection_and_serves(live: Live) -> None:
    [worker] = live.workers()
    limits = resource.prlimit(worker, resource.RLIMIT_NOFILE)
    opened = len(os.listdir(f"/proc/{worker}/fd"))
    resource.prlimit(worker, resource.RLIMIT_NOFILE, (opened + 30, limits[1]))
    try:
        idle = [socket.create_connection(("127.0.0.1", live.port), timeout=60) for _ in range(60)]

        assert requests.get(f"{live.url}{API}/", timeout=60).status_code == 200
        assert idle[0].recv(1) == b""
    finally:
        resource.prlimit(worker, resource.RLIMIT_NOFILE, limits)

    assert live.workers() == [worker]
    for connection in idle:
        connection.close()


def test_a_url_with_the_longest_filter_is_accepted(live: Live) -> None:
    response = requests.get(f"{live.url}{API}/people", params={"filter": "'" * 2_000}, timeout=60)

    assert (response.status_code, response.headers["Content-Type"]) == (401, "application/hal+json")


def test_a_longer_url_is_rejected(live: Live) -> None:
    assert requests.get(f"{live.url}{API}/people", params={"filter": "x" * 8_200}, timeout=60).status_code == 414


def test_a_client_that_hangs_up_does_not_affect_others(live: Live) -> None:
    send(live, "Content-Length: 500", b"{").close()

    assert requests.get(f"{live.url}{API}/", timeout=60).status_code == 200
    assert "Traceback" not in live.output


@pytest.mark.parametrize(
    ("target", "status"),
    [
        ("/healthz", "200"),
        ("//healthz", "404"),
        ("///healthz", "404"),
        ("//docs/", "404"),
        ("///docs/", "404"),
        ("//api/v1/", "404"),
        ("/%2Fhealthz", "404"),
        ("//localhost/healthz", "404"),
        ("http://localhost//healthz", "404"),
        ("http://localhost/healthz", "200"),
    ],
)
def test_an_address_that_begins_with_two_slashes_does_not_exist(live: Live, target: str, status: str) -> None:
    with socket.create_connection(("127.0.0.1", live.port), timeout=60) as connection:
        connection.sendall(f"GET {target} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        response = read_response(connection)

    assert response.split(" ")[1] == status
    assert status == "200" or "\r\nContent-Type: application/hal+json\r\n" in response


@pytest.mark.parametrize(
    ("head", "status"),
    [
        ("HTTP/1.1\r\n", "400"),
        ("HTTP/1.1\r\nX-Forwarded-Host: localhost\r\n", "400"),
        ("HTTP/1.1\r\nHost: a\r\nHost: b\r\n", "400"),
        ("HTTP/1.1\r\nHost: localhost\r\n", "200"),
        ("HTTP/1.0\r\n", "200"),
    ],
)
@pytest.mark.parametrize("path", ["/healthz", f"{API}/"])
def test_http_1_1_needs_one_host(live: Live, path: str, head: str, status: str) -> None:
    with socket.create_connection(("127.0.0.1", live.port), timeout=60) as connection:
        connection.sendall(f"GET {path} {head}\r\n".encode())

        assert read_response(connection).split(" ")[1] == status


def send_slowly(connection: socket.socket, seconds: float) -> bytes:
    """Send a byte now and then, for so long or until there is a response or an end; what was received."""
    connection.settimeout(0.2)
    ends = time.monotonic() + seconds
    while time.monotonic() < ends:
        try:
            connection.sendall(b"x")
            return connection.recv(4096)
        except TimeoutError:
            continue  # nothing yet
        except OSError:
            return b""
    raise AssertionError(f"nothing came within {seconds:.0f} s")


def test_a_slow_body_is_rejected(live: Live) -> None:
    with send(live, "Content-Length: 500", b"{") as connection:
        began = time.monotonic()

        assert send_slowly(connection, 30).startswith(b"HTTP/1.1 408 ")
        assert time.monotonic() - began < BOUNDS.body_seconds + 15


def test_a_slow_head_is_closed_without_a_response(live: Live) -> None:
    with socket.create_connection(("127.0.0.1", live.port), timeout=60) as connection:
        connection.sendall(b"GET /api/v1/ HTTP/1.1\r\nX-Slow: ")
        began = time.monotonic()

        assert send_slowly(connection, 30) == b""
        assert time.monotonic() - began < BOUNDS.head_seconds + 15
    assert "Traceback" not in live.output


def test_the_head_of_a_later_request_has_a_time_limit_too(live: Live) -> None:
    with socket.create_connection(("127.0.0.1", live.port), timeout=60) as connection:
        connection.sendall(b"HEAD /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")  # whose response is read at once
        assert connection.recv(65536).startswith(b"HTTP/1.1 200 ")
        time.sleep(1)  # its own time, which does not count for the next one
        connection.sendall(b"GET /api/v1/ HTTP/1.1\r\nX-Slow: ")

        assert send_slowly(connection, 30) == b""


def test_clients_that_stop_in_a_head_do_not_block_others(live: Live) -> None:
    stalled = [socket.create_connection(("127.0.0.1", live.port), timeout=60) for _ in range(THREADS)]
    for connection in stalled:
        connection.sendall(b"POST /api/v1/ HT")
    began = time.monotonic()

    honest = requests.get(f"{live.url}{API}/", timeout=60)

    assert honest.status_code == 200
    assert time.monotonic() - began < BOUNDS.head_seconds + 15
    for connection in stalled:
        connection.close()


def test_a_connection_that_is_idle_at_first_is_served(live: Live) -> None:
    with socket.create_connection(("127.0.0.1", live.port), timeout=60) as connection:
        time.sleep(BOUNDS.head_seconds + 0.5)  # as browsers do that connect ahead of need
        connection.sendall(f"GET {API}/ HTTP/1.1\r\nHost: localhost\r\n".encode())
        time.sleep(BOUNDS.silence_seconds / 2)
        connection.sendall(b"\r\n")

        assert connection.recv(4096).startswith(b"HTTP/1.1 200 ")


# A client of another address than the one that the tests' other clients have.
OTHER_ADDRESS = "127.0.0.2"
CHUNKED = b"POST /api/v1/people HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
POST = b"POST /api/v1/people HTTP/1.1\r\nHost: localhost\r\nContent-Length: 500\r\n"
REQUESTS = 5


@pytest.mark.one_in(5)
@pytest.mark.parametrize(
    "sent",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"POST /api/v1/ HT", id="a part of the request line"),
        pytest.param(b"GET /api/v1/ HTTP/1.1\r\nHost: localhost\r\nX-Slow: ", id="a part of the head"),
        pytest.param(POST + b"\r\n{", id="a part of the body"),
        pytest.param(POST + b"Expect: 100-continue\r\n\r\n", id="a head that waits for 100 Continue"),
        pytest.param(CHUNKED + b"5\r\n0\r\n\r\n", id="a part of a chunk that looks like the last one"),
        pytest.param(CHUNKED + b"0\r\nX-Trailer: a\r\n", id="a part of the trailers"),
        pytest.param(
            b"POST /api/v1/people HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999999\r\n\r\n{",
            id="a part of a body that is too long",
        ),
        pytest.param(
            b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\nGET /healthz HT", id="a part of a second request"
        ),
        pytest.param(
            b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
            id="a request after which the client does not close",
        ),
    ],
)
def test_two_hundred_clients_that_stop_delay_no_other_client(live: Live, sent: bytes) -> None:
    def stop() -> socket.socket:
        connection = socket.create_connection(("127.0.0.1", live.port), 20, source_address=(OTHER_ADDRESS, 0))
        connection.sendall(sent)
        return connection

    stopped = [stop() for _ in range(200)]
    waits = []
    for _ in range(REQUESTS):
        stopped.append(stop())
        began = time.monotonic()
        assert requests.get(f"{live.url}{API}/", timeout=60).status_code == 200
        waits.append(time.monotonic() - began)
        time.sleep(max(0.0, 0.2 - waits[-1]))

    for connection in stopped:
        connection.close()
    # The median, since a busy machine delays single requests; occupied threads would delay each of them.
    assert statistics.median(waits) < BOUNDS.silence_seconds / 2


def test_clients_that_read_nothing_delay_no_other_client(live: Live) -> None:
    def read_nothing() -> socket.socket:
        connection = socket.socket()
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2_048)
        connection.bind((OTHER_ADDRESS, 0))
        connection.connect(("127.0.0.1", live.port))
        connection.sendall(b"GET /openapi.json HTTP/1.1\r\nHost: localhost\r\n\r\n" * 12)
        return connection

    silent = [read_nothing() for _ in range(THREADS * 3)]
    waits = []
    for _ in range(5):
        began = time.monotonic()
        assert requests.get(f"{live.url}{API}/", timeout=60).status_code == 200
        waits.append(time.monotonic() - began)
        time.sleep(0.1)

    for connection in silent:
        connection.close()
    # The median, since a busy machine delays single requests; occupied threads would delay each of them.
    assert statistics.median(waits) < BOUNDS.silence_seconds / 2


@pytest.mark.parametrize("header", ["keep-alive", "close"])
def test_a_client_that_reads_slowly_gets_the_whole_response(live: Live, header: str) -> None:
    whole = requests.get(f"{live.url}/openapi.json", timeout=60).content
    head = f"GET /openapi.json HTTP/1.1\r\nHost: localhost\r\nConnection: {header}\r\n\r\n".encode()
    with socket.socket() as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2_048)
        connection.settimeout(20)
        connection.connect(("127.0.0.1", live.port))
        expected = 12 if header == "keep-alive" else 1
        connection.sendall(head * expected)
        time.sleep(BOUNDS.silence_seconds + 0.5)
        received = bytearray()
        while not (len(received) > expected * len(whole) and received.endswith(whole[-200:])):
            more = connection.recv(65_536)
            assert more, "the connection was closed"
            received += more

    assert received.count(whole) == expected


def test_an_address_that_opens_very_many_connections_closes_no_other(live: Live) -> None:
    with socket.create_connection(("127.0.0.1", live.port), timeout=60) as honest:
        idle = [
            socket.create_connection(("127.0.0.1", live.port), 20, source_address=(OTHER_ADDRESS, 0))
            for _ in range(WORKER_CONNECTIONS + 20)
        ]
        assert idle[0].recv(1) == b""
        honest.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")

        assert read_response(honest).startswith("HTTP/1.1 200 ")
    for connection in idle:
        connection.close()


def test_an_address_has_twenty_unfinished_requests_and_the_oldest_is_closed(patient: Live) -> None:
    with ExitStack() as opened:
        connections = [
            opened.enter_context(send(patient, "Content-Length: 500", b"{"))
            for _ in range(MAX_UNFINISHED_PER_ADDRESS + 2)
        ]

        def closed() -> list[socket.socket]:
            readable = select.select(connections, [], [], 0.05)[0]
            return [connection for connection in connections if connection in readable]

        assert eventually(lambda: len(closed()) >= 2)
        assert closed() == connections[:2]
        assert [connection.recv(4096) for connection in connections[:2]] == [b"", b""]


def test_the_body_is_awaited_after_100_continue(live: Live) -> None:
    with send(live, "Content-Length: 2\r\nExpect: 100-continue") as connection:
        assert connection.recv(25) == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.sendall(b"{}")

        assert read_response(connection).startswith("HTTP/1.1 400 ")


def test_two_requests_in_one_piece_both_get_a_response(live: Live) -> None:
    with socket.create_connection(("127.0.0.1", live.port), timeout=60) as connection:
        connection.sendall(b"HEAD /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n" * 2)
        received = b""
        while received.count(b"HTTP/1.1 200 ") < 2 and (more := connection.recv(4096)):
            received += more

        assert received.count(b"HTTP/1.1 200 ") == 2


def test_a_body_that_is_too_long_is_413_before_it_arrives(live: Live) -> None:
    with send(live, "Content-Length: 99999999", b"{") as connection:
        began = time.monotonic()

        # A server that waits for the body responds with 408 in the end.
        assert read_response(connection).split(" ")[1] == "413"
        assert time.monotonic() - began < BOUNDS.silence_seconds + 15


def a_request(connection: socket.socket, head: str, body: bytes) -> str:
    connection.sendall(f"POST {API}/people HTTP/1.1\r\nHost: localhost\r\n{head}\r\n\r\n".encode() + body)
    response = read_response(connection).lower()
    length = int(response.partition("content-length: ")[2].partition("\r\n")[0])
    while len(response.partition("\r\n\r\n")[2]) < length and (more := connection.recv(4096)):
        response += more.decode()
    return response


@pytest.mark.parametrize(
    ("head", "body", "header"),
    [
        pytest.param("Content-Length: 99999999", b"{", "connection: close", id="too long, and has not arrived"),
        pytest.param("Content-Length: 500", b"{", "connection: close", id="stopped"),
        pytest.param("Transfer-Encoding: chunked", b"2\r\n{}\r\n", "connection: close", id="stopped between chunks"),
        pytest.param("Content-Length: 200000", b"x" * 200_000, "connection: keep-alive", id="rejected, has arrived"),
        pytest.param("Content-Length: 2", b"{}", "connection: keep-alive", id="short"),
    ],
)
def test_a_response_says_that_the_connection_ends_if_a_part_of_the_request_is_missing(
    live: Live, head: str, body: bytes, header: str
) -> None:
    with socket.create_connection(("127.0.0.1", live.port), timeout=60) as connection:
        assert f"\r\n{header}\r\n" in a_request(connection, head, body)

        if header.endswith("keep-alive"):
            assert a_request(connection, "Content-Length: 2", b"{}").startswith("http/1.1 ")


def test_clients_have_five_seconds_for_a_head_and_eight_for_a_body_by_default(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in Bounds._fields:
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.setenv("METRICS_PLACE", "")  # which post_fork sets
    monkeypatch.setenv("TRUSTED_PROXIES", "0")
    worker = SimpleNamespace(metrics_place=0)

    runpy.run_path(str(ROOT / "gunicorn.conf.py"))["post_fork"](None, worker)

    assert worker.bounds == Bounds(head_seconds=5, body_seconds=8, silence_seconds=5)
    assert worker.limits_addresses


def test_the_address_of_a_trusted_proxy_is_not_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("METRICS_PLACE", "")
    monkeypatch.setenv("TRUSTED_PROXIES", "1")
    worker = SimpleNamespace(metrics_place=0)

    runpy.run_path(str(ROOT / "gunicorn.conf.py"))["post_fork"](None, worker)

    assert not worker.limits_addresses
