"""Merging a possible duplicate: both people side by side with the result, and the merge."""

from typing import Final

from flask import Response, redirect, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from blueprints.http.context import caller, settings, store
from blueprints.staff.blueprint import Access, pages
from blueprints.staff.frame import page
from blueprints.staff.people.people import person_or_redirect
from osdi.access.tokens import WRITE
from osdi.errors import invalid
from osdi.staff.people.acts import compare, merge, versions_of
from osdi.staff.people.names import name_of

CHANGES: Final = Access(WRITE, shows=True)


@pages.get("/people/<person_id>/merge/<other_id>", access=CHANGES)
def compare_people(person_id: str, other_id: str) -> Response:
    """Show two people beside the person that a merge makes of them"""
    survivor, other = person_or_redirect(person_id), person_or_redirect(other_id)
    if survivor["_id"] == other["_id"]:
        raise invalid("A person cannot be merged into themselves.")
    rows = compare(store(), survivor, other, settings().match_key_rules)
    names = {survivor["_id"]: name_of(survivor), other["_id"]: name_of(other)}
    versions = versions_of(survivor, other)
    return page("people/person_merge.html", person=survivor, other=other, rows=rows, names=names, versions=versions)


@pages.post("/people/<person_id>/merge/<other_id>", access=CHANGES)
def merge_two_people(person_id: str, other_id: str) -> AnyResponse:
    """Merge the other person into this one"""
    survivor, other = person_or_redirect(person_id), person_or_redirect(other_id)
    merge(store(), survivor, other, request.form.get("versions", ""), caller(), settings().match_key_rules)
    return redirect(url_for("staff.person", person_id=person_id, done="people_merged"), 303)
