"""Rows of the conformance page, computed from our schemas, real answers and scenarios."""

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import marshmallow as ma

from blueprints.browser.documentation import RELATIONS
from dev.conformance import judgements
from dev.conformance.judgements import Row
from osdi import resources
from osdi.hal import MADE_BY, Hal
from osdi.ids import now
from osdi.odata.osdi_fields import FILTER_FIELDS
from schemas.advocacy_campaign import AdvocacyCampaignSchema
from schemas.base.error import ErrorSchema
from schemas.base.fields import Bool, CustomFields, DateTime, Enum, FlexEnum, Objects, Strings
from schemas.entry_point import EntryPointSchema
from schemas.list import ListSchema
from schemas.message import MessageSchema
from schemas.outreach import OutreachSchema, PersonSignupHelperSchema, RecordOutreachHelperSchema
from schemas.person import PersonSchema
from schemas.question import QuestionSchema
from schemas.subresources import AnswerSchema, ItemSchema, TaggingSchema
from schemas.tag import TagSchema
from schemas.wrapper import WrapperSchema

ROOT = Path(__file__).parents[2]
SCENARIOS = ROOT / "tests" / "conformance" / "scenarios"

SCHEMAS: Mapping[str, type[ma.Schema]] = {
    "aep": EntryPointSchema,
    "person": PersonSchema,
    "person_signup_helper": PersonSignupHelperSchema,
    "advocacy_campaign": AdvocacyCampaignSchema,
    "outreach": OutreachSchema,
    "record_outreach_helper": RecordOutreachHelperSchema,
    "tag": TagSchema,
    "tagging": TaggingSchema,
    "list": ListSchema,
    "item": ItemSchema,
    "question": QuestionSchema,
    "answer": AnswerSchema,
    "message": MessageSchema,
    "wrapper": WrapperSchema,
}
RESOURCES = {resource.name: resource for resource in resources.RESOURCES}

# By table of related objects: its place in our schemas, and the prefix of its field names that our schemas lack.
TARGETS = {"advocacy_campaign": "target_list"}
TABLES = {
    "Control Headers": ("osdi:control", ""),
    "Target": ("targets", "target"),
    "Gender Pronouns Object Fields": ("gender_pronouns", ""),
    "Division Info": ("division_info", ""),
    "Division": ("division_info.divisions", ""),
    "Share Options": ("share_options", ""),
    "Facebook Share": ("share_options", ""),
    "Twitter Share": ("share_options", ""),
    "Email Share": ("share_options", ""),
    "Triggers": ("triggers", ""),
    "Question Response Object Fields": ("add_questions_responses_uri", ""),
    "Question Responses": ("responses", "response"),
}
CONTACTS = ("Postal Addresses", "Email Addresses", "Phone Numbers")
WITH_TARGETS = ("advocacy_campaign", "outreach")

TYPES: Mapping[str, type[ma.fields.Field[Any]]] = {
    "string": ma.fields.String,
    "integer": ma.fields.Integer,
    "float": ma.fields.Float,
    "boolean": Bool,
    "datetime": DateTime,
    "enum": Enum,
    "flexenum": FlexEnum,
    "flexunum": FlexEnum,
    "strings[]": Strings,
    "string[]": Strings,
}

ERROR_FIELDS = (
    *("request_type", "response_code", "resource_status", "resource_status.resource"),
    *("resource_status.response_code", "resource_status.error_descriptions"),
    *(
        f"resource_status.error_descriptions.{name}"
        for name in ("error_code", "description", "properties", "hint", "reference_code")
    ),
)
VIRTUAL_FIELDS = {
    resources.MESSAGE: ("target_href",),
    resources.OUTREACH: ("target_given_name", "target_family_name", "target_ocdid"),
    resources.PERSON: ("email_address", "phone_number", "postal_code", "region"),
}

COMMON = ("identifiers", "created_date", "modified_date", "osdi:control")


def field_path(name: str, table: str, field: str) -> str:
    """Returns the path in our schemas of a field that the standard's page lists in one of its tables."""
    parent, prefix = TABLES.get(table, ("", ""))
    if name in WITH_TARGETS and table in ("Target", *CONTACTS):
        parent = TARGETS.get(name, "targets")
    if table == "Postal Addresses" and "." not in field:
        field = f"postal_addresses.{field}"  # `occupation`, which the page lists without this prefix
    return f"{parent}.{field.removeprefix(f'{prefix}.') if prefix else field}".lstrip(".")


def field_row(name: str, path: str, facts: Mapping[str, Any], used: set[tuple[str, str]]) -> Row:
    """Returns the row of a field. Compares its type, values and writability with `facts` from the standard's page.

    Adds the applied note to `used`. Raises ValueError if the field differs without a note.
    """
    resource = RESOURCES.get(name)
    field = find_field(SCHEMAS[name](), path.split("."))
    if resource and path.split(".")[0] not in (*resource.fields, *COMMON):
        field = None
    if field is None:
        return (path, "no", "")
    for key, (verdict, note) in judgements.FIELD_NOTES.items():
        if key[0] in ("*", name) and f".{key[1]}." in f".{path}.":
            used.add(key)
            return (path, verdict, note if path.endswith(key[1]) else f"See `{key[1]}`.")
    difference = deviation(field, facts)
    if difference:
        raise ValueError(f"{name}.{path} differs without a note: {difference}")
    return (path, "yes", "")


