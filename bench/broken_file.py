"""A CSV file of people with broken lines among them, and what an import has to say of it."""

import random
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Final

HEADER: Final = (
    "first_name,last_name,email,zip_code,country,can2_phone,can2_user_city,can2_user_tags,can2_subscription_status,uuid"
)
NOT_AN_ADDRESS: Final = "person.email_addresses[0].address: Not a valid e-mail address."
# What is done to a good line, and the reason for which it has to be refused then.
BREAKS: Final = {
    "address": NOT_AN_ADDRESS,
    "cells": "There are 4 cells, but 10 columns.",
    "quotation mark": "A quotation mark is not closed.",
    "NUL": "Holds a NUL character.",
    "status": "can2_subscription_status: Neither subscribed, unsubscribed, bouncing nor spam complaints.",
}


def write_broken_file(path: Path, people: int, *, every: int = 20, seed: int = 7) -> Counter[str]:
    """Write a file of so many lines, of which one in `every` is broken; how often each reason has to be given."""
    reasons: Counter[str] = Counter()
    with path.open("w", encoding="utf-8", newline="") as file:
        file.write(HEADER + "\r\n")
        for line, reason in _lines(people, every, random.Random(seed)):
            file.write(line + "\r\n")
            if reason:
                reasons[reason] += 1
    return reasons


def _lines(people: int, every: int, chance: random.Random) -> Iterator[tuple[str, str | None]]:
    breaks = list(BREAKS)
    for number in range(people):
        cells = [
            f"Given{number}",
            f'"Family, {number}"' if number % 3 else f'"O""Family\n{number}"',
            f"person{number}@example.com",
            f"{number % 100_000:05}",
            chance.choice(("United States", "Germany", "GB", "")),
            f"+1202555{number % 10_000:04}" if number % 2 else "",
            "Bühl",
            '"volunteer, river"' if number % 4 else "",
            chance.choice(("subscribed", "subscribed", "unsubscribed", "bouncing")),
            f"00000000-0000-4000-8000-{number:012}",
        ]
        if number % every != every - 1:
            yield ",".join(cells), None
            continue
        broken = breaks[(number // every) % len(breaks)]
        cells[1] = f"Family{number}"
        if broken == "address":
            cells[2] = "nobody at example.com"
        elif broken == "cells":
            cells = cells[:4]
        elif broken == "quotation mark":
            cells[1], cells[7] = f'"Family{number}', ""
        elif broken == "NUL":
            cells[0] += "\x00"
        else:
            cells[8] = "perhaps"
        yield ",".join(cells), BREAKS[broken]
