"""Requests that are not valid HTTP get OSDI's error form from real gunicorn, without anything that the client sent."""

import json
import socket
from collections.abc import Iterator

import pytest
from flask import Flask

from dev.mongod import Mongod
from osdi.resources import API
from tests.support.live import Live

MARKER = "marker-of-the-client"
PATH = f"{API}/advocacy_campaigns"

# Each with its status and error code.
REQUESTS = {
    "no version": (f"GET /{MARKER}\r\n\r\n", 400, "INVALID"),
    "an unknown version": (f"GET {PATH} HTTP/9.{MARKER}\r\n\r\n", 400, "INVALID"),
    "a method with a sign": (f"GE<{MARKER}> {PATH} HTTP/1.1\r\n\r\n", 400, "INVALID"),
    "a header without a colon": (f"GET {PATH} HTTP/1.1\r\n{MARKER}\r\n\r\n", 400, "INVALID"),
    "a header name with a space": (f"GET {PATH} HTTP/1.1\r\nX {MARKER}: a\r\n\r\n", 400, "INVALID"),
    "a folded header": (f"GET {PATH} HTTP/1.1\r\nX-A: a\r\n {MARKER}\r\n\r\n", 400, "INVALID"),
    "two lengths": (f"POST {PATH} HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n{MARKER}", 400, "INVALID"),
    "a negative length": (f"POST {PATH} HTTP/1.1\r\nContent-Length: -1\r\n\r\n{MARKER}", 400, "INVALID"),
    "a length and chunks": (
        f"POST {PATH} HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n{MARKER}",
        400,
        "INVALID",
    ),
    "a TLS handshake": ("\x16\x03\x01\x02\x00\x01\x00\r\n\r\n", 400, "INVALID"),
    "a long URL": (f"GET {PATH}?{MARKER}={'a' * 9_000} HTTP/1.1\r\n\r\n", 414, "TOO_LARGE"),
    "a long header": (f"GET {PATH} HTTP/1.1\r\nX-A: {MARKER}{'a' * 9_000}\r\n\r\n", 431, "TOO_LARGE"),
    "many headers": (
        f"GET {PATH} HTTP/1.1\r\n" + "".join(f"X-{number}: {MARKER}\r\n" for number in range(200)) + "\r\n",
        431,
        "TOO_LARGE",
    ),
    "an unknown transfer coding": (f"POST {PATH} HTTP/1.1\r\nTransfer-Encoding: {MARKER}\r\n\r\n", 501, "INVALID"),
    "an unknown expectation": (f"POST {PATH} HTTP/1.1\r\nExpect: {MARKER}\r\n\r\n", 417, "INVALID"),
}


@pytest.fixture(scope="module")
def live(mongod: Mongod, app: Flask) -> Iterator[Live]:
    with Live({"MONGODB_URI": mongod.uri, "LOG_FORMAT": "json"}) as live:
        yield live


def response_to(live: Live, request: str) -> tuple[str, bytes]:
    """Sends the bytes of a request; returns the head and the body of everything that the server sends."""
    with socket.create_connection(("127.0.0.1", live.port), timeout=60) as connection:
        connection.sendall(request.encode("latin1"))
        received = b""
        while more := connection.recv(65_536):
            received += more
    head, _, body = received.partition(b"\r\n\r\n")
    return head.decode(), body


@pytest.mark.parametrize(("request_", "status", "code"), REQUESTS.values(), ids=REQUESTS)
def test_a_request_that_is_not_valid_http_gets_the_error_form(
    live: Live, request_: str, status: int, code: str
) -> None:
    head, body = response_to(live, request_)

    assert head.startswith(f"HTTP/1.1 {status} ")
    assert "Content-Type: application/hal+json" in head
    assert f"Content-Length: {len(body)}" in head
    error = json.loads(body)["osdi:error"]
    assert error["response_code"] == status
    (description,) = error["resource_status"][0]["error_descriptions"]
    assert description["error_code"] == code
    assert MARKER not in head + body.decode()


def test_the_log_has_no_text_of_such_a_request(live: Live) -> None:
    for request, _, _ in REQUESTS.values():
        response_to(live, request)

    lines = [json.loads(line) for line in live.output.splitlines()]
    assert [line["event"] for line in lines].count("Invalid request") >= len(REQUESTS)
    assert MARKER not in live.output
