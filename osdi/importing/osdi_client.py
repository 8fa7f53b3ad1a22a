"""Reads the pages of another OSDI server: retries, follows `next`, and trusts nothing that the server sends.

The client follows only addresses of the host that the operator named, because each request contains the token, and no
redirects. A response has a limit in bytes and in seconds. The client stops if the pages form a loop.
"""

import datetime as dt
import hashlib
import ssl
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any, Final
from urllib.parse import urlencode, urljoin

import orjson
import urllib3
from urllib3.util import Url, parse_url

from osdi.http_client.connections import HttpPool, HttpsPool
from osdi.http_client.retry_after import retry_after_seconds
from osdi.http_client.timeout import Deadline, bounded_tls
from osdi.ids import now
from osdi.retry import retry_with_backoff
from osdi.version import VERSION

TOKEN_HEADER: Final = "OSDI-API-Token"  # noqa: S105  # a name, not a secret
USER_AGENT: Final = f"OSDI-Outreach-Server/{VERSION}"
CONNECT_SECONDS: Final = 10.0
MAX_RESPONSE_BYTES: Final = 32_000_000
CHUNK: Final = 65_536
MAX_ATTEMPTS: Final = 6
PAGES: Final = 1_000_000
# The longest wait that the other server can ask for: an operator watches the import.
MAX_WAIT_SECONDS: Final = 300.0
EMPTY_PAGES: Final = 3
PORTS: Final = {"http": 80, "https": 443}
LOOPBACK: Final = ("127.0.0.1", "::1", "[::1]", "localhost")


class RemoteError(Exception):
    """The other server fails or sends something invalid; the text is for the operator."""


class RemoteBusy(RemoteError):
    """The other server is unavailable; a later attempt may succeed, at the earliest after `seconds`."""

    def __init__(self, message: str, seconds: float | None = None) -> None:
        super().__init__(message)
        self.seconds = min(seconds or 0.0, MAX_WAIT_SECONDS)


@dataclass(frozen=True)
class RemotePage:
    """A page's address and documents, the next page's address, and the server's time of the response (naive UTC)."""

    address: str
    documents: list[Any]
    next: str | None
    timestamp: dt.datetime


class Remote:
    """Client of another OSDI server; `url` is the address of its API entry point.

    `seconds` limits each response; `first_wait` is the time in seconds before the first retry, approximately. Raises
    RemoteError for an address that is not http(s), or for a token over an unencrypted connection.
    """

    def __init__(
        self,
        url: str,
        token: str | None,
        *,
        seconds: float = 60.0,
        first_wait: float = 1.0,
        ca_certs: str | None = None,
    ) -> None:
        self.url = url
        self._origin = _origin(url)
        if token and self._origin[0] == "http" and self._origin[1] not in LOOPBACK:
            raise RemoteError("The address is not https, so the token would be sent unencrypted. Use https.")
        if token and not (token.isascii() and token.isprintable()):
            raise RemoteError("The token contains characters that an HTTP header cannot contain.")
        self._headers = {"Accept": "application/hal+json, application/json", "Accept-Encoding": "identity"}
        self._headers |= {"User-Agent": USER_AGENT, **({TOKEN_HEADER: token} if token else {})}
        self._deadline = Deadline(seconds)
        self._first_wait = first_wait
        self._pool = _pool(self._origin, self._deadline, min(CONNECT_SECONDS, seconds), ca_certs)

    def get(self, address: str) -> tuple[Mapping[str, Any], dt.datetime]:
        """Returns the JSON object at an address, and the server's time. Raises RemoteError after several attempts."""
        absolute = self.resolved(address)
        first = self._first_wait
        return retry_with_backoff(
            lambda: self._get(absolute),
            RemoteBusy,
            attempts=MAX_ATTEMPTS,
            first=first,
            max_seconds=30 * first,
            min_seconds=lambda error: error.seconds if isinstance(error, RemoteBusy) else 0.0,
        )

    def resolved(self, address: str, base: str | None = None) -> str:
        """Returns the absolute address of a link in the document at `base`. Raises RemoteError for another host."""
        absolute = _absolute_address(base or self.url, address)
        if _origin(absolute) != self._origin:
            raise RemoteError("A link leads to another host. The import does not follow it.")
        return absolute

    def pages(self, address: str, relation: str) -> Iterator[RemotePage]:
        """Yields the pages of a collection, starting at an address. Raises RemoteError if they form a loop."""
        seen: set[bytes] = set()
        empty = 0
        following: str | None = address
        for _ in range(PAGES):
            if following is None:
                return
            current = self.resolved(following)
            body, timestamp = self.get(current)
            documents = _embedded(body, relation)
            link = link_of(body, "next")
            following = _absolute_address(current, link) if link else None  # its host is checked before the request
            empty = 0 if documents else empty + 1
            # A loop is recognised by the content: the addresses may differ in each round.
            digest = hashlib.sha256(orjson.dumps(documents)).digest()
            if following and (empty >= EMPTY_PAGES or (documents and digest in seen)):
                raise RemoteError("The pages form a loop: the same page came twice.")
            seen.add(digest)
            yield RemotePage(current, documents, following, timestamp)
        raise RemoteError(f"There are more than {PAGES:,} pages.")

    def close(self) -> None:
        """Closes the connection."""
        self._pool.close()

    def _get(self, address: str) -> tuple[Mapping[str, Any], dt.datetime]:
        try:
            status, headers, content = self._exchange(parse_url(address).request_uri)
        except urllib3.exceptions.ReadTimeoutError:
            raise RemoteBusy("The other server responds too slowly.") from None
        except urllib3.exceptions.HTTPError as error:
            raise RemoteBusy(f"The other server cannot be reached ({type(error).__name__}).") from None
        if status == 429 or status >= 500:
            wait = retry_after_seconds(headers.get("Retry-After"), dt.datetime.now(dt.UTC))
            raise RemoteBusy(f"The other server responds with {status}.", wait)
        if 300 <= status < 400:
            raise RemoteError(f"The other server redirects ({status}). Use the address that it redirects to.")
        if status in (401, 403):
            raise RemoteError(f"The other server responds with {status}: the token is invalid or lacks permission.")
        if status != 200:
            raise RemoteError(f"The other server responds with {status}.")
        try:
            body = orjson.loads(content)
            orjson.dumps(body)  # fails if it is nested too deep for the file of rejected rows
        except (orjson.JSONDecodeError, orjson.JSONEncodeError):
            raise RemoteError("The response of the other server is not JSON, or nested too deep.") from None
        if not isinstance(body, dict):
            raise RemoteError("The response of the other server is not a JSON object.")
        return body, _server_time(headers.get("Date"))

    def _exchange(self, target: str) -> tuple[int, Mapping[str, str], bytes]:
        """Returns status, headers and body of a response. Raises RemoteError, or HTTPError if there is none."""
        self._deadline.restart()
        response = self._pool.request("GET", target, headers=self._headers, redirect=False, preload_content=False)
        try:
            return response.status, response.headers, _read_all(response)
        finally:
            response.close()


