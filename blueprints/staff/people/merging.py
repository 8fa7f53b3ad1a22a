"""Two possible duplicates: both people side by side with the result, the merge, and the decision that they are two."""

from collections.abc import Callable
from typing import Final

from flask import Response, g, redirect, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from blueprints.http.context import caller, settings, store
from blueprints.staff.blueprint import Access, pages
from blueprints.staff.frame import page
from blueprints.staff.people.people import person_or_redirect
from osdi.access.tokens import WRITE
from osdi.documents import Document
from osdi.errors import OsdiError, invalid
from osdi.people.duplicates.exceptions_store import apart
from osdi.staff.people.comparison import compare
from osdi.staff.people.duplicate_list import keep_apart, take_back
from osdi.staff.people.names import name_of
from osdi.staff.people.person_actions import merge, versions_of

CHANGES: Final = Access(WRITE, shows=True)
CHANGED: Final = "CHANGED"


@pages.get("/people/<person_id>/merge/<other_id>", access=CHANGES)
def compare_people(person_id: str, other_id: str) -> Response:
    """Show two people beside the person that a merge makes of them"""
    return _comparison(*_both(person_id, other_id))


@pages.post("/people/<person_id>/merge/<other_id>", access=CHANGES)
def merge_two_people(person_id: str, other_id: str) -> AnyResponse:
    """Merge the other person into this one"""
    survivor, other = _both(person_id, other_id)

    def action() -> None:
        merge(store(), survivor, other, request.form.get("versions", ""), caller(), settings().match_key_rules)

    done = url_for("staff.person", person_id=person_id, done="people_merged")
    return _unless_changed(action, (person_id, other_id)) or redirect(done, 303)


@pages.post("/people/<person_id>/merge/<other_id>/not-the-same", access=CHANGES)
def keep_people_apart(person_id: str, other_id: str) -> AnyResponse:
    """Store that two people are not the same"""
    one, other = _both(person_id, other_id)

    def action() -> None:
        g.acted_on = keep_apart(store(), one, other, request.form.get("versions", ""))

    done = url_for("staff.duplicates", after=request.form.get("after") or None, done="people_apart")
    return _unless_changed(action, (person_id, other_id)) or redirect(done, 303)


@pages.post("/people/<person_id>/merge/<other_id>/take-back", access=CHANGES)
def take_back_exception(person_id: str, other_id: str) -> AnyResponse:
    """Take back that two people are not the same"""
    g.acted_on = take_back(store(), *_both(person_id, other_id))
    return redirect(url_for("staff.duplicate_exceptions", done="people_together"), 303)


def _both(person_id: str, other_id: str) -> tuple[Document, Document]:
    """Returns the two people of a path. Raises OsdiError 400 for one person, 404, 410."""
    one, other = person_or_redirect(person_id), person_or_redirect(other_id)
    if one["_id"] == other["_id"]:
        raise invalid("A person cannot be merged into themselves.")
    return one, other


def _unless_changed(action: Callable[[], None], ids: tuple[str, str]) -> AnyResponse | None:
    """Does the action and returns None; if one of both has changed, it returns the comparison of what is stored now."""
    try:
        action()
    except OsdiError as error:
        if error.descriptions[0].error_code != CHANGED and error.status != 412:
            raise
        return _comparison(*_both(*ids), changed=True)
    return None


def _comparison(survivor: Document, other: Document, *, changed: bool = False) -> Response:
    rows = compare(store(), survivor, other, settings().match_key_rules)
    names = {survivor["_id"]: name_of(survivor), other["_id"]: name_of(other)}
    shown = {"rows": rows, "names": names, "versions": versions_of(survivor, other), "changed": changed}
    is_apart = bool(apart(store(), (survivor, other)))
    status = 409 if changed else 200
    return page("people/person_merge.html", status, person=survivor, other=other, is_apart=is_apart, **shown)
