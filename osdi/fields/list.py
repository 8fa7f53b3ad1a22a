"""Fields of a list (`lists.md`)."""

from typing import Final

from osdi.fields.definition import ORIGIN_SYSTEM, Table, Text, WholeNumber
from osdi.fields.limits import MAX_LINE_LENGTH

LIST_FIELDS: Final[Table] = (
    ORIGIN_SYSTEM,
    Text("name", MAX_LINE_LENGTH, required=True, description="Required."),
    Text("title", MAX_LINE_LENGTH, description="Title for readers."),
    Text("description", description="Purpose of the list, for readers."),
    Text("summary", description="Short description."),
    Text("browser_url", description="Page about the list for readers."),
    Text("administrative_url", description="Page about the list for staff."),
    WholeNumber(
        "total_items",
        read_only=True,
        not_filtered="it is counted when a list is read",
        description="Number of people on the list.",
    ),
)
