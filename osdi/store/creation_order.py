"""Where in creation order to begin: who was created since a moment has no id from before it.

A filter by `created_date` selects one stretch of a collection in the order of its ids. Without the bound that says so
the server would read through everything ahead of it, or sort everything in it.
"""

import datetime as dt
from collections.abc import Mapping
from typing import Any, Final

from osdi.ids import id_before

EPOCH: Final = dt.datetime(1970, 1, 1)
MARGIN: Final = dt.timedelta(minutes=1)
"""A date is taken shortly before or after the id is given, and of whole seconds."""


def first_id(query: Mapping[str, Any]) -> str:
    """A string that sorts before the id of every document that the query selects; "" where any id may be."""
    bounds = [first_id(each) for each in query.get("$and", ())]
    since = query.get("created_date")
    if isinstance(since, Mapping):
        since = since.get("$gt", since.get("$gte"))
    if isinstance(since, dt.datetime):
        bounds.append(id_before(max(since, EPOCH + MARGIN) - MARGIN))
    return max(bounds, default="")
