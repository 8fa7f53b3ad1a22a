"""The open door of a campaign: what is taken without a token there. No resource of the standard: ours beside it."""

from typing import Any, Final

from flask import Response

from blueprints.http.api import Blueprint
from blueprints.http.collections import get_or_404
from blueprints.http.context import answer, hal, settings
from blueprints.http.parameters import CAMPAIGN_PARAMETER
from blueprints.http.put_and_delete import change
from osdi.access.anonymous_posts import AnonymousPosts
from osdi.access.tokens import ADMIN, READ
from osdi.documents import Document
from osdi.etags import etag
from osdi.resources import ADVOCACY_CAMPAIGN, API
from schemas.operations.anonymous_posts import AnonymousPostsSchema, said

blp = Blueprint(
    "Open door",
    __name__,
    url_prefix=f"{API}/{ADVOCACY_CAMPAIGN.collection}",
    description="What a campaign takes without a token",
)

EXAMPLES: Final = {
    "one": {"value": {"enabled": True, "origins": ["https://campaign.example.org"], "actions": ["tags"]}}
}


@blp.route("/<advocacy_campaign_id>/anonymous_posts", parameters=[CAMPAIGN_PARAMETER])
@blp.token_required(READ)
@blp.response(200, AnonymousPostsSchema)
@blp.refuses(404)
def get_open_door(advocacy_campaign_id: str) -> Response:
    """Read what a campaign takes without a token"""
    return _answer(get_or_404(ADVOCACY_CAMPAIGN, advocacy_campaign_id))


@blp.route("/<advocacy_campaign_id>/anonymous_posts", methods=["PUT"], parameters=[CAMPAIGN_PARAMETER])
@blp.token_required(ADMIN)
@blp.arguments(AnonymousPostsSchema(), examples=EXAMPLES)
@blp.response(200, AnonymousPostsSchema)
@blp.if_match
@blp.refuses(404)
def put_open_door(body: dict[str, Any], advocacy_campaign_id: str) -> Response:
    """Change what a campaign takes without a token

    What is named holds for this campaign, an empty array allows nothing, and null leaves it to the deployment's
    settings again. The ETag is the campaign's.
    """
    return _answer(change(ADVOCACY_CAMPAIGN, advocacy_campaign_id, said(body)))


def _answer(campaign: Document) -> Response:
    address = hal().href(ADVOCACY_CAMPAIGN.collection, campaign["_id"])
    links = {"self": {"href": f"{address}/anonymous_posts"}, ADVOCACY_CAMPAIGN.rel: {"href": address}}
    return answer({**AnonymousPosts.of(settings(), campaign).body(), "_links": links}, etag(campaign))
