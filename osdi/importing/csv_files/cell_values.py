"""What people write into spreadsheets, read as what OSDI takes: dates, yes and no, countries, statuses.

What cannot be read is a ValueError whose text tells the organiser what to do. Pure.
"""

import datetime as dt
import re
from functools import cache
from pathlib import Path
from typing import Final, Literal

import orjson

DayFirst = Literal["dmy", "mdy"]

TRUE: Final = {"1", "true", "t", "yes", "y", "on", "x", "ja", "oui", "si", "sí"}
FALSE: Final = {"0", "false", "f", "no", "n", "off", "nein", "non"}
STATUSES: Final = {
    **dict.fromkeys(("subscribed", "active", "opted in", "opt in", "confirmed"), "subscribed"),
    **dict.fromkeys(("unsubscribed", "inactive", "opted out", "opt out", "cancelled"), "unsubscribed"),
    **dict.fromkeys(
        ("bouncing", "bounced", "bounce", "previous bounce", "cleaned", "invalid", "hard bounce"), "bouncing"
    ),
    **dict.fromkeys(
        ("spam complaints", "spam complaint", "previous spam complaint", "spam", "complained", "complaint"),
        "spam complaints",
    ),
}
GENDERS: Final = {
    **dict.fromkeys(("f", "female", "w", "woman"), "Female"),
    **dict.fromkeys(("m", "male", "man"), "Male"),
    **dict.fromkeys(("o", "other", "x", "d"), "Other"),
}
# What stands in addresses besides the names that the phone number library knows in every language.
COUNTRIES: Final = {
    **dict.fromkeys(("usa", "u.s.a.", "u.s.", "united states of america", "america"), "US"),
    **dict.fromkeys(("uk", "u.k.", "great britain", "britain", "england", "scotland", "wales"), "GB"),
    **dict.fromkeys(("holland", "the netherlands"), "NL"),
    "czech republic": "CZ",
}

COUNTRY_NAMES: Final = Path(__file__).with_name("country_names.json")
NUMBERS: Final = re.compile(r"(\d{1,4})([./-])(\d{1,2})\2(\d{1,4})(?=$|[ T,])")
# A date of three words, one of which is a month's name: `5 Mar 2020`, `March 5, 2020`, `5-Mar-20`.
WORDS: Final = re.compile(r"(\w+)[ .,-]+(\w+)[ .,-]+(\d{4}|\d{2})(?=$|[ T,])")
NAMED_MONTH: Final = ("%d %b", "%d %B", "%b %d", "%B %d")
TIME: Final = re.compile(r"[ T,]+(\d{1,2}:\d{2}(?::\d{2})?)(?:\s*([AaPp])\.?[Mm]\.?)?\s*([+-]\d{2}:\d{2})?")
ROUNDED: Final = re.compile(r"[+-]?\d+([.,]\d+)?[eE]\+?\d+")
PIVOT: Final = 30  # a year of two digits: 30 and more is 19.., as most spreadsheets have it


def boolean(text: str) -> bool:
    """Yes or no."""
    said = text.strip().casefold()
    if said in TRUE or said in FALSE:
        return said in TRUE
    raise ValueError("Neither yes nor no.")


def status(text: str) -> str:
    """An e-mail address's status in the standard's words."""
    said = " ".join(re.split(r"[\s_-]+", text.strip().casefold()))
    if said in STATUSES:
        return STATUSES[said]
    raise ValueError("Neither subscribed, unsubscribed, bouncing nor spam complaints.")


def gender(text: str) -> str:
    """A gender in the standard's words, or what was written, which the schema judges."""
    return GENDERS.get(text.strip().casefold(), text.strip())


def country(text: str) -> str:
    """The ISO 3166-1 Alpha-2 code of a country that is named, in whatever language; what is no name stays."""
    name = " ".join(text.split())
    if len(name) == 2 and name.isascii() and name.isalpha() and name.casefold() != "uk":
        return name.upper()
    return COUNTRIES.get(name.casefold()) or _country_names().get(name.casefold(), name)


