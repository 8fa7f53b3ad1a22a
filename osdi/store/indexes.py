"""Which indexes there are: every query that serves a route is covered by one, and the unique ones decide races."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from osdi.resources import ADVOCACY_CAMPAIGN, ENTRIES, LIST, MESSAGE, OUTREACH, PERSON, QUESTION, TAG, WRAPPER

TOKENS: Final = "tokens"
WEBHOOKS: Final = "webhooks"


@dataclass(frozen=True)
class Index:
    """An index to have: its fields, ascending, whether it is unique, and the field without which nothing is in it.

    A sparse one holds only documents that have one of its fields, and serves any query that asks for a value of it.
    """

    fields: tuple[str, ...]
    unique: bool = False
    only_with: str | None = None
    sparse: bool = False


MATCH_KEYS: Final = Index(("match_keys",), unique=True)
# What waits for webhooks: only documents that have some are in it.
UNTOLD: Final = Index(("webhook_events.webhook_id", "_id"), only_with="webhook_events.webhook_id")
DATES: Final = (Index(("modified_date", "_id")), Index(("created_date", "_id")))
INDEXES: Final[Mapping[str, tuple[Index, ...]]] = {
    PERSON.collection: (
        MATCH_KEYS,
        Index(("contact_keys",)),
        *(
            Index(fields, only_with=f"{array}._id")
            for array, pointer in ((entry.collection, field) for entry, (_, field) in ENTRIES.items())
            for fields in ((f"{array}.{pointer}", "_id"), (f"{array}._id",))
        ),
        UNTOLD,
        *DATES,
    ),
    OUTREACH.collection: (
        MATCH_KEYS,
        Index(("advocacy_campaign_id", "_id")),
        Index(("person_id", "_id")),
        Index(("followups.state", "followups.not_before"), sparse=True),
        UNTOLD,
        *DATES,
    ),
    ADVOCACY_CAMPAIGN.collection: (MATCH_KEYS,),
    TAG.collection: (MATCH_KEYS,),
    LIST.collection: (MATCH_KEYS,),
    QUESTION.collection: (MATCH_KEYS,),
    MESSAGE.collection: (MATCH_KEYS, Index(("wrapper_id",), sparse=True)),
    WRAPPER.collection: (MATCH_KEYS, Index(("default", "wrapper_type", "modified_date", "_id"), only_with="default")),
    TOKENS: (Index(("hash",), unique=True),),
    WEBHOOKS: (Index(("enabled", "not_before")),),
}
