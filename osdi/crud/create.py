"""POST of a tag, list, question, campaign, message or wrapper: creates it, or merges into an existing one.

A post whose identifier belongs to a stored resource, or whose name belongs to a stored tag or list, changes that one.
So a script that creates its tags can run twice.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

from osdi.crud.placeholders import reject_placeholders
from osdi.crud.resource_rules import rules_of
from osdi.documents import Document
from osdi.errors import conflict, document_too_large
from osdi.fields.definition import Objects
from osdi.ids import new_id, now
from osdi.match_keys import NAMED, MatchKeyRules, id_key, name_key
from osdi.people.merge_rules import exceeds_size_limit, without_own
from osdi.resources import QUESTION, REFERENCES, Resource
from osdi.retry import retry_on_conflict
from osdi.store import Insert, Store, Update

Check = Callable[[Document], None]

# The arrays of objects whose entries have a key, and its property.
KEYS: Final = {
    each.name: str(each.same_by[0][0]) for each in QUESTION.table if isinstance(each, Objects) and each.same_by
}


def create(
    store: Store,
    resource: Resource,
    body: Mapping[str, Any],
    rules: MatchKeyRules,
    *,
    by: str | None = None,
    check: Check = lambda _: None,
) -> Document:
    """Creates the resource, or merges the body into the one with its identifiers or name; returns the document.

    `by` is the id of the person whose token sends the post. `check` may reject the document before it is stored. Raises
    OsdiError 409 if the identifiers and name belong to two documents, 413, or what `check` raises.
    """
    names = ("identifiers", *resource.fields, *REFERENCES.get(resource, ()))
    fields = {name: body[name] for name in names if name in body}
    reject_placeholders(fields, resource)
    keys = [id_key(identifier) for identifier in fields.get("identifiers", ())]
    if resource in NAMED and "name" in fields:
        keys.append(name_key(fields["name"]))

    def attempt() -> Document:
        owners = store.by_match_keys(resource.collection, keys)
        if len(owners) > 1:
            message = f"The identifiers and name belong to different {resource.collection}."
            raise conflict("IDENTIFIERS_CLASH", message, "identifiers", resource=resource.rel)
        document = _merged(resource, owners[0], fields, keys, rules) if owners else _new(resource, fields, keys, rules)
        check(document)
        if exceeds_size_limit(document):
            raise document_too_large(resource.name)
        if not owners:
            return _insert(store, resource, document, by)
        return _update(store, resource, owners[0], document, by)

    return retry_on_conflict(attempt)


def _new(resource: Resource, fields: Mapping[str, Any], keys: list[str], rules: MatchKeyRules) -> Document:
    document_id, timestamp = new_id(), now()
    return {
        "_id": document_id,
        "version": 1,
        "created_date": timestamp,
        "modified_date": timestamp,
        **fields,
        **rules_of(resource).defaults(fields),
        "match_keys": [rules.own_key(document_id), *keys],
    }


def _insert(store: Store, resource: Resource, document: Document, by: str | None) -> Document:
    if by:
        document |= {"creator_id": by, "modified_by_id": by}
    store.write(Insert(resource.collection, document))
    return document


def _merged(
    resource: Resource, stored: Document, posted: Mapping[str, Any], keys: list[str], rules: MatchKeyRules
) -> Document:
    """Returns the stored document with the posted fields. Raises OsdiError 409 for another type of question."""
    fields = without_own({**posted, "_id": stored["_id"]}, rules)
    merged = stored | {name: _merged_value(name, stored.get(name), value) for name, value in fields.items()}
    if merged.get("question_type") != stored.get("question_type"):
        message = f"The question has type {stored['question_type']}, which cannot be changed: it may have answers."
        raise conflict("QUESTION_TYPE_CHANGED", message, "question_type", resource=resource.rel)
    former = {name_key(stored["name"])} if "name" in fields and "name" in stored else set()
    kept = [key for key in stored["match_keys"] if key in keys or key not in former]
    merged["match_keys"] = [*kept, *(key for key in keys if key not in kept)]
    return merged


def _merged_value(name: str, stored: Any, posted: Any) -> Any:
    """Arrays gain the entries that they lack, a question's responses by their key; other values are replaced."""
    if not isinstance(stored, list) or not isinstance(posted, list):
        return posted
    if key := KEYS.get(name):
        return list({entry[key]: entry for entry in (*stored, *posted)}.values())
    return [*stored, *(entry for entry in posted if entry not in stored)]


def _update(store: Store, resource: Resource, stored: Document, merged: Document, by: str | None) -> Document:
    if merged == stored:
        return merged
    merged["modified_date"] = now()
    if by:
        merged["modified_by_id"] = by
    changed = {name: value for name, value in merged.items() if stored.get(name) != value}
    store.write(Update(resource.collection, stored["_id"], stored["version"], changed))
    return merged
