"""Types of values that are no text: boolean, integer and datetime."""

import datetime as dt
import re
from collections.abc import Mapping
from typing import Any, Final

import marshmallow as ma

from osdi.fields.limits import MAX_DATE_LENGTH, MAX_INTEGER
from osdi.values import words
from osdi.values.dates import instant, timestamp
from osdi.values.text import cleaned, from_number
from schemas.base.fields.text import Reason, described

# Spreadsheets and scripts with floating point numbers write 120 as 120.0.
WHOLE: Final = re.compile(r"\d{1,20}(?:\.0)?")


class Bool(ma.fields.Boolean):
    """True or false, also as the words and numbers that forms and spreadsheets have.

    `unreadable` is the value that a schema that skips invalid values stores in place of an unknown word.
    """

    def __init__(self, *, unreadable: bool | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.unreadable = unreadable

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> bool:
        if value is True or value is False:
            return value
        try:
            return words.boolean(cleaned(value) if isinstance(value, str) else str(from_number(value)))
        except (ValueError, TypeError, AttributeError):
            raise ma.ValidationError([Reason("Not a valid boolean.", instead=self.unreadable)]) from None


class WholeNumber(ma.fields.Integer):
    """An integer within limits, also as a string of digits; no fractions and booleans."""

    def __init__(self, *, minimum: int = 0, maximum: int = MAX_INTEGER, **kwargs: Any) -> None:
        super().__init__(strict=True, validate=ma.validate.Range(minimum, maximum), **kwargs)

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> int:
        if isinstance(value, str):
            text = cleaned(value)
            value = int(text.removesuffix(".0")) if WHOLE.fullmatch(text) else value
        elif isinstance(value, float) and value.is_integer():
            value = int(value)  # JSON has one kind of number: 120.0 is 120
        if isinstance(value, bool | str):
            raise self.make_error("invalid", input=value)
        number = super()._deserialize(value, attr, data, **kwargs)
        assert number is not None  # the schema does not pass None
        return number


class DateTime(ma.fields.Field[dt.datetime]):
    """ISO 8601 with any offset, or without (UTC); loaded as a naive UTC datetime in milliseconds.

    Forms of osdi.values.dates that mean one date only are accepted, too. With `zoned` the offset is required.
    MongoDB stores milliseconds and returns naive UTC, so a value is equal before and after storage.
    """

    default_error_messages = {
        "invalid": "Not a valid ISO 8601 date and time, such as 2014-03-18T11:02:15Z.",
        "zone": "Add the offset from UTC, as in 2014-03-18T11:02:15-05:00.",
    }

    def __init__(self, *, zoned: bool = False, **kwargs: Any) -> None:
        super().__init__(**described(kwargs, type="string", format="date-time"))
        self.zoned = zoned

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> dt.datetime:
        if not isinstance(value, str) or len(value) > MAX_DATE_LENGTH:
            raise self.make_error("invalid")
        try:
            read = _read_date(cleaned(value))
            has_zone = read.tzinfo is not None
            if has_zone:
                read = read.astimezone(dt.UTC).replace(tzinfo=None)
        except (ValueError, OverflowError) as error:
            raise self.make_error("invalid") from error
        if self.zoned and not has_zone:
            raise self.make_error("zone")
        return read.replace(microsecond=read.microsecond // 1000 * 1000)


def _read_date(text: str) -> dt.datetime:
    """Returns a date and time, naive if the text names no zone. Raises ValueError."""
    try:
        return instant(text)
    except ValueError:
        return dt.datetime.fromisoformat(timestamp(text))
