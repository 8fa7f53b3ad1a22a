"""Recognises identifiers whose id is a placeholder: the value of a variable that was not set. Pure.

A template such as `crm:${id}` without an id sends one and the same identifier for everybody. To match by it would make
one person of two strangers.
"""

import re
from typing import Final

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


def not_an_id(identifier: str) -> str:
    """Returns the sentence that reports a placeholder."""
    return f"{identifier} has no id, but a word for a missing value."
