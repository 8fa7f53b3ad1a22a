"""Marks: words by which the check recognises the people of the administration, wherever a database has them.

Each person has a mark of their own, in their name, e-mail address, identifier and message. The posting clients use
other addresses, so that no person belongs to both.
"""

import re
from typing import Final

DOMAIN: Final = "administration.example.com"
# Finds the marks in documents as MongoDB stores them; the server may have changed the letter case.
PATTERN: Final = re.compile(rb"m-[a-z]+(?:-[0-9]+)+-m", re.IGNORECASE)


def mark(kind: str, *numbers: int) -> str:
    """Returns the mark of a person: the kind in small letters, and numbers."""
    return f"m-{kind}-{'-'.join(map(str, numbers))}-m"


def address(of: str) -> str:
    """Returns the e-mail address of the person with a mark."""
    return f"{of}@{DOMAIN}"


def marks_in(document: bytes) -> set[str]:
    """Returns all marks in a document, which is BSON."""
    return {found.decode().lower() for found in PATTERN.findall(document)}
