"""Fetches short documents from a server that the operator's settings name, with the guards of `post`."""

from collections.abc import Mapping
from contextlib import closing
from typing import Final

from osdi.http_client.post import HttpPost, NotDelivered, failing

# The longest document. A longer one is rejected.
MAX_DOCUMENT_BYTES: Final = 262_144
PIECE: Final = 65_536


class HttpFetch(HttpPost):
    """Returns the bodies of responses with the status 200. Neither follows a redirect nor decodes a body."""

    def fetch(
        self, url: str, form: bytes | None = None, headers: Mapping[str, str] | None = None, *, guarded: bool
    ) -> bytes:
        """Returns the body of a GET, or of a POST of a form. Raises NotDelivered, also for another status than 200."""
        method = "GET" if form is None else "POST"
        typed = {} if form is None else {"Content-Type": "application/x-www-form-urlencoded"}
        with self.connected(url, guarded=guarded) as (connection, target, own), failing("protocol"):
            sent = {"Accept": "application/json", **typed, **(headers or {}), **own}
            connection.request(method, target, form, sent, preload_content=False)
            with closing(connection.getresponse()) as response:
                if response.status != 200:
                    raise NotDelivered("status")
                body = b""
                while piece := response.read(PIECE, decode_content=False):
                    body += piece
                    if len(body) > MAX_DOCUMENT_BYTES:
                        raise NotDelivered("too_long")
        return body
