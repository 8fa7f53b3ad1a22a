"""Fields of a list (`lists.md`)."""

from typing import Final

from osdi.fields.definition import ORIGIN_SYSTEM, Table, Text, WholeNumber
from osdi.fields.limits import LINE_LENGTH

LIST_FIELDS: Final[Table] = (
    ORIGIN_SYSTEM,
    Text("name", LINE_LENGTH, required=True, description="Required."),
    Text("title", LINE_LENGTH),
    Text("description"),
    Text("summary"),
    Text("browser_url"),
    Text("administrative_url"),
    WholeNumber(
        "total_items",
        read_only=True,
        not_filtered="it is counted when a list is read",
        description="Number of people on the list.",
    ),
)
