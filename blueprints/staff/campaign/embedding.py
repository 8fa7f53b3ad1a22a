"""The screen of the sites that show the form of a campaign, and which of them may."""

from flask import Response, redirect, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from blueprints.act.security_headers import is_local
from blueprints.http.context import caller, deployment, hal, reference, settings, store
from blueprints.staff.blueprint import Access, pages
from blueprints.staff.campaign.found import campaign_or_404, campaign_page
from osdi.access.tokens import ADMIN, READ, WRITE
from osdi.campaign_pages.embedding.site_store import forget_sites as forget
from osdi.errors import OsdiError
from osdi.resources import ADVOCACY_CAMPAIGN
from osdi.staff.campaign.embedding import allow_site as allow
from osdi.staff.campaign.embedding import embedding as read_embedding
from osdi.staff.campaign.embedding import remove_site as remove


@pages.get("/campaigns/<advocacy_campaign_id>/embedding", access=Access(READ, campaign=True))
def embedding(advocacy_campaign_id: str) -> Response:
    """List the sites that show the form, and those that are blocked"""
    return _screen(advocacy_campaign_id)


# The list of sites is part of the policy for posts without a token, which only administrators change by the API.
@pages.post("/campaigns/<advocacy_campaign_id>/embedding", access=Access(ADMIN, shows=True))
def allow_site(advocacy_campaign_id: str) -> AnyResponse:
    """Let the pages of a site show the form"""
    typed = request.form.get("site", "")
    try:
        allow(store(), settings(), advocacy_campaign_id, typed, caller().person_id)
    except OsdiError as error:
        if error.status != 400:
            raise
        return _screen(advocacy_campaign_id, 422, typed=typed, errors={"site": str(error)})
    reference().forget(ADVOCACY_CAMPAIGN, advocacy_campaign_id)
    return _again(advocacy_campaign_id, "site_allowed")


@pages.post("/campaigns/<advocacy_campaign_id>/embedding/remove", access=Access(ADMIN, shows=True))
def remove_site(advocacy_campaign_id: str) -> AnyResponse:
    """Let the pages of a site show the form no more"""
    remove(store(), settings(), advocacy_campaign_id, request.form.get("site", ""), caller().person_id)
    reference().forget(ADVOCACY_CAMPAIGN, advocacy_campaign_id)
    return _again(advocacy_campaign_id, "site_removed")


@pages.post("/campaigns/<advocacy_campaign_id>/embedding/forget", access=Access(WRITE, shows=True))
def forget_sites(advocacy_campaign_id: str) -> AnyResponse:
    """Empty the list of sites"""
    forget(store(), campaign_or_404(advocacy_campaign_id)["_id"])
    return _again(advocacy_campaign_id, "sites_forgotten")


def _again(campaign_id: str, done: str) -> AnyResponse:
    return redirect(url_for("staff.embedding", advocacy_campaign_id=campaign_id, done=done), 303)


def _screen(campaign_id: str, status: int = 200, *, typed: str = "", errors: dict[str, str] | None = None) -> Response:
    campaign = campaign_or_404(campaign_id)
    # A frame that was shown in the last seconds is counted in memory only, and its owner has come here to see it.
    deployment().embedding_sites.write()
    found = read_embedding(store(), settings(), campaign, local=is_local())
    return campaign_page(
        "embedding.html", campaign, status, found=found, typed=typed, errors=errors or {}, server=hal().base_url
    )
