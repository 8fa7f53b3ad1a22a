"""What cannot be saved of messages and wrappers, since it could not be sent: told when saved, not when it is late.

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
    """Raises OsdiError 400 that names each template with a mistake, and each header that would be none."""
    wrong = [*_mistakes(resource, document), *(_wrong_headers(document) if resource is MESSAGE else ())]
    if wrong:
        raise OsdiError(400, *wrong, resource=resource.rel)


def _mistakes(resource: Resource, document: Mapping[str, Any]) -> list[ErrorDescription]:
    found = []
    for name in TEMPLATES[resource]:
        try:
            check(document.get(name, ""))
        except Mistake as mistake:
            found.append(ErrorDescription("TEMPLATE_ERROR", str(mistake), (name,)))
    return found


def _wrong_headers(message: Mapping[str, Any]) -> list[ErrorDescription]:
    kind = message.get("type", EMAIL)
    found = [(name, _wrong_header(name, message.get(name, ""), kind)) for name in LINES]
    return [ErrorDescription("INVALID", sentence, (name,)) for name, sentence in found if sentence]


def _wrong_header(name: str, text: str, kind: str) -> str | None:
    """Why a text cannot be that header; None where it can. A `from` may be a name alone, and of a text a number."""
    if not in_one_line(text):
        return "This goes into one line."
    if name == "subject" or not text or kind != EMAIL or (name == "from" and "@" not in text):
        return None
    try:
        mailbox(text)
    except ValueError:
        return "Not a mailbox such as Our Name <hello@example.org>."
    return None
