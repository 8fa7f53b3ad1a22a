"""Slow clients that block a thread of the server: they send a body byte by byte, or stop within the headers."""

import socket
import threading
from contextlib import suppress

BYTE_SECONDS = 1.0
# Announced length of the body: longer than any run can send.
LENGTH = 10_000
CONNECT_SECONDS = 10
MAX_RESPONSE_BYTES = 65_536


class SlowClient:
    """One slow client: `with SlowClient(port, start_of_body(path), drips=True): ...`. It reconnects if it is cut off.

    It sends `begin` immediately, then with `drips` one space every BYTE_SECONDS, without `drips` nothing.
    """

    def __init__(self, port: int, begin: bytes, *, drips: bool) -> None:
        self._address = ("127.0.0.1", port)
        self._begin = begin
        self._drips = drips
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._work, daemon=True)

    def __enter__(self) -> "SlowClient":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join(CONNECT_SECONDS)

    def _work(self) -> None:
        while not self._stop.wait(BYTE_SECONDS / 10):
            with suppress(OSError), socket.create_connection(self._address, CONNECT_SECONDS) as connection:
                connection.sendall(self._begin)
                connection.settimeout(BYTE_SECONDS)
                while not self._stop.is_set() and self._server_waits(connection):
                    if self._drips:
                        connection.sendall(b" ")

    @staticmethod
    def _server_waits(connection: socket.socket) -> bool:
        """True if the server still waits for data after BYTE_SECONDS. Otherwise it has responded or hung up."""
        try:
            connection.recv(MAX_RESPONSE_BYTES)
        except TimeoutError:
            return True
        return False


def start_of_body(path: str) -> bytes:
    """Returns complete headers that announce a long body."""
    head = f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
    return f"{head}Content-Length: {LENGTH}\r\n\r\n".encode()


def start_of_headers(path: str) -> bytes:
    """Returns the beginning of a request line."""
    return f"POST {path}".encode()
