"""The parts of the application that views use: settings, store, reference data, caller, representation."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from flask import Response, current_app, g
from flask.globals import request_ctx

from osdi.access.authentication import Authentication
from osdi.access.sender_digests import SenderDigests
from osdi.access.tokens import READ, Caller
from osdi.campaign_pages.embedding.site_counts import SiteCounts
from osdi.campaign_pages.form.form_token import FormTokens
from osdi.crud.reference_cache import Reference
from osdi.documents import Json, ReadOnlyDocument
from osdi.errors import ErrorDescription, invalid
from osdi.hal import Hal
from osdi.resources import Resource
from osdi.settings import Settings
from osdi.statistics.reader import StatisticsReader
from osdi.store import Store

EXTENSION: Final = "osdi"
NOT_SHOWN: Final = {"return_response": False}
BACKGROUND: Final = ("background_request", "background_processing")


@dataclass(frozen=True)
class Deployment:
    """The parts of one application, made once by create_app."""

    settings: Settings
    store: Store
    reference: Reference
    authentication: Authentication
    statistics: StatisticsReader
    senders: SenderDigests
    form_tokens: FormTokens
    embedding_sites: SiteCounts


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
    """The caller of this request; set by blueprints.http.access."""
    found: Caller = g.caller
    return found


def hal() -> Hal:
    """Returns the representation with links to PUBLIC_URL, or to the address of this request."""
    here = settings()
    if here.public_url:
        return Hal(here.public_url, here.namespace)
    sent = request_ctx.request
    if not sent.host:
        raise invalid("The request names no host.", "Host")
    # Not host_url, which decodes the host; links need it as it was sent.
    return Hal(f"{sent.scheme}://{sent.host}", here.namespace)


def asks_for_nothing_back() -> bool:
    """True if a POST or PUT says that nobody waits for its answer."""
    sent = request_ctx.request
    if sent.method not in ("POST", "PUT") or not sent.query_string:
        return False
    return any(sent.args.get(name, "").lower() in ("true", "1") for name in BACKGROUND)


def shown_after_write(resource: Resource, document: ReadOnlyDocument, control: Mapping[str, Any] | None = None) -> Json:
    """Returns the representation of a document that the caller has written.

    It is nothing but identifiers and links if the caller's `osdi:control` declines the rest, or if the caller's token
    lacks the scope `read`: a post may match a stored document that the caller may not see.
    """
    return hal().represent(resource, document, control=control if caller().may(READ) else NOT_SHOWN)


def hal_response(body: Json, etag: str | None = None) -> Response:
    """Returns 200 with the body as HAL+JSON, or `{}` if the client declines the body, and the entity tag.

    The answer to a POST has the address of the resource in `Location` (RFC 9110, 10.2.2).
    """
    response = current_app.make_response(current_app.json.response({} if asks_for_nothing_back() else body))
    if etag:
        response.headers["ETag"] = etag
    if request_ctx.request.method == "POST" and "self" in body.get("_links", {}):
        response.headers["Location"] = body["_links"]["self"]["href"]
    return response


def helper_response(
    resource: Resource, document: ReadOnlyDocument, warnings: Sequence[ErrorDescription], body: Mapping[str, Any]
) -> Response:
    """Returns the answer of a helper: the document and the warnings for the holder of a token, else `{}`.

    `body` is the loaded body, whose `osdi:control` may ask for less.
    """
    if not caller().has_token:
        return hal_response({})
    shown = shown_after_write(resource, document, body.get("control"))
    if warnings:
        shown[f"{settings().namespace}:warnings"] = [each.sentence for each in warnings]
    return hal_response(shown)
