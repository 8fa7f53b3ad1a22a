"""Counts people up to a limit, so that a large number takes no longer than a small one."""

from typing import Any

from osdi.documents import Query
from osdi.resources import PERSON
from osdi.store import Store
from osdi.store.driver import READ_MS


def count_people(store: Store, query: Query, limit: int) -> int:
    """Returns the number of people that the query selects, or `limit` if there are more.

    The query has one condition, whose index counts its result. Raises OsdiError 503.
    """
    options: dict[str, Any] = {} if store.in_memory else {"maxTimeMS": READ_MS}
    if not query and not store.in_memory:
        options["hint"] = "_id_"
    with store.operation():
        return store.collection(PERSON.collection).count_documents(query, limit=limit, **options)
