"""Requests of a person: no more mail, a copy of all data, and erasure."""

from typing import Final

import orjson
from flask import Response, g, redirect, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from blueprints.http.context import hal, settings, store
from blueprints.staff.blueprint import Access, pages
from blueprints.staff.frame import page
from blueprints.staff.people.people import person_or_redirect
from osdi.access.tokens import ADMIN, READ, WRITE
from osdi.documents import Document
from osdi.errors import OsdiError
from osdi.people.merged_people_store import ids_of
from osdi.privacy.anonymisation import ANONYMISE
from osdi.privacy.erasure_store import count_outreaches, tokens_of
from osdi.privacy.person_export import person_export
from osdi.resources import PERSON
from osdi.staff.people import person_actions
from osdi.staff.people.names import name_of

CHANGES: Final = Access(WRITE, shows=True)
EXPORTS: Final = Access(READ, fresh=True)
ERASES: Final = Access(ADMIN, fresh=True)


@pages.get("/people/<person_id>/unsubscribe", access=CHANGES)
def confirm_unsubscription(person_id: str) -> Response:
    """Ask which address shall get no more mail"""
    person = person_or_redirect(person_id)
    return page("people/person_unsubscribe.html", person=person, name=name_of(person))


@pages.post("/people/<person_id>/unsubscribe", access=CHANGES)
def unsubscribe_person(person_id: str) -> AnyResponse:
    """Unsubscribe an address of the person"""
    person_actions.unsubscribe_person(store(), person_or_redirect(person_id), request.form.get("address", ""))
    return redirect(url_for("staff.person", person_id=person_id, done="person_unsubscribed"), 303)


@pages.get("/people/<person_id>/download", access=EXPORTS)
def confirm_download(person_id: str) -> Response:
    """Explain the file with all data about the person"""
    person = person_or_redirect(person_id)
    return page("people/person_download.html", person=person, name=name_of(person))


@pages.post("/people/<person_id>/download", access=EXPORTS)
def download_person(person_id: str) -> Response:
    """Send all data about the person as a file"""
    person = person_or_redirect(person_id)
    g.acted_on = [f"{PERSON.collection}/{person_id}"]  # for the audit log: nothing is written
    exported = person_export(store(), hal(), person, settings().match_key_rules)
    content = orjson.dumps(exported, option=orjson.OPT_INDENT_2 | orjson.OPT_NAIVE_UTC | orjson.OPT_UTC_Z)
    attachment = {"Content-Disposition": f'attachment; filename="person-{person["_id"]}.json"'}
    return Response(content, mimetype="application/json", headers=attachment)


@pages.get("/people/<person_id>/erase", access=ERASES)
def confirm_erasure(person_id: str) -> Response:
    """Ask if the person shall be erased"""
    return _erasure(person_or_redirect(person_id))


@pages.post("/people/<person_id>/erase", access=ERASES)
def erase_person(person_id: str) -> AnyResponse:
    """Erase the person"""
    person, outreaches = person_or_redirect(person_id), request.form.get("outreaches", "")
    typed = request.form.get("name", "")
    try:
        person_actions.erase_person(store(), person, typed, outreaches, settings().match_key_rules)
    except OsdiError as error:
        if error.status != 400:
            raise
        return _erasure(person, {each: str(error) for each in error.descriptions[0].properties})
    return redirect(url_for("staff.people", done="person_erased"), 303)


def _erasure(person: Document, errors: dict[str, str] | None = None) -> Response:
    values = {"count": count_outreaches(store(), ids_of(person)), "tokens": tokens_of(store(), ids_of(person))}
    typed = {"typed": request.form.get("name", ""), "chosen": request.form.get("outreaches", ANONYMISE)}
    shown = {"person": person, "name": name_of(person), "errors": errors or {}, **values, **typed}
    return page("people/person_erase.html", 422 if errors else 200, **shown)
