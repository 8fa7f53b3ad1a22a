"""A plain HTML form of an organisation's own site: a form without a token, which a browser posts from another origin.

The response is a redirect (303), so that a reload sends nothing again. The redirect leads to the address that the
form names in `redirect` if its origin is listed for the campaign, else to our thank-you page.
"""

from flask import Response, make_response, redirect, request
from werkzeug.datastructures import MultiDict

from blueprints.act.rendering import CampaignView
from blueprints.http.context import hal
from osdi.access.anonymous_posts import ANY_ORIGIN
from osdi.campaign_pages.form.controls import REDIRECT, value_of
from osdi.values.web_addresses import origin_of, web_address


def sent_by_our_page() -> bool:
    """True if a browser says that the form is on a page of ours."""
    origin = request.headers.get("Origin")
    return origin is not None and origin in (origin_of(hal().base_url), origin_of(request.host_url))


def redirection(view: CampaignView, values: MultiDict[str, str]) -> Response:
    """Returns the response to a recorded form."""
    wanted = web_address(value_of(values, REDIRECT))
    allowed = wanted if wanted and _is_listed(view, wanted) else None
    return make_response(redirect(allowed or view.thanks, 303))


def _is_listed(view: CampaignView, address: str) -> bool:
    """True if the address has one of the origins that are listed for the campaign; `*` lists none."""
    return origin_of(address) in [each for each in view.policy.origins if each != ANY_ORIGIN]
