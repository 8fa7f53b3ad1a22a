"""Clients that hold a thread of the server: they send a body a byte at a time, or stop in the middle of a head."""

import socket
import threading
from contextlib import suppress

BYTE_SECONDS = 1.0
# Of the announced body: more than is dripped in any run.
LENGTH = 10_000
CONNECT_SECONDS = 10
ANSWER = 65_536


class Slow:
    """One such client at work: `with Slow(port, body_of(path)): ...`. Where it is cut off it comes again.

    It sends `begin` at once, and then with `drips` a blank each BYTE_SECONDS, else nothing.
    """

    def __init__(self, port: int, begin: bytes, *, drips: bool) -> None:
        self._address = ("127.0.0.1", port)
        self._begin = begin
        self._drips = drips
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._work, daemon=True)

    def __enter__(self) -> "Slow":
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
                while not self._stop.is_set() and self._is_waited_for(connection):
                    if self._drips:
                        connection.sendall(b" ")

    @staticmethod
    def _is_waited_for(connection: socket.socket) -> bool:
        """Whether the server still waits for more after BYTE_SECONDS; if not, it has answered or hung up."""
        try:
            connection.recv(ANSWER)
        except TimeoutError:
            return True
        return False


def body_of(path: str) -> bytes:
    """A whole head that announces a long body."""
    head = f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
    return f"{head}Content-Length: {LENGTH}\r\n\r\n".encode()


def half_a_head(path: str) -> bytes:
    """The beginning of a request's first line."""
    return f"POST {path}".encode()
