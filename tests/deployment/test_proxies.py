"""nginx and Caddy in front, by the files in deploy/: client addresses, schemes and long bodies, with real programs.

Only ports and the name of the site are others than on a server, and Caddy gets no certificate.
"""

import json
import os
import re
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests

from dev.lint_deploy import NGINX, ToolMissing, find_program
from dev.mongod import Mongod, free_port
from osdi.resources import API
from osdi.sample import CAMPAIGN_ID, create_sample
from osdi.settings import Settings
from osdi.store import Store
from tests.support import factories
from tests.support.live import ROOT, Live
from tests.support.waiting import eventually

HELPER = f"{API}/advocacy_campaigns/{CAMPAIGN_ID}/record_outreach_helper"
SECONDS = 30
# Fewer than the clients that send slowly.
THREADS = 2

Start = Callable[[Path, int, int], list[str]]


def program(name: str) -> str:
    """Returns the path of a program; if it is not installed, the test is skipped, and fails in CI."""
    try:
        return find_program(name)
    except ToolMissing:
        if os.environ.get("REQUIRE_DEPLOY_TOOLS"):
            raise
        pytest.skip(f"{name} is not on this machine")


def nginx(folder: Path, port: int, upstream: int) -> list[str]:
    """The command that runs nginx with our site."""
    site = (ROOT / "deploy" / "nginx-site.conf").read_text()
    for ours, here in (("listen 80;", f"listen 127.0.0.1:{port};"), ("127.0.0.1:5000 ", f"127.0.0.1:{upstream} ")):
        assert site.count(ours) == 1
        site = site.replace(ours, here)
    (folder / "site.conf").write_text(site)
    (folder / "nginx.conf").write_text(NGINX.format(folder=folder))
    # As root it would give its processes to somebody who may not write into the test's folder.
    directives = "daemon off; user root;" if os.geteuid() == 0 else "daemon off;"
    return [program("nginx"), "-g", directives, "-p", str(folder), "-c", str(folder / "nginx.conf")]


def caddy(folder: Path, port: int, upstream: int) -> list[str]:
    """The command that runs Caddy with our file, which takes the site and the upstream from the environment."""
    settings = f"OSDI_HOST=http://127.0.0.1:{port} OSDI_UPSTREAM=127.0.0.1:{upstream} XDG_DATA_HOME={folder}"
    (folder / "Caddyfile").write_text("{\n\tadmin off\n}\n" + (ROOT / "deploy" / "Caddyfile").read_text())
    command = [program("caddy"), "run", "--config", str(folder / "Caddyfile"), "--adapter", "caddyfile"]
    return ["/usr/bin/env", *settings.split(), *command]


@pytest.fixture(scope="module")
def live(mongod: Mongod) -> Iterator[Live]:
    """A server that trusts the headers of one proxy."""
    uri = mongod.uri.replace("/osdi?", "/proxies?")
    store = Store(uri)
    store.create_indexes()
    create_sample(store, "osdi_outreach")
    store.close()
    environment = {"MONGODB_URI": uri, "TRUSTED_PROXIES": "1", "LOG_ADDRESSES": "true", "LOG_FORMAT": "json"}
    # The tests post without a token, and a body of any length has to pass the proxy.
    environment["MAX_ANONYMOUS_BODY_BYTES"] = str(Settings.max_body_bytes)
    with Live(environment, workers=1, threads=THREADS) as started:
        yield started


