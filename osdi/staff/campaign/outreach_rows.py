"""Rows of the tables of outreaches: time, type, source and targets, and the person if the member may see people."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from osdi.access.tokens import Caller
from osdi.documents import Document
from osdi.resources import ADVOCACY_CAMPAIGN, PERSON
from osdi.staff.campaign_list import title_of
from osdi.statistics.tally import values_of
from osdi.store import Store

SHOWN: Final = (
    "advocacy_campaign_id",
    "type",
    "action_date",
    "created_date",
    "referrer_data",
    "targets",
    "person_id",
)


@dataclass(frozen=True)
class OutreachRow:
    """An outreach in a table: its time, campaign, type, source and the names of its targets.

    `person_id` and `person` are empty if the caller may not see people.
    """

    outreach_id: str
    moment: dt.datetime
    campaign_id: str
    campaign: str
    type: str
    source: str
    targets: tuple[str, ...]
    person_id: str
    person: str


def rows_of(store: Store, caller: Caller, outreaches: Sequence[Document]) -> tuple[OutreachRow, ...]:
    """Returns a row for each outreach, which needs the fields in SHOWN. Raises OsdiError 503."""
    everywhere = caller.advocacy_campaign_id is None
    names = _names(store, outreaches) if everywhere else {}
    titles = _titles(store, outreaches)
    return tuple(
        OutreachRow(
            outreach_id=each["_id"],
            moment=each.get("action_date") or each["created_date"],
            campaign_id=each["advocacy_campaign_id"],
            campaign=titles.get(each["advocacy_campaign_id"], each["advocacy_campaign_id"]),
            type=each.get("type") or "",
            source=(each.get("referrer_data") or {}).get("source") or "",
            targets=tuple(name for name in values_of(each)["target"] if name),
            person_id=each.get("person_id", "") if everywhere else "",
            person=names.get(each.get("person_id"), ""),
        )
        for each in outreaches
    )


def _names(store: Store, outreaches: Sequence[Document]) -> Mapping[str | None, str]:
    """Returns the names of the people of outreaches, by id."""
    ids = sorted({each["person_id"] for each in outreaches if "person_id" in each})
    found = store.find(PERSON.collection, {"_id": {"$in": ids}}, fields=("given_name", "family_name"))
    return {
        each["_id"]: " ".join(each[part] for part in ("given_name", "family_name") if each.get(part)) for each in found
    }


def _titles(store: Store, outreaches: Sequence[Document]) -> Mapping[str, str]:
    """Returns the titles of the campaigns of outreaches, by id."""
    ids = sorted({each["advocacy_campaign_id"] for each in outreaches})
    found = store.find(ADVOCACY_CAMPAIGN.collection, {"_id": {"$in": ids}}, fields=("title", "name"))
    return {each["_id"]: title_of(each) for each in found}
