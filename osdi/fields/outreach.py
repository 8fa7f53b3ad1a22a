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
from osdi.fields.limits import MAX_LINE_LENGTH, MAX_MESSAGE_LENGTH, MAX_TARGETS

OUTREACH_TYPES: Final = ("email", "in-person", "phone", "postal mail")

# The offset from UTC in minutes that was posted with `action_date`; mails print the date by it. Not a field of clients.
ACTION_DATE_OFFSET: Final = "action_date_offset"
# Properties that this server records of an outreach, and that clients can only read. The first is true if the message
# of a campaign's page has words of the supporter's own, false if it has none. The second is true if the person is new.
OWN_WORDS: Final = "own_words"
NEW_PERSON: Final = "new_person"

REFERRER_DATA: Final = ObjectType(
    "ReferrerData",
    "The page or link that led the person to the outreach.",
    (
        Text(
            "source",
            MAX_LINE_LENGTH,
            column="source",
            after_erasure="kept if others have it",
            description="Code of the source, such as a newsletter.",
        ),
        Text(
            "referrer",
            MAX_LINE_LENGTH,
            column="referrer",
            after_erasure="kept if others have it",
            description="Person or site that led to the outreach.",
        ),
        Text(
            "website",
            MAX_LINE_LENGTH,
            column="website",
            after_erasure="kept if others have it",
            description="Site on which the outreach was made.",
        ),
        Text("url", column="url", description="Page on which the outreach was made."),
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
        description="Time of the outreach, in ISO 8601. Default: now.",
        differs="Must be an ISO 8601 date and time; the page lists a string.",
        after_erasure="kept",
    ),
    FlexEnum(
        "type",
        OUTREACH_TYPES,
        description="Kind of outreach: one of the examples, or another word.",
        after_erasure="kept if others have it",
    ),
    WholeNumber("duration", description="Duration of a call in seconds.", after_erasure="kept"),
    Text("subject", MAX_LINE_LENGTH, description="Subject of an e-mail."),
    Text("message", MAX_MESSAGE_LENGTH, description="Text of an e-mail or letter."),
    Text("notes", MAX_MESSAGE_LENGTH, description="Notes of the person, such as the answer of the target."),
    Object("referrer_data", REFERRER_DATA, column_per_property=True, description="Origin of the outreach."),
    Objects("targets", TARGET, MAX_TARGETS, row_prefix="target_", description="The targets of the outreach."),
)
