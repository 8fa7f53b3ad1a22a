"""Writes docs/conformance.md: which parts of the standard the server implements (`python -m dev.conformance`).

Fields are read from our schemas and links from real answers, so neither can be claimed. Written by hand are only the
general rules and the notes; those on fields are in the tables of osdi.fields. If a schema deviates without a note, or
if a note is about nothing, this fails.
"""

import json
import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import marshmallow as ma

from blueprints.browser.documentation import RELATIONS
from osdi import resources
from osdi.fields.definition import walk
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

ROOT = Path(__file__).parents[1]
STANDARD = ROOT / "tests" / "contract" / "osdi_fields.json"
SCENARIOS = ROOT / "tests" / "http" / "scenarios"
PAGE = ROOT / "docs" / "conformance.md"

Verdict = Literal["yes", "differs", "no"]
Row = tuple[str, Verdict, str]

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
ANSWERED = {resource.name: resource for resource in resources.RESOURCES}

# Where the tables of related objects belong, and the word before their fields' names that our schemas do without.
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

# The notes of the tables (`differs`, `absent`), by resource (`*` for any) and the last two names of the path; and notes
# on what helpers do with a field.
FIELD_NOTES: Mapping[tuple[str, str], tuple[Verdict, str]] = {
    **{
        ("*", ".".join(path[-2:])): ("no", of.absent) if of.absent else ("differs", of.differs)
        for resource in resources.RESOURCES
        for path, of in walk(resource.table)
        if of.absent or of.differs
    },
    ("person_signup_helper", "triggers"): ("no", "Taken, and nothing comes of them: follow-ups belong to outreaches."),
    ("record_outreach_helper", "triggers"): (
        "yes",
        "Without a token only messages that the campaign names can be chosen; see follow-ups.md.",
    ),
}

# Links that are not there, or only sometimes.
TO_NONE = "This server has no such resource."
LINK_NOTES: Mapping[tuple[str, str], tuple[Verdict, str]] = {
    ("*", "osdi:creator"): ("yes", "Where the token that created it belongs to a person."),
    ("*", "osdi:modified_by"): ("yes", "Where the token that changed it last belongs to a person."),
    ("outreach", "osdi:person"): ("yes", "Gone when the person has been deleted."),
    ("advocacy_campaign", "osdi:taggings"): ("no", "Only people are tagged here."),
    ("list", "osdi:taggings"): ("no", "Only people are tagged here."),
    ("message", "osdi:taggings"): ("no", "Only people are tagged here."),
    ("wrapper", "osdi:taggings"): ("no", "Only people are tagged here."),
    ("message", "osdi:recipients"): ("no", "There is no mass sending, so there are no recipients."),
    ("message", "osdi:wrapper"): ("yes", "Where the message has one."),
    ("message", "osdi:send_helper"): ("no", "There is no mass sending."),
    ("message", "osdi:schedule_helper"): ("no", "There is no mass sending."),
    **{
        ("person", f"osdi:{name}"): ("no", TO_NONE)
        for name in ("donations", "submissions", "attendances", "signatures", "record_canvas_helper")
    },
    **{
        ("aep", f"osdi:{name}"): ("no", TO_NONE)
        for name in (
            *("petitions", "events", "forms", "fundraising_pages", "donations", "queries", "metadata"),
            "share_pages",
        )
    },
}

ERROR_FIELDS = (
    *("request_type", "response_code", "resource_status", "resource_status.resource"),
    *("resource_status.response_code", "resource_status.error_descriptions"),
    *(
        f"resource_status.error_descriptions.{name}"
        for name in ("error_code", "description", "properties", "hint", "reference_code")
    ),
)
ERROR_NOTES: Mapping[str, tuple[Verdict, str]] = {
    "request_type": ("differs", "Always `atomic`: what a helper cannot do of several things is told as warnings."),
    "resource_status.error_descriptions.reference_code": ("yes", "With 500 and 503: the request's id in our log."),
}
VIRTUAL_FIELDS = {
    resources.MESSAGE: ("target_href",),
    resources.OUTREACH: ("target_given_name", "target_family_name", "target_ocdid"),
    resources.PERSON: ("email_address", "phone_number", "postal_code", "region"),
}

