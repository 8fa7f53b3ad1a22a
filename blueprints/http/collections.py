"""Reads one document or one page of a collection, for every resource."""

from collections.abc import Callable, Mapping
from typing import Any, Final
from urllib.parse import quote

from flask import Response, request

from blueprints.http.context import hal, hal_response, settings, store
from osdi.crud import totals_store
from osdi.crud.subresources import Embedded, get_of_person, page_of_parent, page_of_person
from osdi.documents import Document, Json
from osdi.errors import invalid, moved, not_found
from osdi.odata.fields import FilterFields
from osdi.odata.osdi_fields import FILTER_FIELDS
from osdi.paging import Page
from osdi.people.lookup import get_person
from osdi.resources import PERSON, Resource

# Arguments of a collection that its links repeat, and their names in the URL.
REPEATED: Final = {"per_page": "per_page", "filter": "filter", "expand": "$expand"}


def get_or_404(resource: Resource, document_id: str, belongs: Callable[[Document], bool] = lambda _: True) -> Document:
    """Returns the document with this id. Raises OsdiError 404, or 301 for a person who was merged into another one.

    `belongs` is true for documents below the URL of the request.
    """
    found = store().get(resource.collection, document_id)
    if found is None and resource is PERSON:
        _redirect_to_survivor(document_id)
    if found is None or not belongs(found):
        raise not_found(f"There is no such {resource.name.replace('_', ' ')}.", resource.rel)
    return found


def _redirect_to_survivor(person_id: str) -> None:
    """Raises OsdiError 301 to the same URL of the surviving person, if the person was merged into another one."""
    survivor = get_person(store(), person_id)
    if survivor is None:
        return
    below = quote(request.path.partition(f"/{PERSON.collection}/{person_id}")[2])
    query = request.query_string.decode("ascii", "replace")
    location = f"{hal().href(PERSON.collection, survivor['_id'])}{below}{f'?{query}' if query else ''}"
    raise moved("This person was merged into another one.", location, PERSON.rel)


def get_entry_of_person(kind: Embedded, person_id: str, entry_id: str) -> Document:
    """Returns an entry of a person. Raises OsdiError 404, or 301 for a person who was merged into another one."""
    return get_of_person(store(), kind, get_or_404(PERSON, person_id), entry_id)


def with_total(resource: Resource, document: Mapping[str, Any]) -> Document:
    """Returns the document with its computed total: a campaign's outreaches or a list's items."""
    return totals_store.with_total(store(), resource, document)


def read_page(
    resource: Resource, arguments: Mapping[str, Any], query: Mapping[str, Any], total_records: int | None = None
) -> Page:
    """Returns a page of the documents that the query selects.

    `arguments` is `{page, per_page?, filter?, after?, before?}`. `total_records` is the number of selected documents,
    if known. Raises OsdiError 400 for an invalid filter, and for a resource that cannot be filtered.
    """
    if arguments.get("filter"):
        from osdi.odata.query import to_query  # lark and its grammar take 2 MB

        selected = to_query(arguments["filter"], _filter_fields(resource), settings().match_key_rules)
        query, total_records = {"$and": [query, selected]} if query else selected, None
    return store().page(resource.collection, query, total_records=total_records, **_page_arguments(arguments))


def read_entries(kind: Embedded, where: str | Document, arguments: Mapping[str, Any]) -> Page:
    """Returns a page of the entries that refer to an id, or of the entries in a person's document."""
    if arguments.get("filter"):
        _filter_fields(kind.resource)
    if isinstance(where, str):
        return page_of_parent(store(), kind, where, **_page_arguments(arguments))
    return page_of_person(store(), kind, where, **_page_arguments(arguments))


def _filter_fields(resource: Resource) -> FilterFields:
    """Returns the fields for filters of the resource. Raises OsdiError 400 if it cannot be filtered."""
    if resource not in FILTER_FIELDS:
        raise invalid(f"A collection of {resource.collection} cannot be filtered.", "filter")
    return FILTER_FIELDS[resource]


def _page_arguments(arguments: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "page": arguments["page"],
        "per_page": min(arguments.get("per_page", settings().per_page), settings().max_pagesize),
        "after": arguments.get("after"),
        "before": arguments.get("before"),
    }


def page_response(
    resource: Resource,
    page: Page,
    arguments: Mapping[str, Any],
    *path: str,
    embedded: Mapping[str, Json] | None = None,
) -> Response:
    """Returns the page in its envelope; its links repeat the filter, `$expand` and the page size of the request."""
    repeated = {name: str(arguments[key]) for key, name in REPEATED.items() if key in arguments}
    return hal_response(hal().collection(resource, page, *path, arguments=repeated, embedded=embedded))
