"""GET /deletions: order, cursor, the records that it leaves out, retention, scopes, and hostile arguments."""

import datetime as dt
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import pytest
from pymongo.database import Database

from osdi.ids import id_before, new_id, now
from osdi.store import Store
from osdi.store.indexes import DELETIONS_KEPT_SECONDS
from osdi.store.store import SETTLED
from tests.support import factories
from tests.support.client import Client

KEPT = dt.timedelta(seconds=DELETIONS_KEPT_SECONDS)
MINUTE = dt.timedelta(minutes=1)
UUID_END = "-7000-8000-000000000000"


@pytest.fixture
def record(database: Database) -> Callable[..., str]:
    """Stores the record of a deletion of this age, and returns its id."""

    def store_record(age: dt.timedelta = 10 * MINUTE, event: str = "person_deleted", **fields: Any) -> str:
        record_id = id_before(now() - age) + new_id()[13:]
        document = {"_id": record_id, "version": 1, "event": event, "ids": [new_id()], "deleted_date": now() - age}
        database.published_deletions.insert_one({**document, **fields})
        return record_id

    return store_record


def read(api: Client, **arguments: Any) -> dict[str, Any]:
    query = "&".join(f"{name}={quote(str(value))}" for name, value in arguments.items())
    response = api.get(f"/deletions?{query}")
    assert response.status_code == 200, response.get_data(as_text=True)
    return dict(response.json)


def ids(page: dict[str, Any]) -> list[str]:
    return [each["identifiers"][0].removeprefix("osdi_outreach:") for each in page["deletions"]]


def test_the_entry_point_leads_to_the_feed(api: Client) -> None:
    found = api.follow(dict(api.get("/").json), "osdi_outreach:deletions")

    assert found["deletions"] == []


@pytest.mark.parametrize(
    ("event", "fields", "links"),
    [
        ("person_deleted", {"ids": ["p1"]}, {"osdi:person": "people/p1"}),
        ("person_erased", {"ids": ["p1", "p2"]}, {"osdi:person": "people/p1"}),
        (
            "person_merged",
            {"ids": ["p2"], "survivor_id": "p1"},
            {"osdi:person": "people/p2", "osdi_outreach:survivor": "people/p1"},
        ),
        (
            "outreach_deleted",
            {"ids": ["o1"], "advocacy_campaign_id": "c1"},
            {
                "osdi:outreach": "advocacy_campaigns/c1/outreaches/o1",
                "osdi:advocacy_campaign": "advocacy_campaigns/c1",
            },
        ),
        ("advocacy_campaign_deleted", {"ids": ["c1"]}, {"osdi:advocacy_campaign": "advocacy_campaigns/c1"}),
    ],
)
def test_a_record_has_ids_and_links(
    api: Client, record: Callable[..., str], event: str, fields: dict[str, Any], links: dict[str, str]
) -> None:
    record(event=event, **fields)

    (found,) = read(api)["deletions"]

    curies = found["_links"].pop("curies")
    assert {each["name"] for each in curies} >= {name.partition(":")[0] for name in found["_links"]}
    assert {name: each["href"].partition("/api/v1/")[2] for name, each in found["_links"].items()} == links
    assert found["event"] == event
    assert found["identifiers"] == [f"osdi_outreach:{each}" for each in fields["ids"]]
    assert set(found) == {"event", "identifiers", "deleted_date", "_links"}


def test_pages_have_all_records_once_in_order(api: Client, record: Callable[..., str]) -> None:
    for number in range(5):
        record(dt.timedelta(minutes=10 - number), ids=[f"p{number}"])

    page, found = read(api, per_page=2), []
    while "next" in page["_links"]:
        found.append(ids(page))
        page = dict(api.get(page["_links"]["next"]["href"]).json)

    assert [*found, ids(page)] == [["p0", "p1"], ["p2", "p3"], ["p4"]]
    assert ids(read(api, after=page["cursor"])) == []


def test_the_cursor_of_an_empty_page_leads_to_later_records(api: Client, record: Callable[..., str]) -> None:
    cursor = read(api)["cursor"]
    record(SETTLED - MINUTE, ids=["later"])  # not shown yet

    assert ids(read(api, after=cursor)) == []

    record(SETTLED + MINUTE / 60, ids=["shown"])
    assert ids(read(api, since=(now() - 5 * MINUTE).isoformat())) == ["shown"]


