"""Whom an operator means: people by id, identifier, e-mail address or phone number."""

from collections.abc import Collection
from typing import Final

from osdi.documents import Document
from osdi.match_keys import MatchKeyRules, email_key, id_key
from osdi.resources import PERSON
from osdi.store import DocumentStore
from osdi.store.indexes import MERGED_PEOPLE


def keys_of(text: str, rules: MatchKeyRules) -> list[str]:
    """The match keys that the text may stand for: that of an identifier, an e-mail address or a phone number."""
    phone = None if any(character.isalpha() for character in text) else rules.phone_key({"number": text})
    return [id_key(text), *([email_key(text)] if "@" in text else []), *([phone] if phone else [])]


def find_people_by_text(store: DocumentStore, text: str, rules: MatchKeyRules) -> list[Document]:
    """Everybody whom the text means: one at the most by id or identifier, all who have it by address or number.

    The id of somebody who was merged away means whom they were merged into. Raises OsdiError 503.
    """
    found = get_person(store, text)
    if found is not None:
        return [found]
    held = store.get(MERGED_PEOPLE, text)  # whose survivor is no more
    if held is not None:
        return [held["person"]]
    identifier, *contacts = keys_of(text, rules)
    owners = store.by_match_keys(PERSON.collection, [identifier])
    if owners:
        return owners
    having = {person["_id"]: person for key in contacts for person in find_people_by_contact(store, key)}
    return list(having.values())


# More people than ever share an address; strangers cannot make more, since they match whoever has it.
PEOPLE: Final = 1_000


def find_people_by_contact(store: DocumentStore, key: str) -> list[Document]:
    """The people who have the e-mail address or phone number that this match key is made of."""
    return store.find(PERSON.collection, {"contact_keys": key}, limit=PEOPLE)


def get_person(store: DocumentStore, person_id: str) -> Document | None:
    """The person with this id, or whom the person with it was merged into; None for nobody."""
    found = store.get(PERSON.collection, person_id) or store.find_one(PERSON.collection, {"merged_ids": person_id})
    if found is not None:
        return found
    held = store.get(MERGED_PEOPLE, person_id)
    survivor_id = held["survivor_id"] if held else None
    if survivor_id is None:
        return None
    return store.get(PERSON.collection, survivor_id) or store.find_one(PERSON.collection, {"merged_ids": survivor_id})


def get_people(store: DocumentStore, ids: Collection[str]) -> dict[str, Document]:
    """The people with these ids, or whom those were merged into, by the ids that were asked for."""
    found = {person["_id"]: person for person in store.by_ids(PERSON.collection, sorted(ids))}
    missing = sorted(set(ids) - found.keys())
    if missing:
        survivors = store.find(PERSON.collection, {"merged_ids": {"$in": missing}})
        found |= {each: survivor for survivor in survivors for each in survivor["merged_ids"] if each in missing}
    return found
