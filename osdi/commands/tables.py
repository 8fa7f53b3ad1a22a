"""Tables for a terminal: what commands print of many things."""

import datetime as dt
from collections.abc import Iterable, Sequence


def table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A line for each row under the columns' names."""
    lines = [columns, *rows]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join("  ".join(map(str.ljust, line, widths)).rstrip() for line in lines)


def minute(timestamp: dt.datetime) -> str:
    """A moment (naive UTC) to the minute."""
    return f"{timestamp:%Y-%m-%dT%H:%MZ}"


def one_line(text: str, length: int) -> str:
    """What anybody may have posted, on one line of a terminal: so many characters at the most, and none that acts."""
    printable = "".join(each if each.isprintable() else "?" for each in text)
    return printable if len(printable) <= length else f"{printable[: length - 3]}..."
