"""Names of custom fields, as they are sent and as they are stored.

In MongoDB `.` is a path and a leading `$` an operator, so a stored name has `%2E` and `%24` instead. A `%` is escaped
only where it would read like one of these. So the two forms of nearly every name are equal, and each stored name
stands for one sent name.

Pure.
"""

import re
from collections.abc import Mapping
from typing import Final, TypeVar

Value = TypeVar("Value")

ESCAPES: Final[Mapping[str, str]] = {"%24": "$", "%25": "%", "%2E": "."}
ESCAPED: Final = re.compile("%(?:24|25|2E)")
AMBIGUOUS: Final = re.compile("%(?=24|25|2E)")


def stored_name(sent: str) -> str:
    """Returns the name under which a custom field is stored."""
    name = AMBIGUOUS.sub("%25", sent).replace(".", "%2E")
    return f"%24{name[1:]}" if name.startswith("$") else name


def sent_name(stored: str) -> str:
    """Returns the name of a stored custom field as it was sent."""
    return ESCAPED.sub(lambda found: ESCAPES[found[0]], stored) if "%" in stored else stored


def as_sent(fields: Mapping[str, Value]) -> Mapping[str, Value]:
    """Returns stored custom fields under the names that were sent."""
    if not any("%" in name for name in fields):
        return fields
    return {sent_name(name): value for name, value in fields.items()}
