"""Reads ahead what a batch of rows is going to read, with a few commands.

The code that serves POSTs decides what it reads. A document that is not read ahead is read by itself, so a difference
between the two costs time only.
"""

from collections.abc import Callable, Sequence

from osdi.crud.reference_cache import Reference
from osdi.documents import Find, ReadOnlyDocument
from osdi.importing.batches.batch_store import BatchStore
from osdi.importing.loading.row_loader import Loaded
from osdi.match_keys import id_key
from osdi.resources import OUTREACH, PERSON, TAG, Resource
from osdi.store.indexes import SUPPRESSIONS, TOMBSTONES
from osdi.suppression.suppression_list import suppression_list

TombstoneIds = Callable[[Sequence[str]], list[str]]


def read_ahead(store: BatchStore, rows: Sequence[Loaded], tombstone_ids: TombstoneIds) -> None:
    """Reads the people, outreaches, opt-outs and tombstones of the rows. Raises OsdiError 503, BatchTooLarge.

    Tombstones come last: an erasure stores them before it deletes the person. So a person who was deleted by an erasure
    when people were read has tombstones when these are read.
    """
    found = [row for row in rows if row.rejected is None]
    store.read_owners(PERSON.collection, (key for row in found for key in _keys(row)))
    outreaches = [id_key(each) for row in found for each in row.body.get("identifiers", ()) if row.campaign]
    if outreaches:
        recorded = store.by_match_keys(OUTREACH.collection, outreaches)
        store.read_ids(PERSON.collection, (each["person_id"] for each in recorded if each.get("person_id")))
    suppressed = suppression_list(store)
    store.read_ids(SUPPRESSIONS, (suppressed.digest(key) for row in found for key in row.keys.contacts))
    store.read_ids(TOMBSTONES, (each for row in found for each in tombstone_ids(row.keys.all)))


def _keys(row: Loaded) -> tuple[str, ...]:
    return (*row.keys.all, *row.keys.names_and_postal_codes, *row.linked)


def remembering(reference: Reference, *, creates_tags: bool) -> Find:
    """Returns the search of `reference` for one batch: it looks only once for each thing, also if it does not exist.

    It looks again for a tag that an import which `creates_tags` may have created since.
    """
    known: dict[tuple[Resource, str], ReadOnlyDocument | None] = {}

    def find(resource: Resource, references: Sequence[str]) -> dict[str, ReadOnlyDocument]:
        wanted = [each for each in references if (resource, each) not in known]
        if wanted:
            found = reference.find(resource, wanted)
            missing = () if creates_tags and resource is TAG else wanted
            known.update({(resource, each): None for each in missing})
            known.update({(resource, each): document for each, document in found.items()})
        return {each: document for each in references if (document := known.get((resource, each))) is not None}

    return find
