"""Exceptions, and OSDI's error responses (`errors.md`).

OsdiError is an error response with an HTTP status and one or more error descriptions; `body()` returns its JSON. Two
exceptions never reach a client: WriteConflict and DuplicateKey make the caller retry.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final

# Descriptions in one response, and characters of a client's name for a property.
MAX_DESCRIPTIONS: Final = 50
MAX_NAME_LENGTH: Final = 200
UNKNOWN_FIELD: Final = "UNKNOWN_FIELD"
DOES_NOT_EXIST: Final = "DOES_NOT_EXIST"


@dataclass(frozen=True)
class ErrorDescription:
    """One reason of an error or warning: a code, a sentence, the properties that caused it, and a hint.

    `stored` is the sentence without values of the request, if it has some: warnings are stored, values are not.
    """

    error_code: str
    description: str
    properties: tuple[str, ...] = ()
    hint: str | None = None
    stored: str | None = None

    @property
    def sentence(self) -> str:
        """The description behind the properties: `person.gender: Must be one of: Female, Male, Other.`"""
        return f"{', '.join(self.properties)}: {self.description}" if self.properties else self.description

    def body(self, reference_code: str | None = None) -> dict[str, Any]:
        body: dict[str, Any] = {"error_code": self.error_code, "description": self.description}
        if self.properties:
            body["properties"] = list(self.properties)
        if self.hint:
            body["hint"] = self.hint
        if reference_code:
            body["reference_code"] = reference_code
        return body


class OsdiError(Exception):
    """An error response with an HTTP status, in the standard's error format."""

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
        """Returns `{"error": sentence, "osdi:error": {request_type, response_code, resource_status: [...]}}`.

        `reference_code` is the id of the request, by which the log can be searched.
        """
        status: dict[str, Any] = {
            "response_code": self.status,
            "error_descriptions": [description.body(reference_code) for description in self.descriptions],
        }
        if self.resource:
            status = {"resource": self.resource, **status}
        return {
            "error": "; ".join(description.sentence for description in self.descriptions),
            "osdi:error": {
                "request_type": "atomic",
                "response_code": self.status,
                "resource_status": [status],
            },
        }


def invalid(message: str, *properties: str, hint: str | None = None, resource: str | None = None) -> OsdiError:
    """Returns a 400: the request contains an invalid value."""
    return OsdiError(400, ErrorDescription("INVALID", message, properties, hint), resource=resource)


def invalid_properties(messages: object, *, resource: str | None = None) -> OsdiError:
    """Returns a 400 from marshmallow's nested messages, with one description for each invalid property."""
    return OsdiError(400, *islice(described(messages), MAX_DESCRIPTIONS), resource=resource)


def described(messages: object) -> Iterator[ErrorDescription]:
    """Yields a description for each invalid property of marshmallow's nested messages."""
    for path, text in _flatten(messages, ""):
        code = UNKNOWN_FIELD if text == "Unknown field." else "INVALID"
        yield ErrorDescription(code, text, (path,) if path else ())


def unauthorized(message: str) -> OsdiError:
    """Returns a 401: the token is unknown, or a required token is missing."""
    return OsdiError(
        401,
        ErrorDescription("INVALID_TOKEN", message, hint="Send the header OSDI-API-Token."),
        headers={"WWW-Authenticate": 'OSDI-API-Token realm="OSDI"'},
    )


def forbidden(message: str, code: str = "SCOPE_MISSING") -> OsdiError:
    """Returns a 403: the token is valid, but lacks a scope or is for something else."""
    return OsdiError(403, ErrorDescription(code, message))


def not_found(message: str, resource: str | None = None) -> OsdiError:
    """Returns a 404: the URL refers to nothing."""
    return OsdiError(404, ErrorDescription("NOT_FOUND", message), resource=resource)


def conflict(code: str, message: str, *properties: str, resource: str | None = None) -> OsdiError:
    """Returns a 409: the request conflicts with stored data."""
    return OsdiError(409, ErrorDescription(code, message, properties), resource=resource)


def moved(message: str, location: str, resource: str | None = None) -> OsdiError:
    """Returns a 301: the resource has moved to `location` permanently (RFC 9110, section 15.4.2)."""
    return OsdiError(301, ErrorDescription("MERGED", message), resource=resource, headers={"Location": location})


def expired(message: str, *properties: str, hint: str | None = None) -> OsdiError:
    """Returns a 410: what the request refers to was there, and is not kept any more."""
    return OsdiError(410, ErrorDescription("EXPIRED", message, properties, hint))


def too_large(limit: int) -> OsdiError:
    """Returns a 413: the body has more than `limit` bytes."""
    return OsdiError(413, ErrorDescription("TOO_LARGE", f"The body has more than {limit} bytes."))


def document_too_large(name: str, *properties: str) -> OsdiError:
    """Returns a 413: the change would make a stored document, such as a `person`, larger than its size limit.

    `properties` are the properties of the request that the client can shorten.
    """
    message = f"The {name.replace('_', ' ')} would exceed its size limit; shorten or remove values."
    return OsdiError(413, ErrorDescription("TOO_LARGE", message, properties))


def too_many_requests(seconds: int) -> OsdiError:
    """Returns a 429: the caller sent too many requests and can retry after `seconds` (RFC 6585, section 4)."""
    message = f"Too many requests; retry after {seconds} s."
    return OsdiError(429, ErrorDescription("TOO_MANY_REQUESTS", message), headers={"Retry-After": str(seconds)})


def unavailable(message: str, *, seconds: int = 2) -> OsdiError:
    """Returns a 503: the write is not confirmed; the client can repeat the same request after `seconds`."""
    return OsdiError(503, ErrorDescription("UNAVAILABLE", message), headers={"Retry-After": str(seconds)})


class DatabaseUnavailable(OsdiError):
    """The database does not respond: 503. The client can repeat the request after two seconds."""

    def __init__(self, message: str = "The database does not respond at the moment.") -> None:
        super().__init__(503, ErrorDescription("UNAVAILABLE", message), headers={"Retry-After": "2"})


class WriteConflict(Exception):
    """Another writer changed the document first: the caller must read it again and retry."""


class DuplicateKey(WriteConflict):
    """A unique index rejected an insert or update."""


def _flatten(messages: object, path: str) -> Iterator[tuple[str, str]]:
    """Yields a path and a sentence: `("targets[0].title", "Bad.")` for `{"targets": {0: {"title": ["Bad."]}}}`."""
    if isinstance(messages, Mapping):
        for name, inner in messages.items():
            if name == "_schema":
                yield from _flatten(inner, path)
            elif isinstance(name, int):
                yield from _flatten(inner, f"{path}[{name}]")
            else:
                short = str(name)[:MAX_NAME_LENGTH]
                yield from _flatten(inner, f"{path}.{short}" if path else short)
    elif isinstance(messages, Sequence) and not isinstance(messages, str):
        for inner in messages:
            yield from _flatten(inner, path)
    else:
        yield path, str(messages)
