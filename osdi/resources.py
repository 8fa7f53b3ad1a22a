"""The resources of OSDI 1.2.0 in this server: name, collection, relation and fields of each.

`collection` is the segment of the URL, the plural of the relation and the name of the MongoDB collection. `table` has
the definitions of the fields, in the order of the standard's page. Other properties of a stored document, such as match
keys, are never sent to clients.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final

from osdi.fields.advocacy_campaign import ADVOCACY_CAMPAIGN_FIELDS
from osdi.fields.contacts import CONTACT_FIELDS
from osdi.fields.definition import Table, names
from osdi.fields.list import LIST_FIELDS
from osdi.fields.message import MESSAGE_FIELDS, WRAPPER_FIELDS
from osdi.fields.outreach import OUTREACH_FIELDS
from osdi.fields.person import PERSON_FIELDS
from osdi.fields.question import QUESTION_FIELDS
from osdi.fields.subresources import ANSWER_FIELDS, ITEM_FIELDS, TAGGING_FIELDS
from osdi.fields.tag import TAG_FIELDS
from osdi.fields.webhook import CAMPAIGN_DELETED, OUTREACH_DELETED, PERSON_DELETED, PERSON_ERASED, PERSON_MERGED

OSDI_VERSION: Final = "1.2.0"
API: Final = "/api/v1"
# The root of the public campaign pages.
PAGES: Final = "/act"
# The root of the staff pages.
STAFF_PAGES: Final = "/staff"
CURIES: Final = "/docs/v1/{rel}"


@dataclass(frozen=True)
class Resource:
    """One resource of the standard."""

    name: str
    collection: str
    table: Table = field(compare=False, repr=False)  # resources are keys of mappings: their hash has to be cheap
    description: str

    @cached_property
    def fields(self) -> tuple[str, ...]:
        """The names of the fields."""
        return names(self.table)

    @property
    def rel(self) -> str:
        return f"osdi:{self.name}"

    @property
    def collection_rel(self) -> str:
        return f"osdi:{self.collection}"


# The field whose names are stored in the form of osdi.values.custom_field_names.
CUSTOM_FIELDS: Final = "custom_fields"
CONTACTS: Final = names(CONTACT_FIELDS)

PERSON: Final = Resource(
    "person",
    "people",
    PERSON_FIELDS,
    "A supporter: names and contact details, with links to outreaches, taggings, list items and answers.",
)
OUTREACH: Final = Resource(
    "outreach",
    "outreaches",
    OUTREACH_FIELDS,
    "A call, e-mail, letter or visit that a person made to targets in an advocacy campaign.",
)
ADVOCACY_CAMPAIGN: Final = Resource(
    "advocacy_campaign",
    "advocacy_campaigns",
    ADVOCACY_CAMPAIGN_FIELDS,
    "A campaign that asks people to contact targets; outreaches are recorded on it.",
)
TAG: Final = Resource("tag", "tags", TAG_FIELDS, "A label that people can be tagged with.")
LIST: Final = Resource("list", "lists", LIST_FIELDS, "A list that people can be items of.")
QUESTION: Final = Resource(
    "question",
    "questions",
    QUESTION_FIELDS,
    "A question that people answer in free text or with one of its responses.",
)

MESSAGE: Final = Resource("message", "messages", MESSAGE_FIELDS, "The template of a follow-up mail or text message.")
WRAPPER: Final = Resource(
    "wrapper",
    "wrappers",
    WRAPPER_FIELDS,
    "A header and a footer that are placed around messages.",
)
TAGGING: Final = Resource("tagging", "taggings", TAGGING_FIELDS, "A tag on a person.")
ITEM: Final = Resource("item", "items", ITEM_FIELDS, "A person on a list.")
ANSWER: Final = Resource("answer", "answers", ANSWER_FIELDS, "A person's answer to a question.")

# Resources that are stored as entries of a person's document: the resource that they refer to, and the field of its id.
ENTRIES: Final[Mapping[Resource, tuple[Resource, str]]] = {
    TAGGING: (TAG, "tag_id"),
    ITEM: (LIST, "list_id"),
    ANSWER: (QUESTION, "question_id"),
}

# Fields that are not in the standard: they contain the id of a resource that a client has linked.
REFERENCES: Final[Mapping[Resource, Mapping[str, Resource]]] = {MESSAGE: {"wrapper_id": WRAPPER}}

# Records of what was deleted (see osdi.deletions). The standard has no such resource: it is not in RESOURCES, and its
# relation has the deployment's namespace.
DELETION: Final = Resource("deletion", "published_deletions", (), "The record of something that was deleted.")
# The resource that was deleted, by the event of the record.
DELETED: Final[Mapping[str, Resource]] = {
    PERSON_DELETED: PERSON,
    PERSON_MERGED: PERSON,
    PERSON_ERASED: PERSON,
    OUTREACH_DELETED: OUTREACH,
    CAMPAIGN_DELETED: ADVOCACY_CAMPAIGN,
}

RESOURCES: Final = (PERSON, OUTREACH, ADVOCACY_CAMPAIGN, TAG, LIST, QUESTION, MESSAGE, WRAPPER, TAGGING, ITEM, ANSWER)

# Relations whose name differs from that of their resource: resource, title, description.
OTHER_RELATIONS: Final = {
    "creator": (PERSON, "Creator", "The person whose token created the resource, if known."),
    "modified_by": (PERSON, "Last editor", "The person whose token last changed the resource, if known."),
}


@dataclass(frozen=True)
class OwnRelation:
    """A relation that is not in the standard: its title and description, and the OpenAPI schema that it leads to.

    A relation that leads to CSV has no schema.
    """

    title: str
    description: str
    schema: str | None = None


# They have the deployment's namespace.
OWN_RELATIONS: Final[Mapping[str, OwnRelation]] = {
    "anonymous_posts": OwnRelation(
        "Anonymous posts", "The policy of a campaign for posts without a token.", "AnonymousPosts"
    ),
    "deletions": OwnRelation(
        "Deletions",
        "People and outreaches that were deleted, merged or erased in the last 90 days, so that copies can be removed.",
        "Deletions",
    ),
    "duplicates": OwnRelation(
        "Duplicates", "People who share an address, a number, or a name with postal code.", "Duplicates"
    ),
    "followups": OwnRelation("Follow-ups", "The number of mails, text messages and calls by state.", "FollowupCounts"),
    "outreaches_csv": OwnRelation(
        "Outreaches as CSV", "Outreaches as a file for spreadsheets: of one campaign, or all."
    ),
    "page": OwnRelation(
        "Page settings",
        "The settings of a campaign's public page: if it is published, and what its form asks for.",
        "Page",
    ),
    "people_csv": OwnRelation("People as CSV", "People as a file for spreadsheets."),
    "postal_codes": OwnRelation(
        "Postal codes", "The table, as CSV, by which a campaign's page finds the targets of a postal code."
    ),
    "stats": OwnRelation(
        "Statistics",
        "The number of outreaches and people of a campaign: per day, by type, source, target and referrer.",
        "Stats",
    ),
    "survivor": OwnRelation("Survivor", "The person who remains after a merge.", "Person"),
    "suppressions": OwnRelation(
        "Opt-outs",
        "The mails, calls and texts that a person does not want, and where each opt-out is from.",
        "Suppressions",
    ),
    "triggers": OwnRelation("Triggers", "The messages of a campaign's follow-ups.", "CampaignTriggers"),
    "webhooks": OwnRelation("Webhooks", "Subscriptions of other systems to events.", "WebhookList"),
}

HELPERS: Final = {
    "record_outreach_helper": (
        "Record Outreach Helper",
        "POST here to create or update a person and record their outreach on the campaign, in one request.",
    ),
    "person_signup_helper": (
        "Person Signup Helper",
        "POST here to create or update a person, with tags, lists and answers, in one request.",
    ),
}


# The fields of a helper's body by which a client asks for each action (`helper_action_functions.md`).
ACTION_FIELDS: Final[Mapping[str, tuple[str, ...]]] = {
    "tags": ("add_tags", "add_tags_uri"),
    "lists": ("add_lists", "add_lists_uri"),
    "answers": ("add_questions_responses_uri",),
    "triggers": ("triggers",),
}


def id_from(reference: str, resource: Resource) -> str | None:
    """Returns the id at the end of a URI such as `https://host/api/v1/tags/{id}`; None for URIs of other resources.

    The host is not compared, since a deployment can have several names.
    """
    # Not urlsplit, which raises for some strings; text that is not a URI refers to nothing.
    path = reference.partition("#")[0].partition("?")[0]
    segments = path.rstrip("/").rsplit("/", 2)
    return segments[-1] if len(segments) == 3 and segments[-2] == resource.collection else None
