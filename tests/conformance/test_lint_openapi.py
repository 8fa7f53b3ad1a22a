"""The linter of the OpenAPI document finds what breaks generated clients."""

import json
from copy import deepcopy
from typing import Any

import pytest

from dev.lint_openapi import FILE, findings

MESSAGE = {"type": "object", "properties": {"_links": {"type": "object", "properties": {"self": {"type": "object"}}}}}
DOCUMENT: dict[str, Any] = {
    "openapi": "3.1.0",
    "info": {"title": "A", "version": "1"},
    "paths": {
        "/messages": {
            "get": {
                "operationId": "get",
                "responses": {
                    "200": {
                        "description": "A message",
                        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Message"}}},
                    }
                },
            }
        }
    },
    "components": {"schemas": {"Message": MESSAGE}},
}


def changed(**schemas: Any) -> dict[str, Any]:
    document = deepcopy(DOCUMENT)
    document["components"]["schemas"] |= schemas
    return document


def test_the_committed_document_has_no_findings() -> None:
    assert findings(json.loads(FILE.read_bytes())) == []


def test_a_good_document_has_no_findings() -> None:
    assert findings(DOCUMENT) == []


def test_an_unused_component_is_found() -> None:
    assert findings(changed(Other={"type": "object"})) == ["Nothing uses the component schemas/Other."]


@pytest.mark.parametrize("name", ["MessageLinks", "Message_links", "messageLinks"])
def test_a_component_with_the_generated_name_of_an_inline_object_is_found(name: str) -> None:
    used = {"properties": {"other": {"$ref": f"#/components/schemas/{name}"}}}
    document = changed(**{name: {"type": "object"}})
    document["components"]["schemas"]["Message"] = {
        **MESSAGE,
        "properties": {**MESSAGE["properties"], **used["properties"]},  # type: ignore[dict-item]
    }

    assert findings(document) == [f"The property _links of Message clashes with the component {name}."]


def test_a_repeated_operation_id_is_found() -> None:
    document = deepcopy(DOCUMENT)
    document["paths"]["/others"] = document["paths"]["/messages"]

    assert "2 operations have the operationId get." in findings(document)


def test_a_violation_of_the_specification_is_found() -> None:
    document = deepcopy(DOCUMENT)
    del document["paths"]["/messages"]["get"]["responses"]["200"]["description"]

    assert findings(document)
