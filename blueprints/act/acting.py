"""The requests after an outreach is recorded: the choice of a target, the outcome, the thank-you, and sharing."""

from typing import Final

from flask import Response, make_response, redirect, request
from werkzeug.datastructures import MultiDict

from blueprints.act.blueprint import act
from blueprints.act.choices import message_labels
from blueprints.act.pages import published
from blueprints.act.rendering import EMBEDDED, CampaignView, rendered
from blueprints.act.step_page import TOKEN, step_page
from blueprints.http.body import posted_form
from blueprints.http.context import settings, store
from osdi.campaign_pages.acting.completion import choose_targets, recorded_outreach, state_outcome
from osdi.campaign_pages.acting.outcome import OF_ANY, OF_CALL, outcome_of
from osdi.campaign_pages.acting.outreach_token import OutreachToken, read_outreach_token
from osdi.campaign_pages.acting.share import mastodon_link
from osdi.campaign_pages.acting.steps import PHONE, kind_of
from osdi.campaign_pages.form.body import person_of
from osdi.campaign_pages.form.controls import value_of
from osdi.campaign_pages.postal_codes.postal_codes_store import look_up
from osdi.campaign_pages.targets import CONTROL, NONE, InvalidChoice, copies, positions_of
from osdi.errors import OsdiError, not_found
from osdi.values.web_addresses import secure_address

MASTODON: Final = "mastodon"
REDIRECT_SECONDS: Final = 5


@act.post("/<string:slug>/outcome")
def complete(slug: str) -> Response:
    """Record which target a supporter has chosen, or how the call or visit went"""
    page, values = published(slug), posted_form()
    view = CampaignView(page, embedded=EMBEDDED in values)
    token = read_outreach_token(store(), value_of(values, TOKEN))
    if token is None or token.campaign_id != view.campaign["_id"]:
        return rendered("step_over", view, status=410, stated=False)
    return _chosen(view, token, values) if CONTROL in values else _stated(view, token, values)


@act.get("/<string:slug>/thanks")
def thanks(slug: str) -> Response:
    """Show the words after the last step"""
    view = CampaignView(published(slug), embedded=EMBEDDED in request.args)
    address = _next_page(view)
    response = rendered("thanks", view, redirect_url=address)
    if address and not view.embedded:
        response.headers["Refresh"] = f"{REDIRECT_SECONDS}; url={address}"
    return response


@act.get("/<string:slug>/share")
def share(slug: str) -> Response:
    """Show a link to the Mastodon server that a supporter names"""
    view = CampaignView(published(slug), embedded=EMBEDDED in request.args)
    if view.share is None:
        raise not_found("This page does not exist.")
    server = request.args.get(MASTODON, "")
    link = mastodon_link(server, view.share)
    return rendered("share_page", view, status=422 if server and not link else 200, server=server, server_link=link)


def _next_page(view: CampaignView) -> str | None:
    """Returns the address of the page to go on to, by the rule of the setting; None without one."""
    try:
        return secure_address(view.settings.thank_you.redirect_url or "")
    except ValueError:
        return None


def _chosen(view: CampaignView, token: OutreachToken, values: MultiDict[str, str]) -> Response:
    """Stores the chosen target and returns the page of the step. Raises OsdiError 404, 503."""
    sent, signed = value_of(values, CONTROL), value_of(values, TOKEN)
    target_list = view.campaign.get("target_list", ())
    allowed = {str(position): position for position in positions_of(target_list, token.candidates)}
    if sent in allowed:
        targets = copies(target_list, [allowed[sent]])
    elif sent == NONE:
        targets = copies(target_list, positions_of(target_list, look_up(store(), token.campaign_id, "").others))
    else:
        outreach = recorded_outreach(store(), token)
        return step_page(view, outreach, values, signed, candidates=token.candidates, status=422)
    rules = settings().match_key_rules
    outreach = choose_targets(store(), token, targets, person_of(values), message_labels(), rules)
    return step_page(view, outreach, values, signed, unknown=not outreach.get("targets"))


def _stated(view: CampaignView, token: OutreachToken, values: MultiDict[str, str]) -> Response:
    """Stores the outcome and leads on to the thank-you. Raises OsdiError 404, 503."""
    outreach = recorded_outreach(store(), token)
    allowed = OF_CALL if kind_of(view.campaign) == PHONE else OF_ANY
    try:
        outcome = outcome_of(values, outreach.get("targets", ()), allowed)
        state_outcome(store(), token, outcome, settings().match_key_rules)
    except InvalidChoice as mistake:
        return step_page(view, outreach, values, value_of(values, TOKEN), mistake=mistake, status=422)
    except OsdiError as error:
        if error.status != 409:
            raise
        return rendered("step_over", view, status=409, stated=True)
    return make_response(redirect(view.thanks, 303))
