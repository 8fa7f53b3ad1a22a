"""The change of a campaign that a form of the editor means: the API's schemas check it, and nothing is stored here."""

from collections.abc import Iterator
from typing import Final

from marshmallow import ValidationError

from blueprints.http.context import caller, reference, settings
from blueprints.staff.campaign.editor.mail_controls import mail_controls, typed_mail
from blueprints.staff.campaign.editor.typed import Typed, control_of, controls_of, difference, osdi_body, page_body
from osdi.campaign_pages.page_settings import check_references
from osdi.crud.put import Change, apply
from osdi.documents import Document, Json
from osdi.errors import OsdiError, described
from osdi.resources import ADVOCACY_CAMPAIGN
from schemas.advocacy_campaign import AdvocacyCampaignSchema
from schemas.base.put import put_of
from schemas.operations.campaign_page import PageSchema, check_prompts

PAGE: Final = "page."
# The message of each wrong control.
Errors = dict[str, str]


def stored_controls(campaign: Document) -> dict[str, str]:
    """Returns the value of each control for the stored campaign."""
    return controls_of(campaign, settings().zone) | mail_controls(campaign)


def read_draft(campaign: Document, typed: Typed) -> tuple[Change, Errors]:
    """Returns the change that a form means, and the message of each wrong control. Raises OsdiError 503."""
    zone = settings().zone
    stored = stored_controls(campaign)
    errors: Errors = {}
    osdi: Json = {"fields": {}, "cleared": ()}
    page: Json = {}
    try:
        osdi = put_of(AdvocacyCampaignSchema).load(difference(osdi_body(typed), osdi_body(stored)))
    except ValidationError as error:
        errors |= errors_of(error, "", typed)
    try:
        page = PageSchema().load(difference(page_body(typed, zone), page_body(stored, zone)))
        check_references(page, reference().find)
    except ValidationError as error:
        errors |= errors_of(error, PAGE, typed)
    except OsdiError as error:
        errors |= errors_of_page(error, typed)
    mail, mistakes = typed_mail(campaign, typed)
    fields = osdi["fields"] | ({"page": page} if page else {}) | mail.fields
    version = frozenset((typed.get("version", ""),))
    return Change(fields, (*osdi["cleared"], *mail.cleared), version, caller().person_id), errors | mistakes


def drafted_campaign(campaign: Document, typed: Typed) -> tuple[Document, Errors]:
    """Returns the campaign with what was typed, and the message of each wrong control. Raises OsdiError 503."""
    change, errors = read_draft(campaign, typed)
    if errors:
        return campaign, errors
    changed = apply(ADVOCACY_CAMPAIGN, campaign, change)
    try:
        check_prompts(changed)
    except ValidationError as error:
        return campaign, errors_of(error, PAGE, typed)
    return changed, {}


def errors_of(error: ValidationError, prefix: str, typed: Typed) -> Errors:
    """Returns the message of each control that an error of a schema names."""
    return {
        control_of(prefix + "".join(each.properties), typed): each.description
        for each in reversed([*described(error.messages)])
    }


def errors_of_page(error: OsdiError, typed: Typed) -> Errors:
    """Returns the message of each control that the error of a rule names. Raises the error if it names none."""
    if error.status not in (400, 409) or not all(each.properties for each in error.descriptions):
        raise error
    return dict(_messages(error, typed))


def _messages(error: OsdiError, typed: Typed) -> Iterator[tuple[str, str]]:
    """Yields control and message. Questions, lists, tags and the slug, which the database decides, are of the page."""
    for each in error.descriptions:
        for name in each.properties:
            yield control_of(PAGE + name, typed), each.description
