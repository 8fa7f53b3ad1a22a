"""Writes the imports of the shipped code into docs/architecture.md and docstrings (`python -m dev.architecture`).

`LAYERS` is the design: a package imports from layers below its own only. tests/architecture holds the code to it, and
fails while the page differs from the code.
"""

import ast
import textwrap
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[1]
PAGE: Final = ROOT / "docs" / "architecture.md"
BEGIN, END = "<!-- begin {} -->", "<!-- end {} -->"

# From the lowest to the highest. A name is a module or a folder inside osdi/.
LAYERS: Final[tuple[tuple[str, ...], ...]] = (
    ("errors", "fields", "ids", "languages", "log", "paging", "values", "version"),
    ("http_client", "resources"),
    ("documents", "mail"),
    ("etags", "hal", "match_keys", "retry"),
    ("action_functions", "odata", "store"),
    ("deletions", "messages", "settings", "statistics"),
    ("access", "sample", "webhooks"),
    ("suppression",),
    ("people",),
    ("operations", "outreaches"),
    ("consent", "crud"),
    ("exporting", "followups", "privacy"),
    ("backup", "campaign_pages", "importing"),
    ("staff",),
    ("commands",),
)
# Each top-level package or module, and the ones that it may import.
TOP_LEVEL: Final[Mapping[str, frozenset[str]]] = {
    "wsgi": frozenset({"app"}),
    "app": frozenset({"blueprints", "osdi", "schemas"}),
    "blueprints": frozenset({"osdi", "schemas"}),
    "osdi": frozenset(),
    "schemas": frozenset({"osdi"}),
}
# Of osdi/, schemas import the errors, the definitions of fields and resources, the languages and the readers of values.
SCHEMAS_IMPORT: Final = frozenset({"errors", "fields", "languages", "resources", "values"})
# These import neither Flask nor pymongo nor marshmallow, and nothing of ours that does.
PURE: Final = frozenset(
    {
        *(
            "action_functions",
            "documents",
            "errors",
            "etags",
            "fields",
            "hal",
            "ids",
            "languages",
            "match_keys",
            "odata",
        ),
        "paging",
        "resources",
        "values",
    }
)


def shipped() -> list[Path]:
    """Returns every Python file that a deployment runs."""
    files = [ROOT / "app.py", ROOT / "wsgi.py"]
    return files + sorted(path for name in ("blueprints", "osdi", "schemas") for path in (ROOT / name).rglob("*.py"))


def module_name(path: Path) -> str:
    """Returns the dotted name of a file, such as `osdi.people.matching`; a package is named without `__init__`."""
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


@cache
def imports(path: Path) -> frozenset[str]:
    """Returns the dotted names that a file imports; `from a import b` counts as `a.b` where that is a module."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {_imported(node.module, alias.name) for alias in node.names}
    return frozenset(found)


def _imported(module: str, name: str) -> str:
    inside = ROOT / Path(*module.split(".")) / name
    return f"{module}.{name}" if inside.is_dir() or inside.with_suffix(".py").exists() else module


def part_of(module: str) -> str:
    """Returns the module or folder inside osdi/ that a dotted name belongs to, such as `people`; else the top level."""
    names = module.split(".")
    return names[1] if names[0] == "osdi" and len(names) > 1 else names[0]


def arrows() -> dict[str, set[str]]:
    """Returns, for each part of osdi/, the other parts that it imports."""
    found: dict[str, set[str]] = {}
    for path in shipped():
        module = module_name(path)
        if module.startswith("osdi."):
            imported = {part_of(name) for name in imports(path) if name.startswith("osdi.")}
            found.setdefault(part_of(module), set()).update(imported - {part_of(module)})
    return found


def functions(path: Path) -> Iterator[tuple[str, int]]:
    """Yields the name and the number of lines of each function in a file."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield f"{module_name(path)}:{node.name}", (node.end_lineno or node.lineno) - node.lineno + 1


def lines(path: Path) -> int:
    """Returns the number of lines of a file."""
    return path.read_text(encoding="utf-8").count("\n")


def table() -> str:
    """Returns the Markdown table of the parts of osdi/ and their imports, from the highest layer down."""
    found = arrows()
    rows = ["| layer | part | imports |", "| ---: | --- | --- |"]
    for number in range(len(LAYERS), 0, -1):
        for part in LAYERS[number - 1]:
            names = ", ".join(sorted(found.get(part, ()))) or "nothing of osdi"
            rows.append(f"| {number} | `{part}` | {names} |")
    return "\n".join(rows)


def diagram() -> str:
    """Returns a Mermaid diagram of the layers; each arrow is an import of the layer directly or further below."""
    rows = ["```mermaid", "flowchart TB"]
    rows.append('  http["app.py, blueprints/<br>HTTP"] --> schemas["schemas/<br>validation"]')
    for number in range(len(LAYERS), 0, -1):
        rows.append(f'  L{number}["{" · ".join(LAYERS[number - 1])}"]')
    rows.append(f"  http --> L{len(LAYERS)}")
    rows.append(f'  schemas -- "{", ".join(sorted(SCHEMAS_IMPORT))}" --> L2')
    rows += [f"  L{number} --> L{number - 1}" for number in range(len(LAYERS), 1, -1)]
    return "\n".join([*rows, "```"])


SECTIONS: Final = {"diagram": diagram, "imports": table}


def page(text: str) -> str:
    """Returns the page's text with each generated section made anew."""
    for name, make in SECTIONS.items():
        begin, end = BEGIN.format(name), END.format(name)
        before, _, rest = text.partition(begin)
        _, _, after = rest.partition(end)
        text = f"{before}{begin}\n{make()}\n{end}{after}"
    return text


def imports_line(part: str) -> str:
    """Returns the last paragraph that the docstring of a folder of osdi/ has to have."""
    return textwrap.fill(f"Imports: {', '.join(sorted(arrows()[part])) or 'nothing of osdi'}.", 120)


def stated_imports(part: str) -> str:
    """Returns the last paragraph of the docstring of a folder of osdi/."""
    docstring = ast.get_docstring(ast.parse(_package(part).read_text(encoding="utf-8"))) or ""
    return docstring.split("\n\n")[-1]


def _package(part: str) -> Path:
    return ROOT / "osdi" / part / "__init__.py"


def main() -> None:
    """Writes the page, and the line of imports into each folder's docstring."""
    for part in arrows():
        if (ROOT / "osdi" / part).is_dir():
            text = _package(part).read_text(encoding="utf-8")
            _package(part).write_text(text.replace(stated_imports(part), imports_line(part), 1), encoding="utf-8")
    PAGE.write_text(page(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
    print(f"wrote {PAGE.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
