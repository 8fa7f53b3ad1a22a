"""Fields of a tag (`tags.md`)."""

from typing import Final

from osdi.fields.definition import ORIGIN_SYSTEM, Table, Text
from osdi.fields.limits import MAX_LINE_LENGTH

TAG_FIELDS: Final[Table] = (
    ORIGIN_SYSTEM,
    Text("name", MAX_LINE_LENGTH, required=True, description="Required."),
    Text("description", description="Meaning of the tag."),
)
