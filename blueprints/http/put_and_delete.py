"""PUT and DELETE of one document, or of one entry inside a person: the same for every resource."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from flask import Response, request
from marshmallow import ValidationError

from blueprints.http.context import answer, caller, reference, settings, store
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
    """Returns the entity tags of the header If-Match; None if there is none, or if it is `*`: any version will do."""
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
    """The document after a loaded PUT; `check` raises ValidationError for what the change must not make of it."""

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
    """Delete the document and say so, as the standard's pages do: 200 with a notice."""
    delete(store(), resource, document_id, if_match=if_match(), force=force, belongs=belongs)
    reference().forget(resource, document_id)
    return answer({"notice": f"This {resource.name.replace('_', ' ')} was successfully deleted."})


def erased(person_id: str, outreaches: str) -> Response:
    """Erase the person and say so."""
    erase(store(), person_id, settings().match_key_rules, outreaches, if_match=if_match())
    return answer({"notice": "This person was successfully erased."})


def change_entry(
    kind: Embedded, parent_id: str, entry_id: str, body: Mapping[str, Any], check: Check = lambda _: None
) -> Document:
    """A person's entry after a loaded PUT; the links that the PUT repeats cannot be moved."""
    fields = {name: value for name, value in body["fields"].items() if name != "pointing"}
    wanted = Change(fields, body["cleared"], if_match())
    return subresources.change(store(), kind, parent_id, entry_id, wanted, check)


def remove_entry(kind: Embedded, parent_id: str, entry_id: str) -> Response:
    """Remove the entry from its person and say so."""
    subresources.remove(store(), kind, parent_id, entry_id, if_match())
    return answer({"notice": f"This {kind.resource.name} was successfully deleted."})
