"""A wrapper (`wrappers.md`): what stands around the bodies of messages."""

from schemas.base.common import ResourceSchema, links
from schemas.base.fields import Bool, Enum, Text
from schemas.base.limits import LINE_LENGTH, MESSAGE_LENGTH


class WrapperSchema(ResourceSchema):
    """A header and a footer around messages."""

    rel = "osdi:wrapper"
    origin_system = Text(max_length=LINE_LENGTH)
    name = Text(max_length=LINE_LENGTH)
    header = Text(max_length=MESSAGE_LENGTH, metadata={"description": "What stands above a message: text or HTML."})
    footer = Text(max_length=MESSAGE_LENGTH, metadata={"description": "What stands below a message: text or HTML."})
    administrative_url = Text()
    wrapper_type = Enum("email", "sms", metadata={"description": "Of which messages it is; of e-mails, when absent."})
    default = Bool(metadata={"description": "Whether messages of its type that have no wrapper get this one."})
    _links = links("self")
