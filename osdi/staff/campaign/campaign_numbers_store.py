"""The numbers of several campaigns: outreaches in all and in two intervals, and the last outreach.

The outreaches in the intervals are those of the statistics (see osdi.statistics.recent_store).
"""

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from osdi.crud.totals_store import total_outreaches
from osdi.documents import Document, ReadOnlyDocument
from osdi.resources import OUTREACH
from osdi.statistics.days import Calendar
from osdi.statistics.recent_store import outreaches_within
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
    store: Store, campaigns: Sequence[ReadOnlyDocument], last: Calendar, before: Calendar
) -> dict[str, Numbers]:
    """Returns the numbers of campaigns by id. Raises OsdiError 503."""
    latest = latest_of(store, campaigns)
    recent = outreaches_within(store, _ids(campaigns), (last, before))
    return {
        each["_id"]: Numbers(
            total_outreaches(store, each),
            recent[each["_id"]][0],
            recent[each["_id"]][1],
            latest.get(each["_id"]),
        )
        for each in campaigns
    }


def totals_of(store: Store, campaigns: Sequence[ReadOnlyDocument]) -> dict[str, int]:
    """Returns the outreaches of each campaign. Raises OsdiError 503."""
    return {each["_id"]: total_outreaches(store, each) for each in campaigns}


def numbers_in(store: Store, campaigns: Sequence[ReadOnlyDocument], days: Calendar) -> dict[str, int]:
    """Returns the outreaches of campaigns on some days. Raises OsdiError 503."""
    return {each: number for each, (number,) in outreaches_within(store, _ids(campaigns), (days,)).items()}


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


def _ids(campaigns: Sequence[ReadOnlyDocument]) -> list[str]:
    return [each["_id"] for each in campaigns]


def _aggregated(store: Store, pipeline: Sequence[Mapping[str, Any]]) -> Iterator[Document]:
    options: dict[str, Any] = {} if store.in_memory else {"maxTimeMS": READ_MS}
    with store.operation():
        yield from store.collection(OUTREACH.collection).aggregate(list(pipeline), **options)
