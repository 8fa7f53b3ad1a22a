"""Lints openapi.json (`python -m dev.lint_openapi`); part of `make lint`.

openapi-spec-validator checks it by the OpenAPI Specification. The rules of this module find what breaks generated
clients: components that nothing uses, and inline objects whose generated name is that of a component. The linter of
Redocly runs too if its program `redocly` is installed (`npm install --global @redocly/cli`), by redocly.yaml.
"""

import json
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from openapi_spec_validator import OpenAPIV31SpecValidator

ROOT: Final = Path(__file__).parents[1]
FILE: Final = ROOT / "openapi.json"
PREFIX: Final = "#/components/"
SECONDS: Final = 60


def findings(document: dict[str, Any]) -> list[str]:
    """Returns a sentence for each fault of the document."""
    invalid = [error.message for error in OpenAPIV31SpecValidator(document).iter_errors()]
    return [*invalid, *_unused(document), *_clashing(document), *_repeated_operations(document)]


def _unused(document: dict[str, Any]) -> Iterator[str]:
    used = set(_references(document))
    for kind, components in document.get("components", {}).items():
        # Security schemes are used by their name.
        for name in components if kind != "securitySchemes" else ():
            if f"{PREFIX}{kind}/{name}" not in used:
                yield f"Nothing uses the component {kind}/{name}."


def _references(part: Any) -> Iterator[str]:
    if isinstance(part, dict):
        if isinstance(part.get("$ref"), str):
            yield part["$ref"]
        for inner in part.values():
            yield from _references(inner)
    elif isinstance(part, list):
        for inner in part:
            yield from _references(inner)


def _clashing(document: dict[str, Any]) -> Iterator[str]:
    """Generators name an inline object by its schema and property: `_links` of `Message` becomes `MessageLinks`."""
    schemas = document.get("components", {}).get("schemas", {})
    names = {_bare(name): name for name in schemas}
    for name, schema in schemas.items():
        for inner, described in schema.get("properties", {}).items():
            clash = names.get(_bare(name + inner))
            if clash is not None and described.get("type") == "object" and "properties" in described:
                yield f"The property {inner} of {name} clashes with the component {clash}."


def _bare(name: str) -> str:
    return "".join(character for character in name.lower() if character.isalnum())


def _repeated_operations(document: dict[str, Any]) -> Iterator[str]:
    operations = [
        each for item in document.get("paths", {}).values() for each in item.values() if isinstance(each, dict)
    ]
    ids = Counter(each.get("operationId") for each in operations)
    yield from (f"{count} operations have the operationId {name}." for name, count in ids.items() if count > 1)


def _redocly() -> bool:
    """Runs Redocly's linter; returns False if it finds an error. True if it is not installed."""
    program = shutil.which("redocly")
    if program is None:
        print("skipped: the linter of Redocly is not installed")
        return True
    command = [program, "lint", "--config", str(ROOT / "redocly.yaml"), str(FILE)]
    return subprocess.run(command, cwd=ROOT, timeout=SECONDS, check=False).returncode == 0


def main() -> int:
    """Prints the findings; returns 1 if there are any."""
    found = findings(json.loads(FILE.read_bytes()))
    for each in found:
        print(f"{FILE.name}: {each}")
    return int(bool(found) or not _redocly())


if __name__ == "__main__":
    sys.exit(main())
