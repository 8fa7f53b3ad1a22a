"""Access to views: reads the token from header or query, and checks it against the scope and campaign of the route.

Everything that a token may not do is rejected here, before the view. A new route is closed to campaign-scoped tokens
until it is added to CAMPAIGN_TOKEN_ROUTES.
"""

from collections.abc import Mapping
from typing import Final

from flask import g, request
from flask.globals import request_ctx

from blueprints.http.context import deployment
from osdi.access.tokens import ANONYMOUS, MAX_TOKEN_LENGTH, Caller
from osdi.errors import OsdiError, unauthorized
from osdi.resources import ADVOCACY_CAMPAIGN, API

TOKEN_HEADER: Final = "OSDI-API-Token"  # noqa: S105  # a name, not a secret
TOKEN_ARGUMENT: Final = "osdi-api-token"  # noqa: S105
OF_CAMPAIGN: Final = f"{API}/{ADVOCACY_CAMPAIGN.collection}/<advocacy_campaign_id>"
CAMPAIGN_TOKEN_ROUTES: Final[Mapping[str, tuple[str, ...]]] = {
    OF_CAMPAIGN: ("GET", "HEAD"),
    f"{OF_CAMPAIGN}/record_outreach_helper": ("POST",),
    f"{OF_CAMPAIGN}/stats": ("GET", "HEAD"),
    f"{OF_CAMPAIGN}/page": ("GET", "HEAD"),
    f"{OF_CAMPAIGN}/outreaches": ("GET", "HEAD", "POST"),
    f"{OF_CAMPAIGN}/outreaches.csv": ("GET", "HEAD"),
    f"{OF_CAMPAIGN}/outreaches/<outreach_id>": ("GET", "HEAD", "PUT", "DELETE"),
}


def authorize(scope: str | None, *, optional: bool) -> None:
    """Rejects a request whose caller may not call the view. Raises OsdiError 401 or 403.

    A view without scope is public, but a token that is sent has to be valid.
    """
    caller: Caller = g.get("caller", ANONYMOUS)
    if not caller.has_token:  # `identify` has found no valid token: an invalid or missing one is an error here
        caller = g.caller = _read_caller(optional=optional)
    if caller.has_token and scope:
        if caller.advocacy_campaign_id is not None:
            caller.require_campaign(_campaign_of_route())
        caller.require(scope)


def identify() -> Caller:
    """Returns the caller of this request, and keeps it for view, log and metrics; ANONYMOUS if the token is invalid.

    Called before the view. The view's decorator rejects an invalid token.
    """
    try:
        found = _read_caller(optional=True)
    except OsdiError:
        found = ANONYMOUS
    g.caller = found
    return found


def _read_caller(*, optional: bool) -> Caller:
    """Returns the caller by the token in header or query, which must agree if both are sent. Raises OsdiError 401."""
    header = request.headers.get(TOKEN_HEADER)
    arguments = request.args.items(multi=True) if request.query_string else ()
    sent = [value for name, value in arguments if name.lower() == TOKEN_ARGUMENT]
    if len(sent) > 1 or (sent and header not in (None, sent[0])):
        raise unauthorized("More than one token was sent.")
    if header is not None:
        sent = [header]
    if not sent and optional:
        return ANONYMOUS
    if not sent:
        raise unauthorized("This needs a token.")
    if not 1 <= len(sent[0]) <= MAX_TOKEN_LENGTH:
        raise unauthorized("The token is not valid.")
    return deployment().authentication.caller(sent[0])


def _campaign_of_route() -> str | None:
    """Returns the campaign of a route that campaign-scoped tokens may call; None for any other route."""
    sent = request_ctx.request
    route = sent.url_rule.rule if sent.url_rule else ""
    if sent.method not in CAMPAIGN_TOKEN_ROUTES.get(route, ()):
        return None
    return str((sent.view_args or {})["advocacy_campaign_id"])
