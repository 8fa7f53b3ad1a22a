"""Cells of spreadsheets: the accepted forms of dates, times, countries and statuses, and the errors for others."""

import datetime as dt

import orjson
import pytest

from dev.country_names import FILE, country_names
from osdi.values import dates, words

AMBIGUOUS = "The date is ambiguous"


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
        ("5/6/30", "dmy", (1930, 6, 5)),
        ("5/6/29", "dmy", (2029, 6, 5)),
        ("5/6/00", "dmy", (2000, 6, 5)),
        ("5/6/99", "dmy", (1999, 6, 5)),
        ("March 5, 2020", None, (2020, 3, 5)),
        ("5 Mar 2020", None, (2020, 3, 5)),
        ("5. Mar 2020", None, (2020, 3, 5)),
        ("5-Mar-73", None, (1973, 3, 5)),
        ("2024-12-31 at noon", None, (2024, 12, 31)),
    ],
)
def test_dates(text: str, order: dates.DayFirst | None, date: tuple[int, int, int]) -> None:
    assert dates.date(text, order) == dt.date(*date)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("1/2/2024", AMBIGUOUS),
        ("2024-02-30", "day does not exist"),
        ("31.11.2024", "day does not exist"),
        ("99/99/2024", "day does not exist"),
        ("tomorrow", "Not a date"),
        ("1/2/3", "Not a date"),
        ("2024-12-311", "day does not exist"),
        ("Feb 29 2023", "day does not exist"),
        ("Feb 30 2024", "Not a date"),
        ("45292", "Not a date"),
        ("", "Not a date"),
    ],
)
def test_an_invalid_date_is_an_error(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        dates.date(text)


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
def test_timestamps(text: str, timestamp: str) -> None:
    assert dates.timestamp(text) == timestamp


@pytest.mark.parametrize("text", ["31.12.2024 25:30", "31.12.2024 18.30", "12/31/2024 at 3pm", "2024-12-31 10:00 EST"])
def test_an_unreadable_time_is_an_error_and_not_midnight(text: str) -> None:
    with pytest.raises(ValueError, match="Not a time"):
        dates.timestamp(text)


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
def test_a_country_is_recognised_by_its_name_in_any_language(text: str, code: str) -> None:
    assert words.country(text) == code


def test_the_file_of_country_names_matches_the_phone_number_library() -> None:
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
    assert words.status(text) == status


def test_an_unknown_status_is_an_error() -> None:
    with pytest.raises(ValueError, match="Write subscribed"):
        words.status("perhaps")


@pytest.mark.parametrize(("text", "value"), [("Yes", True), ("x", True), ("0", False), ("nein", False)])
def test_yes_and_no(text: str, value: bool) -> None:
    assert words.boolean(text) is value


@pytest.mark.parametrize("text", ["1.20256E+10", "4,9E+11"])
def test_a_number_that_a_spreadsheet_rounded_is_rejected(text: str) -> None:
    with pytest.raises(ValueError, match="rounded"):
        words.phone_number(text)


@pytest.mark.parametrize(
    ("text", "minutes"),
    [
        ("2026-03-18T23:30:00-05:00", -300),
        ("2026-03-18T23:30:00.123-0500", -300),
        ("2026-03-18 23:30-05", -300),
        ("2026-03-18 23:30:00 +0530", 330),
        ("20260318T233000+13", 780),
        (" 2026-03-18T23:30:00+05:45 ", 345),
        ("2026-03-18t23:30:00-03:30", -210),
        ("2026-03-18T23:30:00Z", 0),
        ("2026-03-18T23:30:00+00:00", 0),
        ("2026-03-18T23:30:00-00:00", 0),
        ("2026-03-18T23:30:00", 0),
        ("2026-03-18", 0),
        ("2026-W12-3", 0),
        ("2026-03-18 23:30 UTC", 0),
        ("", 0),
    ],
)
def test_the_offset_of_a_time_is_read(text: str, minutes: int) -> None:
    assert dates.offset_minutes(text) == minutes


SECOND = dt.datetime(2026, 3, 18, 11, 2, 15, tzinfo=dt.UTC)


@pytest.mark.parametrize(
    "text",
    [
        "2026-03-18T11:02:15Z",
        "2026-03-18T11:02:15+00:00",
        "2026-03-18 11:02:15 UTC",
        "2026-03-18 11:02:15UTC",
        "2026-03-18 11:02:15 utc",
        "2026-03-18 11:02:15 GMT",
        "2026-03-18T11:02:15 Z",
        "2026-03-18t11:02:15z",
        "2026-03-18T11:02:15z",
        "2026-03-18 12:02:15 +0100",
        "2026-03-18 12:02:15 +01:00",
        " 2026-03-18T06:02:15-05:00 ",
        "Wed, 18 Mar 2026 11:02:15 GMT",
        "18 Mar 2026 12:02:15 +0100",
        "20260318T110215Z",
        "2026-W12-3T11:02:15Z",
    ],
)
def test_spellings_of_one_moment(text: str) -> None:
    assert dates.instant(text) == SECOND


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2016-12-31T23:59:60Z", "2016-12-31T23:59:59+00:00"),
        ("2016-12-31 23:59:60 UTC", "2016-12-31T23:59:59+00:00"),
        ("2016-12-31t23:59:60z", "2016-12-31T23:59:59+00:00"),
        ("2016-12-31T23:59:60.250Z", "2016-12-31T23:59:59.250000+00:00"),
        ("2016-12-31T18:59:60-05:00", "2016-12-31T18:59:59-05:00"),
        ("2017-01-01T05:29:60+05:30", "2017-01-01T05:29:59+05:30"),
        ("2016-12-31T23:59:60", "2016-12-31T23:59:59"),
    ],
)
def test_a_leap_second_is_the_last_second_of_its_minute(text: str, expected: str) -> None:
    assert dates.instant(text).isoformat() == expected


