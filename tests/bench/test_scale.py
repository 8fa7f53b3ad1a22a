"""`make bench-scale`: its loader on a real database, and the evaluation of its figures."""

import datetime as dt
import math
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import pytest
from pymongo import MongoClient
from pymongo.database import Database

from app import create_app
from bench.contenders import Ours
from bench.loaded_people import FIRST, SHAPES, TAGS, email, helper_body, identifier, phone, shape_of
from bench.loading import CAMPAIGNS, YEARS, Loaded, load
from bench.scale.__main__ import sizes_that_fit
from bench.scale.kinds import Kind
from bench.scale.memory import Memory
from bench.scale.sizes import Filled, Row, broken, sizes_section
from bench.scale.walk import Walk
from bench.sections import section, with_section
from blueprints.http.context import EXTENSION
from dev.mongod import Mongod
from osdi.ids import id_before, now
from osdi.settings import Settings
from osdi.store import Store
from osdi.store.indexes import INDEXES
from tests.support import factories
from tests.support.client import Client

PEOPLE = 1_000
TOKEN = "not a real one"


@pytest.fixture(scope="module")
def uri(mongod: Mongod) -> Iterator[str]:
    """A database of this module's own."""
    found = mongod.uri.replace("/osdi?", "/osdi_scale?")
    with MongoClient(found) as client:
        client.drop_database("osdi_scale")
        yield found
        client.drop_database("osdi_scale")


@pytest.fixture(scope="module")
def api(uri: str) -> Iterator[Client]:
    app = create_app(Settings(mongodb_uri=uri, cache_seconds=0, **factories.UNLIMITED))
    store: Store = app.extensions[EXTENSION].store
    store.create_indexes()
    yield Client(app.test_client(), factories.token(store))
    store.close()


@pytest.fixture(scope="module")
def loaded(api: Client, uri: str) -> Loaded:
    return load(uri, str(api.token), PEOPLE, quiet=True)


@pytest.fixture(scope="module")
def database(loaded: Loaded, uri: str) -> Iterator[Database]:
    with MongoClient(uri) as client:
        yield client.get_default_database()


def shape(value: Any, path: str = "") -> set[tuple[str, type]]:
    """Returns every path in a document, with the type of its value."""
    if isinstance(value, Mapping):
        return {(path, dict)}.union(*(shape(each, f"{path}/{name}") for name, each in value.items()))
    if isinstance(value, list):
        return {(path, list)}.union(*(shape(each, f"{path}[]") for each in value))
    return {(path, type(value))}


def post(api: Client, loaded: Loaded, number: int) -> None:
    response = api.post(
        f"/advocacy_campaigns/{loaded.campaigns[0]}/record_outreach_helper",
        helper_body(number, loaded.question),
        token=None if not shape_of(number).token else api.token,
    )
    assert response.status_code == 200


def of_shape(wanted: Any) -> int:
    """The number of somebody loaded who is of this shape."""
    return next(number for number in range(FIRST, FIRST + PEOPLE) if shape_of(number) == wanted)


def test_so_many_people_and_outreaches_are_there(database: Database) -> None:
    assert database.people.count_documents({}) == PEOPLE
    assert database.outreaches.count_documents({}) == PEOPLE


@pytest.mark.parametrize("wanted", SHAPES, ids=str)
def test_a_loaded_document_is_of_the_shape_that_a_post_makes(
    wanted: Any, api: Client, loaded: Loaded, database: Database
) -> None:
    number = of_shape(wanted)
    stranger = number + 10 * PEOPLE
    assert shape_of(stranger) == wanted
    post(api, loaded, stranger)

    def written(number: int) -> tuple[dict[str, Any], dict[str, Any]]:
        known_by = f"email:{email(number)}" if wanted.email else f"phone:{phone(number)}"
        person = database.people.find_one({"match_keys": known_by})
        first = database.outreaches.find_one({"_id": {"$gt": person["_id"]}}, sort=[("_id", 1)])
        return person, first

    (made, made_outreach), (posted, posted_outreach) = written(number), written(stranger)
    database.people.delete_one({"_id": posted["_id"]})
    database.outreaches.delete_one({"_id": posted_outreach["_id"]})
    # The loader gives an outreach that was posted with a token an identifier, and so a fingerprint.
    named = {("/identifiers", list), ("/identifiers[]", str), ("/fingerprint", str)} if wanted.token else set()
    assert shape(made) == shape(posted)
    assert shape(made_outreach) == shape(posted_outreach) | named
    assert list(made) == list(posted)
    assert [key.split(":")[0] for key in made["match_keys"]] == [key.split(":")[0] for key in posted["match_keys"]]
    assert made["match_keys"][0] == f"id:osdi_outreach:{made['_id']}"


@pytest.mark.one_in(4)
@pytest.mark.parametrize("wanted", SHAPES, ids=str)
def test_a_post_about_a_loaded_person_finds_them_and_changes_nothing(
    wanted: Any, api: Client, loaded: Loaded, database: Database
) -> None:
    number = of_shape(wanted)
    people = list(database.people.find())

    post(api, loaded, number)

    latest = database.outreaches.find_one(sort=[("_id", -1)])
    person = database.people.find_one({"_id": latest["person_id"]})
    database.outreaches.delete_one({"_id": latest["_id"]})
    expected = f"email:{email(number)}" if wanted.email else f"phone:{phone(number)}"
    assert expected in person["match_keys"]
    assert list(database.people.find()) == people


