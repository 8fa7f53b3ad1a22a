"""POSTs to addresses that an organisation names, so that nobody reaches through us what only we can reach (SSRF).

Guarded, as for webhooks, whose addresses come over the API: a host is looked up once, every address that it resolves to
must be public or in an allowed network, and the connection goes to one of the addresses that were checked. TLS and the
Host header use the name. No redirect is followed and no proxy of the environment is used.
"""

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from http.client import HTTPException
from ssl import create_default_context
from typing import Final, Literal
from urllib.parse import unquote

from urllib3.exceptions import HTTPError, NameResolutionError, NewConnectionError
from urllib3.exceptions import TimeoutError as HTTPTimeout
from urllib3.util import Url, make_headers

from osdi.http_client.allowed_addresses import PORTS, Address, Network, allowed, parse_http_url, wire_address
from osdi.http_client.connections import Check, HttpConnection, HttpsConnection
from osdi.http_client.retry_after import retry_after_seconds
from osdi.http_client.timeout import Deadline, bounded_tls
from osdi.version import VERSION

Reason = Literal[
    "url", "no_such_host", "private_address", "not_https", "connect", "tls", "timeout", "protocol", "status", "too_long"
]

USER_AGENT: Final = f"OSDI-Outreach-Server/{VERSION}"

# As much of a response is read: a server that is still writing when we hang up may give up what it does for us.
MAX_RESPONSE_BYTES: Final = 65_536
# An operator reads this much of a response to find out why a receiver fails.
MAX_EXCERPT_LENGTH: Final = 200


class NotDelivered(Exception):
    """A request without a response of use.

    `reason` is a code: words of the server or the URL would end in logs and on pages.
    """

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason)
        self.reason: Reason = reason


@dataclass(frozen=True)
class HttpResponse:
    """The status of a response, and the seconds for which it asks us to wait (Retry-After, bounded).

    `excerpt` is the beginning of its body: up to MAX_EXCERPT_LENGTH printable characters on one line.
    """

    status: int
    retry_after: float | None = None
    excerpt: str = ""


class HttpPost:
    """Sends POSTs, each on a connection of its own; guarded ones to public addresses and to `networks` only.

    `seconds` bound a whole POST, however slowly a server responds. `ca_certs` is a file of certificates to trust
    instead of those of the system.
    """

    def __init__(self, networks: Sequence[Network] = (), *, seconds: float = 10.0, ca_certs: str | None = None) -> None:
        self._networks = networks
        self._seconds = seconds
        self._context = bounded_tls(create_default_context(cafile=ca_certs))

    def post(self, url: str, body: bytes, headers: Mapping[str, str], *, guarded: bool = True) -> HttpResponse:
        """Posts the body and returns the response, also a redirect. Raises NotDelivered.

        `headers` are all but Host, User-Agent and Content-Length. Unguarded, for what the operator's settings name, any
        address will do, and a user and password in the URL are sent by Basic authentication.
        """
        with self.connected(url, guarded=guarded) as (connection, target, own_headers), failing("protocol"):
            return _exchange(connection, target, body, {**headers, **own_headers})

    @contextmanager
    def connected(self, url: str, *, guarded: bool) -> Iterator[tuple[HttpConnection, str, dict[str, str]]]:
        """Yields a connection for one exchange, the target and our own headers of its request. Raises NotDelivered."""
        deadline = Deadline(self._seconds)
        try:
            parts, host = parse_http_url(url)
        except ValueError:
            raise NotDelivered("url") from None
        if guarded and parts.auth is not None:
            raise NotDelivered("url")
        check = partial(self._check, str(parts.scheme)) if guarded else None
        with closing(self._connection(parts, host, deadline, check)) as connection:
            with failing("tls"):
                connection.connect()
            yield connection, parts.request_uri, _own_headers(parts, host)

    def _connection(self, parts: Url, host: str, deadline: Deadline, check: Check | None) -> HttpConnection:
        port = _port(parts)
        if parts.scheme == "https":
            return HttpsConnection(host, port, deadline=deadline, check=check, ssl_context=self._context)
        return HttpConnection(host, port, deadline=deadline, check=check)

    def _check(self, scheme: str, addresses: Sequence[Address]) -> None:
        """Raises NotDelivered unless each address is public or allowed, and without TLS each is a loopback address."""
        if not all(allowed(address, self._networks) for address in addresses):
            raise NotDelivered("private_address")
        if scheme != "https" and not all(wire_address(address).is_loopback for address in addresses):
            raise NotDelivered("not_https")


def _port(parts: Url) -> int:
    return parts.port or PORTS[str(parts.scheme)]


def _own_headers(parts: Url, host: str) -> dict[str, str]:
    name, port = host.rstrip("."), _port(parts)
    named = name if port == PORTS[str(parts.scheme)] else f"{name}:{port}"
    headers = {"Host": named, "User-Agent": USER_AGENT, "Connection": "close"}
    return headers | (make_headers(basic_auth=unquote(parts.auth)) if parts.auth is not None else {})


def _exchange(connection: HttpConnection, target: str, body: bytes, headers: Mapping[str, str]) -> HttpResponse:
    """Returns the response, of which no more than MAX_RESPONSE_BYTES are read."""
    # A server may reject a body, with a status, before it has read all of it.
    with suppress(BrokenPipeError, ConnectionResetError):
        connection.request("POST", target, body, headers, preload_content=False)
    with closing(connection.getresponse()) as response:
        body = b""
        with suppress(HTTPException, HTTPError, OSError):
            body = response.read(MAX_RESPONSE_BYTES, decode_content=False)
        wait = retry_after_seconds(response.headers.get("Retry-After"), dt.datetime.now(dt.UTC))
        return HttpResponse(response.status, wait, _excerpt(body))


def _excerpt(body: bytes) -> str:
    """Returns the beginning of a body as text; a compressed body has none."""
    text = " ".join(body[: 4 * MAX_EXCERPT_LENGTH].decode(errors="ignore").split())
    return "".join(each for each in text if each.isprintable())[:MAX_EXCERPT_LENGTH]


@contextmanager
def failing(reason: Reason) -> Iterator[None]:
    """Turns the errors of sockets, TLS and urllib3 into NotDelivered, without their text: the server may have sent it.

    `reason` is that of an error after the connection was made.
    """
    try:
        yield
    except NameResolutionError:
        raise NotDelivered("no_such_host") from None
    except NewConnectionError:
        raise NotDelivered("connect") from None
    except (TimeoutError, HTTPTimeout):
        raise NotDelivered("timeout") from None
    except (OSError, HTTPException, HTTPError):
        raise NotDelivered(reason) from None
