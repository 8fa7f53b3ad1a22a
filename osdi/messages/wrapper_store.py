"""Wrappers in the store: the one that messages without their own get, and the messages that lose theirs."""

from osdi.action_functions.followup_kinds import EMAIL
from osdi.documents import Document
from osdi.resources import WRAPPER
from osdi.store import DocumentStore


def default_wrapper(store: DocumentStore, message_type: str) -> Document | None:
    """The default wrapper of messages of this type, `email` or `sms`; of several the one changed last.

    A wrapper that does not say its type is one of e-mails, as a message is. Raises OsdiError 503.
    """
    types = [EMAIL, None] if message_type == EMAIL else [message_type]
    query = {"default": True, "wrapper_type": {"$in": types}}
    return store.find_one(WRAPPER.collection, query, sort=("-modified_date", "-_id"))