def find_field(schema: ma.Schema, parts: Sequence[str]) -> ma.fields.Field[Any] | None:
    """Returns the field at a path of property names, or None."""
    fields = {field.data_key or name: field for name, field in schema.fields.items()}
    field = fields.get(parts[0])
    inner = field.inner if isinstance(field, ma.fields.List) else field
    if isinstance(field, CustomFields) and len(parts) == 2:
        return field.inner
    if len(parts) == 1:
        return field
    return find_field(inner.schema, parts[1:]) if isinstance(inner, ma.fields.Nested) else None


def deviation(field: ma.fields.Field[Any], facts: Mapping[str, Any]) -> str:
    """Returns the difference between our field and the standard's, or ""."""
    expected = TYPES.get(facts["type"])
    if expected is None:
        if facts["type"].endswith("[]") and not isinstance(field, Objects):
            return "not an array"
    elif not isinstance(field, expected):
        return f"{type(field).__name__} for {facts['type']}"
    values = field.values.values() if isinstance(field, Enum) else field.metadata.get("examples", ())
    if isinstance(field, Enum | FlexEnum) and {*values} != {*facts.get("values", values)}:
        return f"values {sorted(values)}"
    if field.dump_only != facts.get("read_only", False):
        return "read-only" if field.dump_only else "not read-only"
    return ""


def link_rows(name: str, listed: Sequence[str], used: set[tuple[str, str]]) -> list[Row]:
    """Returns a row for each link that the standard's page lists, then for each other link of our answers.

    Adds the applied notes to `used`. Raises ValueError if a verdict contradicts our responses.
    """
    linked = links(name)
    relations = [each if each in ("self", "docs") else f"osdi:{each}" for each in listed]
    rows: list[Row] = []
    for relation in relations:
        key = next((key for key in ((name, relation), ("*", relation)) if key in judgements.LINK_NOTES), None)
        verdict, note = judgements.LINK_NOTES[key] if key else ("yes", "")
        if key:
            used.add(key)
        if (relation in linked) != (verdict == "yes"):
            raise ValueError(f"{name}: '{verdict}' is wrong for {relation}: the response links {linked}")
        rows.append((f"`{relation}`", verdict, note))
    more = [each for each in linked if each not in (*relations, *MADE_BY, "curies")]
    return rows + [(f"`{each}`", "yes", "Not listed on the page.") for each in more]


def links(name: str) -> list[str]:
    """Returns the relations in the response for a resource whose references are all set."""
    hal = Hal("", "<namespace>")
    if name == "aep":
        response = hal.entry_point(motd="", vendor_name="", product_name="", max_pagesize=1)
    elif name in RESOURCES:
        references = ("person", "advocacy_campaign", "tag", "list", "question", "wrapper", "creator", "modified_by")
        document = {"_id": "1", "created_date": now(), "modified_date": now()}
        response = hal.represent(RESOURCES[name], {**document, **{f"{each}_id": "1" for each in references}})
    else:
        return []
    return list(response["_links"])


def error_rows() -> list[Row]:
    """Returns a row for each field of errors.md, compared with our schema. Raises ValueError if a note is wrong."""
    rows: list[Row] = []
    for path in ERROR_FIELDS:
        verdict, note = judgements.ERROR_NOTES.get(path, ("yes", ""))
        if (find_field(ErrorSchema(), ["osdi:error", *path.split(".")]) is None) != (verdict == "no"):
            raise ValueError(f"the note on {path} is wrong")
        rows.append((f"osdi:error.{path}", verdict, note))
    return rows


def curies_row() -> Row:
    """Returns the row about curies: the curie must lead to a page for each relation of our responses."""
    linked = {relation for name in SCHEMAS for relation in links(name) if relation.startswith("osdi:")}
    undocumented = sorted(linked - {f"osdi:{name}" for name in RELATIONS})
    exceptions = ", but not for " + " and ".join(f"`{each}`" for each in undocumented) if undocumented else ""
    note = f"Every response with `osdi:` relations has the curie, which leads to a page for each relation{exceptions}."
    return ("Curies", "differs" if undocumented else "yes", note)


def filter_rows() -> list[Row]:
    """Returns a row for each virtual filter field of README.md."""
    return [
        (f"{resource.collection}: `{name}`", "yes" if is_filtered(resource, name) else "no", "")
        for resource, names in VIRTUAL_FIELDS.items()
        for name in names
    ]


def is_filtered(resource: resources.Resource, name: str) -> bool:
    """True if the collection can be filtered by the field."""
    return resource in FILTER_FIELDS and FILTER_FIELDS[resource].find([name]) is not None


def scenario_rows(page_name: str) -> list[Row]:
    """Returns a row for each scenario of a page that tests/conformance/test_scenarios.py sends, with its deviations."""
    file = SCENARIOS / f"{page_name}.json"
    titles = [each["title"] for each in json.loads(file.read_text("utf-8"))] if file.exists() else []
    listed = json.loads((SCENARIOS / "deviations.json").read_text("utf-8"))
    rows: list[Row] = []
    for title in titles:
        covering = [each for each in listed if each["page"] == page_name and re.search(each["titles"], title)]
        note = "; ".join(f"{', '.join(f'`{path}`' for path in each['what'])}: {each['why']}" for each in covering)
        rejected = any(re.fullmatch(r"status \d+", path) for each in covering for path in each["what"])
        rows.append((title, "no" if rejected else "differs" if covering else "yes", note))
    return rows
