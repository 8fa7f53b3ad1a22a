"""What a view reaches of the application it runs in: settings, store, reference data, caller, representation."""

from dataclasses import dataclass

from flask import Response, current_app, g, request

from osdi.access.tokens import Caller
from osdi.crud.reference_cache import Reference
from osdi.documents import Json
from osdi.errors import invalid
from osdi.hal import Hal
from osdi.settings import Settings
from osdi.statistics.reader import StatisticsReader
from osdi.store import Store

EXTENSION = "osdi"
BACKGROUND = ("background_request", "background_processing")


@dataclass(frozen=True)
class Deployment:
    """The parts of one application, made once by create_app."""

    settings: Settings
    store: Store
    reference: Reference
    statistics: StatisticsReader


def deployment() -> Deployment:
    found: Deployment = current_app.extensions[EXTENSION]
    return found


def settings() -> Settings:
    return deployment().settings


def store() -> Store:
    return deployment().store


def reference() -> Reference:
    return deployment().reference


def statistics() -> StatisticsReader:
    return deployment().statistics


def caller() -> Caller:
    """Who sent this request; set by the view's token decorator."""
    found: Caller = g.caller
    return found


def hal() -> Hal:
    """Represents documents under the address at which this request found us, or under PUBLIC_URL."""
    here = settings()
    if not here.public_url and not request.host:
        raise invalid("The request names no host.", "Host")
    # Not request.host_url, which decodes what we put into links as it came.
    return Hal(here.public_url or f"{request.scheme}://{request.host}", here.namespace)


def handles_strictly() -> bool:
    """Whether the client prefers to be refused rather than understood in part (RFC 7240, section 4.4)."""
    preferences = request.headers.get("Prefer")
    return preferences is not None and "strict" in _handling(preferences)


def _handling(preferences: str) -> set[str]:
    """The values of `handling` in a Prefer header."""
    pairs = (preference.partition("=") for preference in preferences.replace(";", ",").split(","))
    return {value.strip(' "').lower() for name, _, value in pairs if name.strip().lower() == "handling"}


def asks_for_nothing_back() -> bool:
    """Whether a POST or PUT says that its answer is not waited for."""
    if request.method not in ("POST", "PUT") or not request.query_string:
        return False
    return any(request.args.get(name, "").lower() in ("true", "1") for name in BACKGROUND)


def answer(body: Json, etag: str | None = None) -> Response:
    """200 with the body as HAL+JSON, or `{}` where that was asked for, and the entity tag of what it represents."""
    response = current_app.make_response(current_app.json.response({} if asks_for_nothing_back() else body))
    if etag:
        response.headers["ETag"] = etag
    return response
