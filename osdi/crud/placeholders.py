"""Rejects placeholder identifiers in requests that name their resource. Nothing is lost by an error there."""

from osdi.documents import ReadOnlyDocument
from osdi.errors import invalid
from osdi.resources import Resource
from osdi.values.identifiers import is_placeholder, not_an_id


def reject_placeholders(fields: ReadOnlyDocument, resource: Resource, stored: ReadOnlyDocument | None = None) -> None:
    """Raises OsdiError 400 for a placeholder among the identifiers, unless the stored document has it already."""
    known = (stored or {}).get("identifiers", ())
    for identifier in fields.get("identifiers", ()):
        if is_placeholder(identifier) and identifier not in known:
            raise invalid(
                f"{not_an_id(identifier)} Send the id, or leave it out.", "identifiers", resource=resource.rel
            )
