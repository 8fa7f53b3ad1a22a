"""`/act`, the list of published campaigns, which a setting turns on."""

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import expect
from pymongo.database import Database

from osdi.campaign_pages import public_count
from osdi.campaign_pages.published import published_pages
from osdi.store import Store
from tests.act.conftest import Served
from tests.fixtures.campaign_pages import CampaignPage, soup
from tests.fixtures.deployed import Deployed
from tests.support import factories
from tests.support.barriers import barriers
from tests.support.browser import Visit
from tests.support.client import Client

Publish = Callable[..., CampaignPage]


@pytest.fixture
def listing(deployed: Deployed) -> Client:
    """A client of an application that shows the list."""
    return deployed(campaign_list=True)


def items(client: Client, address: str = "/act") -> list[str]:
    """Returns the text of each campaign in the list."""
    response = client.http.get(address)
    assert response.status_code == 200
    return [" ".join(each.get_text().split()) for each in soup(response).select("main li")]


def test_without_the_setting_there_is_no_list(publish: Publish) -> None:
    assert publish().http.get("/act").status_code == 404


@pytest.mark.parametrize("address", ["/act", "/act/"])
def test_it_has_the_published_campaigns_only_the_newest_first(publish: Publish, listing: Client, address: str) -> None:
    publish({"slug": "one"}, title="One <b>", summary="First & last")
    publish({"slug": "two", "published": False}, title="Two")
    publish({"slug": "three"}, title="Three")

    assert items(listing, address) == [
        "Three This campaign is open.",
        "One <b> First & last This campaign is open.",
    ]


@pytest.mark.parametrize(
    ("chosen", "text"),
    [
        ({}, "This campaign is open."),
        ({"closes_at": dt.datetime(2020, 1, 1)}, "This campaign is closed."),
        ({"closes_at": dt.datetime(2999, 1, 1)}, "This campaign is open until January 1, 2999"),
    ],
)
def test_a_campaign_is_open_or_closed(publish: Publish, listing: Client, chosen: dict[str, Any], text: str) -> None:
    publish(chosen, title="River")

    assert items(listing)[0].startswith(f"River {text}")


def test_a_campaign_that_rejects_anonymous_posts_is_closed(publish: Publish, listing: Client) -> None:
    publish(title="River", anonymous_posts={"enabled": False})

    assert items(listing) == ["River This campaign is closed."]


def test_a_campaign_shows_its_count_from_the_number_of_its_page_on(publish: Publish, listing: Client) -> None:
    for slug, show_count_from in (("one", 1), ("two", 2)):
        page = publish({"slug": slug, "show_count_from": show_count_from}, title=slug)
        listing.recorded(factories.outreach(identifiers=[f"crm:{slug}"]), campaign=page.campaign["_id"])

    assert items(listing) == ["two This campaign is open.", "one This campaign is open. People took part once."]


def test_each_title_leads_to_the_page(publish: Publish, listing: Client) -> None:
    publish({"language": "de"}, title="Rettet den Fluß")

    (item,) = soup(listing.http.get("/act")).select("main li")

    assert item.article["lang"] == "de"
    assert soup(listing.http.get(item.a["href"])).h1.get_text() == "Rettet den Fluß"


def test_no_campaign_is_said_in_words(database: Database, listing: Client) -> None:
    assert "There is no campaign at the moment." in listing.http.get("/act").get_data(as_text=True)


def test_a_long_list_has_a_link_to_earlier_campaigns(
    publish: Publish, listing: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(public_count, "MAX_LISTED", 2)
    for number in range(5):
        publish({"slug": f"river-{number}"}, title=str(number))
    address, found = "/act", []
    for _ in range(3):
        page = soup(listing.http.get(address))
        found.append([each.get_text() for each in page.select("h2")])
        link = page.find("a", string="Earlier campaigns")
        address = link["href"] if link else ""

    assert (found, address) == ([["4", "3"], ["2", "1"], ["0"]], "")


@pytest.mark.parametrize("before", ["", "0", "x" * 5_000, "$ne", "%00", "%ff"])
def test_any_value_of_before_is_a_list(publish: Publish, listing: Client, before: str) -> None:
    publish()

    assert listing.http.get(f"/act?before={before}").status_code == 200


def test_it_is_read_by_an_index(publish: Publish, store: Store, database: Database) -> None:
    publish()
    query = {"page.published": True, "_id": {"$lt": "z"}}

    plan = database.advocacy_campaigns.find(query).sort("_id", -1).limit(51).explain()["queryPlanner"]["winningPlan"]

    assert "page.published" in str(plan)
    assert not {"COLLSCAN", "SORT"} & set(str(plan).replace("'", " ").split())
    assert [each.slug for each in published_pages(store, limit=51, before="z")] == ["protect-the-river"]


@pytest.mark.browser
def test_the_list_is_accessible_in_light_and_dark_and_fits_a_narrow_window(
    served: Served, open_page: Callable[..., Visit]
) -> None:
    served.publish({"show_count_from": 0, "goal": "auto"}, summary="The council votes in May.")
    served.publish({"closes_at": dt.datetime(2020, 1, 1)}, title="Donaudampfschifffahrtsgesellschaftskapitänskajüte")
    page = open_page(f"{served.url}/act").page

    assert not barriers(page, dark=True)
    page.set_viewport_size({"width": 320, "height": 700})
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
    page.get_by_role("link", name="Save the river").first.click()
    expect(page.locator("h1")).to_have_text("Save the river")
