"""Reads the default wrapper, which messages without a wrapper of their own get."""

from osdi.action_functions.followup_kinds import EMAIL
from osdi.documents import Document
from osdi.resources import WRAPPER
from osdi.store import DocumentStore


def default_wrapper(store: DocumentStore, message_type: str) -> Document | None:
    """Returns the default wrapper for messages of this type, `email` or `sms`; of several, the one modified last.

    A wrapper without a type is for e-mails. Raises OsdiError 503.
    """
    types = [EMAIL, None] if message_type == EMAIL else [message_type]
    query = {"default": True, "wrapper_type": {"$in": types}}
    return store.find_one(WRAPPER.collection, query, sort=("-modified_date", "-_id"))
