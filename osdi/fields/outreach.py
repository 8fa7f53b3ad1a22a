"""Fields of an outreach (`outreaches.md`)."""

from dataclasses import replace
from typing import Final

from osdi.fields.contacts import TARGET
from osdi.fields.definition import (
    ORIGIN_SYSTEM,
    DateTime,
    FlexEnum,
    Object,
    Objects,
    ObjectType,
    Table,
    Text,
    WholeNumber,
)
from osdi.fields.limits import LINE_LENGTH, MESSAGE_LENGTH, TARGETS

OUTREACH_TYPES: Final = ("email", "in-person", "phone", "postal mail")

REFERRER_DATA: Final = ObjectType(
    "ReferrerData",
    "Where the person came from to make the outreach.",
    (
        Text("source", LINE_LENGTH, column="source", after_erasure="kept if others have it"),
        Text("referrer", LINE_LENGTH, column="referrer", after_erasure="kept if others have it"),
        Text("website", LINE_LENGTH, column="website", after_erasure="kept if others have it"),
        Text("url", column="url"),
    ),
)

OUTREACH_FIELDS: Final[Table] = (
    replace(
        ORIGIN_SYSTEM,
        description="Name of the system in which the outreach was created.",
        after_erasure="kept if others have it",
    ),
    DateTime(
        "action_date",
        description="When the outreach was made: ISO 8601; now, when absent.",
        differs="Must be an ISO 8601 date and time; the page lists a string.",
        after_erasure="kept",
    ),
    FlexEnum(
        "type",
        OUTREACH_TYPES,
        description="How the person reached out: one of the examples, or another word.",
        after_erasure="kept if others have it",
    ),
    WholeNumber("duration", description="Seconds, of a call.", after_erasure="kept"),
    Text("subject", LINE_LENGTH, description="Subject of an e-mail."),
    Text("message", MESSAGE_LENGTH, description="Text of an e-mail or letter."),
    Text("notes", MESSAGE_LENGTH, description="What the person noted, such as what was said."),
    Object("referrer_data", REFERRER_DATA, column_per_property=True),
    Objects("targets", TARGET, TARGETS, row_prefix="target_", description="Whom the person reached out to."),
)
