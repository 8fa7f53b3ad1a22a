"""Probable duplicates, and merging of people. These routes are not in the standard."""

from typing import Any, Final
from urllib.parse import urlencode

from flask import Response

from blueprints.http.api import LOCATION, Blueprint
from blueprints.http.context import caller, hal, hal_response, settings, shown_after_write, store
from osdi.access.tokens import READ, WRITE
from osdi.documents import Json
from osdi.etags import etag
from osdi.people.duplicates.groups import Group, duplicates
from osdi.people.merge import merge_stored_people
from osdi.resources import API, PERSON, id_from
from schemas.operations.duplicates import DuplicatesArgumentsSchema, DuplicatesSchema, MergeSchema
from schemas.person import PersonSchema

blp = Blueprint(
    "Duplicates", __name__, url_prefix=f"{API}/people", description="Probable duplicates of people, and merging"
)

EXAMPLES: Final = {
    "one": {"value": {"_links": {"osdi:person": {"href": "https://osdi.example.org/api/v1/people/{id}"}}}}
}


@blp.route("/duplicates")
@blp.token_required(READ)
@blp.arguments(DuplicatesArgumentsSchema(), location="query")
@blp.response(200, DuplicatesSchema)
def get_duplicates(arguments: dict[str, Any]) -> Response:
    """List probable duplicates

    The response has groups of people with the same e-mail address, the same phone number, or the same name and postal
    code; `by` says which. If staff have said that two people are not the same, they are in no group together. A page
    can be empty and still have a `next` link if there may be more groups.
    """
    per_page = min(arguments.get("per_page", settings().per_page), settings().max_pagesize)
    found = duplicates(store(), limit=per_page, after=arguments.get("after", ""))
    size = {"per_page": arguments["per_page"]} if "per_page" in arguments else {}
    cursor = {"after": arguments["after"]} if "after" in arguments else {}
    links = {"self": {"href": _address({**size, **cursor})}}
    if found.after is not None:
        links["next"] = {"href": _address({**size, "after": found.after})}
    return hal_response(
        {"per_page": per_page, "duplicates": [_represent(each) for each in found.groups], "_links": links}
    )


@blp.route("/<person_id>/merge", methods=["POST"])
@blp.token_required(WRITE)
@blp.arguments(MergeSchema(), examples=EXAMPLES)
@blp.response(200, PersonSchema, headers=LOCATION)
@blp.errors(404, 409)
def merge_person(body: dict[str, Any], person_id: str) -> Response:
    """Merge another person into this one

    The link `osdi:person` names the other person. This person gets their outreaches, taggings, items, answers,
    identifiers and contact details; names and other single values only fill empty properties. Afterwards the other
    person's URL redirects to this person. Repeating the request changes nothing.
    """
    other_id = id_from(body["pointing"]["person"]["href"], PERSON) or ""
    person = merge_stored_people(store(), person_id, other_id, settings().match_key_rules, by=caller().person_id)
    return hal_response(shown_after_write(PERSON, person), etag(person))


def _address(arguments: dict[str, Any]) -> str:
    address = hal().href(PERSON.collection, "duplicates")
    return f"{address}?{urlencode(arguments)}" if arguments else address


def _represent(group: Group) -> Json:
    people = [hal().represent(PERSON, each) for each in group.people]
    return {
        "by": list(group.by),
        "_links": {PERSON.collection_rel: [{"href": each["_links"]["self"]["href"]} for each in people]},
        "_embedded": {PERSON.collection_rel: people},
    }
