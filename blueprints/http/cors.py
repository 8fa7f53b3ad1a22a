"""CORS: which web pages may call the API and read its answers, refusals too (fetch.spec.whatwg.org).

Flask-Cors answers by the deployment's origins. A campaign that lists origins of its own is answered by those, at its
helper and in the preflight of it. No answer allows credentials: a token is sent by a page that knows it, never by a
browser of its own accord.
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
from osdi.resources import API
from osdi.settings import Settings

ALLOW_ORIGIN: Final = "Access-Control-Allow-Origin"
OPEN_ROUTES: Final = (f"{OF_CAMPAIGN}/record_outreach_helper", f"{OF_CAMPAIGN}/outreaches")


def share_with_origins(app: Flask, settings: Settings) -> None:
    """Add CORS headers to every answer under the API's root."""
    # Functions after a request run in the reverse order: this one when Flask-Cors has answered.
    app.after_request(_as_the_campaign_says)
    CORS(
        app,
        resources={f"{API}/*": {"origins": list(settings.cors_origins)}},
        methods=["GET", "POST", "PUT", "DELETE", "OPTIONS"],
        expose_headers=["ETag", "Retry-After", REQUEST_ID],
        allow_headers=["Content-Type", TOKEN_HEADER, IDEMPOTENCY_KEY, IF_MATCH, "Prefer"],
        max_age=3600,
        send_wildcard=True,  # `*` as it is, where it is set: an answer then suits every cache
    )


def _as_the_campaign_says(response: Response) -> Response:
    origin, route = request.headers.get("Origin"), request.url_rule
    if origin is None or route is None or route.rule not in OPEN_ROUTES or not _is_post():
        return response
    try:
        campaign = reference().campaign((request.view_args or {})["advocacy_campaign_id"])
    except OsdiError:  # there is none, or the database is away: the answer stays as the deployment allows it
        return response
    if "origins" not in campaign.get("anonymous_posts", {}):
        return response
    door = AnonymousPosts.of(settings(), campaign)
    response.headers.pop(ALLOW_ORIGIN, None)
    if door.lets_in(origin):
        response.headers[ALLOW_ORIGIN] = ANY_ORIGIN if ANY_ORIGIN in door.origins else origin
    response.vary.add("Origin")
    return response


def _is_post() -> bool:
    """Whether this is a POST, or the preflight of one."""
    return request.method == "POST" or (
        request.method == "OPTIONS" and request.headers.get("Access-Control-Request-Method") == "POST"
    )
