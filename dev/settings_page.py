"""Writes docs/settings.md from the declarations of the settings: `python -m dev.settings_page`."""

from collections.abc import Iterator
from dataclasses import Field, fields
from pathlib import Path
from typing import Any, Final

from osdi.settings import Settings
from osdi.settings.table import Group, ServerSettings, declaration

PAGE: Final = Path(__file__).parents[1] / "docs" / "settings.md"
INTRODUCTION: Final = """# Settings

Settings come from environment variables only. If some are wrong, no process starts, and the message names all of them.
Lists have commas between their items. Booleans are `true` or `false`.

This page is made from `osdi/settings/` by `make docs`. Change it there.
"""
TYPES: Final = {str: "text", int: "integer", float: "number", bool: "boolean"}


def page() -> str:
    """Returns the page: a section for each group, with a row for each setting."""
    return "\n".join((INTRODUCTION, *(line for group in Group for line in _section(group))))


def _section(group: Group) -> Iterator[str]:
    yield f"## {group}\n\n| Setting | Type | Default | Meaning |\n| --- | --- | --- | --- |"
    for each in (*fields(ServerSettings), *fields(Settings)):
        declared = declaration(each)
        if declared.group is group:
            kind = "list" if declared.item else TYPES[each.type]  # type: ignore[index]  # these four, else it is a list
            yield f"| `{each.name.upper()}` | {kind} | {_default(each)} | {declared.description} |"
    yield ""


def _default(of: "Field[Any]") -> str:
    """Returns the default as the environment would have it, or the words for it."""
    declared = declaration(of)
    if declared.default:
        return declared.default
    if isinstance(of.default, bool):
        return f"`{str(of.default).lower()}`"
    text = ",".join(map(str, of.default)) if isinstance(of.default, tuple) else _text(of.default)
    return f"`{text}`" if text else "none"


def _text(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
