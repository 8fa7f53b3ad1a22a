"""An outreach (`outreaches.md`) and the body of the Record Outreach Helper (`record_outreach.md`).

The fields of an outreach are in osdi.fields.outreach.
"""

from collections.abc import Mapping
from typing import Any, ClassVar, Final

import marshmallow as ma

from osdi.fields.limits import MAX_REFERENCES
from osdi.fields.outreach import ACTION_DATE_OFFSET, OUTREACH_FIELDS
from osdi.values.dates import offset_minutes
from schemas.base.common import (
    LinkSchema,
    OsdiSchema,
    PostedLinksSchema,
    PostedSchema,
    RequiredFields,
    ResourceSchema,
    links,
)
from schemas.base.fields import Bool, Identifiers, Objects, Reason, Strings, Text
from schemas.base.opt_out_flags import EVERYTHING, is_flag, opt_out, without_flags
from schemas.base.skipping import SkippingSchema
from schemas.person import InlinePersonSchema

# A person is known by one of these names, or by a contact detail with this property.
NAMES: Final = ("given_name", "family_name", "additional_name")
REACHED_BY: Final = {"email_addresses": "address", "phone_numbers": "number"}
NEEDED: Final = (
    "Send one of person.email_addresses[].address, person.phone_numbers[].number, person.given_name, "
    "person.family_name, person.additional_name and person.identifiers."
)


class OutreachFieldsSchema(OsdiSchema):
    """The fields of an outreach that a client may set."""

    table = OUTREACH_FIELDS
    # Action Network's name of the standard's field.
    aliases: ClassVar[Mapping[str, str]] = {"action_network:referrer_data": "referrer_data"}

    def _deserialize(self, data: Any, *, error_store: Any, index: int | None = None, **kwargs: Any) -> dict[str, Any]:
        """Loads the fields, and the offset of `action_date`: the date itself becomes UTC."""
        loaded = super()._deserialize(data, error_store=error_store, index=index, **kwargs)
        if "action_date" in loaded:
            loaded[ACTION_DATE_OFFSET] = offset_minutes(str(data["action_date"]))
        return loaded


class OutreachSchema(OutreachFieldsSchema, ResourceSchema):
    """An outreach in a response."""

    rel = "osdi:outreach"
    _links = links("self", "osdi:advocacy_campaign", "osdi:person")


class QuestionResponseSchema(RequiredFields):
    """An answer to a question: `responses` for a choice, `value` for a paragraph."""

    needs = ("question",)

    question = Text(metadata={"description": "Required: the question's URI or identifier."})
    responses = Strings(metadata={"description": "Keys of the question's responses (SingleChoice, MultiChoice)."})
    value = Text(metadata={"description": "Free text (Paragraph)."})


class MessageIdentifiers(Identifiers):
    """The message that the client requests. If it is unreadable, no other message is sent in its place."""

    def _deserialize(self, *args: Any, **kwargs: Any) -> list[str]:
        try:
            return super()._deserialize(*args, **kwargs)
        except ma.ValidationError:
            reason = Reason("Not identifiers of the form [system name]:[id].", whole_entry=True)
            raise ma.ValidationError([reason]) from None


class TriggerSchema(OsdiSchema):
    """One kind of follow-up that the client requests."""

    enabled = Bool(metadata={"description": "True: the message is sent."})
    identifiers = MessageIdentifiers()


class TriggersSchema(OsdiSchema):
    """The follow-ups that the client requests for the person."""

    autoresponse = ma.fields.Nested(TriggerSchema)
    sms_response = ma.fields.Nested(TriggerSchema)
    call_response = ma.fields.Nested(TriggerSchema)


