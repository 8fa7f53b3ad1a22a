"""Reference data: the campaigns, tags, lists, questions and tokens that nearly every request looks up.

They change seldom, so each process remembers what it found for a few seconds; what was not found is looked up again.
Posting one whose identifier, or for tags and lists whose name, is here already merges into it: a script that makes
sure of its tags may run twice.
"""

import datetime as dt
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from cachetools import LRUCache, TTLCache

from osdi.access.authentication import MINUTE
from osdi.access.token_store import mark_used
from osdi.access.tokens import Caller, caller_from, token_hash
from osdi.crud.create import _merged, _too_large
from osdi.documents import Document
from osdi.errors import conflict, not_found
from osdi.ids import new_id, now
from osdi.match_keys import NAMED, MatchKeyRules, id_key, name_key
from osdi.people.merge_rules import exceeds_size_limit, without_own
from osdi.resources import ADVOCACY_CAMPAIGN, REFERENCES, Resource, id_from
from osdi.retry import retry_on_conflict
from osdi.store import Insert, Store, Update
from osdi.store.indexes import TOKENS

CACHED_DOCUMENTS = 1_000
CACHED_REFERENCES = 10_000


class Reference:
    """Finds and creates reference data in one store.

    Documents are remembered by their id, and what refers to one only by that id: however many spellings of one
    reference are sent, they take no more memory than their own length.
    """

    def __init__(self, store: Store, rules: MatchKeyRules, *, cache_seconds: float) -> None:
        self._store = store
        self._rules = rules
        self._documents: TTLCache[tuple[str, str], Document] = TTLCache(CACHED_DOCUMENTS, cache_seconds)
        self._ids: TTLCache[tuple[str, str], str] = TTLCache(CACHED_REFERENCES, cache_seconds)
        self._used: LRUCache[str, dt.datetime] = LRUCache(CACHED_DOCUMENTS)
        self._lock = threading.Lock()

    def caller(self, secret: str) -> Caller:
        """The holder of a token, who is noted as having used it. Raises OsdiError 401 for one that is not valid."""
        digest = token_hash(secret)
        with self._lock:
            found = self._documents.get((TOKENS, digest))
        if found is None:
            found = self._store.find_one(TOKENS, {"hash": digest})
            if found is not None:
                with self._lock:
                    self._documents[TOKENS, digest] = found
        timestamp = now()
        caller = caller_from(found, timestamp)
        if found is not None:
            self._note_use(found, timestamp)
        return caller

    def campaign(self, campaign_id: str) -> Document:
        """The campaign with this id. Raises OsdiError 404."""
        found = self._by_id(ADVOCACY_CAMPAIGN, [campaign_id])
        if not found:
            raise not_found("There is no such advocacy campaign.", ADVOCACY_CAMPAIGN.rel)
        return found[campaign_id]

    def find(self, resource: Resource, references: Sequence[str]) -> dict[str, Document]:
        """What names, URIs, identifiers and ids refer to, by the reference; what refers to nothing is left out."""
        with self._lock:
            remembered = {reference: self._remembered(resource, reference) for reference in references}
        found = {reference: document for reference, document in remembered.items() if document is not None}
        if len(found) == len(remembered):
            return found
        ids = {reference: id_from(reference, resource) or reference for reference in references}
        with self._lock:
            ids |= {each: known for each in ids if (known := self._ids.get((resource.collection, each)))}
        found = self._by_id(resource, list(ids.values()))
        unknown = [reference for reference, document_id in ids.items() if document_id not in found]
        if unknown:
            named = self._by_match_key(resource, unknown)
            found |= {document["_id"]: document for document in named.values()}
            ids |= {reference: document["_id"] for reference, document in named.items()}
        return {reference: found[document_id] for reference, document_id in ids.items() if document_id in found}

    def forget(self, resource: Resource, document_id: str) -> None:
        """Look a changed document up again. Other processes do so when their few seconds are over."""
        with self._lock:
            self._documents.pop((resource.collection, document_id), None)
            for key in [key for key, known in self._ids.items() if known == document_id]:
                del self._ids[key]

    def create(
        self,
        resource: Resource,
        body: Mapping[str, Any],
        by: str | None = None,
        *,
        check: Callable[[Document], None] = lambda _: None,
    ) -> Document:
        """Create the resource, or merge into the one that it names; `by` is the id of the person who does.

        `check` may refuse what would be stored. Raises OsdiError 409 where it names two, 413, or what `check` raises.
        """
        return retry_on_conflict(lambda: self._create(resource, body, by, check))

    def _note_use(self, token: Document, timestamp: dt.datetime) -> None:
        """Note a token's use to the minute: one write a minute and process at most, none where another was first."""
        stored = token.get("last_used_date")
        with self._lock:
            noted = self._used.get(token["_id"])
            if any(earlier is not None and timestamp - earlier < MINUTE for earlier in (stored, noted)):
                return
            self._used[token["_id"]] = timestamp
        mark_used(self._store, token["_id"], timestamp.replace(second=0))

    def _create(
        self, resource: Resource, body: Mapping[str, Any], by: str | None, check: Callable[[Document], None]
    ) -> Document:
        names = ("identifiers", *resource.fields, *REFERENCES.get(resource, ()))
        fields = {name: body[name] for name in names if name in body}
        keys = [id_key(identifier) for identifier in fields.get("identifiers", ())]
        if resource in NAMED and "name" in fields:
            keys.append(name_key(fields["name"]))
        owners = self._store.by_match_keys(resource.collection, keys)
        if len(owners) > 1:
            message = f"The identifiers and name belong to different {resource.collection}."
            raise conflict("IDENTIFIERS_CLASH", message, "identifiers", resource=resource.rel)
        timestamp = now()
        if not owners:
            document_id = new_id()
            document = {
                "_id": document_id,
                "version": 1,
                "created_date": timestamp,
                "modified_date": timestamp,
                **fields,
            }
            if by:
                document |= {"creator_id": by, "modified_by_id": by}
            document["match_keys"] = [self._rules.own_key(document_id), *keys]
            check(document)
            if exceeds_size_limit(document):
                raise _too_large(resource)
            self._store.write(Insert(resource.collection, document))
            return document
        stored = owners[0]
        fields = without_own({**fields, "_id": stored["_id"]}, self._rules)
        merged = stored | {name: _merged(name, stored.get(name), value) for name, value in fields.items()}
        if merged.get("question_type") != stored.get("question_type"):
            message = f"The question is of type {stored['question_type']}, and may have been answered as such."
            raise conflict("QUESTION_TYPE_CHANGED", message, "question_type", resource=resource.rel)
        former = {name_key(stored["name"])} if "name" in fields and "name" in stored else set()
        kept = [key for key in stored["match_keys"] if key in keys or key not in former]
        merged["match_keys"] = [*kept, *(key for key in keys if key not in kept)]
        check(merged)
        if exceeds_size_limit(merged):
            raise _too_large(resource)
        if merged != stored:
            merged["modified_date"] = timestamp
            if by:
                merged["modified_by_id"] = by
            changed = {name: value for name, value in merged.items() if stored.get(name) != value}
            self._store.write(Update(resource.collection, stored["_id"], stored["version"], changed))
        return merged

    def _remembered(self, resource: Resource, reference: str) -> Document | None:
        """What the reference was found to mean, if that is remembered; the lock is the caller's."""
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
