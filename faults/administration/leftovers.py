"""Checks what the administration has done: nothing of an erased person remains, and nothing of others is lost.

It reads the database without the service, like faults/check.py, and compares by the marks of people, not by the ids and
notes that the service relies on.
"""

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import Any, Final

from bson.raw_bson import RawBSONDocument
from pymongo.database import Database

from faults.administration.load import Done, Imported, Merge
from faults.administration.marks import address, marks_in

Document = dict[str, Any]
EXAMPLES: Final = 5


@dataclass
class Leftovers:
    """Numbers of errors after merges, erasures, deletions and imports, with some examples in words.

    `erased`: erased people whose mark a collection still has. `deleted`: deleted people and campaigns that are
    there, and outreaches of a missing person or campaign. `merged`: people who are there although they were merged, and
    acknowledged merges whose survivor lacks an outreach or e-mail address. `imported`: people of a finished import who
    are missing or are there twice.
    """

    erased: int = 0
    deleted: int = 0
    merged: int = 0
    imported: int = 0
    examples: list[str] = field(default_factory=list)

    @property
    def total(self) -> int:
        return self.erased + self.deleted + self.merged + self.imported

    def add_example(self, example: str) -> None:
        if len(self.examples) < EXAMPLES:
            self.examples.append(example)


def check_administration(database: "Database[Document]", done: Done) -> Leftovers:
    """Reads the whole database, compares it with the acknowledged operations and returns the errors."""
    found = Leftovers()
    _check_erased(_places_of_marks(database), done.erased, found)
    _check_deleted(database, done, found)
    _check_merged(database, done.merges, found)
    _check_imported(database, done.imports, found)
    return found


def _places_of_marks(database: "Database[Document]") -> dict[str, set[str]]:
    """Returns the names of the collections in which each mark is, in any field."""
    places: defaultdict[str, set[str]] = defaultdict(set)
    for name in database.list_collection_names():
        collection = database.get_collection(name).with_options(
            codec_options=database.codec_options.with_options(document_class=RawBSONDocument)
        )
        for document in collection.find():
            for mark in marks_in(document.raw):
                places[mark].add(name)
    return places


def _check_erased(places: dict[str, set[str]], erased: list[str], found: Leftovers) -> None:
    for mark in erased:
        if mark in places:
            found.erased += 1
            found.add_example(f"{mark} was erased, but is in {', '.join(sorted(places[mark]))}")


def _check_deleted(database: "Database[Document]", done: Done, found: Leftovers) -> None:
    # An outreach may have no person.
    people = {*database.people.distinct("_id"), None}
    campaigns = set(database.advocacy_campaigns.distinct("_id"))
    for deleted in (*({*done.deleted_people} & people), *({*done.deleted_campaigns} & campaigns)):
        found.deleted += 1
        found.add_example(f"{deleted} was deleted, but is there")
    for outreach in database.outreaches.find({}, {"person_id": 1, "advocacy_campaign_id": 1}):
        if outreach.get("person_id") not in people or outreach["advocacy_campaign_id"] not in campaigns:
            found.deleted += 1
            found.add_example(f"person or campaign of an outreach is missing: {outreach}")


def _check_merged(database: "Database[Document]", merges: list[Merge], found: Leftovers) -> None:
    people = {person["_id"]: person for person in database.people.find()}
    copies = {copy["_id"] for copy in database.merged_people.find({}, {"_id": 1})}
    merged = copies | {merge.other.person_id for merge in merges}
    for both in merged & people.keys():
        found.merged += 1
        found.add_example(f"{both} was merged into another person, but is there")
    owners: defaultdict[str, list[str | None]] = defaultdict(list)
    for outreach in database.outreaches.find({"message": {"$exists": True}}, {"message": 1, "person_id": 1}):
        for mark in marks_in(outreach["message"].encode()):
            owners[mark].append(outreach.get("person_id"))
    for merge in merges:
        survivor = people.get(merge.survivor.person_id, {})
        addresses = {entry["address"].lower() for entry in survivor.get("email_addresses", ())}
        marks = (merge.survivor.mark, merge.other.mark)
        if any(owners[mark] != [merge.survivor.person_id] or address(mark) not in addresses for mark in marks):
            found.merged += 1
            found.add_example(f"{merge}: outreaches of {[owners[mark] for mark in marks]}, survivor {survivor}")


def _check_imported(database: "Database[Document]", imports: list[Imported], found: Leftovers) -> None:
    people = Counter(
        entry["address"].lower()
        for person in database.people.find({}, {"email_addresses.address": 1})
        for entry in person.get("email_addresses", ())
    )
    for mark in sorted(row for each in imports for row in each.rows - each.erasing):
        if people[address(mark)] != 1:
            found.imported += 1
            found.add_example(f"{people[address(mark)]} people have the address of {mark}, who was imported")
