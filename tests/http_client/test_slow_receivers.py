"""Receivers of POSTs that are away, broken, or slow on purpose: how long the worst of them can hold us."""

import socket
import ssl
import sys
import threading
import time
import traceback
from contextlib import suppress
from typing import Any

import pytest
import trustme

from osdi import log
from osdi.http_client.post import HttpPost, NotDelivered
from tests.support.receivers import (
    LONG,
    LOOPBACK,
    Receiver,
    Serve,
    full_port,
    port_of,
    resolving,
    script,
    send_slowly,
    silent,
)

pytestmark = pytest.mark.waits

BODY = b"[]"

SHORT = 0.5
# Upper bound for a time-out of SHORT on a busy machine; the servers here would run far longer.
SOON = 5.0


def post(url: str, body: bytes = BODY, **how: Any) -> int:
    return HttpPost(LOOPBACK, **how).post(url, body, {}).status


def reason(url: str, body: bytes = BODY, **how: Any) -> str:
    """Why it was not delivered."""
    with pytest.raises(NotDelivered) as caught:
        post(url, body, **how)
    return caught.value.reason


def read_request(connection: socket.socket) -> None:
    received = b""
    while not received.endswith(b"\r\n\r\n" + BODY) and (more := connection.recv(65_536)):
        received += more


def test_a_port_at_which_nothing_listens() -> None:
    with silent() as closed:
        port = port_of(closed)

    assert reason(f"http://127.0.0.1:{port}/") == "connect"


def test_a_name_that_does_not_exist(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_: object, **__: object) -> list:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)

    assert reason("https://hooks.example.org/") == "no_such_host"


def test_an_address_that_cannot_be_reached_is_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    resolving(monkeypatch, "hooks.example.org", "::1", "127.0.0.1")

    with Receiver() as receiver:
        assert post(receiver.url("hooks.example.org")) == 200

    assert len(receiver.requests) == 1


@pytest.mark.skipif(sys.platform != "linux", reason="Only there is all of 127.0.0.0/8 loopback, and are SYNs dropped.")
def test_an_address_without_a_response_takes_only_its_share_of_the_time(monkeypatch: pytest.MonkeyPatch) -> None:
    resolving(monkeypatch, "hooks.example.org", "127.0.0.2", "127.0.0.1")

    with Receiver() as receiver, full_port("127.0.0.2", receiver.port):
        assert post(receiver.url("hooks.example.org"), seconds=4 * SHORT) == 200

    assert len(receiver.requests) == 1


@pytest.mark.skipif(sys.platform != "linux", reason="Only there is all of 127.0.0.0/8 loopback, and are SYNs dropped.")
def test_an_address_without_a_response_is_left() -> None:
    began = time.monotonic()

    with full_port("127.0.0.2", 0) as port:
        assert reason(f"http://127.0.0.2:{port}/", seconds=SHORT) == "timeout"

    assert time.monotonic() - began < SOON


def test_a_lookup_that_hangs_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    over = threading.Event()

    def hanging(*_: object, **__: object) -> list:
        over.wait(LONG)
        raise socket.gaierror

    monkeypatch.setattr(socket, "getaddrinfo", hanging)
    began = time.monotonic()

    assert reason("https://hooks.example.org/", seconds=SHORT) == "timeout"

    assert time.monotonic() - began < SOON
    over.set()


def handshake_that_drips(connection: socket.socket, over: threading.Event) -> None:
    connection.recv(1_000)
    connection.sendall(b"\x16\x03\x03\x40\x00\x02\x00\x3f\xfc\x03\x03")
    send_slowly(connection, over, bytes(100))


def head_that_drips(connection: socket.socket, over: threading.Event) -> None:
    read_request(connection)
    connection.sendall(b"HTTP/1.1 200 OK\r\n")
    send_slowly(connection, over, b"X-Slow: slow\r\n")


def head_that_never_ends(connection: socket.socket, over: threading.Event) -> None:
    read_request(connection)
    send_slowly(connection, over, b"HTTP/1.1 100 Continue\r\n\r\n")


def silence(connection: socket.socket, over: threading.Event) -> None:
    over.wait(LONG)


@pytest.mark.parametrize(
    ("scheme", "serve"),
    [
        ("http", silence),
        ("http", head_that_never_ends),
        ("https", silence),
        ("https", handshake_that_drips),
    ],
)
def test_a_server_that_is_slow_on_purpose_is_left(scheme: str, serve: Serve) -> None:
    began = time.monotonic()

    with script(serve) as port:
        assert reason(f"{scheme}://127.0.0.1:{port}/", seconds=SHORT) == "timeout"

        assert SHORT <= time.monotonic() - began < SOON


