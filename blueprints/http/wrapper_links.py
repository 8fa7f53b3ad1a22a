"""Converts the link to a wrapper in a message's body to the wrapper's id, which the message's document stores."""

from collections.abc import Mapping
from typing import Any, Final

from blueprints.http.collections import get_or_404
from blueprints.http.context import store
from osdi.errors import invalid
from osdi.resources import MESSAGE, WRAPPER, id_from

LINK: Final = f"_links.{WRAPPER.rel}"


def with_wrapper(body: Mapping[str, Any]) -> dict[str, Any]:
    """Returns a loaded POST with the id of its wrapper. Raises OsdiError 400 if the wrapper does not exist."""
    linked = _linked_wrapper(body)
    return {**body, "wrapper_id": _checked_id(linked)} if linked else dict(body)


def changing_wrapper(body: Mapping[str, Any], message_id: str) -> dict[str, Any]:
    """Returns a loaded PUT with the id of its wrapper; if the link is null, the id is cleared.

    The message's present wrapper is accepted even if it was deleted, so that a client can send back what it has read.
    Raises OsdiError 400 if the wrapper does not exist, and 404 if the message does not exist.
    """
    linked = _linked_wrapper(body["fields"])
    fields = {name: value for name, value in body["fields"].items() if name != "pointing"}
    cleared = [name for name in body["cleared"] if name.partition(".")[0] != "pointing"]
    if f"pointing.{WRAPPER.rel}" in body["cleared"]:
        cleared.append("wrapper_id")
    if linked and id_from(linked, WRAPPER) != get_or_404(MESSAGE, message_id).get("wrapper_id"):
        fields["wrapper_id"] = _checked_id(linked)
    return {**body, "fields": fields, "cleared": tuple(cleared)}


def _linked_wrapper(fields: Mapping[str, Any]) -> str | None:
    """Returns the URL of the linked wrapper, or None."""
    found: str | None = fields.get("pointing", {}).get("wrapper", {}).get("href")
    return found


def _checked_id(url: str) -> str:
    wrapper_id = id_from(url, WRAPPER) or ""
    if store().get(WRAPPER.collection, wrapper_id) is None:
        raise invalid("There is no such wrapper.", LINK, resource=MESSAGE.rel)
    return wrapper_id
