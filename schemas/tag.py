"""A tag (`tags.md`)."""

from schemas.base.common import RequiredFields, ResourceSchema, links
from schemas.base.fields import Text
from schemas.base.limits import LINE_LENGTH


class TagSchema(ResourceSchema, RequiredFields):
    """A tag, found by its name or its URI."""

    rel = "osdi:tag"
    needs = ("name",)

    origin_system = Text(max_length=LINE_LENGTH)
    name = Text(max_length=LINE_LENGTH, metadata={"description": "Required."})
    description = Text()
    _links = links("self", "osdi:taggings")
