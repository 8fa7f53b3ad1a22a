"""Finds people by id, identifier, e-mail address, phone number, or the beginning of a name."""

import re
from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

from osdi.documents import Document
from osdi.match_keys import MatchKeyRules, email_key, id_key
from osdi.resources import PERSON
from osdi.store import DocumentStore
from osdi.store.indexes import MERGED_PEOPLE
from osdi.values.names import search_words
from osdi.values.phones import split_extension


def keys_of(text: str, rules: MatchKeyRules) -> list[str]:
    """Returns the match keys of a text as an identifier (always, and first), e-mail address and phone number."""
    number, _ = split_extension(text)
    phone = None if any(character.isalpha() for character in number) else rules.phone_key({"number": number})
    return [id_key(text), *([email_key(text)] if "@" in text else []), *([phone] if phone else [])]


def find_people_by_text(store: DocumentStore, text: str, rules: MatchKeyRules) -> list[Document]:
    """Returns the people that the text identifies: at most one by id or identifier, all with this address or number.

    The id of a person who was merged into another one finds the survivor. Raises OsdiError 503.
    """
    found = get_person(store, text)
    if found is not None:
        return [found]
    copy = store.get(MERGED_PEOPLE, text)  # a merged person whose survivor was deleted
    if copy is not None:
        return [copy["person"]]
    identifier, *contacts = keys_of(text, rules)
    owners = store.by_match_keys(PERSON.collection, [identifier])
    if owners:
        return owners
    people = {person["_id"]: person for key in contacts for person in find_people_by_contact(store, key)}
    return list(people.values())


@dataclass(frozen=True)
class Found:
    """The people that a search has found; `more` is True if there are others that it left out."""

    people: list[Document]
    more: bool


def search_people(store: DocumentStore, text: str, rules: MatchKeyRules, *, limit: int) -> Found:
    """Returns the people that the text identifies, else those who have each of its words at the beginning of a name.

    `jan do` finds Jane Doe and Doe, Janet. Letter case, accents and punctuation make no difference. A text without
    letters and digits finds nobody. Raises OsdiError 503.
    """
    people = find_people_by_text(store, text.strip(), rules)
    words = sorted(set(search_words(text)))
    if not people and words:
        begins = [{"name_words": {"$regex": f"^{re.escape(word)}"}} for word in words]
        # Without a sort, so that the database reads as many entries of the index as it returns, in their order.
        people = store.find(PERSON.collection, {"$and": begins}, limit=limit + 1)
    return Found(people[:limit], len(people) > limit)


# More people than ever share an address. Anonymous posts cannot add more, since they match the person who has it.
MAX_PEOPLE: Final = 1_000


def find_people_by_contact(store: DocumentStore, key: str) -> list[Document]:
    """Returns the people with the e-mail address or phone number of this match key, whether or not they own the key."""
    return store.find(PERSON.collection, {"contact_keys": key}, limit=MAX_PEOPLE)


def get_person(store: DocumentStore, person_id: str) -> Document | None:
    """Returns the person with this id, or the survivor that this person was merged into; None if there is neither."""
    found = store.get(PERSON.collection, person_id) or store.find_one(PERSON.collection, {"merged_ids": person_id})
    if found is not None:
        return found
    copy = store.get(MERGED_PEOPLE, person_id)
    survivor_id = copy["survivor_id"] if copy else None
    if survivor_id is None:
        return None
    return store.get(PERSON.collection, survivor_id) or store.find_one(PERSON.collection, {"merged_ids": survivor_id})


def get_people(store: DocumentStore, ids: Collection[str]) -> dict[str, Document]:
    """Returns the people with these ids, or the survivors of merged ones, by the requested ids."""
    found = {person["_id"]: person for person in store.by_ids(PERSON.collection, sorted(ids))}
    missing = sorted(set(ids) - found.keys())
    if missing:
        survivors = store.find(PERSON.collection, {"merged_ids": {"$in": missing}})
        found |= {each: survivor for survivor in survivors for each in survivor["merged_ids"] if each in missing}
    return found
