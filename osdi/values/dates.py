"""Reads dates and times as people, spreadsheets and other programs write them.

A text that cannot be read raises ValueError; its text says what to do. Pure.
"""

import datetime as dt
import re
from email.utils import parsedate_to_datetime
from typing import Final, Literal

DayFirst = Literal["dmy", "mdy"]

NUMBERS: Final = re.compile(r"(\d{1,4})([./-])(\d{1,2})\2(\d{1,4})(?=$|[ T,])")
# A date of three words, one of which is a month's name: `5 Mar 2020`, `March 5, 2020`, `5-Mar-20`.
WORDS: Final = re.compile(r"(\w+)[ .,-]+(\w+)[ .,-]+(\d{4}|\d{2})(?=$|[ T,])")
NAMED_MONTH: Final = ("%d %b", "%d %B", "%b %d", "%B %d")
TIME: Final = re.compile(r"[ T,]+(\d{1,2}:\d{2}(?::\d{2})?)(?:\s*([AaPp])\.?[Mm]\.?)?\s*([+-]\d{2}:\d{2})?")
# Only behind a time: a date has no zone.
ZULU: Final = re.compile(r"(:\d\d(?:[.,]\d+)?(?:\s*[ap]\.?m\.?)?)\s*(?:UTC|GMT|Z)$", re.IGNORECASE)
OFFSET: Final = re.compile(r"(\d)\s+([+-]\d{2}):?(\d{2})$")
SMALL_T: Final = re.compile(r"(?<=\d)t(?=\d)")
# Offsets are whole quarters of an hour, so a leap second is at the end of one.
LEAP_SECOND: Final = re.compile(r"(\d\d:(?:59|14|29|44):)60(?!\d)")
# RFC 5322, as in mails and HTTP headers, and as browsers print a date in UTC.
MAIL_DATE: Final = re.compile(r"(?:[A-Za-z]{3}, *)?\d{1,2} +[A-Za-z]{3} +\d{4} +\d{1,2}:\d\d(?::\d\d)? +\S+")
# The offset after a time: `T23:30-05:00`, `23:30:00.5 +0530`, `T233000-05`.
FINAL_OFFSET: Final = re.compile(r"[Tt ]\d{2}[\d:.,]*\s*([+-])([01]\d|2[0-3]):?([0-5]\d)?$")
# No date, as programs write it: `0/0/00`, `00.00.0000`, `0000-00-00 00:00:00`.
ZERO_DATE: Final = re.compile(r"0{1,4}[./-]0{1,2}[./-]0{1,4}([ T]+0{1,2}:0{2}(:0{2}(\.0+)?)?)?")
# A day of a year: `03/25`, `25.3.`, `--03-25`; and one with a month's name: `25 March`, `March 25th`.
DAY_OF_YEAR: Final = re.compile(r"(-{0,2})(\d{1,2})([./-]?)(\d{1,2})\.?")
NAMED_DAY: Final = re.compile(r"(\w+)[ .,-]+(\w+?)(?:st|nd|rd|th|\.)?")
# Address books write one of these for an unknown year.
NO_YEAR: Final = (0, 1604)
CLOCK: Final = re.compile(r"(?:(\d+):)?(\d{1,5}):(\d{1,2})(?:[.,]\d+)?")
UNITS: Final = re.compile(
    r"(?:pt)?(?:(\d+)\s*h(?:ours?|rs?)?)?[\s,]*(?:(\d+)\s*m(?:in(?:ute)?s?)?\.?)?[\s,]*(?:(\d+)(?:[.,]\d+)?\s*s(?:ec(?:ond)?s?)?\.?)?"
)
NUMBER: Final = re.compile(r"\d+([.,]\d{1,6})?")
PIVOT: Final = 30  # a year of two digits: 30 and above is 19.., as in most spreadsheets


def date(text: str, order: DayFirst | None = None) -> dt.date:
    """Returns a date; a time after it is ignored. Raises ValueError.

    Accepts ISO 8601, `31.12.2024`, names of months, and `12/31/2024` in the given order. Without an order such a date
    is accepted only if it is unambiguous.
    """
    return _day(text.strip(), order)[0]


def birthdate(text: str, order: DayFirst | None = None) -> dict[str, int]:
    """Returns the parts of a birth date that a text has: year, month and day, or month and day, or the year.

    A text for no date, such as `0/0/00`, has none. Raises ValueError.
    """
    written = text.strip()
    if ZERO_DATE.fullmatch(written):
        return {}
    if re.fullmatch(r"(1[89]|20)\d\d(\.0)?", written):
        return {"year": int(written[:4])}
    found = _day_of_year(re.sub(r"^0000-", "--", written), order)
    if found is not None:
        return found
    day = date(written, order)
    if day.year in NO_YEAR:
        return {"month": day.month, "day": day.day}
    two_digits = re.search(r"\d{4}", written) is None
    year = day.year - 100 if two_digits and day > dt.date.today() else day.year
    return {"year": year, "month": day.month, "day": day.day}


def duration(text: str) -> int:
    """Returns a duration in seconds: `133`, `133.0`, `2:13`, `00:02:13`, `2 min 13 s`, `PT2M13S`. Raises ValueError."""
    written = text.strip().casefold()
    if NUMBER.fullmatch(written):
        return round(float(written.replace(",", ".")))
    found = CLOCK.fullmatch(written) or (UNITS.fullmatch(written) if written else None)
    if found is None or not any(found.groups()) or (":" in written and _exceeds_an_hour(found)):
        raise ValueError("Not a duration such as 133 or 00:02:13.")
    hours, minutes, seconds = (int(each or 0) for each in found.groups())
    return hours * 3600 + minutes * 60 + seconds


