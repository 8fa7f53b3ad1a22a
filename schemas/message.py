"""A message (`messages.md`): the template of a follow-up e-mail or text message. There is no mass sending.

The fields are in osdi.fields.message.
"""

import marshmallow as ma

from osdi.fields.limits import MAX_CURSOR_LENGTH
from osdi.fields.message import MESSAGE_FIELDS
from schemas.base.collection import QuerySchema
from schemas.base.common import (
    LinkSchema,
    OsdiSchema,
    PostedLinks,
    PostedLinksSchema,
    RequiredFields,
    ResourceSchema,
    links,
)
from schemas.base.fields import Text


class WrapperLinkSchema(LinkSchema, RequiredFields):
    """The link to a wrapper."""

    needs = ("href",)


class MessageLinksSchema(PostedLinksSchema):
    """The link from a message to its wrapper."""

    wrapper = ma.fields.Nested(WrapperLinkSchema, data_key="osdi:wrapper")


class MessageSchema(ResourceSchema):
    """The template of an e-mail or text message."""

    rel = "osdi:message"
    table = MESSAGE_FIELDS
    pointing = PostedLinks(MessageLinksSchema)
    _links = links(
        "self",
        "osdi:wrapper",
        description="HAL links. A body can set `osdi:wrapper`; null in a PUT removes it.",
        read_only=False,
    )


class PreviewArgumentsSchema(QuerySchema):
    """The outreach for the preview of a message."""

    outreach = ma.fields.String(
        validate=ma.validate.Length(1, MAX_CURSOR_LENGTH),
        metadata={"description": "Id of an outreach. Default: made-up example data."},
    )


class PreviewSchema(OsdiSchema):
    """A message as it would be sent."""

    subject = Text(metadata={"description": "Subject of the mail."})
    html = Text(metadata={"description": "The HTML part of an e-mail."})
    text = Text(metadata={"description": "The text part of an e-mail, or the text message."})
    from_ = Text(data_key="from", attribute="from", metadata={"description": "Sender of the message."})
    reply_to = Text(metadata={"description": "Mailbox for replies."})
    _links = links("self", "osdi:message")
