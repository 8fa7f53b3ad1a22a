"""The structure of the shipped code: layers, folders, sizes, and what each file has to say of itself.

The design is `LAYERS` and `TOP_LEVEL` in dev/architecture.py; docs/architecture.md shows it. Each test is one rule and
lists every place that breaks it.
"""

import ast
import re
from collections import Counter
from pathlib import Path
from statistics import median

import pytest

from dev import architecture
from dev.architecture import LAYERS, PURE, ROOT, TOP_LEVEL, imports, lines, module_name, part_of, shipped

MODULES = {module_name(path): path for path in shipped()}
PART_LAYER = {part: number for number, parts in enumerate(LAYERS) for part in parts}
DRIVER = {"pymongo", "bson", "gridfs", "mongomock"}
HTTP = {"flask", "werkzeug", "flask_smorest", "webargs"}
MAX_FILES = 13
MAX_SHARE = 0.25
MAX_FUNCTION_LINES = 45


def top(name: str) -> str:
    return name.split(".")[0]


def driver_allowed(path: Path) -> bool:
    """True if a file may import pymongo."""
    inside = path.relative_to(ROOT).as_posix()
    return inside.startswith(("osdi/store/", "osdi/operations/")) or path.name.endswith("_store.py")


def cycle_from(module: str, seen: dict[str, int], trail: list[str]) -> list[str]:
    """Returns an import cycle that is reachable from a module, or an empty list."""
    seen[module] = 1
    trail.append(module)
    for imported in sorted(imports(MODULES[module]) & MODULES.keys()):
        if seen.get(imported) == 1 and imported != module:
            return [*trail[trail.index(imported) :], imported]
        if imported not in seen and (found := cycle_from(imported, seen, trail)):
            return found
    seen[module] = 2
    trail.pop()
    return []


def test_top_level_packages_import_in_one_direction() -> None:
    wrong = {
        f"{module} imports {name}"
        for module, path in MODULES.items()
        for name in imports(path)
        if top(name) in {*TOP_LEVEL, "tests", "dev", "bench", "faults"}
        and top(name) != top(module)
        and top(name) not in TOP_LEVEL[top(module)]
    }
    assert not wrong


def test_every_part_of_osdi_has_a_layer() -> None:
    parts = {part_of(module) for module in MODULES if module.startswith("osdi.")}
    assert parts == PART_LAYER.keys()


def test_parts_import_from_lower_layers_only() -> None:
    wrong = {
        f"{module} imports {name}"
        for module, path in MODULES.items()
        if module.startswith("osdi.")
        for name in imports(path)
        if name.startswith("osdi.")
        and part_of(name) != part_of(module)
        and PART_LAYER[part_of(name)] >= PART_LAYER[part_of(module)]
    }
    assert not wrong


def test_no_module_imports_itself_through_others() -> None:
    seen: dict[str, int] = {}
    for module in MODULES:
        if module not in seen:
            assert not cycle_from(module, seen, [])


def test_only_stores_import_the_driver() -> None:
    wrong = {
        f"{module} imports {name}"
        for module, path in MODULES.items()
        if not driver_allowed(path)
        for name in imports(path)
        if top(name) in DRIVER
    }
    assert not wrong


def test_only_stores_call_the_driver() -> None:
    """By what a Store has beyond DocumentStore."""
    driver_calls = {"collection", "connect", "operation", "transaction"}
    wrong = {
        f"{module}:{node.lineno} calls {node.func.attr}()"
        for module, path in MODULES.items()
        if module.startswith(("osdi.", "blueprints.")) and not driver_allowed(path)
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in driver_calls
        and ast.unparse(node.func.value).removesuffix("()").rpartition(".")[2] in ("store", "_store")
    }
    assert not wrong


def test_pure_parts_import_no_framework_and_no_store() -> None:
    wrong = {
        f"{module} imports {name}"
        for module, path in MODULES.items()
        if module.startswith("osdi.") and part_of(module) in PURE
        for name in imports(path)
        if top(name) in DRIVER | HTTP | {"marshmallow"}
        or (name.startswith("osdi.") and part_of(name) not in PURE and part_of(name) != "log")
    }
    assert not wrong


def test_the_domain_imports_no_http_framework() -> None:
    # They add our commands to Flask's command line.
    allowed = {"osdi.commands.register", "osdi.commands.program.command_line"}
    wrong = {
        f"{module} imports {name}"
        for module, path in MODULES.items()
        if module.startswith("osdi.") and module not in allowed
        for name in imports(path)
        if top(name) in HTTP
    }
    assert not wrong


def test_schemas_import_nothing_that_reads_or_serves() -> None:
    wrong = {
        f"{module} imports {name}"
        for module, path in MODULES.items()
        if top(module) == "schemas"
        for name in imports(path)
        if top(name) in DRIVER | HTTP
    }
    assert not wrong


def test_schemas_import_no_rules_and_no_stores_from_the_domain() -> None:
    wrong = {
        f"{module} imports {name}"
        for module, path in MODULES.items()
        if top(module) == "schemas"
        for name in imports(path)
        if top(name) == "osdi" and part_of(name) not in architecture.SCHEMAS_IMPORT
    }
    assert not wrong


def test_every_module_states_its_responsibility() -> None:
    assert not [module for module, path in MODULES.items() if not ast.get_docstring(ast.parse(path.read_text()))]


def test_every_folder_names_the_parts_that_it_imports() -> None:
    """`make docs` writes these lines anew."""
    folders = [part for part in architecture.arrows() if (ROOT / "osdi" / part).is_dir()]
    expected = {part: architecture.imports_line(part) for part in folders}
    assert {part: architecture.stated_imports(part) for part in folders} == expected


def test_no_folder_has_too_many_files_or_too_much_code() -> None:
    files = Counter(path.parent for path in shipped() if path.name != "__init__.py")
    assert not {str(folder.relative_to(ROOT)): count for folder, count in files.items() if count > MAX_FILES}
    size: Counter[Path] = Counter()
    for path in shipped():
        size[path.parent] += lines(path)
    whole = sum(size.values())
    assert not {str(folder): count for folder, count in size.items() if count > MAX_SHARE * whole}


def test_modules_and_functions_are_short() -> None:
    lengths = [(name, length) for path in shipped() for name, length in architecture.functions(path)]
    assert not [(name, length) for name, length in lengths if length > MAX_FUNCTION_LINES]
    assert median(length for _, length in lengths) <= 8
    assert median(lines(path) for path in shipped()) < 120


def test_the_architecture_page_shows_the_code_as_it_is() -> None:
    """`make docs` writes the page anew."""
    text = architecture.PAGE.read_text()
    assert architecture.page(text) == text


@pytest.mark.parametrize("page", ["README.md", "CONTRIBUTING.md", "docs/architecture.md"])
def test_every_file_that_a_page_for_engineers_names_exists(page: str) -> None:
    folders = "|".join(each.name for each in ROOT.iterdir() if each.is_dir() and not each.name.startswith("."))
    text = (ROOT / page).read_text()

    named = re.findall(rf"`((?:{folders})/[\w./-]*)`", text)
    linked = [(ROOT / page).parent / path for path in re.findall(r"\]\(([\w./-]+)(?:#[\w-]+)?\)", text)]

    assert [path for path in named if not (ROOT / path).exists()] == []
    assert [str(path) for path in linked if not path.exists()] == []


def test_everything_that_ships_is_pinned() -> None:
    found = (ROOT / "requirements.txt").read_text().splitlines()
    assert not [line for line in found if line and not line.startswith("#") and "==" not in line]