@pytest.fixture(scope="module", params=[nginx, caddy], ids=lambda start: start.__name__)
def proxy(request: pytest.FixtureRequest, live: Live, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    start: Start = request.param
    with running(start, tmp_path_factory.mktemp(start.__name__), live) as address:
        yield address


@contextmanager
def running(start: Start, folder: Path, live: Live, *, restart_seconds: int = 2) -> Iterator[str]:
    """Starts the proxy with files in a folder; yields its address, such as http://127.0.0.1:8080.

    Caddy waits for `restart_seconds` for a server that is away.
    """
    port = free_port()
    command = start(folder, port, live.port)
    with (folder / "output.log").open("wb") as output:
        environment = {**os.environ, "OSDI_RESTART_SECONDS": str(restart_seconds)}
        process = subprocess.Popen(command, env=environment, stdout=output, stderr=subprocess.STDOUT)
        try:
            address = f"http://127.0.0.1:{port}"
            assert eventually(lambda: responds(address)), (folder / "output.log").read_text()
            yield address
        finally:
            process.terminate()
            process.wait(SECONDS)


def responds(address: str) -> bool:
    try:
        return requests.get(f"{address}/healthz", timeout=SECONDS).ok
    except requests.ConnectionError:
        return False


def test_links_have_the_host_that_the_client_called(proxy: str) -> None:
    response = requests.get(f"{proxy}{API}/", timeout=SECONDS)

    assert response.json()["_links"]["self"]["href"] == f"{proxy}{API}"


def test_forwarded_headers_of_a_client_are_ignored(proxy: str) -> None:
    forged = {
        "X-Forwarded-Proto": "https",
        "X-Forwarded-Host": "evil.example.org",
        "X-Forwarded-For": "192.0.2.1",
        "Forwarded": "host=evil.example.org",
    }

    response = requests.get(f"{proxy}{API}/", headers=forged, timeout=SECONDS)

    assert response.json()["_links"]["self"]["href"] == f"{proxy}{API}"


def test_the_server_sees_the_clients_address(proxy: str, live: Live) -> None:
    """The server counts requests by this address, and logs it if the operator enables that."""
    forged = {"X-Forwarded-For": "192.0.2.1", "X-Real-IP": "192.0.2.1", "Forwarded": "for=192.0.2.1"}

    response = requests.get(f"{proxy}{API}/", headers=forged, timeout=SECONDS)

    logged = f'"request_id":"{response.headers["OSDI-Request-ID"]}"'
    assert eventually(lambda: logged in live.output)
    (line,) = [json.loads(each) for each in live.output.splitlines() if logged in each]
    assert line["remote_addr"] == "127.0.0.1"


def test_no_header_changes_the_path(proxy: str) -> None:
    """Caddy lets names with an underscore through."""
    response = requests.get(f"{proxy}{API}/", headers={"SCRIPT_NAME": "/api", "PATH_INFO": "/healthz"}, timeout=SECONDS)

    assert response.json()["_links"]["self"]["href"] == f"{proxy}{API}"


@pytest.mark.parametrize("start", [nginx, caddy], ids=lambda start: start.__name__)
def test_no_log_contains_the_query(start: Start, live: Live, tmp_path: Path) -> None:
    query = {"osdi-api-token": "planted", "filter": "email_address eq 'planted@example.org'"}
    with running(start, tmp_path, live) as address:
        assert requests.get(f"{address}{API}/people", params=query, timeout=SECONDS).status_code == 401

    files = [each for each in tmp_path.rglob("*") if each.is_file()]
    assert files
    assert [each.name for each in files if b"planted" in each.read_bytes()] == []


def test_the_longest_accepted_body_passes(proxy: str) -> None:
    response = requests.post(proxy + HELPER, data=a_body(of_length=Settings.max_body_bytes), timeout=SECONDS)

    assert (response.status_code, response.text) == (200, "{}")


def test_a_slightly_too_long_body_gets_the_servers_error(proxy: str) -> None:
    body = a_body(of_length=Settings.max_body_bytes + 1)

    response = requests.post(proxy + HELPER, data=body, headers={"Origin": "https://page.example.org"}, timeout=SECONDS)

    assert (response.status_code, response.headers["Access-Control-Allow-Origin"]) == (413, "*")
    assert response.json()["osdi:error"]["response_code"] == 413


def test_a_far_too_long_body_gets_an_error_of_the_same_form(proxy: str) -> None:
    response = requests.post(proxy + HELPER, data=a_body(of_length=3 * Settings.max_body_bytes), timeout=SECONDS)

    assert response.status_code in (413, 502)  # the latter is Caddy's before 2.7
    check_error_of_proxy(response)


@pytest.mark.parametrize("start", [nginx, caddy], ids=lambda start: start.__name__)
def test_a_request_gets_an_error_that_a_page_can_read_while_the_server_is_away(
    start: Start, mongod: Mongod, tmp_path: Path
) -> None:
    with Live({"MONGODB_URI": mongod.uri}, workers=1, threads=1) as server, running(start, tmp_path, server) as address:
        server.stop()
        response = requests.post(address + HELPER, json=factories.outreach(), timeout=SECONDS)

    assert response.status_code == 502
    assert response.headers["Retry-After"] == "5"
    check_error_of_proxy(response)


def test_caddy_lets_requests_wait_while_the_server_restarts(mongod: Mongod, tmp_path: Path) -> None:
    server = Live({"MONGODB_URI": mongod.uri}, workers=1, threads=1)
    responds: list[int] = []

    def read() -> None:
        responds.append(requests.get(f"{address}/healthz", timeout=SECONDS).status_code)

    with server, running(caddy, tmp_path, server, restart_seconds=60) as address:
        server.stop()
        client = threading.Thread(target=read)
        client.start()
        time.sleep(1)
        assert responds == []
        server.start()
        client.join(SECONDS)

    assert responds == [200]


def check_error_of_proxy(response: requests.Response) -> None:
    """Fails unless the response has the form of the server's errors, for pages of other sites too."""
    assert response.headers["Content-Type"] == "application/hal+json"
    assert response.headers["Access-Control-Allow-Origin"] == "*"
    error = response.json()["osdi:error"]
    assert error["response_code"] == response.status_code
    assert error["resource_status"][0]["error_descriptions"][0]["description"] == response.json()["error"]


def test_a_file_of_a_staff_member_reaches_the_server(proxy: str) -> None:
    """Here without a session, so the server does not read it; nginx would return 413 itself."""
    body = b"x" * 4 * Settings.max_body_bytes

    response = requests.post(f"{proxy}/staff/imports", data=body, timeout=SECONDS)

    assert response.status_code == 401
    assert "You are signed out" in response.text


def a_body(*, of_length: int) -> bytes:
    """A helper's body with a blank end."""
    return json.dumps(factories.outreach()).encode().ljust(of_length)


def test_slow_clients_occupy_no_server_thread(proxy: str, live: Live) -> None:
    """More of them than threads send a body piece by piece; ours would have given them up after eight seconds."""
    body = a_body(of_length=1_000)
    port = int(proxy.rpartition(":")[2])
    head = f"POST {HELPER} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Length: 1000\r\nConnection: close\r\n\r\n"
    clients = [socket.create_connection(("127.0.0.1", port), SECONDS) for _ in range(THREADS * 3)]
    try:
        for client in clients:
            client.sendall(head.encode() + body[:10])
        began = time.monotonic()
        assert requests.get(f"{proxy}/healthz", timeout=SECONDS).ok
        assert time.monotonic() - began < 7

        for client in clients:
            client.sendall(body[10:])
        for client in clients:
            assert re.match(rb"HTTP/1\.1 200 ", client.recv(4096))
    finally:
        for client in clients:
            client.close()
