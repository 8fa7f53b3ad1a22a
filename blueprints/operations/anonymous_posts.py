"""The policy for anonymous posts of a campaign. This route is not in the standard."""

from typing import Any, Final

from flask import Response

from blueprints.http.api import Blueprint
from blueprints.http.collections import get_or_404
from blueprints.http.context import hal, hal_response, settings
from blueprints.http.parameters import CAMPAIGN_PARAMETER
from blueprints.http.put_and_delete import change
from osdi.access.anonymous_posts import AnonymousPosts
from osdi.access.tokens import ADMIN, READ
from osdi.documents import Document
from osdi.etags import etag
from osdi.resources import ADVOCACY_CAMPAIGN, API
from schemas.operations.anonymous_posts import AnonymousPostsSchema, as_put

blp = Blueprint(
    "Anonymous posts",
    __name__,
    url_prefix=f"{API}/{ADVOCACY_CAMPAIGN.collection}",
    description="The policy for posts without a token",
)

EXAMPLES: Final = {
    "one": {"value": {"enabled": True, "origins": ["https://campaign.example.org"], "actions": ["tags"]}}
}


@blp.route("/<advocacy_campaign_id>/anonymous_posts", parameters=[CAMPAIGN_PARAMETER])
@blp.token_required(READ)
@blp.response(200, AnonymousPostsSchema)
@blp.errors(404)
def get_anonymous_posts(advocacy_campaign_id: str) -> Response:
    """Read a campaign's policy for anonymous posts"""
    return _response(get_or_404(ADVOCACY_CAMPAIGN, advocacy_campaign_id))


@blp.route("/<advocacy_campaign_id>/anonymous_posts", methods=["PUT"], parameters=[CAMPAIGN_PARAMETER])
@blp.token_required(ADMIN)
@blp.arguments(AnonymousPostsSchema(), examples=EXAMPLES)
@blp.response(200, AnonymousPostsSchema)
@blp.if_match
@blp.errors(404)
def put_anonymous_posts(body: dict[str, Any], advocacy_campaign_id: str) -> Response:
    """Change a campaign's policy for anonymous posts

    A property in the body applies to this campaign. An empty array allows nothing; null makes the property follow the
    deployment's settings again. The ETag is the campaign's.
    """
    return _response(change(ADVOCACY_CAMPAIGN, advocacy_campaign_id, as_put(body)))


def _response(campaign: Document) -> Response:
    address = hal().href(ADVOCACY_CAMPAIGN.collection, campaign["_id"])
    links = {"self": {"href": f"{address}/anonymous_posts"}, ADVOCACY_CAMPAIGN.rel: {"href": address}}
    return hal_response({**AnonymousPosts.of(settings(), campaign).body(), "_links": links}, etag(campaign))
