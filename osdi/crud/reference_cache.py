"""Cache of reference data: the campaigns, tags, lists, questions and messages that nearly every request looks up.

They change seldom, so each process keeps found documents for a few seconds. A reference that was not found is looked up
again.
"""

import threading
from collections.abc import Sequence
from typing import Final

from cachetools import TTLCache

from osdi.documents import Document
from osdi.errors import not_found
from osdi.match_keys import NAMED, SLUG, id_key, name_key, slug_key
from osdi.resources import ADVOCACY_CAMPAIGN, Resource, id_from
from osdi.store import Store

CACHED_DOCUMENTS: Final = 1_000
CACHED_REFERENCES: Final = 10_000


class Reference:
    """Finds reference data in one store.

    Documents are cached by id, and references by the id of their document. Different spellings of one reference
    take little memory.
    """

    def __init__(self, store: Store, *, cache_seconds: float) -> None:
        self._store = store
        self._documents: TTLCache[tuple[str, str], Document] = TTLCache(CACHED_DOCUMENTS, cache_seconds)
        self._ids: TTLCache[tuple[str, str], str] = TTLCache(CACHED_REFERENCES, cache_seconds)
        self._lock = threading.Lock()

    def campaign(self, campaign_id: str) -> Document:
        """Returns the campaign with this id. Raises OsdiError 404."""
        found = self._by_id(ADVOCACY_CAMPAIGN, [campaign_id])
        if not found:
            raise not_found("There is no such advocacy campaign.", ADVOCACY_CAMPAIGN.rel)
        return found[campaign_id]

    def find(self, resource: Resource, references: Sequence[str]) -> dict[str, Document]:
        """Returns the documents that names, URIs, identifiers and ids refer to, by the reference."""
        with self._lock:
            cached = {reference: self._cached(resource, reference) for reference in references}
        found = {reference: document for reference, document in cached.items() if document is not None}
        if len(found) == len(cached):
            return found
        ids = {reference: id_from(reference, resource) or reference for reference in references}
        with self._lock:
            ids |= {each: known for each in ids if (known := self._ids.get((resource.collection, each)))}
        # No id has a colon: identifiers and other systems' URIs are looked up by their match keys only.
        found = self._by_id(resource, [each for each in ids.values() if ":" not in each])
        unknown = [reference for reference, document_id in ids.items() if document_id not in found]
        if unknown:
            named = self._by_match_key(resource, unknown)
            found |= {document["_id"]: document for document in named.values()}
            ids |= {reference: document["_id"] for reference, document in named.items()}
        return {reference: found[document_id] for reference, document_id in ids.items() if document_id in found}

    def campaign_of_slug(self, slug: str) -> Document | None:
        """Returns the campaign that has this slug for its public page, or had it once; None if there is none."""
        with self._lock:
            document_id = self._ids.get((SLUG, slug))
        found = self._by_id(ADVOCACY_CAMPAIGN, [document_id]) if document_id else {}
        if not found:
            for owner in self._store.by_match_keys(ADVOCACY_CAMPAIGN.collection, [slug_key(slug)]):
                with self._lock:
                    self._ids[SLUG, slug] = owner["_id"]
                    self._documents[ADVOCACY_CAMPAIGN.collection, owner["_id"]] = owner
                return owner
        return next(iter(found.values()), None)

    def forget(self, resource: Resource, document_id: str) -> None:
        """Removes a changed document from this process's cache. In other processes it expires after `cache_seconds`."""
        with self._lock:
            self._documents.pop((resource.collection, document_id), None)
            for key in [key for key, known in self._ids.items() if known == document_id]:
                del self._ids[key]

    def _cached(self, resource: Resource, reference: str) -> Document | None:
        """Returns the cached document of a reference, or None; the caller holds the lock."""
        collection = resource.collection
        try:
            return self._documents[collection, self._ids.get((collection, reference), reference)]
        except KeyError:
            return None

    def _by_id(self, resource: Resource, ids: Sequence[str]) -> dict[str, Document]:
        with self._lock:
            found = {each: known for each in ids if (known := self._documents.get((resource.collection, each)))}
        missing = [each for each in ids if each not in found]
        if missing:
            read = self._store.by_ids(resource.collection, missing)
            found |= {document["_id"]: document for document in read}
            with self._lock:
                self._documents.update({(resource.collection, document["_id"]): document for document in read})
        return found

    def _by_match_key(self, resource: Resource, references: Sequence[str]) -> dict[str, Document]:
        keys = {id_key(reference): reference for reference in references}
        names = {name_key(reference) for reference in references} if resource in NAMED else set()
        owners = {
            key: document
            for document in self._store.by_match_keys(resource.collection, [*keys, *names])
            for key in document["match_keys"]
        }
        found = {}
        for key, reference in keys.items():
            document = owners.get(key) or (owners.get(name_key(reference)) if names else None)
            if document is not None:
                found[reference] = document
        with self._lock:
            self._ids.update({(resource.collection, each): document["_id"] for each, document in found.items()})
            self._documents.update({(resource.collection, document["_id"]): document for document in found.values()})
        return found
