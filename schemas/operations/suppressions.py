"""The entries of the suppression list for one person."""

from typing import Final

import marshmallow as ma

from schemas.base.common import OsdiSchema, links
from schemas.base.fields import DateTime

WHAT: Final = ("mail", "calls", "texts")
SOURCES: Final = ("link", "one_click", "api", "file", "pull", "bounce", "complaint", "migration")
SOURCE: Final = {
    "enum": list(SOURCES),
    "description": "The link in a mail, one click in a mail program, a request with a token, an imported file, an"
    " import from a server, a mail server, a spam complaint, or the migration that made the list.",
}


class OptOutSchema(OsdiSchema):
    """An opt-out that holds."""

    since = DateTime(metadata={"description": "Time at which the opt-out was recorded."})
    repeated = DateTime(metadata={"description": "The last time at which the reader of a mail has unsubscribed again."})
    source = ma.fields.String(metadata=SOURCE)


class OptOutsSchema(OsdiSchema):
    """The opt-outs that hold; {} if all were lifted."""

    mail = ma.fields.Nested(OptOutSchema)
    calls = ma.fields.Nested(OptOutSchema)
    texts = ma.fields.Nested(OptOutSchema)


class SuppressionChangeSchema(OsdiSchema):
    """An opt-out that was added or lifted."""

    what = ma.fields.String(metadata={"description": "Kind of contact.", "enum": list(WHAT)})
    change = ma.fields.String(metadata={"description": "What was recorded.", "enum": ["refused", "lifted"]})
    date = DateTime(metadata={"description": "Time of the change."})
    source = ma.fields.String(metadata=SOURCE)


class SuppressionSchema(OsdiSchema):
    """The entry of one address or number."""

    address = ma.fields.String(metadata={"description": "The e-mail address, if the entry is about one."})
    number = ma.fields.String(metadata={"description": "The phone number, if the entry is about one."})
    refused = ma.fields.Nested(OptOutsSchema)
    history = ma.fields.List(
        ma.fields.Nested(SuppressionChangeSchema), metadata={"description": "The latest 20 changes, the oldest first."}
    )


class SuppressionsSchema(OsdiSchema):
    """The entries for a person's addresses and numbers; those that never opted out have none."""

    suppressions = ma.fields.List(ma.fields.Nested(SuppressionSchema), metadata={"description": "The entries."})
    _links = links("self", "osdi:person")
