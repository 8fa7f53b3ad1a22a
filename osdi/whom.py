"""Whom an operator means: people by id, identifier, e-mail address or phone number."""

from osdi.documents import Document
from osdi.matching import email_key, id_key, phone_key
from osdi.resources import PERSON
from osdi.store import Store
from osdi.store.contacts import people_with
from osdi.store.indexes import MERGED_PEOPLE
from osdi.store.merged_people import person_with


def keys_of(text: str, phone_region: str = "") -> list[str]:
    """The match keys that the text may stand for: that of an identifier, an e-mail address or a phone number."""
    phone = None if any(character.isalpha() for character in text) else phone_key({"number": text}, phone_region)
    return [id_key(text), *([email_key(text)] if "@" in text else []), *([phone] if phone else [])]


def people_meant(store: Store, text: str, phone_region: str = "") -> list[Document]:
    """Everybody whom the text means: one at the most by id or identifier, all who have it by address or number.

    The id of somebody who was merged away means whom they were merged into. Raises OsdiError 503.
    """
    found = person_with(store, text)
    if found is not None:
        return [found]
    held = store.get(MERGED_PEOPLE, text)  # whose survivor is no more
    if held is not None:
        return [held["person"]]
    identifier, *contacts = keys_of(text, phone_region)
    owners = store.by_match_keys(PERSON.collection, [identifier])
    if owners:
        return owners
    having = {person["_id"]: person for key in contacts for person in people_with(store, key)}
    return list(having.values())
