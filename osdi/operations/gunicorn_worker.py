"""Threaded gunicorn worker that bounds how long a client may hold a thread, and serves all clients before it stops.

gunicorn bounds the wait for the first byte of a request only. This worker also bounds each wait for more, the head as a
whole and the body as a whole, on the connection itself.

When gunicorn stops, it would reset the clients that have connected but wait in the queue: the worker accepts them
first. It does the same when its master was killed, because the next master needs the port.

https://docs.gunicorn.org/en/stable/design.html
"""

import socket
from typing import Any, NamedTuple

from gunicorn.workers.gthread import ThreadWorker

from osdi.http_client.timeout import Deadline


class Bounds(NamedTuple):
    """Seconds that a client has for a head, for a body, and for each piece of them."""

    head_seconds: float
    body_seconds: float
    silence_seconds: float


class ClientSocket(socket.socket):
    """Connection to a client: receiving the head, and then the body, each ends at a deadline; sending does not."""

    bounds: Bounds
    _deadline: Deadline | None = None
    _in_body = False

    def expect_head(self) -> None:
        """Prepares for a request. If its head does not arrive in time, `recv` returns nothing, as if it was closed."""
        self._in_body = False
        self._deadline = None

    def expect_body(self) -> None:
        """Prepares for a body. If it does not arrive in time, `recv` raises TimeoutError."""
        self._in_body = True
        self._deadline = Deadline(self.bounds.body_seconds)

    def recv(self, size: int, flags: int = 0, /) -> bytes:
        if self._deadline is None:  # the first byte has arrived: gunicorn has waited for it
            self._deadline = Deadline(self.bounds.head_seconds)
        try:
            self.settimeout(self._deadline.left(self.bounds.silence_seconds))
            return super().recv(size, flags)
        except TimeoutError:
            if self._in_body:
                raise
            return b""
        finally:
            self.settimeout(self.bounds.silence_seconds)  # for the response


class Worker(ThreadWorker):  # type: ignore[misc]  # gunicorn has no types
    """Threaded worker with time limits for reading requests."""

    # gunicorn.conf.py sets them from the environment.
    bounds: Bounds

    def enqueue_req(self, conn: Any) -> None:
        """Takes a connection that has data to read: its first request, or the next one."""
        if not isinstance(conn.sock, ClientSocket):
            conn.sock = ClientSocket(fileno=conn.sock.detach())
            conn.sock.bounds = self.bounds
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
        """Accepts all waiting connections and closes the listener if the worker stops, so that none is reset."""
        super().set_accept_enabled(enabled)
        if enabled or self.alive:
            return
        for listener in self.sockets:
            accepted = -1
            while self.nr_conns > accepted:
                accepted = self.nr_conns
                self.accept(listener)
            listener.close()
