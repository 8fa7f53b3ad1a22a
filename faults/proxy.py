"""A TCP proxy on loopback that cuts connections while their answer is on its way."""

import random
import socket
import threading
from contextlib import suppress

BUFFER = 65_536
# The share of answers that are cut while it cuts.
CUT_SHARE = 0.25


class CuttingProxy:
    """Forwards to a port of this machine: `with CuttingProxy(port) as proxy: proxy.cutting.set()`."""

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
                # Closing alone would not wake the thread that waits on it.
                with suppress(OSError):
                    each.shutdown(socket.SHUT_RDWR)
                each.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:  # closed
                return
            try:
                server = socket.create_connection(("127.0.0.1", self._upstream), timeout=5)
            except OSError:  # nobody listens there: the client sees that its connection breaks
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
        """What the client sends, until one of the two ends."""
        with suppress(OSError):
            while sent := client.recv(BUFFER):
                server.sendall(sent)
        self._end(client, server)

    def _answer(self, server: socket.socket, client: socket.socket) -> None:
        """What the server answers; while cutting, of some answers only a part, which may be nothing."""
        with suppress(OSError):
            while answer := server.recv(BUFFER):
                if self.cutting.is_set() and random.random() < CUT_SHARE:
                    client.sendall(answer[: random.randrange(len(answer))])
                    break
                client.sendall(answer)
        self._end(client, server)

    def _end(self, *both: socket.socket) -> None:
        with self._lock:
            for each in both:
                self._open.discard(each)
                with suppress(OSError):
                    each.shutdown(socket.SHUT_RDWR)
                each.close()
