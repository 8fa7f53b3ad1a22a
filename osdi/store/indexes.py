"""The declared indexes: one serves each query of a route, and the unique ones decide races."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from pymongo import ASCENDING, IndexModel, timeout
from pymongo.collection import Collection
from pymongo.errors import DuplicateKeyError

from osdi.errors import ErrorDescription, OsdiError
from osdi.fields.outreach import NEW_PERSON, OWN_WORDS
from osdi.resources import ADVOCACY_CAMPAIGN, DELETION, ENTRIES, LIST, MESSAGE, OUTREACH, PERSON, QUESTION, TAG, WRAPPER

# Indexes of a million documents take longer to build than a response may.
BUILD_SECONDS: Final = 3_600
PARTIAL: Final = "partialFilterExpression"
EXPIRES: Final = "expireAfterSeconds"
TOKENS: Final = "tokens"
WEBHOOKS: Final = "webhooks"
# People who were merged away, deletions and erasures that are not finished, and digests of erased people's keys.
MERGED_PEOPLE: Final = "merged_people"
DELETIONS: Final = "deletions"
ERASURES: Final = "erasures"
TOMBSTONES: Final = "tombstones"
# Records of deletions are published for this long, and removed an hour later: so none is missing behind a valid cursor.
DELETIONS_KEPT_SECONDS: Final = 90 * 24 * 60 * 60
DELETIONS_REMOVED_SECONDS: Final = DELETIONS_KEPT_SECONDS + 60 * 60
SUPPRESSIONS: Final = "suppressions"
# Which follow-up a mailbox gets from a campaign in an interval.
MAILBOX_INTERVALS: Final = "mailbox_intervals"
# Pairs of people who look alike and are not the same.
DUPLICATE_EXCEPTIONS: Final = "duplicate_exceptions"
MERGED_KEPT_SECONDS: Final = 30 * 24 * 60 * 60
STATISTICS: Final = "statistics"
SIGNING_KEYS: Final = "signing_keys"
INVALIDATIONS: Final = "statistics_invalidations"
# The names of people's custom fields, which are counted ahead.
CUSTOM_NAMES: Final = "custom_field_names"
# People who work with the staff pages, their sessions, the links by which they sign in, and the audit log.
STAFF: Final = "staff"
STAFF_SESSIONS: Final = "staff_sessions"
STAFF_LINKS: Final = "staff_links"
STAFF_EVENTS: Final = "staff_events"
# An ended link is kept for a day, so that the page can say that it has ended.
LINK_KEPT_SECONDS: Final = 24 * 60 * 60
# Imports of uploaded files, the parts of these files, and what members have exported.
IMPORT_JOBS: Final = "import_jobs"
IMPORT_PARTS: Final = "import_parts"
EXPORTS: Final = "exports"
# The tables by which a campaign's page finds targets (see osdi.campaign_pages.postal_codes).
POSTAL_CODES: Final = "postal_codes"
# The sites that frame the form of a campaign (see osdi.campaign_pages.embedding).
EMBEDDING_SITES: Final = "embedding_sites"
SITE_KEPT_SECONDS: Final = 30 * 24 * 60 * 60


@dataclass(frozen=True)
class Index:
    """A declared index: its fields, all ascending, and its options.

    With `only_with` it holds the documents that have this field. A `sparse` one holds documents with one of its fields,
    and serves any query for a value of it. With `expires_seconds` the database deletes documents whose date in the one
    field is older.
    """

    fields: tuple[str, ...]
    unique: bool = False
    only_with: str | None = None
    sparse: bool = False
    expires_seconds: int | None = None

    @property
    def partial(self) -> dict[str, Any] | None:
        """The filter of the documents in it, or None for all."""
        return {self.only_with: {"$exists": True}} if self.only_with else None

    def is_as(self, found: Mapping[str, Any]) -> bool:
        """True if an index of the same fields, as the server describes it, has the same options."""
        same = bool(found.get("unique")) == self.unique and bool(found.get("sparse")) == self.sparse
        return same and (found.get(PARTIAL), found.get(EXPIRES)) == (self.partial, self.expires_seconds)

    @property
    def model(self) -> IndexModel:
        """The driver's description of the index."""
        options: dict[str, Any] = {"unique": True} if self.unique else {}
        if self.sparse:
            options["sparse"] = True
        if self.partial:
            options[PARTIAL] = self.partial
        if self.expires_seconds is not None:
            options[EXPIRES] = self.expires_seconds
        return IndexModel([(field, ASCENDING) for field in self.fields], **options)


