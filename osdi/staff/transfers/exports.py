"""Exports by members: which there are, who made one and when, and if it was sent to its end.

The log of exports is in a collection of its own, `{_id, at, staff_id, what, format, campaign_id?, state, documents,
expires_date}`. It has no personal data but the id of the member, and is kept as long as the audit log.
"""

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from osdi.documents import Document
from osdi.errors import OsdiError, invalid
from osdi.exporting.export import ExportQuery, Part, csv, ndjson, query_of
from osdi.hal import Hal
from osdi.ids import new_id, now
from osdi.resources import ADVOCACY_CAMPAIGN, OUTREACH, PERSON, Resource
from osdi.settings import Settings
from osdi.staff.campaign_list import title_of
from osdi.store import Insert, Store
from osdi.store.indexes import EXPORTS, STAFF

CSV, NDJSON = "csv", "ndjson"
WHAT: Final[dict[str, Resource]] = {"people": PERSON, "outreaches": OUTREACH, "campaigns": ADVOCACY_CAMPAIGN}
SENDING, COMPLETE, BROKEN = "sending", "complete", "broken"
MAX_LISTED: Final = 50


@dataclass(frozen=True)
class Wanted:
    """An export that a member asks for. `campaign_id` is for outreaches of one campaign; `bom` is for Excel."""

    what: str
    format: str
    campaign_id: str = ""
    bom: bool = False

    @property
    def file_name(self) -> str:
        return f"{self.what}.{self.format}"


@dataclass(frozen=True)
class ExportRow:
    """An export of the list."""

    at: dt.datetime
    member: str
    what: str
    format: str
    campaign: str | None
    state: str
    documents: int


def export_list(store: Store) -> list[ExportRow]:
    """Returns the latest exports, the newest first. Raises OsdiError 503."""
    found = store.find(EXPORTS, {}, sort=("-_id",), limit=MAX_LISTED)
    names = {each["_id"]: each["name"] for each in store.by_ids(STAFF, sorted({one["staff_id"] for one in found}))}
    ids = sorted({each["campaign_id"] for each in found if "campaign_id" in each})
    titles = {each["_id"]: title_of(each) for each in store.by_ids(ADVOCACY_CAMPAIGN.collection, ids)}
    return [
        ExportRow(
            at=each["at"],
            member=str(names.get(each["staff_id"], each["staff_id"])),
            what=each["what"],
            format=each["format"],
            campaign=titles.get(each["campaign_id"], each["campaign_id"]) if "campaign_id" in each else None,
            state=each["state"],
            documents=each["documents"],
        )
        for each in found
    ]


def export_parts(store: Store, settings: Settings, hal: Hal, wanted: Wanted) -> Iterator[Part]:
    """Returns the parts of an export. Raises OsdiError 400 for a choice that the page does not offer, 503."""
    resource = WHAT.get(wanted.what)
    if resource is None:
        raise invalid("Choose what to export.", "what")
    if wanted.format not in (CSV, NDJSON):
        raise invalid("Choose a format.", "format")
    campaign_id = wanted.campaign_id or None
    if campaign_id and (resource is not OUTREACH or store.get(ADVOCACY_CAMPAIGN.collection, campaign_id) is None):
        raise invalid("Choose one of the campaigns, for outreaches.", "campaign")
    query = ExportQuery(store, resource, query_of(resource, None, settings.match_key_rules, campaign_id=campaign_id))
    return csv(query, bom=wanted.bom) if wanted.format == CSV else ndjson(query, hal)


def _begin(store: Store, settings: Settings, staff_id: str, wanted: Wanted) -> Document:
    """Notes that a member exports something, before the first byte is sent. Raises OsdiError 503."""
    timestamp = now()
    export: Document = {
        "_id": new_id(),
        "at": timestamp,
        "staff_id": staff_id,
        "what": wanted.what,
        "format": wanted.format,
        "state": SENDING,
        "documents": 0,
        "expires_date": timestamp + dt.timedelta(days=settings.staff_event_days),
    }
    store.write(Insert(EXPORTS, export | ({"campaign_id": wanted.campaign_id} if wanted.campaign_id else {})))
    return export


def noted(store: Store, settings: Settings, staff_id: str, wanted: Wanted, parts: Iterator[Part]) -> Iterator[Part]:
    """Yields the parts, and notes who exports, how many documents were sent, and if all of them were."""
    export = _begin(store, settings, staff_id, wanted)
    documents, state = 0, BROKEN
    try:
        for part in parts:
            yield part
            documents += part.documents
        state = COMPLETE
    finally:
        _note_end(store, export, state, documents)


def _note_end(store: Store, export: Document, state: str, documents: int) -> None:
    try:
        store.update_many(EXPORTS, {"_id": export["_id"]}, {"$set": {"state": state, "documents": documents}})
    except OsdiError:  # the database is away, which may be why the export is broken: the state stays "sending"
        return
