"""An outreach (`outreaches.md`) and the body of the Record Outreach Helper (`record_outreach.md`).

The fields of an outreach are in osdi.fields.outreach.
"""

from typing import Any

import marshmallow as ma

from osdi.fields.limits import REFERENCES
from osdi.fields.outreach import ACTION_DATE_OFFSET, OUTREACH_FIELDS
from osdi.values.dates import offset_minutes
from schemas.base.common import LinkSchema, OsdiSchema, PostedSchema, RequiredFields, ResourceSchema, links
from schemas.base.fields import Bool, Identifiers, Objects, Strings, Text
from schemas.person import InlinePersonSchema


class OutreachFieldsSchema(OsdiSchema):
    """The fields of an outreach that a client may set."""

    table = OUTREACH_FIELDS

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


class TriggerSchema(OsdiSchema):
    """One kind of follow-up that the client requests."""

    enabled = Bool()
    identifiers = Identifiers()


class TriggersSchema(OsdiSchema):
    """The follow-ups that the client requests for the person."""

    autoresponse = ma.fields.Nested(TriggerSchema)
    sms_response = ma.fields.Nested(TriggerSchema)
    call_response = ma.fields.Nested(TriggerSchema)


class ActionFunctionsSchema(OsdiSchema):
    """The Helper Action Functions, which apply to the recorded person."""

    add_tags = Strings(limit=REFERENCES, metadata={"description": "Names of existing tags to add to the person."})
    add_tags_uri = Strings(limit=REFERENCES, metadata={"description": "URIs of existing tags to add to the person."})
    add_lists = Strings(limit=REFERENCES, metadata={"description": "Names of existing lists to add the person to."})
    add_lists_uri = Strings(limit=REFERENCES, metadata={"description": "URIs of existing lists to add the person to."})
    add_questions_responses_uri = Objects(QuestionResponseSchema, limit=REFERENCES)
    triggers = ma.fields.Nested(TriggersSchema)


class PersonSignupHelperSchema(ActionFunctionsSchema, PostedSchema):
    """The body of the Person Signup Helper."""

    rel = "osdi:person"
    person = ma.fields.Nested(InlinePersonSchema, metadata={"description": "The person who signs up."})

    @ma.validates_schema(skip_on_field_errors=True)
    def names_a_person(self, data: dict[str, object], **_: object) -> None:
        if not data.get("person"):
            raise ma.ValidationError("A person is needed: who signs up?", "person")


class PostedPersonSchema(PersonSignupHelperSchema, InlinePersonSchema):
    """The body of a POST to the people collection: a person, or the body of the Person Signup Helper."""

    @ma.pre_load
    def wrap_bare_person(self, data: Any, **_: Any) -> Any:
        if not isinstance(data, dict) or "person" in data:
            return data
        around = {"osdi:control", *ActionFunctionsSchema().fields}
        person = {name: value for name, value in data.items() if name not in around}
        return {"person": person, **{name: value for name, value in data.items() if name in around}}


class PersonLinkSchema(OsdiSchema):
    """A link to an existing person."""

    person = ma.fields.Nested(LinkSchema, data_key="osdi:person")


class RecordOutreachHelperSchema(ActionFunctionsSchema, OutreachFieldsSchema, PostedSchema):
    """The body of the Record Outreach Helper; the person is inline or, with a token, linked."""

    rel = "osdi:outreach"
    person = ma.fields.Nested(InlinePersonSchema, metadata={"description": "The person who made the outreach."})
    person_link = ma.fields.Nested(PersonLinkSchema, data_key="_links", load_only=True)

    @ma.validates_schema(skip_on_field_errors=True)
    def names_a_person(self, data: dict[str, object], **_: object) -> None:
        link = data.get("person_link")
        if not data.get("person") and not (isinstance(link, dict) and link.get("person", {}).get("href")):
            raise ma.ValidationError("A person is needed: who made this outreach?", "person")
