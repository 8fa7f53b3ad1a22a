"""The conformance page says what is so: what dev/conformance.py makes of the standard, our schemas and our links."""

import json
from pathlib import Path
from typing import Any

import marshmallow as ma
import pytest

from dev import conformance
from osdi.resources import PERSON
from schemas.base.fields import Bool, Enum, Objects, Text
from schemas.tag import TagSchema

STANDARD = json.loads(conformance.STANDARD.read_text("utf-8"))
BESIDE_THE_CHECKOUT = Path(__file__).parents[2].parent / "shared" / "spec" / "fields.json"


def test_the_committed_page_is_the_one_that_is_made_now() -> None:
    committed = conformance.PAGE.read_text("utf-8")

    assert committed == conformance.page(), "run `python -m dev.conformance`"


@pytest.mark.skipif(not BESIDE_THE_CHECKOUT.exists(), reason="the shared folder is not beside this checkout")
def test_the_fields_are_those_of_the_standard() -> None:
    read_off = json.loads(BESIDE_THE_CHECKOUT.read_text("utf-8"))

    assert {name: STANDARD.get(name) for name in read_off} == read_off


def test_every_resource_is_judged() -> None:
    assert {*STANDARD} == {*conformance.SCHEMAS}
    assert {*conformance.ANSWERED} <= {*STANDARD}


def test_a_field_that_is_not_answered_is_a_no(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(conformance.ANSWERED, "person", PERSON.__class__("person", "people", (), ""))

    assert conformance.field_row("person", "gender", {"type": "enum"}, set()) == ("gender", "no", "")


def test_a_field_that_is_in_no_schema_is_a_no() -> None:
    assert conformance.field_row("tag", "name.first", {"type": "string"}, set()) == ("name.first", "no", "")


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
def test_what_deviates_needs_a_note(field: ma.fields.Field[Any], facts: dict[str, Any]) -> None:
    assert conformance.otherwise(field, facts)


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
def test_what_is_as_printed_needs_none(field: ma.fields.Field[Any], facts: dict[str, Any]) -> None:
    assert conformance.otherwise(field, facts) == ""


@pytest.mark.parametrize("name", ["FIELD_NOTES", "LINK_NOTES"])
def test_a_note_about_nothing_is_refused(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    notes = {**getattr(conformance, name), ("tag", "osdi:colour"): ("no", "There is none.")}
    monkeypatch.setattr(conformance, name, notes)

    with pytest.raises(ValueError, match="notes about nothing"):
        conformance.page()


def test_a_link_that_is_missing_without_a_note_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conformance, "LINK_NOTES", {})

    with pytest.raises(ValueError, match="osdi:petitions"):
        conformance.page()
