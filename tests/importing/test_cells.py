"""Cells as other programs write them."""

import pytest

from osdi.importing.csv_files import cells


@pytest.mark.parametrize(
    ("cell", "numbers"),
    [
        ("202-555-0106 / 202-555-0107", ["202-555-0106", "202-555-0107"]),
        ("202-555-0108; 202-555-0109", ["202-555-0108", "202-555-0109"]),
        ("2025550108,2025550109", ["2025550108", "2025550109"]),
        ("202-555-0108 or 202-555-0109", ["202-555-0108", "202-555-0109"]),
        ("0351 5550101 oder 0170 5550102", ["0351 5550101", "0170 5550102"]),
        ("01 55 50 10 10 ou 06 55 50 10 11", ["01 55 50 10 10", "06 55 50 10 11"]),
        ("202-555-0108\n202-555-0109", ["202-555-0108", "202-555-0109"]),
        ("2025550108/2025550109", ["2025550108", "2025550109"]),
        ("+12025550108 ::: +12025550109", ["+12025550108", "+12025550109"]),
        ("+12025550101 & +12025550102", ["+12025550101", "+12025550102"]),
        (
            "a: 202-555-0101; b: 202-555-0102; c: 202-555-0103",
            ["a: 202-555-0101", "b: 202-555-0102", "c: 202-555-0103"],
        ),
        ("0351/5550101", ["0351/5550101"]),
        ("(0351) 5550101", ["(0351) 5550101"]),
        ("+1 (202) 555-0112 ext. 5", ["+1 (202) 555-0112 ext. 5"]),
        ("202-555-0113 x12", ["202-555-0113 x12"]),
        ("+12025550113;ext=12", ["+12025550113;ext=12"]),
        ("202-555-0113, ext 12", ["202-555-0113, ext 12"]),
        ("p:+12025550111", ["+12025550111"]),
        ("tel:+12025550111", ["+12025550111"]),
        ("2025550101.0", ["2025550101"]),
        ("12025550102.00", ["12025550102"]),
        ("2025550101,0", ["2025550101"]),
        ("202.555.0101", ["202.555.0101"]),
    ],
)
def test_phone_numbers_in_a_cell(cell: str, numbers: list[str]) -> None:
    assert cells.phone_numbers(cell) == numbers


@pytest.mark.parametrize(
    "cell", ["20255501062025550107", "202 555 0106 202 555 0107", "2.0E+09", "2,02555E+09", "1E10"]
)
def test_inseparable_numbers_are_an_error(cell: str) -> None:
    with pytest.raises(ValueError, match=r"More digits than a phone number|A spreadsheet has rounded"):
        cells.phone_numbers(cell)


@pytest.mark.parametrize(
    ("cell", "addresses"),
    [
        ("a@example.com", ["a@example.com"]),
        ("a@example.com; b@example.com", ["a@example.com", "b@example.com"]),
        ("a@example.com, b@example.com", ["a@example.com", "b@example.com"]),
        ("a@example.com / b@example.com", ["a@example.com", "b@example.com"]),
        ("a@example.com b@example.com", ["a@example.com", "b@example.com"]),
        ("a@example.com ::: b@example.com", ["a@example.com", "b@example.com"]),
        ("a@example.com\nb@example.com", ["a@example.com", "b@example.com"]),
        ("mailto:a@example.com", ["a@example.com"]),
        ("Ann Ash <a@example.com>", ["a@example.com"]),
        ('"Ash, Ann" <a@example.com>', ["a@example.com"]),
        ("nobody", ["nobody"]),
    ],
)
def test_email_addresses_in_a_cell(cell: str, addresses: list[str]) -> None:
    assert cells.email_addresses(cell) == addresses


@pytest.mark.parametrize(
    ("code", "country", "whole"),
    [
        ("2134", "US", "02134"),
        ("2134", "us", "02134"),
        ("501", "US", "00501"),
        ("2134-1234", "US", "02134-1234"),
        ("02134", "US", "02134"),
        ("90210", "US", "90210"),
        ("601", "PR", "00601"),
        ("1067", "DE", "01067"),
        ("1000", "FR", "01000"),
        ("8001", "ES", "08001"),
        ("187", "IT", "187"),
        ("800", "AU", "0800"),
        ("150", "NO", "0150"),
        ("67", "DE", "67"),
        ("2134", "", "2134"),
        ("1010", "AT", "1010"),
        ("8001", "CH", "8001"),
        ("1234 AB", "NL", "1234 AB"),
        ("SW1A 1AA", "GB", "SW1A 1AA"),
    ],
)
def test_a_postal_code_gets_back_the_zeros_that_a_spreadsheet_removed(code: str, country: str, whole: str) -> None:
    assert cells.with_leading_zeros(code, country) == whole


@pytest.mark.parametrize(
    ("cell", "code"),
    [("2134.0", "2134"), ("z:02134", "02134"), ("02134", "02134"), (" 90210.00 ", "90210"), ("1.5", "1.5")],
)
def test_a_postal_code_has_no_decimals_and_no_prefix(cell: str, code: str) -> None:
    assert cells.postal_code(cell) == code


@pytest.mark.parametrize(
    "cell",
    ["NULL", "null", "(null)", "\\N", "N/A", "n/a", "#N/A", "NaN", "nan", "undefined", "#REF!", "#NV", "-", "0/0/00"],
)
def test_a_word_for_no_value_is_empty_in_every_field(cell: str) -> None:
    assert cells.is_empty(cell, "given_name")
    assert cells.is_empty(cell, "custom_fields.Fish")


@pytest.mark.parametrize("cell", ["Null", "Nulle", "Nancy", "Nan", "Na", "Noll", "Undef", "0", "00501"])
def test_a_name_that_resembles_such_a_word_stays(cell: str) -> None:
    assert not cells.is_empty(cell, "family_name")


@pytest.mark.parametrize(
    ("cell", "field", "empty"),
    [
        ("NA", "postal_addresses[0].country", False),
        ("NA", "given_name", True),
        ("None", "party_identification", False),
        ("None", "given_name", True),
        ("none", "custom_fields.Diet", False),
    ],
)
def test_a_word_with_a_meaning_in_a_field_stays_there(cell: str, field: str, empty: bool) -> None:
    assert cells.is_empty(cell, field) is empty


@pytest.mark.parametrize(
    ("label", "kind"),
    [
        ("* Mobile", "Mobile"), ("mobile", "Mobile"), ("Cell", "Mobile"), ("iPhone", "Mobile"), ("Home",
        "Home"), ("Work", "Work"),
        ("Work Fax", "Fax"), ("Home Fax", "Fax"), ("Main", "Work"), ("Privat", "Home"), ("Grandma", "Grandma"),
        ("* Other", "Other"), ("Domicile", "Home"),
    ],
)  # fmt: skip
def test_the_type_of_a_number_by_its_label(label: str, kind: str) -> None:
    assert cells.number_type(label) == kind
