"""The numbers of several campaigns: outreaches in all and in two intervals, and the last outreach.

Where one aggregation on an index is faster than a query for each campaign, it is one. A count of one campaign is not:
the index alone counts it, ten times as fast as a group.
"""

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from osdi.crud.totals_store import total_outreaches
from osdi.documents import Document, ReadOnlyDocument
from osdi.resources import OUTREACH
from osdi.statistics.days import Interval
from osdi.store import Store
from osdi.store.driver import READ_MS

CAMPAIGN: Final = "$advocacy_campaign_id"


@dataclass(frozen=True)
class Numbers:
    """The numbers of a campaign; `latest` is the time of the outreach that was recorded last, None without one."""

    outreaches: int
    last_days: int
    days_before: int
    latest: dt.datetime | None


def numbers_of(
    store: Store, campaigns: Sequence[ReadOnlyDocument], last: Interval, before: Interval
) -> dict[str, Numbers]:
    """Returns the numbers of campaigns by id. Raises OsdiError 503."""
    latest = latest_of(store, campaigns)
    return {
        each["_id"]: Numbers(
            total_outreaches(store, each),
            _number_in(store, each["_id"], last),
            _number_in(store, each["_id"], before),
            latest.get(each["_id"]),
        )
        for each in campaigns
    }


def totals_of(store: Store, campaigns: Sequence[ReadOnlyDocument]) -> dict[str, int]:
    """Returns the outreaches of each campaign. Raises OsdiError 503."""
    return {each["_id"]: total_outreaches(store, each) for each in campaigns}


def numbers_in(store: Store, campaigns: Sequence[ReadOnlyDocument], interval: Interval) -> dict[str, int]:
    """Returns the outreaches of campaigns in an interval; one without any is left out. Raises OsdiError 503."""
    selected = {"$match": {"advocacy_campaign_id": {"$in": _ids(campaigns)}, "action_date": _within(interval)}}
    grouped = {"$group": {"_id": CAMPAIGN, "number": {"$sum": 1}}}
    return {each["_id"]: each["number"] for each in _aggregated(store, [selected, grouped])}


def latest_of(store: Store, campaigns: Sequence[ReadOnlyDocument]) -> dict[str, dt.datetime]:
    """Returns the time of the outreach of each campaign that was recorded last, which the index finds by its end.

    A campaign without one is left out. Raises OsdiError 503.
    """
    pipeline: list[Mapping[str, Any]] = [
        {"$match": {"advocacy_campaign_id": {"$in": _ids(campaigns)}}},
        {"$sort": {"advocacy_campaign_id": -1, "_id": -1}},
        {
            "$group": {
                "_id": CAMPAIGN,
                "action_date": {"$first": "$action_date"},
                "created_date": {"$first": "$created_date"},
            }
        },
    ]
    found = _aggregated(store, pipeline)
    return {each["_id"]: each.get("action_date") or each["created_date"] for each in found}


def _number_in(store: Store, campaign_id: str, interval: Interval) -> int:
    return store.count(OUTREACH.collection, {"advocacy_campaign_id": campaign_id, "action_date": _within(interval)})


def _within(interval: Interval) -> Document:
    return {"$gte": interval.start, "$lt": interval.end}


def _ids(campaigns: Sequence[ReadOnlyDocument]) -> list[str]:
    return [each["_id"] for each in campaigns]


def _aggregated(store: Store, pipeline: Sequence[Mapping[str, Any]]) -> Iterator[Document]:
    options: dict[str, Any] = {} if store.in_memory else {"maxTimeMS": READ_MS}
    with store.operation():
        yield from store.collection(OUTREACH.collection).aggregate(list(pipeline), **options)
