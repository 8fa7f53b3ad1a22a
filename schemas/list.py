"""A list (`lists.md`); its fields are in osdi.fields.list."""

from osdi.fields.definition import required
from osdi.fields.list import LIST_FIELDS
from schemas.base.common import RequiredFields, ResourceSchema, links


class ListSchema(ResourceSchema, RequiredFields):
    """A list of people. Action functions find it by its name or its URI."""

    rel = "osdi:list"
    table = LIST_FIELDS
    needs = required(LIST_FIELDS)
    _links = links("self", "osdi:items")
