"""The table of the list of people: its rows, the number of all, and what people can be filtered by."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from osdi.documents import Document, ReadOnlyDocument
from osdi.match_keys import MatchKeyRules
from osdi.people.outreach_links_store import outreaches_of
from osdi.resources import ADVOCACY_CAMPAIGN, LIST, OUTREACH, TAG, Resource
from osdi.staff.people.names import email_of, label_of, name_of, town_of
from osdi.staff.people.search.filter import Filter
from osdi.staff.people.search.find import find_people, has_existing_entries, statuses_of
from osdi.staff.people.search.people_count_store import count_people
from osdi.store import Store

MAX_CHOICES: Final = 1_000
# Of more people the page says "more than".
MAX_COUNTED: Final = 10_000


@dataclass(frozen=True)
class Row:
    """A person in the table. `status` is that of the primary e-mail address, `latest` the time of the last outreach."""

    person_id: str
    name: str
    email: str
    town: str
    status: str
    latest: dt.datetime | None
    since: dt.datetime


@dataclass(frozen=True)
class PeopleList:
    """People, and where the next page begins: `after` is its cursor, None at the end.

    `more` is true if a search by text has left people out. `total` is None if they were not counted, and
    `is_more_than_total` is true if there are more than that.
    """

    rows: tuple[Row, ...]
    after: str | None = None
    more: bool = False
    total: int | None = None
    is_more_than_total: bool = False


@dataclass(frozen=True)
class Choices:
    """The ids and names of the tags, lists and campaigns by which people can be filtered."""

    tags: tuple[tuple[str, str], ...]
    lists: tuple[tuple[str, str], ...]
    campaigns: tuple[tuple[str, str], ...]


def people_list(store: Store, rules: MatchKeyRules, chosen: Filter, after: str = "") -> PeopleList:
    """Returns the chosen people behind the cursor `after`; a search by text ignores it. Raises OsdiError 503."""
    found = find_people(store, rules, chosen, after)
    total = _total(store, chosen)
    counted = None if total is None else min(total, MAX_COUNTED)
    return PeopleList(rows_of(store, found.people), found.after, found.more, counted, (total or 0) > MAX_COUNTED)


def choices(store: Store) -> Choices:
    """Returns what people can be filtered by. Raises OsdiError 503."""
    tags, lists, campaigns = (options(store, resource) for resource in (TAG, LIST, ADVOCACY_CAMPAIGN))
    return Choices(tags, lists, campaigns)


def options(store: Store, resource: Resource) -> tuple[tuple[str, str], ...]:
    """Returns the ids and names of the tags, lists or campaigns, by name."""
    found = store.find(resource.collection, {}, sort=("-_id",), limit=MAX_CHOICES, fields=("name", "title"))
    return tuple(sorted(((each["_id"], label_of(each)) for each in found), key=lambda pair: pair[1].casefold()))


def rows_of(store: Store, people: Iterable[Document]) -> tuple[Row, ...]:
    """Returns a row for each person."""
    people = list(people)
    statuses = statuses_of(store, people)
    return tuple(
        Row(
            person_id=person["_id"],
            name=name_of(person),
            email=email_of(person),
            town=town_of(person),
            status=statuses[person["_id"]],
            latest=_latest(store, person),
            since=person["created_date"],
        )
        for person in people
    )


def _total(store: Store, chosen: Filter) -> int | None:
    """Returns the number of the chosen people, at most MAX_COUNTED + 1; None if no index counts them."""
    is_query = Filter(tag=chosen.tag, list=chosen.list, created=chosen.created, sort=chosen.sort) == chosen
    if not is_query or len(chosen.query) > 1 or chosen.order not in ("", chosen.orders[0]):
        return None
    if not has_existing_entries(store, chosen):
        return 0
    return count_people(store, chosen.query, MAX_COUNTED + 1)


def _latest(store: Store, person: ReadOnlyDocument) -> dt.datetime | None:
    found = store.find_one(
        OUTREACH.collection, outreaches_of(person), sort=("-_id",), fields=("action_date", "created_date")
    )
    return found.get("action_date", found["created_date"]) if found else None
