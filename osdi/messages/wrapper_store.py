"""Reads the default wrapper, which messages without a wrapper of their own get."""

from pymongo import DESCENDING

from osdi.action_functions.followup_kinds import EMAIL
from osdi.documents import Document
from osdi.resources import WRAPPER
from osdi.store import Store
from osdi.store.driver import READ_MS


def default_wrapper(store: Store, message_type: str) -> Document | None:
    """Returns the default wrapper for messages of this type, `email` or `sms`; of several, the one modified last.

    A wrapper without a type is for e-mails. Raises OsdiError 503.
    """
    types = [EMAIL, None] if message_type == EMAIL else [message_type]
    with store.operation():
        return store.collection(WRAPPER.collection).find_one(
            {"default": True, "wrapper_type": {"$in": types}},
            sort=[("modified_date", DESCENDING), ("_id", DESCENDING)],
            max_time_ms=READ_MS,
        )
