"""Tags and lists of people: add to and remove from selected people; remove them and answers from one."""

from typing import Final

from flask import Response, redirect, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from blueprints.http.context import store
from blueprints.staff.blueprint import Access, pages
from blueprints.staff.frame import page
from blueprints.staff.people.people import person_or_redirect
from osdi.access.tokens import WRITE
from osdi.errors import OsdiError, not_found
from osdi.people.lookup import get_people
from osdi.staff.people.names import name_of
from osdi.staff.people.person_actions import (
    KINDS,
    MAX_PEOPLE,
    add_to_people,
    entries_of_people,
    kind_of,
    parent_of,
    remove_entry,
    remove_from_people,
)
from osdi.staff.people.person_page import entries_of
from osdi.staff.people.search.rows import options

CHANGES: Final = Access(WRITE, shows=True)


@pages.get("/people/add", access=CHANGES)
def choose_for_people() -> Response:
    """Show the form that adds a tag or a list to the selected people"""
    return _form(request.args.getlist("person"))


@pages.post("/people/add", access=CHANGES)
def add_to_selected_people() -> AnyResponse:
    """Add a tag or a list to the selected people"""
    return _add(list(dict.fromkeys(request.form.getlist("person"))))


@pages.get("/people/remove", access=CHANGES)
def choose_to_remove() -> Response:
    """Show the form that removes a tag or a list from the selected people"""
    return _form(request.args.getlist("person"), removes=True)


@pages.post("/people/remove", access=CHANGES)
def remove_from_selected_people() -> AnyResponse:
    """Remove a tag or a list from the selected people"""
    people = list(dict.fromkeys(request.form.getlist("person")))
    chosen = [(kind, request.form.get(kind, "")) for kind in KINDS]
    if not people or len(people) > MAX_PEOPLE or not any(value for _, value in chosen):
        return _form(people, {"tags": "Choose a tag or a list."} if people else {}, removes=True)
    for kind, parent_id in chosen:
        if parent_id:
            remove_from_people(store(), KINDS[kind], parent_id, people)
    return redirect(url_for("staff.people", done="people_removed"), 303)


@pages.get("/people/<person_id>/<kind>/<entry_id>/remove", access=CHANGES)
def confirm_removal(person_id: str, kind: str, entry_id: str) -> Response:
    """Ask if a tag, list or answer shall be removed from the person"""
    person, entries = person_or_redirect(person_id), kind_of(kind)
    entry = next((each for each in entries_of(store(), entries, person) if each.entry_id == entry_id), None)
    if entry is None:
        raise not_found("It is removed already.")
    return page("people/person_entry_removal.html", person=person, name=name_of(person), kind=kind, entry=entry)


@pages.post("/people/<person_id>/<kind>/<entry_id>/remove", access=CHANGES)
def remove_from_person(person_id: str, kind: str, entry_id: str) -> AnyResponse:
    """Remove a tag, a list or an answer from the person"""
    remove_entry(store(), kind_of(kind), person_or_redirect(person_id), entry_id)
    return redirect(url_for("staff.person", person_id=person_id, done="entry_removed"), 303)


def _add(people: list[str]) -> AnyResponse:
    chosen = [(kind, request.form.get(kind, "")) for kind in KINDS]
    if not people or len(people) > MAX_PEOPLE or not any(value for _, value in chosen):
        return _form(people, {"tags": "Choose a tag or a list."} if people else {})
    missing: set[str] = set()
    try:
        for kind, parent_id in chosen:
            if parent_id:
                missing |= set(add_to_people(store(), KINDS[kind], parent_id, people))
    except OsdiError as error:
        if error.status != 400:
            raise
        return _form(people, {kind: str(error)})
    if len(people) == 1 and not missing:
        return redirect(url_for("staff.person", person_id=people[0], done="entry_added"), 303)
    return redirect(url_for("staff.people", done="people_added_to_some" if missing else "people_added"), 303)


def _form(people: list[str], errors: dict[str, str] | None = None, *, removes: bool = False) -> Response:
    """Returns the form for these people; without one it says so.

    A tag or list to remove is one that at least one of them has.
    """
    found = get_people(store(), people[:MAX_PEOPLE]) if people else {}
    selected = list({one["_id"]: one for one in found.values()}.values())
    names = [(each["_id"], name_of(each)) for each in selected]
    choices = {
        kind: entries_of_people(store(), each, selected) if removes else options(store(), parent_of(each))
        for kind, each in KINDS.items()
    }
    too_many = len(people) > MAX_PEOPLE
    values = {"choices": choices, "errors": errors or {}, "chosen": request.form, "most": MAX_PEOPLE}
    status = 422 if errors or too_many or not names else 200
    return page("people/people_entries.html", status, people=names, too_many=too_many, removes=removes, **values)
