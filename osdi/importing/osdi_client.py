"""Reads the pages of another OSDI server: retries, follows `next`, and trusts nothing that the server sends.

Every address that is followed is of the host that the operator named, because the token is sent along; no redirect is
followed. A response has a bound in bytes and in seconds. The client stops when the pages lead in a circle.
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
from osdi.http_client.timeout import Deadline, bounded_tls
from osdi.ids import now
from osdi.retry import retry_with_backoff

TOKEN_HEADER: Final = "OSDI-API-Token"  # noqa: S105  # a name, not a secret
USER_AGENT: Final = "OSDI-Outreach-Server"
CONNECT_SECONDS: Final = 10.0
ANSWER_BYTES: Final = 32_000_000
CHUNK: Final = 65_536
ATTEMPTS: Final = 6
PAGES: Final = 1_000_000
EMPTY_PAGES: Final = 3
PORTS: Final = {"http": 80, "https": 443}
LOOPBACK: Final = ("127.0.0.1", "::1", "[::1]", "localhost")


class RemoteError(Exception):
    """The other server does not give what it should; the text is a sentence for the operator."""


class RemoteBusy(RemoteError):
    """It may give it later."""


@dataclass(frozen=True)
class RemotePage:
    """Documents of a collection, its and the next one's address, and the server's time at its answer (naive UTC)."""

    address: str
    documents: list[Any]
    next: str | None
    timestamp: dt.datetime


class Remote:
    """Another OSDI server, known by the address of its API entry point.

    `seconds` bound each answer, `first_wait` is about how long the first retry waits. Raises RemoteError for an address
    that is not http(s), or over which a token would go for all to read.
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
            raise RemoteError("The address is not https: the token would go over the network for all to read.")
        if token and not (token.isascii() and token.isprintable()):
            raise RemoteError("The token holds characters that no header takes.")
        self._headers = {"Accept": "application/hal+json, application/json", "Accept-Encoding": "identity"}
        self._headers |= {"User-Agent": USER_AGENT, **({TOKEN_HEADER: token} if token else {})}
        self._deadline = Deadline(seconds)
        self._first_wait = first_wait
        self._pool = _pool(self._origin, self._deadline, min(CONNECT_SECONDS, seconds), ca_certs)

    def get(self, address: str) -> tuple[Mapping[str, Any], dt.datetime]:
        """The JSON object at an address, and the server's time. Raises RemoteError, after several attempts."""
        found = self.resolved(address)
        first = self._first_wait
        return retry_with_backoff(
            lambda: self._get(found), RemoteBusy, attempts=ATTEMPTS, first=first, longest=30 * first
        )

    def resolved(self, address: str, base: str | None = None) -> str:
        """The absolute address of a link in the document at `base`. Raises RemoteError for another server's."""
        absolute = _absolute_address(base or self.url, address)
        if _origin(absolute) != self._origin:
            raise RemoteError("A link leads to another host, to which nothing is sent.")
        return absolute

    def pages(self, address: str, relation: str) -> Iterator[RemotePage]:
        """The pages of a collection from an address on. Raises RemoteError where they lead in a circle."""
        seen: set[bytes] = set()
        empty = 0
        following: str | None = address
        for _ in range(PAGES):
            if following is None:
                return
            asked = self.resolved(following)
            body, timestamp = self.get(asked)
            documents = _embedded(body, relation)
            link = link_of(body, "next")
            following = _absolute_address(asked, link) if link else None  # whose it is, is looked at before it is asked
            empty = 0 if documents else empty + 1
            # By what is in it, since a circle may have an address of its own for each round.
            digest = hashlib.sha256(orjson.dumps(documents)).digest()
            if following and (empty >= EMPTY_PAGES or (documents and digest in seen)):
                raise RemoteError("The pages lead in a circle: the same one came twice.")
            seen.add(digest)
            yield RemotePage(asked, documents, following, timestamp)
        raise RemoteError(f"There are more than {PAGES:,} pages.")

    def close(self) -> None:
        """Closes the connection."""
        self._pool.close()

    def _get(self, address: str) -> tuple[Mapping[str, Any], dt.datetime]:
        try:
            status, headers, sent = self._exchange(parse_url(address).request_uri)
        except urllib3.exceptions.ReadTimeoutError:
            raise RemoteBusy("The other server answers too slowly.") from None
        except urllib3.exceptions.HTTPError as error:
            raise RemoteBusy(f"The other server cannot be reached ({type(error).__name__}).") from None
        if status == 429 or status >= 500:
            raise RemoteBusy(f"The other server answers {status}.")
        if 300 <= status < 400:
            raise RemoteError(f"The other server answers {status}, which leads elsewhere; name that address.")
        if status in (401, 403):
            raise RemoteError(f"The other server answers {status}: the token is not valid there, or not enough.")
        if status != 200:
            raise RemoteError(f"The other server answers {status}.")
        try:
            body = orjson.loads(sent)
            orjson.dumps(body)  # which refuses what is too deep to be kept among what was refused
        except (orjson.JSONDecodeError, orjson.JSONEncodeError):
            raise RemoteError("The other server answers something that is not JSON, or nested too deep.") from None
        if not isinstance(body, dict):
            raise RemoteError("The other server answers something that is no object of OSDI.")
        return body, _moment(headers.get("Date"))

    def _exchange(self, target: str) -> tuple[int, Mapping[str, str], bytes]:
        """Returns status, headers and body of a response. Raises RemoteError, or HTTPError if there is none."""
        self._deadline.restart()
        answer = self._pool.request("GET", target, headers=self._headers, redirect=False, preload_content=False)
        try:
            return answer.status, answer.headers, _read_all(answer)
        finally:
            answer.close()


