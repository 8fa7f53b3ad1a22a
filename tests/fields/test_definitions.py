"""Every field of every resource is defined once: schema, filter, CSV columns and merge rule follow from its definition.

Each test is about one place that a field needs, and lists the fields that the place lacks. An exception is part of the
definition, so a field passes if it declares that it has no filter, no column, or that only the server sets it.
"""

import csv
import io
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import marshmallow as ma
import pytest

from dev import field_pages
from osdi.exporting.columns import OUTREACH_COLUMNS, PERSON_COLUMNS, TARGET_COLUMNS
from osdi.exporting.csv_cells import CsvLines
from osdi.exporting.rows import other_columns, outreach_columns, outreach_rows, person_columns, person_row
from osdi.fields import definition as table
from osdi.fields.webhook import EVENTS
from osdi.ids import now
from osdi.importing.csv_files.column_mapping import OUTREACHES, PEOPLE, guess_columns
from osdi.importing.csv_files.row_bodies import Reading, row_of
from osdi.match_keys import MatchKeyRules
from osdi.odata.osdi_fields import FILTER_FIELDS
from osdi.people.merge_rules import merge_posted_values
from osdi.people.survivorship import combine
from osdi.privacy.anonymisation import anonymised
from osdi.resources import CONTACTS, ENTRIES, OUTREACH, PERSON, RESOURCES, Resource
from schemas.advocacy_campaign import AdvocacyCampaignSchema
from schemas.base.fields import Objects
from schemas.list import ListSchema
from schemas.message import MessageSchema
from schemas.outreach import OutreachFieldsSchema, OutreachSchema
from schemas.person import InlinePersonSchema, PersonSchema
from schemas.question import QuestionSchema
from schemas.subresources import AnswerSchema, ItemSchema, TaggingSchema
from schemas.tag import TagSchema
from schemas.wrapper import WrapperSchema
from tests.support.samples import Samples, csv_part

ROOT = Path(__file__).parents[2]
RULES = MatchKeyRules("osdi_outreach", "")
SCHEMAS: Mapping[str, type[ma.Schema]] = {
    "person": PersonSchema,
    "outreach": OutreachSchema,
    "advocacy_campaign": AdvocacyCampaignSchema,
    "tag": TagSchema,
    "list": ListSchema,
    "question": QuestionSchema,
    "message": MessageSchema,
    "wrapper": WrapperSchema,
    "tagging": TaggingSchema,
    "item": ItemSchema,
    "answer": AnswerSchema,
}
COMMON = {"identifiers", "created_date", "modified_date", "osdi:control", "_links"}

each_resource = pytest.mark.parametrize("resource", RESOURCES, ids=[each.name for each in RESOURCES])


# Properties of a body that are read as others: a phone's status as do_not_call and sms_capable.
READ_AS_OTHERS = {(*path, "phone_numbers", "status") for path in ((), ("targets",), ("target_list",))}


def properties(schema: ma.Schema, *path: str) -> Iterator[tuple[str, ...]]:
    """Yields the paths of a schema's fields, and of those of the objects inside it."""
    for name, field in schema.fields.items():
        name = field.data_key or name
        if (path or name not in COMMON) and (*path, name) not in READ_AS_OTHERS:
            yield (*path, name)
            inner = field.inner if isinstance(field, Objects) else field
            if isinstance(inner, ma.fields.Nested):
                yield from properties(inner.schema, *path, name)


def documented(components: Mapping[str, Any], schema: Mapping[str, Any], *path: str) -> Iterator[tuple[str, ...]]:
    """Yields the paths of a schema's properties in the OpenAPI document."""
    while "$ref" in schema:
        schema = components[schema["$ref"].rpartition("/")[2]]
    schema = schema.get("items", schema)
    while "$ref" in schema:
        schema = components[schema["$ref"].rpartition("/")[2]]
    for name, each in schema.get("properties", {}).items():
        yield (*path, name)
        yield from documented(components, each, *path, name)


