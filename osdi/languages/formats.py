"""Numbers, dates, times and lists as a language writes them, by the data of CLDR."""

import datetime as dt
from collections.abc import Sequence
from typing import Final, Literal, get_args

from babel import lists, numbers

from osdi.languages.codes import ACCENTED, locale
from osdi.languages.pseudo import with_accents

# The forms of dates and times in CLDR, from the shortest to the longest.
Form = Literal["short", "medium", "long", "full"]
FORMS: Final[tuple[Form, ...]] = get_args(Form)


def number(value: float, language: str) -> str:
    """Returns a number with the language's separators: 12345.5 is `12,345.5` in English, `12.345,5` in German."""
    return numbers.format_decimal(value, locale=locale(language))


def date(value: dt.date, language: str, zone: dt.tzinfo = dt.UTC, form: Form = "long") -> str:
    """Returns a date such as `November 30, 2026`; `form` is one of FORMS.

    A datetime is shown as the day in `zone`; without a time zone of its own it is in UTC, as stored times are.
    """
    from babel import dates  # takes half a megabyte, and only pages and mails show dates

    day = _in_zone(value, zone) if isinstance(value, dt.datetime) else value
    return _marked(dates.format_date(day, form, locale=locale(language)), language)


def date_and_time(value: dt.datetime, language: str, zone: dt.tzinfo = dt.UTC, form: Form = "long") -> str:
    """Returns date and time in `zone`, such as `November 30, 2026 at 6:00 PM`; `form` is that of the date.

    A time without a time zone of its own is in UTC, as stored times are.
    """
    from babel import dates

    moment = _in_zone(value, zone)
    words = str(locale(language).datetime_formats[form]).format(
        dates.format_time(moment, "short", tzinfo=zone, locale=locale(language)),
        dates.format_date(moment, form, locale=locale(language)),
    )
    return _marked(words, language)


def listed(items: Sequence[str], language: str) -> str:
    """Returns the items as one text, such as `A, B, and C`."""
    placeholders = [f"{{{index}}}" for index in range(len(items))]
    return _marked(lists.format_list(placeholders, locale=locale(language)), language).format(*items)


def _in_zone(value: dt.datetime, zone: dt.tzinfo) -> dt.datetime:
    return (value if value.tzinfo else value.replace(tzinfo=dt.UTC)).astimezone(zone)


def _marked(text: str, language: str) -> str:
    return with_accents(text) if language == ACCENTED else text
