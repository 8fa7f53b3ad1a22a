"""A double click is one outreach: an equal body without a token, from the same address, within REPEAT_SECONDS."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from pymongo.database import Database

from blueprints.http.context import EXTENSION
from osdi.outreaches.repeat_keys_store import RepeatKeys
from tests.fixtures.deployed import Deployed
from tests.support import factories
from tests.support.client import Client

SECONDS = 10.0
BODY: dict[str, Any] = {"person": {"given_name": "Jane", "family_name": "Doe"}, "message": "Save the river."}


@pytest.fixture
def clicks(deployed: Deployed) -> Client:
    """A client of a deployment that recognises double clicks."""
    return deployed(repeat_seconds=SECONDS)


def click(client: Client, body: Any = BODY, *, address: str = "203.0.113.7", **options: Any) -> None:
    """Posts a body without a token from an address; the response is always the same."""
    response = client.record(body, token=False, environ_base={"REMOTE_ADDR": address}, **options)
    assert (response.status_code, response.data) == (200, b"{}")


def age(database: Database, seconds: float) -> None:
    """Makes every outreach older: its id has its time."""
    for outreach in list(database.outreaches.find()):
        milliseconds = int(outreach["_id"].replace("-", "")[:12], 16) - int(seconds * 1000)
        text = f"{milliseconds:012x}"
        database.outreaches.delete_one({"_id": outreach["_id"]})
        database.outreaches.insert_one({**outreach, "_id": f"{text[:8]}-{text[8:]}{outreach['_id'][13:]}"})


def test_a_double_click_is_one_outreach_of_one_person(clicks: Client, database: Database) -> None:
    for _ in range(3):
        click(clicks)

    assert database.outreaches.count_documents({}) == 1
    assert database.people.count_documents({}) == 1


@pytest.mark.parametrize(
    ("changed", "options"),
    [
        ({"message": "Save the forest."}, {}),
        ({"person": {"given_name": "John", "family_name": "Doe"}}, {}),
        ({}, {"address": "203.0.113.8"}),
        ({}, {"address": "2001:db8::7"}),
        ({}, {"headers": {"Idempotency-Key": "2"}}),
    ],
    ids=["another text", "another person", "another address", "IPv6", "an Idempotency-Key"],
)
def test_another_post_is_another_outreach(
    clicks: Client, database: Database, changed: dict[str, Any], options: dict[str, Any]
) -> None:
    click(clicks)
    click(clicks, BODY | changed, **options)

    assert database.outreaches.count_documents({}) == 2


def test_another_campaign_is_another_outreach(clicks: Client, database: Database) -> None:
    other = clicks.created("/advocacy_campaigns", {"title": "Another"})["_links"]["self"]["href"].rsplit("/", 1)[1]
    click(clicks)
    click(clicks, campaign=other)

    assert database.outreaches.count_documents({}) == 2


@pytest.mark.parametrize("later", [0.1, 5.0, 9.9])
def test_within_the_seconds_it_is_the_same(clicks: Client, database: Database, later: float) -> None:
    click(clicks)
    age(database, later - 0.05)
    click(clicks)

    assert database.outreaches.count_documents({}) == 1


@pytest.mark.parametrize("later", [10.1, 15.0, 19.9, 3_600.0])
def test_after_the_seconds_it_is_another_one_whose_double_click_is_recognised(
    clicks: Client, database: Database, later: float
) -> None:
    click(clicks)
    age(database, later)
    for _ in range(2):
        click(clicks)

    assert database.outreaches.count_documents({}) == 2


def test_with_a_token_two_equal_posts_are_two_outreaches(clicks: Client, database: Database) -> None:
    for _ in range(2):
        clicks.recorded(BODY)

    assert database.outreaches.count_documents({}) == 2


def test_zero_seconds_switch_it_off(deployed: Deployed, database: Database) -> None:
    client = deployed(repeat_seconds=0)
    for _ in range(2):
        click(client)

    assert database.outreaches.count_documents({}) == 2


def test_clicks_at_the_same_time_are_one_outreach(clicks: Client, database: Database) -> None:
    bodies = [factories.by_email(f"person{number}@example.com") for number in range(5)]
    with ThreadPoolExecutor(4) as pool:
        for body in bodies:
            list(pool.map(lambda _, body=body: click(clicks, body), range(4)))  # type: ignore[misc]

    assert database.outreaches.count_documents({}) == len(bodies)
    assert database.people.count_documents({}) == len(bodies)


def test_no_address_is_stored(clicks: Client, database: Database) -> None:
    click(clicks, address="203.0.113.77")

    stored = str([list(database[name].find()) for name in database.list_collection_names()])
    assert "203.0.113.77" not in stored
    (key,) = [each for each in database.outreaches.find_one()["match_keys"] if each.startswith("repeat:")]
    assert key.removeprefix("repeat:").isalnum()


def test_the_worker_removes_the_keys_that_no_longer_count(clicks: Client, database: Database) -> None:
    click(clicks)
    age(database, SECONDS + 1)
    click(clicks, BODY | {"message": "A later one."})
    store = clicks.http.application.extensions[EXTENSION].store

    assert RepeatKeys(store, SECONDS).remove_expired() == 1

    first, second = (each["match_keys"] for each in database.outreaches.find(sort=[("_id", 1)]))
    assert [key for key in first if key.startswith("repeat:")] == []
    assert len([key for key in second if key.startswith("repeat:")]) == 1
    assert first, "the outreach keeps its own key"


def test_the_worker_pauses_between_two_searches(clicks: Client, database: Database) -> None:
    keys = RepeatKeys(clicks.http.application.extensions[EXTENSION].store, SECONDS)
    assert keys.do_next() is False
    click(clicks)
    age(database, SECONDS + 1)

    assert keys.do_next() is False
    assert database.outreaches.count_documents({"match_keys": {"$regex": "^repeat:"}}) == 1
