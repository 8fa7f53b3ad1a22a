"""The screen of one campaign: numbers, goal, and the outreaches that were recorded last."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from osdi.access.tokens import Caller
from osdi.documents import Document
from osdi.resources import OUTREACH, PERSON
from osdi.settings import Settings
from osdi.staff.campaign_list import Row, row_of
from osdi.store import Store

LATEST: Final = 10
SHOWN: Final = ("type", "action_date", "created_date", "referrer_data.source", "person_id")


@dataclass(frozen=True)
class LatestOutreach:
    """An outreach in the list: its time, type and source.

    `person_id` and `person` are empty if the caller may not see people.
    """

    outreach_id: str
    moment: dt.datetime
    type: str
    source: str
    person_id: str
    person: str


@dataclass(frozen=True)
class Overview:
    """A campaign with its numbers and its last outreaches."""

    row: Row
    latest: tuple[LatestOutreach, ...]


def overview(store: Store, caller: Caller, settings: Settings, campaign: Document) -> Overview:
    """Returns the screen of a campaign for this caller. Raises OsdiError 503."""
    return Overview(row_of(store, campaign, settings.zone), _latest(store, caller, campaign["_id"]))


def _latest(store: Store, caller: Caller, campaign_id: str) -> tuple[LatestOutreach, ...]:
    query = {"advocacy_campaign_id": campaign_id}
    found = store.find(OUTREACH.collection, query, sort=("-_id",), limit=LATEST, fields=SHOWN)
    names = {} if caller.advocacy_campaign_id else _names(store, found)
    return tuple(
        LatestOutreach(
            outreach_id=each["_id"],
            moment=each.get("action_date") or each["created_date"],
            type=each.get("type", ""),
            source=each.get("referrer_data", {}).get("source", ""),
            person_id="" if caller.advocacy_campaign_id else each.get("person_id", ""),
            person=names.get(each.get("person_id"), ""),
        )
        for each in found
    )


def _names(store: Store, outreaches: Sequence[Document]) -> dict[str | None, str]:
    """Returns the names of the people of outreaches, by id."""
    ids = [each["person_id"] for each in outreaches if "person_id" in each]
    found = store.find(PERSON.collection, {"_id": {"$in": ids}}, fields=("given_name", "family_name"))
    return {
        each["_id"]: " ".join(each[part] for part in ("given_name", "family_name") if each.get(part)) for each in found
    }