class ActionFunctionsSchema(SkippingSchema):
    """The Helper Action Functions, which apply to the recorded person."""

    add_tags = Strings(limit=MAX_REFERENCES, metadata={"description": "Names of existing tags to add to the person."})
    add_tags_uri = Strings(
        limit=MAX_REFERENCES, metadata={"description": "URIs of existing tags to add to the person."}
    )
    add_lists = Strings(limit=MAX_REFERENCES, metadata={"description": "Names of existing lists to add the person to."})
    add_lists_uri = Strings(
        limit=MAX_REFERENCES, metadata={"description": "URIs of existing lists to add the person to."}
    )
    add_questions_responses_uri = Objects(
        QuestionResponseSchema,
        limit=MAX_REFERENCES,
        metadata={"description": "Answers to questions that are named by their addresses."},
    )
    triggers = ma.fields.Nested(TriggersSchema)

    def _deserialize(self, data: Any, **kwargs: Any) -> dict[str, Any]:
        """Loads the body; a flag beside the person, such as `opted_out`, is about the person."""
        unknown = data.keys() - self._by_name.keys() if isinstance(data, dict) and "person" in data else ()
        if not unknown:
            return super()._deserialize(data, **kwargs)
        kept, opted_out, _ = without_flags(data, (name for name in unknown if is_flag(name)), EVERYTHING)
        loaded = super()._deserialize(kept, **kwargs)
        if opted_out and "person" in loaded:
            opt_out(loaded["person"], opted_out)
        return loaded

    def why_useless(self, loaded: Mapping[str, Any], skipped: Mapping[Any, Any]) -> dict[str, Any] | None:
        """Returns an error if no name and no contact detail remains; next to an invalid e-mail a name is too little."""
        if _linked(loaded):
            return None
        person = loaded["person"]
        if "postal_addresses" in person or any(
            value in entry for array, value in REACHED_BY.items() for entry in person.get(array, ())
        ):
            return None
        named = any(name in person for name in (*NAMES, "identifiers"))
        return None if named and not _lost_address(skipped) else {"person": {"_schema": [NEEDED]}}


def _lost_address(skipped: Mapping[Any, Any]) -> bool:
    """True if an e-mail address of the person is among the skipped values."""
    person = skipped.get("person")
    entries = person.get("email_addresses", {}) if isinstance(person, Mapping) else {}
    return not isinstance(entries, Mapping) or any(
        not isinstance(each, Mapping) or "address" in each for each in entries.values()
    )


def _linked(loaded: Mapping[str, Any]) -> bool:
    """True if the loaded body has a link to its person."""
    return bool(loaded.get("person_link", {}).get("person", {}).get("href"))


class PersonSignupHelperSchema(ActionFunctionsSchema, PostedSchema):
    """The body of the Person Signup Helper."""

    rel = "osdi:person"
    person = ma.fields.Nested(InlinePersonSchema, metadata={"description": "The person who signs up."})

    @ma.validates_schema(skip_on_field_errors=True)
    def names_a_person(self, data: dict[str, object], **_: object) -> None:
        if not data.get("person"):
            raise ma.ValidationError([Reason(f"A person is needed: who signs up? {NEEDED}", final=True)], "person")


class PostedPersonSchema(PersonSignupHelperSchema, InlinePersonSchema):
    """The body of a POST to the people collection: a person, or the body of the Person Signup Helper."""

    @ma.pre_load
    def wrap_bare_person(self, data: Any, **_: Any) -> Any:
        if not isinstance(data, dict) or "person" in data:
            return data
        person = {name: value for name, value in data.items() if name not in AROUND_PERSON}
        return {"person": person, **{name: value for name, value in data.items() if name in AROUND_PERSON}}


ACTIONS: Final = frozenset(ActionFunctionsSchema._declared_fields)
# The properties beside the person in a helper's body.
AROUND_PERSON: Final = ACTIONS | {"osdi:control"}


class PersonLinkSchema(PostedLinksSchema):
    """A link to an existing person."""

    person = ma.fields.Nested(LinkSchema, data_key="osdi:person")


class RecordOutreachHelperSchema(ActionFunctionsSchema, OutreachFieldsSchema, PostedSchema):
    """The body of the Record Outreach Helper; the person is inline or, with a token, linked."""

    rel = "osdi:outreach"
    person = ma.fields.Nested(InlinePersonSchema, metadata={"description": "The person who made the outreach."})
    person_link = ma.fields.Nested(PersonLinkSchema, data_key="_links", load_only=True)

    @ma.validates_schema(skip_on_field_errors=True)
    def names_a_person(self, data: dict[str, object], **_: object) -> None:
        if not data.get("person") and not _linked(data):
            reason = Reason(f"A person is needed: who made this outreach? {NEEDED}", final=True)
            raise ma.ValidationError([reason], "person")
