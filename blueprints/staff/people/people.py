"""The list of people with its search and filters, and the page of a person."""

from typing import Final

from flask import Response, abort, redirect, request, url_for

from blueprints.http.context import settings, store
from blueprints.staff.blueprint import Access, pages
from blueprints.staff.frame import page
from osdi.access.tokens import READ
from osdi.documents import Document
from osdi.staff.people.people_list import Filter, choices, people_list
from osdi.staff.people.person_page import find_person, person_page

TEXT_LENGTH: Final = 200


@pages.get("/people", access=Access(READ))
def people() -> Response:
    """List the people, or those that the search and the filters find"""
    chosen = Filter(**{name: argument(name) for name in ("text", "tag", "list", "campaign")})
    found = people_list(store(), settings().match_key_rules, chosen, argument("after"))
    return page("people/people.html", found=found, chosen=chosen, choices=choices(store()))


@pages.get("/people/<person_id>", access=Access(READ))
def person(person_id: str) -> Response:
    """Show what is stored about a person"""
    found = person_page(store(), person_or_redirect(person_id), settings().match_key_rules, argument("after"))
    return page("people/person.html", found=found)


def person_or_redirect(person_id: str) -> Document:
    """Returns the person of a path; a merged person's path leads to the survivor. Raises OsdiError 404, 410."""
    found = find_person(store(), person_id, settings().match_key_rules)
    if found["_id"] != person_id:
        abort(redirect(url_for("staff.person", person_id=found["_id"], done="person_merged_before"), 303))
    return found


def argument(name: str) -> str:
    """Returns an argument of the address, cut to a reasonable length; "" without it."""
    return request.args.get(name, "").strip()[:TEXT_LENGTH]