def test_a_record_is_shown_when_no_earlier_one_can_follow(
    api: Client, record: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    record(dt.timedelta(0), ids=["young"])
    cursor = read(api)["cursor"]

    monkeypatch.setattr("osdi.deletions.feed.SETTLED", dt.timedelta(seconds=-2))

    assert ids(read(api, after=cursor)) == ["young"]


def test_since_selects_by_time(api: Client, record: Callable[..., str]) -> None:
    record(60 * MINUTE, ids=["before"])
    record(10 * MINUTE, ids=["since"])

    assert ids(read(api, since=f"{(now() - 30 * MINUTE).isoformat()}Z")) == ["since"]


def test_a_record_of_something_that_exists_is_left_out(api: Client, record: Callable[..., str]) -> None:
    outreach = api.recorded(factories.outreach())
    person_id = outreach["_links"]["osdi:person"]["href"].rsplit("/", 1)[1]
    outreach_id = outreach["_links"]["self"]["href"].rsplit("/", 1)[1]
    record(ids=[person_id])
    record(event="outreach_deleted", ids=[outreach_id], advocacy_campaign_id=api.campaign_id)
    record(event="advocacy_campaign_deleted", ids=[api.campaign_id])
    record(ids=["gone"])

    assert ids(read(api)) == ["gone"]


def test_a_deletion_by_a_request_is_in_the_feed(api: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("osdi.deletions.feed.SETTLED", dt.timedelta(seconds=-2))
    address = api.recorded(factories.outreach())["_links"]["osdi:person"]["href"]

    assert api.delete(address).status_code == 200

    (found,) = read(api)["deletions"]
    assert (found["event"], found["_links"]["osdi:person"]["href"]) == ("person_deleted", address)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("since", (now() - KEPT - 60 * MINUTE).isoformat()),
        ("since", "0001-01-01T00:00:00Z"),
        ("after", id_before(now() - KEPT - 60 * MINUTE) + UUID_END),
        ("after", "00000000-0000"),
    ],
)
def test_a_place_before_the_retention_asks_for_a_full_copy(api: Client, name: str, value: str) -> None:
    response = api.get(f"/deletions?{name}={quote(value)}")

    assert response.status_code == 410
    (reason,) = response.json["osdi:error"]["resource_status"][0]["error_descriptions"]
    assert reason["properties"] == [name]
    assert "full copy" in reason["hint"]


@pytest.mark.parametrize("age", [KEPT - 60 * MINUTE, dt.timedelta(0), -60 * MINUTE])
def test_a_place_within_the_retention_is_valid(api: Client, age: dt.timedelta) -> None:
    assert read(api, since=(now() - age).isoformat(), after=id_before(now() - age))["deletions"] == []


def test_the_database_removes_records_after_the_retention(database: Database) -> None:
    (index,) = (each for each in database.published_deletions.list_indexes() if "expireAfterSeconds" in each)

    assert list(index["key"]) == ["deleted_date"]
    assert index["expireAfterSeconds"] > DELETIONS_KEPT_SECONDS


@pytest.mark.parametrize(
    "query",
    [
        "since=yesterday",
        "since=9999-12-31T23:59:59-23:00",
        "since=",
        "after=",
        "after=zzzzzzzz-zzzz",
        "after=00000000-0000-7000-8000-00000000000G",
        "after=01a20a71-74b6%0A",
        "after=%24gt",
        "after[$gt]=1&after=x",
        "per_page=0",
        "per_page=-1",
        "per_page=many",
        "per_page=99999999999999999999",
    ],
)
def test_an_invalid_argument_is_rejected(api: Client, query: str) -> None:
    assert api.get(f"/deletions?{query}").status_code == 400


def test_the_last_possible_date_is_empty(api: Client) -> None:
    page = read(api, since="9999-12-31T23:59:59Z")

    assert page["deletions"] == []
    assert read(api, after=page["cursor"])["cursor"] == page["cursor"]


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"scopes": ("read",)}, 200),
        ({"scopes": ("admin",)}, 200),
        ({"scopes": ("write",)}, 403),
        ({"advocacy_campaign_id": "{campaign}"}, 403),
        (None, 401),
    ],
)
def test_a_token_needs_the_scope_read_for_all_campaigns(
    api: Client, store: Store, fields: dict[str, Any] | None, status: int
) -> None:
    fields = {name: api.campaign_id if value == "{campaign}" else value for name, value in (fields or {}).items()}

    response = api.get("/deletions", token=factories.token(store, **fields) if fields else False)

    assert response.status_code == status