COMMON = ("identifiers", "created_date", "modified_date", "osdi:control")
VERDICTS: Sequence[Verdict] = ("yes", "differs", "no")
INTRODUCTION = """# Conformance

What of the OSDI 1.2.0 documents is here. `python -m dev.conformance` writes this page from the standard's tables of
fields (tests/contract/osdi_fields.json), our schemas, the links that are answered, and the scenarios that
tests/http/test_scenarios.py sends. A test fails where this page says something else.

**yes** is as the standard's page has it. **differs** is here, and otherwise in what the note says. **no** is not here.
The standard requires no field and no resource of a server.

"""

# The general concepts of README.md, each held against the server by eye.
RULES: Sequence[Row] = (
    ("REST and HAL", "yes", "Links, embedding and page envelopes as JSON+HAL has them, from the entry point on."),
    (
        "Versioning",
        "yes",
        "The entry point says `osdi_version` 1.2.0; the address carries the major version, `/api/v1`.",
    ),
    (
        "Helpers",
        "yes",
        "`osdi:record_outreach_helper` on campaigns and `osdi:person_signup_helper` on the entry point.",
    ),
    (
        "Entry point",
        "yes",
        "It lists the collections and the helper that are here, and `max_pagesize`. Outreaches, messages and wrappers "
        "are not on it; outreaches are reached from campaigns and people, and some clients refuse relations they do "
        "not know.",
    ),
    (
        "Collections",
        "yes",
        "`total_pages`, `total_records`, `page` and `per_page`; `next` and `previous` where they are.",
    ),
    ("`per_page`, `page`", "yes", "Up to `max_pagesize`. The links also carry a cursor, so that far pages stay quick."),
    ("Embedding", "yes", "A collection embeds its resources, each with a `self` link of its own."),
    (
        "`$expand` of links",
        "differs",
        "Optional. `osdi:person` and `osdi:advocacy_campaign` on outreaches; `osdi:outreaches`, "
        "`osdi:taggings`, `osdi:items` and `osdi:answers` on people; what taggings, items and answers point at. "
        "Anything else is refused with 400.",
    ),
    ("`$expand` of objects", "differs", "Related objects are always in the answer, so naming one is refused with 400."),
    (
        "Filtering",
        "differs",
        "`eq ne gt ge lt le and or`, parentheses, dates, numbers and `/`, on people, outreaches, campaigns, tags, "
        "lists, questions, messages and wrappers. Taggings, items and answers are not filtered: 400.",
    ),
    ("Filter operator `like`", "yes", "Optional. The same text in any letter case."),
    (
        "Filter operator `re`",
        "no",
        "Optional. Refused with 400: one expression can keep the database busy without bound.",
    ),
    ("Filter function `near`", "no", "Optional. Refused with 400: nothing here knows where a postal code lies."),
    (
        "Encryption",
        "differs",
        "The server speaks plain HTTP and leaves TLS, and the refusal of what is not, to the platform or proxy "
        "before it.",
    ),
    (
        "Authentication",
        "yes",
        "Tokens with scopes. Only the entry point, the helpers and the documents answer without one.",
    ),
    ("Token in the header", "yes", "`OSDI-API-Token`."),
    ("Token in the address", "yes", "`osdi-api-token`, in any letter case."),
    ("Without a token", "yes", "The helpers take a body and answer `{}`: nothing is told of whoever was matched."),
    (
        "Mime types",
        "differs",
        "Bodies are read as JSON whatever their type says. Answers are `application/hal+json`, as the scenarios print; "
        "README.md prefers `application/json`.",
    ),
    ("Errors", "yes", "An HTTP status, one sentence, and the `osdi:error` object of errors.md."),
    (
        "Status of success",
        "differs",
        "200 for each POST, PUT and DELETE, as the scenarios print; the table of errors.md has 201 and 204.",
    ),
    (
        "Errors of helpers",
        "differs",
        "Unknown names of tags and lists are answered as warnings beside the resource, with 200. With "
        "`Prefer: handling=strict` they are 400, and nothing is written.",
    ),
    (
        "No required fields",
        "differs",
        "What cannot be used without is required: the name of a tag or list, the type of a question and the "
        "keys of its "
        "responses, the person of a helper, tagging, item or answer.",
    ),
    ("Matching", "yes", "Left to each system: by identifiers, e-mail, then phone. See docs/matching.md."),
    ("Merging on POST", "yes", "Objects and arrays are merged, in helpers and in POSTs to collections."),
    ("PUT", "yes", "Left to each server: only what is named changes, and a named array is replaced."),
    ("Deleting with `null`", "differs", "In a PUT only. In a POST or helper `null` says nothing and clears nothing."),
    (
        "Common fields",
        "yes",
        "`identifiers`, `created_date` and `modified_date` on every resource; the server's own identifier comes first.",
    ),
    (
        "Control headers",
        "yes",
        "With `osdi:control.return_response` false the answer holds identifiers and links only.",
    ),
)


