"""Types of the values that every package passes around: stored documents, JSON and queries.

Pure. Stored documents and JSON objects are plain dicts; a query is MongoDB's filter document.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from osdi.resources import Resource

# A document as MongoDB stores it, with `_id`; the read-only type is for functions that only read it.
Document = dict[str, Any]
ReadOnlyDocument = Mapping[str, Any]
# A JSON object, such as a request body or a response.
Json = dict[str, Any]
# A filter document of MongoDB.
Query = Mapping[str, Any]
# Looks up references (names, URIs, identifiers, ids) of one resource; a reference that is not found is absent.
Find = Callable[[Resource, Sequence[str]], Mapping[str, ReadOnlyDocument]]
# Loads the body of a POST to the collection of a resource, as its schema does. Raises OsdiError 400.
LoadBody = Callable[[Resource, Any], Json]
