"""Health checks: `/healthz` for liveness, `/readyz` for readiness.

A service manager restarts the process if `/healthz` fails. The route checks nothing else, since a restart does not help
against an unavailable database. Load balancers and monitors use `/readyz`, which checks the database for about two
seconds at most. Rate limits do not count these routes, and their responses do not contain the database's address.
"""

from typing import Final

from flask import Blueprint, Response, current_app, request

from blueprints.http.request_log import HEALTHZ, READYZ
from osdi.operations.readiness import Readiness
from osdi.resources import API, STAFF_PAGES
from osdi.settings import Settings
from osdi.store import Store
from osdi.version import VERSION

WRITES: Final = ("POST", "PUT")


def blueprint(store: Store, settings: Settings) -> Blueprint:
    """Returns a blueprint with both routes for one store, and the check of its indexes before each write."""
    health = Blueprint("health", __name__)
    readiness = Readiness(store, settings)

    @health.get(HEALTHZ)
    def healthz() -> Response:
        """Returns 200 and the version of the server as long as the process answers."""
        return _json_response(200, {"status": "alive", "version": VERSION})

    @health.get(READYZ)
    def readyz() -> Response:
        """Returns 200 if the database answers and has its unique indexes; otherwise 503 with the problems."""
        missing = readiness.missing()
        warnings: dict[str, object] = {"warnings": found} if (found := readiness.warnings()) else {}
        if missing:
            return _json_response(503, {"status": "not ready", "missing": missing, **warnings})
        return _json_response(200, {"status": "ready", **warnings})

    @health.before_app_request
    def require_unique_indexes() -> None:
        """Rejects a write while unique indexes are missing: a retried or simultaneous post could be stored twice."""
        if request.method in WRITES and request.path.startswith((API, STAFF_PAGES)):
            readiness.require_unique_indexes()

    return health


def _json_response(status: int, body: dict[str, object]) -> Response:
    response = Response(current_app.json.dumps(body) + "\n", status, mimetype="application/json")
    response.headers["Cache-Control"] = "no-store"
    return response
