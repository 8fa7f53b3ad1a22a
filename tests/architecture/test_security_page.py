"""docs/security.md names tests: each of them is there, so that the page cannot promise what nobody checks."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
NAMED = re.findall(r"`(tests/[\w/]+\.py)(?:::([\w:]+))?`", (ROOT / "docs/security.md").read_text())


def names_in(tree: ast.Module) -> set[str]:
    """Names of the tests of a module, `Class::test` where they stand in a class."""
    found = {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
    for node in tree.body:
        if isinstance(node, ast.ClassDef):
            found |= {f"{node.name}::{each.name}" for each in node.body if isinstance(each, ast.FunctionDef)}
    return {name for name in found if name.rsplit("::", 1)[-1].startswith("test_")}


@pytest.mark.parametrize(("path", "name"), NAMED)
def test_a_named_test_is_there(path: str, name: str) -> None:
    found = names_in(ast.parse((ROOT / path).read_text()))

    assert name in found if name else found


def test_the_page_names_some() -> None:
    assert len(NAMED) >= 15
