"""Taggings, items and answers (`taggings.md`, `items.md`, `answers.md`).

Their fields are in osdi.fields.subresources.
"""

from collections.abc import Mapping
from typing import Any, ClassVar, Final

import marshmallow as ma

from osdi.fields.definition import ORIGIN_SYSTEM, Table
from osdi.fields.subresources import ANSWER_FIELDS, ITEM_FIELDS, TAGGING_FIELDS
from schemas.base.common import LinkSchema, PostedLinks, PostedLinksSchema, ResourceSchema, links

SET_BY_POST: Final = "HAL links. The body of a POST must have `osdi:person`; a PUT changes no link."


class PointingSchema(PostedLinksSchema):
    """The link from a posted entry to its person."""

    person = ma.fields.Nested(LinkSchema, data_key="osdi:person")


class EntrySchema(ResourceSchema):
    """Base of taggings, items and answers."""

    table: ClassVar[Table] = (ORIGIN_SYSTEM,)
    pointing = PostedLinks(PointingSchema)

    @ma.validates_schema(skip_on_field_errors=True)
    def names_a_person(self, data: Mapping[str, Any], **_: Any) -> None:
        if not data.get("pointing", {}).get("person", {}).get("href"):
            raise ma.ValidationError({"_links": {"osdi:person": ["A link to the person is needed."]}})


class TaggingSchema(EntrySchema):
    """A tag on a person."""

    rel = "osdi:tagging"
    table = TAGGING_FIELDS
    _links = links("self", "osdi:tag", "osdi:person", description=SET_BY_POST, read_only=False)


class ItemSchema(EntrySchema):
    """A person on a list."""

    rel = "osdi:item"
    table = ITEM_FIELDS
    _links = links("self", "osdi:list", "osdi:person", description=SET_BY_POST, read_only=False)


class AnswerSchema(EntrySchema):
    """A person's answer to a question."""

    rel = "osdi:answer"
    table = ANSWER_FIELDS
    _links = links("self", "osdi:question", "osdi:person", description=SET_BY_POST, read_only=False)
