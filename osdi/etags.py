"""Which version of a document a client has read: entity tags, and If-Match (RFC 9110, sections 8.8.3 and 13.1.1)."""

import hashlib
from collections.abc import Mapping
from typing import Any

import orjson

from osdi.errors import ErrorDescription, OsdiError


def etag(document: Mapping[str, Any]) -> str:
    """The entity tag of a document (RFC 9110, section 8.8.3): its version, which every change moves.

    An entry inside a person has no version of its own; what it holds stands for one.
    """
    if "version" in document:
        return f'"{document["version"]}"'
    held = orjson.dumps(document, option=orjson.OPT_SORT_KEYS)
    return f'"{hashlib.sha256(held).hexdigest()[:16]}"'


def check_if_match(document: Mapping[str, Any], if_match: str | None, *, merged: bool = False) -> None:
    """Raises OsdiError 412 where the client has read another version (RFC 9110, section 13.1.1).

    What it has read of somebody who is `merged` into this document is another version, whatever its number.
    """
    if if_match is None or if_match.strip() == "*":
        return
    if merged or etag(document) not in (tag.strip() for tag in if_match.split(",")):
        message = "The resource has changed since it was read."
        raise OsdiError(412, ErrorDescription("PRECONDITION_FAILED", message, ("If-Match",)))
