"""The list of likely duplicates, and the list of pairs that are not the same."""

from flask import Response

from blueprints.http.context import store
from blueprints.staff.blueprint import Access, pages
from blueprints.staff.frame import page
from blueprints.staff.people.people import argument
from osdi.access.tokens import READ
from osdi.staff.people.duplicate_list import duplicate_list, exception_list


@pages.get("/people/duplicates", access=Access(READ))
def duplicates() -> Response:
    """List pairs of people who are probably the same"""
    after = argument("after")
    return page("people/duplicates.html", found=duplicate_list(store(), after), after=after)


@pages.get("/people/duplicates/exceptions", access=Access(READ))
def duplicate_exceptions() -> Response:
    """List pairs of people who are not the same"""
    return page("people/duplicate_exceptions.html", found=exception_list(store(), argument("after")))