@each_resource
def test_the_schema_has_the_fields_of_the_table_and_no_others(resource: Resource) -> None:
    defined = {path for path, _ in table.walk(resource.table)}

    assert set(properties(SCHEMAS[resource.name]())) == defined


@each_resource
def test_the_openapi_document_has_every_field(resource: Resource) -> None:
    """`make docs` writes it."""
    components = json.loads((ROOT / "openapi.json").read_bytes())["components"]["schemas"]
    name = SCHEMAS[resource.name].__name__.removesuffix("Schema")
    there = set(documented(components, components[name]))

    assert [path for path, _ in table.walk(resource.table) if path not in there] == []


@pytest.mark.parametrize("resource", FILTER_FIELDS, ids=[each.name for each in FILTER_FIELDS])
def test_filters_support_a_field_or_have_a_reason(resource: Resource) -> None:
    known = FILTER_FIELDS[resource]

    def unknown(fields: table.Table, *path: str) -> Iterator[str]:
        for each in fields:
            name = "/".join((*path, each.name))
            if table.properties(each) and not each.not_filtered:
                yield from unknown(table.properties(each), *path, each.name)
            elif not (name in known.fields or name in known.open_objects or known.not_filtered.get(name)):
                yield name

    assert list(unknown(resource.table)) == []


@pytest.mark.parametrize("path", field_pages.PAGES, ids=lambda path: path.stem)
def test_the_pages_list_every_filter_and_column(path: Path) -> None:
    """`make docs` writes them."""
    text = path.read_text(encoding="utf-8")

    assert field_pages.PAGES[path](text) == text


def stored(resource: Resource, body: Mapping[str, Any]) -> dict[str, Any]:
    """Returns the document that a body becomes."""
    schema = InlinePersonSchema() if resource is PERSON else OutreachFieldsSchema()
    dates = {"created_date": now(), "modified_date": now()}
    campaign = {"advocacy_campaign_id": "1"} if resource is OUTREACH else {}
    return {"_id": "1", "match_keys": ["id:osdi_outreach:1"], **dates, **campaign, **schema.load(dict(body))}


def exported(resource: Resource, document: Mapping[str, Any]) -> list[dict[str, str]]:
    """Returns the rows of a CSV file as another program reads them."""
    if resource is PERSON:
        custom = list(document.get("custom_fields", {}))
        names, rows = person_columns(custom), [person_row(document, dict.fromkeys(custom), tags=[], lists=[])]
    else:
        names, rows = outreach_columns(with_tags=True), list(outreach_rows(document, None, str, tags=[]))
    lines = CsvLines()
    text = lines.line(names) + "".join(lines.line(row) for row in rows)
    return list(csv.DictReader(io.StringIO(text, newline="")))


def imported(resource: Resource, rows: list[dict[str, str]]) -> dict[str, Any]:
    """Returns the document from rows of our own export; each row of an outreach has one target."""
    kind = PEOPLE if resource is PERSON else OUTREACHES
    reading = Reading(kind, guess_columns(list(rows[0]), kind, system=RULES.namespace, exact=True), exact=True)
    bodies = [row_of(list(row.values()), reading).body for row in rows]
    body = bodies[0]["person"] if resource is PERSON else {**bodies[0]}
    if resource is OUTREACH:
        body["targets"] = [target for each in bodies for target in each.get("targets", ())]
    return stored(resource, {name: value for name, value in body.items() if name in resource.fields})


IMPORTED = [(resource, field) for resource in (PERSON, OUTREACH) for field in resource.table]


@pytest.mark.parametrize(("resource", "field"), IMPORTED, ids=[f"{each.name}-{field.name}" for each, field in IMPORTED])
def test_a_field_is_unchanged_after_export_and_import(resource: Resource, field: table.Field) -> None:
    document = stored(resource, {field.name: Samples().value(field)})
    again = imported(resource, exported(resource, document))

    expected = csv_part((field,), document)
    assert field.column is None or expected
    assert {field.name: again.get(field.name)} == expected


