"""Compares acknowledged posts with the database, which it reads without the service.

An outreach names its post in `referrer_data.source`, and a person has the posted e-mail address or field. So the check
does not rely on the identifiers and indexes that the service uses to keep its promises. The people of the
administration are checked elsewhere (faults/administration/leftovers.py); here they only must not be doubled.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from pymongo.database import Database

from faults.administration.marks import DOMAIN
from faults.load import Acknowledged
from faults.posts import FIELD_VALUE, SOURCE_PREFIX, source

Document = dict[str, Any]
EXAMPLES = 5


@dataclass
class Found:
    """Numbers of errors in the database, with some examples in words.

    `lost_outreaches`: acknowledged outreaches that are missing, or have another id than the response named.
    `lost_people`: acknowledged outreaches whose person is missing, is another person, or lacks the posted data.
    `doubled`: outreaches beyond the first of a post. `people_doubled`: people beyond the first with the same e-mail
    address or match key. `people_alone`: people without an outreach.
    """

    lost_outreaches: int = 0
    lost_people: int = 0
    doubled: int = 0
    people_doubled: int = 0
    people_alone: int = 0
    examples: list[str] = field(default_factory=list)

    def add_example(self, example: str) -> None:
        if len(self.examples) < EXAMPLES:
            self.examples.append(example)


def check(database: "Database[Document]", acknowledged: Iterable[Acknowledged]) -> Found:
    """Reads the whole database, compares it with the acknowledged posts and returns the errors."""
    people: dict[str, Document] = {person["_id"]: person for person in database.people.find()}
    outreaches: defaultdict[str, list[Document]] = defaultdict(list)
    for outreach in database.outreaches.find({"referrer_data.source": {"$regex": f"^{SOURCE_PREFIX}"}}):
        outreaches[outreach["referrer_data"]["source"]].append(outreach)
    found = Found()
    for each in acknowledged:
        _check_one(each, outreaches.get(each.post.source, []), people, found)
    for name, made in outreaches.items():
        if len(made) > 1:
            found.doubled += len(made) - 1
            found.add_example(f"{name} has {len(made)} outreaches: {[outreach['_id'] for outreach in made]}")
    _check_people(people, {outreach["person_id"] for made in outreaches.values() for outreach in made}, found)
    return found


def _check_one(each: Acknowledged, made: list[Document], people: dict[str, Document], found: Found) -> None:
    named = [outreach for outreach in made if each.outreach_id in (None, outreach["_id"])]
    if not named:
        found.lost_outreaches += 1
        found.add_example(
            f"{source(each.post.number)} was acknowledged as {each.outreach_id}, but {len(made)} other outreaches exist"
        )
        return
    person = people.get(named[0]["person_id"])
    if person is None or each.person_id not in (None, person["_id"]) or not _matches(each, person):
        found.lost_people += 1
        found.add_example(f"{source(each.post.number)}: wrong person {named[0]['person_id']}: {person}")


def _matches(each: Acknowledged, person: Document) -> bool:
    """True if the person has the e-mail address and the custom field of the post."""
    if each.post.address and each.post.address not in _addresses(person):
        return False
    return each.post.field is None or person.get("custom_fields", {}).get(each.post.field) == FIELD_VALUE


def _check_people(people: dict[str, Document], with_outreach: set[str], found: Found) -> None:
    owners = Counter(address for person in people.values() for address in _addresses(person))
    owners.update(key for person in people.values() for key in person.get("match_keys", ()))
    for name, count in owners.items():
        if count > 1:
            found.people_doubled += count - 1
            found.add_example(f"{name} belongs to {count} people")
    administered = {key for key, person in people.items() if any(map(_is_administered, _addresses(person)))}
    alone = people.keys() - with_outreach - administered
    found.people_alone = len(alone)
    if alone:
        found.add_example(f"a person has no outreach: {people[min(alone)]}")


def _addresses(person: Document) -> set[str]:
    return {entry["address"].lower() for entry in person.get("email_addresses", ())}


def _is_administered(address: str) -> bool:
    """True for an address of the administration; its people may have no outreach."""
    return address.endswith(f"@{DOMAIN}")
