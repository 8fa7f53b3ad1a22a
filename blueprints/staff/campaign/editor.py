"""The editor of a campaign: OSDI's fields and the settings of the page in one form, checked by the API's schemas.

A form that cannot be stored comes back as it was typed, with a message at each control. If somebody else has changed
the campaign meanwhile, the form comes back with the stored values beside the typed ones.
"""

from collections.abc import Iterator
from typing import Final

from flask import Response, redirect, request, url_for
from marshmallow import ValidationError
from werkzeug.wrappers import Response as AnyResponse

from blueprints.http.context import caller, reference, settings, store
from blueprints.staff.blueprint import Access, pages
from blueprints.staff.campaign.found import campaign_page, found_campaign
from blueprints.staff.campaign.typed import Typed, control_of, controls_of, difference, osdi_body, page_body
from osdi.access.tokens import WRITE
from osdi.campaign_pages.page_settings import check_references
from osdi.crud.put import Change, put
from osdi.documents import Document, Json
from osdi.errors import OsdiError, described
from osdi.etags import etag
from osdi.fields.campaign_page import MESSAGE_RULES, TARGET_SELECTIONS
from osdi.fields.outreach import OUTREACH_TYPES
from osdi.languages import LANGUAGES
from osdi.resources import ADVOCACY_CAMPAIGN
from schemas.advocacy_campaign import AdvocacyCampaignSchema
from schemas.base.put import put_of
from schemas.operations.campaign_page import PageSchema, check_prompts

PAGE: Final = "page."
# All texts at their longest, in a form, where a character may take nine bytes, would have more. This holds a book.
LONGEST_FORM: Final = 4_000_000
Errors = dict[str, str]


@pages.get("/campaigns/<advocacy_campaign_id>/edit", access=Access(WRITE, shows=True))
def edit_campaign(advocacy_campaign_id: str) -> Response:
    """Show the editor of a campaign"""
    found = found_campaign(advocacy_campaign_id)
    return _form(found, controls_of(found, settings().zone))


@pages.post("/campaigns/<advocacy_campaign_id>/edit", access=Access(WRITE, shows=True, body_bytes=LONGEST_FORM))
def save_campaign(advocacy_campaign_id: str) -> AnyResponse:
    """Store what was typed in the editor"""
    found, typed = found_campaign(advocacy_campaign_id), request.form.to_dict()
    errors = _save(found, typed)
    if errors is None:
        return _conflict(advocacy_campaign_id, typed)
    if errors:
        return _form(found, typed, 422, errors=errors, version=typed.get("version", ""))
    return redirect(url_for("staff.campaign", advocacy_campaign_id=found["_id"], done="campaign_saved"), 303)


def _save(campaign: Document, typed: Typed) -> Errors | None:
    """Stores a form; returns the message of each wrong control, or None if the campaign has changed meanwhile."""
    zone = settings().zone
    stored = controls_of(campaign, zone)
    errors: Errors = {}
    osdi: Json = {"fields": {}, "cleared": ()}
    page: Json = {}
    try:
        osdi = put_of(AdvocacyCampaignSchema).load(difference(osdi_body(typed), osdi_body(stored)))
    except ValidationError as error:
        errors |= _by_control(error.messages, "", typed)
    try:
        page = PageSchema().load(difference(page_body(typed, zone), page_body(stored, zone)))
    except ValidationError as error:
        errors |= _by_control(error.messages, PAGE, typed)
    return errors or _put(campaign["_id"], osdi, page, typed)


def _put(campaign_id: str, osdi: Json, page: Json, typed: Typed) -> Errors | None:
    """Returns as `_save`. Raises OsdiError for what no control can correct."""
    fields = osdi["fields"] | ({"page": page} if page else {})
    version = frozenset((typed.get("version", ""),))
    try:
        check_references(page, reference().find)
        change = Change(fields, osdi["cleared"], version, caller().person_id)
        put(store(), ADVOCACY_CAMPAIGN, campaign_id, change, settings().match_key_rules, check=check_prompts)
    except ValidationError as error:
        return _by_control(error.messages, PAGE, typed)
    except OsdiError as error:
        if error.status == 412:
            return None
        if error.status not in (400, 409) or not all(each.properties for each in error.descriptions):
            raise
        return dict(_messages(error, typed))
    reference().forget(ADVOCACY_CAMPAIGN, campaign_id)
    return {}


def _by_control(messages: object, prefix: str, typed: Typed) -> Errors:
    return {
        control_of(prefix + "".join(each.properties), typed): each.description
        for each in reversed([*described(messages)])
    }


def _messages(error: OsdiError, typed: Typed) -> Iterator[tuple[str, str]]:
    """Yields control and message. Questions, lists, tags and the slug, which the database decides, are of the page."""
    for each in error.descriptions:
        for name in each.properties:
            yield control_of(PAGE + name, typed), each.description


def _conflict(campaign_id: str, typed: Typed) -> Response:
    """Returns the form with the stored values that differ; to save it once more replaces them."""
    found = found_campaign(campaign_id)
    stored = controls_of(found, settings().zone)
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
    return campaign_page(
        "edit.html",
        campaign,
        status,
        typed=typed,
        errors=errors or {},
        stored=stored,
        version=etag(campaign) if version is None else version,
        choices={
            "type": OUTREACH_TYPES,
            "language": LANGUAGES,
            "selection": TARGET_SELECTIONS,
            "rule": MESSAGE_RULES,
        },
        targets=len(campaign.get("target_list", ())),
        zone=settings().zone.key,
    )