def phone_number(text: str) -> str:
    """A phone number as it was written."""
    if ROUNDED.fullmatch(text.strip()):
        raise ValueError("A spreadsheet has rounded this number; its column has to be text.")
    return text.strip()


def date(text: str, order: DayFirst | None = None) -> dt.date:
    """A date, with or without a time behind it.

    ISO 8601, `31.12.2024`, names of months, and `12/31/2024` in the order that is given; without one only where the
    numbers leave no doubt.
    """
    return _day(text.strip(), order)[0]


def timestamp(text: str, order: DayFirst | None = None) -> str:
    """A date and time as ISO 8601, which says UTC where nothing else was said; a date alone is its beginning."""
    written = re.sub(r"\s*(UTC|GMT|Z)$", "+00:00", text.strip())
    written = re.sub(r"\s+([+-]\d{2}):?(\d{2})$", r"\1:\2", written)
    try:
        return dt.datetime.fromisoformat(written).isoformat()
    except ValueError:
        pass
    day, behind = _day(written, order)
    if not behind:
        return day.isoformat()
    wrong = ValueError("Not a time such as 2024-12-31 18:30, or 2024-12-31 18:30 UTC.")
    time = TIME.fullmatch(behind)
    if time is None:  # which may be the name of a zone, so the rest does not tell the time
        raise wrong
    clock, half, offset = time.groups()
    hour, _, rest = clock.partition(":")
    hours = int(hour) % 12 + (12 if half.lower() == "p" else 0) if half else int(hour)
    try:
        return dt.datetime.fromisoformat(f"{day.isoformat()}T{hours:02}:{rest}{offset or ''}").isoformat()
    except ValueError:
        raise wrong from None


def _day(written: str, order: DayFirst | None) -> tuple[dt.date, str]:
    """The date that a text begins with, and what is behind it."""
    numbers = NUMBERS.match(written)
    if numbers is None:
        return _with_named_month(written)
    behind = written[numbers.end() :]
    first, separator, second, third = numbers.groups()
    if len(first) == 4:
        return _checked(int(first), int(second), int(third)), behind
    if len(first) > 2 or len(third) not in (2, 4):
        raise ValueError("Not a date such as 2024-12-31.")
    day, month = int(first), int(second)
    if _month_first(day, month, separator, order):
        day, month = month, day
    return _checked(_year(third), month, day), behind


def _month_first(first: int, second: int, separator: str, order: DayFirst | None) -> bool:
    if first > 12 or separator == ".":  # with dots nobody writes the month first
        return False
    if second > 12:
        return True
    if order is None and first != second:
        raise ValueError("It may be two dates: say --dates dmy or --dates mdy.")
    return order == "mdy"


def _with_named_month(written: str) -> tuple[dt.date, str]:
    words = WORDS.match(written)
    if words is None:
        raise ValueError("Not a date such as 2024-12-31.")
    for form in NAMED_MONTH:
        try:
            # With a leap year, so that there is a 29th of February.
            found = dt.datetime.strptime(f"{words[1]} {words[2]} 2000", f"{form} %Y")
        except ValueError:
            continue
        return _checked(_year(words[3]), found.month, found.day), written[words.end() :]
    raise ValueError("Not a date such as 2024-12-31.")


def _year(digits: str) -> int:
    return int(digits) if len(digits) == 4 else int(digits) + (1900 if int(digits) >= PIVOT else 2000)


def _checked(year: int, month: int, day: int) -> dt.date:
    try:
        return dt.date(year, month, day)
    except ValueError:
        raise ValueError("There is no such day.") from None


@cache
def _country_names() -> dict[str, str]:
    """Codes by name in every language (see dev/country_names.py)."""
    names: dict[str, list[str]] = orjson.loads(COUNTRY_NAMES.read_bytes())
    return {name: code for code, each in names.items() for name in each}
