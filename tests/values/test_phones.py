"""Phone numbers: the extension behind a number."""

from typing import Any

import pytest

from osdi.values.phones import split_extension, with_extension


@pytest.mark.parametrize(
    ("sent", "number", "extension"),
    [
        ("+1 617 555 0123 ext. 23", "+1 617 555 0123", "23"),
        ("+1-617-555-0123 x23", "+1-617-555-0123", "23"),
        ("617.555.0123 X 23", "617.555.0123", "23"),
        ("(617) 555-0123x23", "(617) 555-0123", "23"),
        ("617-555-0123 EXT23", "617-555-0123", "23"),
        ("617-555-0123 extension 12", "617-555-0123", "12"),
        ("617-555-0123 #23", "617-555-0123", "23"),
        ("+1 617 555 0123 (ext 23)", "+1 617 555 0123", "23"),
        ("+16175550123;ext=105", "+16175550123", "105"),
        ("tel:+1-617-555-0123;ext=5", "tel:+1-617-555-0123", "5"),
        ("+49 30 901820 ext 7", "+49 30 901820", "7"),
        ("+999 1234567 x12", "+999 1234567", "12"),
        ("617 555 0123 anexo 12", "617 555 0123", "12"),
        ("555-0123 x 4", "555-0123", "4"),
        ("١٩٨٧٦٥٤٣٢١ x٢٣", "١٩٨٧٦٥٤٣٢١", "23"),
    ],
)
def test_an_extension_is_separated(sent: str, number: str, extension: str) -> None:
    assert split_extension(sent) == (number, extension)


@pytest.mark.parametrize(
    "number",
    [
        *("+1 617 555 0123", "911", "19876543210", "030/901820-12", "+49 30 901820-12", "n/a", "", "x23", "23 x23"),
        *("617-555-0123 or 617-555-0124", "1-800-FLOWERS x5", "617 555 0123 x", "ext. 23 617 555 0123"),
    ],
)
def test_a_number_without_an_extension_stays(number: str) -> None:
    assert split_extension(number) == (number, "")


@pytest.mark.parametrize(
    ("entry", "stored"),
    [
        ({"number": "617-555-0123 x23"}, {"number": "617-555-0123", "extension": "23"}),
        ({"number": "617-555-0123 x23", "extension": "23"}, {"number": "617-555-0123", "extension": "23"}),
        ({"number": "617-555-0123 x23", "extension": "9"}, {"number": "617-555-0123 x23", "extension": "9"}),
        ({"number": "617-555-0123", "extension": "9"}, {"number": "617-555-0123", "extension": "9"}),
        ({"primary": True}, {"primary": True}),
    ],
)
def test_an_entry_has_the_extension_in_its_field(entry: dict[str, Any], stored: dict[str, Any]) -> None:
    assert with_extension(entry) == stored
