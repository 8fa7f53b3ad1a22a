"""The resources of OSDI 1.2.0 in this server: name, collection, relation and fields of each.

`collection` is the segment of the URL, the plural of the relation and the name of the MongoDB collection. `fields` have
the order of the standard's page. Other properties of a stored document, such as match keys, are never sent to clients.
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
    "A supporter: names and contact details, with links to outreaches, taggings, list items and answers.",
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
    "A question that people answer in free text or with one of its responses.",
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
    "A header and a footer that are placed around messages.",
)
TAGGING = Resource("tagging", "taggings", ("origin_system", "item_type"), "A tag on a person.")
ITEM = Resource("item", "items", ("origin_system", "item_type"), "A person on a list.")
ANSWER = Resource(
    "answer", "answers", ("origin_system", "action_date", "value", "responses"), "A person's answer to a question."
)

# Resources that are stored as entries of a person's document: the resource that they refer to, and the field of its id.
ENTRIES: Mapping[Resource, tuple[Resource, str]] = {
    TAGGING: (TAG, "tag_id"),
    ITEM: (LIST, "list_id"),
    ANSWER: (QUESTION, "question_id"),
}

# Fields that are not in the standard: they contain the id of a resource that a client has linked.
REFERENCES: Mapping[Resource, Mapping[str, Resource]] = {MESSAGE: {"wrapper_id": WRAPPER}}

RESOURCES = (PERSON, OUTREACH, ADVOCACY_CAMPAIGN, TAG, LIST, QUESTION, MESSAGE, WRAPPER, TAGGING, ITEM, ANSWER)

# Relations whose name differs from that of their resource: resource, title, description.
OTHER_RELATIONS = {
    "creator": (PERSON, "Creator", "The person whose token created the resource, if known."),
    "modified_by": (PERSON, "Last editor", "The person whose token last changed the resource, if known."),
}

# Relations that are not in the standard; they have the deployment's namespace.
OWN_RELATIONS = {
    "stats": (
        "Statistics",
        "The number of outreaches and people of a campaign: per day, by type, source, target and referrer.",
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


def id_from(reference: str, resource: Resource) -> str | None:
    """Returns the id at the end of a URI such as `https://host/api/v1/tags/{id}`; None for URIs of other resources.

    The host is not compared, since a deployment can have several names.
    """
    # Not urlsplit, which raises for some strings; text that is not a URI refers to nothing.
    path = reference.partition("#")[0].partition("?")[0]
    segments = path.rstrip("/").rsplit("/", 2)
    return segments[-1] if len(segments) == 3 and segments[-2] == resource.collection else None
