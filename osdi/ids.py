"""Ids: version 7 UUIDs (RFC 9562) as strings. They sort by creation time, so `_id` order is creation order."""

import datetime as dt

import uuid_utils


def new_id() -> str:
    """Returns an id greater than all ids that this machine has made before."""
    return str(uuid_utils.uuid7())


def id_before(timestamp: dt.datetime) -> str:
    """Returns a string that sorts before every id made at or after `timestamp` (naive UTC), and after earlier ids."""
    milliseconds = f"{int(timestamp.replace(tzinfo=dt.UTC).timestamp() * 1000):012x}"
    return f"{milliseconds[:8]}-{milliseconds[8:]}"


def now() -> dt.datetime:
    """Returns the present time as naive UTC in whole seconds, the precision of OSDI's dates."""
    return dt.datetime.now(dt.UTC).replace(tzinfo=None, microsecond=0)
