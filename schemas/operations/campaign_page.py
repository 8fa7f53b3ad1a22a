"""The settings of a campaign's public page. In a PUT null restores the default of a setting, also inside an object."""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

import marshmallow as ma

from osdi.fields.campaign_page import AUTO, COLOUR, FORM_FIELDS, MESSAGE_RULES, PROMPTS, TARGET_SELECTIONS
from osdi.fields.limits import (
    MAX_IDENTIFIER_LENGTH,
    MAX_INTEGER,
    MAX_LINE_LENGTH,
    MAX_PAGE_FIELDS,
    MAX_PAGE_PROMPTS,
    MAX_STRING_LENGTH,
    MAX_TARGET_LIST,
    MAX_URL_LENGTH,
)
from osdi.languages import LANGUAGES
from osdi.values import slugs
from osdi.values.web_addresses import secure_address
from schemas.base.common import STRICT, links
from schemas.base.fields import Bool, DateTime, Enum, Text, WholeNumber

BLANK: Final = "Blank. Send null for the default."


class FilledText(Text):
    """A text that is not blank."""

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> str:
        text = super()._deserialize(value, attr, data, **kwargs)
        if not text:
            raise ma.ValidationError(BLANK)
        return text


class WebAddress(FilledText):
    """An https address; see `secure_address`."""

    def __init__(self, description: str) -> None:
        facts = {"description": f"{description} It begins with `https://`.", "format": "uri"}
        super().__init__(max_length=MAX_URL_LENGTH, allow_none=True, metadata=facts)

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> str:
        text = super()._deserialize(value, attr, data, **kwargs)
        try:
            return secure_address(text)
        except ValueError as error:
            raise ma.ValidationError(str(error)) from None


class Word(Enum):
    """One of the listed words, or null; not blank."""

    def __init__(self, *values: str, **kwargs: Any) -> None:
        super().__init__(*values, allow_none=True, **kwargs)
        self.metadata = {**self.metadata, "enum": [*values, None]}  # in JSON Schema null is a value like the others

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> str:
        word = super()._deserialize(value, attr, data, **kwargs)
        if not word:
            raise ma.ValidationError(BLANK)
        return word


class Goal(ma.fields.Field[int | str]):
    """A positive number, or `auto`."""

    number = WholeNumber(minimum=1)

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> int | str:
        if value == AUTO:
            return AUTO
        number: int = self.number.deserialize(value, attr, data, **kwargs)
        return number


class SettingsSchema(ma.Schema):
    """Base of the settings and of the objects in them: other properties are ignored, or rejected if strict."""

    class Meta:
        unknown = ma.EXCLUDE

    @ma.validates_schema(pass_original=True)
    def has_no_unknown_fields(self, _: Any, original: Any, **__: Any) -> None:
        known = {field.data_key or name for name, field in self.fields.items()}
        unknown = [name for name in original if name not in known] if STRICT.get() else []
        if unknown:
            raise ma.ValidationError({name[:MAX_LINE_LENGTH]: ["Unknown field."] for name in unknown})


class PageFormFieldSchema(SettingsSchema):
    """A field of the form: a contact detail by its name, or a question by one of its identifiers."""

    name = Word(*FORM_FIELDS, metadata={"description": "The contact detail that the field asks for."})
    question = FilledText(
        max_length=MAX_IDENTIFIER_LENGTH,
        allow_none=True,
        metadata={"description": "An identifier of a question, or its id."},
    )
    required = Bool(allow_none=True, metadata={"description": "True: the form is not accepted without it."})
    label = FilledText(
        max_length=MAX_LINE_LENGTH, allow_none=True, metadata={"description": "Words beside the field instead of ours."}
    )

    @ma.post_load
    def without_null(self, entry: dict[str, Any], **_: Any) -> dict[str, Any]:
        return {name: value for name, value in entry.items() if value is not None}

    @ma.validates_schema
    def names_one_field(self, entry: Mapping[str, Any], **_: Any) -> None:
        if bool(entry.get("name")) == bool(entry.get("question")):
            raise ma.ValidationError("Give it either a name or a question.")


class PageTargetsSchema(SettingsSchema):
    """The choice among the campaign's targets."""

    selection = Word(
        *TARGET_SELECTIONS,
        metadata={"description": "Everybody in `target_list`, those that a supporter checks, or those of a code."},
    )
    preselected = WholeNumber(
        maximum=MAX_TARGET_LIST,
        allow_none=True,
        metadata={"description": "Number of targets that are checked at first, if supporters choose."},
    )


class PageMessageSchema(SettingsSchema):
    """The rule for the supporter's message."""

    rule = Word(
        *MESSAGE_RULES,
        metadata={"description": "Supporters edit the text, or send it as it is, or answer questions."},
    )
    prompts = ma.fields.List(
        FilledText(max_length=MAX_LINE_LENGTH),
        allow_none=True,
        validate=ma.validate.Length(max=MAX_PAGE_PROMPTS),
        metadata={"description": "Questions whose answers become the message, for the rule `prompts`."},
    )


