"""Ids and the present time. Both follow the database's clock, since results must not depend on a machine's own clock.

Ids are version 7 UUIDs (RFC 9562) as strings. They sort by creation time, so `_id` order is creation order. The store
measures the difference between the two clocks and passes it to `follow_clock` (see `Store.operation`).
"""

import datetime as dt
import time
from typing import Final

import uuid_utils

EPOCH: Final = dt.datetime(1970, 1, 1)  # naive UTC, as all stored times
# Seconds by which the database's clock is ahead of this machine's, for the whole process.
_ahead = 0.0


def follow_clock(ahead_seconds: float) -> None:
    """Makes `new_id` and `now` follow a clock that is `ahead_seconds` ahead of this machine's."""
    global _ahead
    _ahead = ahead_seconds


def new_id() -> str:
    """Returns an id greater than all ids that this process has made before by the same clock."""
    made = str(uuid_utils.uuid7())
    if not _ahead:
        return made
    # Its random part stays, which grows within a millisecond.
    return _begin(int(made[:8] + made[9:13], 16) + int(_ahead * 1000)) + made[13:]


def id_before(timestamp: dt.datetime) -> str:
    """Returns a string that sorts before every id made at or after `timestamp` (naive UTC), and after earlier ids."""
    return _begin(int(timestamp.replace(tzinfo=dt.UTC).timestamp() * 1000))


def _begin(milliseconds: int) -> str:
    """Returns the first 13 characters of an id of this time since 1970."""
    digits = f"{milliseconds:012x}"
    return f"{digits[:8]}-{digits[8:]}"


def timestamp() -> float:
    """Returns the present time in seconds since 1970."""
    return time.time() + _ahead


def time_in(zone: dt.tzinfo) -> dt.datetime:
    """Returns the present time in a time zone."""
    return dt.datetime.fromtimestamp(timestamp(), zone)


def now() -> dt.datetime:
    """Returns the present time as naive UTC in whole seconds, the precision of OSDI's dates."""
    return EPOCH + dt.timedelta(seconds=int(timestamp()))
