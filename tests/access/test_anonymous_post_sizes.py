"""Sizes of posts without a token: smaller limits, and what one address can cause in an hour with the default settings.

docs/security.md states these figures; the tests compute them from the settings and measure what a post stores.
"""

import json
import re
from typing import Any

import bson
import pytest
from limits import parse_many
from pymongo.database import Database

from blueprints.http.rate_limits import ALONE_PART
from osdi.fields.limits import (
    MAX_ANONYMOUS_CUSTOM_FIELDS,
    MAX_ANONYMOUS_TARGETS,
    MAX_ANONYMOUS_TEXT_LENGTH,
    MAX_ANONYMOUS_VALUE_LENGTH,
    MAX_CONTACTS,
    MAX_PERSON_ENTRIES,
    MAX_REFERENCES,
)
from osdi.ids import now
from osdi.settings import Settings
from osdi.settings.table import ServerSettings
from tests.support.client import Client
from tests.support.live import ROOT

PAGE = ROOT / "docs" / "security.md"
HOUR = 3_600
# The documents of a post have at most this number of bytes, and this number more for each byte of its body. A tag or
# list that a few characters name is an entry of 160 bytes in the person; a URI is longer than a quarter of that.
BYTES_OF_A_POST = 3_000 + 2 * MAX_REFERENCES * 160
BYTES_PER_BYTE = 4
# Before these limits: the longest body of any post, counted in the memory of each of two processes.
BEFORE = {"body": 262_144, "posts": 4_000}


