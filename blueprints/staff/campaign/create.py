"""The form for a new campaign: title, type and summary. The editor has the rest."""

from typing import Final

from flask import Response, redirect, request, url_for
from marshmallow import ValidationError
from werkzeug.wrappers import Response as AnyResponse

from blueprints.http.context import caller, settings, store
from blueprints.staff.blueprint import Access, pages
from blueprints.staff.frame import page
from osdi.access.tokens import READ, WRITE
from osdi.crud.create import create
from osdi.errors import described
from osdi.fields.outreach import OUTREACH_TYPES
from osdi.resources import ADVOCACY_CAMPAIGN
from schemas.advocacy_campaign import AdvocacyCampaignSchema

CONTROLS: Final = ("title", "type", "summary")
NO_TITLE: Final = "Enter a title."


@pages.get("/campaigns/new", access=Access(WRITE))
def new_campaign() -> Response:
    """Show the form for a new campaign"""
    return _form({}, {})


@pages.post("/campaigns/new", access=Access(WRITE))
def create_campaign() -> AnyResponse:
    """Create a campaign"""
    typed = {name: request.form.get(name, "") for name in CONTROLS}
    try:
        body = AdvocacyCampaignSchema().load(typed)
    except ValidationError as error:
        return _form(typed, {"".join(each.properties): each.description for each in described(error.messages)}, 422)
    if "title" not in body:
        return _form(typed, {"title": NO_TITLE}, 422)
    made = create(store(), ADVOCACY_CAMPAIGN, body, settings().match_key_rules, by=caller().person_id)
    if not caller().may(READ):
        return redirect(url_for("staff.home", done="campaign_created"), 303)
    return redirect(url_for("staff.campaign", advocacy_campaign_id=made["_id"], done="campaign_created"), 303)


def _form(typed: dict[str, str], errors: dict[str, str], status: int = 200) -> Response:
    return page("campaign/new.html", status, typed=typed, errors=errors, types=OUTREACH_TYPES)
