"""The list of people on the staff pages: a search by text, filters by tag, list and campaign, and the table's rows.

A search by text shows its first results and says if there are more. Without a text the list has pages, the newest
people first; of a campaign, those with the newest outreaches. Each page reads at most LOOKED_AT people, by an index.
"""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final

from osdi.crud.subresources import ITEMS, TAGGINGS
from osdi.documents import Document, Query, ReadOnlyDocument
from osdi.match_keys import MatchKeyRules
from osdi.people.lookup import get_people, search_people
from osdi.people.merged_people_store import ids_of
from osdi.people.outreach_links_store import outreaches_of
from osdi.resources import ADVOCACY_CAMPAIGN, LIST, OUTREACH, PERSON, TAG, Resource
from osdi.staff.people.contact_status import NO_ADDRESS, mail_statuses
from osdi.staff.people.names import email_of, label_of, name_of, town_of
from osdi.store import Store

PER_PAGE: Final = 25
# The people of a name that the other filters choose from, and the outreaches of a campaign that one page reads.
LOOKED_AT: Final = 500
BATCH: Final = 100
MOST_CHOICES: Final = 1_000


@dataclass(frozen=True)
class Filter:
    """The people to list: those that the text finds, with the tag, on the list, with an outreach in the campaign.

    Tag, list and campaign are ids; empty means any.
    """

    text: str = ""
    tag: str = ""
    list: str = ""
    campaign: str = ""

    @property
    def entries(self) -> Query:
        """The query for the people with the tag and on the list."""
        chosen = ((TAGGINGS, self.tag), (ITEMS, self.list))
        return {f"{kind.array}.{kind.field}": value for kind, value in chosen if value}

    def fits(self, person: ReadOnlyDocument) -> bool:
        """True if the person has the tag and is on the list."""
        chosen = ((TAGGINGS, self.tag), (ITEMS, self.list))
        return all(
            any(entry[kind.field] == value for entry in person.get(kind.array, ())) for kind, value in chosen if value
        )


@dataclass(frozen=True)
class Row:
    """A person in the table. `status` is that of the primary e-mail address, `latest` the time of the last outreach."""

    person_id: str
    name: str
    email: str
    town: str
    status: str
    latest: dt.datetime | None


@dataclass(frozen=True)
class PeopleList:
    """People, and where the next page begins: `after` is its cursor, None at the end.

    `more` is true if a search by text has left people out. `total` is None if they were not counted.
    """

    rows: tuple[Row, ...]
    after: str | None = None
    more: bool = False
    total: int | None = None


@dataclass(frozen=True)
class _Found:
    people: list[Document]
    after: str | None = None
    more: bool = False
    total: int | None = None


@dataclass(frozen=True)
class Choices:
    """The ids and names of the tags, lists and campaigns by which people can be filtered."""

    tags: tuple[tuple[str, str], ...]
    lists: tuple[tuple[str, str], ...]
    campaigns: tuple[tuple[str, str], ...]


def people_list(store: Store, rules: MatchKeyRules, chosen: Filter, after: str = "") -> PeopleList:
    """Returns the chosen people behind the cursor `after`; a search by text ignores it. Raises OsdiError 503."""
    if chosen.text:
        found = _by_text(store, rules, chosen)
    elif chosen.campaign:
        found = _of_campaign(store, chosen, after)
    else:
        found = _newest(store, chosen.entries, after)
    return PeopleList(rows_of(store, found.people), found.after, found.more, found.total)


def choices(store: Store) -> Choices:
    """Returns what people can be filtered by. Raises OsdiError 503."""
    tags, lists, campaigns = (options(store, resource) for resource in (TAG, LIST, ADVOCACY_CAMPAIGN))
    return Choices(tags, lists, campaigns)


def options(store: Store, resource: Resource) -> tuple[tuple[str, str], ...]:
    """Returns the ids and names of the tags, lists or campaigns, by name."""
    found = store.find(resource.collection, {}, sort=("-_id",), limit=MOST_CHOICES, fields=("name", "title"))
    return tuple(sorted(((each["_id"], label_of(each)) for each in found), key=lambda pair: pair[1].casefold()))


