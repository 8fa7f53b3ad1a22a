"""Reading one document, or a collection page by page: the same for every resource."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from flask import Response, request

from blueprints.http.context import answer, hal, settings, store
from osdi.crud import totals
from osdi.crud.subresources import Embedded, page_of_parent, page_of_person
from osdi.documents import Document, Json
from osdi.errors import invalid, moved, not_found
from osdi.odata.fields import FilterFields
from osdi.odata.osdi_fields import FILTER_FIELDS
from osdi.odata.query import to_query
from osdi.paging import Page
from osdi.people.lookup import get_person
from osdi.resources import PERSON, Resource

# Arguments of a collection that its links repeat, and their names in the address.
REPEATED: Final = {"per_page": "per_page", "filter": "filter", "expand": "$expand"}


def get_or_404(resource: Resource, document_id: str, belongs: Callable[[Document], bool] = lambda _: True) -> Document:
    """The document with this id, if it stands under the address that was asked for.

    Raises OsdiError 404, or 301 for a person who was merged into another one.
    """
    found = store().get(resource.collection, document_id)
    if found is None and resource is PERSON:
        _lead_on(document_id)
    if found is None or not belongs(found):
        raise not_found(f"There is no such {resource.name.replace('_', ' ')}.", resource.rel)
    return found


def _lead_on(person_id: str) -> None:
    """Raises OsdiError 301 to what was asked for of whom a person was merged into, if they were."""
    survivor = get_person(store(), person_id)
    if survivor is None:
        return
    below = str(request.url_rule).partition("<person_id>")[2]
    asked = request.query_string.decode("ascii", "replace")
    location = f"{hal().href(PERSON.collection, survivor['_id'])}{below}{f'?{asked}' if asked else ''}"
    raise moved("This person was merged into another one.", location, PERSON.rel)


def with_total(resource: Resource, document: Mapping[str, Any]) -> Document:
    """The document with what is counted when it is read: a campaign's outreaches, the people on a list."""
    return totals.with_total(store(), resource, document)


def read_page(
    resource: Resource, arguments: Mapping[str, Any], query: Mapping[str, Any], total_records: int | None = None
) -> Page:
    """The page that the arguments ask for, `{page, per_page?, filter?, after?, before?}`, of what the query selects.

    `total_records` is the number of what the query selects, where it is known. Raises OsdiError 400 for a filter that
    does not read, or where the resource has no fields to filter by.
    """
    if arguments.get("filter"):
        wanted = to_query(arguments["filter"], _filter_fields(resource), settings().match_key_rules)
        query, total_records = {"$and": [query, wanted]} if query else wanted, None
    return store().page(resource.collection, query, total_records=total_records, **_asked(arguments))


def read_entries(kind: Embedded, where: str | Document, arguments: Mapping[str, Any]) -> Page:
    """The page that the arguments ask for of the entries that point at an id, or of those of a person's document."""
    if arguments.get("filter"):
        _filter_fields(kind.resource)
    if isinstance(where, str):
        return page_of_parent(store(), kind, where, **_asked(arguments))
    return page_of_person(kind, where, **_asked(arguments))


def _filter_fields(resource: Resource) -> FilterFields:
    """What the resource's collections are filtered by. Raises OsdiError 400 where that is nothing."""
    if resource not in FILTER_FIELDS:
        raise invalid(f"A collection of {resource.collection} cannot be filtered.", "filter")
    return FILTER_FIELDS[resource]


def _asked(arguments: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "page": arguments["page"],
        "per_page": min(arguments.get("per_page", settings().per_page), settings().max_pagesize),
        "after": arguments.get("after"),
        "before": arguments.get("before"),
    }


def answer_page(
    resource: Resource,
    page: Page,
    arguments: Mapping[str, Any],
    *path: str,
    embedded: Mapping[str, Json] | None = None,
) -> Response:
    """The page in its envelope; its links repeat what was asked for besides the page."""
    kept = {name: str(arguments[key]) for key, name in REPEATED.items() if key in arguments}
    return answer(hal().collection(resource, page, *path, arguments=kept, embedded=embedded))
