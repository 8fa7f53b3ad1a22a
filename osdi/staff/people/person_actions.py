"""Actions of the staff on people: create, change, unsubscribe, tag, list, merge with a duplicate, erase.

They call the functions that the API's views call, so its rules hold.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from osdi.access.tokens import Caller
from osdi.crud import subresources
from osdi.crud.put import Change, put
from osdi.crud.subresources import ANSWERS, ITEMS, TAGGINGS, Embedded
from osdi.documents import Document, Find, ReadOnlyDocument
from osdi.errors import ErrorDescription, OsdiError, conflict, invalid, not_found
from osdi.etags import etag
from osdi.followups.unsubscribe import unsubscribe
from osdi.match_keys import MatchKeyRules, email_key
from osdi.people.lookup import get_people
from osdi.people.merge import merge_stored_people
from osdi.people.signup import CREATED, PersonChange, sign_up
from osdi.privacy.anonymisation import CHOICES
from osdi.privacy.erasure import Erased, erase
from osdi.resources import ENTRIES, PERSON, Resource
from osdi.settings import Settings
from osdi.staff.people.names import is_same_name, label_of, name_of
from osdi.staff.people.person_form import Changes, changes_in
from osdi.store import Store
from osdi.suppression.opt_outs import API
from osdi.suppression.suppression_list import suppression_list

# By the segment of the path: the entries of a person that the pages add and remove.
KINDS: Final[Mapping[str, Embedded]] = {"tags": TAGGINGS, "lists": ITEMS}
# Those that the pages remove from one person.
REMOVED: Final[Mapping[str, Embedded]] = {**KINDS, "answers": ANSWERS}
# One form adds a tag or list to at most this number of people, or removes it.
MAX_PEOPLE: Final = 100


class KnownPerson(OsdiError):
    """A new person is stored already: the posted details match this one."""

    def __init__(self, person: ReadOnlyDocument) -> None:
        super().__init__(409, ErrorDescription("KNOWN", "This person is stored already."), resource=PERSON.rel)
        self.person_id, self.name = person["_id"], name_of(person)


def kind_of(name: str) -> Embedded:
    """Returns the kind of entries of a path's segment, `tags`, `lists` or `answers`. Raises OsdiError 404."""
    if name not in REMOVED:
        raise not_found("There is no such page.")
    return REMOVED[name]


def parent_of(kind: Embedded) -> Resource:
    """Returns the resource that entries of this kind point to."""
    return ENTRIES[kind.resource][0]


def requested_changes(
    store: Store, person: ReadOnlyDocument, typed: Mapping[str, str], rules: MatchKeyRules
) -> Changes:
    """Returns what a sent form changes in this person. Raises OsdiError 503."""

    def key_of(array: str, entry: ReadOnlyDocument) -> str | None:
        if array == "email_addresses":
            return email_key(entry["address"]) if entry.get("address") else None
        return rules.phone_key(entry) if array == "phone_numbers" and entry.get("number") else None

    keys = rules.contact_keys(person)
    typed_keys = [email_key(text) for name, text in typed.items() if name.startswith("email_addresses-") and text]
    listed = suppression_list(store).read({*keys, *typed_keys}) if keys or typed_keys else {}
    opted_out = {key for key, entry in listed.items() if entry["refused"]}
    return changes_in(person, typed, key_of, opted_out)


def change_person(
    store: Store, person: ReadOnlyDocument, loaded: Mapping[str, Any], caller: Caller, rules: MatchKeyRules
) -> Document:
    """Changes the person by a loaded PUT, if nobody has changed them since they were read; returns the person.

    Raises OsdiError 400, 404, 412, 413, 503.
    """
    change = Change(loaded["fields"], loaded["cleared"], frozenset({etag(person)}), caller.person_id)
    return put(store, PERSON, person["_id"], change, rules)


def unsubscribe_person(store: Store, person: ReadOnlyDocument, address: str) -> int:
    """Unsubscribes an address of the person, or all if it is empty, as the link in a mail does; returns their number.

    Raises OsdiError 400 if the person does not have the address; 503.
    """
    stored = [each["address"] for each in person.get("email_addresses", ()) if each.get("address")]
    chosen = [each for each in stored if not address or each == address]
    if not chosen:
        raise invalid("This person does not have that address any more.", "address")
    for each in chosen:
        unsubscribe(store, each, API)
    return len(chosen)


