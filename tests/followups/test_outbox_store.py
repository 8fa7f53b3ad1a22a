"""The outbox in the store: one worker at a time has a follow-up, and a lease that was lost marks nothing."""

import datetime as dt
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from pymongo.database import Database

from osdi.followups import outbox_store
from osdi.followups.leases import lease_store
from osdi.followups.leases.lease_store import LeasedFollowup
from osdi.followups.limits import interval_store
from osdi.ids import new_id, now
from osdi.store import Insert, Store

KINDS = ("autoresponse",)
LEASE = 120


def queued(store: Store, **fields: Any) -> dict[str, Any]:
    """An outreach with one follow-up that is due, with these fields besides."""
    timestamp = now()
    entry = {"_id": new_id(), "kind": "autoresponse", "state": "queued", "attempts": 0, "message_id": "m"}
    entry |= {"queued_date": timestamp, "not_before": timestamp, **fields}
    outreach_id = new_id()
    outreach = {
        "_id": outreach_id,
        "version": 1,
        "match_keys": [f"id:{outreach_id}"],
        "person_id": "p",
        "advocacy_campaign_id": "c",
        "followups": [entry],
    }
    store.write(Insert("outreaches", outreach))
    return outreach


def lease_next(
    store: Store, timestamp: dt.datetime, seconds: float, kinds: Sequence[str], *, lost: bool = False
) -> LeasedFollowup | None:
    """Leases a batch of one."""
    batch = lease_store.lease_batch(store, timestamp, seconds, kinds, 1, lost=lost)
    return batch[0] if batch else None


def entry_of(database: Database, outreach: dict[str, Any]) -> dict[str, Any]:
    found = database.outreaches.find_one({"_id": outreach["_id"]})["followups"][0]
    return dict(found)


def test_a_due_followup_is_leased_once(store: Store, database: Database) -> None:
    outreach = queued(store)

    leased = lease_next(store, now(), LEASE, KINDS)

    assert leased is not None
    assert leased.outreach["_id"] == outreach["_id"]
    assert lease_next(store, now(), LEASE, KINDS) is None
    entry = entry_of(database, outreach)
    assert (entry["state"], entry["attempts"], entry["lease"]) == ("leased", 1, leased.lease)
    assert entry["not_before"] >= now() + dt.timedelta(seconds=LEASE - 2)


def test_a_hundred_workers_lease_each_once(store: Store) -> None:
    ids = {queued(store)["followups"][0]["_id"] for _ in range(50)}

    with ThreadPoolExecutor(16) as pool:
        leases = list(pool.map(lambda _: lease_next(store, now(), LEASE, KINDS), range(100)))

    leased = [each.followup["_id"] for each in leases if each is not None]
    assert len(leased) == 50
    assert set(leased) == ids


def test_the_longest_waiting_followup_is_leased_first(store: Store) -> None:
    timestamp = now()
    queued(store, not_before=timestamp)
    oldest = queued(store, not_before=timestamp - dt.timedelta(hours=1))
    queued(store, not_before=timestamp - dt.timedelta(minutes=1))

    leased = lease_next(store, timestamp, LEASE, KINDS)

    assert leased is not None
    assert leased.outreach["_id"] == oldest["_id"]


@pytest.mark.parametrize(
    "fields",
    [
        {"not_before": now() + dt.timedelta(hours=1)},
        {"state": "sent"},
        {"state": "failed"},
        {"state": "skipped"},
        {"state": "leased"},
        {"kind": "sms_response"},
    ],
    ids=lambda fields: "-".join(f"{name}" for name in fields.values() if isinstance(name, str)) or "later",
)
def test_nothing_else_is_leased(store: Store, fields: dict[str, Any]) -> None:
    queued(store, **fields)

    assert lease_next(store, now(), LEASE, KINDS) is None


def test_a_followup_with_an_expired_lease_is_leased_again_and_counted(store: Store, database: Database) -> None:
    outreach = queued(store)
    first = lease_next(store, now(), LEASE, KINDS)
    assert lease_next(store, now(), LEASE, KINDS, lost=True) is None, "it is still held"

    second = lease_next(store, now() + dt.timedelta(seconds=LEASE + 1), LEASE, KINDS, lost=True)

    assert first is not None
    assert second is not None
    assert second.lease != first.lease
    entry = entry_of(database, outreach)
    assert (entry["attempts"], entry["leases_lost"]) == (2, 1)


def test_a_mark_ends_the_lease(store: Store, database: Database) -> None:
    outreach = queued(store)
    leased = lease_next(store, now(), LEASE, KINDS)
    assert leased is not None

    assert lease_store.mark(store, leased, {"state": "sent", "sent_date": now()}, gone=("not_before",))

    entry = entry_of(database, outreach)
    assert entry["state"] == "sent"
    assert not {"lease", "not_before"} & set(entry)


def test_a_worker_that_lost_the_lease_marks_nothing(store: Store, database: Database) -> None:
    outreach = queued(store)
    slow = lease_next(store, now(), LEASE, KINDS)
    assert slow is not None
    lease_next(store, now() + dt.timedelta(seconds=LEASE + 1), LEASE, KINDS, lost=True)

    assert not lease_store.mark(store, slow, {"state": "failed"})

    assert entry_of(database, outreach)["state"] == "leased"


