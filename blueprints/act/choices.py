"""The targets and the message of a form: what a template offers, and what a supporter has chosen and written."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from werkzeug.datastructures import MultiDict

from blueprints.browser.translation import gettext
from blueprints.http.context import store
from osdi.campaign_pages.acting.steps import EMAIL, SPOKEN, kind_of
from osdi.campaign_pages.message import Message, text_of
from osdi.campaign_pages.message_labels import Labels
from osdi.campaign_pages.page_settings import FIXED, POSTAL_CODE
from osdi.campaign_pages.postal_codes.postal_codes_store import look_up
from osdi.campaign_pages.published import Page
from osdi.campaign_pages.targets import Chosen, InvalidChoice, Target, chosen


@dataclass(frozen=True)
class Choices:
    """The targets and the texts of a post; `errors` has the mistakes by control.

    `texts` are properties of the helper's JSON. The targets are copies of loaded ones, so they go into its loaded body.
    `own_words` is True if the supporter has changed the message, None for a message that could not be changed.
    """

    targets: Chosen
    texts: dict[str, str]
    errors: dict[str, str]
    own_words: bool | None = None


def choices_of(page: Page, values: MultiDict[str, str], person: Mapping[str, Any], *, complete: bool) -> Choices:
    """Returns the choices of a posted form; `person` is that of the helper's JSON. Raises OsdiError 503.

    With `complete` the supporter has to make the choices that the page shows.
    """
    campaign, settings = page.campaign, page.settings
    code = next((each for each in values.getlist("person.postal_code") if each.strip()), "")
    by_code = settings.targets.selection == POSTAL_CODE and code
    keys = look_up(store(), campaign["_id"], code).keys if by_code else ()
    errors: dict[str, str] = {}
    targets, texts = Chosen(), dict[str, str]()
    own_words = None
    try:
        targets = chosen(values, campaign, settings, keys, complete=complete)
    except InvalidChoice as invalid:
        errors[invalid.control] = invalid.reason
    try:
        message = _message(page, values, person, None if targets.candidates else targets.targets)
        texts = _texts(page, message)
        own_words = message.changed if message and settings.message.rule != FIXED else None
    except InvalidChoice as invalid:
        errors[invalid.control] = invalid.reason
    return Choices(targets, texts, errors, own_words)


def _message(
    page: Page, values: MultiDict[str, str], person: Mapping[str, Any], targets: Sequence[Target] | None
) -> Message | None:
    """Returns the message of a post, None without one. Raises InvalidChoice."""
    if kind_of(page.campaign) in SPOKEN:
        return None
    return text_of(values, page.campaign, page.settings, message_labels(), person, targets)


def _texts(page: Page, message: Message | None) -> dict[str, str]:
    """Returns the texts of a post: the message, and for an e-mail the subject."""
    kind = kind_of(page.campaign)
    texts = {"message": message.text} if message else {}
    if kind == EMAIL and page.campaign.get("title"):
        texts["subject"] = page.campaign["title"]
    return texts


def message_labels() -> Labels:
    """Returns the words in brackets of a message that is not filled in yet, in the language of the request."""
    return {
        "given_name": gettext("your first name"),
        "family_name": gettext("your last name"),
        "email_address": gettext("your e-mail address"),
        "phone_number": gettext("your phone number"),
        "street_address": gettext("your street and number"),
        "postal_code": gettext("your postal code"),
        "locality": gettext("your town or city"),
        "country": gettext("your country"),
        "target.title": gettext("title of the addressee"),
        "target.given_name": gettext("first name of the addressee"),
        "target.family_name": gettext("last name of the addressee"),
        "target.organization": gettext("organization of the addressee"),
    }
