"""What cannot be saved of messages and wrappers, since it could not be sent: told when saved, not when it is late.

Pure.
"""

import unicodedata
from collections.abc import Mapping
from typing import Any, Final

from osdi.errors import ErrorDescription, OsdiError
from osdi.resources import MESSAGE, WRAPPER, Resource
from osdi.smtp import mailbox
from osdi.templates import Mistake, check
from osdi.triggers import EMAIL

TEMPLATES: Final[Mapping[Resource, tuple[str, ...]]] = {
    MESSAGE: ("subject", "body"),
    WRAPPER: ("header", "footer"),
}
LINES: Final = ("subject", "from", "reply_to")
BREAKS: Final = frozenset({"Cc", "Zl", "Zp"})


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
            found.append(ErrorDescription("TEMPLATE_MISTAKE", str(mistake), (name,)))
    return found


def _wrong_headers(message: Mapping[str, Any]) -> list[ErrorDescription]:
    found = []
    for name in LINES:
        if any(unicodedata.category(character) in BREAKS for character in message.get(name, "")):
            found.append(ErrorDescription("INVALID", "This goes into one line.", (name,)))
        elif name != "subject" and not _is_address(name, message):
            found.append(ErrorDescription("INVALID", "Not a mailbox such as Our Name <hello@example.org>.", (name,)))
    return found


def _is_address(name: str, message: Mapping[str, Any]) -> bool:
    """Whether mails can be from, or answered to, what stands there. A `from` may be a name alone, a text's a number."""
    text = message.get(name, "")
    if not text or message.get("type", EMAIL) != EMAIL or (name == "from" and "@" not in text):
        return True
    try:
        mailbox(text)
    except ValueError:
        return False
    return True