def collection_address(entry_point: Mapping[str, Any], relation: str) -> str:
    """Returns the address of a collection from the API entry point. Raises RemoteError if it has no such link."""
    found = link_of(entry_point, relation)
    if found is None:
        raise RemoteError(f"This is not an OSDI API entry point: it has no link {relation}. Check the address.")
    return found


def filtered_address(address: str, timestamp: dt.datetime | None) -> str:
    """Returns the address of a collection, filtered to changes after the timestamp (naive UTC) if there is one."""
    if timestamp is None:
        return address
    arguments = urlencode({"filter": f"modified_date ge '{timestamp:%Y-%m-%dT%H:%M:%SZ}'"})
    return f"{address}{'&' if '?' in address else '?'}{arguments}"


def _pool(
    origin: tuple[str, str, int], deadline: Deadline, connect_seconds: float, ca_certs: str | None
) -> HttpPool | HttpsPool:
    """Returns a pool whose connections end at the deadline."""
    scheme, host, port = origin
    timeout = urllib3.Timeout(connect=connect_seconds)
    if scheme == "http":
        return HttpPool(host, port, retries=False, timeout=timeout, deadline=deadline)
    context = bounded_tls(ssl.create_default_context(cafile=ca_certs))
    return HttpsPool(host, port, retries=False, timeout=timeout, deadline=deadline, ssl_context=context)


def _read_all(response: urllib3.BaseHTTPResponse) -> bytes:
    """Returns the whole body. Raises RemoteError for one that is too large, HTTPError for one that ends early."""
    pieces, size = [], 0
    while piece := response.read1(CHUNK):
        pieces.append(piece)
        size += len(piece)
        if size > MAX_RESPONSE_BYTES:
            raise RemoteError(f"A page has more than {MAX_RESPONSE_BYTES:,} bytes.")
    return b"".join(pieces)


def _embedded(body: Mapping[str, Any], relation: str) -> list[Any]:
    embedded = body.get("_embedded")
    documents = embedded.get(relation) if isinstance(embedded, dict) else None
    if documents is None:
        return []
    return documents if isinstance(documents, list) else [documents]


def link_of(body: Mapping[str, Any], relation: str) -> str | None:
    """Returns the address of a link, unchanged, or None."""
    links = body.get("_links")
    link = links.get(relation) if isinstance(links, dict) else None
    href = link.get("href") if isinstance(link, dict) else None
    return href if isinstance(href, str) and href else None


def _absolute_address(base: str, address: str) -> str:
    """Returns a link's address resolved against its document's address, or unchanged if it is not an address."""
    try:
        return urljoin(base, address)
    except ValueError:
        return address


def _origin(url: str) -> tuple[str, str, int]:
    try:
        parts: Url = parse_url(url)
    except ValueError:
        raise RemoteError("Not an address such as https://example.org/api/v1.") from None
    if parts.scheme not in PORTS or not parts.host or parts.auth is not None:
        raise RemoteError("Not an address such as https://example.org/api/v1, without a user name.")
    return parts.scheme, parts.host, parts.port or PORTS[parts.scheme]


def _server_time(header: str | None) -> dt.datetime:
    """Returns the time in a response's `Date` header, or the present time if the header is invalid."""
    try:
        found = parsedate_to_datetime(header or "")
        return found.astimezone(dt.UTC).replace(tzinfo=None) if found.tzinfo else found
    except (ValueError, OverflowError):
        return now()
