"""Threaded gunicorn worker whose threads never wait for a client to send: its loop collects each request first.

gunicorn gives each new connection a thread, which waits for the request. So a few silent clients would occupy all
threads. Here a connection gets a thread only when its whole request has arrived. The loop bounds the time for a head, a
body and each piece of them, and the number of unfinished requests from one address. It also sends what a slow client
has not read yet, and waits for clients that are slow to close.

When gunicorn stops, it would reset the clients that have connected but wait in the queue: the worker accepts them
first. It does the same when its master was killed, because the next master needs the port.

https://docs.gunicorn.org/en/stable/design.html
"""

import errno
import ipaddress
import os
import selectors
import socket
import sys
import time
from collections.abc import Iterable
from contextlib import suppress
from functools import partial
from typing import Any, Final

from gunicorn.http.errors import (
    ConfigurationProblem,
    InvalidResponseHeader,
    InvalidResponseHeaderName,
    NoMoreData,
    ParseException,
)
from gunicorn.workers.gthread import STOP_KEEPALIVE_LINGER, TConn, ThreadWorker

from osdi.operations.serving.client_socket import ClientSocket
from osdi.operations.serving.incoming_request import Bounds, IncomingRequest
from osdi.operations.serving.unreadable_request import response_to

# Unfinished requests from one address, and their bytes from all addresses. Beyond them the oldest connection is closed.
MAX_UNFINISHED_PER_ADDRESS: Final = 20
MAX_UNFINISHED_BYTES: Final = 67_108_864
# Beyond this number of bytes that clients have not read, in all responses together, the oldest connection is closed.
MAX_UNSENT_BYTES: Final = 67_108_864
# A client has this many times `silence_seconds` to read a piece of what the loop sends: no thread waits for it, and the
# system reports that there is room only after the client has read a third of what is under way.
READING_TIMES: Final = 6
# The holder of one IPv6 address has its whole network.
IPV6_NETWORK: Final = 64

# A client has this time for a long form, and more for its bytes at this rate.
LONG_FORM_SECONDS: Final = 30.0
LONG_FORM_BYTES_PER_SECOND: Final = 50_000
# The loop looks for connections that are over their time this often at most.
LOOK_SECONDS: Final = 0.25
# After the last response, a client has this time to close; until then the loop reads and drops what it sends. Otherwise
# the system would reset the connection, and the response could be lost (RFC 9112, section 9.6).
LINGER_SECONDS: Final = 2.0
# accept() fails like this if the process or the machine has as many open files as it may.
NO_DESCRIPTOR: Final = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)
# The loop waits this long if it has no connection to close either.
FULL_SECONDS: Final = 0.02
# Of the exceptions about a request, these are caused by the configuration or the application, not by the client.
PROGRAM_ERRORS: Final = (ConfigurationProblem, InvalidResponseHeader, InvalidResponseHeaderName)
CONTINUE: Final = b"HTTP/1.1 100 Continue\r\n\r\n"


