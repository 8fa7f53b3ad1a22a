"""Finds the wrapper of a message: its own if that has the message's type, otherwise the default of that type."""

from collections.abc import Callable, Mapping
from typing import Any

from osdi.action_functions.followup_kinds import EMAIL
from osdi.crud.reference_cache import Reference
from osdi.documents import Document
from osdi.resources import WRAPPER


def wrapper_of(
    reference: Reference, message: Mapping[str, Any], default: Callable[[str], Document | None]
) -> Document | None:
    """Returns the wrapper or None; `default` returns the default wrapper of a type. Raises OsdiError 503."""
    wrapper_id, kind = message.get("wrapper_id"), message.get("type", EMAIL)
    own = reference.find(WRAPPER, [wrapper_id]).get(wrapper_id) if wrapper_id else None
    return own if own and own.get("wrapper_type", EMAIL) == kind else default(kind)
