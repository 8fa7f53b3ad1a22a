"""The page of a campaign, and its form for frames: what a GET shows and what a POST of the form records."""

from flask import Response

from blueprints.act.blueprint import act
from blueprints.act.form import submit
from blueprints.act.rendering import CampaignView, new_form, rendered
from blueprints.act.security_headers import count_frame
from blueprints.browser.translation import use_language
from blueprints.http.context import reference
from osdi.campaign_pages.published import Page, find_page
from osdi.errors import not_found


@act.get("/<string:slug>")
def page(slug: str) -> Response:
    """Show the page of a campaign"""
    return shown(CampaignView(published(slug)))


@act.get("/<string:slug>/embed")
def embed(slug: str) -> Response:
    """Show the form of a campaign alone"""
    view = CampaignView(published(slug), embedded=True)
    return count_frame(view.campaign["_id"], view.policy.origins, shown(view))


@act.post("/<string:slug>")
def record_on_page(slug: str) -> Response:
    """Record what a supporter has entered on the page, or on a form of the organisation's own site"""
    return submit(CampaignView(published(slug)))


@act.post("/<string:slug>/embed")
def record_in_frame(slug: str) -> Response:
    """Record what a supporter has entered in a frame"""
    return submit(CampaignView(published(slug), embedded=True))


@act.route("/<path:_>", methods=["GET", "POST"])
def unknown(_: str) -> str:
    """Respond to any other address below with a page for people"""
    raise not_found("This page does not exist.")


def published(slug: str) -> Page:
    """Returns the published page with this slug, and sets its language. Raises OsdiError 404, or PageMoved."""
    found = find_page(reference(), slug)
    if found.settings.language:
        use_language(found.settings.language)
    return found


def shown(view: CampaignView) -> Response:
    """Returns the page with its form, or with the reason why it takes nothing."""
    return rendered(view.template, view, form=new_form(view) if view.open else None)
