"""Bounds a whole exchange with another machine in seconds: lookup, connection, TLS, and every byte in both directions.

The time-out of a socket bounds one step only and begins anew with every byte that arrives. A `BoundedSocket` therefore
sets it before each step to the rest of its `Deadline`: a server that sends a byte now and then gains nothing.
"""

import math
import socket
import ssl
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import Any, Final, TypeVar

Result = TypeVar("Result")
# A family of addresses and an address of it, as `socket` takes them.
SocketAddress = tuple[int, Any]

# Of one host at most this many addresses are tried.
MAX_ADDRESSES: Final = 8


class Deadline:
    """The end of an exchange, a number of seconds after its beginning."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self.restart()

    def restart(self) -> None:
        """Gives the next exchange the same number of seconds from now on."""
        self._ends = time.monotonic() + self._seconds

    @property
    def has_passed(self) -> bool:
        """True if no time is left."""
        return time.monotonic() >= self._ends

    def left(self, max_seconds: float = math.inf) -> float:
        """Returns the seconds until the end, at most `max_seconds`. Raises TimeoutError if there are none."""
        left = self._ends - time.monotonic()
        if left <= 0:
            raise TimeoutError("The exchange has taken too long.")
        return min(left, max_seconds)


class BoundedSocket(socket.socket):
    """Socket that gives each step what is left of a deadline, and at most `step_seconds`. Raises TimeoutError."""

    deadline: Deadline | None = None
    step_seconds: float = math.inf

    def bound(self, deadline: Deadline, step_seconds: float = math.inf) -> None:
        """Bounds each of the next steps, and a TLS handshake that follows, by a deadline and by `step_seconds`."""
        self.deadline, self.step_seconds = deadline, step_seconds
        self.settimeout(deadline.left(step_seconds))

    def recv(self, *args: Any) -> bytes:
        self._begin_step()
        return super().recv(*args)

    def recv_into(self, *args: Any) -> int:
        self._begin_step()
        return super().recv_into(*args)

    def send(self, *args: Any) -> int:
        self._begin_step()
        return super().send(*args)

    def sendall(self, *args: Any) -> None:
        self._begin_step()  # for sending the time-out bounds the whole
        super().sendall(*args)

    def _begin_step(self) -> None:
        if self.deadline is not None:
            self.settimeout(self.deadline.left(self.step_seconds))


class BoundedTlsSocket(BoundedSocket, ssl.SSLSocket):
    """The same for an encrypted connection, after its handshake."""


def bounded_tls(context: ssl.SSLContext) -> ssl.SSLContext:
    """Returns the context, whose connections become `BoundedTlsSocket`s."""
    context.sslsocket_class = BoundedTlsSocket
    return context


def look_up(host: str, port: int, deadline: Deadline) -> list[SocketAddress]:
    """Returns the addresses of a host. Raises OSError: TimeoutError, or socket.gaierror for an unknown host.

    A thread does it, because the lookup of the system takes no time-out and may hang for a minute. It is left behind
    then.
    """
    found = _call_in_thread(
        lambda: socket.getaddrinfo(host.strip("[]"), port, type=socket.SOCK_STREAM), deadline.left()
    )
    return [(each[0], each[4]) for each in found]


def connect(found: Sequence[SocketAddress], deadline: Deadline, *, seconds: float = math.inf) -> BoundedSocket:
    """Connects to the first address that accepts, in at most `seconds`. Raises OSError, such as TimeoutError.

    Each address has a share of the time, so that a silent one does not take all of it.
    """
    connecting = Deadline(deadline.left(seconds))
    tried = found[:MAX_ADDRESSES]
    failed = OSError("The host has no address.")
    for number, (family, address) in enumerate(tried):
        try:
            opened = _connected(family, address, connecting.left() / (len(tried) - number))
        except OSError as error:
            failed = error
        else:
            opened.bound(deadline)
            return opened
    raise failed


def _connected(family: int, address: Any, seconds: float) -> BoundedSocket:
    opened = BoundedSocket(family, socket.SOCK_STREAM)
    try:
        opened.settimeout(seconds)
        opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # head and body are sent in two steps
        opened.connect(address)
    except OSError:
        opened.close()
        raise
    return opened


def _call_in_thread(function: Callable[[], Result], seconds: float) -> Result:
    """Returns what the function returns, or raises what it raises. Raises TimeoutError after `seconds`."""
    result: Future[Result] = Future()

    def run() -> None:
        try:
            result.set_result(function())
        except Exception as error:  # for the thread that waits
            result.set_exception(error)

    threading.Thread(target=run, daemon=True).start()
    return result.result(seconds)
