"""The name of a target in filters: the same name that the statistics count by."""

import itertools
from typing import Any

import pytest
from pymongo.database import Database

from osdi.errors import OsdiError
from osdi.odata.osdi_fields import FILTER_FIELDS
from osdi.odata.query import to_query
from osdi.resources import OUTREACH
from osdi.statistics.tally import target_name
from tests.support.factories import RULES

# Values of title, names, organization and division, out of few words, so that different targets have one name.
TEXTS = (None, "", "Ann", "Ann Lee", "Senator")
OTHERWISE = (None, "", "Ann Lee", "Senator Ann")


def targets() -> list[dict[str, str]]:
    names = ("title", "given_name", "family_name", "organization", "ocdid")
    every = itertools.product(TEXTS, TEXTS, TEXTS, OTHERWISE, OTHERWISE)
    return [{name: text for name, text in zip(names, each, strict=True) if text is not None} for each in every]


def found(database: Database, text: str) -> set[str]:
    query = to_query(text, FILTER_FIELDS[OUTREACH], RULES)
    return {each["_id"] for each in database.targets.find(query, {"_id": 1})}


def stored(database: Database) -> list[dict[str, Any]]:
    """An outreach for each target, for pairs of them, and one without."""
    every = targets()
    arrays = [[each] for each in every] + [list(each) for each in zip(every, reversed(every), strict=True)]
    documents = [{"_id": str(number), "targets": array} for number, array in enumerate(arrays)]
    documents += [{"_id": "empty", "targets": []}, {"_id": "none"}]
    database.targets.insert_many(documents)
    return documents


def test_a_filter_finds_the_outreaches_that_the_statistics_count_for_a_name(database: Database) -> None:
    documents = stored(database)
    names = {
        each["_id"]: {target_name(target) for target in each.get("targets", ())} - {None, ""} for each in documents
    }
    counted = set().union(*names.values())
    assert len(counted) > 30

    for name in sorted(counted):
        expected = {key for key, own in names.items() if name in own}
        assert found(database, f"target_name eq '{name}'") == expected, name
        assert found(database, f"target_name ne '{name}'") == names.keys() - expected, name


def test_null_stands_for_no_name(database: Database) -> None:
    documents = stored(database)
    without = {each["_id"] for each in documents if not any(map(target_name, each.get("targets", ())))}

    assert found(database, "target_name eq null") == without
    assert found(database, "target_name ne null") == {each["_id"] for each in documents} - without


@pytest.mark.parametrize("name", ["", "Ann  Lee", "nobody", "ann"])
def test_another_text_is_no_name(database: Database, name: str) -> None:
    stored(database)

    assert found(database, f"target_name eq '{name}'") == set()


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("target_name gt 'a'", "eq and ne only"),
        ("target_name like 'a'", "eq and ne only"),
        ("tolower(target_name) eq 'a'", "eq and ne only"),
        ("startswith(target_name,'a')", "eq and ne only"),
        ("contains(target_name,'a')", "eq and ne only"),
        ("target_name gt null", "eq and ne only"),
        ("target_name eq 5", "target_name needs text in single quotes"),
        (f"target_name eq '{'a ' * 12}b'", "at most 12 words"),
    ],
)
def test_a_name_is_compared_as_a_whole(text: str, reason: str) -> None:
    with pytest.raises(OsdiError, match=reason):
        to_query(text, FILTER_FIELDS[OUTREACH], RULES)
