"""People, as outreaches link to them (`people.md`)."""

from typing import Any, Final

from flask import Response, g

from blueprints.http.anonymous_posts import apply_policy, honeypot_filled
from blueprints.http.api import Blueprint
from blueprints.http.body import request_body
from blueprints.http.collections import answer_page, get_or_404, read_page
from blueprints.http.context import answer, caller, deployment, hal, helper_answer
from blueprints.http.expand import OF_OUTREACHES, OF_PEOPLE, asked, expand_people, expand_pointers
from blueprints.http.put_and_delete import change, erased, remove
from osdi.access.tokens import READ, WRITE
from osdi.etags import etag
from osdi.people.outreach_links import outreaches_of
from osdi.people.signup import sign_up
from osdi.privacy.anonymisation import ANONYMISE
from osdi.resources import API, OUTREACH, PERSON
from schemas.base.collection import ExpandedPageArgumentsSchema, ExpandSchema, collection_schema
from schemas.base.delete import EraseSchema, NoticeSchema
from schemas.base.put import put_of
from schemas.outreach import OutreachSchema, PersonSignupHelperSchema, PostedPersonSchema
from schemas.person import PersonSchema

blp = Blueprint("People", __name__, url_prefix=f"{API}/people", description="Who made the outreaches")

EXAMPLES: Final = {
    "signup": {
        "summary": "Somebody signs up",
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
    embedded = expand_people(page.documents, asked(arguments, OF_PEOPLE))
    return answer_page(PERSON, page, arguments, PERSON.collection, embedded=embedded)


@blp.route("", methods=["POST"])
@blp.token_required(WRITE)
@blp.arguments(PostedPersonSchema(), examples=EXAMPLES)
@blp.response(200, PersonSchema)
@blp.refuses(409)
def post_person(body: dict[str, Any]) -> Response:
    """Create a person, or add to the one who is meant

    The body is a person, or that of the Person Signup Helper. People are matched as docs/matching.md says.
    """
    return sign_up_and_answer(body)


@blp.route("/person_signup_helper", methods=["POST"])
@blp.token_optional(WRITE)
@blp.arguments(PersonSignupHelperSchema(), examples=EXAMPLES)
@blp.response(200, PersonSchema)
@blp.refuses(409)
def person_signup_helper(body: dict[str, Any]) -> Response:
    """Sign a person up, with tags, lists and answers

    With a token the answer is the person; without one, as from a web page, it is an empty object, and nothing that is
    known about a person is overwritten or told.
    """
    return sign_up_and_answer(body)


@blp.route("/<person_id>")
@blp.token_required(READ)
@blp.arguments(ExpandSchema(), location="query")
@blp.response(200, PersonSchema)
@blp.refuses(301, 404)
def get_person(arguments: dict[str, Any], person_id: str) -> Response:
    """Read one person

    The address of somebody who was merged into another person leads to that one.
    """
    found = get_or_404(PERSON, person_id)
    embedded = expand_people([found], asked(arguments, OF_PEOPLE))
    return answer(hal().represent(PERSON, found, embedded=embedded[person_id]), etag(found))


@blp.route("/<person_id>", methods=["PUT"])
@blp.token_required(WRITE)
@blp.arguments(put_of(PersonSchema))
@blp.response(200, PersonSchema)
@blp.if_match
@blp.refuses(404, 409)
def put_person(body: dict[str, Any], person_id: str) -> Response:
    """Change one person

    Only the fields that are named change; arrays are replaced, and null clears. An e-mail entry without an address,
    such as `{"status": "unsubscribed"}`, is about the primary address.
    """
    changed = change(PERSON, person_id, body)
    return answer(hal().represent(PERSON, changed, control=body["control"]), etag(changed))


@blp.route("/<person_id>", methods=["DELETE"])
@blp.token_required(WRITE)
@blp.arguments(EraseSchema(), location="query")
@blp.response(200, NoticeSchema)
@blp.if_match
@blp.refuses(404, 409)
def delete_person(arguments: dict[str, Any], person_id: str) -> Response:
    """Delete one person

    Their outreaches are kept, without the person. With `erase` true whatever else is known about them goes too, for
    good, and imports do not bring them back; see docs/privacy.md. Somebody who was merged into another person is not
    deleted by their old address: 409 names the one who is left.
    """
    if not arguments["erase"]:
        return remove(PERSON, person_id)
    return erased(person_id, arguments.get("outreaches", ANONYMISE))


@blp.route("/<person_id>/outreaches")
@blp.token_required(READ)
@blp.arguments(ExpandedPageArgumentsSchema(), location="query")
@blp.response(200, PersonOutreachesSchema)
@blp.refuses(301, 404)
def get_person_outreaches(arguments: dict[str, Any], person_id: str) -> Response:
    """List the outreaches that a person made"""
    page = read_page(OUTREACH, arguments, outreaches_of(get_or_404(PERSON, person_id)))
    embedded = expand_pointers(page.documents, asked(arguments, OF_OUTREACHES))
    path = (PERSON.collection, person_id, OUTREACH.collection)
    return answer_page(OUTREACH, page, arguments, *path, embedded=embedded)


def sign_up_and_answer(body: dict[str, Any]) -> Response:
    """Creates the person of a loaded body, or adds to a known one; returns the answer that the caller may see."""
    here, sender = deployment(), caller()
    if not sender.has_token:
        if honeypot_filled():
            return answer({})
        body = apply_policy(body)
    strict = request_body().strict
    signed_up = sign_up(here.store, here.reference.find, body, sender, here.settings, strict=strict)
    g.matched_by = signed_up.matched_by
    return helper_answer(PERSON, signed_up.person, signed_up.warnings, body)
