"""A message (`messages.md`): the template of a follow-up mail or text. Messages are not sent to many from here."""

import marshmallow as ma

from schemas.base.collection import QuerySchema
from schemas.base.common import LinkSchema, OsdiSchema, PostedLinksSchema, RequiredFields, ResourceSchema, links
from schemas.base.fields import DateTime, Enum, Objects, Text, WholeNumber
from schemas.base.limits import CURSOR_LENGTH, LINE_LENGTH, MESSAGE_ENTRIES, MESSAGE_LENGTH


class MessageTargetSchema(OsdiSchema):
    """A query or list of people for whom a message is meant."""

    href = Text()


class SectionSchema(OsdiSchema):
    """A keyword in a reply, and what is answered to it."""

    keyword = Text(max_length=LINE_LENGTH)
    auto_reply = Text()


class StatisticsSchema(OsdiSchema):
    """How a message was received: set by the server."""

    sent = WholeNumber(dump_only=True)
    delivered = WholeNumber(dump_only=True)
    opened = WholeNumber(dump_only=True)
    clicked = WholeNumber(dump_only=True)
    actions = WholeNumber(dump_only=True)
    forwards = WholeNumber(dump_only=True)
    unsubscribed = WholeNumber(dump_only=True)
    bounced = WholeNumber(dump_only=True)
    failed = WholeNumber(dump_only=True)
    no_route = WholeNumber(dump_only=True)
    spam_reports = WholeNumber(dump_only=True)


class WrapperLinkSchema(LinkSchema, RequiredFields):
    """The link to a wrapper."""

    needs = ("href",)


class MessageLinksSchema(PostedLinksSchema):
    """The link by which a message names its wrapper."""

    wrapper = ma.fields.Nested(WrapperLinkSchema, data_key="osdi:wrapper")


class MessageSchema(ResourceSchema):
    """The template of an e-mail or text message."""

    rel = "osdi:message"
    origin_system = Text(max_length=LINE_LENGTH)
    name = Text(max_length=LINE_LENGTH)
    subject = Text(max_length=LINE_LENGTH, metadata={"description": "Subject of an e-mail: a template."})
    body = Text(
        max_length=MESSAGE_LENGTH,
        metadata={"description": "Text, or HTML of an e-mail: a template, see docs/follow-ups.md."},
    )
    from_ = Text(
        data_key="from",
        attribute="from",
        max_length=LINE_LENGTH,
        metadata={"description": "Whom an e-mail is from: a mailbox, or a name alone; or a text's number."},
    )
    reply_to = Text(max_length=LINE_LENGTH, metadata={"description": "The mailbox that answers to an e-mail go to."})
    administrative_url = Text()
    browser_url = Text()
    type = Enum("email", "sms")
    targets = Objects(MessageTargetSchema, limit=MESSAGE_ENTRIES)
    sections = Objects(SectionSchema, limit=MESSAGE_ENTRIES)
    total_targeted = WholeNumber(dump_only=True)
    status = Enum("draft", "calculating", "scheduled", "sending", "stopped", "sent")
    scheduled_start_date = DateTime()
    scheduled_end_date = DateTime()
    sent_start_date = DateTime()
    sent_end_date = DateTime()
    daily_start_hour = WholeNumber(maximum=23)
    daily_stop_hour = WholeNumber(maximum=23)
    statistics = ma.fields.Nested(StatisticsSchema, dump_only=True)
    pointing = ma.fields.Nested(MessageLinksSchema, data_key="_links", load_only=True)
    _links = links(
        *("self", "osdi:wrapper"),
        description="Links, as HAL has them. A body may name `osdi:wrapper`; null in a PUT takes it away.",
        read_only=False,
    )


class PreviewArgumentsSchema(QuerySchema):
    """For which outreach a message is filled in."""

    outreach = ma.fields.String(
        validate=ma.validate.Length(1, CURSOR_LENGTH),
        metadata={"description": "Id of an outreach; somebody who is not there, when absent."},
    )


class PreviewSchema(OsdiSchema):
    """A message as it would be sent."""

    subject = Text()
    html = Text(metadata={"description": "The HTML part of an e-mail."})
    text = Text(metadata={"description": "The text part of an e-mail, or the text message."})
    from_ = Text(data_key="from", attribute="from")
    reply_to = Text()
    _links = links("self", "osdi:message")
