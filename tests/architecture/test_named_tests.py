"""The pages name tests that hold their promises: each of these tests is there, so that no page promises in vain."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest

from faults.faults import FAULTS
from faults.promises import ADVICE, PROMISES

ROOT = Path(__file__).parents[2]
PAGES = ("README.md", "CONTRIBUTING.md", "SECURITY.md", *(f"docs/{path.name}" for path in (ROOT / "docs").glob("*.md")))
# A path, with the name of a test or class; or a row of `make faults`.
NAME = re.compile(r"\b(tests/[\w/]+\.py)(?:::([\w:]+))?")
ROW = re.compile(r"`row ([\w-]+)`")
# The number of tests that a page names at least.
AT_LEAST = {"docs/security.md": 15, "docs/reliability.md": 25, "docs/privacy.md": 3, "docs/backup.md": 1}


@cache
def read(page: str) -> str:
    return (ROOT / page).read_text()


@cache
def names_in(path: str) -> frozenset[str]:
    """Names of the tests of a module: `test`, `Class::test`, and `Class` for all tests of a class."""
    found = set()
    for node in ast.parse((ROOT / path).read_text()).body:
        if isinstance(node, ast.FunctionDef):
            found.add(node.name)
        elif isinstance(node, ast.ClassDef):
            tests = {f"{node.name}::{each.name}" for each in node.body if isinstance(each, ast.FunctionDef)}
            found |= {each for each in tests if "::test_" in each} | {node.name}
    return frozenset(name for name in found if name.startswith(("test_", "Test")))


@pytest.mark.parametrize("page", PAGES)
def test_each_test_that_a_page_names_is_there(page: str) -> None:
    named = NAME.findall(read(page))

    wrong = {f"{path}::{name}" for path, name in named if not (ROOT / path).exists()}
    wrong |= {f"{path}::{name}" for path, name in named if f"{path}::{name}" not in wrong and not holds(path, name)}
    assert not wrong
    assert len(named) >= AT_LEAST.get(page, 0)


def holds(path: str, name: str) -> bool:
    """True if the module has this test, or any test if there is no name."""
    return name in names_in(path) if name else bool(names_in(path))


def test_each_row_that_the_page_of_reliability_names_is_one_of_make_faults() -> None:
    named = set(ROW.findall(read("docs/reliability.md")))

    assert named
    assert named <= {fault.key for fault in FAULTS}


def test_each_promise_of_reliability_names_a_test() -> None:
    assert [promise.text for promise in PROMISES if not promise.tests] == []


def test_the_page_of_reliability_has_each_promise_as_make_faults_writes_it() -> None:
    page = read("docs/reliability.md").splitlines()

    assert [str(promise) for promise in PROMISES if f"- {promise}" not in page] == []
    assert ADVICE in page
    assert sum(line.startswith("- **") for line in page) == len(PROMISES)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("`tests/store/test_store.py`", [("tests/store/test_store.py", "")]),
        ("(`tests/a/test_b.py::TestC::test_d`)", [("tests/a/test_b.py", "TestC::test_d")]),
        ("tests/a/test_b.py, which", [("tests/a/test_b.py", "")]),
        ("`tests/a/`", []),
    ],
)
def test_names_of_tests_are_found_in_a_text(text: str, found: list[tuple[str, str]]) -> None:
    assert NAME.findall(text) == found


@pytest.mark.parametrize(
    ("name", "there"),
    [("", True), ("test_names_of_tests_are_found_in_a_text", True), ("test_of_nothing", False), ("holds", False)],
)
def test_a_missing_test_is_noticed(name: str, there: bool) -> None:
    assert holds("tests/architecture/test_named_tests.py", name) is there
