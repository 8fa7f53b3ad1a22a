"""The arrows of the design, read off the source: who may import whom, and what the documents must not forget."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
OURS = {"app", "wsgi", "blueprints", "osdi", "schemas", "dev", "bench", "tests"}
SHIPPED = [ROOT / "app.py", ROOT / "wsgi.py", *(ROOT / "osdi").rglob("*.py")]
SHIPPED += [*(ROOT / "blueprints").rglob("*.py"), *(ROOT / "schemas").rglob("*.py")]

IMPURE = {"store", "settings", "auth", "record_outreach", "record_person", "replay"}
PURE = {
    "odata",
    "filter_fields",
    "paging",
    "resources",
    "hal",
    "matching",
    "merging",
    "uniting",
    "action_functions",
    "triggers",
    "recipients",
    "templates",
    "template_fields",
    "message_check",
    "mail",
    "html_text",
    "events",
    "anonymising",
    "signature",
    "errors",
    "csv_text",
    "export_columns",
    "ids",
}
PURE_IN_IMPORTING = {"columns", "csv_records", "documents", "report", "rows", "values"}
MAY_IMPORT = {
    "wsgi": {"app"},
    "app": {"blueprints", "osdi"},
    "blueprints": {"blueprints", "osdi", "schemas"},
    "osdi": {"osdi"},
    "schemas": {"schemas"},
}


def imports(path: Path) -> set[str]:
    """Every module that a file imports, by its full name."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: a relative import"
            found.add(str(node.module))
    return found


def tops(path: Path) -> set[str]:
    return {name.split(".")[0] for name in imports(path)}


def ids(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("path", SHIPPED, ids=ids)
def test_arrows_run_one_way(path: Path) -> None:
    layer = path.relative_to(ROOT).parts[0].removesuffix(".py")

    assert tops(path) & OURS <= MAY_IMPORT[layer]


@pytest.mark.parametrize("path", SHIPPED, ids=ids)
def test_only_the_store_speaks_pymongo(path: Path) -> None:
    if not ids(path).startswith("osdi/store/"):
        assert not tops(path) & {"pymongo", "bson", "gridfs", "mongomock"}


@pytest.mark.parametrize(
    "path",
    [
        path
        for path in SHIPPED
        if (path.stem in PURE and path.parent.name == "osdi")
        or (path.stem in PURE_IN_IMPORTING and path.parent.name == "importing")
    ],
    ids=ids,
)
def test_pure_modules_stay_pure(path: Path) -> None:
    assert not tops(path) & {"flask", "werkzeug", "pymongo", "marshmallow"}
    assert (
        imports(path)
        & {f"osdi.{name}" for name in ("store", "settings", "auth", "record_outreach", "record_person", "replay")}
        == set()
    )


@pytest.mark.parametrize("path", [path for path in SHIPPED if path.is_relative_to(ROOT / "osdi")], ids=ids)
def test_the_domain_knows_no_http(path: Path) -> None:
    if path.stem != "cli":
        assert not tops(path) & {"flask", "werkzeug", "flask_smorest", "webargs"}


@pytest.mark.parametrize("path", SHIPPED, ids=ids)
def test_every_module_says_what_it_holds(path: Path) -> None:
    assert ast.get_docstring(ast.parse(path.read_text()))


def test_everything_that_ships_is_pinned() -> None:
    lines = (ROOT / "requirements.txt").read_text().splitlines()

    assert [line for line in lines if line and not line.startswith("#") and "==" not in line] == []
