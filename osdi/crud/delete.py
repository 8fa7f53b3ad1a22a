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

A tag may be on hundreds of thousands of people. The request removes entries for REQUEST_SECONDS. The worker removes the
others, a few seconds at a time under a lease on the note. No reading shows them meanwhile (see `existing_entries`).
"""

import datetime as dt
from collections.abc import Callable
from typing import Final

from osdi.crud.entry_removal import remove_entries
from osdi.crud.resource_rules import rules_of
from osdi.crud.unlink_store import LEASED, lease_note
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
# Of a request, and of one call of the worker.
REQUEST_SECONDS: Final = 1.0
WORKER_SECONDS: Final = 2.0


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
        if not _remove_links(store, resource, note, REQUEST_SECONDS):
            store.write(Replace(DELETIONS, {**note, "not_before": note["deleted_date"]}))

    retry_on_conflict(attempt)


def complete_next_deletion(store: Store, timestamp: dt.datetime) -> bool:
    """Removes links that a deletion has left, once it is `timestamp`; returns False if none is due.

    A deletion that a request could not complete is due at once, and goes on in the next call if it takes longer than
    WORKER_SECONDS. Links that were written during a deletion are removed after SETTLED. A resource that other processes
    may have cached gets another pass, after CACHED. Raises OsdiError 503.
    """
    note = lease_note(store, timestamp)
    if note is None:
        return False
    del note[LEASED]
    resource = next(each for each in RESOURCES if each.collection == note["collection"])
    exists = store.get(resource.collection, note["_id"]) is not None
    if not exists and not _remove_links(store, resource, note, WORKER_SECONDS):
        store.write(Replace(DELETIONS, note))
        return True
    passes = (SETTLED,) if resource is PERSON else (SETTLED, CACHED)
    following = (note["deleted_date"] + each for each in passes)
    not_before = None if exists else next((each for each in following if each > note["not_before"]), None)
    if not_before is None:
        store.delete_many(DELETIONS, {"_id": note["_id"], "not_before": note["not_before"]})
    else:
        store.write(Replace(DELETIONS, {**note, "not_before": not_before}))
    return True


def _note(store: Store, resource: Resource, stored: Document) -> Document:
    """Returns the note of a deletion: ids, and the match keys of a tag, list or question.

    It has what removing the links needs. The document exists if the deletion has failed, or was undone by a restore;
    the note has no effect then.
    """
    timestamp = now()
    has_entries = any(resource is parent for parent, _ in ENTRIES.values())
    return {
        **({"keys": stored["match_keys"]} if has_entries else {}),
        "_id": stored["_id"],
        "collection": resource.collection,
        "merged_ids": rules_of(resource).other_ids(store, stored),
        "deleted_date": timestamp,
        "not_before": timestamp + SETTLED,
    }


def _remove_links(store: Store, resource: Resource, note: ReadOnlyDocument, seconds: float) -> bool:
    """Removes the links to a deleted document; returns False if entries are left after `seconds`."""
    rules_of(resource).after_delete(store, note)
    return remove_entries(store, resource, note["_id"], note.get("keys", ()), seconds)