def test_a_field_of_the_person_is_unchanged_after_export_and_import_of_outreaches() -> None:
    person = {"given_name": "=a; b", "email_addresses": [{"address": "jane@example.org", "status": "unsubscribed"}]}
    names, (row,) = outreach_columns(with_tags=True), outreach_rows(stored(OUTREACH, {}), person, str, tags=[])
    lines = CsvLines()
    text = lines.line(names) + lines.line(row)
    (cells,) = csv.DictReader(io.StringIO(text, newline=""))

    columns = guess_columns(list(cells), OUTREACHES, exact=True)
    body = row_of(list(cells.values()), Reading(OUTREACHES, columns, exact=True)).body

    assert {name: body["person"].get(name) for name in person} == person


def test_every_field_of_a_person_has_a_csv_column() -> None:
    paths = {each.path for each in PERSON_COLUMNS}

    for field in PERSON.table:
        if field.name in CONTACTS:
            without = [each for each in table.properties(field) if f"{field.name}[0].{each.name}" not in paths]
            assert [each.name for each in without] == ["primary"], "The main entry has columns of its own."
            others = {each.others_column for each in table.properties(field) if each.others_column}
            assert others <= paths or field.others_column in paths
        elif not isinstance(field, table.CustomFields):
            assert {field.name, *(f"{field.name}.{each.name}" for each in table.properties(field))} & paths, field.name


def test_every_field_of_an_outreach_has_a_csv_column() -> None:
    paths = {each.path for each in (*OUTREACH_COLUMNS, *TARGET_COLUMNS)}

    for field in OUTREACH.table:
        inner = {f"{field.name}.{each.name}" for each in table.properties(field)}
        assert field.name in paths or inner <= paths or f"{field.name}[0].given_name" in paths, field.name


def test_columns_of_people_keep_their_places() -> None:
    """A spreadsheet made for an older file fits a newer one, so a new column follows these."""
    names = [each.name for each in PERSON_COLUMNS]

    assert names[: len(COLUMNS)] == COLUMNS


COLUMNS = [
    *("id", "identifiers", "created_date", "modified_date", "origin_system"),
    *("given_name", "family_name", "additional_name", "honorific_prefix", "honorific_suffix"),
    *("email_address", "email_status", "phone_number"),
    *("address_lines", "locality", "region", "postal_code", "country"),
    *("other_email_addresses", "other_email_statuses", "phone_number_type", "sms_capable", "do_not_call"),
    *("other_phone_numbers", "other_phone_number_types", "other_sms_capable", "other_do_not_call"),
    *("other_postal_addresses", "gender", "gender_identity", "additional_gender_identities", "gender_pronouns"),
    *("party_identification", "parties", "source", "ethnicities", "languages_spoken", "preferred_language"),
    *("browser_url", "administrative_url", "birthdate_year", "birthdate_month", "birthdate_day"),
    *("employer", "work_title", "work_department", "employer_address", "occupation", "profiles", "division_info"),
    *("venue", "address_language", "location", "postal_address_type", "postal_address_status"),
    *("postal_address_verified_date", "postal_address_occupation", "email_address_type", "other_email_address_types"),
    *("phone_extension", "other_phone_extensions", "phone_description", "other_phone_descriptions"),
    *("phone_operator", "other_phone_operators", "phone_country", "other_phone_countries"),
]


@pytest.mark.parametrize(
    "resource", [each for each in RESOURCES if each not in (PERSON, OUTREACH)], ids=lambda each: str(each.name)
)
def test_other_resources_have_a_column_for_every_field(resource: Resource) -> None:
    assert [name for name in resource.fields if name not in other_columns(resource)] == []


