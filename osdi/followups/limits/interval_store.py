"""Reserves the interval of a mailbox, in which one follow-up of a kind and campaign is sent to it."""

import datetime as dt
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from pymongo import UpdateOne
from pymongo.errors import BulkWriteError

from osdi.documents import Document
from osdi.errors import DuplicateKey
from osdi.followups.leases.lease_store import LeasedFollowup
from osdi.ids import now
from osdi.store import Store
from osdi.store.driver import only_duplicate_keys
from osdi.store.indexes import MAILBOX_INTERVALS


@dataclass(frozen=True)
class _Reservation:
    """The filter and the change of a reservation. If another follow-up has the interval, the filter selects nothing,
    and the upsert fails on the unique `_id`.
    """

    free: Document
    change: Document


def reserve_interval(
    store: Store, leased: LeasedFollowup, mailbox: str, interval: dt.timedelta, *, all_campaigns: bool = False
) -> bool:
    """Reserves the interval of a mailbox (its hash) for a follow-up of this kind and campaign; False if another has it.

    With `all_campaigns` it is an interval of its own, for this kind and any campaign. The follow-up that has the
    interval can reserve it again: a worker may have died before it sent the follow-up.
    """
    wanted = _reservation(leased, mailbox, interval, all_campaigns=all_campaigns)
    try:
        with store.operation():
            store.collection(MAILBOX_INTERVALS).update_one(wanted.free, wanted.change, upsert=True)
    except DuplicateKey:
        return False
    return True


def reserve_intervals(store: Store, wanted: Sequence[tuple[LeasedFollowup, str]], interval: dt.timedelta) -> list[bool]:
    """Reserves as `reserve_interval` for each follow-up and mailbox, in their order, and returns each result."""
    reservations = [_reservation(leased, mailbox, interval) for leased, mailbox in wanted]
    granted = [True] * len(reservations)
    with store.operation():
        try:
            store.collection(MAILBOX_INTERVALS).bulk_write(
                [UpdateOne(each.free, each.change, upsert=True) for each in reservations], ordered=False
            )
        except BulkWriteError as error:
            if not only_duplicate_keys(error):
                raise
            for each in error.details["writeErrors"]:
                granted[each["index"]] = False
    return granted


def release_intervals(store: Store, followup_ids: Collection[str]) -> None:
    """Frees the intervals that follow-ups have reserved, because they were not sent."""
    with store.operation():
        store.collection(MAILBOX_INTERVALS).delete_many({"followup_id": {"$in": list(followup_ids)}})


def _reservation(
    leased: LeasedFollowup, mailbox: str, interval: dt.timedelta, *, all_campaigns: bool = False
) -> _Reservation:
    kind, campaign_id = leased.followup["kind"], "" if all_campaigns else leased.outreach["advocacy_campaign_id"]
    timestamp = now()
    mine = {"followup_id": leased.followup["_id"]}
    free = {"_id": f"{kind}:{campaign_id}:{mailbox}", "$or": [mine, {"until": {"$lte": timestamp}}]}
    return _Reservation(free, {"$set": {**mine, "until": timestamp + interval}})
