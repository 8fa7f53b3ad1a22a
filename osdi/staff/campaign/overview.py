"""The screen of one campaign: numbers, goal, and the outreaches that were recorded last."""

from dataclasses import dataclass
from typing import Final

from osdi.access.tokens import Caller
from osdi.documents import Document
from osdi.resources import OUTREACH
from osdi.settings import Settings
from osdi.staff.campaign.outreach_rows import SHOWN, OutreachRow, rows_of
from osdi.staff.campaign_list import Row, row_of
from osdi.store import Store

LATEST: Final = 10


@dataclass(frozen=True)
class Overview:
    """A campaign with its numbers and its last outreaches."""

    row: Row
    latest: tuple[OutreachRow, ...]


def overview(store: Store, caller: Caller, settings: Settings, campaign: Document) -> Overview:
    """Returns the screen of a campaign for this caller. Raises OsdiError 503."""
    query = {"advocacy_campaign_id": campaign["_id"]}
    latest = store.find(OUTREACH.collection, query, sort=("-_id",), limit=LATEST, fields=SHOWN)
    return Overview(row_of(store, campaign, settings.zone), rows_of(store, caller, latest))
