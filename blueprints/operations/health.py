"""Health checks: `/healthz` for liveness, `/readyz` for readiness.

A service manager restarts the process if `/healthz` fails. The route checks nothing else, since a restart does not help
against an unavailable database. Load balancers and monitors use `/readyz`, which checks the database for about two
seconds at most. Rate limits do not count these routes, and their answers do not contain the database's address.
"""

from flask import Blueprint, Response, current_app

from blueprints.http.request_log import HEALTHZ, READYZ
from osdi.operations.readiness import Readiness
from osdi.store import Store


def blueprint(store: Store) -> Blueprint:
    """Returns a blueprint with both routes for one store."""
    health = Blueprint("health", __name__)
    readiness = Readiness(store)

    @health.get(HEALTHZ)
    def healthz() -> Response:
        """Returns 200 as long as the process answers."""
        return _answer(200, {"status": "alive"})

    @health.get(READYZ)
    def readyz() -> Response:
        """Returns 200 if the database answers and has its unique indexes; otherwise 503 with the problems."""
        missing = readiness.missing()
        if missing:
            return _answer(503, {"status": "not ready", "missing": missing})
        return _answer(200, {"status": "ready"})

    return health


def _answer(status: int, body: dict[str, object]) -> Response:
    response = Response(current_app.json.dumps(body) + "\n", status, mimetype="application/json")
    response.headers["Cache-Control"] = "no-store"
    return response
