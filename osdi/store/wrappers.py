"""Wrappers in the store: the one that messages without their own get, and the messages that lose theirs."""

import datetime as dt

from pymongo import DESCENDING

from osdi.documents import Document
from osdi.resources import MESSAGE, WRAPPER
from osdi.store import Store, written
from osdi.store.driver import READ_MS
from osdi.triggers import EMAIL


def default_wrapper(store: Store, message_type: str) -> Document | None:
    """The default wrapper of messages of this type, `email` or `sms`; of several the one changed last.

    A wrapper that does not say its type is one of e-mails, as a message is. Raises OsdiError 503.
    """
    types = [EMAIL, None] if message_type == EMAIL else [message_type]
    with store.asking():
        return store._collection(WRAPPER.collection).find_one(
            {"default": True, "wrapper_type": {"$in": types}},
            sort=[("modified_date", DESCENDING), ("_id", DESCENDING)],
            max_time_ms=READ_MS,
        )


def forget_wrapper(store: Store, wrapper_id: str, moment: dt.datetime) -> None:
    """Take a deleted wrapper off the messages that have it, which stay."""
    having = {"wrapper_id": wrapper_id}
    change = {"$unset": {"wrapper_id": ""}, "$set": {"modified_date": moment}, "$inc": {"version": 1}}
    with store.asking():
        changed = store._collection(MESSAGE.collection).update_many(having, change)
    written.note_many(MESSAGE.collection, having, changed.modified_count)
