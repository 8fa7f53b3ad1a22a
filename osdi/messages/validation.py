"""Validates messages and wrappers when a client saves them, so that the worker can send every saved message.

Pure.
"""

from collections.abc import Mapping
from typing import Any, Final

from osdi.action_functions.followup_kinds import EMAIL
from osdi.errors import ErrorDescription, OsdiError
from osdi.mail.mailboxes import in_one_line, mailbox
from osdi.messages.template_check import Mistake
from osdi.messages.templates import check
from osdi.resources import MESSAGE, WRAPPER, Resource

TEMPLATES: Final[Mapping[Resource, tuple[str, ...]]] = {
    MESSAGE: ("subject", "body"),
    WRAPPER: ("header", "footer"),
}
LINES: Final = ("subject", "from", "reply_to")


def check_sendable(resource: Resource, document: Mapping[str, Any]) -> None:
    """Raises OsdiError 400 that names each invalid template and each invalid header."""
    errors = [*_template_errors(resource, document), *(_header_errors(document) if resource is MESSAGE else ())]
    if errors:
        raise OsdiError(400, *errors, resource=resource.rel)


def _template_errors(resource: Resource, document: Mapping[str, Any]) -> list[ErrorDescription]:
    found = []
    for name in TEMPLATES[resource]:
        try:
            check(document.get(name, ""))
        except Mistake as mistake:
            found.append(ErrorDescription("TEMPLATE_ERROR", str(mistake), (name,)))
    return found


def _header_errors(message: Mapping[str, Any]) -> list[ErrorDescription]:
    kind = message.get("type", EMAIL)
    found = [(name, _header_error(name, message.get(name, ""), kind)) for name in LINES]
    return [ErrorDescription("INVALID", sentence, (name,)) for name, sentence in found if sentence]


def _header_error(name: str, text: str, kind: str) -> str | None:
    """Returns the reason why the text cannot be that header, or None.

    `from` can be a name without an address; in a text message it can be a phone number.
    """
    if not in_one_line(text):
        return "This must be one line without control characters."
    if name == "subject" or not text or kind != EMAIL or (name == "from" and "@" not in text):
        return None
    try:
        mailbox(text)
    except ValueError:
        return "Not a mailbox such as Our Name <hello@example.org>."
    return None
