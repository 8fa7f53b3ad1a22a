"""Texts in one form: without invisible characters, in NFC, trimmed; numbers as texts; PHP's arrays."""

import time
import unicodedata
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from osdi.values.text import Form, as_array, cleaned, from_number, normalized, unicode_form
from tests.support.live import ROOT

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
        ("\u3000\u200d\u3000", ""),
        ("\u3000\u200dJane\u200d ", "Jane"),
        ("\u212a\u200ca\u212a", "KaK"),
    ],
    ids=ascii,
)
def test_a_text_is_cleaned(text: str, expected: str) -> None:
    assert cleaned(text) == expected


# Signs that NFC makes ASCII of, joiners, marks and spaces.
TRICKY = st.text(st.sampled_from("aK\u212a\u037e\u1fef\u200c\u200d\u0301\u0316\u0344\ufeff \u3000" + E_ACUTE))


@given(st.text() | TRICKY)
def test_cleaning_again_changes_nothing(text: str) -> None:
    once = cleaned(text)

    assert cleaned(once) == once
    assert unicodedata.is_normalized("NFC", once)
    assert once == once.strip()


@given(st.text())
def test_both_unicode_forms_of_a_text_become_equal(text: str) -> None:
    assert cleaned(unicodedata.normalize("NFD", text)) == cleaned(unicodedata.normalize("NFC", text))


@pytest.mark.parametrize("marks", ["\u0301\u0316", "\u0316\u0301", "\u0344\u0316", "\u0f73\u0f71"], ids=ascii)
@pytest.mark.parametrize("form", ["NFC", "NFKC", "NFKD"])
def test_very_many_marks_on_one_letter_take_no_long_time(form: Form, marks: str) -> None:
    text = "a" + marks * 60_000
    began = time.process_time()

    found = unicode_form(form, text)

    assert time.process_time() - began < 1  # half a minute if all marks of a letter are sorted together
    assert len(found) >= 60_000


@given(st.text(st.sampled_from("a\u0301\u0316\u2764\ufe0f\u2026\uff21" + E_ACUTE), max_size=40))
def test_up_to_thirty_marks_in_a_row_are_normalised_as_unicode_says(text: str) -> None:
    ordinary = text[:30]

    assert unicode_form("NFC", ordinary) == unicodedata.normalize("NFC", ordinary)
    assert unicode_form("NFKD", f"x{ordinary}") == unicodedata.normalize("NFKD", f"x{ordinary}")


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


def test_no_other_module_normalises_texts() -> None:
    modules = [path for folder in ("osdi", "schemas", "blueprints") for path in (ROOT / folder).rglob("*.py")]

    assert [path.name for path in modules if "unicodedata.normalize(" in path.read_text()] == ["text.py"]
