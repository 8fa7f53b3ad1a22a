"""Logs one line for each request: route, caller, status, and the documents that it wrote.

The line contains no text that the client sent, which may be a token or personal data: it has the route instead of the
path, and neither query, body nor headers. The server makes the `request_id` itself, so a client cannot choose it, and
returns it in the header OSDI-Request-ID.
"""

import re
import time
from typing import Any, Final

from flask import Flask, Request, Response, g
from flask.ctx import _AppCtxGlobals
from flask.globals import app_ctx, request_ctx

from osdi import log
from osdi.access.tokens import ANONYMOUS, Caller
from osdi.ids import new_id
from osdi.settings import Settings
from osdi.store import request_deadline, write_log

HEALTHZ: Final = "/healthz"
READYZ: Final = "/readyz"

REQUEST_ID: Final = "OSDI-Request-ID"
PLATFORM_REQUEST_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,200}")
METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
ASSETS: Final = "/docs/assets/"
# Frequent requests without personal data; logged at level debug.
OFTEN: Final = (ASSETS, HEALTHZ, READYZ)


def log_requests(app: Flask, settings: Settings) -> None:
    """Logs each request. Must be set up before other request hooks, so that it also logs what they reject."""
    line = log.logger()

    def begin() -> None:
        of_request = app_ctx.g
        of_request.began = time.perf_counter()
        of_request.request_id = new_id()
        of_request.wrote = write_log.start()
        request_deadline.begin()

    def finish(response: Response) -> Response:
        # Each use of a proxy takes as long as some lines of code, and every request comes here.
        of_request, sent = app_ctx.g, request_ctx.request
        response.headers[REQUEST_ID] = of_request.request_id
        route = sent.url_rule.rule if sent.url_rule else None
        fields = _fields(of_request, sent, response, route, settings)
        if response.status_code >= 500:
            line.error("request", **fields)
        elif route and route.startswith(OFTEN):
            line.debug("request", **fields)
        else:
            line.info("request", **fields)
        write_log.end()
        request_deadline.end()
        return response

    app.before_request(begin)
    app.after_request(finish)
    # Flask's own method would log the path and the exception's message.
    app.log_exception = lambda exc_info: failed_by(exc_info[1])  # type: ignore[method-assign]


def request_id() -> str:
    """Returns the id of the present request."""
    found: str = g.request_id
    return found


def failed_by(error: BaseException | None) -> None:
    """Adds the exception to this request's line."""
    g.failure = error


def _fields(
    of_request: _AppCtxGlobals, sent: Request, response: Response, route: str | None, settings: Settings
) -> dict[str, Any]:
    caller: Caller = of_request.get("caller", ANONYMOUS)
    fields: dict[str, Any] = {
        "request_id": of_request.request_id,
        "method": sent.method if sent.method in METHODS else "other",
        "route": route,
        "status": response.status_code,
        "milliseconds": round((time.perf_counter() - of_request.began) * 1000, 1),
        "caller": caller.name or "anonymous",
        "token_id": caller.token_id,
        # Without transactions, a retry after a write conflict can write the same person again.
        "wrote": list(dict.fromkeys(of_request.wrote)),
        "bytes": response.calculate_content_length(),
    }
    platform = sent.headers.get("X-Request-ID")
    if platform and PLATFORM_REQUEST_ID.fullmatch(platform):
        fields["platform_request_id"] = platform
    if settings.log_addresses:
        fields["remote_addr"] = sent.remote_addr
    failure = of_request.get("failure")
    if failure is not None:
        fields["exc_info"] = failure
    return fields
