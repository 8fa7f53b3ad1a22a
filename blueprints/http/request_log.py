"""One line for each request: which it was, who sent it, what came of it, and which documents it wrote.

Nothing of what the client sent is in it, as that may be a token or somebody's: the route stands for the path, and
neither query, body nor headers are told. The line's `request_id` is ours, so nobody can choose it, and goes out with
the answer as OSDI-Request-ID.
"""

import re
import time
from typing import Any, Final

from flask import Flask, Response, g, request

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
# What is asked for all the time, and says nothing of anybody.
OFTEN: Final = (ASSETS, HEALTHZ, READYZ)


def log_requests(app: Flask, settings: Settings) -> None:
    """Write the line of each request. Comes before whatever else looks at requests, so that it sees all they refuse."""
    line = log.logger()

    def begin() -> None:
        g.began = time.perf_counter()
        g.request_id = new_id()
        g.wrote = write_log.start()
        request_deadline.begin()

    def finish(response: Response) -> Response:
        response.headers[REQUEST_ID] = g.request_id
        route = request.url_rule.rule if request.url_rule else None
        said = _said(response, route, settings)
        if response.status_code >= 500:
            line.error("request", **said)
        elif route and route.startswith(OFTEN):
            line.debug("request", **said)
        else:
            line.info("request", **said)
        write_log.end()
        request_deadline.end()
        return response

    app.before_request(begin)
    app.after_request(finish)
    # Flask's own writes the path and the exception's message.
    app.log_exception = lambda exc_info: failed_by(exc_info[1])  # type: ignore[method-assign]


def request_id() -> str:
    """The id of the request that is answered now."""
    found: str = g.request_id
    return found


def failed_by(error: BaseException | None) -> None:
    """Say in this request's line where it failed."""
    g.failure = error


def _said(response: Response, route: str | None, settings: Settings) -> dict[str, Any]:
    caller: Caller = g.get("caller", ANONYMOUS)
    said: dict[str, Any] = {
        "request_id": g.request_id,
        "method": request.method if request.method in METHODS else "other",
        "route": route,
        "status": response.status_code,
        "milliseconds": round((time.perf_counter() - g.began) * 1000, 1),
        "caller": caller.name or "anonymous",
        "token_id": caller.token_id,
        # A server without transactions may write a person once more when the outreach lost a race.
        "wrote": list(dict.fromkeys(g.wrote)),
        "bytes": response.calculate_content_length(),
    }
    platform = request.headers.get("X-Request-ID")
    if platform and PLATFORM_REQUEST_ID.fullmatch(platform):
        said["platform_request_id"] = platform
    if settings.log_addresses:
        said["remote_addr"] = request.remote_addr
    failure = g.get("failure")
    if failure is not None:
        said["exc_info"] = failure
    return said
