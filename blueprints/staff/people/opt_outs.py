"""Recording that a person wants no calls or texts. Mail has a page of its own: unsubscribing."""

from typing import Final

from flask import Response, redirect, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from blueprints.http.context import settings, store
from blueprints.staff.blueprint import Access, pages
from blueprints.staff.frame import page
from blueprints.staff.people.people import person_or_redirect
from osdi.access.tokens import WRITE
from osdi.documents import Document
from osdi.errors import OsdiError
from osdi.staff.people.contact_status import NO_CALLS, NO_TEXTS, contacts_of
from osdi.staff.people.names import name_of
from osdi.staff.people.opt_outs import opt_out_numbers
from osdi.suppression.opt_outs import CALLS, TEXTS

CHANGES: Final = Access(WRITE, shows=True)
STATUSES: Final = {CALLS: NO_CALLS, TEXTS: NO_TEXTS}


@pages.get("/people/<person_id>/no-calls", access=CHANGES)
def choose_opted_out_numbers(person_id: str) -> Response:
    """Ask which numbers shall get no more calls or texts"""
    return _form(person_or_redirect(person_id))


@pages.post("/people/<person_id>/no-calls", access=CHANGES)
def refuse_calls_and_texts(person_id: str) -> AnyResponse:
    """Record opt-outs of calls or texts to numbers of the person"""
    person = person_or_redirect(person_id)
    opted_out = {what: request.form.getlist(what) for what in STATUSES}
    try:
        opt_out_numbers(store(), person, opted_out, settings().match_key_rules)
    except OsdiError as error:
        if error.status != 400:
            raise
        return _form(person, {name: str(error) for name in error.descriptions[0].properties})
    return redirect(url_for("staff.person", person_id=person_id, done="numbers_refused"), 303)


def _form(person: Document, errors: dict[str, str] | None = None) -> Response:
    """Returns the form with the numbers that have not opted out of calls or texts yet."""
    _, phones = contacts_of(store(), person, settings().match_key_rules)
    open_numbers = {
        what: list(dict.fromkeys(each.value for each in phones if status not in each.statuses))
        for what, status in STATUSES.items()
    }
    shown = {"open_numbers": open_numbers, "errors": errors or {}}
    return page("people/person_no_calls.html", 422 if errors else 200, person=person, name=name_of(person), **shown)
