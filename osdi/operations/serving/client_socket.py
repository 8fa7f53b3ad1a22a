"""Socket of a client whose request has arrived: no thread of the server waits for the client to send or to read.

The worker's loop (osdi.operations.serving.gunicorn_worker) receives requests and sends the rest of responses.
"""

import socket
import time
from contextlib import suppress
from typing import Any, Final

PIECE: Final = 65_536
# Bytes of a response that the loop sends while the client reads slowly; a thread sends longer ones and waits.
MAX_UNSENT_BYTES: Final = 524_288


class ClientSocket(socket.socket):
    """Connection to a client. In a thread nothing more is received: gunicorn's parser reads what has arrived."""

    in_body = False
    is_whole = False  # the request has arrived to its end
    receives_until: float | None = None  # the end of the time (monotonic) in which a thread receives a long form
    arrived = memoryview(b"")

    def __init__(self, fileno: int) -> None:
        super().__init__(fileno=fileno)
        self.unsent = bytearray()

    def receive(self) -> bytes:
        """Returns what has arrived, for the worker's loop; nothing at the end. Raises OSError."""
        return super().recv(PIECE)

    def recv(self, size: int, flags: int = 0, /) -> bytes:
        """Returns the next piece of what has arrived. Called by gunicorn's parser.

        The parser copies the rest of a piece for each chunk of a body. So it gets pieces of the size that it asks for,
        and not the whole request at once. If nothing is left, the client had its time or has closed, unless this is a
        long form, of which the rest is received now.
        """
        if self.arrived:
            piece, self.arrived = self.arrived[:size], self.arrived[size:]
            return bytes(piece)
        if self.in_body and self.receives_until is not None and time.monotonic() < self.receives_until:
            return super().recv(size, flags)
        if self.in_body:
            raise TimeoutError("The body did not arrive in time.")
        return b""

    def sendall(self, data: Any, flags: int = 0, /) -> None:
        """Sends what the client takes now. The loop sends the rest, so that no thread waits for a slow reader.

        A rest of more than MAX_UNSENT_BYTES bytes is sent before this returns.
        """
        self.unsent += data
        timeout = self.gettimeout()
        self.setblocking(False)
        try:
            self.send_more()
        finally:
            self.settimeout(timeout)
        if len(self.unsent) > MAX_UNSENT_BYTES:
            rest, self.unsent = self.unsent, bytearray()
            super().sendall(rest)

    def send_more(self) -> None:
        """Sends as much of `unsent` as the client takes without waiting. Raises OSError."""
        with suppress(BlockingIOError, InterruptedError):
            while self.unsent:
                sent = super().send(self.unsent[:PIECE])
                del self.unsent[:sent]
