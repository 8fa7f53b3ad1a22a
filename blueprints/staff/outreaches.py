"""The list of outreaches with its filters, its CSV file, and the API's request for the same outreaches."""

from typing import Any, Final
from urllib.parse import urlencode

from flask import Response, request

from blueprints.http.context import caller, hal, settings, store
from blueprints.operations.downloads import streamed
from blueprints.staff.blueprint import Access, pages
from blueprints.staff.campaign.found import campaign_or_404
from blueprints.staff.frame import page
from osdi.access.tokens import READ
from osdi.errors import forbidden, invalid
from osdi.resources import ADVOCACY_CAMPAIGN, OUTREACH
from osdi.staff.campaign.outreach_filter import FIELDS, NO, YES, OutreachFilter, days_of
from osdi.staff.campaign.outreach_list import outreach_file, outreach_list
from osdi.staff.campaign_list import options, title_of
from osdi.statistics.tally import MAX_VALUE_LENGTH

MAX_TEXT_LENGTH: Final = 200
MAX_OTHERS: Final = 10


@pages.get("/outreaches", access=Access(READ, campaign=True))
def outreaches() -> Response:
    """List outreaches"""
    chosen, errors = _chosen()
    found = None
    if not errors:
        rules, after = settings().match_key_rules, request.args.get("after", "")[:MAX_TEXT_LENGTH]
        found = outreach_list(store(), caller(), rules, settings().zone, chosen, after)
    return page(
        "campaign/outreaches.html",
        400 if errors else 200,
        found=found,
        chosen=chosen,
        errors=errors,
        typed=request.args,
        title=title_of(campaign_or_404(chosen.campaign)) if chosen.campaign else "",
        campaigns=options(store(), caller()),
    )


@pages.get("/outreaches.csv", access=Access(READ, campaign=True))
def outreaches_file() -> Response:
    """Send the listed outreaches as CSV"""
    chosen, errors = _chosen()
    if errors:
        name, message = next(iter(errors.items()))
        raise invalid(message, name)
    parts = outreach_file(store(), caller(), settings().match_key_rules, settings().zone, chosen)
    return streamed(parts, "outreaches.csv")


@pages.context_processor
def _requests() -> dict[str, Any]:
    return {"outreach_request": outreach_request}


def outreach_request(chosen: OutreachFilter) -> str:
    """Returns the address at which the API lists the chosen outreaches."""
    path = (ADVOCACY_CAMPAIGN.collection, chosen.campaign) if chosen.campaign else ()
    text = chosen.text(settings().zone)
    return hal().href(*path, OUTREACH.collection) + (f"?{urlencode({'filter': text})}" if text else "")


def _chosen() -> tuple[OutreachFilter, dict[str, str]]:
    """Returns the filter in the address, and its mistakes. Raises OsdiError 403, 404."""
    own = caller().advocacy_campaign_id
    campaign = _text("campaign") or own or ""
    if own not in (None, campaign):
        raise forbidden("Your account does not include this campaign.")
    if campaign:
        campaign_or_404(campaign)
    first, last, errors = days_of(_text("from"), _text("to"))
    others = tuple(each[:MAX_VALUE_LENGTH] for each in request.args.getlist("other_than")[:MAX_OTHERS])
    texts = {name: _text(name) for name in (*FIELDS, "other", "without", "own_words", "new_person")}
    chosen = OutreachFilter(campaign=campaign, first=first, last=last, other_than=others, **texts)
    return chosen, {**errors, **_mistakes(chosen)}


def _mistakes(chosen: OutreachFilter) -> dict[str, str]:
    choices = {"other": FIELDS, "without": FIELDS, "own_words": (YES, NO), "new_person": (YES, NO)}
    errors = {
        name: "Choose one of the values in the list."
        for name, values in choices.items()
        if getattr(chosen, name) and getattr(chosen, name) not in values
    }
    if chosen.by_value and not chosen.campaign:
        errors["campaign"] = "Choose a campaign: sources, targets and the like are listed for one campaign."
    if not errors and not chosen.fits_the_api(settings().zone):
        errors["other"] = "These values are too long for one filter."
    return errors


def _text(name: str) -> str:
    """Returns an argument of the address. A longer value than those of the statistics is cut as they cut it."""
    return request.args.get(name, "")[:MAX_VALUE_LENGTH]
