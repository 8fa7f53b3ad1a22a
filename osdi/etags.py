"""Entity tags of documents, and the If-Match condition of a request (RFC 9110, sections 8.8.3 and 13.1.1).

Pure. The blueprints read the header If-Match (`if_match()` in blueprints/http/put_and_delete.py).
"""

import hashlib
from collections.abc import Set

import orjson

from osdi.documents import ReadOnlyDocument
from osdi.errors import ErrorDescription, OsdiError

# The entity tags of If-Match, with their quotes; None if any version will do.
IfMatch = Set[str] | None


def etag(document: ReadOnlyDocument) -> str:
    """Returns the entity tag of a document, in quotes: its version, which every change increases.

    An entry inside a person has no version of its own; a hash of its content takes the place of one.
    """
    if "version" in document:
        return f'"{document["version"]}"'
    content = orjson.dumps(document, option=orjson.OPT_SORT_KEYS)
    return f'"{hashlib.sha256(content).hexdigest()[:16]}"'


def check_if_match(document: ReadOnlyDocument, if_match: IfMatch, *, merged: bool = False) -> None:
    """Raises OsdiError 412 if the client has read another version.

    `merged` is True if the client has read a person who was merged into this one since: that is another version, with
    any number.
    """
    if if_match is not None and (merged or etag(document) not in if_match):
        message = "The resource has changed since it was read; read it again and repeat the change."
        raise OsdiError(412, ErrorDescription("PRECONDITION_FAILED", message, ("If-Match",)))
