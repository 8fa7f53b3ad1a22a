"""Removes links to a deleted resource from the documents that hold them."""

import datetime as dt
from typing import Any

from osdi.resources import MESSAGE, PERSON
from osdi.store import DocumentStore


def forget_wrapper(store: DocumentStore, wrapper_id: str, timestamp: dt.datetime) -> None:
    """Removes the link to a deleted wrapper from its messages. Raises OsdiError 503."""
    store.update_many(
        MESSAGE.collection, {"wrapper_id": wrapper_id}, {"$unset": {"wrapper_id": ""}, **_changed_at(timestamp)}
    )


def remove_entries(store: DocumentStore, array: str, field: str, value: str, timestamp: dt.datetime) -> None:
    """Removes entries of a deleted tag, list or question from `array` of all people. Raises OsdiError 503."""
    store.update_many(
        PERSON.collection, {f"{array}.{field}": value}, {"$pull": {array: {field: value}}, **_changed_at(timestamp)}
    )


def _changed_at(timestamp: dt.datetime) -> dict[str, Any]:
    return {"$set": {"modified_date": timestamp}, "$inc": {"version": 1}}
