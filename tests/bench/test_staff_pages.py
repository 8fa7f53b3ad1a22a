"""The part `staff` of `make bench-scale`: its campaign, and the evaluation of its figures."""

import datetime as dt
from collections.abc import Iterator
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from bench.scale.busy_campaign import DAYS, NEW_PEOPLE, add_busy_campaign, percentile
from bench.scale.staff_pages import Page, Row, StaffPages, staff_pages_section
from osdi.ids import now
from osdi.resources import ADVOCACY_CAMPAIGN
from osdi.statistics.query import read_statistics
from osdi.statistics.reader import StatisticsReader
from osdi.store import Insert, Store

HOME = Page("home", lambda _: "/staff/", 150)
LIST = Page("list", lambda _: "/staff/campaigns", 150)


@pytest.fixture
def store(mongod: Any) -> Iterator[Store]:
    store = Store(mongod.uri.replace("/osdi?", "/bench_staff?"))
    store.create_indexes()
    for collection in ("outreaches", "advocacy_campaigns", "statistics"):
        store.delete_many(collection, {})
    store.write(Insert(ADVOCACY_CAMPAIGN.collection, {"_id": "other", "version": 1, "match_keys": ["id:other"]}))
    yield store
    store.close()


@pytest.mark.parametrize(
    ("values", "share", "found"),
    [([3.0], 0.95, 3.0), ([2.0, 1.0], 0.5, 1.0), (list(range(1, 101)), 0.95, 95), (list(range(1, 11)), 0.95, 10)],
)
def test_a_percentile_is_the_smallest_value_that_so_large_a_share_does_not_exceed(
    values: list[float], share: float, found: float
) -> None:
    assert percentile(values, share) == found


def test_the_busy_campaign_has_its_outreaches_in_the_last_days(store: Store) -> None:
    campaign_id = add_busy_campaign(store.uri, 300)

    found = read_statistics(StatisticsReader(store, seconds=600), campaign_id, None, None, ZoneInfo("UTC"))

    assert found["total"]["outreaches"] == 300
    assert 0.6 < found["total"]["people"] / (300 * NEW_PEOPLE) < 1.3
    assert dt.date.fromisoformat(found["from"]) >= now().date() - dt.timedelta(days=DAYS)
    assert all(found[f"by_{kind}"]["without"] == 0 for kind in ("type", "source", "target", "referrer"))


def test_a_page_over_its_budget_is_reported() -> None:
    fast = Row(HOME, tuple([10.0] * 95 + [900.0] * 5))
    slow = Row(LIST, tuple([10.0] * 94 + [900.0] * 6))
    pages = StaffPages((fast, slow), 1_000, 5.0)

    assert pages.broken == ["list: 900 ms, at most 150"]
    assert "| home | 10 | 10 | 900 | 150 | kept |" in staff_pages_section(pages)
    assert "| list | 10 | 900 | 900 | 150 | **not kept** |" in staff_pages_section(pages)