def test_what_a_shape_has_is_found_by_filters(api: Client, loaded: Loaded) -> None:
    number = of_shape(SHAPES[0])

    for text in (
        f"identifier eq '{identifier(number)}'",
        f"email_address eq '{email(number)}'",
        f"phone_number eq '+{phone(number)}'",
    ):
        page = api.get("/people", query_string={"filter": text}).json
        assert page["total_records"] == 1
        assert page["_embedded"]["osdi:people"][0]["given_name"] == helper_body(number, "")["person"]["given_name"]


def test_ids_are_in_the_order_of_time_and_dates_spread_over_two_years(loaded: Loaded, database: Database) -> None:
    people = list(database.people.find(sort=[("_id", 1)]))
    dates = [person["created_date"] for person in people]
    numbers = [int(person["contact_keys"][0][-20:].split("@")[0][-8:]) for person in people]

    assert numbers == sorted(numbers)
    assert dates == sorted(dates)
    assert YEARS * 0.99 < dates[-1] - dates[0] <= YEARS
    assert dates[-1] < dt.datetime.now(dt.UTC).replace(tzinfo=None)
    for person, timestamp in zip(people, dates, strict=True):
        assert id_before(timestamp) <= person["_id"] < id_before(timestamp + dt.timedelta(seconds=1))
        assert timestamp <= person["modified_date"] <= dates[-1] + loaded.step
    assert any(person["modified_date"] > person["created_date"] for person in people)
    entries = [entry["_id"] for person in people for entry in person.get("taggings", ())]
    assert len(set(entries)) == len(entries) > 0
    assert loaded.ids[FIRST] == people[0]["_id"]
    assert loaded.timestamp(FIRST + 500) == dates[500]


def test_campaigns_tags_and_details_are_uneven(loaded: Loaded, database: Database) -> None:
    shares = [database.outreaches.count_documents({"advocacy_campaign_id": each}) for each in loaded.campaigns]
    tagged = database.people.count_documents({"taggings.tag_id": loaded.tags[0]})

    assert len(shares) == CAMPAIGNS
    assert min(shares) > 0
    assert shares[0] > 5 * shares[-1]
    assert len(loaded.tags) == len(TAGS)
    assert tagged == PEOPLE * sum(each.percent for each in SHAPES if each.tags) // 100
    for field in ("email_addresses", "phone_numbers", "identifiers"):
        assert 0 < database.people.count_documents({field: {"$exists": False}}) < PEOPLE / 2
    assert 0 < len(database.outreaches.distinct("person_id")) < PEOPLE


def test_the_indexes_are_there_afterwards(loaded: Loaded, database: Database) -> None:
    for name, indexes in INDEXES.items():
        assert len(database[name].index_information()) == 1 + len(indexes)


READ = Kind("a read", lambda _: None, 1.3)


@pytest.mark.parametrize(
    ("bound", "milliseconds", "kept"),
    [
        (1.3, (10.0, 20.0, 13.04), True),  # the largest counts, to two digits
        (1.3, (10.0, 10.0, 13.06), False),
        (1.15, (4.0, 4.7), False),
        (None, (1.0, 100.0), True),
        (1.3, (1.0,), True),
        (1.3, (10.0, 11.0, math.inf), False),  # 503
    ],
)
def test_a_row_keeps_its_bound(bound: float | None, milliseconds: tuple[float, ...], kept: bool) -> None:
    row = Row(replace(READ, bound=bound), milliseconds)

    assert row.kept is kept
    assert len(broken([row])) == (not kept)


def test_lost_values_are_named() -> None:
    assert broken([Row(READ, (1.0, 2.5))]) == ["a read: 2.50 times, at most 1.3"]


def test_a_response_of_503_is_shown_in_the_row_of_its_size() -> None:
    database = Filled(Ours("scale-1", "1", with_token=True), Loaded("", "", 1, (), (), "", "", now(), YEARS, {}))

    assert "| a read | 2.00 | 503 | 503 | 1.3 | **not kept** |" in sizes_section(
        [Row(READ, (2.0, math.inf))], [database, database], 1
    )


@pytest.mark.parametrize(
    ("free", "fitting"), [(0, []), (2_999, []), (3_000, [1]), (32_999, [1]), (33_000, [1, 10]), (10**9, [1, 10])]
)
def test_a_database_is_left_out_if_the_disk_is_too_small_for_it(free: int, fitting: list[int]) -> None:
    assert sizes_that_fit([1, 10], free) == fitting


def test_memory_that_grows_is_not_kept() -> None:
    assert Memory(early=80, late=88, early_requests=1, requests=2, ok=2).kept
    assert not Memory(early=80, late=90, early_requests=1, requests=2, ok=2).kept

    walk = Walk(people=1, pages=1, per_page=1, seconds=1, worker=(80, 81), client=(50, 50), each_tenth=(1, 1))
    assert walk.kept
    assert not replace(walk, client=(50, 60)).kept


def test_one_section_is_replaced_and_the_rest_stays() -> None:
    page = "# Page\n\nintro\n\n## One\n\nold\n\n### Inside\n\n```\n## not a heading\n```\n\n## Two\n\nstays\n"

    replaced = with_section(page, "## One", "## One\n\nnew")

    assert replaced == "# Page\n\nintro\n\n## One\n\nnew\n\n## Two\n\nstays\n"
    assert section(page, "## One").endswith("## not a heading\n```")
    assert section(replaced, "## One") == "## One\n\nnew"
    assert with_section(replaced, "## One", section(page, "## One")) == page


def test_a_section_that_is_not_there_comes_last() -> None:
    page = "# Page\n\n## Two\n\nstays\n"

    assert section(page, "## One") == ""
    assert with_section(page, "## One", "## One\n\nnew\n") == "# Page\n\n## Two\n\nstays\n\n## One\n\nnew\n"
    assert with_section("", "## One", "## One") == "## One\n"
