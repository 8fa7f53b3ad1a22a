"""Publishing a campaign's page, and taking it back: each has a page that says what happens, and then a button."""

from typing import Final

from flask import Response, redirect, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from blueprints.http.context import caller, reference, settings, store
from blueprints.staff.blueprint import Access, pages
from blueprints.staff.campaign.found import campaign_or_404, campaign_page
from osdi.access.tokens import WRITE
from osdi.crud.put import Change, put
from osdi.etags import etag
from osdi.resources import ADVOCACY_CAMPAIGN
from osdi.staff.campaign.check_list import check_list

CHANGES: Final = Access(WRITE, shows=True)


@pages.get("/campaigns/<advocacy_campaign_id>/publish", access=CHANGES)
def publishing(advocacy_campaign_id: str) -> Response:
    """Show the check list and the button that publishes the page"""
    return _confirm_page(advocacy_campaign_id, "publish.html")


@pages.post("/campaigns/<advocacy_campaign_id>/publish", access=CHANGES)
def publish(advocacy_campaign_id: str) -> AnyResponse:
    """Publish the page"""
    _set_published(advocacy_campaign_id, published=True)
    return redirect(url_for("staff.campaign", advocacy_campaign_id=advocacy_campaign_id, done="published"), 303)


@pages.get("/campaigns/<advocacy_campaign_id>/unpublish", access=CHANGES)
def unpublishing(advocacy_campaign_id: str) -> Response:
    """Show the button that takes the page back"""
    return _confirm_page(advocacy_campaign_id, "unpublish.html")


@pages.post("/campaigns/<advocacy_campaign_id>/unpublish", access=CHANGES)
def unpublish(advocacy_campaign_id: str) -> AnyResponse:
    """Take the page back"""
    _set_published(advocacy_campaign_id, published=False)
    return redirect(url_for("staff.campaign", advocacy_campaign_id=advocacy_campaign_id, done="unpublished"), 303)


def _confirm_page(campaign_id: str, template: str) -> Response:
    """Returns a page with the version of the campaign, so that its button applies to what the member has seen."""
    found = campaign_or_404(campaign_id)
    checks = check_list(store(), reference(), settings(), found)
    return campaign_page(template, found, checks=checks, version=etag(found))


def _set_published(campaign_id: str, *, published: bool) -> None:
    """Publishes or hides the page. Raises OsdiError 404, 409, 412 if the campaign changed since the page was shown."""
    change = Change(
        {"page": {"published": published}}, (), frozenset((request.form.get("version", ""),)), _caller_person_id()
    )
    put(store(), ADVOCACY_CAMPAIGN, campaign_id, change, settings().match_key_rules)
    reference().forget(ADVOCACY_CAMPAIGN, campaign_id)


def _caller_person_id() -> str | None:
    return caller().person_id
