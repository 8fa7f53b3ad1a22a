"""Settings of a campaign's public page, with the defaults of those that the campaign does not set.

A campaign stores the set ones in `page`; OSDI's campaign has no such property, so its body never contains them.
"""

import datetime as dt
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any, Final

from osdi.documents import Find, Json
from osdi.errors import DOES_NOT_EXIST, ErrorDescription, OsdiError
from osdi.fields.campaign_page import (
    ALL,
    AUTO,
    CHOOSE,
    EDITABLE,
    FIXED,
    FORM_FIELDS,
    MESSAGE_RULES,
    POSTAL_CODE,
    PROMPTS,
    TARGET_SELECTIONS,
)
from osdi.outreaches.consent_receipt import sha256_of
from osdi.resources import ADVOCACY_CAMPAIGN, LIST, QUESTION, TAG, Resource

__all__ = [
    "ALL",
    "AUTO",
    "CHOOSE",
    "EDITABLE",
    "FIXED",
    "FORM_FIELDS",
    "MESSAGE_RULES",
    "POSTAL_CODE",
    "PROMPTS",
    "TARGET_SELECTIONS",
    "Consent",
    "FormField",
    "Message",
    "PageSettings",
    "Targets",
    "ThankYou",
    "check_references",
    "title_of",
]


@dataclass(frozen=True)
class FormField:
    """A field of the form: one of FORM_FIELDS, or an OSDI question by one of its identifiers. One of them is None."""

    name: str | None = None
    question: str | None = None
    required: bool = False
    label: str | None = None


@dataclass(frozen=True)
class Targets:
    """The choice among the campaign's targets: one of TARGET_SELECTIONS, and the number that is checked at first."""

    selection: str = ALL
    preselected: int = 0


@dataclass(frozen=True)
class Message:
    """The rule for the supporter's message: one of MESSAGE_RULES, and the questions that PROMPTS asks."""

    rule: str = EDITABLE
    prompts: tuple[str, ...] = ()


@dataclass(frozen=True)
class Consent:
    """The checkbox by which a supporter asks for mail. Without a text there is none.

    `list` and `tag` are references as in the helper's `add_lists` and `add_tags`. With `confirm_by_mail` an address
    becomes `subscribed` only by the button of a mail (double opt-in).
    """

    text: str = ""
    list: str | None = None
    tag: str | None = None
    confirm_by_mail: bool = False

    @property
    def sha256(self) -> str:
        """The SHA-256 of the text: the form carries it, and the receipt of a consent has it."""
        return sha256_of(self.text)


@dataclass(frozen=True)
class ThankYou:
    """Words after the last step, and the address of a page that the supporter may go on to."""

    text: str = ""
    redirect_url: str | None = None


DEFAULT_FIELDS: Final = (
    FormField("given_name"),
    FormField("family_name"),
    FormField("email_address", required=True),
    FormField("postal_code"),
)


@dataclass(frozen=True)
class PageSettings:
    """The settings of one page. `goal` is a number, AUTO or None."""

    published: bool = False
    slug: str | None = None
    language: str | None = None
    closes_at: dt.datetime | None = None
    closed_message: str = ""
    goal: int | str | None = None
    show_count_from: int = 25
    fields: tuple[FormField, ...] = DEFAULT_FIELDS
    targets: Targets = field(default_factory=Targets)
    message: Message = field(default_factory=Message)
    consent: Consent = field(default_factory=Consent)
    thank_you: ThankYou = field(default_factory=ThankYou)
    privacy_url: str | None = None
    colour: str | None = None
    logo_url: str | None = None
    share: bool = True

    @classmethod
    def of(cls, campaign: Mapping[str, Any]) -> "PageSettings":
        """Returns the settings of a campaign's document."""
        stored: Mapping[str, Any] = campaign.get("page", {})
        set_values = {each.name: stored[each.name] for each in fields(cls) if each.name in stored}
        for name, kind in (("targets", Targets), ("message", Message), ("consent", Consent), ("thank_you", ThankYou)):
            if name in set_values:
                set_values[name] = kind(**set_values[name])
        if "fields" in set_values:
            set_values["fields"] = tuple(FormField(**each) for each in set_values["fields"])
        settings = replace(cls(), **set_values)
        return replace(settings, message=replace(settings.message, prompts=tuple(settings.message.prompts)))

    def closed(self, timestamp: dt.datetime) -> bool:
        """True if the page takes no more outreaches at this moment (UTC, without time zone, as it is stored)."""
        return self.closes_at is not None and self.closes_at <= timestamp

    def body(self) -> Json:
        """Returns every setting for the body of a response, also those that the campaign does not set."""
        form = [{name: value for name, value in asdict(each).items() if value is not None} for each in self.fields]
        return {**asdict(self), "fields": form}


def title_of(campaign: Mapping[str, Any]) -> str:
    """Returns the title of a campaign as its page shows it: its title, else its name; empty without both."""
    return str(campaign.get("title") or campaign.get("name") or "")


def check_references(body: Mapping[str, Any], find: Find) -> None:
    """Raises OsdiError 400 that names each question, list and tag of a loaded PUT that does not exist."""
    named: list[tuple[Resource, str, str]] = [
        (QUESTION, entry["question"], f"fields[{index}].question")
        for index, entry in enumerate(body.get("fields") or ())
        if entry.get("question")
    ]
    consent = body.get("consent") or {}
    for resource in (LIST, TAG):
        if consent.get(resource.name):
            named.append((resource, consent[resource.name], f"consent.{resource.name}"))
    wanted = {resource: [each for other, each, _ in named if other is resource] for resource in (QUESTION, LIST, TAG)}
    found = {resource: find(resource, references) for resource, references in wanted.items() if references}
    missing = [
        ErrorDescription(DOES_NOT_EXIST, f"There is no {resource.name} '{reference}'.", (where,))
        for resource, reference, where in named
        if reference not in found[resource]
    ]
    if missing:
        raise OsdiError(400, *missing, resource=ADVOCACY_CAMPAIGN.rel)
