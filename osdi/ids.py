"""Ids: version 7 UUIDs (RFC 9562) as strings, which sort by the time they were made: `_id` order is creation order."""

import datetime as dt

import uuid_utils


def new_id() -> str:
    """An id greater than all that were made before it on this machine."""
    return str(uuid_utils.uuid7())


def id_before(timestamp: dt.datetime) -> str:
    """A string that sorts before every id made at or after `moment` (naive UTC), and after every earlier one."""
    milliseconds = f"{int(timestamp.replace(tzinfo=dt.UTC).timestamp() * 1000):012x}"
    return f"{milliseconds[:8]}-{milliseconds[8:]}"


def now() -> dt.datetime:
    """The time, as naive UTC of whole seconds: the precision in which OSDI's dates are shown and compared."""
    return dt.datetime.now(dt.UTC).replace(tzinfo=None, microsecond=0)
