"""Receivers of POSTs on loopback: one that keeps the requests, and some that respond slowly or never."""

import ipaddress
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
import trustme

LOOPBACK = (ipaddress.ip_network("127.0.0.0/8"), ipaddress.ip_network("::1/128"))

# No server here goes on for longer.
LONG = 30.0

Serve = Callable[[socket.socket, threading.Event], object]


class Receiver:
    """An HTTP server on a free loopback port that keeps its requests: `with Receiver() as receiver:`."""

    def __init__(
        self, *, status: int = 200, headers: dict[str, str] | None = None, certificate: trustme.LeafCert | None = None
    ) -> None:
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.requests.append((self.requestline, self.headers.items(), body))
                self.send_response(status)
                for name, value in (headers or {}).items():
                    self.send_header(name, value)
                self.send_header("Content-Length", "2")
                self.end_headers()
                self.wfile.write(b"{}")

            def log_message(self, *_: object) -> None:
                pass

        self.requests: list[tuple[str, list[tuple[str, str]], bytes]] = []
        self.names: list[str | None] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = int(self._server.server_address[1])
        self.scheme = "http"
        if certificate is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            certificate.configure_cert(context)
            context.sni_callback = lambda _socket, name, _context: self.names.append(name)
            self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
            self.scheme = "https"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})

    def url(self, host: str = "127.0.0.1") -> str:
        return f"{self.scheme}://{host}:{self.port}/osdi"

    def __enter__(self) -> "Receiver":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


@contextmanager
def script(serve: Serve) -> Iterator[int]:
    """The port of a server that takes one connection and does with it what `serve` does, until the event is set."""
    over = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.settimeout(LONG)

        def run() -> None:
            with suppress(OSError):
                connection, _ = listening.accept()
                with connection:
                    connection.settimeout(LONG)
                    serve(connection, over)

        thread = threading.Thread(target=run)
        thread.start()
        try:
            yield port_of(listening)
        finally:
            over.set()
            with suppress(OSError):
                socket.create_connection(listening.getsockname(), 1).close()  # it waits only if there was no connection
            thread.join(LONG)
            assert not thread.is_alive()


@contextmanager
def silent() -> Iterator[socket.socket]:
    """A listening port; `got_no_connection` tests afterwards that no client has connected."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.setblocking(False)
        yield listening


def port_of(listening: socket.socket) -> int:
    return int(listening.getsockname()[1])


def got_no_connection(listening: socket.socket) -> bool:
    try:
        listening.accept()[0].close()
    except BlockingIOError:
        return True
    return False


def send_slowly(connection: socket.socket, over: threading.Event, data: bytes) -> None:
    """Sends byte after byte, over and over, each long before a time-out for one step would end."""
    for number in range(int(LONG / 0.05)):
        connection.sendall(data[number % len(data)].to_bytes())
        if over.wait(0.05):
            return


@contextmanager
def full_port(host: str, port: int) -> Iterator[int]:
    """A port whose queue is full: packets that would open a connection are dropped."""
    with socket.create_server((host, port), backlog=0) as listening, ExitStack() as waiting:
        for _ in range(4):
            each = waiting.enter_context(socket.socket())
            each.setblocking(False)
            each.connect_ex(listening.getsockname())
        yield port_of(listening)


def resolving(monkeypatch: pytest.MonkeyPatch, name: str, *addresses: str) -> list[str]:
    """Makes a name resolve to addresses; the list that it returns grows with every lookup of that name."""
    real: Any = socket.getaddrinfo
    resolved: list[str] = []

    def look_up(host: str, *args: Any, **how: Any) -> list:
        if host != name:
            return real(host, *args, **how)
        resolved.append(name)
        return [found for each in addresses for found in real(each, *args, **how)]

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    return resolved
