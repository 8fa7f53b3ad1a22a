"""The preview of a campaign that is not stored yet: the editor posts its form into a frame.

The response is the real page or its form, made by the templates of the public pages. It has no token, so that no server
would record it; its policy gives it an origin of its own, and no script, form or request except for its images and its
style sheet. It is made within the session of the member, who alone sees it: a campaign without a page has no address.
"""

from dataclasses import replace
from typing import Final

from flask import Response, jsonify, make_response, render_template, request
from werkzeug.wrappers import Response as AnyResponse

from blueprints.act.rendering import CampaignView, FormView, campaign_values
from blueprints.act.security_headers import allowed_images
from blueprints.browser.translation import accepted_languages, use_language
from blueprints.http.context import reference
from blueprints.staff.blueprint import Access, pages
from blueprints.staff.campaign.editor.draft import Errors, drafted_campaign
from blueprints.staff.campaign.editor.edit import MAX_FORM_BYTES
from blueprints.staff.campaign.found import campaign_or_404
from osdi.access.tokens import WRITE
from osdi.campaign_pages.form.controls import controls_of
from osdi.campaign_pages.page_settings import PageSettings
from osdi.campaign_pages.published import Page
from osdi.documents import Document
from osdi.values.slugs import slug_of

POLICY: Final = (
    "sandbox; default-src 'none'; style-src 'self'; img-src 'self'{images}; form-action 'none'; base-uri 'none';"
    " frame-ancestors 'self'"
)
# The values of the button: the form alone, the page, or only the mistakes.
PAGE, CHECK = "page", "check"


@pages.post(
    "/campaigns/<advocacy_campaign_id>/preview",
    access=Access(WRITE, shows=True, body_bytes=MAX_FORM_BYTES, audited=False),
)
def preview_campaign(advocacy_campaign_id: str) -> AnyResponse:
    """Show the page of a campaign as it would be with what was typed"""
    drafted, errors = drafted_campaign(campaign_or_404(advocacy_campaign_id), request.form.to_dict())
    part = request.form.get("part", "")
    if part == CHECK:
        return _checked(errors)
    return _mistakes(errors) if errors else _shown(drafted, embedded=part != PAGE)


def _checked(errors: Errors) -> Response:
    """Returns the mistakes for the script of the editor, which then keeps the preview that it shows."""
    return make_response(jsonify(mistakes=errors), 422) if errors else Response(status=204)


def _mistakes(errors: Errors) -> Response:
    return _framed(render_template("staff/campaign/preview_mistakes.html", errors=errors), 422)


def _shown(campaign: Document, *, embedded: bool) -> Response:
    settings = PageSettings.of(campaign)
    page = Page(campaign, settings)
    # A page that was never published has no slug; the form and its links need one.
    page = replace(page, settings=replace(settings, slug=settings.slug or slug_of(page.title)))
    use_language(*([settings.language] if settings.language else accepted_languages()))
    view = CampaignView(page, embedded)
    form = FormView(controls_of(settings, reference().find)) if view.open else None
    return _framed(render_template("staff/campaign/preview.html", form=form, **campaign_values(view)), 200)


def _framed(html: str, status: int) -> Response:
    response = make_response(html, status)
    response.headers["Content-Security-Policy"] = POLICY.format(images="".join(f" {each}" for each in allowed_images()))
    response.headers["X-Frame-Options"] = "SAMEORIGIN"
    return response
