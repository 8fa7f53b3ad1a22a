"""Texts in one form: without invisible characters, in NFC, trimmed; numbers as texts; PHP's arrays."""

import unicodedata
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from osdi.values.text import as_array, cleaned, from_number, normalized

E_ACUTE = "\N{LATIN SMALL LETTER E WITH ACUTE}"
FAMILY = "\N{MAN}\u200d\N{WOMAN}\u200d\N{GIRL}"
PERSIAN = "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645"
SINHALA = "\u0dc1\u0dca\u200d\u0dbb\u0dd3"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Jane", "Jane"),
        (" Jane ", "Jane"),
        ("Doe\t", "Doe"),
        ("\r\nJane\r\n", "Jane"),
        ("\u00a0Jane\u00a0", "Jane"),
        ("\u3000Jane", "Jane"),
        ("\ufeffjane@example.org", "jane@example.org"),
        ("jane@example.org\u200b", "jane@example.org"),
        ("ja\u200bne", "jane"),
        ("ja\u2060ne", "jane"),
        ("\u200bJane \ufeff", "Jane"),
        (" \ufeff ", ""),
        ("\u200b", ""),
        ("jane\u200d", "jane"),
        ("ja\u200cne", "jane"),
        ("Rene\u0301e", f"Ren{E_ACUTE}e"),
        (f"Ren{E_ACUTE}e", f"Ren{E_ACUTE}e"),
        ("\u212b", "\u00c5"),
        (FAMILY, FAMILY),
        (PERSIAN, PERSIAN),
        (SINHALA, SINHALA),
        ("two\nlines", "two\nlines"),
        ("two\r\n\r\n  lines ", "two\r\n\r\n  lines"),
        ("a  b", "a  b"),
        ("\uff21", "\uff21"),
    ],
    ids=ascii,
)
def test_a_text_is_cleaned(text: str, expected: str) -> None:
    assert cleaned(text) == expected


@given(st.text())
def test_cleaning_again_changes_nothing(text: str) -> None:
    once = cleaned(text)

    assert cleaned(once) == once
    assert unicodedata.is_normalized("NFC", once)
    assert once == once.strip()


@given(st.text())
def test_both_unicode_forms_of_a_text_become_equal(text: str) -> None:
    assert cleaned(unicodedata.normalize("NFD", text)) == cleaned(unicodedata.normalize("NFC", text))


def test_a_part_of_a_text_keeps_its_spaces() -> None:
    assert normalized("van \ufeff") == "van "


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (90210, "90210"),
        (90210.0, "90210"),
        (-7.0, "-7"),
        (0, "0"),
        (-0.0, "0"),
        (12.5, "12.5"),
        (0.1, "0.1"),
        (1e-7, "0.0000001"),
        (1e16, "10000000000000000"),
        (2**64 - 1, "18446744073709551615"),
    ],
)
def test_a_number_becomes_text_without_an_exponent(number: float, text: str) -> None:
    assert from_number(number) == text


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"0": "a", "2": "b"}, ["a", "b"]),
        ({"2": "b", "0": "a"}, ["a", "b"]),
        ({"1": "a"}, ["a"]),
        ({"10": "b", "9": "a"}, ["a", "b"]),
        ({"00": "a", "1": "b"}, ["a", "b"]),
        ({}, {}),
        ({"0": "a", "b": "c"}, {"0": "a", "b": "c"}),
        ({"-1": "a"}, {"-1": "a"}),
        ({"\u0661": "a"}, {"\u0661": "a"}),
        ({"": "a"}, {"": "a"}),
        (["a"], ["a"]),
        ("a", "a"),
        (None, None),
    ],
    ids=ascii,
)
def test_an_object_whose_names_are_numbers_is_an_array(value: Any, expected: Any) -> None:
    assert as_array(value) == expected
