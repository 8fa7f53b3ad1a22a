"""Responds in OSDI's error form to a request that is not valid HTTP. Such a request never reaches the application."""

from typing import Any, Final

import orjson
from gunicorn.http.errors import (
    ExpectationFailed,
    ForbiddenProxyRequest,
    LimitRequestHeaders,
    LimitRequestLine,
    ParseException,
    UnsupportedTransferCoding,
)

from osdi.errors import ErrorDescription, OsdiError

# By the class of the exception: status, reason phrase, code and sentence. The exception's own message contains what the
# client sent.
RESPONSES: Final[dict[type[ParseException], tuple[int, str, str, str]]] = {
    LimitRequestLine: (414, "URI Too Long", "TOO_LARGE", "The first line of the request, with the URL, is too long."),
    LimitRequestHeaders: (
        431,
        "Request Header Fields Too Large",
        "TOO_LARGE",
        "The request has too many headers, or a header is too long.",
    ),
    UnsupportedTransferCoding: (501, "Not Implemented", "INVALID", "The server knows no transfer coding but chunked."),
    ExpectationFailed: (417, "Expectation Failed", "INVALID", "The server knows no expectation but 100-continue."),
    ForbiddenProxyRequest: (403, "Forbidden", "INVALID", "The server accepts no PROXY protocol from this address."),
}
OTHERWISE: Final = (400, "Bad Request", "INVALID", "The request is not valid HTTP.")


def response_to(error: ParseException) -> bytes:
    """Returns the response with its head; the connection is closed behind it."""
    status, phrase, code, sentence = RESPONSES.get(type(error), OTHERWISE)
    body = orjson.dumps(OsdiError(status, ErrorDescription(code, sentence)).body())
    headers: dict[str, Any] = {
        "Content-Type": "application/hal+json",
        "Content-Length": len(body),
        "X-Content-Type-Options": "nosniff",
        "Connection": "close",
    }
    lines = [f"HTTP/1.1 {status} {phrase}", *(f"{name}: {value}" for name, value in headers.items())]
    return "\r\n".join([*lines, "", ""]).encode() + body
