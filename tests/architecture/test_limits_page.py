"""docs/limits.md has the limits of the code: each row names its constant, and each constant has a row."""

import importlib
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from osdi.fields import limits
from osdi.fields.limits import deeper_than

ROOT = Path(__file__).parents[2]
ROW = re.compile(r"^\| (.+?) \| ([\d,]+)(?: \w+)? \| .+ \| `([\w.]+)` \|$", flags=re.MULTILINE)
ROWS = [
    (what, int(limit.replace(",", "")), where)
    for what, limit, where in ROW.findall((ROOT / "docs/limits.md").read_text())
]


def constant(where: str) -> Any:
    """Returns the value of a dotted name such as `osdi.settings.Settings.per_page`."""
    parts = where.split(".")
    depth = next(number for number, part in enumerate(parts) if not part.islower())
    found: Any = importlib.import_module(".".join(parts[:depth]))
    for name in parts[depth:]:
        found = getattr(found, name)
    return found


@pytest.mark.parametrize(("what", "limit", "where"), ROWS, ids=[where.rsplit(".", 1)[1] for _, _, where in ROWS])
def test_each_row_has_the_value_of_its_constant(what: str, limit: int, where: str) -> None:
    assert constant(where) == limit, what


def test_every_table_row_was_read() -> None:
    lines = re.findall(r"^\| .+ \|$", (ROOT / "docs/limits.md").read_text(), flags=re.MULTILINE)

    assert len(ROWS) == len(
        [line for line in lines if "`schemas." in line or "`osdi." in line or "`blueprints." in line]
    )


def test_every_limit_of_the_schemas_has_a_row() -> None:
    listed = {where.rsplit(".", 1)[1] for _, _, where in ROWS}
    # A filter's length is osdi.odata.query's; the schema repeats it for the document.
    ours = {name for name in vars(limits) if name.isupper()} - {"MAX_FILTER_LENGTH"}

    assert ours - listed == set()


def test_the_openapi_document_has_the_length_of_a_filter() -> None:
    assert constant("osdi.odata.parser.MAX_FILTER_LENGTH") == limits.MAX_FILTER_LENGTH


@pytest.mark.parametrize("path", sorted((ROOT / "schemas").rglob("*.py")), ids=lambda path: path.stem)
def test_no_schema_has_a_limit_of_its_own(path: Path) -> None:
    assert re.findall(r"\b(?:max_length|limit|max|maximum)=\d{2,}", path.read_text()) == []


@pytest.mark.parametrize("path", sorted((ROOT / "osdi/fields").glob("*.py")), ids=lambda path: path.stem)
def test_no_definition_of_a_field_has_a_limit_of_its_own(path: Path) -> None:
    if path.stem != "limits":
        numbers = re.findall(r"(?<=, )-?\d+(?=[,)])", path.read_text())
        assert [number for number in numbers if number not in KNOWN.get(path.stem, ())] == []


# Months, days, hours and degrees are bounded by the calendar and the globe, not by us.
KNOWN: Mapping[str, tuple[str, ...]] = {
    "person": ("1", "12", "31", "9999"),
    "message": ("0", "23"),
    "contacts": ("-90", "90", "-180", "180"),
}


def properties(node: Any) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Every named property in a part of the OpenAPI document."""
    if isinstance(node, dict):
        for name, each in node.get("properties", {}).items():
            if isinstance(each, dict):
                yield name, each
        for each in node.values():
            yield from properties(each)
    elif isinstance(node, list):
        for each in node:
            yield from properties(each)


def test_every_limit_in_the_document_is_listed(app: Flask) -> None:
    document = app.test_client().get("/openapi.json").json
    documented = {limit for _, limit, _ in ROWS} | {limit * limits.PUT_TIMES for _, limit, _ in ROWS}
    found = {
        (name, key, each[key])
        for name, each in properties(document["components"]["schemas"])
        for key in ("maxLength", "maxItems")
        if key in each and not {"enum"} & {*each, *each.get("items", ())}
    }

    assert len(found) > 50
    assert {each for each in found if each[2] not in documented} == set()


@pytest.mark.parametrize(
    ("value", "deeper"),
    [
        (7, False),
        ({}, False),
        ([[]], False),
        ([{"a": [1]}], True),
        ([1, [2, []]], True),
        ({"a": {"b": {}}, "c": 1}, True),
    ],
)
def test_depth_counts_arrays_and_objects_in_one_another(value: Any, deeper: bool) -> None:
    assert deeper_than(2, value) is deeper