@pytest.mark.parametrize(
    "text",
    ["2016-12-31T10:15:60Z", "2016-12-31T23:59:61Z", "yesterday", "", "1395140535", "Wed, 99 Mar 2026 11:02 GMT"],
)
def test_a_text_that_is_no_moment_is_an_error(text: str) -> None:
    with pytest.raises(ValueError):  # the text is Python's
        dates.instant(text)


@pytest.mark.parametrize(
    ("yes", "no"),
    [
        ("WAHR", "FALSCH"),
        ("VRAI", "FAUX"),
        ("VERDADERO", "FALSO"),
        ("WAAR", "ONWAAR"),
        ("VERO", "FALSO"),
        ("VERDADEIRO", "FALSO"),
        ("SANT", "FALSKT"),
        ("SAND", "FALSK"),
        ("TOSI", "EPÄTOSI"),
        ("PRAWDA", "FAŁSZ"),
        ("PRAVDA", "NEPRAVDA"),
        ("IGAZ", "HAMIS"),
        ("ADEVĂRAT", "FALS"),
        ("ja", "nein"),
        ("oui", "non"),
        ("sí", "no"),
        ("sim", "não"),
        ("ja", "nej"),
        ("tak", "nie"),
        ("ano", "ne"),
    ],
)
def test_yes_and_no_are_read_in_the_language_of_a_spreadsheet(yes: str, no: str) -> None:
    assert (words.boolean(yes), words.boolean(no)) == (True, False)
    assert (words.boolean(f" {yes.lower()} "), words.boolean(no.capitalize())) == (True, False)


def test_no_word_is_both_yes_and_no() -> None:
    assert words.TRUE.isdisjoint(words.FALSE)
    assert words.OTHER_GENDERS.isdisjoint({*words.GENDERS, *words.NO_GENDER})


