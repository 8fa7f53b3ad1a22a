"""Restarts under load: no connection is refused, since the port stays open, or the proxy waits.

systemd hands the port of osdi-web.socket to each new process (sd_listen_fds). Here the test does what systemd does.
"""

import os
import signal
import socket
import threading
from pathlib import Path

import pytest
import requests

from dev.mongod import Mongod
from osdi.resources import API
from osdi.sample import CAMPAIGN_ID, create_sample
from osdi.store import Store
from tests.support import factories
from tests.support.fork_server import popen

HELPER = f"{API}/advocacy_campaigns/{CAMPAIGN_ID}/record_outreach_helper"
SECONDS = 60
# The file descriptor of the first socket of systemd.
FIRST = 3


class Activated:
    """gunicorn on a port that stays open while the process is replaced."""

    def __init__(self, environment: dict[str, str], log: Path) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=512)
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self._environment = {**os.environ, **environment}
        self._log = log

    def start(self) -> None:
        with self._log.open("ab") as output:
            self._process = popen(
                "tests.deployment.activated",
                "wsgi:app",
                env=self._environment,
                stdout=output,
                others={FIRST: self._listener.fileno()},
            )

    def stop(self) -> None:
        self._process.send_signal(signal.SIGTERM)
        assert self._process.wait(SECONDS) == 0

    def __enter__(self) -> "Activated":
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait()
        self._listener.close()


class Supporters:
    """Threads that post, each as soon as its last post got a response."""

    def __init__(self, url: str, number: int) -> None:
        self.failed: list[str] = []
        self.recorded = threading.Semaphore(0)
        self._url = url
        self._done = threading.Event()
        self._threads = [threading.Thread(target=self._post) for _ in range(number)]

    def _post(self) -> None:
        while not self._done.is_set():
            try:
                response = requests.post(self._url + HELPER, json=factories.outreach(), timeout=SECONDS)
            except requests.RequestException as error:
                self.failed.append(repr(error))
                return
            if response.status_code != 200:
                self.failed.append(response.text)
                return
            self.recorded.release()

    def __enter__(self) -> "Supporters":
        for each in self._threads:
            each.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        for each in self._threads:
            each.join(SECONDS)


@pytest.fixture
def environment(mongod: Mongod) -> dict[str, str]:
    uri = mongod.uri.replace("/osdi?", "/restart?")
    store = Store(uri)
    store.create_indexes()
    create_sample(store, "osdi_outreach")
    store.close()
    unlimited = {name.upper(): str(value) for name, value in factories.UNLIMITED.items()}
    return {"MONGODB_URI": uri, "WEB_CONCURRENCY": "1", **unlimited}


@pytest.mark.slow
def test_systemd_restarts_the_server_and_each_request_gets_a_response(
    environment: dict[str, str], tmp_path: Path
) -> None:
    with Activated(environment, tmp_path / "log") as server, Supporters(server.url, 4) as supporters:
        for _ in range(20):
            assert supporters.recorded.acquire(timeout=SECONDS), (tmp_path / "log").read_text()
        server.stop()
        server.start()
        for _ in range(20):
            assert supporters.recorded.acquire(timeout=SECONDS), (tmp_path / "log").read_text()

    assert supporters.failed == []
