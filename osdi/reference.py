"""Reference data: the campaigns, tags, lists, questions and tokens that nearly every request looks up.

They change seldom, so each process remembers what it found for a few seconds; what was not found is looked up again.
Posting one whose identifier, or for tags and lists whose name, is here already merges into it: a script that makes
sure of its tags may run twice.
"""

import threading
from collections.abc import Mapping
from typing import Any

from cachetools import TTLCache

from osdi.action_functions import id_from
from osdi.auth import Caller, caller_from, token_hash
from osdi.errors import conflict, not_found
from osdi.ids import new_id, now
from osdi.matching import id_key
from osdi.resources import ADVOCACY_CAMPAIGN, LIST, TAG, Resource
from osdi.retrying import look_again
from osdi.store import TOKENS, Document, Insert, Store, Update

NAMED = (TAG, LIST)
CACHED = 10_000


class Reference:
    """Finds and creates reference data in one store."""

    def __init__(self, store: Store, *, namespace: str, cache_seconds: float) -> None:
        self._store = store
        self._namespace = namespace
        self._cache: TTLCache[tuple[str, str], Document] = TTLCache(CACHED, cache_seconds)
        self._lock = threading.Lock()

    def caller(self, secret: str) -> Caller:
        """The holder of a token. Raises OsdiError 401 for one that is not known."""
        digest = token_hash(secret)
        return caller_from(self._remembered(TOKENS, digest, lambda: self._store.find_one(TOKENS, {"hash": digest})))

    def campaign(self, campaign_id: str) -> Document:
        """The campaign with this id. Raises OsdiError 404."""
        collection = ADVOCACY_CAMPAIGN.collection
        found = self._remembered(collection, campaign_id, lambda: self._store.get(collection, campaign_id))
        if found is None:
            raise not_found("There is no such advocacy campaign.", ADVOCACY_CAMPAIGN.rel)
        return found

    def find(self, resource: Resource, reference: str) -> Document | None:
        """What a name, URI, identifier or id refers to, or None."""
        return self._remembered(resource.collection, reference, lambda: self._look_up(resource, reference))

    def create(self, resource: Resource, body: Mapping[str, Any]) -> Document:
        """Create the resource, or merge into the one that it names. Raises OsdiError 409 where it names two."""
        return look_again(lambda: self._create(resource, body))

    def _create(self, resource: Resource, body: Mapping[str, Any]) -> Document:
        fields = {name: body[name] for name in ("identifiers", *resource.fields) if name in body}
        keys = [id_key(identifier) for identifier in fields.get("identifiers", ())]
        if resource in NAMED and "name" in fields:
            keys.append(_name_key(fields["name"]))
        owners = self._store.by_match_keys(resource.collection, keys)
        if len(owners) > 1:
            message = f"The identifiers and name belong to different {resource.collection}."
            raise conflict("IDENTIFIERS_CLASH", message, "identifiers", resource=resource.rel)
        moment = now()
        if not owners:
            document_id = new_id()
            document = {"_id": document_id, "version": 1, "created_date": moment, "modified_date": moment, **fields}
            document["match_keys"] = [id_key(f"{self._namespace}:{document_id}"), *keys]
            self._store.write(Insert(resource.collection, document))
            return document
        stored = owners[0]
        merged = stored | {name: _merged(name, stored.get(name), value) for name, value in fields.items()}
        merged["match_keys"] = [*stored["match_keys"], *(key for key in keys if key not in stored["match_keys"])]
        if merged != stored:
            merged["modified_date"] = moment
            changed = {name: value for name, value in merged.items() if stored.get(name) != value}
            self._store.write(Update(resource.collection, stored["_id"], stored["version"], changed))
        return merged

    def _look_up(self, resource: Resource, reference: str) -> Document | None:
        found = self._store.get(resource.collection, id_from(reference, resource) or reference)
        if found is None:
            keys = [id_key(reference), *([_name_key(reference)] if resource in NAMED else [])]
            found = next(iter(self._store.by_match_keys(resource.collection, keys)), None)
        return found

    def _remembered(self, collection: str, key: str, look_up: Any) -> Document | None:
        with self._lock:
            found = self._cache.get((collection, key))
        if found is None:
            found = look_up()
            if found is not None:
                with self._lock:
                    self._cache[collection, key] = found
        return found


def _name_key(name: str) -> str:
    """Match key of a tag's or list's name; letter case and spacing make no difference."""
    return "name:" + " ".join(name.casefold().split())


def _merged(name: str, stored: Any, posted: Any) -> Any:
    """Arrays grow by the entries they lack, a question's responses by their key; anything else is replaced."""
    if not isinstance(stored, list) or not isinstance(posted, list):
        return posted
    if name == "responses":
        return list({entry["key"]: entry for entry in (*stored, *posted)}.values())
    return [*stored, *(entry for entry in posted if entry not in stored)]
