"""PUT and DELETE of one document or of one entry of a person, for every resource."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from flask import Response, request
from marshmallow import ValidationError

from blueprints.http.context import caller, hal_response, reference, settings, store
from osdi.crud import subresources
from osdi.crud.delete import delete
from osdi.crud.put import Change, put
from osdi.crud.subresources import Check, Embedded
from osdi.documents import Document
from osdi.errors import invalid_properties
from osdi.etags import IfMatch
from osdi.privacy.erasure import erase
from osdi.resources import Resource

IF_MATCH: Final = "If-Match"


def if_match() -> IfMatch:
    """Returns the entity tags of the header If-Match; None without the header or for `*`, which allow any version."""
    header = request.headers.get(IF_MATCH)
    if header is None or header.strip() == "*":
        return None
    # Werkzeug also accepts tags without quotes, which are not in RFC 9110.
    quoted = (f'"{tag}"' for tag in request.if_match.as_set())
    return frozenset(tag for tag in quoted if tag in header)


def change(
    resource: Resource,
    document_id: str,
    body: Mapping[str, Any],
    *,
    belongs: Callable[[Document], bool] = lambda _: True,
    check: Callable[[Document], None] = lambda _: None,
) -> Document:
    """Changes the document by a loaded PUT and returns it; `check` raises ValidationError for an invalid result."""

    def checked(document: Document) -> None:
        try:
            check(document)
        except ValidationError as error:
            raise invalid_properties(error.messages, resource=resource.rel) from error

    changed = put(
        store(),
        resource,
        document_id,
        Change(body["fields"], body["cleared"], if_match(), caller().person_id),
        settings().match_key_rules,
        belongs=belongs,
        check=checked,
    )
    reference().forget(resource, document_id)
    return changed


def remove(
    resource: Resource,
    document_id: str,
    *,
    force: bool = False,
    belongs: Callable[[Document], bool] = lambda _: True,
) -> Response:
    """Deletes the document; returns 200 with a notice, as the standard's pages do."""
    delete(store(), resource, document_id, if_match=if_match(), force=force, belongs=belongs)
    reference().forget(resource, document_id)
    return hal_response({"notice": f"This {resource.name.replace('_', ' ')} was successfully deleted."})


def erase_person(person_id: str, outreaches: str) -> Response:
    """Erases the person; returns 200 with a notice."""
    erase(store(), person_id, settings().match_key_rules, outreaches, if_match=if_match())
    return hal_response({"notice": "This person was successfully erased."})


def change_entry(
    kind: Embedded, parent_id: str, entry_id: str, body: Mapping[str, Any], check: Check = lambda _: None
) -> Document:
    """Changes a person's entry by a loaded PUT and returns it; the PUT cannot change the entry's links."""
    fields = {name: value for name, value in body["fields"].items() if name != "pointing"}
    changes = Change(fields, body["cleared"], if_match())
    return subresources.change(store(), kind, parent_id, entry_id, changes, check)


def remove_entry(kind: Embedded, parent_id: str, entry_id: str) -> Response:
    """Deletes the entry of a person; returns 200 with a notice."""
    subresources.remove(store(), kind, parent_id, entry_id, if_match())
    return hal_response({"notice": f"This {kind.resource.name} was successfully deleted."})
