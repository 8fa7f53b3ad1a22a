"""The action functions of a helper's body are resolved before anything is written."""

from collections.abc import Sequence
from typing import Any

import pytest

from osdi.action_functions.resolve import Actions, resolve
from osdi.documents import Document
from osdi.resources import Resource

PERSON: dict[str, Any] = {"person": {"given_name": "Jane"}}


def find_nothing(resource: Resource, references: Sequence[str]) -> dict[str, Document]:
    raise AssertionError(f"{resource.name} was looked up")


@pytest.mark.parametrize("body", [PERSON, {**PERSON, "triggers": {}}], ids=["none", "empty triggers"])
def test_a_body_without_action_functions_looks_nothing_up(body: dict[str, Any]) -> None:
    assert resolve(body, find_nothing, {"_id": "1"}, has_token=True) == Actions()


def test_a_skipped_value_is_a_warning_without_action_functions_too() -> None:
    body = {**PERSON, "skipped": {"duration": ["Not a valid integer."]}}

    (warning,) = resolve(body, find_nothing).warnings

    assert warning.properties == ("duration",)


def test_a_missing_tag_is_a_warning() -> None:
    actions = resolve({**PERSON, "add_tags": ["volunteer"]}, lambda resource, references: {})

    assert actions.tag_ids == ()
    assert [each.properties for each in actions.warnings] == [("add_tags",)]
