"""TCP proxy on loopback that cuts connections in the middle of a response."""

import random
import socket
import threading
from contextlib import suppress

BUFFER = 65_536
# Share of the responses that the proxy cuts while `cutting` is set.
CUT_SHARE = 0.25


class CuttingProxy:
    """Proxy to a port of this machine: `with CuttingProxy(port) as proxy: proxy.cutting.set()`."""

    def __init__(self, upstream: int) -> None:
        self.cutting = threading.Event()
        self._upstream = upstream
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.port: int = self._listener.getsockname()[1]
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        self._closed = False

    def __enter__(self) -> "CuttingProxy":
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._closed = True
            for each in (self._listener, *self._open):
                # close() alone would not wake the thread that waits on the socket.
                with suppress(OSError):
                    each.shutdown(socket.SHUT_RDWR)
                each.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:  # the listener is closed
                return
            try:
                server = socket.create_connection(("127.0.0.1", self._upstream), timeout=5)
            except OSError:  # no server listens there, so cut the client's connection
                client.close()
                continue
            server.settimeout(None)
            for each in (client, server):
                each.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with self._lock:
                if self._closed:
                    client.close()
                    server.close()
                    return
                self._open |= {client, server}
            threading.Thread(target=self._forward, args=(client, server), daemon=True).start()
            threading.Thread(target=self._answer, args=(server, client), daemon=True).start()

    def _forward(self, client: socket.socket, server: socket.socket) -> None:
        """Forwards the client's data until one side closes the connection."""
        with suppress(OSError):
            while sent := client.recv(BUFFER):
                server.sendall(sent)
        self._end(client, server)

    def _answer(self, server: socket.socket, client: socket.socket) -> None:
        """Forwards the server's data. While `cutting` is set, it cuts some responses at a random length, also 0."""
        with suppress(OSError):
            while response := server.recv(BUFFER):
                if self.cutting.is_set() and random.random() < CUT_SHARE:
                    client.sendall(response[: random.randrange(len(response))])
                    break
                client.sendall(response)
        self._end(client, server)

    def _end(self, *both: socket.socket) -> None:
        with self._lock:
            for each in both:
                self._open.discard(each)
                with suppress(OSError):
                    each.shutdown(socket.SHUT_RDWR)
                each.close()
