"""Judgements of the conformance page that are written by hand: notes on fields and links, and the general rules."""

from collections.abc import Mapping, Sequence
from typing import Literal

from osdi.fields.definition import walk
from osdi.resources import RESOURCES

Verdict = Literal["yes", "differs", "no"]
Row = tuple[str, Verdict, str]
VERDICTS: Sequence[Verdict] = ("yes", "differs", "no")

# Notes on fields, by resource (or `*` for all) and path in our schemas. Those of the tables in osdi.fields (`differs`,
# `absent`) are found by the last two names of the path; written here are those on the fields of helpers.
FIELD_NOTES: Mapping[tuple[str, str], tuple[Verdict, str]] = {
    **{
        ("*", ".".join(path[-2:])): ("no", of.absent) if of.absent else ("differs", of.differs)
        for resource in RESOURCES
        for path, of in walk(resource.table)
        if of.absent or of.differs
    },
    ("person_signup_helper", "triggers"): ("no", "Accepted, but without effect: follow-ups belong to outreaches."),
    ("record_outreach_helper", "triggers"): (
        "yes",
        "A request without a token can choose only messages that the campaign names; see follow-ups.md.",
    ),
}

# Notes on links that never or only sometimes exist, by resource (or `*` for all) and relation.
NO_RESOURCE = "This server has no such resource."
NO_TAGGINGS = "Only people can be tagged."
NO_MASS_SENDING = "There is no mass sending."
LINK_NOTES: Mapping[tuple[str, str], tuple[Verdict, str]] = {
    ("*", "osdi:creator"): ("yes", "Present if the token that created the resource belongs to a person."),
    ("*", "osdi:modified_by"): ("yes", "Present if the token that last changed the resource belongs to a person."),
    ("outreach", "osdi:person"): ("yes", "Absent after the person was deleted."),
    ("advocacy_campaign", "osdi:taggings"): ("no", NO_TAGGINGS),
    ("list", "osdi:taggings"): ("no", NO_TAGGINGS),
    ("message", "osdi:taggings"): ("no", NO_TAGGINGS),
    ("wrapper", "osdi:taggings"): ("no", NO_TAGGINGS),
    ("message", "osdi:recipients"): ("no", "There is no mass sending, so there are no recipients."),
    ("message", "osdi:wrapper"): ("yes", "Present if the message has a wrapper."),
    ("message", "osdi:send_helper"): ("no", NO_MASS_SENDING),
    ("message", "osdi:schedule_helper"): ("no", NO_MASS_SENDING),
    **{
        ("person", f"osdi:{name}"): ("no", NO_RESOURCE)
        for name in ("donations", "submissions", "attendances", "signatures", "record_canvas_helper")
    },
    **{
        ("aep", f"osdi:{name}"): ("no", NO_RESOURCE)
        for name in (
            "petitions",
            "events",
            "forms",
            "fundraising_pages",
            "donations",
            "queries",
            "metadata",
            "share_pages",
        )
    },
}

ERROR_NOTES: Mapping[str, tuple[Verdict, str]] = {
    "request_type": ("differs", "Always `atomic`: if a helper can do only a part, the response has warnings instead."),
    "resource_status.error_descriptions.reference_code": ("yes", "With 500 and 503: the request's id in our log."),
}

