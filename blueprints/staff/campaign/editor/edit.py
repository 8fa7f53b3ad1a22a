"""The editor of a campaign: OSDI's fields and the settings of the page in one form, checked by the API's schemas.

A form that cannot be stored comes back as it was typed, with a message at each control. If somebody else has changed
the campaign meanwhile, the form comes back with the stored values beside the typed ones.
"""

from typing import Final

from flask import Response, redirect, request, url_for
from marshmallow import ValidationError
from werkzeug.wrappers import Response as AnyResponse

from blueprints.browser.content_security_policy import content_security_policy
from blueprints.http.context import reference, settings, store
from blueprints.staff.blueprint import Access, pages
from blueprints.staff.campaign.editor.draft import PAGE, Errors, errors_of, errors_of_page, read_draft, stored_controls
from blueprints.staff.campaign.editor.typed import Typed
from blueprints.staff.campaign.found import campaign_or_404, campaign_page
from osdi.access.tokens import WRITE
from osdi.action_functions.followup_kinds import AUTORESPONSE
from osdi.crud.put import Change, put
from osdi.documents import Document
from osdi.errors import OsdiError
from osdi.etags import etag
from osdi.fields.outreach import OUTREACH_TYPES
from osdi.resources import ADVOCACY_CAMPAIGN
from osdi.staff.campaign.autoresponse import mail_choices, unrequested_kinds
from osdi.staff.messages.message_list import named_messages
from schemas.operations.campaign_page import check_prompts

# In a form a character may take nine bytes, so the limit is far above that of JSON.
MAX_FORM_BYTES: Final = 4_000_000


@pages.get("/campaigns/<advocacy_campaign_id>/edit", access=Access(WRITE, shows=True))
def edit_campaign(advocacy_campaign_id: str) -> Response:
    """Show the editor of a campaign"""
    found = campaign_or_404(advocacy_campaign_id)
    return _form(found, stored_controls(found))


@pages.post("/campaigns/<advocacy_campaign_id>/edit", access=Access(WRITE, shows=True, body_bytes=MAX_FORM_BYTES))
def save_campaign(advocacy_campaign_id: str) -> AnyResponse:
    """Store what was typed in the editor"""
    found, typed = campaign_or_404(advocacy_campaign_id), request.form.to_dict()
    errors = _save(found, typed)
    if errors is None:
        return _conflict(advocacy_campaign_id, typed)
    if errors:
        return _form(found, typed, 422, errors=errors, version=typed.get("version", ""))
    return redirect(url_for("staff.campaign", advocacy_campaign_id=found["_id"], done="campaign_saved"), 303)


def _save(campaign: Document, typed: Typed) -> Errors | None:
    """Stores a form; returns the message of each wrong control, or None if the campaign has changed meanwhile."""
    change, errors = read_draft(campaign, typed)
    return errors or _put(campaign["_id"], change, typed)


def _put(campaign_id: str, change: Change, typed: Typed) -> Errors | None:
    """Returns as `_save`. Raises OsdiError for what no control can correct."""
    try:
        put(store(), ADVOCACY_CAMPAIGN, campaign_id, change, settings().match_key_rules, check=check_prompts)
    except ValidationError as error:
        return errors_of(error, PAGE, typed)
    except OsdiError as error:
        return None if error.status == 412 else errors_of_page(error, typed)
    reference().forget(ADVOCACY_CAMPAIGN, campaign_id)
    return {}


def _conflict(campaign_id: str, typed: Typed) -> Response:
    """Returns the form with the stored values that differ; to save it once more replaces them."""
    found = campaign_or_404(campaign_id)
    stored = stored_controls(found)
    differing = {
        name: value
        for name, value in stored.items()
        if not name.endswith(".stored") and value != typed.get(name, "").replace("\r\n", "\n")
    }
    return _form(found, typed, 412, stored=differing, version=etag(found))


def _form(
    campaign: Document,
    typed: Typed,
    status: int = 200,
    *,
    errors: Errors | None = None,
    stored: dict[str, str] | None = None,
    version: str | None = None,
) -> Response:
    response = campaign_page(
        "edit.html",
        campaign,
        status,
        typed=typed,
        errors=errors or {},
        stored=stored,
        version=etag(campaign) if version is None else version,
        types=OUTREACH_TYPES,
        targets=len(campaign.get("target_list", ())),
        zone=settings().zone.key,
        mails=mail_choices(store(), reference(), settings().match_key_rules, campaign),
        other_mails=named_messages(campaign, AUTORESPONSE)[1:],
        unrequested=unrequested_kinds(store(), reference(), campaign),
    )
    # The preview is a frame of this server; its own policy allows it nothing.
    response.headers["Content-Security-Policy"] = f"{content_security_policy()}; frame-src 'self'"
    return response
