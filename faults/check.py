"""Holds what was acknowledged against what is in the database, read there without the service.

An outreach says in `referrer_data.source` which post made it and a person has the e-mail address or field that the
post gave, so nothing here relies on the identifiers and indexes by which the service itself keeps its word.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from pymongo.database import Database

from faults.load import Acknowledged
from faults.posts import SAID, source

Document = dict[str, Any]
EXAMPLES = 5


@dataclass
class Found:
    """What is wrong in the database, each as a number, and some examples in words.

    `lost_outreaches`: acknowledged, and not there, or not the one that the answer named. `lost_people`: the
    acknowledged outreach's person is not there, is somebody else, or lacks what the post said. `doubled`: outreaches
    beyond the first of a post. `people_doubled`: people beyond the first with an e-mail address or a match key.
    `people_alone`: people of whom there is no outreach.
    """

    lost_outreaches: int = 0
    lost_people: int = 0
    doubled: int = 0
    people_doubled: int = 0
    people_alone: int = 0
    examples: list[str] = field(default_factory=list)

    def note(self, example: str) -> None:
        if len(self.examples) < EXAMPLES:
            self.examples.append(example)


def check(database: "Database[Document]", acknowledged: Iterable[Acknowledged]) -> Found:
    """Read everything and compare."""
    people: dict[str, Document] = {person["_id"]: person for person in database.people.find()}
    outreaches: defaultdict[str, list[Document]] = defaultdict(list)
    for outreach in database.outreaches.find():
        outreaches[outreach["referrer_data"]["source"]].append(outreach)
    found = Found()
    for each in acknowledged:
        _check_one(each, outreaches.get(each.post.source, []), people, found)
    for name, made in outreaches.items():
        if len(made) > 1:
            found.doubled += len(made) - 1
            found.note(f"{name} has {len(made)} outreaches: {[outreach['_id'] for outreach in made]}")
    _check_people(people, {outreach["person_id"] for made in outreaches.values() for outreach in made}, found)
    return found


def _check_one(each: Acknowledged, made: list[Document], people: dict[str, Document], found: Found) -> None:
    named = [outreach for outreach in made if each.outreach_id in (None, outreach["_id"])]
    if not named:
        found.lost_outreaches += 1
        found.note(f"{source(each.post.number)} was acknowledged as {each.outreach_id}, and there is {len(made)} of it")
        return
    person = people.get(named[0]["person_id"])
    if person is None or each.person_id not in (None, person["_id"]) or not _is_meant(each, person):
        found.lost_people += 1
        found.note(f"{source(each.post.number)}: the person {named[0]['person_id']} is {person}")


def _is_meant(each: Acknowledged, person: Document) -> bool:
    """Whether the person is the one of the post, and has what it said."""
    if each.post.address and each.post.address not in _addresses(person):
        return False
    return each.post.field is None or person.get("custom_fields", {}).get(each.post.field) == SAID


def _check_people(people: dict[str, Document], with_outreach: set[str], found: Found) -> None:
    owners = Counter(address for person in people.values() for address in _addresses(person))
    owners.update(key for person in people.values() for key in person.get("match_keys", ()))
    for name, count in owners.items():
        if count > 1:
            found.people_doubled += count - 1
            found.note(f"{name} belongs to {count} people")
    alone = people.keys() - with_outreach
    found.people_alone = len(alone)
    if alone:
        found.note(f"no outreach is of {people[min(alone)]}")


def _addresses(person: Document) -> set[str]:
    return {entry["address"].lower() for entry in person.get("email_addresses", ())}