def add_to_people(store: Store, kind: Embedded, parent_id: str, people: Iterable[str]) -> list[str]:
    """Adds a tag or list to these people, which may be repeated; returns the ids of people who do not exist.

    Raises OsdiError 400 if there is no such tag or list, 413, 503.
    """
    parent = parent_of(kind)
    if store.get(parent.collection, parent_id) is None:
        raise invalid(f"Choose a {parent.name}.", parent.name)
    missing = []
    for person_id in people:
        try:
            subresources.add(store, kind, parent_id, person_id, {})
        except OsdiError as error:
            if error.status != 400:
                raise
            missing.append(person_id)
    return missing


def remove_from_people(store: Store, kind: Embedded, parent_id: str, people: Iterable[str]) -> int:
    """Removes a tag or list from those of these people who have it; returns their number. Raises OsdiError 503."""
    removed = 0
    for person in get_people(store, set(people)).values():
        for entry in [each for each in person.get(kind.array, ()) if each[kind.field] == parent_id]:
            removed += remove_entry(store, kind, person, entry["_id"])
    return removed


def entries_of_people(store: Store, kind: Embedded, people: Iterable[ReadOnlyDocument]) -> list[tuple[str, str]]:
    """Returns the ids and names of the tags or lists that at least one of these people has, by name.

    Raises OsdiError 503.
    """
    ids = sorted({entry[kind.field] for person in people for entry in person.get(kind.array, ())})
    found = store.by_ids(parent_of(kind).collection, ids) if ids else []
    return sorted(((each["_id"], label_of(each)) for each in found), key=lambda pair: pair[1].casefold())


def remove_entry(store: Store, kind: Embedded, person: ReadOnlyDocument, entry_id: str) -> bool:
    """Removes a tag, list or answer from the person; False if it is gone already. Raises OsdiError 503."""
    entry = next((each for each in person.get(kind.array, ()) if each["_id"] == entry_id), None)
    if entry is None:
        return False
    try:
        subresources.remove(store, kind, entry[kind.field], entry_id)
    except OsdiError as error:
        if error.status != 404:  # somebody else has removed it since the person was read
            raise
        return False
    return True


def create_person(store: Store, find: Find, body: Mapping[str, Any], caller: Caller, settings: Settings) -> Document:
    """Creates the person of a loaded body of the Person Signup Helper, and returns the person.

    Raises KnownPerson, without a change, if the body matches a person who is stored already; OsdiError 400, 409, 413,
    503 as the API does.
    """

    def reject_known(change: PersonChange) -> None:
        if change.outcome != CREATED:
            raise KnownPerson(change.person)

    return sign_up(store, find, body, caller, settings, check=reject_known).person


def merge(
    store: Store, survivor: Document, other: Document, versions: str, caller: Caller, rules: MatchKeyRules
) -> None:
    """Merges the other person into the survivor, if both still have the versions that were compared.

    Raises OsdiError 409 if one of both has changed, and the errors of `merge_stored_people`.
    """

    def check(stored: ReadOnlyDocument, merged: ReadOnlyDocument) -> None:
        check_versions(stored, merged, versions)

    merge_stored_people(store, survivor["_id"], other["_id"], rules, by=caller.person_id, check=check)


def check_versions(one: ReadOnlyDocument, other: ReadOnlyDocument, versions: str) -> None:
    """Raises OsdiError 409 if one of two people has changed since a page has shown these versions of them."""
    if versions != versions_of(one, other):
        raise conflict("CHANGED", "One of both people has changed since you compared them. Compare them again.")


def versions_of(survivor: ReadOnlyDocument, other: ReadOnlyDocument) -> str:
    """Returns a text that changes when one of both people changes."""
    return f"{etag(survivor)} {etag(other)}"


def erase_person(store: Store, person: Document, typed_name: str, outreaches: str, rules: MatchKeyRules) -> Erased:
    """Erases the person if the name was typed; `outreaches` is one of CHOICES.

    Raises OsdiError 400 with the property of the wrong field; 404, 412, 503 as `erase` does.
    """
    if not is_same_name(typed_name, person):
        raise invalid("Type the name exactly as it is shown.", "name")
    if outreaches not in CHOICES:
        raise invalid("Choose what happens to the outreaches.", "outreaches")
    return erase(store, person["_id"], rules, outreaches, if_match=frozenset({etag(person)}))
