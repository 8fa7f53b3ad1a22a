"""Settings of a campaign's public page, with the defaults of those that the campaign does not set.

A campaign stores the set ones in `page`; OSDI's campaign has no such property, so its body never contains them.
"""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any, Final

ALL, CHOOSE, POSTAL_CODE = "all", "choose", "postal_code"
TARGET_SELECTIONS: Final = (ALL, CHOOSE, POSTAL_CODE)
EDITABLE, FIXED, PROMPTS = "editable", "fixed", "prompts"
MESSAGE_RULES: Final = (EDITABLE, FIXED, PROMPTS)
AUTO: Final = "auto"
# The contact details that a form can ask for. Questions are added by their identifiers.
FORM_FIELDS: Final = (
    "given_name",
    "family_name",
    "email_address",
    "phone_number",
    "street_address",
    "postal_code",
    "locality",
    "country",
)


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

    def closed(self, moment: dt.datetime) -> bool:
        """True if the page takes no more outreaches at this moment (UTC, without time zone, as it is stored)."""
        return self.closes_at is not None and self.closes_at <= moment
