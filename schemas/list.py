"""A list (`lists.md`)."""

from schemas.base.common import RequiredFields, ResourceSchema, links
from schemas.base.fields import Text, WholeNumber
from schemas.base.limits import LINE_LENGTH


class ListSchema(ResourceSchema, RequiredFields):
    """A list of people, found by its name or its URI."""

    rel = "osdi:list"
    needs = ("name",)

    origin_system = Text(max_length=LINE_LENGTH)
    name = Text(max_length=LINE_LENGTH, metadata={"description": "Required."})
    title = Text(max_length=LINE_LENGTH)
    description = Text()
    summary = Text()
    browser_url = Text()
    administrative_url = Text()
    total_items = WholeNumber(dump_only=True, metadata={"description": "How many people are on the list."})
    _links = links("self", "osdi:items")
