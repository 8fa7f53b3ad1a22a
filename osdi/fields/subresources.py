"""Fields of taggings, items and answers (`taggings.md`, `items.md`, `answers.md`)."""

from typing import Final

from osdi.fields.definition import ORIGIN_SYSTEM, DateTime, Enum, Strings, Table, Text

PERSON_ONLY: Final = ("osdi:person",)
PEOPLE_ONLY: Final = "Always `osdi:person`: only people can be tagged or listed."

TAGGING_FIELDS: Final[Table] = (
    ORIGIN_SYSTEM,
    Enum("item_type", PERSON_ONLY, description="Type of the tagged resource: only people.", differs=PEOPLE_ONLY),
)
ITEM_FIELDS: Final[Table] = (
    ORIGIN_SYSTEM,
    Enum("item_type", PERSON_ONLY, description="Type of the listed resource: only people.", differs=PEOPLE_ONLY),
)
ANSWER_FIELDS: Final[Table] = (
    ORIGIN_SYSTEM,
    DateTime(
        "action_date",
        description="Time of the answer. Default: now.",
        differs="Must be an ISO 8601 date and time; the page lists a string.",
    ),
    Text("value", description="Free text, to a question of type Paragraph."),
    Strings("responses", description="Keys of the question's responses."),
)
