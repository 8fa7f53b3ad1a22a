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
    **dict.fromkeys(("bouncing", "bounced", "bounce", "cleaned", "invalid", "hard bounce"), "bouncing"),
    **dict.fromkeys(("spam complaints", "spam complaint", "spam", "complained", "complaint"), "spam complaints"),
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
ISO_DATE: Final = re.compile(r"\d{4}-\d{2}-\d{2}")
NUMBERS: Final = re.compile(r"(\d{1,4})([./-])(\d{1,2})\2(\d{1,4})(?=$|[ T])")
NAMED_MONTH: Final = ("%d %b %Y", "%d %B %Y", "%b %d, %Y", "%B %d, %Y", "%b %d %Y", "%B %d %Y", "%d-%b-%Y", "%d-%b-%y")
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
    written = text.strip()
    if ISO_DATE.match(written):
        return _date(written[:10])
    numbers = NUMBERS.match(written)
    if numbers is None:
        return _with_named_month(written)
    first, separator, second, third = numbers.groups()
    if len(first) == 4:
        return _checked(int(first), int(second), int(third))
    if len(first) > 2 or len(third) not in (2, 4):
        raise ValueError("Not a date such as 2024-12-31.")
    year = int(third) if len(third) == 4 else int(third) + (1900 if int(third) >= PIVOT else 2000)
    day, month = (
        (int(second), int(first))
        if _month_first(int(first), int(second), separator, order)
        else (
            int(first),
            int(second),
        )
    )
    return _checked(year, month, day)


def moment(text: str, order: DayFirst | None = None) -> str:
    """A date and time as ISO 8601, which says UTC where nothing else was said; a date alone is its beginning."""
    written = re.sub(r"\s*(UTC|GMT|Z)$", "+00:00", text.strip())
    written = re.sub(r"\s+([+-]\d{2}):?(\d{2})$", r"\1:\2", written)
    try:
        return dt.datetime.fromisoformat(written).isoformat()
    except ValueError:
        pass
    day = date(written, order)
    time = re.search(r"[ T,]+(\d{1,2}:\d{2}(?::\d{2})?)(?:\s*([AaPp])\.?[Mm]\.?)?\s*([+-]\d{2}:\d{2})?$", written)
    if time is None:
        return day.isoformat()
    clock, half, offset = time.groups()
    hour, _, rest = clock.partition(":")
    hours = int(hour) % 12 + (12 if half.lower() == "p" else 0) if half else int(hour)
    try:
        return dt.datetime.fromisoformat(f"{day.isoformat()}T{hours:02}:{rest}{offset or ''}").isoformat()
    except ValueError:
        raise ValueError("Not a time such as 2024-12-31 18:30.") from None


def _month_first(first: int, second: int, separator: str, order: DayFirst | None) -> bool:
    if first > 12 or separator == ".":  # with dots nobody writes the month first
        return False
    if second > 12:
        return True
    if order is None and first != second:
        raise ValueError("It may be two dates: say --dates dmy or --dates mdy.")
    return order == "mdy"


def _with_named_month(written: str) -> dt.date:
    words = " ".join(written.replace(".", " ").split()[:3])
    for form in NAMED_MONTH:
        try:
            return dt.datetime.strptime(words, form).date()
        except ValueError:
            continue
    raise ValueError("Not a date such as 2024-12-31.")


def _date(written: str) -> dt.date:
    return _checked(*map(int, written.split("-")))


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
