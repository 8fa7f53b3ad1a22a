"""The filters and orders of the list of people, and the API's request for the same people."""

import datetime as dt
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote

from osdi.crud.subresources import ITEMS, TAGGINGS, Embedded
from osdi.documents import Query, ReadOnlyDocument
from osdi.ids import id_before
from osdi.resources import ADVOCACY_CAMPAIGN, API, ITEM, LIST, OUTREACH, PERSON, TAG, TAGGING

# The orders of the list: the newest person first, the latest outreach first, by family and given name.
NEWEST: Final = "newest"
LATEST: Final = "latest"
NAME: Final = "name"


@dataclass(frozen=True)
class Filter:
    """The people to list: those that the text finds, with the tag, on the list, with an outreach in the campaign.

    `status` is that of the primary e-mail address. `created` and `active` are times (naive UTC): the person was stored,
    or an outreach of the person arrived, at that time or later. Tag, list and campaign are ids; empty means any.
    """

    text: str = ""
    tag: str = ""
    list: str = ""
    campaign: str = ""
    status: str = ""
    created: dt.datetime | None = None
    active: dt.datetime | None = None
    sort: str = ""

    @property
    def is_empty(self) -> bool:
        """True if it selects all people."""
        return not any((self.text, self.tag, self.list, self.campaign, self.status, self.created, self.active))

    @property
    def orders(self) -> tuple[str, ...]:
        """The orders that can be chosen: those that an index has, or those of the few people that a text finds."""
        if self.text:
            return (NAME, NEWEST)
        return (LATEST,) if self.campaign or self.active else (NEWEST, LATEST)

    @property
    def order(self) -> str:
        """The order of the result; empty for a search by text without an order."""
        return self.sort if self.sort in self.orders else "" if self.text else self.orders[0]

    @property
    def entries(self) -> tuple[tuple[Embedded, str], ...]:
        """The kinds of entries that people need to have, with the ids of the tag and the list."""
        chosen = ((TAGGINGS, self.tag), (ITEMS, self.list))
        return tuple((kind, value) for kind, value in chosen if value)

    @property
    def query(self) -> Query:
        """The query for the people with the tag, on the list, and stored since the time, in the order of ids.

        The id has the time at which the person was stored, and a merge may give an earlier `created_date`: so an index
        of ids leaves out the older people.
        """
        entries = {f"{kind.array}.{kind.field}": value for kind, value in self.entries}
        created = {"created_date": {"$gte": self.created}} if self.created else {}
        return {**entries, **created}

    @property
    def first_id(self) -> Query:
        """The condition on ids for people who were stored since the time."""
        return {"$gte": id_before(self.created)} if self.created else {}

    @property
    def outreaches(self) -> Query:
        """The query for the outreaches in the campaign, without the condition on their ids."""
        return {"advocacy_campaign_id": self.campaign} if self.campaign else {}

    @property
    def first_outreach_id(self) -> Query:
        """The condition on ids for outreaches that arrived since the time."""
        return {"$gte": id_before(self.active)} if self.active else {}

    def fits(self, person: ReadOnlyDocument) -> bool:
        """True if the person has the tag, is on the list, and was stored since the time."""
        has_entries = all(
            any(entry[kind.field] == value for entry in person.get(kind.array, ())) for kind, value in self.entries
        )
        return has_entries and (self.created is None or person["created_date"] >= self.created)


@dataclass(frozen=True)
class ApiRequest:
    """A path of the API, and the resource that it lists: people, or what points at them."""

    path: str
    lists: str


def api_request(chosen: Filter) -> ApiRequest | None:
    """Returns the API's request for the chosen people; None if it takes more than one."""
    parts = {
        "text": chosen.text,
        "tag": chosen.tag,
        "list": chosen.list,
        "campaign": chosen.campaign,
        "status": chosen.status,
        "created": chosen.created,
        "active": chosen.active,
    }
    named = [name for name, value in parts.items() if value]
    if not named:
        return ApiRequest(f"{API}/{PERSON.collection}", PERSON.collection)
    return _request_of(named[0], chosen) if len(named) == 1 else None


def _request_of(name: str, chosen: Filter) -> ApiRequest | None:
    match name:
        case "tag":
            return ApiRequest(f"{API}/{TAG.collection}/{chosen.tag}/{TAGGING.collection}", TAGGING.collection)
        case "list":
            return ApiRequest(f"{API}/{LIST.collection}/{chosen.list}/{ITEM.collection}", ITEM.collection)
        case "campaign":
            path = f"{API}/{ADVOCACY_CAMPAIGN.collection}/{chosen.campaign}/{OUTREACH.collection}"
            return ApiRequest(path, OUTREACH.collection)
        case "created":
            return _filtered(PERSON.collection, f"created_date ge '{chosen.created:%Y-%m-%dT%H:%M:%SZ}'")
        case "active":
            return _filtered(OUTREACH.collection, f"created_date ge '{chosen.active:%Y-%m-%dT%H:%M:%SZ}'")
        case "text" if "@" in chosen.text:
            address = chosen.text.replace("'", "''")
            return _filtered(PERSON.collection, f"email_address eq '{address}'")
    return None


def _filtered(collection: str, condition: str) -> ApiRequest:
    return ApiRequest(f"{API}/{collection}?filter={quote(condition)}", collection)
