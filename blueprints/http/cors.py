"""CORS: the web pages that may call the API and read its responses, also errors (fetch.spec.whatwg.org).

Flask-Cors uses the deployment's origins. If a campaign lists its own origins, those apply to its helper and to the
preflight request of it. No response allows credentials: a page sends its token itself, never the browser.
"""

from typing import Final

from flask import Flask, Response, request
from flask_cors import CORS

from blueprints.http.access import OF_CAMPAIGN, TOKEN_HEADER
from blueprints.http.context import reference, settings
from blueprints.http.parameters import IDEMPOTENCY_KEY
from blueprints.http.put_and_delete import IF_MATCH
from blueprints.http.request_log import REQUEST_ID
from osdi.access.anonymous_posts import ANY_ORIGIN, AnonymousPosts
from osdi.errors import OsdiError
from osdi.resources import API, PAGES
from osdi.settings import Settings

ALLOW_ORIGIN: Final = "Access-Control-Allow-Origin"
METHODS: Final = ("GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS")
# Libraries for browsers add the headers of the second line to every request; the server ignores them.
ALLOWED_HEADERS: Final = (
    *("Content-Type", TOKEN_HEADER, IDEMPOTENCY_KEY, IF_MATCH, "Prefer"),
    *("Accept", "Cache-Control", "Pragma", "X-Requested-With"),
)
# The headers of a response that a page can need. Without this list it can read only a few common ones.
EXPOSED_HEADERS: Final = (
    *("Allow", "Content-Disposition", "ETag", "Location", "Retry-After", REQUEST_ID, "WWW-Authenticate"),
)
# A regular expression, as Flask-Cors takes it.
PUBLIC_COUNT: Final = rf"{PAGES}/[^/]+\.json"
OPEN_ROUTES: Final = (f"{OF_CAMPAIGN}/record_outreach_helper", f"{OF_CAMPAIGN}/outreaches")


def share_with_origins(app: Flask, settings: Settings) -> None:
    """Adds CORS headers to every response below the API's root, and to the public counts of campaigns."""
    # Flask calls these functions in reverse order: this one after that of Flask-Cors.
    app.after_request(_apply_campaign_origins)
    CORS(
        app,
        resources={f"{API}/*": {"origins": list(settings.cors_origins)}, PUBLIC_COUNT: {"origins": ANY_ORIGIN}},
        methods=list(METHODS),
        expose_headers=list(EXPOSED_HEADERS),
        allow_headers=list(ALLOWED_HEADERS),
        max_age=3600,
        send_wildcard=True,  # sends `*` itself, so that caches can share the response
    )


def _apply_campaign_origins(response: Response) -> Response:
    origin, route = request.headers.get("Origin"), request.url_rule
    if origin is None or route is None or route.rule not in OPEN_ROUTES or not _is_post():
        return response
    try:
        campaign = reference().campaign((request.view_args or {})["advocacy_campaign_id"])
    except OsdiError:  # unknown campaign or unavailable database: the deployment's origins apply
        return response
    if "origins" not in campaign.get("anonymous_posts", {}):
        return response
    policy = AnonymousPosts.of(settings(), campaign)
    response.headers.pop(ALLOW_ORIGIN, None)
    if policy.allows_origin(origin):
        response.headers[ALLOW_ORIGIN] = ANY_ORIGIN if ANY_ORIGIN in policy.origins else origin
    response.vary.add("Origin")
    return response


def _is_post() -> bool:
    """True if the request is a POST or the preflight of one."""
    return request.method == "POST" or (
        request.method == "OPTIONS" and request.headers.get("Access-Control-Request-Method") == "POST"
    )
