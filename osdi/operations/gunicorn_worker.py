"""gunicorn's threaded worker, so that no client can hold a thread for long and nobody is cut off when it stops.

gunicorn bounds the wait for a request's first byte. What follows may come as slowly as a client likes, so here each
wait for more, the head as a whole and the body as a whole have their bounds, on the connection itself.

When gunicorn stops, clients that have connected but wait in line would be reset: a worker takes them in first. It does
the same when its master was killed, since the next one needs the port.

https://docs.gunicorn.org/en/stable/design.html
"""

import socket
import time
from typing import Any, NamedTuple

from gunicorn.workers.gthread import ThreadWorker


class Bounds(NamedTuple):
    """Seconds that a client has for a head, for a body, and for each piece of them."""

    head_seconds: float
    body_seconds: float
    silence_seconds: float


class BoundedSocket(socket.socket):
    """A connection from which a head, or a body, is read until a moment at the latest."""

    bounds: Bounds
    _ends: float | None = None
    _in_body = False

    def expect_head(self) -> None:
        """A request comes next. Where its head is not there in time the connection looks as if it was closed."""
        self._in_body = False
        self._ends = None

    def expect_body(self) -> None:
        """The head is read. Where the body does not come in time `recv` raises TimeoutError."""
        self._in_body = True
        self._ends = time.monotonic() + self.bounds.body_seconds

    def recv(self, size: int, flags: int = 0, /) -> bytes:
        if self._ends is None:  # its first byte is there: gunicorn has waited for it
            self._ends = time.monotonic() + self.bounds.head_seconds
        left = min(self.bounds.silence_seconds, self._ends - time.monotonic())
        try:
            if left <= 0:
                raise TimeoutError
            self.settimeout(left)
            return super().recv(size, flags)
        except TimeoutError:
            if self._in_body:
                raise
            return b""
        finally:
            self.settimeout(self.bounds.silence_seconds)  # for the answer


class Worker(ThreadWorker):  # type: ignore[misc]  # gunicorn has no types
    """Serves connections whose clients are waited for within bounds."""

    bounds: Bounds
    """Set by gunicorn.conf.py, from the environment."""

    def enqueue_req(self, conn: Any) -> None:
        """A connection has something to read: its first request, or the next one."""
        if not isinstance(conn.sock, BoundedSocket):
            conn.sock = BoundedSocket(fileno=conn.sock.detach())
            conn.sock.bounds = self.bounds
        super().enqueue_req(conn)

    def handle(self, conn: Any) -> Any:
        """One request, in a thread of the pool."""
        conn.sock.expect_head()
        return super().handle(conn)

    def handle_request(self, req: Any, conn: Any) -> Any:
        """Its head is read: what comes now is the body."""
        conn.sock.expect_body()
        return super().handle_request(req, conn)

    def is_parent_alive(self) -> bool:
        """Where the master was killed, stop as if it had said so: no connection is kept open any longer."""
        if not super().is_parent_alive():
            self.alive = False
        return bool(self.alive)

    def set_accept_enabled(self, enabled: bool) -> None:
        """When stopping, take in whoever has connected; then nobody can connect, instead of being cut off later."""
        super().set_accept_enabled(enabled)
        if enabled or self.alive:
            return
        for listener in self.sockets:
            taken = -1
            while self.nr_conns > taken:
                taken = self.nr_conns
                self.accept(listener)
            listener.close()