def timestamp(text: str, order: DayFirst | None = None) -> str:
    """Returns a date and time in ISO 8601; without a zone it means UTC, without a time midnight. Raises ValueError."""
    try:
        return instant(text).isoformat()
    except ValueError:
        pass
    day, rest = _day(_with_offset(text.strip()), order)
    if not rest:
        return day.isoformat()
    wrong = ValueError("Not a time such as 2024-12-31 18:30, or 2024-12-31 18:30 UTC.")
    time = TIME.fullmatch(rest)
    if time is None:  # the rest may contain the name of an unknown zone
        raise wrong
    clock, half, offset = time.groups()
    hour, _, minutes = clock.partition(":")
    hours = int(hour) % 12 + (12 if half.lower() == "p" else 0) if half else int(hour)
    try:
        return dt.datetime.fromisoformat(f"{day.isoformat()}T{hours:02}:{minutes}{offset or ''}").isoformat()
    except ValueError:
        raise wrong from None


def instant(text: str) -> dt.datetime:
    """Returns the date and time of a text in ISO 8601 or in a form that differs only a little. Raises ValueError.

    Accepts small `t` and `z`, `UTC` and `GMT` behind the time, a space before the offset, dates of mails (RFC 5322),
    and leap seconds: `23:59:60` is the last second of the minute. Without a zone it is naive.
    """
    try:
        return dt.datetime.fromisoformat(text)
    except ValueError:
        pass
    if MAIL_DATE.fullmatch(text.strip()):
        return parsedate_to_datetime(text.strip())
    written = SMALL_T.sub("T", _with_offset(text.strip()))
    return dt.datetime.fromisoformat(LEAP_SECOND.sub(r"\g<1>59", written))


def _with_offset(written: str) -> str:
    """Returns the text with its zone as an offset behind the time, if the zone is UTC or an offset."""
    return OFFSET.sub(r"\1\2:\3", ZULU.sub(r"\1+00:00", written))


def _day(written: str, order: DayFirst | None) -> tuple[dt.date, str]:
    """Returns the date that a text begins with, and the text after it. Raises ValueError."""
    numbers = NUMBERS.match(written)
    if numbers is None:
        return _with_named_month(written)
    rest = written[numbers.end() :]
    first, separator, second, third = numbers.groups()
    if len(first) == 4:
        return _checked(int(first), int(second), int(third)), rest
    if len(first) > 2 or len(third) not in (2, 4):
        raise ValueError("Not a date such as 2024-12-31.")
    day, month = int(first), int(second)
    if _month_first(day, month, separator, order):
        day, month = month, day
    return _checked(_year(third), month, day), rest


def _month_first(first: int, second: int, separator: str, order: DayFirst | None) -> bool:
    if first > 12 or separator == ".":  # dates with dots have the day first
        return False
    if second > 12:
        return True
    if order is None and first != second:
        raise ValueError("The date is ambiguous. Use --dates dmy or --dates mdy.")
    return order == "mdy"


def _with_named_month(written: str) -> tuple[dt.date, str]:
    words = WORDS.match(written)
    if words is None:
        raise ValueError("Not a date such as 2024-12-31.")
    for form in NAMED_MONTH:
        try:
            # 2000 is a leap year, so 29 February is accepted.
            found = dt.datetime.strptime(f"{words[1]} {words[2]} 2000", f"{form} %Y")
        except ValueError:
            continue
        return _checked(_year(words[3]), found.month, found.day), written[words.end() :]
    raise ValueError("Not a date such as 2024-12-31.")


def _exceeds_an_hour(clock: re.Match[str]) -> bool:
    """True if a clock has more than 59 seconds, or minutes after an hour."""
    hours, minutes, seconds = clock.groups()
    return int(seconds) > 59 or (hours is not None and int(minutes) > 59)


def _day_of_year(written: str, order: DayFirst | None) -> dict[str, int] | None:
    """Returns month and day of a text without a year, or None for other texts. Raises ValueError."""
    numbers = DAY_OF_YEAR.fullmatch(written)
    if numbers is not None:
        dashes, first, separator, second = numbers.groups()
        if not separator and len(dashes) < 2:
            return None
        day, month = int(first), int(second)
        # An ISO 8601 date without a year has the month first.
        if dashes or _month_first(day, month, separator, order):
            day, month = month, day
        return _checked_day(month, day)
    words = NAMED_DAY.fullmatch(written)
    for form in NAMED_MONTH if words else ():
        try:
            found = dt.datetime.strptime(f"{words[1]} {words[2]} 2000", f"{form} %Y") if words else dt.datetime.min
        except ValueError:
            continue
        return {"month": found.month, "day": found.day}
    return None


def _checked_day(month: int, day: int) -> dict[str, int]:
    _checked(2000, month, day)  # a leap year
    return {"month": month, "day": day}


def _year(digits: str) -> int:
    return int(digits) if len(digits) == 4 else int(digits) + (1900 if int(digits) >= PIVOT else 2000)


def _checked(year: int, month: int, day: int) -> dt.date:
    try:
        return dt.date(year, month, day)
    except ValueError:
        raise ValueError("This day does not exist.") from None


def offset_minutes(text: str) -> int:
    """Returns the offset from UTC, in minutes, at the end of a date and time; 0 if it has none."""
    found = FINAL_OFFSET.search(text.strip())
    if found is None:
        return 0
    minutes = int(found[2]) * 60 + int(found[3] or 0)
    return -minutes if found[1] == "-" else minutes
