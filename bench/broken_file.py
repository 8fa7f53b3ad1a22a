"""Writes a CSV file of people with some broken lines, and counts the reasons that an import must report."""

import random
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Final

HEADER: Final = (
    "first_name,last_name,email,zip_code,country,can2_phone,can2_user_city,can2_user_tags,can2_subscription_status,uuid"
)
NOT_AN_ADDRESS: Final = "email: Not a valid e-mail address."
# For each way to break a line the reason with which the import must reject it.
BREAKS: Final = {
    "address": NOT_AN_ADDRESS,
    "cells": "There are 11 cells, but 10 columns.",
    "quotation mark": "A quotation mark is not closed.",
    "NUL": "Contains a NUL character.",
    "status": "can2_subscription_status: Write subscribed, unsubscribed, bouncing or spam complaints.",
}


def write_broken_file(path: Path, people: int, *, every: int = 20, seed: int = 7) -> Counter[str]:
    """Writes a file of `people` rows, with one broken row in `every`. Returns the count of each expected reason."""
    reasons: Counter[str] = Counter()
    with path.open("w", encoding="utf-8", newline="") as file:
        file.write(HEADER + "\r\n")
        for row, reason in _rows(people, every, random.Random(seed)):
            file.write(row + "\r\n")
            if reason:
                reasons[reason] += 1
    return reasons


def _rows(people: int, every: int, rng: random.Random) -> Iterator[tuple[str, str | None]]:
    """Yields each row, with the reason if it is broken."""
    breaks = list(BREAKS)
    for number in range(people):
        cells = [
            f"Given{number}",
            f'"Family, {number}"' if number % 3 else f'"O""Family\n{number}"',
            f"person{number}@example.com",
            f"{number % 100_000:05}",
            rng.choice(("United States", "Germany", "GB", "")),
            f"+1202555{number % 10_000:04}" if number % 2 else "",
            "Bühl",
            '"volunteer, river"' if number % 4 else "",
            rng.choice(("subscribed", "subscribed", "unsubscribed", "bouncing")),
            f"00000000-0000-4000-8000-{number:012}",
        ]
        if number % every != every - 1:
            yield ",".join(cells), None
            continue
        broken = breaks[(number // every) % len(breaks)]
        cells[1] = f"Family{number}"
        if broken == "address":
            cells[2], cells[5], cells[9] = "nobody at example.com", "", ""
        elif broken == "cells":
            cells.append("one too many")
        elif broken == "quotation mark":
            cells[1], cells[7] = f'"Family{number}', ""
        elif broken == "NUL":
            cells[0] += "\x00"
        else:
            cells[8] = "perhaps"
        yield ",".join(cells), BREAKS[broken]
