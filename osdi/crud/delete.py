"""DELETE and what it takes along.

A person's outreaches stay, without the person, and a wrapper's messages, without the wrapper; what is held of people
who were merged into a person goes along. A tag, list or question takes its taggings, items or answers along. A campaign
with outreaches is refused, unless they are to go too; then they go first, so that a crash in between leaves a campaign
to delete again. Anything else goes first itself, on the condition of its version: a crash before what pointed at it was
mended leaves links that answer 404.
"""

from collections.abc import Callable

from osdi.crud.totals_store import total_outreaches
from osdi.crud.unlink_store import forget_wrapper, remove_entries
from osdi.documents import Document
from osdi.errors import conflict, not_found
from osdi.etags import check_if_match
from osdi.ids import now
from osdi.outreaches.deletion_store import delete_outreach
from osdi.people.lookup import get_person
from osdi.people.merged_people_store import all_ids, delete_merged_copies, ids_of, merged_copies_of
from osdi.people.outreach_links_store import forget_person
from osdi.resources import ADVOCACY_CAMPAIGN, ENTRIES, OUTREACH, PERSON, WRAPPER, Resource
from osdi.retry import retry_on_conflict
from osdi.statistics.invalidation_store import delete_rollups, invalidate_all
from osdi.store import Delete, Store


def delete(
    store: Store,
    resource: Resource,
    document_id: str,
    *,
    if_match: str | None = None,
    force: bool = False,
    belongs: Callable[[Document], bool] = lambda _: True,
) -> None:
    """Delete the document.

    Raises OsdiError 404, 409 for a campaign with outreaches without `force` or a person who was merged, 412.
    """

    def attempt() -> None:
        stored = store.get(resource.collection, document_id)
        if stored is None and resource is PERSON:
            _tell_survivor(store, document_id)
        if stored is None or not belongs(stored):
            raise not_found(f"There is no such {resource.name.replace('_', ' ')}.", resource.rel)
        check_if_match(stored, if_match)
        if resource is ADVOCACY_CAMPAIGN:
            _delete_outreaches(store, stored, force=force)
        if resource is OUTREACH:
            delete_outreach(store, stored)
            return
        store.write(Delete(resource.collection, document_id, stored["version"]))
        if resource is ADVOCACY_CAMPAIGN:
            delete_rollups(store, document_id)
        if resource is PERSON:
            gone = all_ids(ids_of(stored), merged_copies_of(store, ids_of(stored)))
            invalidate_all(store, {"person_id": {"$in": gone}})
            for person_id in gone:
                forget_person(store, person_id, now())
            delete_merged_copies(store, {"survivor_id": document_id})
        if resource is WRAPPER:
            forget_wrapper(store, document_id, now())
        for entry, (pointed_at, field) in ENTRIES.items():
            if pointed_at is resource:
                remove_entries(store, entry.collection, field, document_id, now())

    retry_on_conflict(attempt)


def _tell_survivor(store: Store, person_id: str) -> None:
    """Raises OsdiError 409 for a person who was merged: who deletes a duplicate seldom means the one that is left."""
    survivor = get_person(store, person_id)
    if survivor is not None:
        message = f"This person was merged into {survivor['_id']}; delete that one, if they are meant."
        raise conflict("MERGED", message, resource=PERSON.rel)


def _delete_outreaches(store: Store, campaign: Document, *, force: bool) -> None:
    if not total_outreaches(store, campaign):
        return
    if not force:
        message = "The campaign has outreaches; add ?force=true to delete them too."
        raise conflict("HAS_OUTREACHES", message, resource=ADVOCACY_CAMPAIGN.rel)
    store.delete_many(OUTREACH.collection, {"advocacy_campaign_id": campaign["_id"]})
