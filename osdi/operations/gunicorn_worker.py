"""gunicorn's threaded worker, so that no client can hold a thread for long and nobody is cut off when it stops.

gunicorn bounds the wait for a request's first byte. What follows may come as slowly as a client likes, so here each
wait for more, the head as a whole and the body as a whole have their bounds, on the connection itself.

When gunicorn stops, clients that have connected but wait in line would be reset: a worker takes them in first. It does
the same when its master was killed, since the next one needs the port.

https://docs.gunicorn.org/en/stable/design.html
"""

import socket
import time
from typing import Any, Final

from gunicorn.workers.gthread import ThreadWorker

HEAD_SECONDS: Final = 5.0
BODY_SECONDS: Final = 8.0
"""More than enough for the longest body on a bad line; two clients in a row still leave time for a third's answer."""
SILENCE_SECONDS: Final = 5.0


class BoundedSocket(socket.socket):
    """A connection from which a head, or a body, is read until a moment at the latest."""

    _ends: float | None = None
    _in_body = False

    def expect_head(self) -> None:
        """A request comes next. Where its head is not there in time the connection looks as if it was closed."""
        self._in_body = False
        self._ends = None

    def expect_body(self) -> None:
        """The head is read. Where the body does not come in time `recv` raises TimeoutError."""
        self._in_body = True
        self._ends = time.monotonic() + BODY_SECONDS

    def recv(self, size: int, flags: int = 0, /) -> bytes:
        if self._ends is None:  # its first byte is there: gunicorn has waited for it
            self._ends = time.monotonic() + HEAD_SECONDS
        left = min(SILENCE_SECONDS, self._ends - time.monotonic())
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
            self.settimeout(SILENCE_SECONDS)  # for the answer


class Worker(ThreadWorker):  # type: ignore[misc]  # gunicorn has no types
    """Serves connections whose clients are waited for within bounds."""

    def enqueue_req(self, conn: Any) -> None:
        """Takes a connection that has data to read: its first request, or the next one."""
        if not isinstance(conn.sock, BoundedSocket):
            conn.sock = BoundedSocket(fileno=conn.sock.detach())
        super().enqueue_req(conn)

    def handle(self, conn: Any) -> Any:
        """Handles one request, in a thread of the pool."""
        conn.sock.expect_head()
        return super().handle(conn)

    def handle_request(self, req: Any, conn: Any) -> Any:
        """Handles a request whose head has been read; the body follows."""
        conn.sock.expect_body()
        return super().handle_request(req, conn)

    def is_parent_alive(self) -> bool:
        """True if the master is alive. If it was killed, the worker stops as after SIGTERM."""
        if not super().is_parent_alive():
            self.alive = False
        return bool(self.alive)

    def set_accept_enabled(self, enabled: bool) -> None:
        """When the worker stops, accepts all waiting connections and closes the listener, so that none is reset."""
        super().set_accept_enabled(enabled)
        if enabled or self.alive:
            return
        for listener in self.sockets:
            accepted = -1
            while self.nr_conns > accepted:
                accepted = self.nr_conns
                self.accept(listener)
            listener.close()
