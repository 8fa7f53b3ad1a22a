"""The list of people with its search and filters, its CSV file, and the page of a person."""

import datetime as dt
from typing import Any, Final

from flask import Response, abort, g, redirect, request, url_for

from blueprints.http.context import caller, settings, store
from blueprints.operations.downloads import streamed
from blueprints.staff.blueprint import Access, pages
from blueprints.staff.forgery import SAFE
from blueprints.staff.frame import may_call, page
from osdi.access.tokens import READ
from osdi.documents import Document
from osdi.exporting.export import csv
from osdi.resources import PERSON
from osdi.staff.people.person_history import history_of
from osdi.staff.people.person_page import find_person, person_page
from osdi.staff.people.search.csv_file import people_file
from osdi.staff.people.search.filter import Filter, api_request
from osdi.staff.people.search.rows import choices, people_list
from osdi.staff.people.search.suggestions import suggestions
from osdi.statistics.days import midnight

MAX_TEXT_LENGTH: Final = 200
TEXTS: Final = ("text", "tag", "list", "campaign", "status", "sort")
DATES: Final = ("created", "active")
EXPORTS: Final = Access(READ, fresh=True)


@pages.get("/people", access=Access(READ))
def people() -> Response:
    """List the people, or those that the search and the filters find"""
    chosen, arguments, errors = _filter()
    found = None if errors else people_list(store(), settings().match_key_rules, chosen, argument("after"))
    nobody = found is not None and chosen.text and not found.rows
    similar = suggestions(store(), chosen.text, settings().match_key_rules) if nobody else []
    shown = {"choices": choices(store()), "similar": similar, "api": api_request(chosen)}
    status = 422 if errors else 200
    return page("people/people.html", status, found=found, chosen=chosen, arguments=arguments, errors=errors, **shown)


@pages.get("/people/csv", access=EXPORTS)
def confirm_people_csv() -> Response:
    """Explain the file with the people of the search"""
    _, arguments, errors = _filter()
    return page("people/people_csv.html", 422 if errors else 200, arguments=arguments, errors=errors)


@pages.post("/people/csv", access=EXPORTS)
def download_people_csv() -> Response:
    """Send the people of the search as a CSV file"""
    chosen, arguments, errors = _filter()
    if errors:
        return page("people/people_csv.html", 422, arguments=arguments, errors=errors)
    g.acted_on = [PERSON.collection]  # for the audit log: nothing is written
    file = people_file(store(), settings().match_key_rules, chosen)
    return streamed(csv(file, bom=True), "people.csv")


@pages.get("/people/<person_id>", access=Access(READ))
def person(person_id: str) -> Response:
    """Show what is stored about a person"""
    found = person_page(store(), person_or_redirect(person_id), settings().match_key_rules, argument("after"))
    with_actions = may_call(caller(), pages.access_of("audit_log"))
    return page("people/person.html", found=found, history=history_of(store(), found.person, with_actions=with_actions))


def person_or_redirect(person_id: str) -> Document:
    """Returns the person of a path; a merged person's path leads to the survivor. Raises OsdiError 404, 410."""
    found = find_person(store(), person_id, settings().match_key_rules)
    if found["_id"] != person_id:
        status = 301 if request.method in SAFE else 303
        abort(redirect(url_for("staff.person", person_id=found["_id"], done="person_merged_before"), status))
    return found


def argument(name: str) -> str:
    """Returns an argument of the address or form, cut to a reasonable length; "" without it."""
    return request.values.get(name, "").strip()[:MAX_TEXT_LENGTH]


def _filter() -> tuple[Filter, dict[str, str], dict[str, str]]:
    """Returns the filter of the request, its arguments as texts, and the sentence of each wrong one by its name."""
    arguments = {name: text for name in (*TEXTS, *DATES) if (text := argument(name))}
    moments: dict[str, Any] = {}
    errors: dict[str, str] = {}
    for name in DATES:
        try:
            moments[name] = _begin_of(arguments[name]) if name in arguments else None
        except (ValueError, OverflowError):
            errors[name] = "Enter a date as year, month and day, such as 2026-03-31."
    texts: dict[str, Any] = {name: arguments.get(name, "") for name in TEXTS}
    return Filter(**texts, **moments), arguments, errors


def _begin_of(date: str) -> dt.datetime:
    """Returns the begin of the day in the zone of the deployment, naive UTC. Raises ValueError, OverflowError."""
    return midnight(dt.date.fromisoformat(date), settings().zone)