def reads_by_drops(connection: socket.socket, over: threading.Event) -> None:
    # So slow that it takes ten seconds, and fast enough for every single step of ours to succeed.
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65_536)
    read = 1
    while read and not over.wait(0.05):
        read = sum(len(connection.recv(16_384)) for _ in range(6))


@pytest.mark.parametrize(
    ("serve", "body"), [(head_that_drips, BODY), (reads_by_drops, b" " * 20_000_000)], ids=["answers", "reads"]
)
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_server_that_sends_byte_by_byte_is_disconnected(scheme: str, serve: Serve, body: bytes) -> None:
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)

    def serve_by_tls(connection: socket.socket, over: threading.Event) -> None:
        with context.wrap_socket(connection, server_side=True) as wrapped:
            serve(wrapped, over)

    began = time.monotonic()
    with script(serve_by_tls if scheme == "https" else serve) as port, authority.cert_pem.tempfile() as ca_certs:
        assert reason(f"{scheme}://127.0.0.1:{port}/", body, seconds=SHORT, ca_certs=ca_certs) == "timeout"

        assert SHORT <= time.monotonic() - began < SOON


def test_a_response_that_drips_counts_by_its_status() -> None:
    def serve(connection: socket.socket, over: threading.Event) -> None:
        read_request(connection)
        connection.sendall(b"HTTP/1.1 202 Accepted\r\nContent-Length: 1000000\r\n\r\n")
        send_slowly(connection, over, b" ")

    began = time.monotonic()
    with script(serve) as port:
        assert post(f"http://127.0.0.1:{port}/", seconds=SHORT) == 202

        assert time.monotonic() - began < SOON


@pytest.mark.parametrize("framing", [b"Content-Length: 1000000000", b"Transfer-Encoding: chunked", b"X-Till: the end"])
def test_a_response_that_never_ends_is_left_after_its_beginning(framing: bytes) -> None:
    ended = threading.Event()

    def serve(connection: socket.socket, over: threading.Event) -> None:
        read_request(connection)
        connection.sendall(b"HTTP/1.1 200 OK\r\n" + framing + b"\r\n\r\n")
        with suppress(OSError):
            while not over.is_set():
                connection.sendall(b"ffff\r\n" + b" " * 0xFFFF + b"\r\n")
        ended.set()

    began = time.monotonic()
    with script(serve) as port:
        assert post(f"http://127.0.0.1:{port}/", seconds=LONG) == 200

        assert time.monotonic() - began < SOON
        assert ended.wait(SOON)


def test_a_short_response_is_read_to_its_end() -> None:
    """So that a server that is still writing does not see us hang up."""
    written = threading.Event()

    def serve(connection: socket.socket, over: threading.Event) -> None:
        read_request(connection)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n")
        connection.settimeout(0.2)
        with pytest.raises(TimeoutError):
            connection.recv(1)  # b"" if we had hung up
        connection.sendall(b"done")
        written.set()

    with script(serve) as port:
        assert post(f"http://127.0.0.1:{port}/") == 200

    assert written.is_set()


@pytest.mark.parametrize(
    "response",
    [
        b"",
        b"220 secret ESMTP\r\n",
        b"HTTP/1.1 secret\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"X-Many: 1\r\n" * 200 + b"\r\n",
        b"HTTP/1.1 200 OK\r\nX-Long: " + b"a" * 100_000 + b"\r\n\r\n",
        b"secret" * 100_000,
    ],
    ids=["nothing", "another protocol", "no number", "too many headers", "too long a header", "too long a line"],
)
def test_a_response_that_is_not_http_is_reported_without_its_text(response: bytes) -> None:
    def serve(connection: socket.socket, over: threading.Event) -> None:
        read_request(connection)
        connection.sendall(response)

    with script(serve) as port, pytest.raises(NotDelivered) as caught:
        post(f"http://127.0.0.1:{port}/")

    assert caught.value.reason == "protocol"
    assert "secret" not in "".join(traceback.format_exception(caught.value))


def test_headers_that_cannot_be_read_are_not_logged(capsys: pytest.CaptureFixture[str]) -> None:
    """urllib3 would log the address, and what the server sent."""
    log.configure(log.JSON, "info")

    def serve(connection: socket.socket, over: threading.Event) -> None:
        read_request(connection)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nno header secret\r\nX-Last: 1\r\n\r\n")

    with script(serve) as port:
        assert post(f"http://127.0.0.1:{port}/hidden") == 200

    assert capsys.readouterr().out == ""
