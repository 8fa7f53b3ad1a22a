"""People and outreaches as a CSV file: streamed, so that memory does not grow with what is downloaded.

What can be refused is refused before the first byte. Where it fails later, the connection is broken off: the chunked
body (RFC 9112, section 7.1) has no end then, by which every client knows that the file is not whole. That needs
HTTP/1.1; without chunks a file that was cut off looks whole, so a client of HTTP/1.0 is refused.

A download holds a thread for as long as it takes, so only some run at a time in a process.
"""

import threading
import weakref
from collections.abc import Iterator
from itertools import chain, islice
from typing import Any, Final

from flask import Response, request

from blueprints.http.api import Blueprint
from blueprints.http.context import caller, reference, settings, store
from blueprints.http.parameters import CAMPAIGN_PARAMETER
from blueprints.http.request_log import request_id
from osdi import log
from osdi.access.tokens import READ
from osdi.errors import ErrorDescription, OsdiError, too_many_requests
from osdi.exporting.export import ExportQuery, Part, csv, query_of
from osdi.resources import API, OUTREACH, PERSON, Resource
from schemas.base.collection import DownloadArgumentsSchema

blp = Blueprint("Downloads", __name__, url_prefix=API, description="People and outreaches as files for spreadsheets")

CSV: Final = "text/csv"
CSV_HEADER: Final = f"{CSV}; charset=utf-8; header=present"  # RFC 7111 and 4180
AT_ONCE: Final = 2
WAIT_SECONDS: Final = 10
ATTACHMENT: Final = {
    "Content-Disposition": {"description": "The file's name.", "schema": {"type": "string"}},
}

_running = threading.BoundedSemaphore(AT_ONCE)


def _file(view: Any) -> Any:
    """Document that the view answers with a CSV file."""
    return blp.response(200, {"type": "string"}, content_type=CSV, headers=ATTACHMENT)(view)


@blp.route("/people.csv")
@blp.token_required(READ)
@blp.arguments(DownloadArgumentsSchema(), location="query")
@_file
@blp.refuses(400)
def download_people(arguments: dict[str, Any]) -> Response:
    """Download the people as CSV

    A row for each person, the oldest first; docs/exporting.md lists the columns.
    """
    return _download(PERSON, arguments)


@blp.route("/outreaches.csv")
@blp.token_required(READ)
@blp.arguments(DownloadArgumentsSchema(), location="query")
@_file
@blp.refuses(400)
def download_all_outreaches(arguments: dict[str, Any]) -> Response:
    """Download the outreaches of all campaigns as CSV

    A row for each target of an outreach, the oldest outreach first, with the person who made it.
    """
    return _download(OUTREACH, arguments)


@blp.route("/advocacy_campaigns/<advocacy_campaign_id>/outreaches.csv", parameters=[CAMPAIGN_PARAMETER])
@blp.token_required(READ)
@blp.arguments(DownloadArgumentsSchema(), location="query")
@_file
@blp.refuses(400, 404)
def download_outreaches(arguments: dict[str, Any], advocacy_campaign_id: str) -> Response:
    """Download the outreaches of a campaign as CSV

    A row for each target of an outreach, the oldest outreach first, with the person who made it.
    """
    return _download(OUTREACH, arguments, reference().campaign(advocacy_campaign_id)["_id"])


def _download(resource: Resource, arguments: dict[str, Any], campaign_id: str | None = None) -> Response:
    """The file. Raises OsdiError 400, 429 where others are being downloaded, 503."""
    if request.environ.get("SERVER_PROTOCOL") == "HTTP/1.0":
        message = "A download needs HTTP/1.1, whose end shows that all has arrived."
        hint = "Of nginx in front of us: proxy_http_version 1.1"
        raise OsdiError(400, ErrorDescription("HTTP_VERSION", message, hint=hint))
    query = query_of(resource, arguments.get("filter"), settings().match_key_rules, campaign_id=campaign_id)
    if not _running.acquire(blocking=False):
        raise too_many_requests(WAIT_SECONDS)
    try:
        # A token for one campaign does not read tags.
        with_tags = caller().advocacy_campaign_id is None
        parts = csv(ExportQuery(store(), resource, query), bom=arguments["bom"], with_tags=with_tags)
        # Read so far that a database which is away is told by a status.
        begun = list(islice(parts, 2))
    except BaseException:
        _running.release()
        raise
    response = Response(_told(chain(begun, parts), request_id()), content_type=CSV_HEADER)
    # Else whoever asks how long it is, as the log does, would read it all into memory.
    response.implicit_sequence_conversion = False
    # Once, however it ends: read to the end, broken off, or not read at all as for HEAD.
    response.call_on_close(weakref.finalize(response, _running.release))
    response.headers["Content-Disposition"] = f'attachment; filename="{resource.collection}.csv"'
    return response


def _told(parts: Iterator[Part], request_id: str) -> Iterator[bytes]:
    """The bytes, and a line in the log where they end too early: the request's own was written when they began."""
    documents = 0
    try:
        for part in parts:
            yield part.text
            documents += part.documents
    except Exception as error:
        log.logger().error("download", request_id=request_id, documents=documents, exc_info=error)
        raise
