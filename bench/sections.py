"""Sections of a Markdown page, by their headings: what one command writes stays when another writes the rest."""

from typing import Final

# Heading of what `python -m bench.scale` writes; everything else is written by `python -m bench`.
SCALE: Final = "## As it grows"


def section(text: str, heading: str) -> str:
    """The section with this heading, as `## Title`, up to the next of its level or above; "" where there is none."""
    start, end = _bounds(text, heading)
    return text[start:end].strip("\n")


def with_section(text: str, heading: str, new: str) -> str:
    """The page with `new`, which begins with the heading, in the section's place, or at the end where it has none."""
    start, end = _bounds(text, heading)
    parts = (text[:start].strip("\n"), new.strip("\n"), text[end:].strip("\n"))
    return "\n\n".join(part for part in parts if part) + "\n"


def _bounds(text: str, heading: str) -> tuple[int, int]:
    """Where the section starts and ends, in characters; twice the end of the page where there is none."""
    level = len(heading) - len(heading.lstrip("#"))
    start = end = len(text)
    at, code = 0, False
    for line in text.splitlines(keepends=True):
        code ^= line.startswith("```")
        if not code and start == len(text) and line.rstrip() == heading:
            start = at
        elif not code and start < at and line.startswith("#") and len(line) - len(line.lstrip("#")) <= level:
            return start, at
        at += len(line)
    return start, end
