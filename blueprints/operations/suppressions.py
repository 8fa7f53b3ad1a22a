"""Opt-outs of mail, calls and texts by a person's addresses and numbers. This route is not in the standard."""

from flask import Response

from blueprints.http.api import Blueprint
from blueprints.http.collections import get_or_404
from blueprints.http.context import hal, hal_response, settings, store
from osdi.access.tokens import READ
from osdi.resources import API, PERSON
from osdi.suppression.of_person import suppressions_of
from schemas.operations.suppressions import SuppressionsSchema

blp = Blueprint("Suppressions", __name__, url_prefix=f"{API}/people", description="Opt-outs, and where they are from")


@blp.route("/<person_id>/suppressions")
@blp.token_required(READ)
@blp.response(200, SuppressionsSchema)
@blp.errors(301, 404)
def get_suppressions(person_id: str) -> Response:
    """List the opt-outs of a person's addresses and numbers

    The suppression list outlives people, so an address can have opted out before this person was stored. Each entry
    says of what (mail, calls, texts), since when, and where the server learned it. The history also has
    opt-outs that were lifted.
    """
    person = get_or_404(PERSON, person_id)
    address = hal().href(PERSON.collection, person["_id"])
    links = {"self": {"href": f"{address}/suppressions"}, PERSON.rel: {"href": address}}
    return hal_response({"suppressions": suppressions_of(store(), person, settings().match_key_rules), "_links": links})