MATCH_KEYS: Final = Index(("match_keys",), unique=True)
# Only documents with events that wait for webhooks are in it.
UNTOLD: Final = Index(("webhook_events.webhook_id", "_id"), only_with="webhook_events.webhook_id")
# Only documents with events that a receiver rejected for good are in it.
REJECTED: Final = Index(("webhook_rejections.webhook_id", "_id"), only_with="webhook_rejections.webhook_id")
# Only documents that were modified with a person's token are in it.
MODIFIED_BY: Final = Index(("modified_by_id",), sparse=True)
DATES: Final = (Index(("modified_date", "_id")), Index(("created_date", "_id")))
INDEXES: Final[Mapping[str, tuple[Index, ...]]] = {
    PERSON.collection: (
        MATCH_KEYS,
        Index(("contact_keys",)),
        # Possible duplicates: in the order of their ids, and by the key that they share.
        Index(("maybe_duplicate", "_id"), only_with="maybe_duplicate"),
        Index(("unclaimed_keys", "_id"), only_with="unclaimed_keys"),
        Index(("merged_ids",), sparse=True),
        # A search by the beginning of a name.
        Index(("name_words", "_id"), only_with="name_words"),
        # People with a value in the first field are in the index, so a query for a value needs no other condition, and
        # the index alone counts its result.
        *(
            Index(fields, only_with=fields[0])
            for array, pointer in ((entry.collection, field) for entry, (_, field) in ENTRIES.items())
            for fields in ((f"{array}.{pointer}", "_id"), (f"{array}._id",))
        ),
        # Only people with several answers to a question are in it: their numbers complete the total of answers.
        Index(("answers.question_id", "further_answers"), only_with="further_answers"),
        UNTOLD,
        REJECTED,
        MODIFIED_BY,
        *DATES,
    ),
    OUTREACH.collection: (
        MATCH_KEYS,
        Index(("advocacy_campaign_id", "_id")),
        Index(("person_id", "_id")),
        # By day, and in a list the latest first; with the person, so that the index alone counts people.
        Index(("advocacy_campaign_id", "action_date", "_id", "person_id")),
        # By a value of the statistics, in the same order, so that each figure leads to its list.
        *(
            Index(("advocacy_campaign_id", field, "action_date", "_id"), only_with=field)
            for field in ("referrer_data.source", "referrer_data.referrer", "type", OWN_WORDS, NEW_PERSON)
        ),
        Index(("followups.state", "followups.not_before"), sparse=True),
        UNTOLD,
        REJECTED,
        MODIFIED_BY,
        *DATES,
    ),
    # Published pages, in the order in which their campaigns were created.
    ADVOCACY_CAMPAIGN.collection: (MATCH_KEYS, Index(("page.published", "_id"), only_with="page.published")),
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
    DUPLICATE_EXCEPTIONS: (Index(("people",)), Index(("created_date", "_id"))),
    TOKENS: (Index(("hash",), unique=True),),
    WEBHOOKS: (Index(("enabled", "not_before")),),
    # Read in the order of their ids.
    DELETION.collection: (Index(("deleted_date",), expires_seconds=DELETIONS_REMOVED_SECONDS), UNTOLD, REJECTED),
    ERASURES: (Index(("erased_date",)),),
    SUPPRESSIONS: (Index(("mailbox",), sparse=True),),
    MAILBOX_INTERVALS: (Index(("until",), expires_seconds=0), Index(("followup_id",))),
    STATISTICS: (Index(("advocacy_campaign_id", "kind", "start")),),
    INVALIDATIONS: (Index(("advocacy_campaign_id", "_id")), Index(("person_ids",), sparse=True)),
    STAFF: (Index(("email",), unique=True), Index(("person_id",), sparse=True)),
    STAFF_SESSIONS: (
        Index(("hash",), unique=True),
        Index(("staff_id",)),
        Index(("expires_date",), expires_seconds=0),
    ),
    STAFF_LINKS: (
        Index(("hash",), unique=True, only_with="hash"),
        Index(("browser_hash",), sparse=True),
        Index(("staff_id",), sparse=True),
        # Only requests for a mail that the worker has not sent are in it.
        Index(("not_before",), sparse=True),
        Index(("expires_date",), expires_seconds=LINK_KEPT_SECONDS),
    ),
    # By the document to which something was done, such as `people/{id}`.
    STAFF_EVENTS: (Index(("staff_id", "_id")), Index(("ids", "_id")), Index(("expires_date",), expires_seconds=0)),
    IMPORT_JOBS: (
        # Only jobs on which a worker has to act are in it.
        Index(("due",), sparse=True),
        Index(("state",)),
        Index(("expires_date",), expires_seconds=0),
    ),
    IMPORT_PARTS: (Index(("job_id", "role")), Index(("expires_date",), expires_seconds=0)),
    EXPORTS: (Index(("expires_date",), expires_seconds=0),),
    POSTAL_CODES: (Index(("advocacy_campaign_id", "prefix")),),
    EMBEDDING_SITES: (
        Index(("advocacy_campaign_id", "origin"), unique=True),
        Index(("last_date",), expires_seconds=SITE_KEPT_SECONDS),
    ),
}


