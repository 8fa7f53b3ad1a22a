"""Settings that still have a value of the documentation, which an operator has forgotten to change."""

import re
from collections.abc import Iterable
from dataclasses import fields
from typing import Final

from osdi.settings.deployment import Settings

# Names that are reserved for documentation (RFC 2606), and the organisation of deploy/osdi.env.example.
EXAMPLE: Final = re.compile(r"\bexample\.(?:com|net|org)\b|\.example\b|\bFriends of the River\b")


def example_values(settings: Settings) -> list[str]:
    """Returns the names of the environment variables whose values are those of an example."""
    return [each.name.upper() for each in fields(settings) if _is_example(getattr(settings, each.name))]


def example_sentence(names: Iterable[str]) -> str:
    """Returns a sentence for the operator about these settings."""
    return f"These settings have values of the documentation: {', '.join(names)}. Replace them by your own."


def _is_example(value: object) -> bool:
    values = value if isinstance(value, tuple | list | frozenset) else (value,)
    return any(isinstance(each, str) and EXAMPLE.search(each) for each in values)