@pytest.mark.parametrize(
    ("word", "fields"),
    [
        ("F", {"gender": "Female"}),
        ("weiblich", {"gender": "Female"}),
        ("Homme", {"gender": "Male"}),
        ("mujer", {"gender": "Female"}),
        ("man", {"gender": "Male"}),
        ("Other", {"gender": "Other"}),
        ("Non-binary", {"gender": "Other", "gender_identity": "Non-binary"}),
        ("nonbinary", {"gender": "Other", "gender_identity": "nonbinary"}),
        ("Divers", {"gender": "Other", "gender_identity": "Divers"}),
        ("Two-Spirit", {"gender": "Other", "gender_identity": "Two-Spirit"}),
        ("no binario", {"gender": "Other", "gender_identity": "no binario"}),
        ("trans woman", {"gender_identity": "trans woman"}),
        ("Prefer not to say", {}),
        ("Unspecified", {}),
        ("unknown", {}),
        ("keine Angabe", {}),
    ],
)
def test_the_fields_of_a_gender(word: str, fields: dict[str, str]) -> None:
    assert words.gender_fields(word) == fields


@pytest.mark.parametrize(
    ("text", "order", "parts"),
    [
        ("1980-03-25", None, (1980, 3, 25)),
        ("25.03.1980", None, (1980, 3, 25)),
        ("03/25", "mdy", (None, 3, 25)),
        ("03/25", None, (None, 3, 25)),
        ("25/03", None, (None, 3, 25)),
        ("3/4", "mdy", (None, 3, 4)),
        ("3/4", "dmy", (None, 4, 3)),
        ("25.3.", None, (None, 3, 25)),
        ("4.3", None, (None, 3, 4)),
        ("--03-25", None, (None, 3, 25)),
        ("--03-04", None, (None, 3, 4)),
        ("--0325", None, (None, 3, 25)),
        ("0000-03-04", None, (None, 3, 4)),
        ("1604-03-25", None, (None, 3, 25)),
        ("March 25", None, (None, 3, 25)),
        ("25 Mar", None, (None, 3, 25)),
        ("March 25th", None, (None, 3, 25)),
        ("02/29", "mdy", (None, 2, 29)),
        ("1980", None, (1980, None, None)),
        ("3/25/49", "mdy", (1949, 3, 25)),
        ("3/25/05", "mdy", (2005, 3, 25)),
    ],
)
def test_birthdates(text: str, order: dates.DayFirst | None, parts: tuple[int | None, ...]) -> None:
    found = dates.birthdate(text, order)

    assert tuple(found.get(name) for name in ("year", "month", "day")) == parts


def test_a_birthdate_of_two_digits_is_not_in_the_future() -> None:
    next_year = dt.date.today().year + 1

    assert dates.birthdate(f"3/25/{next_year % 100:02}", "mdy")["year"] == next_year - 100


@pytest.mark.parametrize("text", ["0/0/00", "00/00/0000", "0000-00-00", "00.00.0000", "0000-00-00 00:00:00"])
def test_no_date_is_no_birthdate(text: str) -> None:
    assert dates.birthdate(text) == {}


@pytest.mark.parametrize("text", ["3/4", "13/13", "30.2.", "02/30", "tomorrow", "29305", "March 1980", "0325"])
def test_an_unreadable_birthdate_is_an_error(text: str) -> None:
    with pytest.raises(ValueError, match=r"Not a date|ambiguous|does not exist"):
        dates.birthdate(text)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("133", 133),
        ("133.0", 133),
        ("133,0", 133),
        ("133.4", 133),
        ("0", 0),
        ("00:02:13", 133),
        ("0:02:13", 133),
        ("2:13", 133),
        ("02:13", 133),
        ("1:02:13", 3733),
        ("00:02:13.250", 133),
        ("2 min 13 s", 133),
        ("2m13s", 133),
        ("2 minutes, 13 seconds", 133),
        ("133 s", 133),
        ("133 sec", 133),
        ("PT2M13S", 133),
        ("1h", 3600),
        ("PT1H2M", 3720),
        ("90:00", 5400),
    ],
)
def test_durations(text: str, seconds: int) -> None:
    assert dates.duration(text) == seconds


@pytest.mark.parametrize("text", ["", "long", "2:75", "1:2:3:4", "-5", "2 fish", "PT", "1:99:00"])
def test_an_unreadable_duration_is_an_error(text: str) -> None:
    with pytest.raises(ValueError, match="Not a duration"):
        dates.duration(text)