def rows_of(store: Store, people: Iterable[Document]) -> tuple[Row, ...]:
    """Returns a row for each person."""
    people = list(people)
    addresses = {person["_id"]: entry for person in people if (entry := _primary_entry(person))}
    statuses = mail_statuses(store, addresses)
    return tuple(
        Row(
            person_id=person["_id"],
            name=name_of(person),
            email=email_of(person),
            town=town_of(person),
            status=statuses.get(person["_id"], NO_ADDRESS),
            latest=_latest(store, person),
        )
        for person in people
    )


def _by_text(store: Store, rules: MatchKeyRules, chosen: Filter) -> _Found:
    is_filtered = chosen != replace(chosen, tag="", list="", campaign="")
    found = search_people(store, chosen.text, rules, limit=LOOKED_AT if is_filtered else PER_PAGE)
    people = [person for person in found.people if chosen.fits(person)]
    if chosen.campaign and people:
        active = _with_outreach(store, people, {"advocacy_campaign_id": chosen.campaign})
        people = [person for person in people if active.intersection(ids_of(person))]
    return _Found(people[:PER_PAGE], more=found.more or len(people) > PER_PAGE)


def _newest(store: Store, query: Query, after: str) -> _Found:
    behind = {"_id": {"$lt": after}} if after else {}
    people = store.find(PERSON.collection, {**query, **behind}, sort=("-_id",), limit=PER_PAGE + 1)
    # An index counts the people of one tag or one list, but not of both.
    total = store.count(PERSON.collection, query) if len(query) <= 1 else None
    shown = people[:PER_PAGE]
    return _Found(shown, shown[-1]["_id"] if len(people) > PER_PAGE else None, total=total)


def _of_campaign(store: Store, chosen: Filter, after: str) -> _Found:
    """Returns people in the order of their latest outreach in the campaign; the cursor is the id of an outreach."""
    shown: dict[str, Document] = {}
    campaign = {"advocacy_campaign_id": chosen.campaign}
    cursor = after
    for _ in range(0, LOOKED_AT, BATCH):
        behind = {"_id": {"$lt": cursor}} if cursor else {}
        outreaches = store.find(
            OUTREACH.collection, {**campaign, **behind}, sort=("-_id",), limit=BATCH, fields=("person_id",)
        )
        people = _people_of(store, outreaches, chosen, campaign, after)
        for outreach in outreaches:
            person = people.get(outreach.get("person_id", ""))
            if person is not None and person["_id"] not in shown:
                if len(shown) == PER_PAGE:
                    return _Found(list(shown.values()), cursor)
                shown[person["_id"]] = person
            cursor = outreach["_id"]
        if len(outreaches) < BATCH:
            return _Found(list(shown.values()))
    return _Found(list(shown.values()), cursor)


def _people_of(
    store: Store, outreaches: list[Document], chosen: Filter, campaign: Query, after: str
) -> dict[str, Document]:
    """Returns the fitting people of these outreaches, by the ids there, without those of an earlier page."""
    ids = {each["person_id"] for each in outreaches if "person_id" in each}
    people = {key: person for key, person in get_people(store, ids).items() if chosen.fits(person)}
    if not after or not people:
        return people
    earlier = _with_outreach(store, people.values(), {**campaign, "_id": {"$gte": after}})
    return {key: person for key, person in people.items() if not earlier.intersection(ids_of(person))}


def _with_outreach(store: Store, people: Iterable[Document], query: Query) -> set[str]:
    """Returns the ids of those people, also as merged ones, who have an outreach that the query selects."""
    ids = sorted({each for person in people for each in ids_of(person)})
    found = store.find(OUTREACH.collection, {"person_id": {"$in": ids}, **query}, fields=("person_id",))
    return {each["person_id"] for each in found}


def _primary_entry(person: ReadOnlyDocument) -> ReadOnlyDocument | None:
    address = email_of(person)
    return next(
        (each for each in person.get("email_addresses", ()) if address and each.get("address") == address), None
    )


def _latest(store: Store, person: ReadOnlyDocument) -> dt.datetime | None:
    found = store.find_one(
        OUTREACH.collection, outreaches_of(person), sort=("-_id",), fields=("action_date", "created_date")
    )
    return found.get("action_date", found["created_date"]) if found else None
