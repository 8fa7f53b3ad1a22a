"""People (`people.md`) and the Person Signup Helper."""

from typing import Any, Final

from flask import Response, g

from blueprints.http.anonymous_posts import apply_policy, honeypot_filled, limit_signups
from blueprints.http.api import LOCATION, Blueprint
from blueprints.http.body import request_body
from blueprints.http.collections import get_or_404, page_response, read_page
from blueprints.http.context import caller, deployment, hal, hal_response, helper_response, shown_after_write
from blueprints.http.expand import OF_OUTREACHES, OF_PEOPLE, expand_people, expand_references, requested_relations
from blueprints.http.put_and_delete import change, erase_person, remove
from osdi.access.tokens import READ, WRITE
from osdi.etags import etag
from osdi.people.merged_people_store import ids_of
from osdi.people.outreach_links_store import outreaches_of
from osdi.people.signup import sign_up
from osdi.privacy.anonymisation import ANONYMISE
from osdi.resources import API, OUTREACH, PERSON
from schemas.base.collection import ExpandedPageArgumentsSchema, ExpandSchema, collection_schema
from schemas.base.delete import EraseSchema, NoticeSchema
from schemas.base.put import put_of
from schemas.outreach import ACTIONS, OutreachSchema, PersonSignupHelperSchema, PostedPersonSchema
from schemas.person import PersonSchema

blp = Blueprint("People", __name__, url_prefix=f"{API}/people", description="The people who made outreaches")

EXAMPLES: Final = {
    "signup": {
        "summary": "A person signs up and gets a tag",
        "value": {
            "person": {"given_name": "Jane", "email_addresses": [{"address": "jane@example.com"}]},
            "add_tags": ["volunteer"],
        },
    }
}

PeopleSchema = collection_schema("People", PERSON.collection_rel, PersonSchema)
PersonOutreachesSchema = collection_schema("PersonOutreaches", OUTREACH.collection_rel, OutreachSchema)


@blp.route("")
@blp.token_required(READ)
@blp.arguments(ExpandedPageArgumentsSchema(), location="query")
@blp.response(200, PeopleSchema)
def get_people(arguments: dict[str, Any]) -> Response:
    """List the people"""
    page = read_page(PERSON, arguments, {})
    embedded = expand_people(page.documents, requested_relations(arguments, OF_PEOPLE))
    return page_response(PERSON, page, arguments, PERSON.collection, embedded=embedded)


@blp.route("", methods=["POST"])
@blp.token_required(WRITE)
@blp.arguments(PostedPersonSchema(), examples=EXAMPLES)
@blp.response(200, PersonSchema, headers=LOCATION)
@blp.errors(409)
def post_person(body: dict[str, Any]) -> Response:
    """Create a person, or add to a matching one

    The body is a person, or a body of the Person Signup Helper. docs/matching.md describes how people are matched.
    """
    return sign_up_and_answer(body)


@blp.route("/person_signup_helper", methods=["POST"])
@blp.token_optional(WRITE)
@blp.arguments(PersonSignupHelperSchema(skips=True), examples=EXAMPLES)
@blp.response(200, PersonSchema, headers=LOCATION)
@blp.errors(409)
def person_signup_helper(body: dict[str, Any]) -> Response:
    """Sign a person up, with tags, lists and answers

    With a token the response is the person. Without a token, as from a web page, the response is an empty object, and
    the server neither overwrites nor reveals what it stores about a person.
    """
    return sign_up_and_answer(body)


@blp.route("/<person_id>")
@blp.token_required(READ)
@blp.arguments(ExpandSchema(), location="query")
@blp.response(200, PersonSchema)
@blp.errors(301, 404)
def get_person(arguments: dict[str, Any], person_id: str) -> Response:
    """Read one person

    If the person was merged into another one, the response is a redirect to that person.
    """
    found = get_or_404(PERSON, person_id)
    embedded = expand_people([found], requested_relations(arguments, OF_PEOPLE))
    return hal_response(hal().represent(PERSON, found, embedded=embedded[person_id]), etag(found))


@blp.route("/<person_id>", methods=["PUT"])
@blp.token_required(WRITE)
@blp.arguments(put_of(PersonSchema, wrapper="person", posted_only=ACTIONS))
@blp.response(200, PersonSchema)
@blp.if_match
@blp.errors(404, 409)
def put_person(body: dict[str, Any], person_id: str) -> Response:
    """Change one person

    Properties that are not in the body stay as they are. An array replaces the stored one; null clears a property. An
    e-mail entry without an address, such as `{"status": "unsubscribed"}`, changes the primary address.
    """
    changed = change(PERSON, person_id, body)
    return hal_response(shown_after_write(PERSON, changed, body["control"]), etag(changed))


@blp.route("/<person_id>", methods=["DELETE"])
@blp.token_required(WRITE)
@blp.arguments(EraseSchema(), location="query")
@blp.response(200, NoticeSchema)
@blp.if_match
@blp.errors(404, 409)
def delete_person(arguments: dict[str, Any], person_id: str) -> Response:
    """Delete one person

    The person's outreaches stay, without the person. With `erase` true the server also deletes everything else that it
    stores about the person, and imports do not create the person again; see docs/privacy.md. The URL of a person who
    was merged into another one cannot be deleted: the response is 409 and names the remaining person.
    """
    if not arguments["erase"]:
        return remove(PERSON, person_id)
    return erase_person(person_id, arguments.get("outreaches", ANONYMISE))


@blp.route("/<person_id>/outreaches")
@blp.token_required(READ)
@blp.arguments(ExpandedPageArgumentsSchema(), location="query")
@blp.response(200, PersonOutreachesSchema)
@blp.errors(301, 404)
def get_person_outreaches(arguments: dict[str, Any], person_id: str) -> Response:
    """List the outreaches of a person"""
    page = read_page(OUTREACH, arguments, outreaches_of(get_or_404(PERSON, person_id)))
    embedded = expand_references(page.documents, requested_relations(arguments, OF_OUTREACHES))
    path = (PERSON.collection, person_id, OUTREACH.collection)
    return page_response(OUTREACH, page, arguments, *path, embedded=embedded)


@blp.route("/<person_id>/outreaches/<outreach_id>")
@blp.token_required(READ)
@blp.arguments(ExpandSchema(), location="query")
@blp.response(200, OutreachSchema)
@blp.errors(301, 404)
def get_person_outreach(arguments: dict[str, Any], person_id: str, outreach_id: str) -> Response:
    """Read one outreach of a person"""
    ids = ids_of(get_or_404(PERSON, person_id))
    found = get_or_404(OUTREACH, outreach_id, lambda outreach: outreach.get("person_id") in ids)
    embedded = expand_references([found], requested_relations(arguments, OF_OUTREACHES))
    return hal_response(hal().represent(OUTREACH, found, embedded=embedded[outreach_id]), etag(found))


def sign_up_and_answer(body: dict[str, Any]) -> Response:
    """Creates the person of a loaded body, or adds to a known one; returns the response that the caller may see."""
    deployed, sender = deployment(), caller()
    if not sender.has_token:
        if honeypot_filled():
            return hal_response({})
        body = apply_policy(body)
        limit_signups(body)
    strict = request_body().strict
    signed_up = sign_up(deployed.store, deployed.reference.find, body, sender, deployed.settings, strict=strict)
    g.matched_by, g.warnings = signed_up.matched_by, signed_up.warnings
    return helper_response(PERSON, signed_up.person, signed_up.warnings, body)
