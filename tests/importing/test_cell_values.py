"""What people write into spreadsheets, and what cannot be told from it."""

import datetime as dt

import orjson
import pytest

from dev.country_names import FILE, country_names
from osdi.importing.csv_files import cell_values

DOUBT = "It may be two dates"


@pytest.mark.parametrize(
    ("text", "order", "date"),
    [
        ("2024-12-31", None, (2024, 12, 31)),
        ("2024-12-31 10:00:00 UTC", None, (2024, 12, 31)),
        ("2024/12/31", None, (2024, 12, 31)),
        ("31.12.2024", None, (2024, 12, 31)),
        ("1.2.2024", None, (2024, 2, 1)),
        ("1.2.2024", "mdy", (2024, 2, 1)),
        ("31/12/2024", None, (2024, 12, 31)),
        ("12/31/2024", None, (2024, 12, 31)),
        ("12/31/2024", "dmy", (2024, 12, 31)),
        ("1/2/2024", "dmy", (2024, 2, 1)),
        ("1/2/2024", "mdy", (2024, 1, 2)),
        ("3/3/2024", None, (2024, 3, 3)),
        ("1-2-24", "mdy", (2024, 1, 2)),
        ("5/6/73", "dmy", (1973, 6, 5)),
        ("March 5, 2020", None, (2020, 3, 5)),
        ("5 Mar 2020", None, (2020, 3, 5)),
        ("5. Mar 2020", None, (2020, 3, 5)),
        ("5-Mar-73", None, (1973, 3, 5)),
        ("2024-12-31 at noon", None, (2024, 12, 31)),
    ],
)
def test_dates(text: str, order: cell_values.DayFirst | None, date: tuple[int, int, int]) -> None:
    assert cell_values.date(text, order) == dt.date(*date)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("1/2/2024", DOUBT),
        ("2024-02-30", "no such day"),
        ("31.11.2024", "no such day"),
        ("99/99/2024", "no such day"),
        ("tomorrow", "Not a date"),
        ("1/2/3", "Not a date"),
        ("2024-12-311", "no such day"),
        ("Feb 29 2023", "no such day"),
        ("Feb 30 2024", "Not a date"),
        ("45292", "Not a date"),
        ("", "Not a date"),
    ],
)
def test_what_is_no_date_is_told(text: str, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        cell_values.date(text)


@pytest.mark.parametrize(
    ("text", "timestamp"),
    [
        ("2022-03-22 10:00:00 UTC", "2022-03-22T10:00:00+00:00"),
        ("2022-03-22T10:00:00Z", "2022-03-22T10:00:00+00:00"),
        ("2022-03-22 10:00:00 -0500", "2022-03-22T10:00:00-05:00"),
        ("2022-03-22", "2022-03-22T00:00:00"),
        ("31.12.2024 18:30", "2024-12-31T18:30:00"),
        ("12/31/2024 3:05 PM", "2024-12-31T15:05:00"),
        ("12/31/2024 12:05 am", "2024-12-31T00:05:00"),
        ("March 5, 2020 3:05 p.m.", "2020-03-05T15:05:00"),
        ("31.12.2024 18:30 UTC", "2024-12-31T18:30:00+00:00"),
    ],
)
def test_moments(text: str, timestamp: str) -> None:
    assert cell_values.timestamp(text) == timestamp


@pytest.mark.parametrize("text", ["31.12.2024 25:30", "31.12.2024 18.30", "12/31/2024 at 3pm", "2024-12-31 10:00 EST"])
def test_a_time_that_cannot_be_read_is_told_and_never_taken_for_midnight(text: str) -> None:
    with pytest.raises(ValueError, match="Not a time"):
        cell_values.timestamp(text)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("United States", "US"),
        ("USA", "US"),
        ("us", "US"),
        ("uk", "GB"),
        ("Deutschland", "DE"),
        ("Österreich", "AT"),
        ("Allemagne", "DE"),
        ("España", "ES"),
        ("Narnia", "Narnia"),
    ],
)
def test_countries_are_known_by_name_in_any_language(text: str, code: str) -> None:
    assert cell_values.country(text) == code


def test_the_names_of_countries_are_those_that_the_phone_number_library_knows() -> None:
    assert orjson.loads(FILE.read_bytes()) == country_names()


@pytest.mark.parametrize(
    ("text", "status"),
    [
        ("subscribed", "subscribed"),
        ("Unsubscribed", "unsubscribed"),
        ("opted-out", "unsubscribed"),
        ("bounced", "bouncing"),
        ("previous bounce", "bouncing"),
        ("previous spam complaint", "spam complaints"),
        ("spam_complaint", "spam complaints"),
    ],
)
def test_statuses(text: str, status: str) -> None:
    assert cell_values.status(text) == status


def test_a_status_that_is_not_known_is_never_guessed() -> None:
    with pytest.raises(ValueError, match="Neither subscribed"):
        cell_values.status("perhaps")


@pytest.mark.parametrize(("text", "said"), [("Yes", True), ("x", True), ("0", False), ("nein", False)])
def test_yes_and_no(text: str, said: bool) -> None:
    assert cell_values.boolean(text) is said


@pytest.mark.parametrize("text", ["1.20256E+10", "4,9E+11"])
def test_a_number_that_a_spreadsheet_rounded_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="rounded"):
        cell_values.phone_number(text)
