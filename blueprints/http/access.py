"""Who may call a view: the token is read from header or query, and held against the route's scope and campaign.

Everything that a token may not do is refused here, before the view. A new route is closed to a token that is tied to a
campaign until it stands in CAMPAIGN_TOKEN_ROUTES.
"""

from collections.abc import Mapping
from typing import Final

from flask import g, request

from blueprints.http.context import reference
from osdi.access.tokens import ANONYMOUS, MAXIMUM_LENGTH, Caller
from osdi.errors import unauthorized
from osdi.resources import ADVOCACY_CAMPAIGN, API

TOKEN_HEADER: Final = "OSDI-API-Token"  # noqa: S105  # a name, not a secret
TOKEN_ARGUMENT: Final = "osdi-api-token"  # noqa: S105
OF_CAMPAIGN: Final = f"{API}/{ADVOCACY_CAMPAIGN.collection}/<advocacy_campaign_id>"
CAMPAIGN_TOKEN_ROUTES: Final[Mapping[str, tuple[str, ...]]] = {
    OF_CAMPAIGN: ("GET", "HEAD"),
    f"{OF_CAMPAIGN}/record_outreach_helper": ("POST",),
    f"{OF_CAMPAIGN}/stats": ("GET", "HEAD"),
    f"{OF_CAMPAIGN}/outreaches": ("GET", "HEAD", "POST"),
    f"{OF_CAMPAIGN}/outreaches.csv": ("GET", "HEAD"),
    f"{OF_CAMPAIGN}/outreaches/<outreach_id>": ("GET", "HEAD", "PUT", "DELETE"),
}


def authorize(scope: str | None, *, optional: bool) -> None:
    """Make the sender of this request `g.caller`. Raises OsdiError 401, or 403 where they may not do what they ask.

    A view without scope is public, but a token that is sent has to be valid.
    """
    counted: Caller = g.get("counted", ANONYMOUS)  # the rate limits have read a valid token already
    # Set before it is refused: the log tells who was.
    caller = g.caller = counted if counted.has_token else read_caller(optional=optional)
    if caller.has_token and scope:
        caller.require_campaign(_campaign_of_route())
        caller.require(scope)


def read_caller(*, optional: bool) -> Caller:
    """Who sent this request, by header or query, which must agree where both are sent. Raises OsdiError 401."""
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
    if not 1 <= len(sent[0]) <= MAXIMUM_LENGTH:
        raise unauthorized("The token is not valid.")
    return reference().caller(sent[0])


def _campaign_of_route() -> str | None:
    """The campaign under which this request does what a tied token may do; None for any other request."""
    route = request.url_rule.rule if request.url_rule else ""
    if request.method not in CAMPAIGN_TOKEN_ROUTES.get(route, ()):
        return None
    return str((request.view_args or {})["advocacy_campaign_id"])
