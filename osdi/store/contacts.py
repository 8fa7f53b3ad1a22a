"""People by a contact detail in the store: everybody who has it, whoever owns its match key."""

from osdi.documents import Document
from osdi.resources import PERSON
from osdi.store import Store
from osdi.store.driver import READ_MS

# More people than ever share an address; strangers cannot make more, since they match whoever has it.
PEOPLE = 1_000


def people_with(store: Store, key: str) -> list[Document]:
    """The people who have the e-mail address or phone number that this match key is made of."""
    with store.asking():
        found = store._collection(PERSON.collection).find({"contact_keys": key}).limit(PEOPLE)
        return list(found.max_time_ms(READ_MS))
