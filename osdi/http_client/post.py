"""POSTs to addresses that an organisation names, so that nobody reaches through us what only we can reach (SSRF).

Guarded, as for webhooks, whose addresses come over the API: a host is looked up once, all that it resolves to must be
public, and the connection goes to what was checked, so a name that changes its mind (DNS rebinding) gains nothing. TLS
and the Host header are the name's. No redirect is followed and no proxy of the environment used.
"""

import io
import ipaddress
import socket
import ssl
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from http.client import HTTPConnection, HTTPException
from typing import Any, Final, Literal
from urllib.parse import unquote

from urllib3.util import make_headers

from osdi.http_client.allowed_addresses import PORTS, Address, Network, _on_the_wire, _read, allowed
from osdi.http_client.timeout import in_time

Reason = Literal["url", "no_such_host", "private_address", "not_https", "connect", "tls", "timeout", "protocol"]

USER_AGENT: Final = "OSDI-Outreach-Server"

ATTEMPTS: Final = 8  # how many addresses of one host are tried
# As much of an answer is read: a server that is still writing when we hang up may give up what it does for us.
ANSWER_BYTES: Final = 65_536


class NotDelivered(Exception):
    """A POST without a status. `reason` is a code: words of the server or the URL would end in logs and on pages."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason)
        self.reason: Reason = reason


class HttpPost:
    """POSTs, each on a connection of its own; guarded ones go to public addresses and to `networks`.

    `seconds` bound a whole POST, however slowly a server answers. `ca_certs` is a file of certificates to trust
    instead of the system's.
    """

    def __init__(self, networks: Sequence[Network] = (), *, seconds: float = 10.0, ca_certs: str | None = None) -> None:
        self._networks = networks
        self._seconds = seconds
        self._context = ssl.create_default_context(cafile=ca_certs)
        self._context.set_alpn_protocols(["http/1.1"])

    def post(self, url: str, body: bytes, headers: Mapping[str, str], *, guarded: bool = True) -> int:
        """POST the body; the status of the answer, a redirect's too. Raises NotDelivered where there is none.

        `headers` are all but Host, User-Agent and Content-Length. Unguarded, for what the operator's settings name, any
        address will do, and a user and password in it go by Basic authentication.
        """
        ends = time.monotonic() + self._seconds
        try:
            parts, host = _read(url)
        except ValueError:
            raise NotDelivered("url") from None
        if guarded and parts.auth is not None:
            raise NotDelivered("url")
        default = PORTS[str(parts.scheme)]
        name, port = host.rstrip("."), parts.port or default
        found = _look_up(host, port, ends)
        if guarded:
            self._check(str(parts.scheme), [ipaddress.ip_address(sockaddr[0]) for _, sockaddr in found])
        ours = {"Host": name if port == default else f"{name}:{port}", "User-Agent": USER_AGENT, "Connection": "close"}
        if parts.auth is not None:
            ours |= make_headers(basic_auth=unquote(parts.auth))
        opened = _connect(found, ends)
        try:
            if parts.scheme == "https":
                with _failing("tls"):
                    opened.settimeout(_left(ends))  # for the handshake as a whole
                    opened = self._context.wrap_socket(opened, server_hostname=name.strip("[]"))
            with _failing("protocol"):
                return _exchange(_Timed(opened, ends), parts.request_uri, body, {**headers, **ours})
        finally:
            opened.close()

    def _check(self, scheme: str, addresses: Sequence[Address]) -> None:
        if not all(allowed(address, self._networks) for address in addresses):
            raise NotDelivered("private_address")
        if scheme != "https" and not all(_on_the_wire(address).is_loopback for address in addresses):
            raise NotDelivered("not_https")


class _Timed(io.RawIOBase):
    """A connected socket, as http.client uses one, of which each step gets what is left of the time.

    The socket's own time-out begins anew with every byte that drips in. Closing is left to who opened it.
    """

    def __init__(self, opened: socket.socket, ends: float) -> None:
        self._socket = opened
        self._ends = ends

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        self._socket.settimeout(_left(self._ends))
        return self._socket.recv_into(buffer)

    def sendall(self, data: bytes) -> None:
        self._socket.settimeout(_left(self._ends))  # which for sending bounds the whole, by TLS too
        self._socket.sendall(data)

    def makefile(self, mode: str) -> io.BufferedReader:
        return io.BufferedReader(self)

    def close(self) -> None:
        pass


def _exchange(timed: _Timed, target: str, body: bytes, headers: Mapping[str, str]) -> int:
    connection = HTTPConnection("")  # which connects to nothing: it has its socket, and the headers name the host
    connection.sock = timed
    # A server may refuse a body, with a status, before it has read all of it.
    with suppress(BrokenPipeError, ConnectionResetError):
        connection.request("POST", target, body, headers)
    answer = connection.getresponse()
    with suppress(HTTPException, OSError):
        answer.read(ANSWER_BYTES)
    return answer.status


def _look_up(host: str, port: int, ends: float) -> list[tuple[int, Any]]:
    """The families and addresses of a host. Raises NotDelivered.

    In a thread, since the system's lookup takes no time-out and may hang for a minute: it is left behind then.
    """
    with _failing("no_such_host"):
        found = in_time(lambda: socket.getaddrinfo(host.strip("[]"), port, type=socket.SOCK_STREAM), _left(ends))
        return [(each[0], each[4]) for each in found]


def _connect(found: Sequence[tuple[int, Any]], ends: float) -> socket.socket:
    """A connection to the first address that takes one; each has a share of the time: a silent one does not eat all."""
    tried = found[:ATTEMPTS]
    failed = NotDelivered("connect")
    for number, (family, sockaddr) in enumerate(tried):
        try:
            with _failing("connect"):
                return _connected(family, sockaddr, _left(ends) / (len(tried) - number))
        except NotDelivered as error:
            failed = error
    raise failed


def _connected(family: int, sockaddr: Any, seconds: float) -> socket.socket:
    opened = socket.socket(family, socket.SOCK_STREAM)
    try:
        opened.settimeout(seconds)
        opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # head and body go in two steps
        opened.connect(sockaddr)
    except OSError:
        opened.close()
        raise
    return opened


def _left(ends: float) -> float:
    """The seconds until then. Raises TimeoutError when there are none."""
    left = ends - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left


@contextmanager
def _failing(reason: Reason) -> Iterator[None]:
    """Turns what sockets, TLS and http.client raise into NotDelivered, without its text: that may be the server's."""
    try:
        yield
    except TimeoutError:
        raise NotDelivered("timeout") from None
    except (OSError, HTTPException):
        raise NotDelivered(reason) from None