def main() -> None:
    """Write the page."""
    PAGE.write_text(page(), encoding="utf-8")
    sys.stdout.write(f"wrote {PAGE.relative_to(ROOT)}\n")


def page() -> str:
    """The whole page, as it has to be committed. Raises ValueError for what deviates without a note."""
    standard = json.loads(STANDARD.read_text("utf-8"))
    used: set[tuple[str, str]] = set()
    tables: list[tuple[str, str, list[Row]]] = [
        ("README.md", "Rule", [*RULES, curies_row()]),
        ("README.md", "Filter", filter_rows()),
    ]
    for name, described in standard.items():
        fields = {
            field_path(name, table, field): facts
            for table, listed in described["fields"].items()
            for field, facts in listed.items()
        }
        rows = [field_row(name, path, facts, used) for path, facts in fields.items()]
        tables.append((described["page"], "Field", rows))
        tables.append((described["page"], "Link", link_rows(name, list(described["links"]), used)))
    tables.append(("errors.md", "Field", error_rows()))
    unused = {*FIELD_NOTES, *LINK_NOTES} - used
    if unused:
        raise ValueError(f"notes about nothing: {sorted(unused)}")
    pages = list(dict.fromkeys(name for name, _, _ in tables))
    tables += [(name, "Scenario", scenario_rows(name.removesuffix(".md"))) for name in pages]
    return render(pages, [table for table in tables if table[2]])


def field_path(name: str, table: str, field: str) -> str:
    """Where our schemas have a field that the page lists in one of its tables."""
    inside, word = TABLES.get(table, ("", ""))
    if name in WITH_TARGETS and table in ("Target", *CONTACTS):
        inside = TARGETS.get(name, "targets")
    if table == "Postal Addresses" and "." not in field:
        field = f"postal_addresses.{field}"  # `occupation`, which the page lists without the word
    return f"{inside}.{field.removeprefix(f'{word}.') if word else field}".lstrip(".")


def field_row(name: str, path: str, facts: Mapping[str, Any], used: set[tuple[str, str]]) -> Row:
    """Whether the field is here, with the type, the values and the writability that the page gives it."""
    resource = ANSWERED.get(name)
    field = find(SCHEMAS[name](), path.split("."))
    if resource and path.split(".")[0] not in (*resource.fields, *COMMON):
        field = None
    if field is None:
        return (path, "no", "")
    for key, (verdict, note) in FIELD_NOTES.items():
        if key[0] in ("*", name) and f".{key[1]}." in f".{path}.":
            used.add(key)
            return (path, verdict, note if path.endswith(key[1]) else f"See `{key[1]}`.")
    deviation = otherwise(field, facts)
    if deviation:
        raise ValueError(f"{name}.{path} differs without a note: {deviation}")
    return (path, "yes", "")


def find(schema: ma.Schema, parts: Sequence[str]) -> ma.fields.Field[Any] | None:
    """The field at a path of property names, or None."""
    fields = {field.data_key or name: field for name, field in schema.fields.items()}
    field = fields.get(parts[0])
    inner = field.inner if isinstance(field, ma.fields.List) else field
    if isinstance(field, CustomFields) and len(parts) == 2:
        return field.inner
    if len(parts) == 1:
        return field
    return find(inner.schema, parts[1:]) if isinstance(inner, ma.fields.Nested) else None


def otherwise(field: ma.fields.Field[Any], facts: Mapping[str, Any]) -> str:
    """What our field does otherwise than the page's, or nothing."""
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
        return "read-only, or not"
    return ""


