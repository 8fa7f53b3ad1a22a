"""Reads and replaces sections of a Markdown page by heading, so that two commands can write parts of one page."""

from typing import Final

# Heading of the section that `python -m bench.scale` writes. `python -m bench` writes all others.
SCALE: Final = "## As it grows"


def section(text: str, heading: str) -> str:
    """Returns the section with a heading such as `## Title`, up to the next heading of its level or above, or ""."""
    start, end = _bounds(text, heading)
    return text[start:end].strip("\n")


def with_section(text: str, heading: str, new: str) -> str:
    """Returns the page with the section replaced by `new`, which starts with the heading, or with `new` at the end."""
    start, end = _bounds(text, heading)
    parts = (text[:start].strip("\n"), new.strip("\n"), text[end:].strip("\n"))
    return "\n\n".join(part for part in parts if part) + "\n"


def _bounds(text: str, heading: str) -> tuple[int, int]:
    """Returns start and end of the section in characters; both are the end of the page if it has no such section."""
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
