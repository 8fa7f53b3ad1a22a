"""People who are probably one, and merging them. No resource of the standard: ours beside it."""

from typing import Any, Final
from urllib.parse import urlencode

from flask import Response

from blueprints.http.api import Blueprint
from blueprints.http.context import answer, caller, hal, settings, store
from osdi.access.tokens import READ, WRITE
from osdi.documents import Json
from osdi.etags import etag
from osdi.people.duplicates import Group, duplicates
from osdi.people.merge import merge_people
from osdi.resources import API, PERSON, id_from
from schemas.operations.duplicates import DuplicatesArgumentsSchema, DuplicatesSchema, MergeSchema
from schemas.person import PersonSchema

blp = Blueprint("Duplicates", __name__, url_prefix=f"{API}/people", description="People who were recorded twice")

EXAMPLES: Final = {
    "one": {"value": {"_links": {"osdi:person": {"href": "https://osdi.example.org/api/v1/people/{id}"}}}}
}


@blp.route("/duplicates")
@blp.token_required(READ)
@blp.arguments(DuplicatesArgumentsSchema(), location="query")
@blp.response(200, DuplicatesSchema)
def get_duplicates(arguments: dict[str, Any]) -> Response:
    """List people who are probably one

    In groups, each with what all of them have: the same e-mail address, the same phone number, or the same name and
    postal code. A page has a `next` link as long as there may be more, and may itself be empty.
    """
    per_page = min(arguments.get("per_page", settings().per_page), settings().max_pagesize)
    found = duplicates(store(), limit=per_page, after=arguments.get("after", ""))
    kept = {"per_page": arguments["per_page"]} if "per_page" in arguments else {}
    here = {"after": arguments["after"]} if "after" in arguments else {}
    links = {"self": {"href": _address({**kept, **here})}}
    if found.after is not None:
        links["next"] = {"href": _address({**kept, "after": found.after})}
    return answer({"per_page": per_page, "duplicates": [_shown(each) for each in found.groups], "_links": links})


@blp.route("/<person_id>/merge", methods=["POST"])
@blp.token_required(WRITE)
@blp.arguments(MergeSchema(), examples=EXAMPLES)
@blp.response(200, PersonSchema)
@blp.refuses(404, 409)
def merge_person(body: dict[str, Any], person_id: str) -> Response:
    """Merge another person into this one

    The other one is given as the link `osdi:person`. Their outreaches, taggings, items and answers become this
    person's, and so do their identifiers and contact details; of names and other single values only gaps are filled.
    The other one's address leads to this person from then on. Sent again, it changes nothing.
    """
    other_id = id_from(body["pointing"]["person"]["href"], PERSON) or ""
    person = merge_people(store(), person_id, other_id, settings().match_key_rules, by=caller().person_id)
    return answer(hal().represent(PERSON, person), etag(person))


def _address(arguments: dict[str, Any]) -> str:
    address = hal().href(PERSON.collection, "duplicates")
    return f"{address}?{urlencode(arguments)}" if arguments else address


def _shown(group: Group) -> Json:
    people = [hal().represent(PERSON, each) for each in group.people]
    return {
        "by": list(group.by),
        "_links": {PERSON.collection_rel: [{"href": each["_links"]["self"]["href"]} for each in people]},
        "_embedded": {PERSON.collection_rel: people},
    }
