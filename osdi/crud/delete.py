"""DELETE: deletes a document, what belongs to it, and links to it.

A person's outreaches stay without the person, and a wrapper's messages without the wrapper; copies of people who were
merged into a person are deleted too. The taggings, items or answers of a tag, list or question are deleted. A campaign
with outreaches is deleted only with `force`; its outreaches are deleted first, so that a crash in between leaves a
campaign to delete again. Any other document is deleted first, on the condition of its version. `resource_rules` has
these rules.

A request that has read the document before may still write a link to it, such as an outreach of a deleted person or
campaign, and a crash may leave such links. So the write that deletes the document also stores a note in `deletions`.
When no such request can be running any more, a worker removes the links again and deletes the note. The deletion of a
person, outreach or campaign is published by a record of its own (see `osdi.deletions`).
"""

import datetime as dt
from collections.abc import Callable
from typing import Final

from osdi.crud.resource_rules import rules_of
from osdi.crud.unlink_store import remove_entries
from osdi.documents import Document, ReadOnlyDocument
from osdi.errors import not_found
from osdi.etags import IfMatch, check_if_match
from osdi.ids import now
from osdi.resources import ENTRIES, PERSON, RESOURCES, Resource
from osdi.retry import retry_on_conflict
from osdi.store import Delete, Replace, Store
from osdi.store.indexes import DELETIONS
from osdi.store.store import SETTLED

# Other processes may use a campaign, tag, list or question from their caches for CACHE_SECONDS, which is at most five
# minutes, and an import repeats a row for two.
CACHED: Final = dt.timedelta(minutes=10)


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
            return
        note = _note(store, resource, stored)
        belonging = (special.invalidate_deleted(stored), special.record([stored["_id"], *note["merged_ids"]]))
        store.write(
            *(each for each in belonging if each),
            Replace(DELETIONS, note),
            Delete(resource.collection, document_id, stored["version"]),
        )
        _remove_links(store, resource, stored)

    retry_on_conflict(attempt)


def complete_next_deletion(store: Store, timestamp: dt.datetime) -> bool:
    """Removes links that were written during a deletion, once it is `timestamp`; returns False if none is due.

    The first pass is after SETTLED. A resource that other processes may have cached gets a second one, after CACHED.
    Raises OsdiError 503.
    """
    note = store.find_one(DELETIONS, {"not_before": {"$lte": timestamp}}, sort=("not_before",))
    if note is None:
        return False
    resource = next(each for each in RESOURCES if each.collection == note["collection"])
    last = note["deleted_date"] + (SETTLED if resource is PERSON else CACHED)
    exists = store.get(resource.collection, note["_id"]) is not None
    if not exists:
        _remove_links(store, resource, note)
    if exists or note["not_before"] >= last:
        store.delete_many(DELETIONS, {"_id": note["_id"], "not_before": note["not_before"]})
    else:
        store.write(Replace(DELETIONS, {**note, "not_before": last}))
    return True


def _note(store: Store, resource: Resource, stored: Document) -> Document:
    """Returns the note of a deletion: ids only.

    It has what `after_delete` needs of the document. The document exists if the deletion has failed, or was undone by a
    restore; the note has no effect then.
    """
    timestamp = now()
    return {
        "_id": stored["_id"],
        "collection": resource.collection,
        "merged_ids": rules_of(resource).other_ids(store, stored),
        "deleted_date": timestamp,
        "not_before": timestamp + SETTLED,
    }


def _remove_links(store: Store, resource: Resource, document: ReadOnlyDocument) -> None:
    rules_of(resource).after_delete(store, document)
    _remove_entries(store, resource, document["_id"])


def _remove_entries(store: Store, resource: Resource, document_id: str) -> None:
    """Removes the entries inside people that point at the document, such as the taggings of a tag."""
    for entry, (pointed_at, field) in ENTRIES.items():
        if pointed_at is resource:
            remove_entries(store, entry.collection, field, document_id, now())