def test_only_the_leased_entry_of_several_is_marked(store: Store, database: Database) -> None:
    outreach = queued(store)
    other = {**outreach["followups"][0], "_id": new_id(), "kind": "sms_response"}
    database.outreaches.update_one(
        {"_id": outreach["_id"]}, {"$push": {"followups": {"$each": [other], "$position": 0}}}
    )
    leased = lease_next(store, now(), LEASE, KINDS)
    assert leased is not None

    lease_store.mark(store, leased, {"state": "sent"})

    states = {
        each["kind"]: each["state"] for each in database.outreaches.find_one({"_id": outreach["_id"]})["followups"]
    }
    assert states == {"autoresponse": "sent", "sms_response": "queued"}


def test_the_outreachs_version_does_not_change(store: Store, database: Database) -> None:
    outreach = queued(store)
    leased = lease_next(store, now(), LEASE, KINDS)
    assert leased is not None
    lease_store.mark(store, leased, {"state": "sent"})

    assert database.outreaches.find_one({"_id": outreach["_id"]})["version"] == 1


@pytest.mark.parametrize(("state", "again"), [("failed", True), ("skipped", True), ("sent", False), ("leased", False)])
def test_a_failed_or_skipped_followup_is_queued_again(
    store: Store, database: Database, state: str, again: bool
) -> None:
    before = now() - dt.timedelta(days=4)
    outreach = queued(store, state=state, reason="smtp_login_535", attempts=9, queued_date=before)
    entry = outreach["followups"][0]

    assert outbox_store.requeue(store, outreach["_id"], entry["_id"], now()) is again

    if again:
        entry = entry_of(database, outreach)
        assert (entry["state"], entry["attempts"], "reason" in entry) == ("queued", 0, False)
        assert entry["queued_date"] > before


def test_a_followup_without_a_message_is_not_queued_again(store: Store, database: Database) -> None:
    outreach = queued(store, state="skipped", reason="no_message")
    database.outreaches.update_one({"_id": outreach["_id"]}, {"$unset": {"followups.0.message_id": ""}})

    assert not outbox_store.requeue(store, outreach["_id"], outreach["followups"][0]["_id"], now())


def test_counts_by_state_kind_and_reason(store: Store) -> None:
    timestamp = now()
    for state, kind, reason in (
        ("queued", "autoresponse", None),
        ("queued", "autoresponse", None),
        ("queued", "sms_response", "gateway_503"),
        ("failed", "autoresponse", "bouncing"),
        ("sent", "autoresponse", None),
        ("skipped", "autoresponse", "unsubscribed"),
    ):
        queued(store, state=state, kind=kind, **({"reason": reason} if reason else {}))
    queued(store, state="leased", leases_lost=2, queued_date=timestamp - dt.timedelta(hours=2))

    found = {(each["state"], each.get("kind"), each.get("reason")): each for each in outbox_store.counts(store)}

    assert {key: each["count"] for key, each in found.items()} == {
        ("queued", "autoresponse", None): 2,
        ("queued", "sms_response", "gateway_503"): 1,
        ("leased", "autoresponse", None): 1,
        ("failed", "autoresponse", "bouncing"): 1,
        ("sent", None, None): 1,
        ("skipped", None, None): 1,
    }
    leased = found["leased", "autoresponse", None]
    assert (leased["leases_lost"], leased["oldest"]) == (2, timestamp - dt.timedelta(hours=2))


def test_no_query_scans_the_collection(store: Store, database: Database) -> None:
    due = {"state": "queued", "not_before": {"$lte": now()}, "kind": {"$in": list(KINDS)}}
    for query in (
        {"followups": {"$elemMatch": due}},
        {"followups.state": "sent"},
        {"followups.state": {"$in": ["queued", "failed"]}},
        {"followups": {"$elemMatch": {"state": "failed", "kind": "autoresponse"}}},
    ):
        plan = str(database.outreaches.find(query).explain()["queryPlanner"]["winningPlan"])
        assert "COLLSCAN" not in plan
        assert "followups.state_1" in plan


def test_one_followup_has_the_interval_of_a_mailbox(store: Store) -> None:
    first, second = (queued(store) and lease_next(store, now(), LEASE, KINDS) for _ in range(2))
    assert first is not None
    assert second is not None
    hour = dt.timedelta(hours=1)

    assert interval_store.reserve_interval(store, first, "digest", hour)
    assert interval_store.reserve_interval(store, first, "digest", hour), "its worker may have died before it sent it"
    assert not interval_store.reserve_interval(store, second, "digest", hour)
    assert interval_store.reserve_interval(store, second, "another", hour)
    interval_store.release_intervals(store, [first.followup["_id"]])
    assert interval_store.reserve_interval(store, second, "digest", hour)
    assert interval_store.reserve_interval(store, first, "ended", -hour)
    assert interval_store.reserve_interval(store, second, "ended", hour)
