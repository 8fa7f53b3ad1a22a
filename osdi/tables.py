"""Tables for a terminal: what commands print of many things."""

import datetime as dt
from collections.abc import Iterable, Sequence


def table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A line for each row under the columns' names."""
    lines = [columns, *rows]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join("  ".join(map(str.ljust, line, widths)).rstrip() for line in lines)


def minute(moment: dt.datetime) -> str:
    """A moment (naive UTC) to the minute."""
    return f"{moment:%Y-%m-%dT%H:%MZ}"
