"""Preview of a message for its author: rendered for a stored outreach, or for an example person."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from osdi.action_functions.followup_kinds import EMAIL, type_of
from osdi.crud.reference_cache import Reference
from osdi.errors import conflict
from osdi.followups.recipients import Unreachable, recipient
from osdi.followups.unsubscribe import PATH
from osdi.ids import now
from osdi.languages import language_of
from osdi.mail import compose
from osdi.mail.mailboxes import sender
from osdi.match_keys import MatchKeyRules
from osdi.messages.template_check import Mistake
from osdi.messages.template_fields import LANGUAGE, UNSUBSCRIBE_URL, fields
from osdi.messages.templates import Rendered, TooLarge, render
from osdi.messages.wrapper_store import default_wrapper
from osdi.messages.wrappers import wrapper_of
from osdi.people.lookup import get_person
from osdi.resources import ADVOCACY_CAMPAIGN, MESSAGE
from osdi.settings import Settings
from osdi.store import Store

PERSON_OF_PREVIEW: Final = {
    "given_name": "Jane",
    "family_name": "Doe",
    "postal_addresses": [{"locality": "Riverton", "region": "NY", "postal_code": "10011", "country": "US"}],
}
OUTREACH_OF_PREVIEW: Final = {
    "type": "phone",
    "duration": 120,
    "subject": "The river",
    "message": "Please protect the river.",
    "targets": [
        {"title": "Senator", "given_name": "John", "family_name": "Smith", "organization": "U.S. Senate"},
        {"title": "Senator", "given_name": "Jennifer", "family_name": "Larson", "organization": "U.S. Senate"},
    ],
}
CAMPAIGN_OF_PREVIEW: Final = {"name": "river", "title": "Protect the river"}


@dataclass(frozen=True)
class Filled:
    """A message with its wrapper, filled in, and what the server adds to a mail: its link and the words' language."""

    rendered: Rendered
    unsubscribe_url: str
    language: str


def preview(
    store: Store,
    reference: Reference,
    settings: Settings,
    message: Mapping[str, Any],
    outreach: Mapping[str, Any] | None,
    base_url: str,
) -> dict[str, str]:
    """Returns `{subject, html, text, from, reply_to}` of an e-mail, `{text, from}` of a text message.

    Raises OsdiError 409 if the template is invalid (older versions stored it unchecked) or the result is too long; 503.
    """
    filled = fill(store, reference, settings, message, outreach, base_url)
    rendered, unsubscribe_url, language = filled.rendered, filled.unsubscribe_url, filled.language
    if message.get("type", EMAIL) != EMAIL:
        return {"text": rendered.text, "from": rendered.from_}
    html = compose.with_link(rendered.html, unsubscribe_url, language)
    text = compose.text_part(rendered, html, unsubscribe_url, language)
    headers = {"from": _sender_address(rendered.from_, settings.mail_from), "reply_to": rendered.reply_to}
    return {"subject": rendered.subject, **headers, "html": html, "text": text}


def fill(
    store: Store,
    reference: Reference,
    settings: Settings,
    message: Mapping[str, Any],
    outreach: Mapping[str, Any] | None,
    base_url: str,
) -> Filled:
    """Returns the message filled in for an outreach, or for an example person; its link to unsubscribe leads nowhere.

    Raises OsdiError 409 if the template is invalid or the result is too long; 503.
    """
    kind = message.get("type", EMAIL)
    campaign = _campaign_of(store, outreach)
    values = _values_of_preview(settings) if outreach is None else _values(store, outreach, campaign, kind, settings)
    unsubscribe_url = f"{base_url}{PATH}/..." if kind == EMAIL else ""
    language = language_of(campaign, settings.language)
    values |= {UNSUBSCRIBE_URL: unsubscribe_url, LANGUAGE: language}
    wrapper = wrapper_of(reference.find, message, partial(default_wrapper, store))
    try:
        rendered = render(message, wrapper, values, kind)
    except (Mistake, TooLarge) as error:
        raise conflict("TEMPLATE_ERROR", str(error) or "This is too long.", resource=MESSAGE.rel) from error
    return Filled(rendered, unsubscribe_url, language)


def _values_of_preview(settings: Settings) -> dict[str, Any]:
    outreach = {**OUTREACH_OF_PREVIEW, "action_date": now()}
    return fields(PERSON_OF_PREVIEW, outreach, CAMPAIGN_OF_PREVIEW, by_token=True, zone=settings.zone)


def _campaign_of(store: Store, outreach: Mapping[str, Any] | None) -> Mapping[str, Any]:
    if outreach is None:
        return CAMPAIGN_OF_PREVIEW
    return store.get(ADVOCACY_CAMPAIGN.collection, outreach["advocacy_campaign_id"]) or {}


def _values(
    store: Store, outreach: Mapping[str, Any], campaign: Mapping[str, Any], kind: str, settings: Settings
) -> dict[str, Any]:
    person = get_person(store, outreach.get("person_id", ""))
    followups = outreach.get("followups", ())
    # Without follow-ups the outreach does not show if it was posted with a token, so the preview assumes none.
    by_token = any(each["by_token"] for each in followups)
    # A sent follow-up has no address any more.
    addressed = next((each for each in followups if type_of(each["kind"]) == kind and "to" in each), None)
    known = by_token or addressed is None or person is None or _is_known(addressed, person, settings.match_key_rules)
    return fields(person if known else None, outreach, campaign, by_token=by_token, zone=settings.zone)


def _is_known(followup: Mapping[str, Any], person: Mapping[str, Any], rules: MatchKeyRules) -> bool:
    """True if the person is matched by the follow-up's address; otherwise the message contains nothing about them."""
    try:
        return recipient(followup, person, rules).known
    except Unreachable:
        return False


def _sender_address(message_from: str, mail_from: str) -> str:
    """Returns the sender of the mail; the message's own `from` if MAIL_FROM is not set."""
    try:
        return str(sender(message_from, mail_from))
    except ValueError:
        return message_from
