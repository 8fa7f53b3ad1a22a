"""Removes links to a deleted resource from the documents that hold them."""

import datetime as dt

from osdi.resources import MESSAGE
from osdi.store import Store, write_log


def forget_wrapper(store: Store, wrapper_id: str, timestamp: dt.datetime) -> None:
    """Take a deleted wrapper off the messages that have it, which stay."""
    having = {"wrapper_id": wrapper_id}
    change = {"$unset": {"wrapper_id": ""}, "$set": {"modified_date": timestamp}, "$inc": {"version": 1}}
    with store.operation():
        changed = store.collection(MESSAGE.collection).update_many(having, change)
    write_log.record_many(MESSAGE.collection, having, changed.modified_count)
