"""An outreach (`outreaches.md`) and the body of the Record Outreach Helper (`record_outreach.md`)."""

from typing import Any

import marshmallow as ma

from schemas.base.addresses import TargetSchema
from schemas.base.common import LinkSchema, OsdiSchema, PostedSchema, RequiredFields, ResourceSchema, links
from schemas.base.fields import Bool, DateTime, FlexEnum, Identifiers, Objects, Strings, Text, WholeNumber
from schemas.base.limits import LINE_LENGTH, MESSAGE_LENGTH, REFERENCES, TARGETS
from schemas.person import InlinePersonSchema


class ReferrerDataSchema(OsdiSchema):
    """Where the person came from to make the outreach."""

    source = Text(max_length=LINE_LENGTH)
    referrer = Text(max_length=LINE_LENGTH)
    website = Text(max_length=LINE_LENGTH)
    url = Text()


class OutreachFieldsSchema(OsdiSchema):
    """The fields of an outreach that a client may set."""

    origin_system = Text(
        max_length=LINE_LENGTH, metadata={"description": "Name of the system in which the outreach was created."}
    )
    action_date = DateTime(metadata={"description": "When the outreach was made: ISO 8601; now, when absent."})
    type = FlexEnum(
        *("email", "in-person", "phone", "postal mail"),
        metadata={"description": "How the person reached out: one of the examples, or another word."},
    )
    duration = WholeNumber(metadata={"description": "Seconds, of a call."})
    subject = Text(max_length=LINE_LENGTH, metadata={"description": "Subject of an e-mail."})
    message = Text(max_length=MESSAGE_LENGTH, metadata={"description": "Text of an e-mail or letter."})
    notes = Text(max_length=MESSAGE_LENGTH, metadata={"description": "What the person noted, such as what was said."})
    referrer_data = ma.fields.Nested(ReferrerDataSchema)
    targets = Objects(TargetSchema, limit=TARGETS, metadata={"description": "Whom the person reached out to."})


class OutreachSchema(OutreachFieldsSchema, ResourceSchema):
    """An outreach as it is answered."""

    rel = "osdi:outreach"
    _links = links("self", "osdi:advocacy_campaign", "osdi:person")


class QuestionResponseSchema(RequiredFields):
    """An answer to a question: `responses` for a choice, `value` for a paragraph."""

    needs = ("question",)

    question = Text(metadata={"description": "Required: the question's URI or identifier."})
    responses = Strings(metadata={"description": "Keys of the question's responses (SingleChoice, MultiChoice)."})
    value = Text(metadata={"description": "Free text (Paragraph)."})


class TriggerSchema(OsdiSchema):
    """One kind of response that the server is asked for."""

    enabled = Bool()
    identifiers = Identifiers()


class TriggersSchema(OsdiSchema):
    """The responses that the server is asked to send to the person."""

    autoresponse = ma.fields.Nested(TriggerSchema)
    sms_response = ma.fields.Nested(TriggerSchema)
    call_response = ma.fields.Nested(TriggerSchema)


class ActionFunctionsSchema(OsdiSchema):
    """The Helper Action Functions, done along with recording the person."""

    add_tags = Strings(limit=REFERENCES, metadata={"description": "Names of existing tags to add to the person."})
    add_tags_uri = Strings(limit=REFERENCES, metadata={"description": "URIs of existing tags to add to the person."})
    add_lists = Strings(limit=REFERENCES, metadata={"description": "Names of existing lists to add the person to."})
    add_lists_uri = Strings(limit=REFERENCES, metadata={"description": "URIs of existing lists to add the person to."})
    add_questions_responses_uri = Objects(QuestionResponseSchema, limit=REFERENCES)
    triggers = ma.fields.Nested(TriggersSchema)


class PersonSignupHelperSchema(ActionFunctionsSchema, PostedSchema):
    """The body of the Person Signup Helper."""

    rel = "osdi:person"
    person = ma.fields.Nested(InlinePersonSchema, metadata={"description": "Who signs up."})

    @ma.validates_schema(skip_on_field_errors=True)
    def names_a_person(self, data: dict[str, object], **_: object) -> None:
        if not data.get("person"):
            raise ma.ValidationError("A person is needed: who signs up?", "person")


class PostedPersonSchema(PersonSignupHelperSchema, InlinePersonSchema):
    """The body of a POST to the people: a person as they are, or the body of the Person Signup Helper."""

    @ma.pre_load
    def put_person_under_their_name(self, data: Any, **_: Any) -> Any:
        if not isinstance(data, dict) or "person" in data:
            return data
        around = {"osdi:control", *ActionFunctionsSchema().fields}
        person = {name: value for name, value in data.items() if name not in around}
        return {"person": person, **{name: value for name, value in data.items() if name in around}}


class PersonLinkSchema(OsdiSchema):
    """A link to a person who is here already."""

    person = ma.fields.Nested(LinkSchema, data_key="osdi:person")


class RecordOutreachHelperSchema(ActionFunctionsSchema, OutreachFieldsSchema, PostedSchema):
    """The body of the Record Outreach Helper; the person is inline or, with a token, linked."""

    rel = "osdi:outreach"
    person = ma.fields.Nested(InlinePersonSchema, metadata={"description": "Who made the outreach."})
    person_link = ma.fields.Nested(PersonLinkSchema, data_key="_links", load_only=True)

    @ma.validates_schema(skip_on_field_errors=True)
    def names_a_person(self, data: dict[str, object], **_: object) -> None:
        link = data.get("person_link")
        if not data.get("person") and not (isinstance(link, dict) and link.get("person", {}).get("href")):
            raise ma.ValidationError("A person is needed: who made this outreach?", "person")
