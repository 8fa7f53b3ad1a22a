"""The feed of deletions."""

from typing import Final

import marshmallow as ma

from osdi.fields.limits import MAX_PAGE_NUMBER
from osdi.fields.webhook import DELETION_EVENTS
from schemas.base.collection import QuerySchema
from schemas.base.common import OsdiSchema, links
from schemas.base.fields import DateTime

# An id, or its first 48 bits, which are a time.
CURSOR: Final = r"[0-9a-f]{8}-[0-9a-f]{4}(-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})?\Z"


class DeletionsArgumentsSchema(QuerySchema):
    """Arguments for a page of deletions. With both `since` and `after`, the later one decides."""

    since = DateTime(metadata={"description": "Only deletions at this time or later. Without it: the oldest kept one."})
    after = ma.fields.String(
        validate=ma.validate.Regexp(CURSOR, error="Not a cursor of this feed."),
        metadata={"description": "The `cursor` of a response: only deletions behind it."},
    )
    per_page = ma.fields.Integer(
        validate=ma.validate.Range(1, MAX_PAGE_NUMBER),
        metadata={"description": "Deletions on a page; at most the entry point's max_pagesize."},
    )


class DeletionSchema(OsdiSchema):
    """The record of something that was deleted. It holds ids only."""

    identifiers = ma.fields.List(
        ma.fields.String(),
        metadata={
            "description": "Own identifiers of this server: first that of what was deleted, then those of"
            " people who had been merged into it.",
        },
    )
    event = ma.fields.String(
        metadata={
            "description": "Kind of the deletion, the name of the webhook event. `advocacy_campaign_deleted` stands"
            " for all outreaches of the campaign.",
            "enum": list(DELETION_EVENTS),
        }
    )
    deleted_date = DateTime(metadata={"description": "Time of the deletion."})
    _links = links(
        "osdi:person",
        "osdi:outreach",
        "osdi:advocacy_campaign",
        description="The address of what was deleted, the campaign of an outreach, and after a merge the `survivor`, in"
        " the deployment's namespace.",
    )


class DeletionsSchema(OsdiSchema):
    """Deletions, the oldest first. A page may have fewer than `per_page`, or none, though there is a `next` link."""

    per_page = ma.fields.Integer(metadata={"description": "Most deletions on a page."})
    cursor = ma.fields.String(
        metadata={"description": "The place behind this page. Keep it, and send it as `after` to get later deletions."}
    )
    deletions = ma.fields.List(ma.fields.Nested(DeletionSchema), metadata={"description": "The deletions."})
    _links = links("self", "next")
