"""What is asked again and again from outside: does the process answer, and can it do its work?

`/healthz` is for whoever would start the process anew, so it looks at nothing else: a database that is away is no
reason to. `/readyz` is for whoever sends requests here or watches over the whole; it looks at the database, for two
seconds at most. Neither is counted by the rate limits, and neither tells where the database is.
"""

from flask import Blueprint, Response, current_app

from blueprints.http.request_log import HEALTHZ, READYZ
from osdi.operations.readiness import Readiness
from osdi.store import Store


def blueprint(store: Store) -> Blueprint:
    """Both routes, about one store."""
    health = Blueprint("health", __name__)
    readiness = Readiness(store)

    @health.get(HEALTHZ)
    def healthz() -> Response:
        """The process answers."""
        return _answer(200, {"status": "alive"})

    @health.get(READYZ)
    def readyz() -> Response:
        """The database answers and has its unique indexes; else 503, and what is missing."""
        missing = readiness.missing()
        if missing:
            return _answer(503, {"status": "not ready", "missing": missing})
        return _answer(200, {"status": "ready"})

    return health


def _answer(status: int, body: dict[str, object]) -> Response:
    response = Response(current_app.json.dumps(body) + "\n", status, mimetype="application/json")
    response.headers["Cache-Control"] = "no-store"
    return response
