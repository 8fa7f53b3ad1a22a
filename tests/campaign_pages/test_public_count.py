"""The count that pages show: its number, its goal, and the number from which it is shown."""

from collections.abc import Callable
from typing import Any

import pytest

from osdi.campaign_pages.page_settings import PageSettings
from osdi.campaign_pages.public_count import PublicCount, next_goal, public_count, shown_count
from osdi.campaign_pages.published import Page
from osdi.errors import OsdiError
from osdi.store import Store
from tests.support import factories
from tests.support.client import Client


@pytest.mark.parametrize(
    ("total", "goal"),
    [
        *((0, 100), (1, 100), (99, 100), (100, 250), (249, 250), (250, 500), (499, 500), (500, 1_000), (999, 1_000)),
        *((1_000, 2_500), (2_500, 5_000), (5_000, 10_000), (24_999, 25_000), (999_999, 1_000_000)),
        (2_147_483_647, 2_500_000_000),
    ],
)
def test_the_automatic_goal_is_the_next_round_number(total: int, goal: int) -> None:
    assert next_goal(total) == goal


@pytest.mark.parametrize(
    ("total", "goal", "percent"),
    [(0, 100, 0), (1, 100, 1), (999, 1_000, 99), (1_000, 1_000, 100), (1_500, 1_000, 100), (5, None, 0), (1, 1_000, 0)],
)
def test_the_percentage_is_100_only_when_the_goal_is_reached(total: int, goal: int | None, percent: int) -> None:
    assert PublicCount(total, goal, 0).percent == percent


@pytest.mark.parametrize(
    ("total", "show_from", "shown"), [(24, 25, False), (25, 25, True), (26, 25, True), (0, 0, True), (0, 1, False)]
)
def test_a_count_is_shown_from_a_number_on(total: int, show_from: int, shown: bool) -> None:
    assert PublicCount(total, None, show_from).is_shown is shown


@pytest.mark.parametrize(
    ("chosen", "count"),
    [
        ({}, PublicCount(3, None, 25)),
        ({"goal": 2, "show_count_from": 1}, PublicCount(3, 2, 1)),
        ({"goal": "auto"}, PublicCount(3, 100, 25)),
    ],
)
def test_it_counts_the_campaigns_outreaches(
    api: Client, store: Store, chosen: dict[str, Any], count: PublicCount
) -> None:
    for number in range(3):
        api.recorded(factories.outreach(identifiers=[f"crm:{number}"]))
    campaign = store.get("advocacy_campaigns", api.campaign_id)
    assert campaign is not None

    found = public_count(store, Page(campaign, PageSettings.of({"page": chosen})))

    assert found == count
    assert found.total == api.get(f"/advocacy_campaigns/{api.campaign_id}").json["total_outreaches"]


def test_a_page_is_shown_without_its_count_while_the_database_is_unavailable(
    api: Client, store: Store, fail: Callable[..., None]
) -> None:
    campaign = store.get("advocacy_campaigns", api.campaign_id)
    assert campaign is not None
    page = Page(campaign, PageSettings())
    fail("alwaysOn", ["aggregate", "count"], errorCode=11600)

    with pytest.raises(OsdiError):
        public_count(store, page)
    assert shown_count(store, page) is None
