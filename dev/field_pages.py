"""Writes the names of fields and columns into docs/filtering.md and docs/exporting.md (`python -m dev.field_pages`).

A field or column that a table lacks gets a row behind the one that precedes it, and a name that no longer exists loses
its row. The notes in the last cell of a row are written by hand, and stay.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

from osdi.exporting.rows import CUSTOM, outreach_columns, person_columns
from osdi.odata.fields import FilterFields
from osdi.odata.osdi_fields import FILTER_FIELDS

ROOT: Final = Path(__file__).parents[1]
FILTERING: Final = ROOT / "docs" / "filtering.md"
EXPORTING: Final = ROOT / "docs" / "exporting.md"

ROW: Final = re.compile(r"^\| (`.+?) \| (?:(.*?) )?\|$")
NAME: Final = re.compile(r"`(.+?)`")
REJECTED: Final = "`{}` cannot be filtered by: {}."


def filtering(text: str) -> str:
    """Returns the text of docs/filtering.md with the fields of each collection."""
    for resource, known in FILTER_FIELDS.items():
        begin = text.index(f"\n### {resource.collection}\n")
        end = text.find("\n### ", begin + 1)
        end = len(text) if end < 0 else end
        text = (
            text[:begin]
            + "\n".join(_filter_section(text[begin:end].split("\n"), known)).rstrip("\n")
            + ("\n" + text[end:] if end < len(text) else "\n")
        )
    return text


def exporting(text: str) -> str:
    """Returns the text of docs/exporting.md with the columns of people and outreaches."""
    people = [f"{CUSTOM}/..." if name == f"{CUSTOM}/" else name for name in person_columns([""])]
    tables = {"| People |": people, "| Outreaches:": outreach_columns(with_tags=True)}
    lines = text.split("\n")
    for heading, names in tables.items():
        first = next(number for number, line in enumerate(lines) if line.startswith(heading)) + 2
        last = next(number for number, line in enumerate(lines) if number > first and not line.startswith("|"))
        rows = [(NAME.findall(_row(line)[0]), _row(line)[1]) for line in lines[first:last]]
        lines[first:last] = [
            f"| {', '.join(f'`{name}`' for name in row)} | {note + ' ' if note else ''}|"
            for row, note in placed(rows, names)
        ]
    return "\n".join(lines)


def placed(rows: Sequence[tuple[Sequence[str], str]], wanted: Sequence[str]) -> list[tuple[list[str], str]]:
    """Returns rows of names and notes that have the wanted names: each new name in a row behind the preceding name."""
    found = [([name for name in names if name in wanted], note) for names, note in rows]
    found = [(names, note) for names, note in found if names]
    for before, name in zip(["", *wanted], wanted, strict=False):
        if any(name in names for names, _ in found):
            continue
        at = next((number for number, (names, _) in enumerate(found) if before in names), -1)
        names = found[at][0] if at >= 0 else []
        if names and names[-1] != before:
            names.insert(names.index(before) + 1, name)
        else:
            found.insert(at + 1, ([name], ""))
    return found


def filter_types(known: FilterFields) -> dict[str, str]:
    """Returns every name that a filter takes, with its type or the name that it stands for."""
    return {
        **{name: str(field.type) for name, field in known.fields.items()},
        **{f"{name}/...": str(kind) for name, kind in known.open_objects.items()},
        **{alias: f"as `{name}`" for alias, name in known.aliases.items()},
    }


def _filter_section(lines: Sequence[str], known: FilterFields) -> Iterator[str]:
    """Yields the lines of a collection's section."""
    table = [line for line in lines if line.startswith("|")]
    types = filter_types(known)
    notes = [([NAME.findall(line)[0]], line.split(" | ")[2].removesuffix("|").strip()) for line in table[2:]]
    yield from lines[: lines.index(table[0])]
    yield from table[:2]
    for (name,), note in placed(notes, list(types)):
        yield f"| `{name}` | {types[name]} | {note + ' ' if note else ''}|"
    if known.not_filtered:
        yield ""
    for name, reason in known.not_filtered.items():
        yield REJECTED.format(name, reason)
        yield ""


def _row(line: str) -> tuple[str, str]:
    found = ROW.fullmatch(line)
    if found is None:
        raise ValueError(f"Not a row of names and a note: {line}")
    return found[1], found[2] or ""


PAGES: Final[Mapping[Path, Callable[[str], str]]] = {FILTERING: filtering, EXPORTING: exporting}


def main() -> None:
    """Writes both pages."""
    for path, make in PAGES.items():
        path.write_text(make(path.read_text(encoding="utf-8")), encoding="utf-8")
        print(f"wrote {path.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
