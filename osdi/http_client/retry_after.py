"""Reads Retry-After, the time for which a server asks us to wait (RFC 9110, section 10.2.3).

Pure.
"""

import datetime as dt
from email.utils import parsedate_to_datetime
from typing import Final

# Upper bound: a wrong date or number must not end deliveries for days.
MAX_WAIT_SECONDS: Final = 3_600.0


def retry_after_seconds(value: str | None, timestamp: dt.datetime) -> float | None:
    """Returns the seconds from `timestamp` (aware), at most MAX_WAIT_SECONDS; None if it is no number and no date."""
    text = (value or "").strip()
    if text.isascii() and text.isdigit():
        # A number of ten or more digits is beyond the bound; thousands of digits are too many for float().
        return MAX_WAIT_SECONDS if len(text) > 9 else min(float(text), MAX_WAIT_SECONDS)
    try:
        date = parsedate_to_datetime(text)
    except (ValueError, TypeError, OverflowError, IndexError):
        return None
    date = date if date.tzinfo else date.replace(tzinfo=dt.UTC)
    try:
        seconds = (date - timestamp).total_seconds()
    except OverflowError:
        return None
    return min(max(seconds, 0.0), MAX_WAIT_SECONDS)
