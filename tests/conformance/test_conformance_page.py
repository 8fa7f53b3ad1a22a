"""The conformance page agrees with the standard, our schemas and our links."""

import json
from pathlib import Path
from typing import Any

import marshmallow as ma
import pytest

from dev.conformance import judgements, page, rows
from osdi.resources import PERSON
from schemas.base.fields import Bool, Enum, Objects, Text
from schemas.tag import TagSchema

STANDARD = json.loads(page.STANDARD.read_text("utf-8"))
BESIDE_THE_CHECKOUT = Path(__file__).parents[2].parent / "shared" / "spec" / "fields.json"


def test_committed_page_is_up_to_date() -> None:
    committed = page.PAGE.read_text("utf-8")

    assert committed == page.page(), "run `python -m dev.conformance`"


@pytest.mark.skipif(not BESIDE_THE_CHECKOUT.exists(), reason="the shared folder is not beside this checkout")
def test_fields_are_those_of_the_standard() -> None:
    read_off = json.loads(BESIDE_THE_CHECKOUT.read_text("utf-8"))

    assert {name: STANDARD.get(name) for name in read_off} == read_off


def test_every_resource_has_a_table() -> None:
    assert {*STANDARD} == {*rows.SCHEMAS}
    assert {*rows.RESOURCES} <= {*STANDARD}


def test_field_missing_from_responses_is_no(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(rows.RESOURCES, "person", PERSON.__class__("person", "people", (), ""))

    assert rows.field_row("person", "gender", {"type": "enum"}, set()) == ("gender", "no", "")


def test_field_missing_from_the_schema_is_no() -> None:
    assert rows.field_row("tag", "name.first", {"type": "string"}, set()) == ("name.first", "no", "")


@pytest.mark.parametrize(
    ("field", "facts"),
    [
        (Bool(), {"type": "string"}),
        (Text(), {"type": "boolean"}),
        (Text(), {"type": "Targets[]"}),
        (Enum("a", "b"), {"type": "enum", "values": ["a"]}),
        (Text(dump_only=True), {"type": "string"}),
        (Text(), {"type": "string", "read_only": True}),
    ],
    ids=["type", "another type", "no array", "values", "read-only", "not read-only"],
)
def test_deviation_is_described(field: ma.fields.Field[Any], facts: dict[str, Any]) -> None:
    assert rows.deviation(field, facts)


@pytest.mark.parametrize(
    ("field", "facts"),
    [
        (Text(), {"type": "string"}),
        (Enum("a", "b"), {"type": "enum", "values": ["b", "a"]}),
        (Objects(TagSchema, limit=1), {"type": "Targets[]"}),
        (Text(dump_only=True), {"type": "string", "read_only": True}),
    ],
    ids=["type", "values", "array", "read-only"],
)
def test_field_as_in_the_standard_has_no_deviation(field: ma.fields.Field[Any], facts: dict[str, Any]) -> None:
    assert rows.deviation(field, facts) == ""


@pytest.mark.parametrize("name", ["FIELD_NOTES", "LINK_NOTES"])
def test_note_that_applies_to_nothing_is_an_error(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    notes = {**getattr(judgements, name), ("tag", "osdi:colour"): ("no", "There is none.")}
    monkeypatch.setattr(judgements, name, notes)

    with pytest.raises(ValueError, match="notes that apply to nothing"):
        page.page()


def test_missing_link_without_a_note_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(judgements, "LINK_NOTES", {})

    with pytest.raises(ValueError, match="osdi:petitions"):
        page.page()
