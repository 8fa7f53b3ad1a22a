"""DELETE: deletes a document, what belongs to it, and links to it.

A person's outreaches stay without the person, and a wrapper's messages without the wrapper; copies of people who were
merged into a person are deleted too. The taggings, items or answers of a tag, list or question are deleted. A campaign
with outreaches is deleted only with `force`; its outreaches are deleted first, so that a crash in between leaves a
campaign to delete again. Any other document is deleted first, on the condition of its version: a crash before the links
to it are removed leaves links that answer 404. `resource_rules` has these rules.
"""

from collections.abc import Callable

from osdi.crud.resource_rules import rules_of
from osdi.crud.unlink_store import remove_entries
from osdi.documents import Document
from osdi.errors import not_found
from osdi.etags import IfMatch, check_if_match
from osdi.ids import now
from osdi.resources import ENTRIES, Resource
from osdi.retry import retry_on_conflict
from osdi.store import Delete, Store


def delete(
    store: Store,
    resource: Resource,
    document_id: str,
    *,
    if_match: IfMatch = None,
    force: bool = False,
    belongs: Callable[[Document], bool] = lambda _: True,
) -> None:
    """Deletes the document; `belongs` returns True for a document under the path of the request.

    Raises OsdiError 404, 409 for a campaign with outreaches without `force` or a person who was merged, 412.
    """
    special = rules_of(resource)

    def attempt() -> None:
        stored = store.get(resource.collection, document_id)
        if stored is None:
            special.check_missing(store, document_id)
        if stored is None or not belongs(stored):
            raise not_found(f"There is no such {resource.name.replace('_', ' ')}.", resource.rel)
        check_if_match(stored, if_match)
        special.before_delete(store, stored, force)
        if special.delete:
            special.delete(store, stored)
        else:
            store.write(Delete(resource.collection, document_id, stored["version"]))
        special.after_delete(store, stored)
        _remove_entries(store, resource, document_id)

    retry_on_conflict(attempt)


def _remove_entries(store: Store, resource: Resource, document_id: str) -> None:
    """Removes the entries inside people that point at the document, such as the taggings of a tag."""
    for entry, (pointed_at, field) in ENTRIES.items():
        if pointed_at is resource:
            remove_entries(store, entry.collection, field, document_id, now())
