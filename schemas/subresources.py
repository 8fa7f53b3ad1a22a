"""Taggings, items and answers (`taggings.md`, `items.md`, `answers.md`)."""

from collections.abc import Mapping
from typing import Any

import marshmallow as ma

from schemas.base.common import LinkSchema, PostedLinksSchema, ResourceSchema, links
from schemas.base.fields import DateTime, Enum, Strings, Text
from schemas.base.limits import LINE_LENGTH


class PointingSchema(PostedLinksSchema):
    """The link by which a posted entry names its person."""

    person = ma.fields.Nested(LinkSchema, data_key="osdi:person")


class EntrySchema(ResourceSchema):
    """What taggings, items and answers have in common."""

    origin_system = Text(max_length=LINE_LENGTH)
    pointing = ma.fields.Nested(PointingSchema, data_key="_links", load_only=True)

    @ma.validates_schema(skip_on_field_errors=True)
    def names_a_person(self, data: Mapping[str, Any], **_: Any) -> None:
        if not data.get("pointing", {}).get("person", {}).get("href"):
            raise ma.ValidationError({"_links": {"osdi:person": ["A link to the person is needed."]}})


class TaggingSchema(EntrySchema):
    """A tag on a person."""

    rel = "osdi:tagging"
    item_type = Enum("osdi:person", metadata={"description": "What is tagged: people only."})
    _links = links("self", "osdi:tag", "osdi:person")


class ItemSchema(EntrySchema):
    """A person on a list."""

    rel = "osdi:item"
    item_type = Enum("osdi:person", metadata={"description": "What is on the list: people only."})
    _links = links("self", "osdi:list", "osdi:person")


class AnswerSchema(EntrySchema):
    """A person's answer to a question."""

    rel = "osdi:answer"
    action_date = DateTime(metadata={"description": "When the answer was given; now, when absent."})
    value = Text(metadata={"description": "Free text, to a question of type Paragraph."})
    responses = Strings(metadata={"description": "Keys of the question's responses."})
    _links = links("self", "osdi:question", "osdi:person")
