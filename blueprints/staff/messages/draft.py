"""Reads the form of a message with the schema of the API, so that both accept the same messages."""

from typing import Any, Final

from flask import request
from marshmallow import ValidationError

from osdi.action_functions.followup_kinds import EMAIL
from osdi.documents import ReadOnlyDocument
from osdi.errors import OsdiError, invalid_properties
from osdi.messages.validation import check_sendable
from osdi.resources import MESSAGE
from schemas.base.put import put_of
from schemas.message import MessageSchema

FIELDS: Final = ("name", "type", "subject", "from", "reply_to", "body")
NEW: Final = MessageSchema()
CHANGED: Final = put_of(MessageSchema)


def typed() -> dict[str, str]:
    """Returns the texts of the form, by name, with the line ends that are stored (browsers send CRLF)."""
    return {name: request.form.get(name, "").replace("\r\n", "\n") for name in FIELDS}


def texts_of(message: ReadOnlyDocument) -> dict[str, str]:
    """Returns the texts of the form for a stored message."""
    return {"type": EMAIL} | {name: message[name] for name in FIELDS if message.get(name)}


def new_message() -> dict[str, Any]:
    """Returns the form as the loaded body of a POST. Raises OsdiError 400 that names each invalid field."""
    return _loaded(NEW, {name: text for name, text in typed().items() if text.strip()})


def changed_message() -> dict[str, Any]:
    """Returns the form as the loaded body of a PUT; an empty field clears the stored one. Raises OsdiError 400."""
    return _loaded(CHANGED, {name: text if text.strip() else None for name, text in typed().items()})


def draft() -> dict[str, Any]:
    """Returns the form as a message that is not stored. Raises OsdiError 400 for what could not be stored."""
    loaded = new_message()
    found: dict[str, Any] = {name: loaded[name] for name in FIELDS if name in loaded}
    check_sendable(MESSAGE, found)
    return found


def errors_of(error: OsdiError) -> dict[str, str]:
    """Returns the sentence of each wrong field, by its name; a sentence about no field is about `body`."""
    found: dict[str, str] = {}
    for each in error.descriptions:
        name = each.properties[0].partition(".")[0] if each.properties else ""
        found.setdefault(name if name in FIELDS else "body", each.description)
    return found


def _loaded(schema: Any, fields: dict[str, Any]) -> dict[str, Any]:
    try:
        found: dict[str, Any] = schema.load(fields)
    except ValidationError as error:
        raise invalid_properties(error.messages, resource=MESSAGE.rel) from error
    return found
