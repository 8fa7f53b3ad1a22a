"""Finds the people of a filter, one page at a time. A page reads a limited number of documents, each by an index.

Without a text the newest people come first, or those with the latest outreach. The status of an e-mail address is in no
index, since the suppression list counts too: a page looks at the people in the order of the list, at most
MAX_PEOPLE_READ of them, and may therefore have few people or none, and still a cursor.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from osdi.documents import Document, Query, ReadOnlyDocument
from osdi.match_keys import MatchKeyRules
from osdi.people.lookup import get_people, search_people
from osdi.people.merged_people_store import ids_of
from osdi.resources import OUTREACH, PERSON
from osdi.staff.people.contact_status import NO_ADDRESS, mail_statuses
from osdi.staff.people.names import email_of, name_of
from osdi.staff.people.search.filter import LATEST, NAME, NEWEST, Filter
from osdi.store import Store
from osdi.values.names import letters_and_digits

PER_PAGE: Final = 25
# The people of a name, or in the order of the list, that the other filters choose from on one page; the outreaches that
# a page reads in the order of outreaches.
MAX_PEOPLE_READ: Final = 500
BATCH: Final = 100


@dataclass(frozen=True)
class Found:
    """People, and where the next page begins: `after` is its cursor, None at the end.

    `more` is true if a search by text has left people out.
    """

    people: list[Document]
    after: str | None = None
    more: bool = False


def find_people(store: Store, rules: MatchKeyRules, chosen: Filter, after: str = "", size: int = 0) -> Found:
    """Returns at most `size` (default: PER_PAGE) of the chosen people behind the cursor; a search by text ignores it.

    Raises OsdiError 503.
    """
    size = size or PER_PAGE
    if not has_existing_entries(store, chosen):
        return Found([])
    if chosen.text:
        return _by_text(store, rules, chosen, size)
    if chosen.order == LATEST:
        return _by_outreaches(store, chosen, after, size)
    return _newest(store, chosen, after, size)


def has_existing_entries(store: Store, chosen: Filter) -> bool:
    """True unless the filter names a deleted tag or list, whose entries a worker may still be removing.

    Raises OsdiError 503.
    """
    return all(store.get(kind.parent.collection, value) is not None for kind, value in chosen.entries)


def statuses_of(store: Store, people: Iterable[ReadOnlyDocument]) -> dict[str, str]:
    """Returns the status of the primary e-mail address of each person, by id. Raises OsdiError 503."""
    people = list(people)
    addresses = {person["_id"]: entry for person in people if (entry := _primary_entry(person))}
    found = mail_statuses(store, addresses)
    return {person["_id"]: found.get(person["_id"], NO_ADDRESS) for person in people}


def _by_text(store: Store, rules: MatchKeyRules, chosen: Filter, size: int) -> Found:
    alone = chosen == Filter(text=chosen.text)
    found = search_people(store, chosen.text, rules, limit=size if alone else MAX_PEOPLE_READ)
    people = _fitting(store, chosen, found.people)
    if people and (chosen.campaign or chosen.active):
        ids = {"_id": chosen.first_outreach_id} if chosen.active else {}
        active = _with_outreach(store, people, {**chosen.outreaches, **ids})
        people = [person for person in people if active.intersection(ids_of(person))]
    if chosen.order == NAME:
        people.sort(key=_sorted_name)
    if chosen.order == NEWEST:
        people.sort(key=lambda person: str(person["_id"]), reverse=True)
    return Found(people[:size], more=found.more or len(people) > size)


def _newest(store: Store, chosen: Filter, after: str, size: int) -> Found:
    shown: list[Document] = []
    batch = BATCH if chosen.status else size + 1
    cursor = after
    for _ in range(0, max(MAX_PEOPLE_READ, batch), batch):
        ids = {**chosen.first_id, **({"$lt": cursor} if cursor else {})}
        query = {**chosen.query, **({"_id": ids} if ids else {})}
        people = store.find(PERSON.collection, query, sort=("-_id",), limit=batch)
        fitting = {person["_id"] for person in _fitting(store, chosen, people)}
        for person in people:
            if person["_id"] in fitting:
                if len(shown) == size:
                    return Found(shown, cursor)
                shown.append(person)
            cursor = person["_id"]
        if len(people) < batch:
            return Found(shown)
    return Found(shown, cursor)


def _by_outreaches(store: Store, chosen: Filter, after: str, size: int) -> Found:
    """Returns people in the order of their latest chosen outreach; the cursor is the id of an outreach."""
    shown: dict[str, Document] = {}
    cursor = after
    for _ in range(0, MAX_PEOPLE_READ, BATCH):
        ids = {**chosen.first_outreach_id, **({"$lt": cursor} if cursor else {})}
        query = {**chosen.outreaches, **({"_id": ids} if ids else {})}
        outreaches = store.find(OUTREACH.collection, query, sort=("-_id",), limit=BATCH, fields=("person_id",))
        people = _people_of(store, outreaches, chosen, after)
        for outreach in outreaches:
            person = people.get(outreach.get("person_id", ""))
            if person is not None and person["_id"] not in shown:
                if len(shown) == size:
                    return Found(list(shown.values()), cursor)
                shown[person["_id"]] = person
            cursor = outreach["_id"]
        if len(outreaches) < BATCH:
            return Found(list(shown.values()))
    return Found(list(shown.values()), cursor)


def _people_of(store: Store, outreaches: Sequence[Document], chosen: Filter, after: str) -> dict[str, Document]:
    """Returns the fitting people of these outreaches, by the ids there, without those of an earlier page."""
    people = get_people(store, {each["person_id"] for each in outreaches if "person_id" in each})
    fitting = {person["_id"] for person in _fitting(store, chosen, _distinct(people.values()))}
    people = {key: person for key, person in people.items() if person["_id"] in fitting}
    if not after or not people:
        return people
    earlier = _with_outreach(store, people.values(), {**chosen.outreaches, "_id": {"$gte": after}})
    return {key: person for key, person in people.items() if not earlier.intersection(ids_of(person))}


def _distinct(people: Iterable[Document]) -> Iterator[Document]:
    yield from {person["_id"]: person for person in people}.values()


def _fitting(store: Store, chosen: Filter, people: Iterable[Document]) -> list[Document]:
    """Returns the people who fit the filter, apart from campaign and outreaches."""
    found = [person for person in people if chosen.fits(person)]
    if not chosen.status or not found:
        return found
    statuses = statuses_of(store, found)
    return [person for person in found if statuses[person["_id"]] == chosen.status]


def _with_outreach(store: Store, people: Iterable[Document], query: Query) -> set[str]:
    """Returns the ids of those people, also as merged ones, who have an outreach that the query selects."""
    ids = sorted({each for person in people for each in ids_of(person)})
    found = store.find(OUTREACH.collection, {"person_id": {"$in": ids}, **query}, fields=("person_id",))
    return {each["person_id"] for each in found}


def _sorted_name(person: ReadOnlyDocument) -> tuple[str, str, str]:
    """Returns the texts by which people are sorted: family and given name, else what stands for the name."""
    names = [letters_and_digits(str(person.get(part, ""))) for part in ("family_name", "given_name")]
    return (names[0] or names[1] or letters_and_digits(name_of(person)), names[1], person["_id"])


def _primary_entry(person: ReadOnlyDocument) -> ReadOnlyDocument | None:
    address = email_of(person)
    return next(
        (each for each in person.get("email_addresses", ()) if address and each.get("address") == address), None
    )