def collection_address(entry_point: Mapping[str, Any], relation: str) -> str:
    """The address of a collection by the API entry point. Raises RemoteError where it names none."""
    found = link_of(entry_point, relation)
    if found is None:
        raise RemoteError(f"This is no API entry point of OSDI: it has no link {relation}.")
    return found


def since(address: str, timestamp: dt.datetime | None) -> str:
    """The address of a collection, but only what was changed after a moment (naive UTC), if one is given."""
    if timestamp is None:
        return address
    asked = urlencode({"filter": f"modified_date gt '{timestamp:%Y-%m-%dT%H:%M:%SZ}'"})
    return f"{address}{'&' if '?' in address else '?'}{asked}"


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


def _read_all(answer: urllib3.BaseHTTPResponse) -> bytes:
    """Returns the whole body. Raises RemoteError for one that is too large, HTTPError for one that ends early."""
    pieces, size = [], 0
    while piece := answer.read1(CHUNK):
        pieces.append(piece)
        size += len(piece)
        if size > ANSWER_BYTES:
            raise RemoteError(f"A page has more than {ANSWER_BYTES:,} bytes.")
    return b"".join(pieces)


def _embedded(body: Mapping[str, Any], relation: str) -> list[Any]:
    embedded = body.get("_embedded")
    documents = embedded.get(relation) if isinstance(embedded, dict) else None
    if documents is None:
        return []
    return documents if isinstance(documents, list) else [documents]


def link_of(body: Mapping[str, Any], relation: str) -> str | None:
    """The address of a link, as it is written, or None."""
    links = body.get("_links")
    link = links.get(relation) if isinstance(links, dict) else None
    href = link.get("href") if isinstance(link, dict) else None
    return href if isinstance(href, str) and href else None


def _absolute_address(base: str, address: str) -> str:
    """An address of a link, absolute by that of the document that it stands in, or as it is where it is none."""
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
        raise RemoteError("Not an address such as https://example.org/api/v1, without a user in it.")
    return parts.scheme, parts.host, parts.port or PORTS[parts.scheme]


def _moment(header: str | None) -> dt.datetime:
    """The time that an answer names, or ours."""
    try:
        found = parsedate_to_datetime(header or "")
        return found.astimezone(dt.UTC).replace(tzinfo=None) if found.tzinfo else found
    except (ValueError, OverflowError):
        return now()
