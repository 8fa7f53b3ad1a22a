"""Numbers, dates, times and lists as each language writes them."""

import datetime as dt
from zoneinfo import ZoneInfo

import pytest

from osdi.languages import LANGUAGES, PSEUDO_LANGUAGES
from osdi.languages.formats import FORMS, date, date_and_time, listed, number

# In New York this is still the day before.
TIMESTAMP = dt.datetime(2026, 12, 1, 3, 5)
NEW_YORK = ZoneInfo("America/New_York")


@pytest.mark.parametrize(
    ("language", "written"),
    [("en", "1,234,567.5"), ("es", "1.234.567,5"), ("de", "1.234.567,5"), ("fr", "1\u202f234\u202f567,5")],
)
def test_a_number_has_the_separators_of_the_language(language: str, written: str) -> None:
    assert number(1_234_567.5, language) == written


@pytest.mark.parametrize(
    ("language", "written"),
    [
        ("en", "November 30, 2026"),
        ("es", "30 de noviembre de 2026"),
        ("de", "30. November 2026"),
        ("fr", "30 novembre 2026"),
        ("en-XA", "Ñöṽéɱƀéŕ 30, 2026"),
    ],
)
def test_a_date_is_the_day_in_the_time_zone(language: str, written: str) -> None:
    assert date(TIMESTAMP, language, NEW_YORK) == written
    assert date(TIMESTAMP.replace(tzinfo=dt.UTC), language, NEW_YORK) == written


def test_a_date_without_a_time_is_not_moved() -> None:
    assert date(dt.date(2026, 12, 1), "en", NEW_YORK) == "December 1, 2026"


@pytest.mark.parametrize(
    ("language", "written"),
    [
        ("en", "November 30, 2026, 10:05\u202fPM"),
        ("es", "30 de noviembre de 2026, 22:05"),
        ("de", "30. November 2026, 22:05"),
        ("fr", "30 novembre 2026, 22:05"),
    ],
)
def test_a_time_is_that_of_the_time_zone(language: str, written: str) -> None:
    assert date_and_time(TIMESTAMP, language, NEW_YORK) == written


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("language", [*LANGUAGES, *PSEUDO_LANGUAGES])
def test_each_form_exists_in_each_language(language: str, form: str) -> None:
    assert "2026"[2:] in date(TIMESTAMP, language, form=form)
    assert date(TIMESTAMP, language, form=form) in date_and_time(TIMESTAMP, language, form=form)


@pytest.mark.parametrize(
    ("language", "written"),
    [
        ("en", "A, {b}, and C"),
        ("es", "A, {b} y C"),
        ("de", "A, {b} und C"),
        ("fr", "A, {b} et C"),
        ("en-XA", "A, {b}, àñđ C"),
    ],
)
def test_several_items_are_one_text(language: str, written: str) -> None:
    assert listed(["A", "{b}", "C"], language) == written


@pytest.mark.parametrize(("items", "written"), [([], ""), (["A"], "A"), (["A", "B"], "A and B")], ids=len)
def test_a_short_list_needs_no_comma(items: list[str], written: str) -> None:
    assert listed(items, "en") == written
