"""Writer of the conformance page: collects the rows of all tables and renders them as Markdown."""

import json
from collections.abc import Sequence

from dev.conformance import judgements, rows
from dev.conformance.judgements import VERDICTS, Row

STANDARD = rows.ROOT / "tests" / "conformance" / "osdi_fields.json"
PAGE = rows.ROOT / "docs" / "conformance.md"

INTRODUCTION = """# Conformance

This page compares the server with the OSDI 1.2.0 documents. `python -m dev.conformance` writes it from the standard's
tables of fields (tests/conformance/osdi_fields.json), our schemas, the links of our responses, and the scenarios that
tests/conformance/test_scenarios.py sends. A test fails if the page is out of date.

**yes** means: as on the standard's page. **differs** means: implemented, with the difference in the note. **no** means:
not implemented. The standard requires no field and no resource of a server.

"""

Table = tuple[str, str, list[Row]]
"""A table: the standard's page, the title of its first column, and its rows."""


def page() -> str:
    """Returns the whole page. Raises ValueError if something deviates without a note, or a note applies to nothing."""
    standard = json.loads(STANDARD.read_text("utf-8"))
    used: set[tuple[str, str]] = set()
    tables: list[Table] = [
        ("README.md", "Rule", [*judgements.RULES, rows.curies_row()]),
        ("README.md", "Filter", rows.filter_rows()),
    ]
    for name, described in standard.items():
        fields = {
            rows.field_path(name, table, field): facts
            for table, listed in described["fields"].items()
            for field, facts in listed.items()
        }
        field_rows = [rows.field_row(name, path, facts, used) for path, facts in fields.items()]
        tables.append((described["page"], "Field", field_rows))
        tables.append((described["page"], "Link", rows.link_rows(name, list(described["links"]), used)))
    tables.append(("errors.md", "Field", rows.error_rows()))
    unused = {*judgements.FIELD_NOTES, *judgements.LINK_NOTES} - used
    if unused:
        raise ValueError(f"notes that apply to nothing: {sorted(unused)}")
    pages = list(dict.fromkeys(name for name, _, _ in tables))
    tables += [(name, "Scenario", rows.scenario_rows(name.removesuffix(".md"))) for name in pages]
    return render(pages, [table for table in tables if table[2]])


def render(pages: Sequence[str], tables: Sequence[Table]) -> str:
    """Returns the page in Markdown: a summary, then the tables of each of the standard's pages."""
    parts = [INTRODUCTION, "| Page | yes | differs | no |\n| --- | --- | --- | --- |\n"]
    for name in pages:
        verdicts = [row[1] for page_name, _, listed in tables if page_name == name for row in listed]
        parts.append(f"| {name} | " + " | ".join(str(verdicts.count(each)) for each in VERDICTS) + " |\n")
    for name in pages:
        parts.append(f"\n## {name}\n")
        for title, listed in ((title, listed) for page_name, title, listed in tables if page_name == name):
            parts.append(f"\n| {title} | | |\n| --- | --- | --- |\n")
            parts += [
                f"| {f'`{subject}`' if title == 'Field' else subject} | {verdict} | {note} |\n"
                for subject, verdict, note in listed
            ]
    return "".join(parts)