class PageConsentSchema(SettingsSchema):
    """The checkbox by which a supporter asks for mail. Without a text there is none."""

    text = Text(max_length=MAX_STRING_LENGTH, allow_none=True, metadata={"description": "Words beside the checkbox."})
    list = FilledText(
        max_length=MAX_LINE_LENGTH,
        allow_none=True,
        metadata={"description": "Name, identifier or URL of the list that the supporter is added to."},
    )
    tag = FilledText(
        max_length=MAX_LINE_LENGTH,
        allow_none=True,
        metadata={"description": "Name, identifier or URL of the tag that the supporter gets."},
    )
    confirm_by_mail = Bool(
        allow_none=True,
        metadata={"description": "True: an address is `subscribed` only after the button of a mail was pressed."},
    )


class PageThankYouSchema(SettingsSchema):
    """The end of the page, after the last step."""

    text = Text(max_length=MAX_STRING_LENGTH, allow_none=True, metadata={"description": "Text of thanks."})
    redirect_url = WebAddress("Page that supporters may go on to.")


def validate_slug(text: str) -> None:
    """Raises ValidationError for a text that cannot be a slug."""
    if not slugs.is_slug(text):
        reserved = " or ".join(sorted(slugs.RESERVED))
        raise ma.ValidationError(f"Use lower-case letters, digits and single hyphens; not {reserved}.")


def validate_form_fields(entries: Sequence[Mapping[str, Any]]) -> None:
    """Raises ValidationError for a field that occurs twice, and for a form that asks for no contact detail."""
    asked = [(each.get("name"), each.get("question")) for each in entries]
    errors = {index: ["The form has this field already."] for index, each in enumerate(asked) if each in asked[:index]}
    if errors:
        raise ma.ValidationError(errors)
    if entries and not any(name for name, _ in asked):
        raise ma.ValidationError("Ask for a name or a contact detail, too: an outreach needs a person.")


class PageSchema(SettingsSchema):
    """The settings of a campaign's public page."""

    published = Bool(allow_none=True, metadata={"description": "True: everybody can open the page."})
    slug = FilledText(
        max_length=slugs.MAX_SLUG_LENGTH,
        allow_none=True,
        validate=validate_slug,
        metadata={
            "description": "Last part of the page's address: lower-case letters, digits and hyphens. Default: made "
            "from the title when the page is published. Former slugs lead to the page, too.",
            "pattern": f"^{slugs.PATTERN}$",
        },
    )
    language = Word(*LANGUAGES, metadata={"description": "Language of the page. Default: the deployment's."})
    closes_at = DateTime(
        zoned=True,
        allow_none=True,
        metadata={"description": "The page accepts no outreaches from then on. The offset from UTC is required."},
    )
    closed_message = Text(
        max_length=MAX_STRING_LENGTH, allow_none=True, metadata={"description": "Text of the page after it has closed."}
    )
    goal = Goal(
        allow_none=True,
        metadata={
            "type": ["integer", "string"],
            "minimum": 1,
            "maximum": MAX_INTEGER,
            "description": "Number that the campaign wants to reach, or `auto` for the next round number.",
        },
    )
    show_count_from = WholeNumber(
        allow_none=True, metadata={"description": "The page shows its count from this number on."}
    )
    fields_ = ma.fields.List(
        ma.fields.Nested(PageFormFieldSchema),
        data_key="fields",
        attribute="fields",
        allow_none=True,
        validate=(ma.validate.Length(min=1, max=MAX_PAGE_FIELDS), validate_form_fields),
        metadata={"description": "What the form asks for, in this order."},
    )
    targets = ma.fields.Nested(
        PageTargetsSchema, allow_none=True, metadata={"description": "The choice among the targets."}
    )
    message = ma.fields.Nested(
        PageMessageSchema, allow_none=True, metadata={"description": "The rule for the message."}
    )
    consent = ma.fields.Nested(PageConsentSchema, allow_none=True, metadata={"description": "The checkbox of consent."})
    thank_you = ma.fields.Nested(PageThankYouSchema, allow_none=True, metadata={"description": "The end of the page."})
    privacy_url = WebAddress("The organisation's privacy page.")
    colour = FilledText(
        allow_none=True,
        validate=ma.validate.Regexp(re.compile(rf"{COLOUR}\Z"), error="Not a colour such as #0a6 or #00aa66."),
        metadata={"description": "Colour of buttons and links: `#rgb` or `#rrggbb`."},
    )
    logo_url = WebAddress("The organisation's logo.")
    share = Bool(allow_none=True, metadata={"description": "True: the page has links to share it."})
    _links = links("self", "osdi:advocacy_campaign", "alternate")


def check_prompts(campaign: Mapping[str, Any]) -> None:
    """Raises ValidationError for a changed campaign whose page asks no questions although its rule needs some."""
    message = campaign.get("page", {}).get("message", {})
    if message.get("rule") == PROMPTS and not message.get("prompts"):
        raise ma.ValidationError(
            {"message": {"prompts": [f"The rule {PROMPTS} needs 1 to {MAX_PAGE_PROMPTS} of them."]}}
        )


def as_put(body: dict[str, Any]) -> dict[str, Any]:
    """Returns a loaded body in the form of PutSchema. Null stays in it, since it restores the default of a setting."""
    return {"fields": {"page": body} if body else {}, "cleared": (), "control": {}}