# The general concepts of README.md, compared with the server by a person.
RULES: Sequence[Row] = (
    ("REST and HAL", "yes", "Links, embedding and page envelopes follow JSON+HAL, from the entry point on."),
    (
        "Versioning",
        "yes",
        "The entry point has `osdi_version` 1.2.0. The address contains the major version: `/api/v1`.",
    ),
    (
        "Helpers",
        "yes",
        "`osdi:record_outreach_helper` on campaigns and `osdi:person_signup_helper` on the entry point.",
    ),
    (
        "Entry point",
        "yes",
        "It links the collections and the helper that exist, and has `max_pagesize`. It does not link outreaches, "
        "messages and wrappers: campaigns and people link their outreaches, and some clients reject relations that "
        "they do not know.",
    ),
    (
        "Collections",
        "yes",
        "`total_pages`, `total_records`, `page` and `per_page`; `next` and `previous` if such a page exists.",
    ),
    ("`per_page`, `page`", "yes", "Up to `max_pagesize`. The links also contain a cursor, so that far pages are fast."),
    ("Embedding", "yes", "A collection embeds its resources, each with its own `self` link."),
    (
        "`$expand` of links",
        "differs",
        "Optional. Outreaches expand `osdi:person` and `osdi:advocacy_campaign`. People expand `osdi:outreaches`, "
        "`osdi:taggings`, `osdi:items` and `osdi:answers`. Taggings, items and answers expand the resources that they "
        "connect. Any other relation gets 400.",
    ),
    (
        "`$expand` of objects",
        "differs",
        "The response always contains related objects, so a request to expand one gets 400.",
    ),
    (
        "Filtering",
        "differs",
        "`eq ne gt ge lt le and or`, parentheses, dates, numbers and `/`, on people, outreaches, campaigns, tags, "
        "lists, questions, messages and wrappers. A filter on taggings, items or answers gets 400.",
    ),
    ("Filter operator `like`", "yes", "Optional. Finds the same text, regardless of letter case."),
    (
        "Filter operator `re`",
        "no",
        "Optional. Gets 400, because one regular expression could occupy the database without limit.",
    ),
    ("Filter function `near`", "no", "Optional. Gets 400, because the server has no locations of postal codes."),
    (
        "Encryption",
        "differs",
        "The server speaks plain HTTP. The platform or proxy in front of it must provide TLS and reject plain HTTP.",
    ),
    (
        "Authentication",
        "yes",
        "Tokens with scopes. Only the entry point, the helpers and the documentation work without a token.",
    ),
    ("Token in the header", "yes", "`OSDI-API-Token`."),
    ("Token in the address", "yes", "`osdi-api-token`, in any letter case."),
    (
        "Without a token",
        "yes",
        "The helpers accept a body and return `{}`, so the response reveals nothing about the matched person.",
    ),
    (
        "Mime types",
        "differs",
        "The server reads every body as JSON, with any `Content-Type`. Responses are `application/hal+json`, as in the "
        "scenarios; README.md prefers `application/json`.",
    ),
    ("Errors", "yes", "An HTTP status, one sentence, and the `osdi:error` object of errors.md."),
    (
        "Status of success",
        "differs",
        "200 for each POST, PUT and DELETE, as in the scenarios; the table of errors.md has 201 and 204.",
    ),
    (
        "Errors of helpers",
        "differs",
        "Unknown names of tags and lists, and invalid optional values, give 200 with warnings beside the resource. "
        "With `Prefer: handling=strict` they give 400, and nothing is written.",
    ),
    (
        "No required fields",
        "differs",
        "Fields without which a resource is useless are required: the name of a tag or list, the type of a question "
        "and the keys of its responses, the person of a helper, tagging, item or answer.",
    ),
    (
        "Matching",
        "yes",
        "The standard leaves it to each system. This server matches by identifiers, then e-mail, then phone; see "
        "docs/matching.md.",
    ),
    ("Merging on POST", "yes", "Objects and arrays are merged, in helpers and in POSTs to collections."),
    (
        "PUT",
        "yes",
        "The standard leaves it to each server. Here a PUT changes only the fields in the body, and replaces an array.",
    ),
    ("Deleting with `null`", "differs", "Only in a PUT. In a POST or helper, `null` is ignored."),
    (
        "Common fields",
        "yes",
        "`identifiers`, `created_date` and `modified_date` on every resource; the server's own identifier comes first.",
    ),
    (
        "Control headers",
        "yes",
        "With `osdi:control.return_response` false, the response contains only identifiers and links.",
    ),
)
