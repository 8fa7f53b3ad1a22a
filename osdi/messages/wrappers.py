"""Finds the wrapper of a message: its own if that has the message's type, otherwise the default of that type."""

from collections.abc import Callable

from osdi.action_functions.followup_kinds import EMAIL
from osdi.documents import Document, Find, ReadOnlyDocument
from osdi.resources import WRAPPER


def wrapper_of(
    find: Find, message: ReadOnlyDocument, default: Callable[[str], Document | None]
) -> ReadOnlyDocument | None:
    """Returns the wrapper of a message, or None. Raises OsdiError 503.

    `find` looks references up, as `Reference.find` does. `default` returns the default wrapper of a type.
    """
    wrapper_id, message_type = message.get("wrapper_id"), message.get("type", EMAIL)
    own = find(WRAPPER, [wrapper_id]).get(wrapper_id) if wrapper_id else None
    return own if own and own.get("wrapper_type", EMAIL) == message_type else default(message_type)
