"""Leases requests for sign-in mails, so that several workers can send them."""

import datetime as dt

from pymongo import ASCENDING, ReturnDocument

from osdi.documents import Document
from osdi.store import Store
from osdi.store.indexes import STAFF_LINKS


def lease_request(store: Store, timestamp: dt.datetime, ends: dt.datetime) -> Document | None:
    """Returns the request that has waited longest, and hides it from other workers until `ends`; None if none is due.

    It counts the attempt. A request whose link would have expired is not returned.
    """
    due = {"not_before": {"$lte": timestamp}, "expires_date": {"$gt": timestamp}}
    change = {"$set": {"not_before": ends}, "$inc": {"attempts": 1}}
    with store.operation():
        found: Document | None = store.collection(STAFF_LINKS).find_one_and_update(
            due, change, sort=[("not_before", ASCENDING)], return_document=ReturnDocument.AFTER
        )
    return found
