"""The check after merges, erasures, deletions and imports finds each error that is planted in a database."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from pymongo.database import Database

from faults.administration.completion import complete
from faults.administration.leftovers import Leftovers, check_administration
from faults.administration.load import Created, Done, Imported, Merge
from faults.administration.marks import address, mark, marks_in
from faults.administration.requests import Responses
from faults.check import check
from faults.faults import FAULTS
from faults.row import problems_of_administration
from osdi.ids import new_id, now
from osdi.settings import Settings
from osdi.store.store import SETTLED

ERASED, SURVIVOR, OTHER = mark("erased", 1), mark("merged", 1, 1), mark("merged", 1, 2)
ROW, ERASED_ROW = mark("row", 1, 10), mark("row", 1, 1)
CAMPAIGN_ID = "campaign"

DONE = Done(
    merges=[Merge(Created(SURVIVOR, "survivor"), Created(OTHER, "other"))],
    erased=[ERASED, ERASED_ROW],
    deleted_people=["deleted"],
    deleted_campaigns=["deleted campaign"],
    imports=[Imported(frozenset({ROW, ERASED_ROW}), frozenset({ERASED_ROW}))],
)


def person(person_id: str, *marks: str, **fields: Any) -> tuple[str, dict[str, Any]]:
    return "people", {"_id": person_id, "email_addresses": [{"address": address(each)} for each in marks], **fields}


def outreach(of: str, person_id: str | None, campaign_id: str = CAMPAIGN_ID) -> tuple[str, dict[str, Any]]:
    link = {"person_id": person_id} if person_id else {}
    return "outreaches", {"_id": of, "message": f"I am {of}.", "advocacy_campaign_id": campaign_id, **link}


def copy(person_id: str, survivor_id: str) -> tuple[str, dict[str, Any]]:
    return "merged_people", {"_id": person_id, "survivor_id": survivor_id}


RIGHT = (
    ("advocacy_campaigns", {"_id": CAMPAIGN_ID}),
    person("survivor", SURVIVOR, OTHER, merged_ids=["other"], match_keys=["email:1"]),
    copy("other", "survivor"),
    outreach(SURVIVOR, "survivor"),
    outreach(OTHER, "survivor"),
    outreach("an anonymised one", None),
    person("imported", ROW, match_keys=["email:2"]),
)


@pytest.fixture
def unguarded(database: Database) -> Iterator[Database]:
    """A database without our indexes, in which everything is right."""
    found = database.client.get_database("leftovers")
    for collection, document in RIGHT:
        found[collection].insert_one(dict(document))
    yield found
    database.client.drop_database(found.name)


def test_nothing_is_found_if_everything_is_right(unguarded: Database) -> None:
    assert check_administration(unguarded, DONE) == Leftovers()
    assert check(unguarded, []).people_doubled == check(unguarded, []).people_alone == 0


@pytest.mark.parametrize(
    ("planted", "expected"),
    [
        pytest.param(outreach(ERASED, None), {"erased": 1}, id="the message of an erased person"),
        pytest.param(person("1", ERASED, given_name="Jane"), {"erased": 1}, id="the record of an erased person"),
        pytest.param(
            ("merged_people", {"_id": "1", "person": {"custom_fields": {ERASED.upper(): "yes"}}}),
            {"erased": 1},
            id="a field's name in capital letters",
        ),
        pytest.param(("new_collection", {"list": [{"of": [ERASED]}]}), {"erased": 1}, id="in another collection"),
        pytest.param(("statistics", {"source": f"a {ERASED} b"}), {"erased": 1}, id="inside a text"),
        pytest.param(person("1", ERASED_ROW), {"erased": 1}, id="a person whom an import has brought back"),
        pytest.param(person("deleted"), {"deleted": 1}, id="a deleted person"),
        pytest.param(("advocacy_campaigns", {"_id": "deleted campaign"}), {"deleted": 1}, id="a deleted campaign"),
        pytest.param(outreach("1", "deleted"), {"deleted": 1}, id="an outreach of a missing person"),
        pytest.param(outreach("1", None, "deleted campaign"), {"deleted": 1}, id="an outreach of a missing campaign"),
        pytest.param(person("other"), {"merged": 1}, id="a merged person who is still there"),
        pytest.param(copy("imported", "survivor"), {"merged": 1}, id="a person who is also a merged copy"),
        pytest.param(
            ("outreaches", {**outreach(OTHER, "survivor")[1], "_id": "second"}), {"merged": 1}, id="an outreach twice"
        ),
        pytest.param(person("1", ROW), {"imported": 1}, id="an imported person twice"),
    ],
)
def test_what_is_there_too_much_is_found(
    unguarded: Database, planted: tuple[str, dict[str, Any]], expected: dict[str, int]
) -> None:
    collection, document = planted
    unguarded[collection].insert_one(dict(document))

    assert found_in(unguarded) == expected


@pytest.mark.parametrize(
    ("collection", "query", "change", "expected"),
    [
        ("outreaches", {"_id": OTHER}, None, {"merged": 1}),
        ("outreaches", {"_id": SURVIVOR}, None, {"merged": 1}),
        ("outreaches", {"_id": OTHER}, {"$unset": {"person_id": ""}}, {"merged": 1}),
        ("outreaches", {"_id": OTHER}, {"$set": {"person_id": "other"}}, {"merged": 1, "deleted": 1}),
        ("people", {"_id": "survivor"}, {"$pop": {"email_addresses": 1}}, {"merged": 1}),
        ("people", {"_id": "survivor"}, None, {"merged": 1, "deleted": 2}),
        ("people", {"_id": "imported"}, None, {"imported": 1}),
        ("people", {"_id": "imported"}, {"$set": {"email_addresses": []}}, {"imported": 1}),
    ],
    ids=[
        "an outreach of the merged person",
        "an outreach of the survivor",
        "the link of an outreach",
        "the move of an outreach",
        "an address of the merged person",
        "the survivor",
        "an imported person",
        "the address of an imported person",
    ],
)
def test_what_is_missing_is_found(
    unguarded: Database, collection: str, query: dict[str, str], change: dict[str, Any] | None, expected: dict[str, int]
) -> None:
    if change is None:
        unguarded[collection].delete_one(query)
    else:
        unguarded[collection].update_one(query, change)

    assert found_in(unguarded) == expected


@pytest.mark.parametrize("planted", [{"match_keys": ["email:1"]}, {"email_addresses": [{"address": address(ROW)}]}])
def test_a_match_key_or_address_of_two_people_is_found(unguarded: Database, planted: dict[str, Any]) -> None:
    unguarded.people.insert_one({"_id": "second", **planted})

    assert check(unguarded, []).people_doubled == 1


def test_a_person_of_the_administration_may_have_no_outreach_but_others_may_not(unguarded: Database) -> None:
    unguarded.people.insert_one({"_id": "second", "email_addresses": [{"address": "jane@example.com"}]})

    assert check(unguarded, []).people_alone == 1


def test_marks_are_found_within_any_text_and_are_not_parts_of_each_other() -> None:
    one, ten = mark("row", 1, 1), mark("row", 1, 10)

    assert marks_in(f"{address(one)} {ten.upper()}".encode()) == {one, ten}
    assert marks_in(f"id:administration:{ten}".encode()) == {ten}
    assert marks_in(b"own-1@example.com m-row-m") == set()


def found_in(database: Database) -> dict[str, int]:
    """The numbers that the check returns, without zeros."""
    found = check_administration(database, DONE)
    counts = {name: value for name, value in vars(found).items() if value and name != "examples"}
    assert bool(found.examples) == bool(counts)
    assert found.total == sum(counts.values())
    return counts


def test_what_was_interrupted_is_completed_without_waiting(settings: Settings, database: Database) -> None:
    at = now()
    dates = {"created_date": at, "modified_date": at}
    for person_id, keys in (("survivor", ["id:crm:1"]), ("third", ["id:crm:3"])):
        database.people.insert_one({"_id": person_id, "version": 1, "match_keys": keys, **dates})
    merged = {"_id": "other", "version": 1, "match_keys": ["id:crm:2"], **dates}
    database.merged_people.insert_one(
        {"_id": "other", "survivor_id": "survivor", "person": merged, "pending": new_id(), "merged_date": at}
    )
    database.erasures.insert_one({"_id": "erased", "people": ["erased"], "outreaches": "delete", "erased_date": at})
    note = {"collection": "people", "merged_ids": [], "deleted_date": at, "not_before": at + SETTLED}
    database.deletions.insert_one({"_id": "deleted", **note})
    for person_id in ("other", "erased", "deleted", "third"):
        database.outreaches.insert_one(
            {"_id": f"of {person_id}", "version": 1, "person_id": person_id, "advocacy_campaign_id": CAMPAIGN_ID}
            | {"match_keys": [f"id:{person_id}"], **dates}
        )

    complete(settings.mongodb_uri)

    owners = {each["_id"]: each.get("person_id") for each in database.outreaches.find()}
    assert owners == {"of other": "survivor", "of deleted": None, "of third": "third"}
    assert database.erasures.count_documents({}) == database.deletions.count_documents({}) == 0
    assert database.merged_people.count_documents({"pending": {"$exists": True}}) == 0


@pytest.mark.parametrize(
    ("done", "leftovers", "problems"),
    [
        (DONE, Leftovers(), []),
        (DONE, Leftovers(erased=2, examples=["x"]), ["2 erased people are still in a collection", "x"]),
        (replace(DONE, imports=[]), Leftovers(), ["no import was acknowledged"]),
        (
            replace(DONE, merges=[], erased=[]),
            Leftovers(),
            ["no merge was acknowledged", "no erasure was acknowledged"],
        ),
        (replace(DONE, responses=Responses(["y"])), Leftovers(), ["y"]),
        (
            replace(DONE, responses=Responses(given_up=1)),
            Leftovers(),
            ["1 requests of the administration were given up"],
        ),
        (replace(DONE, responses=Responses(cut=1)), Leftovers(), []),
    ],
    ids=["nothing", "a leftover", "no import", "no merge and erasure", "an unexpected response", "given up", "cut"],
)
def test_each_problem_of_the_administration_is_reported(done: Done, leftovers: Leftovers, problems: list[str]) -> None:
    killed = next(fault for fault in FAULTS if fault.key == "mongod-killed")

    assert problems_of_administration(killed, done, leftovers) == problems


def test_a_cut_request_is_a_problem_where_a_fault_may_cut_none() -> None:
    terminated = next(fault for fault in FAULTS if fault.cuts_no_connection)
    done = replace(DONE, responses=Responses(cut=1))

    assert problems_of_administration(terminated, done, Leftovers()) == ["1 requests of the administration were cut"]
