"""The public count of a campaign as JSON, for the organisation's own site.

Any page may read it, and proxies may keep it for some seconds. Its errors are those of the API, not pages for people.
"""

import hashlib
from typing import Final

import orjson
from flask import Blueprint, Response, request

from blueprints.http.context import hal, reference, settings, store
from osdi.campaign_pages.public_count import public_count
from osdi.campaign_pages.published import find_page
from osdi.ids import now
from osdi.resources import PAGES

counts: Final = Blueprint("act_count", __name__, url_prefix=PAGES)
# Time in which browsers and proxies may show the same number.
CACHE_SECONDS: Final = 10


@counts.get("/<string:slug>.json")
def public_count_json(slug: str) -> Response:
    """Send title, count and goal of a published campaign"""
    page = find_page(reference(), slug)
    found = public_count(store(), page)
    body = {
        "title": page.title,
        "total": found.total,
        "show_count_from": found.show_from,
        "goal": found.goal,
        "url": hal().page_address(page.campaign),
        "closed": not page.is_open(settings(), now()),
    }
    return _shared(Response(orjson.dumps(body), mimetype="application/json"))


def _shared(response: Response) -> Response:
    """Returns the response with its entity tag, or 304 without a body if the client has it."""
    # Without PUBLIC_URL the address in it has the host that this request names: others must not get it.
    response.cache_control.public = bool(settings().public_url)
    response.cache_control.private = not settings().public_url or None
    response.cache_control.max_age = CACHE_SECONDS
    response.set_etag(hashlib.sha256(response.get_data()).hexdigest()[:16])
    response.make_conditional(request)
    return response
