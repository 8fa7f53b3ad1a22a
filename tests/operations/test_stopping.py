"""Stopping gunicorn, or killing its master: connected clients get their responses, and the port becomes free."""

import os
import signal
import socket
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
import requests

from osdi.resources import API
from tests.support.live import Live
from tests.support.waiting import eventually

CLIENTS = 5
SECONDS = 20
REQUEST = f"GET {API}/ HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="needs /proc")


@pytest.fixture
def live() -> Iterator[Live]:
    with Live({"MONGODB_URI": "mongomock://"}, workers=1) as live:
        yield live


def connect(live: Live) -> socket.socket:
    return socket.create_connection(("127.0.0.1", live.port), timeout=SECONDS)


def listens(live: Live) -> bool:
    try:
        connect(live).close()
    except ConnectionRefusedError:
        return False
    return True


def runs(pid: int) -> bool:
    return Path(f"/proc/{pid}").exists()


def test_queued_clients_are_served_after_a_stop(live: Live) -> None:
    (worker,) = live.workers()
    os.kill(worker, signal.SIGSTOP)  # busy, so that it accepts no request before it gets SIGTERM
    with ExitStack() as stack:
        clients = [stack.enter_context(connect(live)) for _ in range(CLIENTS)]
        for client in clients:
            client.sendall(REQUEST)
        os.kill(live.pid, signal.SIGTERM)
        assert eventually(lambda: "Handling signal: term" in live.output)
        os.kill(worker, signal.SIGCONT)

        assert [client.recv(4096).split(b"\r\n")[0] for client in clients] == [b"HTTP/1.1 200 OK"] * CLIENTS
    assert live.process is not None
    assert live.process.wait(SECONDS) == 0
    assert not listens(live)


def test_workers_of_a_killed_master_end_and_free_the_port(live: Live) -> None:
    workers = live.workers()
    with requests.Session() as kept_open:
        assert kept_open.get(f"{live.url}{API}/", timeout=SECONDS).headers["Connection"] == "keep-alive"
        os.kill(live.pid, signal.SIGKILL)

        # A client that continues gets responses with `Connection: close`.
        assert eventually(lambda: kept_open.get(f"{live.url}{API}/", timeout=SECONDS).headers["Connection"] == "close")
    assert eventually(lambda: not any(map(runs, workers)))
    assert not listens(live)
