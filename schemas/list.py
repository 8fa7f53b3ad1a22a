"""A list (`lists.md`)."""

from schemas.common import RequiredFields, ResourceSchema, links
from schemas.fields import LINE_LENGTH, Text


class ListSchema(ResourceSchema, RequiredFields):
    """A list of people, found by its name or its URI."""

    needs = ("name",)

    origin_system = Text(max_length=LINE_LENGTH)
    name = Text(max_length=LINE_LENGTH, metadata={"description": "Required."})
    title = Text(max_length=LINE_LENGTH)
    description = Text()
    summary = Text()
    browser_url = Text()
    administrative_url = Text()
    _links = links("self")
