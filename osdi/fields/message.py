"""Fields of a message and of a wrapper (`messages.md`, `wrappers.md`)."""

from typing import Final

from osdi.fields.definition import (
    ORIGIN_SYSTEM,
    Bool,
    DateTime,
    Enum,
    Object,
    Objects,
    ObjectType,
    Table,
    Text,
    WholeNumber,
)
from osdi.fields.limits import MAX_LINE_LENGTH, MAX_MESSAGE_ENTRIES, MAX_MESSAGE_LENGTH

MESSAGE_TYPES: Final = ("email", "sms")
NO_SENDING: Final = "Never present: messages are templates of follow-ups, and there is no mass sending."
NEVER_STORED: Final = "it is never stored, since messages are templates of follow-ups"

MESSAGE_TARGET: Final = ObjectType(
    "MessageTarget",
    "A query or list of people who receive a message.",
    (Text("href", description="Address of the query or list."),),
)
SECTION: Final = ObjectType(
    "Section",
    "A keyword in a reply, and the automatic answer to it.",
    (
        Text("keyword", MAX_LINE_LENGTH, description="Word in the reply."),
        Text("auto_reply", description="Answer that the word gets."),
    ),
)
STATISTICS: Final = ObjectType(
    "Statistics",
    "Delivery statistics of a message, set by the server.",
    tuple(
        WholeNumber(name, read_only=True, description=description)
        for name, description in (
            ("sent", "Mails that were sent."),
            ("delivered", "Mails that arrived."),
            ("opened", "Mails that were opened."),
            ("clicked", "Mails of which a link was followed."),
            ("actions", "Actions that followed."),
            ("forwards", "Mails that were forwarded."),
            ("unsubscribed", "Receivers who unsubscribed."),
            ("bounced", "Mails that were returned."),
            ("failed", "Mails that failed."),
            ("no_route", "Texts without a way to the receiver."),
            ("spam_reports", "Mails that were reported as spam."),
        )
    ),
)

MESSAGE_FIELDS: Final[Table] = (
    ORIGIN_SYSTEM,
    Text("name", MAX_LINE_LENGTH, description="Name of the message, for staff."),
    Text("subject", MAX_LINE_LENGTH, template=True, description="Subject of an e-mail: a template."),
    Text(
        "body",
        MAX_MESSAGE_LENGTH,
        template=True,
        description="Text, or HTML of an e-mail: a template, see docs/follow-ups.md.",
    ),
    Text(
        "from",
        MAX_LINE_LENGTH,
        description="Sender: a mailbox or only a name for an e-mail, a number for a text message.",
    ),
    Text("reply_to", MAX_LINE_LENGTH, description="Mailbox for replies to an e-mail."),
    Text("administrative_url", description="Page about the message for staff."),
    Text("browser_url", description="The message as a page."),
    Enum("type", MESSAGE_TYPES, description="E-mail or text message. Default: e-mail."),
    Objects(
        "targets",
        MESSAGE_TARGET,
        MAX_MESSAGE_ENTRIES,
        description="Lists and queries of receivers. This server sends no mass mails and only stores them.",
    ),
    Objects("sections", SECTION, MAX_MESSAGE_ENTRIES, description="Automatic answers to replies. Only stored."),
    WholeNumber(
        "total_targeted",
        read_only=True,
        not_filtered=NEVER_STORED,
        absent=NO_SENDING,
        description="Number of receivers.",
    ),
    Enum(
        "status",
        ("draft", "calculating", "scheduled", "sending", "stopped", "sent"),
        description="State of a mass mail. Only stored.",
    ),
    DateTime("scheduled_start_date", description="Time at which sending is to begin. Only stored."),
    DateTime("scheduled_end_date", description="Time at which sending is to end. Only stored."),
    DateTime("sent_start_date", description="Time at which sending began. Only stored."),
    DateTime("sent_end_date", description="Time at which sending ended. Only stored."),
    WholeNumber("daily_start_hour", 0, 23, description="First hour of a day for sending. Only stored."),
    WholeNumber("daily_stop_hour", 0, 23, description="Last hour of a day for sending. Only stored."),
    Object(
        "statistics",
        STATISTICS,
        read_only=True,
        not_filtered=NEVER_STORED,
        absent=NO_SENDING,
        description="Delivery statistics.",
    ),
)

WRAPPER_FIELDS: Final[Table] = (
    ORIGIN_SYSTEM,
    Text("name", MAX_LINE_LENGTH, description="Name of the wrapper, for staff."),
    Text("header", MAX_MESSAGE_LENGTH, template=True, description="Text or HTML above a message."),
    Text("footer", MAX_MESSAGE_LENGTH, template=True, description="Text or HTML below a message."),
    Text("administrative_url", description="Page about the wrapper for staff."),
    Enum("wrapper_type", MESSAGE_TYPES, description="Type of the messages that it is for. Default: e-mail."),
    Bool("default", description="True: messages of its type without a wrapper get this one."),
)
