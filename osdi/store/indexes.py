"""Which indexes there are: every query that serves a route is covered by one, and the unique ones decide races."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from pymongo import ASCENDING, IndexModel, timeout
from pymongo.collection import Collection

from osdi.resources import ADVOCACY_CAMPAIGN, ENTRIES, LIST, MESSAGE, OUTREACH, PERSON, QUESTION, TAG, WRAPPER

# Those of a million documents take longer to build than any answer may.
SECONDS: Final = 3_600
PARTIAL: Final = "partialFilterExpression"
EXPIRES: Final = "expireAfterSeconds"
TOKENS: Final = "tokens"
WEBHOOKS: Final = "webhooks"
# People who were merged away, erasures that are not over yet, and what tells that somebody was erased.
MERGED_PEOPLE: Final = "merged_people"
ERASURES: Final = "erasures"
TOMBSTONES: Final = "tombstones"
MERGED_KEPT_SECONDS: Final = 30 * 24 * 60 * 60
STATISTICS: Final = "statistics"
INVALIDATIONS: Final = "statistics_invalidations"


@dataclass(frozen=True)
class Index:
    """An index to have: its fields, ascending, whether it is unique, and the field without which nothing is in it.

    A sparse one holds only documents that have one of its fields, and serves any query that asks for a value of it.
    Documents whose date in the one field is so many seconds ago are deleted by the database itself.
    """

    fields: tuple[str, ...]
    unique: bool = False
    only_with: str | None = None
    sparse: bool = False
    expires_seconds: int | None = None

    @property
    def partial(self) -> dict[str, Any] | None:
        """What a document has to be like to be in it."""
        return {self.only_with: {"$exists": True}} if self.only_with else None

    def is_as(self, found: Mapping[str, Any]) -> bool:
        """Whether an index that the server describes so, by the fields that it has, is like this one."""
        same = bool(found.get("unique")) == self.unique and bool(found.get("sparse")) == self.sparse
        return same and (found.get(PARTIAL), found.get(EXPIRES)) == (self.partial, self.expires_seconds)

    @property
    def model(self) -> IndexModel:
        """The index as the driver creates it."""
        options: dict[str, Any] = {"unique": True} if self.unique else {}
        if self.sparse:
            options["sparse"] = True
        if self.partial:
            options[PARTIAL] = self.partial
        if self.expires_seconds is not None:
            options[EXPIRES] = self.expires_seconds
        return IndexModel([(field, ASCENDING) for field in self.fields], **options)


MATCH_KEYS: Final = Index(("match_keys",), unique=True)
# What waits for webhooks: only documents that have some are in it.
UNTOLD: Final = Index(("webhook_events.webhook_id", "_id"), only_with="webhook_events.webhook_id")
# Only what a token of somebody known has changed is in it.
MODIFIED_BY: Final = Index(("modified_by_id",), sparse=True)
DATES: Final = (Index(("modified_date", "_id")), Index(("created_date", "_id")))
INDEXES: Final[Mapping[str, tuple[Index, ...]]] = {
    PERSON.collection: (
        MATCH_KEYS,
        Index(("contact_keys",)),
        # Who may be somebody else: in the order of their ids, and by what they share.
        Index(("maybe_duplicate", "_id"), only_with="maybe_duplicate"),
        Index(("unclaimed_keys", "_id"), only_with="unclaimed_keys"),
        Index(("merged_ids",), sparse=True),
        # Whoever has a value in the first field is in the index, so that a query for one needs to say no more, and is
        # counted on the index alone.
        *(
            Index(fields, only_with=fields[0])
            for array, pointer in ((entry.collection, field) for entry, (_, field) in ENTRIES.items())
            for fields in ((f"{array}.{pointer}", "_id"), (f"{array}._id",))
        ),
        UNTOLD,
        MODIFIED_BY,
        *DATES,
    ),
    OUTREACH.collection: (
        MATCH_KEYS,
        Index(("advocacy_campaign_id", "_id")),
        Index(("person_id", "_id")),
        # By day; and who made them, so that people are counted by the index alone.
        Index(("advocacy_campaign_id", "action_date", "person_id", "_id")),
        Index(("followups.state", "followups.not_before"), sparse=True),
        UNTOLD,
        MODIFIED_BY,
        *DATES,
    ),
    ADVOCACY_CAMPAIGN.collection: (MATCH_KEYS,),
    TAG.collection: (MATCH_KEYS,),
    LIST.collection: (MATCH_KEYS,),
    QUESTION.collection: (MATCH_KEYS,),
    MESSAGE.collection: (MATCH_KEYS, Index(("wrapper_id",), sparse=True)),
    WRAPPER.collection: (MATCH_KEYS, Index(("default", "wrapper_type", "modified_date", "_id"), only_with="default")),
    MERGED_PEOPLE: (
        Index(("merged_date",), expires_seconds=MERGED_KEPT_SECONDS),
        Index(("survivor_id",)),
        Index(("pending",), sparse=True),
        Index(("person.match_keys",), only_with="pending"),
    ),
    TOKENS: (Index(("hash",), unique=True),),
    WEBHOOKS: (Index(("enabled", "not_before")),),
    ERASURES: (Index(("erased_date",)),),
    STATISTICS: (Index(("advocacy_campaign_id", "kind", "start")),),
    INVALIDATIONS: (Index(("advocacy_campaign_id", "_id")),),
}


def create(collection: Collection[dict[str, Any]], declared: Sequence[Index]) -> list[str]:
    """Create those that are missing, together, so that the documents are read once; returns the names of all.

    The server keeps one that is there as it is: one that an earlier version declared otherwise is dropped first.
    """
    models = [index.model for index in declared]
    there = collection.index_information()
    for index, name in zip(declared, (model.document["name"] for model in models), strict=True):
        if name in there and not index.is_as(there[name]):
            collection.drop_index(name)
    with timeout(SECONDS):  # not around the above, which would wait as long for a database that is away
        return collection.create_indexes(models)
