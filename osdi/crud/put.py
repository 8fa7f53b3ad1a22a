"""PUT: changes the named fields of a document, replaces arrays, and clears what is null.

It reads the stored document, compares If-Match with its version, applies the change, derives the match keys, and writes
the fields that differ, unless another request has written meanwhile. `resource_rules` has the special rules of a
resource.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from osdi.crud.placeholders import reject_placeholders
from osdi.crud.resource_rules import rules_of
from osdi.documents import Document, ReadOnlyDocument
from osdi.errors import DuplicateKey, conflict, document_too_large, not_found
from osdi.etags import IfMatch, check_if_match
from osdi.ids import now
from osdi.match_keys import SLUG, MatchKeyRules, id_key
from osdi.people.merge_rules import exceeds_size_limit, without_own
from osdi.resources import Resource
from osdi.retry import retry_on_conflict
from osdi.store import Store, Update, Write

# Prefixes of match keys that do not derive from fields: a PUT keeps these keys.
KEPT_KEYS: Final = ("claimed:", "idempotency:", "repeat:", SLUG)


@dataclass(frozen=True)
class Change:
    """A loaded PUT: fields with new values, and names to clear (dotted inside objects).

    `if_match` has the versions that it may change; `by` is the id of the person whose token it uses.
    """

    fields: Mapping[str, Any]
    cleared: tuple[str, ...] = ()
    if_match: IfMatch = None
    by: str | None = None


def put(
    store: Store,
    resource: Resource,
    document_id: str,
    change: Change,
    rules: MatchKeyRules,
    *,
    belongs: Callable[[Document], bool] = lambda _: True,
    check: Callable[[Document], object] = lambda _: None,
) -> Document:
    """Returns the document after the change.

    `belongs` returns True for a document under the path of the request. `check` raises an error for an
    invalid document. Raises OsdiError 400, 404, 409 if an identifier or name belongs to another document, 412, 413.
    """

    def attempt() -> Document:
        stored = _find_document(store, resource, document_id, belongs)
        check_if_match(stored, change.if_match, merged=stored["_id"] != document_id)
        reject_placeholders(change.fields, resource, stored)
        changed = without_own(apply(resource, stored, change), rules)
        check(changed)
        _set_match_keys(store, resource, stored, changed, change.fields, rules)
        changed, opt_outs = _checked_opt_outs(store, resource, stored, changed, change.fields, rules)
        if changed == stored:
            if opt_outs:
                store.write(*opt_outs)
            store.wait_for_majority(resource.collection, stored)
            return stored
        if exceeds_size_limit(changed):
            raise document_too_large(resource.name)
        return _write_change(store, resource, stored, changed, opt_outs, change.by)

    return retry_on_conflict(attempt)


def apply(resource: Resource, stored: Document, change: Change) -> Document:
    """Returns the stored document with the change: objects change by name, other values are replaced."""
    changed = dict(stored)
    for path in change.cleared:
        name, _, inner = path.partition(".")
        if inner:
            changed[name] = {key: value for key, value in changed.get(name, {}).items() if key != inner}
        if not inner or not changed[name]:
            changed.pop(name, None)
    replace = rules_of(resource).replace
    for name, value in change.fields.items():
        if name in replace:
            changed[name] = replace[name](changed.get(name), value)
        elif isinstance(value, Mapping) and isinstance(changed.get(name), Mapping):
            changed[name] = {**changed[name], **value}
        else:
            changed[name] = value
    return changed


def _find_document(store: Store, resource: Resource, document_id: str, belongs: Callable[[Document], bool]) -> Document:
    find = rules_of(resource).find
    found = find(store, document_id) if find else store.get(resource.collection, document_id)
    if found is None or not belongs(found):
        raise not_found(f"There is no such {resource.name.replace('_', ' ')}.", resource.rel)
    return found


def _set_match_keys(
    store: Store,
    resource: Resource,
    stored: Document,
    changed: Document,
    named: ReadOnlyDocument,
    rules: MatchKeyRules,
) -> None:
    """Sets the match keys of a changed document to those that derive from its fields."""
    special = rules_of(resource)
    former = changed["match_keys"]
    keys = [rules.own_key(changed["_id"]), *(id_key(identifier) for identifier in changed.get("identifiers", ()))]
    if special.derive_keys:
        keys += special.derive_keys(store, changed, named, rules)
    keys += [key for key in former if key.startswith((*KEPT_KEYS, rules.own_key("")))]
    changed["match_keys"] = list(dict.fromkeys(keys))
    if special.derive_fields:
        special.derive_fields(rules, stored, changed, named)


def _checked_opt_outs(
    store: Store,
    resource: Resource,
    stored: Document,
    changed: Document,
    named: ReadOnlyDocument,
    rules: MatchKeyRules,
) -> tuple[Document, tuple[Write, ...]]:
    """Returns the changed document with the opt-outs that it keeps, and the writes to the suppression list."""
    check = rules_of(resource).check_opt_outs
    if check is None:
        return changed, ()
    checked = check(store, stored, changed, named, rules)
    return checked.person, checked.writes


def _write_change(
    store: Store,
    resource: Resource,
    stored: Document,
    changed: Document,
    opt_outs: tuple[Write, ...],
    by: str | None,
) -> Document:
    """Writes the fields that differ; returns the changed document with its new version. Raises OsdiError 409."""
    changed |= {"modified_date": now(), **({"modified_by_id": by} if by else {})}
    differing = {name: value for name, value in changed.items() if stored.get(name) != value}
    gone = tuple(name for name in stored if name not in changed)
    special = rules_of(resource)
    invalidation = special.invalidate(stored, changed)
    events = special.events(stored, changed)
    update = Update(resource.collection, stored["_id"], stored["version"], differing, gone, events)
    try:
        store.write(*opt_outs, *([invalidation] if invalidation else []), update)
    except DuplicateKey:
        _check_owners(store, resource, changed)
        raise
    return changed | {"version": stored["version"] + 1}


def _check_owners(store: Store, resource: Resource, changed: Document) -> None:
    """Raises OsdiError 409 if another document owns an identifier or name of the changed one."""
    others = store.by_match_keys(resource.collection, changed["match_keys"])
    lasting = {key for key in changed["match_keys"] if key.startswith(("id:", "name:"))}
    for other in others:
        if other["_id"] != changed["_id"] and lasting.intersection(other["match_keys"]):
            message = f"An identifier or name belongs to another {resource.name.replace('_', ' ')}."
            raise conflict("IDENTIFIERS_CLASH", message, "identifiers", resource=resource.rel)
