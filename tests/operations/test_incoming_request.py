"""The end of a request, and the time that a client has for each part of it."""

import time

import pytest

from osdi.operations.serving.incoming_request import MAX_FRAMING_BYTES, MAX_HEAD_BYTES, Bounds, IncomingRequest

BOUNDS = Bounds(head_seconds=5, body_seconds=8, silence_seconds=2)
HEAD = b"POST /x HTTP/1.1\r\nHost: a\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"


def request() -> IncomingRequest:
    return IncomingRequest(BOUNDS, max_body_bytes=100, deadline=95)


@pytest.mark.one_in(5)
@pytest.mark.parametrize(
    ("sent", "is_complete"),
    [
        (b"GET / HTTP/1.1\r\nHost: a\r\n", False),
        (b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", True),
        (b"GET / HTTP/1.0\r\n\r\n", True),
        (HEAD + b"Content-Length: 3\r\n\r\nab", False),
        (HEAD + b"Content-Length: 3\r\n\r\nabc", True),
        (HEAD + b"content-length:3\r\n\r\nabc", True),
        (HEAD + b"Content-Length: 0\r\n\r\n", True),
        (HEAD + b"Content-Length: 3\r\n\r\nabcGET / HTTP/1.1", True),
        # gunicorn rejects these.
        (HEAD + b"Content-Length: x\r\n\r\n", True),
        (HEAD + b"Content-Length: -1\r\n\r\n", True),
        # The application rejects a body of more than 100 bytes.
        (HEAD + b"Content-Length: 101\r\n\r\n", True),
        (HEAD + b"Content-Length: 100\r\n\r\n", False),
        # A thread receives a long form of the staff pages.
        (b"POST /staff/imports HTTP/1.1\r\nContent-Length: 101\r\n\r\n", True),
        # A header's value that looks like a length.
        (HEAD + b"X: Content-Length: 3\r\n\r\n", True),
        (CHUNKED, False),
        (CHUNKED + b"3\r\nabc\r\n", False),
        (CHUNKED + b"3\r\nabc\r\n0\r\n", False),
        (CHUNKED + b"3\r\nabc\r\n0\r\n\r\n", True),
        (CHUNKED + b"3;name=value\r\nabc\r\n000\r\n\r\n", True),
        (CHUNKED + b"0\r\nX-Trailer: a\r\n", False),
        (CHUNKED + b"0\r\nX-Trailer: a\r\n\r\n", True),
        (CHUNKED + b"5\r\n0\r\n\r\n\r\n", False),
        (CHUNKED + b"5\r\n0\r\n\r\n\r\n0\r\n\r\n", True),
        (CHUNKED + b"zz\r\n", True),
        (CHUNKED + b"-1\r\n", True),
        (CHUNKED + b"f" * 1_001, True),
        (CHUNKED + b"65\r\n" + b"a" * 100, False),
        (CHUNKED + b"65\r\n" + b"a" * 101, True),
        (CHUNKED + b"1\r\na\r\n" * 100, False),
        (CHUNKED + b"1\r\na\r\n" * 100 + b"1\r\na", True),
        (CHUNKED + b"1;x=" + b"x" * 900 + b"\r\na\r\n", False),
        # The lines between the chunks, and the trailers, are limited too.
        (CHUNKED + (b"1;x=" + b"x" * 900 + b"\r\na\r\n") * 72, False),
        (CHUNKED + (b"1;x=" + b"x" * 900 + b"\r\na\r\n") * 73, True),
        (CHUNKED + b"0\r\nX-Trailer: " + b"a" * (MAX_FRAMING_BYTES - 20), False),
        (CHUNKED + b"0\r\nX-Trailer: " + b"a" * MAX_FRAMING_BYTES, True),
        (b"GET / HTTP/1.1\r\nX: " + b"a" * MAX_HEAD_BYTES, True),
    ],
)
@pytest.mark.parametrize("piece", [1, 7, 10_000_000])
def test_a_request_is_complete_however_it_is_cut_into_pieces(sent: bytes, is_complete: bool, piece: int) -> None:
    if len(sent) > 10_000 and piece < 10_000:
        piece = 10_000
    arriving = request()

    for start in range(0, len(sent), piece):
        arriving.add(sent[start : start + piece], 0)

    assert arriving.is_complete is is_complete


def test_trailers_in_small_pieces_are_searched_once() -> None:
    arriving = request()
    arriving.add(CHUNKED + b"0\r\nX-Trailer: ", 0)
    began = time.process_time()

    for _ in range(60_000):
        arriving.add(b"a", 0)

    assert not arriving.is_complete
    assert time.process_time() - began < 0.6  # several seconds if each piece copies or searches all of them


def test_the_head_has_a_time_limit_as_a_whole_and_for_each_piece() -> None:
    arriving = request()
    assert arriving.deadline == 95

    deadlines = []
    for timestamp in (10.0, 11.5, 14.0):
        arriving.add(b"GET", timestamp)
        deadlines.append(arriving.deadline)

    assert deadlines == [12, 13.5, 15]


def test_the_body_has_a_time_limit_of_its_own() -> None:
    arriving = request()

    deadlines = []
    for timestamp, data in ((10.0, HEAD), (12.0, b"Content-Length: 9\r\n\r\n"), (19.0, b"a")):
        arriving.add(data, timestamp)
        deadlines.append(arriving.deadline)

    assert deadlines == [12, 14, 20]


@pytest.mark.parametrize(
    ("sent", "awaits"),
    [
        (HEAD + b"Expect: 100-continue\r\nContent-Length: 3\r\n\r\n", True),
        (HEAD + b"Expect: 100-continue\r\nContent-Length: 3\r\n\r\na", False),
        (HEAD + b"Expect: 100-continue\r\nContent-Length: 300\r\n\r\n", False),
        (HEAD + b"Content-Length: 3\r\n\r\n", False),
        (HEAD + b"Expect: 100-continue\r\n", False),
    ],
)
def test_a_client_may_wait_for_100_continue(sent: bytes, awaits: bool) -> None:
    arriving = request()

    arriving.add(sent, 0)

    assert arriving.awaits_continue is awaits


@pytest.mark.parametrize(
    ("sent", "is_long_form"),
    [
        (b"POST /staff/imports HTTP/1.1\r\nContent-Length: 101\r\n\r\n", True),
        (b"POST /staff/imports?a=b HTTP/1.1\r\nContent-Length: 101\r\n\r\na", True),
        (b"POST /staff/imports HTTP/1.1\r\nContent-Length: 100\r\n\r\n", False),
        (b"POST /staff/imports HTTP/1.1\r\nContent-Length: 101\r\n\r\n" + b"a" * 101, False),
        (b"POST /staff/imports HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n", False),
        (b"PUT /staff/imports HTTP/1.1\r\nContent-Length: 101\r\n\r\n", False),
        (b"POST /staffing HTTP/1.1\r\nContent-Length: 101\r\n\r\n", False),
        (b"POST /api/v1/people HTTP/1.1\r\nContent-Length: 101\r\n\r\n", False),
        (b"GET / HTTP/1.1\r\nX: POST /staff/imports HTTP/1.1\r\nContent-Length: 101\r\n\r\n", False),
    ],
)
def test_a_thread_receives_only_long_forms_of_the_staff_pages(sent: bytes, is_long_form: bool) -> None:
    incoming = request()

    incoming.add(sent, 0)

    assert incoming.is_long_form == is_long_form
