"""A campaign's triggers: the messages of its follow-ups. An empty array has a meaning: it removes the default."""

from typing import Any, Final

import marshmallow as ma

from osdi.fields.limits import MAX_IDENTIFIER_LENGTH, MAX_IDENTIFIERS, MAX_LINE_LENGTH
from schemas.base.common import STRICT, links
from schemas.base.fields import Bool

KINDS: Final = ("autoresponse", "sms_response", "call_response")


def _reject_unknown_fields(original: dict[str, Any], known: Any) -> None:
    unknown = [name for name in original if name not in known] if STRICT.get() else []
    if unknown:
        raise ma.ValidationError({name[:MAX_LINE_LENGTH]: ["Unknown field."] for name in unknown})


class CampaignTriggerSchema(ma.Schema):
    """The messages of one kind of follow-up."""

    class Meta:
        unknown = ma.EXCLUDE

    identifiers = ma.fields.List(
        ma.fields.String(validate=ma.validate.Length(1, MAX_IDENTIFIER_LENGTH)),
        required=True,
        validate=ma.validate.Length(max=MAX_IDENTIFIERS),
        metadata={
            "description": "Identifiers of messages: the first that exists is the default for posts that name none."
        },
    )

    @ma.validates_schema(pass_original=True)
    def has_no_unknown_fields(self, _: Any, original: Any, **__: Any) -> None:
        _reject_unknown_fields(original, self.fields)


class AutoresponseSchema(CampaignTriggerSchema):
    """The messages of a campaign's mails."""

    every_outreach = Bool(
        metadata={
            "description": "True: every outreach gets the mail, also if its post has no `triggers`. Default: false."
            " A post that disables its `autoresponse` gets none, and the sending limits apply."
        }
    )


class CampaignTriggersSchema(ma.Schema):
    """A campaign's messages for each kind of follow-up."""

    class Meta:
        unknown = ma.EXCLUDE

    autoresponse = ma.fields.Nested(
        AutoresponseSchema, allow_none=True, metadata={"description": "Message that supporters get by e-mail."}
    )
    sms_response = ma.fields.Nested(
        CampaignTriggerSchema, allow_none=True, metadata={"description": "Message that supporters get as a text."}
    )
    call_response = ma.fields.Nested(
        CampaignTriggerSchema, allow_none=True, metadata={"description": "Message that supporters get in a call."}
    )
    _links = links("self", "osdi:advocacy_campaign")

    @ma.validates_schema(pass_original=True)
    def has_no_unknown_fields(self, _: Any, original: Any, **__: Any) -> None:
        _reject_unknown_fields(original, self.fields)


def as_put(body: dict[str, Any]) -> dict[str, Any]:
    """Returns a loaded body in the form of PutSchema; null removes the messages of a kind."""
    return {
        "fields": {"triggers": {kind: body[kind] for kind in KINDS if body.get(kind)}},
        "cleared": tuple(f"triggers.{kind}" for kind in KINDS if kind in body and body[kind] is None),
        "control": {},
    }
