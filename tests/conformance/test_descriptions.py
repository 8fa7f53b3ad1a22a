"""The OpenAPI document and the pages of relations describe each property, so that no reader has to guess."""

import json
from pathlib import Path
from typing import Any, Final

import pytest

SCHEMAS: Final[dict[str, Any]] = json.loads(Path("openapi.json").read_text())["components"]["schemas"]


@pytest.mark.parametrize("schema", SCHEMAS)
def test_each_property_has_a_description(schema: str) -> None:
    properties = SCHEMAS[schema].get("properties", {})

    # An object has the description of its own schema.
    assert [name for name, of in properties.items() if not of.get("description") and "$ref" not in of] == []
