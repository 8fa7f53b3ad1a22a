"""A post of a campaign's form: checks it, records it as the helper does, and responds with the step that follows.

Nothing is lost silently. A form with mistakes comes back with its text. One that a program may have sent asks for
confirmation. A form that is sent again is the same outreach, by the idempotency key in its token.
"""

from dataclasses import dataclass
from typing import Any, Final

import marshmallow as ma
from flask import Response, g, request
from werkzeug.datastructures import MultiDict

from blueprints.act import plain_form
from blueprints.act.choices import Choices, choices_of
from blueprints.act.rendering import CampaignView, FormView, honeypot_name, posted_sources, rendered
from blueprints.act.step_page import first_step
from blueprints.browser.translation import language
from blueprints.http.body import posted_form
from blueprints.http.context import deployment, reference, settings
from blueprints.record_outreach_helper import record_for_caller
from osdi.access.tokens import ANONYMOUS
from osdi.campaign_pages.form.body import body_of, person_of, typed_content
from osdi.campaign_pages.form.consent_checkbox import consent_of
from osdi.campaign_pages.form.controls import FORM_TOKEN, Control, controls_of, unknown_controls, value_of
from osdi.campaign_pages.form.errors import errors_of
from osdi.campaign_pages.form.form_token import FormToken
from osdi.campaign_pages.form.referrer import referrer_data
from osdi.errors import OsdiError
from osdi.fields.outreach import OWN_WORDS
from osdi.outreaches.record_outreach import Recorded
from schemas.outreach import RecordOutreachHelperSchema

SCHEMA: Final = RecordOutreachHelperSchema(skips=True)
KEY_REUSED: Final = "IDEMPOTENCY_KEY_REUSED"


@dataclass(frozen=True)
class Submission:
    """A posted form: its values, the controls of the page, and the token that it was rendered with, if it is valid."""

    view: CampaignView
    values: MultiDict[str, str]
    controls: tuple[Control, ...]
    token: FormToken | None

    @classmethod
    def of(cls, view: CampaignView, values: MultiDict[str, str]) -> "Submission":
        """Returns the form that was posted to a page. Raises OsdiError 503."""
        token = deployment().form_tokens.read(values.get(FORM_TOKEN, ""), view.campaign["_id"])
        return cls(view, values, controls_of(view.settings, reference().find), token)

    @property
    def of_our_page(self) -> bool:
        """True if this server made the form; False for a form in the organisation's own site."""
        return FORM_TOKEN in self.values or plain_form.sent_by_our_page()

    @property
    def needs_confirmation(self) -> bool:
        """True if a program may have sent the form, or a page that must not post without a token."""
        filled = bool(value_of(self.values, honeypot_name()))
        if self.token is None:
            return self.of_our_page or filled or not self.view.policy.allows_origin(request.headers.get("Origin"))
        if self.token.expired() or self.token.too_quick(settings().form_seconds):
            return True
        return filled and not self.token.confirmed


def submit(view: CampaignView) -> Response:
    """Records the form in the body of this request, and returns the page that follows. Raises OsdiError."""
    form = Submission.of(view, posted_form())
    if not view.open:
        g.rejected = "CLOSED"
        return rendered(view.template, view, status=403, form=None, values=form.values)
    choices = choices_of(view.page, form.values, person_of(form.values), complete=form.of_our_page)
    loaded, errors = loaded_body(form, choices)
    if errors:
        return form_again(form, errors)
    if form.needs_confirmation:
        return ask(form, "confirm_post", 422, form.token.renewed(confirmed=True) if form.token else None)
    try:
        recorded = record(form, loaded)
    except OsdiError as error:
        if error.descriptions[0].error_code != KEY_REUSED:
            raise
        return ask(form, "taken_part", 409)
    if not form.of_our_page:
        return plain_form.redirection(view, form.values)
    return first_step(view, recorded.outreach, form.values, choices.targets)


def loaded_body(form: Submission, choices: Choices) -> tuple[dict[str, Any], dict[str, str]]:
    """Returns the content of the form as the helper's loaded body, and the mistakes that have to be corrected first."""
    posted = {**body_of(form.values, form.view.campaign, form.controls, _referrer_data(form)), **choices.texts}
    try:
        body = SCHEMA.load(posted)
    except ma.ValidationError as error:
        messages = error.normalized_messages()
        return {}, errors_of(form.values, form.controls, messages, nobody=True) | choices.errors
    if choices.targets.targets:
        body["targets"] = list(choices.targets.targets)
    if choices.own_words is not None:
        body[OWN_WORDS] = choices.own_words
    skipped = body.get("skipped", {})
    errors = errors_of(form.values, form.controls, skipped) | choices.errors
    if not form.of_our_page:
        unknown = unknown_controls(form.values, form.controls, (honeypot_name(),))
        skipped = {**skipped, **{name: ["Unknown field."] for name in unknown}}
    return ({**body, "skipped": skipped} if skipped else body), errors


def record(form: Submission, loaded: dict[str, Any]) -> Recorded:
    """Records the loaded body as a post without a token, once for each idempotency key. Raises OsdiError."""
    body = form.view.policy.apply(loaded, None)
    content = typed_content(form.values, (honeypot_name(),))
    key = form.token.key if form.token else None
    page_url = form.view.url if form.of_our_page else _referrer_data(form).get("url", "")
    asked = form.view.settings.consent
    consent, warnings = consent_of(form.values, asked, language=language(), page_url=page_url)
    return record_for_caller(
        deployment(),
        ANONYMOUS,
        body,
        form.view.campaign,
        content,
        idempotency_key=key,
        consent=consent,
        warnings=warnings,
    )


def form_again(form: Submission, errors: dict[str, str]) -> Response:
    """Returns the form with its mistakes and with everything that was typed."""
    g.rejected = "INVALID"
    tokens, token = deployment().form_tokens, form.token
    if token is None:
        token = FormToken.new(form.view.campaign["_id"])
    elif token.expired():
        token = token.renewed(confirmed=False)
    sources = {**_referrer_data(form), **posted_sources(form.values)}
    shown = FormView(form.controls, form.values, errors, tokens.signed(token), sources)
    return rendered(form.view.template, form.view, status=422, form=shown)


def ask(form: Submission, template: str, status: int, token: FormToken | None = None) -> Response:
    """Returns a page with one button, which sends the form again: with this token, else with a new idempotency key."""
    g.rejected = KEY_REUSED if status == 409 else "CONFIRMATION_NEEDED"
    token = token or FormToken.new(form.view.campaign["_id"], confirmed=True)
    kept = {**_referrer_data(form), **posted_sources(form.values)}
    values = MultiDict((name, value) for name, value in form.values.items(multi=True) if name not in kept)
    values.update(kept)
    values.poplist(honeypot_name())
    values.setlist(FORM_TOKEN, [deployment().form_tokens.signed(token)])
    return rendered(template, form.view, status=status, values=values)


def _referrer_data(form: Submission) -> dict[str, str]:
    """Returns where the supporter came from, by the controls of the form and the headers of an organisation's form."""
    view = form.view
    url = "" if view.embedded else view.url
    website = ""
    if not form.of_our_page:
        url = request.headers.get("Referer", "")
        website = request.headers.get("Origin", "") or url
    return referrer_data(lambda name: value_of(form.values, name), page_url=url, website=website)
