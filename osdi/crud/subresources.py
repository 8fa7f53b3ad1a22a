"""Taggings, items and answers: entries inside a person's document that are resources of their own to clients.

The path of an entry is below its tag, list or question (`/tags/{id}/taggings/{id}`) or below its person. Each write of
an entry is an update of the person, which fails if another request has written meanwhile.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from osdi.action_functions.answers import FURTHER_ANSWERS, set_further_answers
from osdi.crud.placeholders import reject_placeholders
from osdi.crud.put import Change
from osdi.crud.totals_store import count_answers
from osdi.documents import Document, ReadOnlyDocument
from osdi.errors import OsdiError, document_too_large, invalid, not_found
from osdi.etags import IfMatch, check_if_match
from osdi.ids import new_id, now
from osdi.paging import Page
from osdi.people.lookup import get_person
from osdi.people.merge_rules import exceeds_size_limit
from osdi.resources import ANSWER, ENTRIES, ITEM, PERSON, TAGGING, Resource
from osdi.retry import retry_on_conflict
from osdi.store import DocumentStore, Store, Update

Check = Callable[[Mapping[str, Any]], OsdiError | None]


@dataclass(frozen=True)
class Embedded:
    """A kind of entry; `several` is True if a person may have several for one tag, list or question."""

    resource: Resource
    several: bool = False

    @property
    def array(self) -> str:
        """The array of a person's document that holds such entries."""
        return self.resource.collection

    @property
    def parent(self) -> Resource:
        """The resource that entries point at: tag, list or question."""
        return ENTRIES[self.resource][0]

    @property
    def field(self) -> str:
        """The field with the id of the entry's tag, list or question."""
        return ENTRIES[self.resource][1]


TAGGINGS: Final = Embedded(TAGGING)
ITEMS: Final = Embedded(ITEM)
ANSWERS: Final = Embedded(ANSWER, several=True)
KINDS: Final = (TAGGINGS, ITEMS, ANSWERS)


def entry_of(kind: Embedded, person: ReadOnlyDocument, entry: Mapping[str, Any]) -> Document:
    """Returns the entry as a document of its own, with the id of its person."""
    document = {"item_type": PERSON.rel, **entry} if "item_type" in kind.resource.fields else dict(entry)
    return {**document, "person_id": person["_id"]}


def existing_entries(
    store: DocumentStore, kind: Embedded, people: Sequence[ReadOnlyDocument]
) -> list[tuple[ReadOnlyDocument, ReadOnlyDocument]]:
    """Returns the entries of these people, each with its person, without those of a deleted tag, list or question.

    A worker removes these from the documents later (see osdi.crud.delete). Raises OsdiError 503.
    """
    entries = [(person, entry) for person in people for entry in person.get(kind.array, ())]
    ids = sorted({entry[kind.field] for _, entry in entries})
    existing = {each["_id"] for each in store.by_ids(kind.parent.collection, ids)} if ids else ()
    return [(person, entry) for person, entry in entries if entry[kind.field] in existing]


def page_of_person(
    store: Store,
    kind: Embedded,
    person: Document,
    *,
    page: int,
    per_page: int,
    after: str | None = None,
    before: str | None = None,
) -> Page:
    """Returns a page of a person's entries, in the order in which they were added; cursors are entry ids."""
    entries = [entry_of(kind, person, entry) for _, entry in existing_entries(store, kind, [person])]
    ids = [entry["_id"] for entry in entries]
    if after in ids:
        start = ids.index(after) + 1
    elif before in ids:
        start = max(0, ids.index(before) - per_page)
    else:
        start = (page - 1) * per_page
    shown = entries[start : start + per_page]
    return Page(shown, page, per_page, len(entries), has_next=start + per_page < len(entries), has_previous=page > 1)


def page_of_parent(
    store: Store,
    kind: Embedded,
    parent_id: str,
    *,
    page: int,
    per_page: int,
    after: str | None = None,
    before: str | None = None,
) -> Page:
    """Returns a page of the entries of a tag, list or question, in the order of people; cursors are person ids.

    All entries of one person are on one page, so a page may have more than `per_page` entries.
    """
    query = {f"{kind.array}.{kind.field}": parent_id}
    total = count_answers(store, parent_id) if kind.several else None
    people = store.page(
        PERSON.collection, query, page=page, per_page=per_page, total_records=total, after=after, before=before
    )
    entries = [
        entry_of(kind, dict(person), entry)
        for person in people.documents
        for entry in person[kind.array]
        if entry[kind.field] == parent_id
    ]
    return people.with_documents(entries, cursor="person_id")