class ValuesNotUnique(OsdiError):
    """A unique index cannot be created: the message names the documents with equal values by their ids only."""

    needs_operator = True

    def __init__(self, collection: str, field: str, clashes: Sequence[Sequence[str]]) -> None:
        lines = "\n".join(" ".join(ids) for ids in clashes)
        message = (
            f"The unique index of {collection} ({field}) cannot be created. The documents of each of these "
            f"{len(clashes)} lines have a value in common. Merge them, or delete all but one, and repeat the command:\n"
            f"{lines}"
        )
        super().__init__(409, ErrorDescription("NOT_UNIQUE", message))


def create(collection: Collection[dict[str, Any]], declared: Sequence[Index]) -> list[str]:
    """Creates the indexes that are missing, together, so that the documents are read once; returns the names of all.

    The server keeps an existing index as it is, so one that was declared with other options is dropped first. Raises
    ValuesNotUnique.
    """
    models = [index.model for index in declared]
    there = collection.index_information()
    for index, name in zip(declared, (model.document["name"] for model in models), strict=True):
        if name in there and not index.is_as(there[name]):
            collection.drop_index(name)
    with timeout(BUILD_SECONDS):  # not around the calls above, which would wait as long for a database that is away
        try:
            return collection.create_indexes(models)
        except DuplicateKeyError as error:
            raise _not_unique(collection, declared) or error from None


def _not_unique(collection: Collection[dict[str, Any]], declared: Sequence[Index]) -> ValuesNotUnique | None:
    """Returns the error that lists the documents with equal values of a unique index; None if there are none now."""
    for (field,) in (index.fields for index in declared if index.unique):
        pipeline: list[dict[str, Any]] = [
            {"$project": {field: 1}},
            {"$unwind": f"${field}"},
            {"$group": {"_id": f"${field}", "ids": {"$addToSet": "$_id"}}},
            {"$match": {"ids.1": {"$exists": True}}},
        ]
        found = {tuple(sorted(map(str, each["ids"]))) for each in collection.aggregate(pipeline, allowDiskUse=True)}
        if found:
            return ValuesNotUnique(collection.name, field, sorted(found))
    return None
