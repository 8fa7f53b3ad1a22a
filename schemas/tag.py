"""A tag (`tags.md`); its fields are in osdi.fields.tag."""

from osdi.fields.definition import required
from osdi.fields.tag import TAG_FIELDS
from schemas.base.common import RequiredFields, ResourceSchema, links


class TagSchema(ResourceSchema, RequiredFields):
    """A tag. Action functions find it by its name or its URI."""

    rel = "osdi:tag"
    table = TAG_FIELDS
    needs = required(TAG_FIELDS)
    _links = links("self", "osdi:taggings")
