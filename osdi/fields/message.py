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
from osdi.fields.limits import LINE_LENGTH, MESSAGE_ENTRIES, MESSAGE_LENGTH

MESSAGE_TYPES: Final = ("email", "sms")
NO_SENDING: Final = "Never present: messages are templates of follow-ups, and there is no mass sending."
NEVER_STORED: Final = "it is never stored, since messages are templates of follow-ups"

MESSAGE_TARGET: Final = ObjectType("MessageTarget", "A query or list of people who receive a message.", (Text("href"),))
SECTION: Final = ObjectType(
    "Section",
    "A keyword in a reply, and the automatic answer to it.",
    (Text("keyword", LINE_LENGTH), Text("auto_reply")),
)
STATISTICS: Final = ObjectType(
    "Statistics",
    "Delivery statistics of a message, set by the server.",
    tuple(
        WholeNumber(name, read_only=True)
        for name in (
            "sent",
            "delivered",
            "opened",
            "clicked",
            "actions",
            "forwards",
            "unsubscribed",
            "bounced",
            "failed",
            "no_route",
            "spam_reports",
        )
    ),
)

MESSAGE_FIELDS: Final[Table] = (
    ORIGIN_SYSTEM,
    Text("name", LINE_LENGTH),
    Text("subject", LINE_LENGTH, template=True, description="Subject of an e-mail: a template."),
    Text(
        "body",
        MESSAGE_LENGTH,
        template=True,
        description="Text, or HTML of an e-mail: a template, see docs/follow-ups.md.",
    ),
    Text(
        "from",
        LINE_LENGTH,
        description="Sender: a mailbox or only a name for an e-mail, a number for a text message.",
    ),
    Text("reply_to", LINE_LENGTH, description="Mailbox for replies to an e-mail."),
    Text("administrative_url"),
    Text("browser_url"),
    Enum("type", MESSAGE_TYPES),
    Objects("targets", MESSAGE_TARGET, MESSAGE_ENTRIES),
    Objects("sections", SECTION, MESSAGE_ENTRIES),
    WholeNumber("total_targeted", read_only=True, not_filtered=NEVER_STORED, absent=NO_SENDING),
    Enum("status", ("draft", "calculating", "scheduled", "sending", "stopped", "sent")),
    DateTime("scheduled_start_date"),
    DateTime("scheduled_end_date"),
    DateTime("sent_start_date"),
    DateTime("sent_end_date"),
    WholeNumber("daily_start_hour", 0, 23),
    WholeNumber("daily_stop_hour", 0, 23),
    Object("statistics", STATISTICS, read_only=True, not_filtered=NEVER_STORED, absent=NO_SENDING),
)

WRAPPER_FIELDS: Final[Table] = (
    ORIGIN_SYSTEM,
    Text("name", LINE_LENGTH),
    Text("header", MESSAGE_LENGTH, template=True, description="Text or HTML above a message."),
    Text("footer", MESSAGE_LENGTH, template=True, description="Text or HTML below a message."),
    Text("administrative_url"),
    Enum("wrapper_type", MESSAGE_TYPES, description="Type of the messages that it is for. Default: e-mail."),
    Bool("default", description="True: messages of its type without a wrapper get this one."),
)
