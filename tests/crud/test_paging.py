"""Following `next` through 5,000 documents while others insert and delete visits each remaining one exactly once."""

import datetime as dt
from collections import Counter
from typing import Any

import pytest
from pymongo.database import Database

from osdi.ids import new_id
from tests.support import factories
from tests.support.client import Client

SIZE = 5_000


def people(number: int) -> list[dict[str, Any]]:
    """Returns stored documents, for inserts without the API, which are faster."""
    timestamp = dt.datetime(2020, 1, 1)
    dates = {"created_date": timestamp, "modified_date": timestamp}
    return [
        {
            "_id": person_id,
            "version": 1,
            "match_keys": [f"id:osdi_outreach:{person_id}"],
            "given_name": "A",
            **dates,
            "name_words": ["a"],
        }
        for person_id in (new_id() for _ in range(number))
    ]


@pytest.mark.one_in(2)
@pytest.mark.parametrize("path", ["/people?per_page=100", "/people?per_page=100&filter=given_name eq 'A'"])
def test_each_remaining_document_is_visited_exactly_once(api: Client, database: Database, path: str) -> None:
    there = people(SIZE)
    database.people.insert_many(there)
    ids = [person["_id"] for person in there]
    gone: set[str] = set()
    visited: Counter[str] = Counter()

    page = api.get(path).json
    for turn in range(2 * SIZE // 100):
        visited.update(each["_links"]["self"]["href"].rsplit("/", 1)[1] for each in page["_embedded"]["osdi:people"])
        if "next" not in page["_links"]:
            break
        for victim in (ids[turn * 7], ids[-1 - turn]):
            gone.add(victim)
            database.people.delete_one({"_id": victim})
        api.recorded(factories.outreach(person=factories.person(given_name="A")))
        page = api.follow(page, "next")

    assert "next" not in page["_links"]
    assert max(visited.values()) == 1
    assert {person_id for person_id in ids if person_id not in gone} <= set(visited)
