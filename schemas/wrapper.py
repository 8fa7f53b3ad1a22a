"""A wrapper (`wrappers.md`): header and footer of messages. Its fields are in osdi.fields.message."""

from osdi.fields.message import WRAPPER_FIELDS
from schemas.base.common import ResourceSchema, links


class WrapperSchema(ResourceSchema):
    """A header and a footer around messages."""

    rel = "osdi:wrapper"
    table = WRAPPER_FIELDS
    _links = links("self")
