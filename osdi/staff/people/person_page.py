"""The page of a person: contact details with status and reasons, tags, lists, answers, outreaches, duplicates."""

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from osdi.crud.subresources import ANSWERS, ITEMS, TAGGINGS, Embedded
from osdi.documents import Document, ReadOnlyDocument
from osdi.errors import ErrorDescription, OsdiError, not_found
from osdi.match_keys import MatchKeyRules
from osdi.outreaches.consent_receipt import CONSENTS
from osdi.people.duplicates.groups import duplicates_of
from osdi.people.lookup import get_person
from osdi.people.outreach_links_store import outreaches_of
from osdi.privacy.tombstones import erased_date
from osdi.resources import ADVOCACY_CAMPAIGN, ENTRIES, OUTREACH, PERSON
from osdi.staff.people.contact_status import Contact, contacts_of
from osdi.staff.people.names import label_of, name_of
from osdi.store import Store

OUTREACHES: Final = 50


@dataclass(frozen=True)
class Entry:
    """A tag or list of a person, or an answer with its value: ids of the entry and of what it points to, name, date."""

    entry_id: str
    parent_id: str
    name: str
    date: dt.datetime
    value: str = ""


@dataclass(frozen=True)
class Action:
    """An outreach: its campaign's name, type, time and targets, its follow-ups, and the receipts of consent."""

    outreach_id: str
    campaign_id: str
    campaign: str
    type: str
    at: dt.datetime
    targets: tuple[str, ...]
    followups: Sequence[ReadOnlyDocument]
    consents: Sequence[ReadOnlyDocument]


@dataclass(frozen=True)
class Duplicate:
    """Another person who may be the same, and the kinds of details that both have."""

    person_id: str
    name: str
    by: tuple[str, ...]


@dataclass(frozen=True)
class PersonPage:
    """The content of a person's page; `after` is the cursor of further outreaches, None if there are none."""

    person: Document
    name: str
    emails: list[Contact]
    phones: list[Contact]
    addresses: tuple[str, ...]
    tags: tuple[Entry, ...]
    lists: tuple[Entry, ...]
    answers: tuple[Entry, ...]
    actions: tuple[Action, ...]
    after: str | None
    duplicates: tuple[Duplicate, ...]


def find_person(store: Store, person_id: str, rules: MatchKeyRules) -> Document:
    """Returns the person, or the survivor of a merge of that id. Raises OsdiError 410 if erased, else 404; 503."""
    found = get_person(store, person_id)
    if found is not None:
        return found
    erased = erased_date(store, [rules.own_key(person_id)])
    if erased is None:
        raise not_found("There is no such person.", PERSON.rel)
    message = f"This person was erased on {erased:%Y-%m-%d}. Nothing else is stored about them."
    raise OsdiError(410, ErrorDescription("ERASED", message), resource=PERSON.rel)


def person_page(store: Store, person: Document, rules: MatchKeyRules, after: str = "") -> PersonPage:
    """Returns the page of this person, with the outreaches that are older than `after`. Raises OsdiError 503."""
    emails, phones = contacts_of(store, person, rules)
    outreaches = _outreaches(store, person, after)
    shown = outreaches[:OUTREACHES]
    return PersonPage(
        person=person,
        name=name_of(person),
        emails=emails,
        phones=phones,
        addresses=tuple(filter(None, map(address_line, person.get("postal_addresses", ())))),
        tags=entries_of(store, TAGGINGS, person),
        lists=entries_of(store, ITEMS, person),
        answers=entries_of(store, ANSWERS, person),
        actions=tuple(_actions(store, shown)),
        after=shown[-1]["_id"] if len(outreaches) > OUTREACHES else None,
        duplicates=tuple(
            Duplicate(other["_id"], name_of(other), kinds) for kinds, other in duplicates_of(store, person)
        ),
    )


def entries_of(store: Store, kind: Embedded, person: ReadOnlyDocument) -> tuple[Entry, ...]:
    """Returns the tags, lists or answers of a person in the order in which they were added.

    Those of a deleted tag, list or question are left out. Raises OsdiError 503.
    """
    pointed_at, field = ENTRIES[kind.resource]
    entries = person.get(kind.array, ())
    parents = store.by_ids(pointed_at.collection, sorted({entry[field] for entry in entries})) if entries else []
    names = {each["_id"]: label_of(each) for each in parents}
    return tuple(
        Entry(entry["_id"], entry[field], names[entry[field]], _date(entry), _value(entry))
        for entry in entries
        if entry[field] in names
    )


def address_line(address: Mapping[str, Any]) -> str:
    """Returns a postal address in one line."""
    parts = (*address.get("address_lines", ()), address.get("postal_code"), address.get("locality"))
    return ", ".join(str(part) for part in (*parts, address.get("region"), address.get("country")) if part)


def _date(entry: ReadOnlyDocument) -> dt.datetime:
    date: dt.datetime = entry.get("action_date", entry["created_date"])
    return date


def _value(entry: ReadOnlyDocument) -> str:
    return str(entry.get("value") or ", ".join(map(str, entry.get("responses", ()))))


def _outreaches(store: Store, person: ReadOnlyDocument, after: str) -> list[Document]:
    behind = {"_id": {"$lt": after}} if after else {}
    return store.find(OUTREACH.collection, {**outreaches_of(person), **behind}, sort=("-_id",), limit=OUTREACHES + 1)


def _actions(store: Store, outreaches: Sequence[Document]) -> Iterator[Action]:
    ids = sorted({each["advocacy_campaign_id"] for each in outreaches})
    campaigns = store.by_ids(ADVOCACY_CAMPAIGN.collection, ids) if ids else []
    names = {each["_id"]: label_of(each) for each in campaigns}
    for each in outreaches:
        yield Action(
            outreach_id=each["_id"],
            campaign_id=each["advocacy_campaign_id"],
            campaign=names.get(each["advocacy_campaign_id"], str(each["advocacy_campaign_id"])),
            type=str(each.get("type", "")),
            at=_date(each),
            targets=tuple(_target(target) for target in each.get("targets", ())),
            followups=each.get("followups", ()),
            consents=each.get(CONSENTS, ()),
        )


def _target(target: ReadOnlyDocument) -> str:
    parts = (target.get(name) for name in ("title", "given_name", "family_name"))
    return " ".join(str(part) for part in parts if part) or str(target.get("organization", ""))
