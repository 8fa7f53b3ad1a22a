"""TODO: osdi/crud/create.py."""

from typing import Any


def _merged(name: str, stored: Any, posted: Any) -> Any:
    """Arrays grow by the entries they lack, a question's responses by their key; anything else is replaced."""
    if not isinstance(stored, list) or not isinstance(posted, list):
        return posted
    if name == "responses":
        return list({entry["key"]: entry for entry in (*stored, *posted)}.values())
    return [*stored, *(entry for entry in posted if entry not in stored)]
