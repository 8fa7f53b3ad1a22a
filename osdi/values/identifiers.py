"""Recognises identifiers whose id is a placeholder: the value of a variable that was not set. Pure.

A template such as `crm:${id}` without an id sends one and the same identifier for everybody. To match by it would make
one person of two strangers.
"""

import re
from typing import Any, Final

# The words that programming languages, spreadsheets and databases print for no value, in lower case.
WORDS: Final = frozenset(
    {
        *("undefined", "null", "none", "nan", "nil", "unknown", "[object object]", "{}", "[]"),
        *("n/a", "#n/a", "<na>", "<null>", "(null)", "<nil>", "#ref!", "#value!"),
        "00000000-0000-0000-0000-000000000000",
    }
)
# A variable of a template that was not replaced: `${id}`, `{{ id }}`, `*|UNIQID|*`, `%%id%%`, `<%= id %>`.
VARIABLE: Final = re.compile(r"\$\{.*\}|\{\{.*\}\}|\*\|.*\|\*|%%.*%%|<%.*%>")
QUOTES: Final = "\"'` "


def system_of(identifier: str) -> str:
    """Returns the name of the system that gave the identifier: the part before the first colon."""
    return identifier.partition(":")[0]


def is_placeholder(identifier: str) -> bool:
    """True if the id after the system's name is empty or a word for no value, in any letter case.

    Of an id with colons, such as `crm:contact:undefined`, the last part counts.
    """
    last = identifier.partition(":")[2].rpartition(":")[2].strip(QUOTES).casefold()
    return not last or last in WORDS or VARIABLE.fullmatch(last) is not None


def has_id(identifiers: Any) -> bool:
    """True unless this array of identifiers is empty, or has placeholders only; also for a value that is no array."""
    if not isinstance(identifiers, list):
        return bool(identifiers)
    return any(not isinstance(each, str) or not is_placeholder(each) for each in identifiers)


def not_an_id(identifier: str) -> str:
    """Returns the sentence that reports a placeholder."""
    return f"{identifier} has no id, but a word for a missing value."
