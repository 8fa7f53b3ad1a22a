"""Which wrapper a message has: the link that a body names becomes the id that the message's document holds."""

from collections.abc import Mapping
from typing import Any, Final

from blueprints.http.collections import get_or_404
from blueprints.http.context import store
from osdi.errors import invalid
from osdi.resources import MESSAGE, WRAPPER, id_from

LINK: Final = f"_links.{WRAPPER.rel}"


def with_wrapper(body: Mapping[str, Any]) -> dict[str, Any]:
    """A loaded POST with the id of the wrapper that it links to. Raises OsdiError 400 where there is no such."""
    named = _named(body)
    return {**body, "wrapper_id": _checked(named)} if named else dict(body)


def changing_wrapper(body: Mapping[str, Any], message_id: str) -> dict[str, Any]:
    """A loaded PUT with the id of the wrapper that it links to, or with that id to clear where the link is null.

    The wrapper that the message has may be named whatever became of it, so that what was read can be sent back.
    Raises OsdiError 400 where there is no such wrapper, 404 where there is no such message.
    """
    named = _named(body["fields"])
    fields = {name: value for name, value in body["fields"].items() if name != "pointing"}
    cleared = [name for name in body["cleared"] if name.partition(".")[0] != "pointing"]
    if f"pointing.{WRAPPER.rel}" in body["cleared"]:
        cleared.append("wrapper_id")
    if named and id_from(named, WRAPPER) != get_or_404(MESSAGE, message_id).get("wrapper_id"):
        fields["wrapper_id"] = _checked(named)
    return {**body, "fields": fields, "cleared": tuple(cleared)}


def _named(fields: Mapping[str, Any]) -> str | None:
    """The address of the wrapper that is linked to, if one is."""
    found: str | None = fields.get("pointing", {}).get("wrapper", {}).get("href")
    return found


def _checked(address: str) -> str:
    wrapper_id = id_from(address, WRAPPER) or ""
    if store().get(WRAPPER.collection, wrapper_id) is None:
        raise invalid("There is no such wrapper.", LINK, resource=MESSAGE.rel)
    return wrapper_id
