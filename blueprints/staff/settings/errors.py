"""Shows a form again if its values are rejected, with what was typed and a message for each wrong field."""

from collections.abc import Callable

from flask import Response, g
from werkzeug.wrappers import Response as AnyResponse

from osdi.errors import OsdiError

Errors = dict[str, str]


def or_form(action: Callable[[], AnyResponse], form: Callable[[int, Errors], Response]) -> AnyResponse:
    """Returns the response of the action, or the form with status 422 if it raises an OsdiError 400 or 409.

    Raises OsdiError for another status.
    """
    try:
        return action()
    except OsdiError as error:
        if error.status not in (400, 409):
            raise
        g.rejected = error.descriptions[0].error_code
        errors = {(each.properties or ("form",))[0]: each.description for each in error.descriptions}
        return form(422, errors)
