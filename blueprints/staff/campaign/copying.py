"""Copying a campaign. Nothing is lost by it, so no page asks before."""

from flask import redirect, url_for
from werkzeug.wrappers import Response as AnyResponse

from blueprints.http.context import caller, settings, store
from blueprints.staff.blueprint import Access, pages
from blueprints.staff.campaign.found import campaign_or_404
from osdi.access.tokens import WRITE
from osdi.staff.campaign.copying import copy_campaign as store_copy


@pages.post("/campaigns/<advocacy_campaign_id>/copy", access=Access(WRITE, shows=True))
def copy_campaign(advocacy_campaign_id: str) -> AnyResponse:
    """Copy a campaign"""
    found = campaign_or_404(advocacy_campaign_id)
    copy_id = store_copy(store(), settings().match_key_rules, caller(), found)
    return redirect(url_for("staff.edit_campaign", advocacy_campaign_id=copy_id, done="campaign_copied"), 303)