class Worker(ThreadWorker):  # type: ignore[misc]  # gunicorn has no types
    """Threaded worker that collects requests in its loop."""

    # gunicorn.conf.py sets them from the environment.
    bounds: Bounds
    max_body_bytes: int
    limits_addresses: bool

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        # Both in the order in which they began.
        self._incoming: dict[TConn, IncomingRequest] = {}
        self._lingering: dict[TConn, float] = {}
        # The end of the time for the next piece of the response, and if the connection is kept after it.
        self._sending: dict[TConn, tuple[float, bool]] = {}
        # By address: the connections of _incoming, and those of them on which a part of a request has arrived.
        self._waiting: dict[str, dict[TConn, None]] = {}
        self._unfinished: dict[str, dict[TConn, None]] = {}
        self._held = 0
        self._next_look = 0.0

    @classmethod
    def check_config(cls, cfg: Any, log: Any) -> None:
        """Exits if gunicorn is to end TLS: the loop reads requests as they arrive."""
        super().check_config(cfg, log)
        if cfg.is_ssl:
            log.error("This worker does not end TLS: remove --certfile and --keyfile, and put a proxy in front.")
            sys.exit(os.EX_CONFIG)

    def accept(self, listener: Any) -> None:
        """Accepts a connection and waits in the loop for its first request."""
        try:
            accepted, address = listener.accept()
        except OSError as error:
            if error.errno in NO_DESCRIPTOR:
                self._make_room()
                return
            if error.errno not in (errno.EAGAIN, errno.ECONNABORTED, errno.EWOULDBLOCK):
                raise
            return
        self.nr_conns += 1
        if self.nr_conns >= self.worker_connections:
            self._make_room()
        conn = TConn(self.cfg, ClientSocket(accepted.detach()), address, listener.getsockname())
        conn.data_ready = True
        self._await_request(conn)

    def _make_room(self) -> None:
        """Closes a connection, because the process may not have more: that of the address with most, the oldest first.

        So an address that opens many connections closes its own ones, and none of another address.
        """
        if self._waiting:
            most = max(self._waiting, key=lambda network: len(self._waiting[network]))
            self._close_first(self._waiting[most])
        elif self._lingering:
            self._close_first(self._lingering)
        else:
            time.sleep(FULL_SECONDS)

    def handle(self, conn: Any) -> Any:
        """Handles one request, in a thread of the pool."""
        conn.sock.in_body = False
        return super().handle(conn)

    def handle_request(self, req: Any, conn: Any) -> Any:
        """Handles a request whose head has been parsed."""
        conn.sock.in_body = True
        conn.sock.settimeout(self.bounds.silence_seconds)  # for each piece of the response
        # The loop has sent `100 Continue`; gunicorn would send another one.
        req._expected_100_continue = False
        if not conn.sock.is_whole:
            req.force_close()  # says so in the response: a client that sent another request behind it would lose it
        return super().handle_request(req, conn)

    def handle_error(self, req: Any, client: Any, addr: Any, exc: Any) -> None:
        """Rejects a request that is not valid HTTP in OSDI's error form; gunicorn would respond in HTML."""
        if not isinstance(exc, ParseException) or isinstance(exc, PROGRAM_ERRORS):
            super().handle_error(req, client, addr, exc)
            return
        self.log.warning("Invalid request")
        with suppress(OSError):  # the client has closed
            client.sendall(response_to(exc))

    def _keepalive_after(self, conn: Any, keepalive: Any) -> bool:
        """True if the connection can have another request: the body of the last one could be read to its end.

        gunicorn would send a second response to a body that breaks off only behind what the application has read.
        """
        try:
            # Of a body that the application rejected as too long, nothing more has to arrive.
            return bool(keepalive) and bool(conn.parser.finish_body(max_bytes=sys.maxsize))
        except (ParseException, NoMoreData):
            return False

    def finish_request(self, conn: Any, fs: Any) -> None:
        """Sends the rest of a response in the loop."""
        try:
            keeps = bool(not fs.cancelled() and fs.result())
            conn.sock.setblocking(False)
        except Exception:  # the client has closed, or a thread failed in an unexpected way
            self._close(conn)
            return
        if not conn.sock.unsent:
            self._end_response(conn, keeps)
            return
        self._sending[conn] = (self._reading_deadline(), keeps)
        self.poller.register(conn.sock, selectors.EVENT_WRITE, partial(self._send, conn))
        if sum(len(each.sock.unsent) for each in self._sending) > MAX_UNSENT_BYTES:
            self._close_first(self._sending)

    def _send(self, conn: TConn, _: object) -> None:
        """Sends the next piece of a response. Called by the poller."""
        if conn not in self._sending:
            return
        try:
            conn.sock.send_more()
        except OSError:
            self._close(conn)
            return
        _, keeps = self._sending[conn]
        if conn.sock.unsent:
            self._sending[conn] = (self._reading_deadline(), keeps)
            return
        del self._sending[conn]
        self._unregister(conn)
        self._end_response(conn, keeps)

    def _reading_deadline(self) -> float:
        return time.monotonic() + READING_TIMES * self.bounds.silence_seconds

    def _end_response(self, conn: TConn, keeps: bool) -> None:
        """Waits in the loop for the next request of a connection, or until the client closes it."""
        try:
            if keeps:
                self._await_request(conn, conn.parser.unreader.take_buffered() + bytes(conn.sock.arrived))
            else:
                conn.sock.shutdown(socket.SHUT_WR)
                self._lingering[conn] = time.monotonic() + LINGER_SECONDS
                self.poller.register(conn.sock, selectors.EVENT_READ, partial(self._drain, conn))
        except Exception:  # the client has closed, or a thread failed in an unexpected way
            self._close(conn)

    def murder_pending(self) -> None:
        """Ends connections that are over their time: a body that did not arrive gets 408."""
        timestamp = time.monotonic()
        if timestamp < self._next_look:
            return
        self._next_look = timestamp + LOOK_SECONDS
        for conn in [conn for conn, request in self._incoming.items() if request.deadline <= timestamp]:
            if self._incoming[conn].in_body:
                self._start(conn)
            else:
                self._close(conn)
        for conn in [conn for conn, (deadline, _) in self._sending.items() if deadline <= timestamp]:
            self._close(conn)
        for conn in [conn for conn, deadline in self._lingering.items() if deadline <= timestamp]:
            self._close(conn)

    def murder_keepalived(self, force: bool = False) -> None:
        """Closes every connection that waits in the loop if `force` is set."""
        if force:
            for conn in [*self._incoming, *self._sending, *self._lingering]:
                self._close(conn)

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

    def _cap_keepalive(self, deadline: float) -> None:
        """Ends the wait for the first byte of a request at `deadline`: called when the worker stops."""
        for request in self._incoming.values():
            if not request.data:
                request.deadline = min(request.deadline, deadline)

    def _await_request(self, conn: TConn, data: bytes = b"") -> None:
        """Waits for a request of which `data` has arrived with the previous one."""
        timestamp = time.monotonic()
        idle_seconds = self.cfg.keepalive if self.alive else STOP_KEEPALIVE_LINGER
        self._incoming[conn] = IncomingRequest(self.bounds, self.max_body_bytes, timestamp + idle_seconds)
        self._waiting.setdefault(_network(conn.client), {})[conn] = None
        self.poller.register(conn.sock, selectors.EVENT_READ, partial(self._receive, conn))
        if data:
            self._add(conn, data)

    def _receive(self, conn: TConn, _: object) -> None:
        """Receives the next piece of a request. Called by the poller."""
        if conn not in self._incoming:
            return  # closed while the poller's other events were handled
        try:
            data = conn.sock.receive()
        except (BlockingIOError, InterruptedError):
            return
        except OSError:
            self._close(conn)
            return
        if data:
            self._add(conn, data)
        elif self._incoming[conn].data:
            self._start(conn)  # gunicorn says what is missing
        else:
            self._close(conn)

    def _add(self, conn: TConn, data: bytes) -> None:
        request = self._incoming[conn]
        request.add(data, time.monotonic())
        self._held += len(data)
        if request.is_complete:
            self._start(conn)
            return
        if request.awaits_continue:
            with suppress(OSError):
                conn.sock.send(CONTINUE)
        network = _network(conn.client)
        of_network = self._unfinished.setdefault(network, {})
        of_network[conn] = None
        if network and self.limits_addresses and len(of_network) > MAX_UNFINISHED_PER_ADDRESS:
            self._close_first(of_network)
        while self._held > MAX_UNFINISHED_BYTES:
            self._close_first(each for each, request in self._incoming.items() if request.data)

    def _start(self, conn: TConn) -> None:
        """Passes a request to the threads."""
        request = self._forget(conn)
        conn.init()
        conn.sock.arrived = memoryview(request.data)
        conn.sock.is_whole = request.is_whole
        conn.sock.receives_until = None
        if request.is_long_form:
            seconds = LONG_FORM_SECONDS + request.awaited_bytes / LONG_FORM_BYTES_PER_SECOND
            conn.sock.receives_until = time.monotonic() + seconds
            if request.expects_continue:
                with suppress(OSError):
                    conn.sock.send(CONTINUE)
        self.enqueue_req(conn)

    def _drain(self, conn: TConn, _: object) -> None:
        """Drops what a client sends after the last response. Called by the poller."""
        try:
            if conn in self._lingering and not conn.sock.receive():
                self._close(conn)
        except (BlockingIOError, InterruptedError):
            return
        except OSError:
            self._close(conn)

    def _close_first(self, conns: Iterable[TConn]) -> None:
        """Closes the connection that has waited longest."""
        first = next(iter(conns), None)
        if first is not None:
            self._close(first)

    def _close(self, conn: TConn) -> None:
        if conn in self._incoming:
            self._forget(conn)
        elif self._lingering.pop(conn, None) is not None or self._sending.pop(conn, None) is not None:
            self._unregister(conn)
        self.nr_conns -= 1
        conn.close()

    def _forget(self, conn: TConn) -> IncomingRequest:
        """Stops waiting for a request, and returns what has arrived of it."""
        request = self._incoming.pop(conn)
        self._held -= len(request.data)
        network = _network(conn.client)
        for connections in (self._waiting, self._unfinished):
            of_network = connections.get(network, {})
            of_network.pop(conn, None)
            if not of_network:
                connections.pop(network, None)
        self._unregister(conn)
        return request

    def _unregister(self, conn: TConn) -> None:
        with suppress(OSError, KeyError, ValueError):
            self.poller.unregister(conn.sock)


def _network(client: Any) -> str:
    """Returns the client's IPv4 address, or the network of its IPv6 address; "" for a Unix socket."""
    address = str(client[0]) if isinstance(client, tuple) else ""
    if ":" not in address:
        return address
    found = ipaddress.IPv6Address(address)
    return str(found.ipv4_mapped or ipaddress.ip_network((found, IPV6_NETWORK), strict=False))
