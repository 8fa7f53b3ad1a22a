"""Placeholders: identifiers whose id is the value of a variable that was not set."""

import pytest

from osdi.values.identifiers import has_id, is_placeholder


@pytest.mark.parametrize(
    "identifier",
    [
        *("crm:undefined", "crm:UNDEFINED", "crm:null", "crm:Null", "crm:None", "crm:NaN", "crm:nan", "crm:nil"),
        *("crm:[object Object]", "crm:N/A", "crm:#N/A", "crm:<NA>", "crm:(null)", "crm:{}", "crm:[]", "crm:unknown"),
        *("crm:", "crm:contact:", "crm:contact:undefined", "crm:'undefined'", 'crm:"null"', "crm: null"),
        *("crm:${id}", "crm:{{ contact.id }}", "crm:*|UNIQID|*", "crm:%%id%%", "crm:<%= id %>"),
        "crm:00000000-0000-0000-0000-000000000000",
    ],
)
def test_a_word_for_no_value_is_a_placeholder(identifier: str) -> None:
    assert is_placeholder(identifier)


@pytest.mark.parametrize(
    "identifier",
    [
        *("crm:1", "crm:0", "crm:-1", "crm:NA", "crm:nancy", "crm:undefined1", "crm:null-island", "crm:nonesuch"),
        *("undefined:1", "null:7", "crm:contact:1", "crm:undefined:1", "crm:[1]", "crm:a{{b}}", "crm:nonnull"),
        "crm:00000000-0000-0000-0000-000000000001",
    ],
)
def test_any_other_id_is_none(identifier: str) -> None:
    assert not is_placeholder(identifier)


@pytest.mark.parametrize(
    ("identifiers", "expected"),
    [
        ([], False),
        (["crm:undefined"], False),
        (["crm:undefined", "calls:"], False),
        (["crm:undefined", "crm:1"], True),
        ("crm:1", True),
        (None, False),
        ([7], True),
    ],
)
def test_identifiers_with_an_id(identifiers: object, expected: bool) -> None:
    assert has_id(identifiers) is expected
