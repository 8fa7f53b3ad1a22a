"""Fields of taggings, items and answers (`taggings.md`, `items.md`, `answers.md`)."""

from typing import Final

from osdi.fields.definition import ORIGIN_SYSTEM, DateTime, Enum, Strings, Table, Text

PERSON_ONLY: Final = ("osdi:person",)
PEOPLE_ONLY: Final = "Always `osdi:person`: only people can be tagged or listed."

TAGGING_FIELDS: Final[Table] = (
    ORIGIN_SYSTEM,
    Enum("item_type", PERSON_ONLY, description="What is tagged: people only.", differs=PEOPLE_ONLY),
)
ITEM_FIELDS: Final[Table] = (
    ORIGIN_SYSTEM,
    Enum("item_type", PERSON_ONLY, description="What is on the list: people only.", differs=PEOPLE_ONLY),
)
ANSWER_FIELDS: Final[Table] = (
    ORIGIN_SYSTEM,
    DateTime(
        "action_date",
        description="When the answer was given; now, when absent.",
        differs="Must be an ISO 8601 date and time; the page lists a string.",
    ),
    Text("value", description="Free text, to a question of type Paragraph."),
    Strings("responses", description="Keys of the question's responses."),
)