def hourly(limit: str) -> int:
    """Returns what a limit allows within an hour."""
    return min(item.amount * max(1, HOUR // item.get_expiry()) for item in parse_many(limit))


def shared(amount: int) -> int:
    """Returns what several processes allow together: each counts a part alone, of which one is in the shared count."""
    return amount + (ServerSettings().web_concurrency - 1) * (amount // ALONE_PART)


def figures() -> dict[str, int]:
    """Returns what one address can cause in an hour with the default settings, as docs/security.md states it."""
    settings = Settings()
    posts = shared(hourly(settings.rate_limit_anonymous))
    bodies = shared(hourly(settings.rate_limit_anonymous_bytes))
    return {
        "posts": posts,
        "bytes of bodies": bodies,
        "bytes of documents": posts * BYTES_OF_A_POST + bodies * BYTES_PER_BYTE,
        "mails": hourly(settings.rate_limit_mail),
        "mails to one mailbox in a day": parse_many(settings.rate_limit_mail_address)[0].amount,
    }


def test_the_page_states_what_one_address_can_cause_in_an_hour() -> None:
    rows = re.findall(r"^\| (.+?) \| ([\d,]+) \| ([\d,]+) \|$", PAGE.read_text(), re.MULTILINE)

    stated = {name: int(after.replace(",", "")) for name, _, after in rows}
    before = {name: int(number.replace(",", "")) for name, number, _ in rows}

    assert stated == figures()
    assert before["posts"] == BEFORE["posts"]
    assert before["bytes of bodies"] == BEFORE["posts"] * BEFORE["body"]


def post(**fields: Any) -> dict[str, Any]:
    return {"person": {"email_addresses": [{"address": "jane@example.com"}]}, **fields}


def person(**fields: Any) -> dict[str, Any]:
    return {"person": {"email_addresses": [{"address": "jane@example.com"}], **fields}}


@pytest.mark.one_in(5)
@pytest.mark.parametrize(
    "body",
    [
        pytest.param(post(), id="the shortest"),
        pytest.param(
            post(message="x" * MAX_ANONYMOUS_TEXT_LENGTH, notes="y" * MAX_ANONYMOUS_TEXT_LENGTH), id="long texts"
        ),
        pytest.param(post(message="\U0001f30a" * 5_000), id="characters of four bytes"),
        pytest.param(post(targets=[{}] * MAX_ANONYMOUS_TARGETS), id="empty targets"),
        pytest.param(post(targets=[{"title": "x"}] * MAX_ANONYMOUS_TARGETS), id="short targets"),
        pytest.param(person(custom_fields={str(number): 1 for number in range(50)}), id="short custom fields"),
        pytest.param(person(custom_fields={str(number): "x" * 600 for number in range(50)}), id="long custom fields"),
        pytest.param(
            person(email_addresses=[{"address": f"a{number}@b.cd"} for number in range(MAX_CONTACTS)]), id="addresses"
        ),
        pytest.param(person(phone_numbers=[{"number": f"1202555{number:04}"} for number in range(10)]), id="numbers"),
        pytest.param(
            person(postal_addresses=[{"postal_code": str(n)} for n in range(MAX_CONTACTS)]), id="postal codes"
        ),
        pytest.param(person(parties=[{}] * MAX_PERSON_ENTRIES), id="parties"),
        pytest.param(person(identifiers=[f"a:{number}" for number in range(20)]), id="identifiers"),
        pytest.param(post(identifiers=[f"a:{number}" for number in range(20)]), id="identifiers of the outreach"),
        pytest.param(
            post(
                add_tags=[f"tag{number}" for number in range(MAX_REFERENCES)],
                add_lists=[f"list{number}" for number in range(MAX_REFERENCES)],
            ),
            id="tags and lists by name",
        ),
        pytest.param(
            post(
                add_tags_uri=[f"/tags/{number:036}" for number in range(MAX_REFERENCES)],
                add_lists_uri=[f"/lists/{number:036}" for number in range(MAX_REFERENCES)],
                add_questions_responses_uri=[
                    {"question": f"/questions/{number:036}", "value": "x"} for number in range(MAX_REFERENCES)
                ],
            ),
            id="tags, lists and answers by URI",
        ),
        pytest.param(post(triggers={"autoresponse": {"enabled": True}}), id="a follow-up"),
    ],
)
def test_a_post_stores_at_most_the_documented_number_of_bytes(
    api: Client, database: Database, body: dict[str, Any]
) -> None:
    for number in range(MAX_REFERENCES if "add_" in str(body) else 0):
        named = {"created_date": now(), "modified_date": now(), "version": 1, "identifiers": []}
        for collection, text in (("tags", "tag"), ("lists", "list"), ("questions", "question")):
            keys = [f"name:{text}{number}", f"id:{number}"]
            document = {"_id": f"{number:036}", "name": f"{text}{number}", "title": "x", "match_keys": keys}
            database[collection].insert_one(document | named | {"question_type": "Paragraph"})
    before = stored_bytes(database)
    sent = json.dumps(body, ensure_ascii=False, separators=(",", ":"))

    response = api.record(sent.encode(), token=False)

    assert response.status_code == 200, response.json["error"]
    assert all(len(database.people.find_one()[array]) == MAX_REFERENCES for array in named_arrays(body))
    assert len(sent.encode()) <= Settings().max_anonymous_body_bytes
    assert stored_bytes(database) - before <= BYTES_OF_A_POST + BYTES_PER_BYTE * len(sent.encode())


def named_arrays(body: dict[str, Any]) -> list[str]:
    """Returns the arrays of the person that the body adds entries to."""
    arrays = {"add_tags": "taggings", "add_lists": "items", "add_questions_responses": "answers"}
    return [array for name, array in arrays.items() if any(each.startswith(name) for each in body)]


def stored_bytes(database: Database) -> int:
    """Returns the bytes of all documents."""
    return sum(len(bson.encode(each)) for name in database.list_collection_names() for each in database[name].find())


@pytest.mark.parametrize("path", ["record_outreach_helper", "outreaches", "person_signup_helper"])
def test_a_longer_body_needs_a_token(api: Client, database: Database, path: str) -> None:
    limit = Settings().max_anonymous_body_bytes
    address = "/people/person_signup_helper" if "signup" in path else f"/advocacy_campaigns/{api.campaign_id}/{path}"
    longest = json.dumps(person(given_name="Jane")).ljust(limit)
    longer = longest + " "

    rejected = api.post(address, longer, token=False)

    assert rejected.status_code == 413
    assert str(limit) in rejected.json["error"]
    assert database.people.count_documents({}) == 0
    assert api.post(address, longest, token=False).status_code == 200
    assert api.post(address, longer).status_code == 200


@pytest.mark.parametrize(
    ("allowed", "too_long", "name"),
    [
        (
            post(message="x" * MAX_ANONYMOUS_TEXT_LENGTH),
            post(message="x" * (MAX_ANONYMOUS_TEXT_LENGTH + 1)),
            "message",
        ),
        (post(notes="x" * MAX_ANONYMOUS_TEXT_LENGTH), post(notes="x" * (MAX_ANONYMOUS_TEXT_LENGTH + 1)), "notes"),
        (
            post(targets=[{"title": "x"}] * MAX_ANONYMOUS_TARGETS),
            post(targets=[{"title": "x"}] * (MAX_ANONYMOUS_TARGETS + 1)),
            "targets",
        ),
        (
            person(custom_fields={str(number): "x" for number in range(MAX_ANONYMOUS_CUSTOM_FIELDS)}),
            person(custom_fields={str(number): "x" for number in range(MAX_ANONYMOUS_CUSTOM_FIELDS + 1)}),
            "person.custom_fields",
        ),
        (
            person(custom_fields={"a": "x" * MAX_ANONYMOUS_VALUE_LENGTH}),
            person(custom_fields={"a": "x" * (MAX_ANONYMOUS_VALUE_LENGTH + 1)}),
            "person.custom_fields",
        ),
    ],
)
def test_longer_values_need_a_token(
    api: Client, database: Database, allowed: dict[str, Any], too_long: dict[str, Any], name: str
) -> None:
    assert api.record(too_long, token=False).json == {}

    outreach, stored = database.outreaches.find_one(), database.people.find_one()
    (warning,) = outreach["warnings"]
    assert (warning["property"], "Without a token" in warning["reason"]) == (name, True)
    assert name not in outreach
    assert "custom_fields" not in stored
    rejected = api.record(too_long, token=False, headers={"Prefer": "handling=strict"})
    assert (rejected.status_code, name in rejected.json["error"]) == (400, True)
    assert api.record(allowed, token=False).status_code == 200
    assert "osdi_outreach:warnings" not in api.recorded(too_long)