@pytest.mark.parametrize("field", PERSON.table, ids=[each.name for each in PERSON.table])
class TestMerging:
    """The effect of a post, and of a merge of two people, on a field of a person."""

    def test_a_post_with_a_token_stores_every_posted_value(self, field: table.Field) -> None:
        samples = Samples()
        before, posted = (stored(PERSON, {field.name: samples.value(field)})[field.name] for _ in range(2))

        merged = merge_posted_values({field.name: before}, {field.name: posted}, overwrite=True, rules=RULES)[
            field.name
        ]

        assert merged == _merged(field, before, posted)

    def test_a_post_without_a_token_changes_no_stored_value(self, field: table.Field) -> None:
        samples = Samples()
        before, posted = (stored(PERSON, {field.name: samples.value(field)})[field.name] for _ in range(2))

        merged = merge_posted_values({field.name: before}, {field.name: posted}, overwrite=False, rules=RULES)[
            field.name
        ]

        kept = merged[: len(before)] if isinstance(before, list) else merged
        assert kept == before if not isinstance(before, dict) else kept.items() >= before.items()

    def test_a_repeated_post_changes_nothing(self, field: table.Field) -> None:
        value = stored(PERSON, {field.name: Samples().value(field)})[field.name]

        assert merge_posted_values({field.name: value}, {field.name: value}, overwrite=True, rules=RULES) == {
            field.name: value
        }

    def test_the_survivor_of_a_merge_gets_missing_values(self, field: table.Field) -> None:
        survivor = stored(PERSON, {})
        other = {**stored(PERSON, {field.name: Samples().value(field)}), "_id": "2"}

        assert combine(survivor, other, RULES)[field.name] == other[field.name]

    def test_the_survivor_of_a_merge_keeps_its_value(self, field: table.Field) -> None:
        samples = Samples()
        survivor, other = (stored(PERSON, {field.name: samples.value(field)}) for _ in range(2))

        combined = combine(survivor, {**other, "_id": "2"}, RULES)[field.name]

        value = survivor[field.name]
        kept = combined[: len(value)] if isinstance(value, list) else combined
        assert kept == value if not isinstance(value, dict) else kept.items() >= value.items()


def _merged(field: table.Field, before: Any, posted: Any) -> Any:
    """Returns the value after a merge of two different values, as docs/matching.md describes."""
    match field:
        case table.Strings():
            return [*before, *posted]
        case table.Object() | table.CustomFields():
            return {**before, **posted}
        case table.Objects():  # the latest primary entry is the only one
            is_contact = "primary" in posted[0]
            return [*({**entry, "primary": False} if is_contact else entry for entry in before), *posted]
    return posted


def test_every_array_of_objects_of_a_person_defines_equal_entries() -> None:
    arrays = [each for each in PERSON.table if isinstance(each, table.Objects)]
    page = (ROOT / "docs" / "matching.md").read_text(encoding="utf-8")

    assert [each.name for each in arrays if not each.same_by] == []
    assert [each.name for each in arrays if f"`{each.name}`" not in page] == []


def test_an_erasure_keeps_only_the_defined_fields() -> None:
    outreach = stored(OUTREACH, Samples().body(OUTREACH.table))
    common = {(name, value) for name, value in outreach["referrer_data"].items()}
    common |= {(name, value) for name, value in outreach.items() if isinstance(value, str)}

    left = anonymised(outreach, common)

    def kept(fields: table.Table) -> set[str]:
        return {each.name for each in fields if each.after_erasure != "removed"}

    assert left.keys() & set(OUTREACH.fields) == kept(OUTREACH.table) | {"referrer_data", "targets"}
    for name, inner in (("referrer_data", [left["referrer_data"]]), ("targets", left["targets"])):
        of = table.find(OUTREACH.table, name)
        assert of is not None
        assert {key for each in inner for key in each} == kept(table.properties(of))


def test_an_entry_inside_a_person_has_a_table_too() -> None:
    assert all(resource.table for resource in ENTRIES)


def test_the_page_on_webhooks_lists_every_event() -> None:
    page = (ROOT / "docs" / "webhooks.md").read_text(encoding="utf-8")

    assert [event for event in EVENTS if f"| `{event}` |" not in page] == []
