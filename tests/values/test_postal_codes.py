"""Spellings of postal codes, countries and names that mean the same."""

import pytest

from osdi.values.names import compared_name, names_differ
from osdi.values.postal_codes import (
    more_exact_country,
    more_exact_postal_code,
    same_country,
    same_postal_code,
)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("02134", "02134-1000", True),
        ("02134-1000", "02134", True),
        ("02134", "021341000", True),
        ("02134 1000", "02134-1000", True),
        ("SW1A 1AA", "sw1a1aa", True),
        ("K1A 0B1", "K1A-0B1", True),
        ("1012 AB", "1012ab", True),
        ("02134-1000", "02134-2000", False),
        ("02134", "02135-1000", False),
        ("02134", "2134", False),
        ("SW1A 1AA", "SW1A 1AB", False),
        ("01310", "01310-100", False),  # Brazil: 01310 is a whole district
    ],
)
def test_postal_codes(one: str, other: str, same: bool) -> None:
    assert same_postal_code(one, other) is same


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("US", "USA", True),
        ("United States", "us", True),
        ("Deutschland", "Germany", True),
        ("UK", "GB", True),
        ("Great Britain", "gb", True),
        ("Middle-earth", "middle-earth", True),
        ("US", "CA", False),
        ("Middle-earth", "Narnia", False),
    ],
)
def test_countries(one: str, other: str, same: bool) -> None:
    assert same_country(one, other) is same


@pytest.mark.parametrize(
    ("stored", "posted", "kept"),
    [
        ("02134", "02134-1000", "02134-1000"),
        ("02134-1000", "02134", "02134-1000"),
        ("SW1A 1AA", "sw1a1aa", "SW1A 1AA"),
        ("sw1a1aa", "SW1A 1AA", "SW1A 1AA"),
        ("sw1a 1aa", "SW1A 1AA", "SW1A 1AA"),
    ],
)
def test_the_more_exact_postal_code(stored: str, posted: str, kept: str) -> None:
    assert more_exact_postal_code(stored, posted) == kept


@pytest.mark.parametrize(
    ("stored", "posted", "kept"), [("US", "USA", "US"), ("USA", "US", "US"), ("USA", "United States", "United States")]
)
def test_the_more_exact_country(stored: str, posted: str, kept: str) -> None:
    assert more_exact_country(stored, posted) == kept


@pytest.mark.parametrize(
    ("one", "other", "differ"),
    [
        (("Jane", "Doe"), ("jane", "DOE"), False),
        (("José", "García"), ("Jose", "Garcia"), False),
        (("Mary-Ann", "O'Neil"), ("Mary Ann", "ONeil"), False),
        (("Jane", "Doe"), ("Jane", ""), False),
        (("Jane", "Doe"), ("", ""), False),
        (("Jane Doe", ""), ("Jane", "Doe"), False),
        (("Jane", "Doe"), ("John", "Doe"), True),
        (("Jane", "Doe"), ("Jane", "Roe"), True),
        (("Jane", "Doe"), ("John", ""), True),
        (("", "Doe"), ("", "Roe"), True),
        (("Jane", ""), ("", "Doe"), False),
        (("?", "-"), ("Jane", "Doe"), False),
    ],
)
def test_names(one: tuple[str, str], other: tuple[str, str], differ: bool) -> None:
    first, second = (
        compared_name(dict(zip(("given_name", "family_name"), name, strict=True))) for name in (one, other)
    )

    assert names_differ(first, second) is differ
    assert names_differ(second, first) is differ
