"""The steps after an outreach is recorded: choosing a target, acting, its outcome, the thank-you, and sharing."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from flask import Response, make_response, redirect, request
from werkzeug.datastructures import MultiDict

from blueprints.act.blueprint import act
from blueprints.act.choices import message_labels
from blueprints.act.pages import published
from blueprints.act.rendering import CampaignView, rendered
from blueprints.http.body import posted_form
from blueprints.http.context import settings, store
from osdi.campaign_pages.acting.completion import choose_targets, recorded_outreach, state_outcome
from osdi.campaign_pages.acting.outcome import OF_ANY, OF_CALL, outcome_of
from osdi.campaign_pages.acting.outreach_token import OutreachToken, outreach_token, read_outreach_token
from osdi.campaign_pages.acting.share import mastodon_link
from osdi.campaign_pages.acting.steps import PHONE, Step, step_of
from osdi.campaign_pages.form.body import person_of
from osdi.campaign_pages.form.controls import PERSON_CONTROLS, value_of
from osdi.campaign_pages.postal_codes.postal_codes_store import look_up
from osdi.campaign_pages.targets import CONTROL, NONE, Chosen, InvalidChoice, copies, positions_of, target_key
from osdi.documents import Document
from osdi.errors import not_found
from osdi.values.web_addresses import web_address

TOKEN = "outreach_token"  # noqa: S105  # a name, not a secret
EMBEDDED = "embedded"
MASTODON = "mastodon"
REDIRECT_SECONDS = 5


@act.post("/<string:slug>/outcome")
def complete(slug: str) -> Response:
    """Record which target a supporter has chosen, or how the call or visit went"""
    values = posted_form()
    view = CampaignView(published(slug), embedded=EMBEDDED in values)
    token = read_outreach_token(store(), value_of(values, TOKEN))
    if token is None or token.campaign_id != view.campaign["_id"]:
        return rendered("step_over", view, status=410)
    return _chosen(view, token, values) if CONTROL in values else _stated(view, token, values)


@act.get("/<string:slug>/thanks")
def thanks(slug: str) -> Response:
    """Show the words after the last step"""
    view = CampaignView(published(slug), embedded=EMBEDDED in request.args)
    address = web_address(view.settings.thank_you.redirect_url, ("https",))
    response = rendered("thanks", view, redirect_url=address)
    if address and not view.embedded:
        response.headers["Refresh"] = f"{REDIRECT_SECONDS}; url={address}"
    return response


@act.get("/<string:slug>/share")
def share(slug: str) -> Response:
    """Show the ways to share a campaign, and a link to the Mastodon server that a supporter has named"""
    view = CampaignView(published(slug), embedded=EMBEDDED in request.args)
    if not view.settings.share:
        raise not_found("This page does not exist.")
    server = request.args.get(MASTODON, "")
    link = mastodon_link(server, view.share)
    return rendered("share_page", view, server=server, server_link=link, status=422 if server and not link else 200)


@dataclass(frozen=True)
class Acting:
    """The values of the templates of a step: the step, the token of the outreach, and a choice to make before."""

    step: Step
    token: str
    values: MultiDict[str, str]
    candidates: Sequence[tuple[int, Document]] = ()
    unknown: bool = False
    outcome_error: InvalidChoice | None = None

    @property
    def typed(self) -> list[tuple[str, str]]:
        """The supporter's details as they were typed, which a letter or a script shows after a choice."""
        return [(name, value) for name in PERSON_CONTROLS if (value := value_of(self.values, name))]

    @property
    def outcomes(self) -> tuple[str, ...]:
        return OF_CALL if self.step.kind == PHONE else OF_ANY


def acting_page(view: CampaignView, outreach: Document, values: MultiDict[str, str], targets: Chosen) -> Response:
    """Returns the page of the step that follows a recorded form. Raises OsdiError 503.

    A form that is sent again after the choice among several targets shows the step for the chosen one.
    """
    target_list = view.campaign.get("target_list", ())
    candidates = [] if outreach.get("targets") else [(each, target_list[each]) for each in targets.candidates]
    keys = [target_key(target) for _, target in candidates]
    token = outreach_token(store(), outreach["_id"], view.campaign["_id"], keys)
    acting = _acting(view, outreach, values, token)
    return _page(view, replace(acting, candidates=candidates, unknown=targets.unknown))


def _page(view: CampaignView, acting: Acting, status: int = 200) -> Response:
    return rendered("recorded", view, status=status, acting=acting, step=acting.step)


def _acting(view: CampaignView, outreach: Document, values: MultiDict[str, str], token: str) -> Acting:
    step = step_of(
        view.campaign,
        person_of(values),
        outreach.get("targets", ()),
        outreach.get("message"),
        phone_region=settings().phone_region,
    )
    return Acting(step, token, values)


def _chosen(view: CampaignView, token: OutreachToken, values: MultiDict[str, str]) -> Response:
    """Stores the chosen target and returns the page of the step. Raises OsdiError 404, 503."""
    target_list = view.campaign.get("target_list", ())
    sent = value_of(values, CONTROL)
    allowed = {str(each): each for each in positions_of(target_list, token.candidates)}
    if sent != NONE and sent not in allowed:
        outreach = recorded_outreach(store(), token)
        acting = _acting(view, outreach, values, value_of(values, TOKEN))
        candidates = [(each, target_list[each]) for each in allowed.values()]
        return _page(view, replace(acting, candidates=candidates), 422)
    others = positions_of(target_list, look_up(store(), token.campaign_id, "").others)
    found = copies(target_list, others if sent == NONE else [allowed[sent]])
    rules = settings().match_key_rules
    outreach = choose_targets(store(), token, found, person_of(values), message_labels(), rules)
    acting = _acting(view, outreach, values, value_of(values, TOKEN))
    return _page(view, replace(acting, unknown=not outreach.get("targets")))


def _stated(view: CampaignView, token: OutreachToken, values: MultiDict[str, str]) -> Response:
    """Stores the outcome and leads on to the thank-you; a mistake shows the step again. Raises OsdiError 404, 409, 503."""
    outreach = recorded_outreach(store(), token)
    try:
        outcome = outcome_of(values, outreach.get("targets", ()), str(view.campaign.get("type", "")))
    except InvalidChoice as invalid:
        acting = _acting(view, outreach, values, value_of(values, TOKEN))
        return _page(view, replace(acting, outcome_error=invalid), 422)
    state_outcome(store(), token, outcome, settings().match_key_rules)
    return make_response(redirect(view.thanks, 303))
