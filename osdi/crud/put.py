"""PUT and its conditions: named fields only, arrays replaced, null clears ("You can update ... by calling a PUT").

The process: the stored document is read, an If-Match is held against its version, the change is applied, the match keys
follow it, and what differs is written on the condition that nobody else wrote meanwhile.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from osdi.documents import Document
from osdi.errors import DuplicateKey, ErrorDescription, OsdiError, conflict, not_found
from osdi.etags import check_if_match
from osdi.ids import now
from osdi.match_keys import NAMED, MatchKeyRules, id_key, name_and_postal_code_keys, name_key
from osdi.people.lookup import get_person
from osdi.people.merge import finish_merges_of
from osdi.people.merge_rules import (
    CONTACT_VALUE,
    exceeds_size_limit,
    keep_status,
    of_change,
    one_primary,
    same_email,
    without_own,
)
from osdi.resources import OUTREACH, PERSON, Resource
from osdi.retry import retry_on_conflict
from osdi.statistics.invalidation import invalidate
from osdi.store import Store, Update


@dataclass(frozen=True)
class Change:
    """A loaded PUT: fields with new values, names to clear (dotted inside objects), the If-Match header, who asks."""

    fields: Mapping[str, Any]
    cleared: tuple[str, ...] = ()
    if_match: str | None = None
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
    """The document after the change.

    `belongs` says whether it stands under the address that was asked for; `check` may refuse what the change makes of
    it. Raises OsdiError 404, 409 where an identifier or name belongs to another, 412, 413.
    """

    def attempt() -> Document:
        is_person = resource is PERSON
        stored = get_person(store, document_id) if is_person else store.get(resource.collection, document_id)
        if stored is None or not belongs(stored):
            raise not_found(f"There is no such {resource.name.replace('_', ' ')}.", resource.rel)
        check_if_match(stored, change.if_match, merged=stored["_id"] != document_id)
        changed = without_own(apply(resource, stored, change), rules)
        check(changed)
        _follow_with_keys(store, resource, changed, change.fields, rules)
        if changed == stored:
            store.wait_for_majority(resource.collection, stored)
            return stored
        if exceeds_size_limit(changed):
            raise OsdiError(413, ErrorDescription("TOO_LARGE", f"The {resource.name} would outgrow its bound."))
        changed["modified_date"] = now()
        if change.by:
            changed["modified_by_id"] = change.by
        differing = {name: value for name, value in changed.items() if stored.get(name) != value}
        gone = tuple(name for name in stored if name not in changed)
        try:
            events = of_change(stored, changed) if is_person else ()
            touched = invalidate(stored, changed) if resource is OUTREACH else None
            update = Update(resource.collection, stored["_id"], stored["version"], differing, gone, events)
            store.write(*([touched] if touched else []), update)
        except DuplicateKey:
            _tell_whose(store, resource, changed)
            raise
        return changed | {"version": stored["version"] + 1}

    return retry_on_conflict(attempt)


def apply(resource: Resource, stored: Document, change: Change) -> Document:
    """The stored document with the change: objects change by name, anything else that is named is replaced."""
    changed = dict(stored)
    for path in change.cleared:
        name, _, inner = path.partition(".")
        if inner:
            changed[name] = {key: value for key, value in changed.get(name, {}).items() if key != inner}
        if not inner or not changed[name]:
            changed.pop(name, None)
    for name, value in change.fields.items():
        if isinstance(value, Mapping) and isinstance(changed.get(name), Mapping):
            changed[name] = {**changed[name], **value}
        elif resource is PERSON and name in CONTACT_VALUE:
            changed[name] = one_primary(_contacts(changed.get(name, []), value, CONTACT_VALUE[name]))
        else:
            changed[name] = one_primary(value) if name == "postal_addresses" else value
    return changed


def _contacts(stored: list[Any], posted: list[Any], value: str) -> list[Any]:
    """The posted entries; one without an address or number is about the primary entry, not an entry of its own."""
    entries = [_unlifted(stored, entry) for entry in posted if value in entry] or [dict(entry) for entry in stored]
    primary = next((entry for entry in entries if entry.get("primary")), entries[0] if entries else None)
    for entry in posted:
        if value not in entry and primary is not None:
            primary.update(entry)
    return entries


def _unlifted(stored: list[Any], entry: Mapping[str, Any]) -> dict[str, Any]:
    """The posted entry; where it says no status, that by which no mail goes there stays."""
    if "status" in entry:
        return dict(entry)
    return keep_status(next((each for each in stored if same_email(each, entry)), entry), dict(entry))


def _follow_with_keys(
    store: Store, resource: Resource, changed: Document, named: Mapping[str, Any], rules: MatchKeyRules
) -> None:
    """Make the match keys say what the document says.

    A contact detail that another person owns stays unclaimed; and so does one that a stranger has added, until a change
    names it: nobody confirms an address by correcting a name or a status.
    """
    keys = [rules.own_key(changed["_id"]), *(id_key(identifier) for identifier in changed.get("identifiers", ()))]
    former = changed["match_keys"]
    kept_kinds = ("claimed:", "idempotency:")
    if resource in NAMED:
        keys.append(name_key(changed["name"]))
    if resource is PERSON:
        known = (*former, *changed.get("unclaimed_keys", ()))
        namesakes = [key for key in name_and_postal_code_keys(changed) if key not in known]
        new = [*(key for key in rules.contact_keys(named) if key not in former), *namesakes]
        owned = {key for person in store.by_match_keys(resource.collection, new) for key in person["match_keys"]}
        finish_merges_of(store, [key for key in new if key not in owned], rules)
        having = (*rules.contact_keys(changed), *name_and_postal_code_keys(changed))
        keys += [key for key in having if key in former or (key in new and key not in owned)]
    keys += [key for key in former if key.startswith(kept_kinds) or key.startswith(rules.own_key(""))]
    changed["match_keys"] = list(dict.fromkeys(keys))
    if resource is PERSON:
        rules.set_derived_keys(changed)


def _tell_whose(store: Store, resource: Resource, changed: Document) -> None:
    """Raises OsdiError 409 where an identifier or name of the changed document belongs to another one for good."""
    others = store.by_match_keys(resource.collection, changed["match_keys"])
    lasting = {key for key in changed["match_keys"] if key.startswith(("id:", "name:"))}
    for other in others:
        if other["_id"] != changed["_id"] and lasting.intersection(other["match_keys"]):
            message = f"An identifier or name belongs to another {resource.name.replace('_', ' ')}."
            raise conflict("IDENTIFIERS_CLASH", message, "identifiers", resource=resource.rel)
