"""Downloads of people and outreaches as CSV, streamed so that memory use does not grow with the file.

The server checks the request before the first byte. If an error occurs later, the server closes the connection, so the
chunked body (RFC 9112, section 7.1) has no last chunk and the client knows that the file is incomplete. HTTP/1.0 has no
chunks, so the server rejects it.

A download occupies a thread until it ends, so a process runs only MAX_DOWNLOADS downloads at a time.
"""

import threading
import weakref
from collections.abc import Iterator
from itertools import chain, islice
from typing import TYPE_CHECKING, Any, Final

from flask import Response, request

from blueprints.http.api import Blueprint
from blueprints.http.context import caller, reference, settings, store
from blueprints.http.parameters import CAMPAIGN_PARAMETER
from blueprints.http.request_log import request_id
from osdi import log
from osdi.access.tokens import READ
from osdi.errors import ErrorDescription, OsdiError, too_many_requests
from osdi.resources import API, OUTREACH, PERSON, Resource
from schemas.base.collection import DownloadArgumentsSchema

if TYPE_CHECKING:
    from osdi.exporting.export import Part

blp = Blueprint("Downloads", __name__, url_prefix=API, description="People and outreaches as files for spreadsheets")

CSV: Final = "text/csv"
CSV_HEADER: Final = f"{CSV}; charset=utf-8; header=present"  # RFC 7111 and 4180
MAX_DOWNLOADS: Final = 2
WAIT_SECONDS: Final = 10
ATTACHMENT: Final = {
    "Content-Disposition": {"description": "The name of the file.", "schema": {"type": "string"}},
}

_running = threading.BoundedSemaphore(MAX_DOWNLOADS)


def _file(view: Any) -> Any:
    """Documents that the view returns a CSV file."""
    return blp.response(200, {"type": "string"}, content_type=CSV, headers=ATTACHMENT)(view)


@blp.route("/people.csv")
@blp.token_required(READ)
@blp.arguments(DownloadArgumentsSchema(), location="query")
@_file
@blp.errors(400)
def download_people(arguments: dict[str, Any]) -> Response:
    """Download the people as CSV

    The file has a row for each person, the oldest first. docs/exporting.md lists the columns.
    """
    return _download(PERSON, arguments)


@blp.route("/outreaches.csv")
@blp.token_required(READ)
@blp.arguments(DownloadArgumentsSchema(), location="query")
@_file
@blp.errors(400)
def download_all_outreaches(arguments: dict[str, Any]) -> Response:
    """Download the outreaches of all campaigns as CSV

    The file has a row for each target of an outreach, with the person, the oldest outreach first.
    """
    return _download(OUTREACH, arguments)


@blp.route("/advocacy_campaigns/<advocacy_campaign_id>/outreaches.csv", parameters=[CAMPAIGN_PARAMETER])
@blp.token_required(READ)
@blp.arguments(DownloadArgumentsSchema(), location="query")
@_file
@blp.errors(400, 404)
def download_outreaches(arguments: dict[str, Any], advocacy_campaign_id: str) -> Response:
    """Download the outreaches of a campaign as CSV

    The file has a row for each target of an outreach, with the person, the oldest outreach first.
    """
    return _download(OUTREACH, arguments, reference().campaign(advocacy_campaign_id)["_id"])


def _download(resource: Resource, arguments: dict[str, Any], campaign_id: str | None = None) -> Response:
    """Returns the file of a resource. Raises OsdiError 400, 429, 503."""
    from osdi.exporting.export import ExportQuery, csv, query_of  # most processes export nothing

    query = query_of(resource, arguments.get("filter"), settings().match_key_rules, campaign_id=campaign_id)
    # A campaign-scoped token may not read tags.
    with_tags = caller().advocacy_campaign_id is None
    parts = csv(ExportQuery(store(), resource, query), bom=arguments["bom"], with_tags=with_tags)
    return streamed(parts, f"{resource.collection}.csv")


def streamed(parts: "Iterator[Part]", name: str, content_type: str = CSV_HEADER) -> Response:
    """Returns a file of this name, by default CSV. Raises OsdiError 400, 429 if MAX_DOWNLOADS are running, 503."""
    if request.environ.get("SERVER_PROTOCOL") == "HTTP/1.0":
        message = "A download needs HTTP/1.1, since HTTP/1.0 does not show if the file is complete."
        hint = "If nginx is the proxy, set proxy_http_version 1.1."
        raise OsdiError(400, ErrorDescription("HTTP_VERSION", message, hint=hint))
    if not _running.acquire(blocking=False):
        raise too_many_requests(WAIT_SECONDS)
    try:
        # Reads the header and the first part now, so that an unavailable database still gives a 503.
        first_parts = list(islice(parts, 2))
    except BaseException:
        _running.release()
        raise
    response = Response(_log_failure(chain(first_parts, parts), request_id()), content_type=content_type)
    # Otherwise the request log, which asks for the length, would read the whole file into memory.
    response.implicit_sequence_conversion = False
    # Called once at the end of the response, also after an error or for HEAD, which reads no part.
    response.call_on_close(weakref.finalize(response, _running.release))
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def _log_failure(parts: "Iterator[Part]", request_id: str) -> Iterator[bytes]:
    """Yields the bytes; logs an error during the download, since the request's own line was written before it."""
    documents = 0
    try:
        for part in parts:
            yield part.text
            documents += part.documents
    except Exception as error:
        log.logger().error("download", request_id=request_id, documents=documents, exc_info=error)
        raise
