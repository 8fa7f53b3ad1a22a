"""The vocabulary of OSDI 1.2.0 as this server speaks it: each resource's name, collection, relation and fields.

`collection` is at once the segment of the URL, the plural of the relation and the collection in MongoDB. `fields` are
answered in the order of the standard's page; what a document holds besides them (match keys, versions) stays inside.
"""

from collections.abc import Mapping
from dataclasses import dataclass

OSDI_VERSION = "1.2.0"
API = "/api/v1"
CURIES = "/docs/v1/{rel}"


@dataclass(frozen=True)
class Resource:
    """One resource of the standard."""

    name: str
    collection: str
    fields: tuple[str, ...]
    description: str

    @property
    def rel(self) -> str:
        return f"osdi:{self.name}"

    @property
    def collection_rel(self) -> str:
        return f"osdi:{self.collection}"


CONTACTS = ("postal_addresses", "email_addresses", "phone_numbers")

PERSON = Resource(
    "person",
    "people",
    (
        *("origin_system", "family_name", "given_name", "additional_name", "honorific_prefix", "honorific_suffix"),
        *("gender", "gender_identity", "additional_gender_identities", "gender_pronouns"),
        *("party_identification", "parties", "source", "ethnicities", "languages_spoken", "preferred_language"),
        *("browser_url", "administrative_url", "birthdate", "employer", "work_title", "work_department"),
        *("employer_address", "occupation", *CONTACTS, "profiles", "custom_fields", "division_info"),
    ),
    "Somebody who takes part: names, contact details, and what they answered and were tagged with.",
)
OUTREACH = Resource(
    "outreach",
    "outreaches",
    (
        *("origin_system", "action_date", "type", "duration", "subject", "message", "notes"),
        *("referrer_data", "targets"),
    ),
    "A call, e-mail, letter or visit that a person made to targets in an advocacy campaign.",
)
ADVOCACY_CAMPAIGN = Resource(
    "advocacy_campaign",
    "advocacy_campaigns",
    (
        *("origin_system", "name", "title", "description", "templates", "summary", "targets", "target_list"),
        *("browser_url", "administrative_url", "featured_image_url", "total_outreaches", "type"),
        *("share_url", "total_shares", "share_options"),
    ),
    "A campaign that asks people to contact targets; outreaches are recorded on it.",
)
TAG = Resource("tag", "tags", ("origin_system", "name", "description"), "A label that people can be tagged with.")
LIST = Resource(
    "list",
    "lists",
    ("origin_system", "name", "title", "description", "summary", "browser_url", "administrative_url", "total_items"),
    "A list that people can be items of.",
)
QUESTION = Resource(
    "question",
    "questions",
    ("origin_system", "name", "title", "description", "summary", "question_type", "responses"),
    "A question that people answer, freely or by choosing among its responses.",
)

MESSAGE = Resource(
    "message",
    "messages",
    (
        *("origin_system", "name", "subject", "body", "from", "reply_to", "administrative_url", "browser_url", "type"),
        *("targets", "sections", "total_targeted", "status", "scheduled_start_date", "scheduled_end_date"),
        *("sent_start_date", "sent_end_date", "daily_start_hour", "daily_stop_hour", "statistics"),
    ),
    "The template of a follow-up mail or text message.",
)
WRAPPER = Resource(
    "wrapper",
    "wrappers",
    ("origin_system", "name", "header", "footer", "administrative_url", "wrapper_type", "default"),
    "What stands around messages: a header above them, and a footer below.",
)
TAGGING = Resource("tagging", "taggings", ("origin_system", "item_type"), "A tag on a person.")
ITEM = Resource("item", "items", ("origin_system", "item_type"), "A person on a list.")
ANSWER = Resource(
    "answer", "answers", ("origin_system", "action_date", "value", "responses"), "A person's answer to a question."
)

# Entries inside a person's document that are resources of their own: what they point at, and by which field.
ENTRIES: Mapping[Resource, tuple[Resource, str]] = {
    TAGGING: (TAG, "tag_id"),
    ITEM: (LIST, "list_id"),
    ANSWER: (QUESTION, "question_id"),
}

# Fields of a document, besides those of the page, that hold the id of what a client has linked it to.
REFERENCES: Mapping[Resource, Mapping[str, Resource]] = {MESSAGE: {"wrapper_id": WRAPPER}}

RESOURCES = (PERSON, OUTREACH, ADVOCACY_CAMPAIGN, TAG, LIST, QUESTION, MESSAGE, WRAPPER, TAGGING, ITEM, ANSWER)

# Relations that lead to a resource which is named otherwise: where to, title, description.
OTHER_RELATIONS = {
    "creator": (PERSON, "Creator", "The person whose token created the resource, where that is known."),
    "modified_by": (PERSON, "Last editor", "The person whose token changed the resource last, where that is known."),
}

# Relations of ours, under the namespace.
OWN_RELATIONS = {
    "stats": (
        "Statistics",
        "How many outreaches and people a campaign has: per day, by type, source, target, referrer.",
    ),
}

HELPERS = {
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
ACTION_FIELDS: Mapping[str, tuple[str, ...]] = {
    "tags": ("add_tags", "add_tags_uri"),
    "lists": ("add_lists", "add_lists_uri"),
    "answers": ("add_questions_responses_uri",),
    "triggers": ("triggers",),
}


def id_from(reference: str, resource: Resource) -> str | None:
    """The id that a URI of this kind of resource ends with, or None: `https://host/api/v1/tags/{id}`.

    The host is not compared: one deployment answers under several names.
    """
    # Not urlsplit: it refuses some strings, and what is no address simply refers to nothing.
    path = reference.partition("#")[0].partition("?")[0]
    segments = path.rstrip("/").rsplit("/", 2)
    return segments[-1] if len(segments) == 3 and segments[-2] == resource.collection else None
