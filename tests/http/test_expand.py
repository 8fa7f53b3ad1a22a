"""`$expand`: related resources inside the response."""

from typing import Any

import pytest

from tests.support import factories
from tests.support.client import Client


@pytest.fixture
def outreach(api: Client) -> dict[str, Any]:
    api.created("/tags", {"name": "volunteer"})
    return api.recorded(factories.outreach(add_tags=["volunteer"]))


def test_an_outreach_with_its_person_and_campaign(api: Client, outreach: dict[str, Any]) -> None:
    href = outreach["_links"]["self"]["href"]

    expanded = api.get(f"{href}?$expand=osdi:person, osdi:advocacy_campaign").json

    assert expanded["_embedded"] == {
        relation: api.follow(outreach, relation) for relation in ("osdi:person", "osdi:advocacy_campaign")
    }
    assert {name: value for name, value in expanded.items() if name != "_embedded"} == outreach


@pytest.mark.parametrize("where", ["/outreaches", "campaign", "person"])
def test_collections_of_outreaches_expand_each(api: Client, outreach: dict[str, Any], noise: Any, where: str) -> None:
    addresses = {"campaign": "osdi:advocacy_campaign", "person": "osdi:person"}
    if where in addresses:
        where = api.follow(outreach, addresses[where])["_links"]["osdi:outreaches"]["href"]

    page = api.get(f"{where}?$expand=osdi:person&per_page=2").json

    for each in page["_embedded"]["osdi:outreaches"]:
        assert each["_embedded"]["osdi:person"]["_links"]["self"] == each["_links"]["osdi:person"]
    if "next" in page["_links"]:
        assert "osdi:person" in api.follow(page, "next")["_embedded"]["osdi:outreaches"][0]["_embedded"]


def test_a_person_with_their_collections(api: Client, outreach: dict[str, Any]) -> None:
    href = outreach["_links"]["osdi:person"]["href"]

    expanded = api.get(f"{href}?$expand=osdi:outreaches,osdi:taggings,osdi:items,osdi:answers").json["_embedded"]

    assert expanded["osdi:outreaches"] == [outreach]
    assert len(expanded["osdi:taggings"]) == 1
    assert (expanded["osdi:items"], expanded["osdi:answers"]) == ([], [])


def test_people_expand_too(api: Client, outreach: dict[str, Any]) -> None:
    (person,) = api.get("/people?$expand=osdi:taggings").json["_embedded"]["osdi:people"]

    assert len(person["_embedded"]["osdi:taggings"]) == 1


@pytest.mark.parametrize("path", ["/people?$expand=osdi:person", "/outreaches?$expand=divisions", "/people?$expand=x"])
def test_an_unknown_relation_is_rejected(api: Client, path: str) -> None:
    response = api.get(path)

    assert response.status_code == 400
    assert "$expand" in response.json["error"]


def test_an_outreach_without_a_person_expands_to_nothing(api: Client, outreach: dict[str, Any]) -> None:
    api.delete(outreach["_links"]["osdi:person"]["href"])

    assert "_embedded" not in api.get(outreach["_links"]["self"]["href"] + "?$expand=osdi:person").json
