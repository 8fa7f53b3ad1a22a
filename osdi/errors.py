"""What can go wrong, and how OSDI says it (`errors.md`).

An error response is an OsdiError with an HTTP status and one or more error descriptions; `body()` is its JSON. Two
exceptions never reach a client: WriteConflict makes the caller retry, DuplicateKey names the unique index.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class ErrorDescription:
    """One reason: a machine-readable code, a sentence, the properties that caused it, a hint to mend it."""

    error_code: str
    description: str
    properties: tuple[str, ...] = ()
    hint: str | None = None

    def body(self, reference_code: str | None = None) -> dict[str, Any]:
        said: dict[str, Any] = {"error_code": self.error_code, "description": self.description}
        if self.properties:
            said["properties"] = list(self.properties)
        if self.hint:
            said["hint"] = self.hint
        if reference_code:
            said["reference_code"] = reference_code
        return said


class OsdiError(Exception):
    """A refusal with an HTTP status, told in the standard's error form."""

    # True if the error lasts until an operator acts, so that no retry helps.
    needs_operator = False

    def __init__(
        self,
        status: int,
        *descriptions: ErrorDescription,
        resource: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__("; ".join(description.description for description in descriptions))
        self.status = status
        self.descriptions = descriptions
        self.resource = resource
        self.headers = dict(headers or {})

    def body(self, reference_code: str | None = None) -> dict[str, Any]:
        """`{"error": sentence, "osdi:error": {request_type, response_code, resource_status: [...]}}`.

        `reference_code` is where the log tells more.
        """
        status: dict[str, Any] = {
            "response_code": self.status,
            "error_descriptions": [description.body(reference_code) for description in self.descriptions],
        }
        if self.resource:
            status = {"resource": self.resource, **status}
        return {
            "error": "; ".join(_sentence(description) for description in self.descriptions),
            "osdi:error": {
                "request_type": "atomic",
                "response_code": self.status,
                "resource_status": [status],
            },
        }


def invalid(message: str, *properties: str, hint: str | None = None, resource: str | None = None) -> OsdiError:
    """400: the request names something that cannot be taken."""
    return OsdiError(400, ErrorDescription("INVALID", message, properties, hint), resource=resource)


def invalid_properties(messages: object, *, resource: str | None = None) -> OsdiError:
    """400 from marshmallow's nested messages: one description for each property that is wrong."""
    descriptions = [
        ErrorDescription("INVALID", sentence, (path,) if path else ()) for path, sentence in _flatten(messages, "")
    ]
    return OsdiError(400, *descriptions[:50], resource=resource)


def unauthorized(message: str) -> OsdiError:
    """401: a token that is not known, or none where one is needed."""
    return OsdiError(
        401,
        ErrorDescription("INVALID_TOKEN", message, hint="Send the header OSDI-API-Token."),
        headers={"WWW-Authenticate": 'OSDI-API-Token realm="OSDI"'},
    )


def forbidden(message: str, code: str = "SCOPE_MISSING") -> OsdiError:
    """403: the token is known, and lacks a scope or is meant for something else."""
    return OsdiError(403, ErrorDescription(code, message))


def not_found(message: str, resource: str | None = None) -> OsdiError:
    """404: nothing here under this address."""
    return OsdiError(404, ErrorDescription("NOT_FOUND", message), resource=resource)


def conflict(code: str, message: str, *properties: str, resource: str | None = None) -> OsdiError:
    """409: the request contradicts what is stored."""
    return OsdiError(409, ErrorDescription(code, message, properties), resource=resource)


def moved(message: str, location: str, resource: str | None = None) -> OsdiError:
    """301: what was here is under `location` from now on (RFC 9110, section 15.4.2)."""
    return OsdiError(301, ErrorDescription("MERGED", message), resource=resource, headers={"Location": location})


def too_large(limit: int) -> OsdiError:
    """413: the body has more than `limit` bytes."""
    return OsdiError(413, ErrorDescription("TOO_LARGE", f"The body has more than {limit} bytes."))


def document_too_large(name: str, *properties: str) -> OsdiError:
    """Returns a 413: the change would make a stored document, such as a `person`, larger than its size limit.

    `properties` are the properties of the request that the client can shorten.
    """
    message = f"The {name.replace('_', ' ')} would exceed its size limit; shorten or remove values."
    return OsdiError(413, ErrorDescription("TOO_LARGE", message, properties))


def too_many_requests(seconds: int) -> OsdiError:
    """429: the caller asked too often, and may come back after `seconds` (RFC 6585, section 4)."""
    message = "There were too many requests."
    return OsdiError(429, ErrorDescription("TOO_MANY_REQUESTS", message), headers={"Retry-After": str(seconds)})


def unavailable(message: str, *, seconds: int = 2) -> OsdiError:
    """503: nothing is known to have been written; the same request may be sent again after `seconds`."""
    return OsdiError(503, ErrorDescription("UNAVAILABLE", message), headers={"Retry-After": str(seconds)})


class WriteConflict(Exception):
    """Somebody else wrote first: what was read is stale, look again."""


class DuplicateKey(WriteConflict):
    """A unique index refused an insert or update."""


def _sentence(description: ErrorDescription) -> str:
    properties = ", ".join(description.properties)
    return f"{properties}: {description.description}" if properties else description.description


def _flatten(messages: object, path: str) -> Iterator[tuple[str, str]]:
    """`{"targets": {0: {"title": ["Bad."]}}}` becomes `("targets[0].title", "Bad.")`."""
    if isinstance(messages, Mapping):
        for name, inner in messages.items():
            if name == "_schema":
                yield from _flatten(inner, path)
            elif isinstance(name, int):
                yield from _flatten(inner, f"{path}[{name}]")
            else:
                yield from _flatten(inner, f"{path}.{name}" if path else str(name))
    elif isinstance(messages, Sequence) and not isinstance(messages, str):
        for inner in messages:
            yield from _flatten(inner, path)
    else:
        yield path, str(messages)