def link_rows(name: str, listed: Sequence[str], used: set[tuple[str, str]]) -> list[Row]:
    """Whether each link that the page lists is among those that are answered, and what is answered besides."""
    answered = links(name)
    relations = [each if each in ("self", "docs") else f"osdi:{each}" for each in listed]
    rows: list[Row] = []
    for relation in relations:
        key = next((key for key in ((name, relation), ("*", relation)) if key in LINK_NOTES), None)
        verdict, note = LINK_NOTES[key] if key else ("yes", "")
        if key:
            used.add(key)
        if (relation in answered) != (verdict == "yes"):
            raise ValueError(f"{name}: the note on {relation} is not true: answered are {answered}")
        rows.append((f"`{relation}`", verdict, note))
    more = [each for each in answered if each not in (*relations, *MADE_BY, "curies")]
    return rows + [(f"`{each}`", "yes", "More than the page lists.") for each in more]


def links(name: str) -> list[str]:
    """The relations that an answer links: those of a document of which everything is known."""
    hal = Hal("", "<namespace>")
    if name == "aep":
        answer = hal.entry_point(motd="", vendor_name="", product_name="", max_pagesize=1)
    elif name in ANSWERED:
        pointers = ("person", "advocacy_campaign", "tag", "list", "question", "wrapper", "creator", "modified_by")
        document = {"_id": "1", "created_date": now(), "modified_date": now()}
        answer = hal.represent(ANSWERED[name], {**document, **{f"{each}_id": "1" for each in pointers}})
    else:
        return []
    return list(answer["_links"])


def error_rows() -> list[Row]:
    """The fields of errors.md, which the schemas of the document have."""
    rows: list[Row] = []
    for path in ERROR_FIELDS:
        verdict, note = ERROR_NOTES.get(path, ("yes", ""))
        if (find(ErrorSchema(), ["osdi:error", *path.split(".")]) is None) != (verdict == "no"):
            raise ValueError(f"the note on {path} is not true")
        rows.append((f"osdi:error.{path}", verdict, note))
    return rows


def curies_row() -> Row:
    """Whether the curie leads to a page for each relation that is answered."""
    answered = {relation for name in SCHEMAS for relation in links(name) if relation.startswith("osdi:")}
    undocumented = sorted(answered - {f"osdi:{name}" for name in RELATIONS})
    but = ", but not for " + " and ".join(f"`{each}`" for each in undocumented) if undocumented else ""
    note = f"Every answer with `osdi:` relations carries the curie, which leads to a page for each relation{but}."
    return ("Curies", "differs" if undocumented else "yes", note)


def filter_rows() -> list[Row]:
    """The virtual fields of README.md."""
    return [
        (f"{resource.collection}: `{name}`", "yes" if is_filtered(resource, name) else "no", "")
        for resource, names in VIRTUAL_FIELDS.items()
        for name in names
    ]


def is_filtered(resource: resources.Resource, name: str) -> bool:
    return resource in FILTER_FIELDS and FILTER_FIELDS[resource].find([name]) is not None


def scenario_rows(page_name: str) -> list[Row]:
    """The page's scenarios, as tests/http/test_scenarios.py sends them."""
    file = SCENARIOS / f"{page_name}.json"
    titles = [each["title"] for each in json.loads(file.read_text("utf-8"))] if file.exists() else []
    listed = json.loads((SCENARIOS / "deviations.json").read_text("utf-8"))
    rows: list[Row] = []
    for title in titles:
        covering = [each for each in listed if each["page"] == page_name and re.search(each["titles"], title)]
        note = "; ".join(f"{', '.join(f'`{what}`' for what in each['what'])}: {each['why']}" for each in covering)
        refused = any(re.fullmatch(r"status \d+", what) for each in covering for what in each["what"])
        rows.append((title, "no" if refused else "differs" if covering else "yes", note))
    return rows


def render(pages: Sequence[str], tables: Sequence[tuple[str, str, list[Row]]]) -> str:
    """The page in Markdown."""
    parts = [INTRODUCTION, "| Page | yes | differs | no |\n| --- | --- | --- | --- |\n"]
    for name in pages:
        verdicts = [row[1] for page_name, _, rows in tables if page_name == name for row in rows]
        parts.append(f"| {name} | " + " | ".join(str(verdicts.count(each)) for each in VERDICTS) + " |\n")
    for name in pages:
        parts.append(f"\n## {name}\n")
        for kind, rows in ((kind, rows) for page_name, kind, rows in tables if page_name == name):
            parts.append(f"\n| {kind} | | |\n| --- | --- | --- |\n")
            parts += [
                f"| {f'`{what}`' if kind == 'Field' else what} | {verdict} | {note} |\n" for what, verdict, note in rows
            ]
    return "".join(parts)


if __name__ == "__main__":
    main()