def get(store: Store, kind: Embedded, parent_id: str, entry_id: str) -> Document:
    """Returns one entry. Raises OsdiError 404."""
    person, entry = _find_entry(store, kind, parent_id, entry_id)
    return entry_of(kind, person, entry)


def get_of_person(store: Store, kind: Embedded, person: Document, entry_id: str) -> Document:
    """Returns one entry of a person. Raises OsdiError 404."""
    for _, entry in existing_entries(store, kind, [person]):
        if entry["_id"] == entry_id:
            return entry_of(kind, person, entry)
    raise not_found(f"There is no such {kind.resource.name}.", kind.resource.rel)


def add(store: Store, kind: Embedded, parent_id: str, person_id: str, fields: Mapping[str, Any]) -> Document:
    """Adds an entry to a person and returns it; returns the existing one if a person can have one only.

    Raises OsdiError 400 if the person does not exist, or for a placeholder identifier; 413.
    """
    reject_placeholders(fields, kind.resource)

    def attempt() -> Document:
        person = get_person(store, person_id)
        if person is None:
            raise invalid("There is no such person.", "_links.osdi:person", resource=kind.resource.rel)
        if not kind.several:
            for entry in person.get(kind.array, ()):
                if entry[kind.field] == parent_id:
                    return entry_of(kind, person, entry)
        timestamp = now()
        entry = {
            "_id": new_id(),
            kind.field: parent_id,
            "created_date": timestamp,
            "modified_date": timestamp,
            **fields,
        }
        if kind.several:
            entry.setdefault("action_date", timestamp)
        _write_entries(store, kind, person, [*person.get(kind.array, ()), entry])
        return entry_of(kind, person, entry)

    return retry_on_conflict(attempt)


def change(
    store: Store,
    kind: Embedded,
    parent_id: str,
    entry_id: str,
    requested: Change,
    check: Check = lambda _: None,
) -> Document:
    """Changes an entry and returns it. Raises OsdiError 404, 412, 413, or an error that `check` returns."""

    def attempt() -> Document:
        person, entry = _find_entry(store, kind, parent_id, entry_id)
        check_if_match(entry_of(kind, person, entry), requested.if_match)
        reject_placeholders(requested.fields, kind.resource, entry)
        kept = {name: value for name, value in entry.items() if name not in requested.cleared}
        changed = {**kept, **requested.fields}
        error = check(changed)
        if error is not None:
            raise error
        if changed != entry:
            changed["modified_date"] = now()
            entries = [changed if each["_id"] == entry_id else each for each in person[kind.array]]
            _write_entries(store, kind, person, entries)
        return entry_of(kind, person, changed)

    return retry_on_conflict(attempt)


def remove(store: Store, kind: Embedded, parent_id: str, entry_id: str, if_match: IfMatch = None) -> None:
    """Removes the entry from its person. Raises OsdiError 404, 412."""

    def attempt() -> None:
        person, entry = _find_entry(store, kind, parent_id, entry_id)
        check_if_match(entry_of(kind, person, entry), if_match)
        _write_entries(store, kind, person, [each for each in person[kind.array] if each["_id"] != entry_id])

    retry_on_conflict(attempt)


def _find_entry(store: Store, kind: Embedded, parent_id: str, entry_id: str) -> tuple[Document, Document]:
    """Returns the person and the entry. Raises OsdiError 404."""
    person = store.find_one(PERSON.collection, {f"{kind.array}._id": entry_id})
    for _, entry in existing_entries(store, kind, [person] if person else []):
        if person and entry["_id"] == entry_id and entry[kind.field] == parent_id:
            return person, dict(entry)
    raise not_found(f"There is no such {kind.resource.name}.", kind.resource.rel)


def _write_entries(store: Store, kind: Embedded, person: Document, entries: list[Document]) -> None:
    fields = {kind.array: entries, "modified_date": now()}
    changed = {**person, **fields}
    set_further_answers(changed)
    if exceeds_size_limit(changed) and len(entries) >= len(person.get(kind.array, ())):
        raise document_too_large(PERSON.name)
    if FURTHER_ANSWERS in changed:
        fields[FURTHER_ANSWERS] = changed[FURTHER_ANSWERS]
    gone = (FURTHER_ANSWERS,) if FURTHER_ANSWERS in person and FURTHER_ANSWERS not in changed else ()
    store.write(Update(PERSON.collection, person["_id"], person["version"], fields, gone))
