"""nginx with two servers behind it, of which one restarts at a time: the other one answers.

In front of one server, nginx responds with 502 meanwhile (test_proxies.py).
"""

import time
from pathlib import Path

import pytest

from dev.mongod import Mongod
from osdi.sample import create_sample
from osdi.store import Store
from tests.deployment.test_proxies import nginx, running
from tests.deployment.test_restart import SECONDS, Supporters
from tests.support.live import Live

# nginx counts whole seconds: with a `fail_timeout` of 1 s it avoids a server for up to two after it has failed.
FAIL_SECONDS = 2
# On a busy machine a connection can wait in the queue of a server that closes. nginx has sent its POST already, cannot
# know if the server has read it, and so does not repeat it.
MAX_UNANSWERED = 1
SECOND = "# server 127.0.0.1:5001 "


@pytest.mark.slow
def test_the_other_server_responds_while_one_server_after_the_other_restarts(mongod: Mongod, tmp_path: Path) -> None:
    uri = mongod.uri.replace("/osdi?", "/restart?")
    store = Store(uri)
    store.create_indexes()
    create_sample(store, "osdi_outreach")
    store.close()
    environment = {"MONGODB_URI": uri}

    def start(folder: Path, port: int, upstream: int) -> list[str]:
        command = nginx(folder, port, upstream)
        site = (folder / "site.conf").read_text()
        assert site.count(SECOND) == 1
        (folder / "site.conf").write_text(site.replace(SECOND, f"server 127.0.0.1:{second.port} "))
        return command

    with (
        Live(environment) as first,
        Live(environment) as second,
        running(start, tmp_path, first) as address,
        Supporters(address, 4) as supporters,
    ):
        for server in (first, second):
            for _ in range(20):
                assert supporters.recorded.acquire(timeout=SECONDS), supporters.failed
            server.stop()
            for _ in range(20):
                assert supporters.recorded.acquire(timeout=SECONDS), supporters.failed
            server.start()
            time.sleep(FAIL_SECONDS + 0.2)
        for _ in range(20):
            assert supporters.recorded.acquire(timeout=SECONDS), supporters.failed

    assert len(supporters.failed) <= MAX_UNANSWERED, supporters.failed
