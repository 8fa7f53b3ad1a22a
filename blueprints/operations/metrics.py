"""Counts each request for Prometheus, and reports the metrics at `/metrics` to callers with METRICS_TOKEN.

Without METRICS_TOKEN nothing is counted, and the route responds with 404.
"""

import hmac
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from flask import Blueprint, Flask, Response, current_app, g, request

from blueprints.http.context import settings
from blueprints.http.request_log import METHODS
from osdi import log
from osdi.errors import ErrorDescription, OsdiError, not_found, unavailable
from osdi.outreaches.record_outreach import RETRY
from osdi.settings import Settings
from osdi.store import Store

if TYPE_CHECKING:
    from osdi.operations.metrics import Metrics

pages = Blueprint("metrics", __name__)

EXTENSION: Final = "osdi_metrics"
NO_ROUTE: Final = "none"


@pages.get("/metrics")
def metrics() -> Response:
    token = settings().metrics_token
    if not token:
        raise not_found("This URL does not exist.")
    scheme, _, sent = request.headers.get("Authorization", "").partition(" ")
    is_token = hmac.compare_digest(sent.strip().encode("utf-8", "surrogatepass"), token.encode())
    if scheme.lower() != "bearer" or not is_token:
        description = ErrorDescription("INVALID_TOKEN", "Send the token of METRICS_TOKEN as a bearer token.")
        raise OsdiError(401, description, headers={"WWW-Authenticate": 'Bearer realm="metrics"'})
    found: Metrics | None = current_app.extensions[EXTENSION]
    if found is None:
        raise unavailable("There was no space to count in when this process started.", seconds=60)
    return Response(found.text(), content_type="text/plain; version=0.0.4; charset=utf-8")


def metrics_of(settings: Settings, store: Store) -> "Metrics | None":
    """Returns the counts of this process, or None without METRICS_TOKEN.

    If there is no space for the counts, nothing is counted, and every request is served as usual.
    """
    if not settings.metrics_token:
        return None
    # Imported here: the metrics take memory, which a deployment without METRICS_TOKEN does not need.
    from osdi.operations.database_gauges import read_queue_gauges
    from osdi.operations.metrics import Metrics

    try:
        return Metrics(lambda: read_queue_gauges(store), store.connection_gauges)
    except OSError as error:
        log.logger().error("metrics", exc_info=error)
        return None


def count_requests(app: Flask) -> None:
    """Counts every request if there are metrics. Called after the request log has been set up."""
    found: Metrics | None = app.extensions[EXTENSION]
    if found is None:
        return

    def finish(response: Response) -> Response:
        with suppress(OSError):
            count(response)
        return response

    def count(response: Response) -> None:
        found.start_sampling()
        rule = request.url_rule
        method = request.method if request.method in METHODS else "other"
        seconds = time.perf_counter() - g.began
        found.count_request(method, rule.rule if rule else NO_ROUTE, response.status_code, seconds)
        matched_by = g.get("matched_by")
        if matched_by is not None:
            found.count_match(matched_by)
        for warning in g.get("warnings", ()) if matched_by != RETRY else ():
            found.count_skipped(warning.error_code)
        recorded = g.get("recorded")
        if recorded is not None and matched_by != RETRY:
            found.count_outreach(recorded.get("type"), token=g.caller.has_token)
            if "not_applied" in recorded:
                found.count_not_applied(recorded["not_applied"])
        rejected = g.get("rejected")
        if rejected is not None:
            found.count_rejection(rejected)

    app.after_request(finish)
