"""Stores how often each site has framed the form of a campaign: `{_id, advocacy_campaign_id, origin, ..., last_date}`.

The numbers of a document are named by outcome: `shown`, `blocked` and `unknown`. The address of a site comes from a
header that anybody can forge. Therefore a campaign has at most MAX_SITES sites that it does not list, none of them
replaces another, and further ones count as OTHERS. The sites that a campaign lists are always stored. The database
deletes a site that has framed nothing for 30 days.
"""

import datetime as dt
from collections.abc import Collection
from typing import Final

from pymongo import WriteConcern, timeout

from osdi.documents import Document
from osdi.ids import new_id
from osdi.store import Store
from osdi.store.indexes import EMBEDDING_SITES

SHOWN, BLOCKED, UNKNOWN = "shown", "blocked", "unknown"
# The origins of documents that are about no single site: pages that name no address, and those above the limit.
NAMELESS: Final = ""
OTHERS: Final = "*"
MAX_SITES: Final = 50
# More than a campaign can have: listed sites and others, and a few of simultaneous requests.
MAX_SITES_READ: Final = 200
WRITE_SECONDS: Final = 0.5
# A lost count does no harm.
ACKNOWLEDGED: Final = WriteConcern(w=1)


def add_frames(
    store: Store,
    campaign_id: str,
    origin: str,
    outcome: str,
    number: int,
    *,
    listed: Collection[str],
    timestamp: dt.datetime,
) -> None:
    """Adds a number of frames with one outcome. `listed` are the origins that the campaign lists.

    Raises OsdiError 503, and WriteConflict if another process has stored the site at the same time.
    """
    with store.operation(), timeout(WRITE_SECONDS):
        sites = store.collection(EMBEDDING_SITES).with_options(write_concern=ACKNOWLEDGED)

        def add(to: str, *, inserts: bool) -> bool:
            change = {"$inc": {outcome: number}, "$max": {"last_date": timestamp}}
            if inserts:
                change["$setOnInsert"] = {"_id": new_id()}
            site = {"advocacy_campaign_id": campaign_id, "origin": to}
            return bool(sites.update_one(site, change, upsert=inserts).matched_count)

        if add(origin, inserts=False):
            return
        named = {"advocacy_campaign_id": campaign_id, "origin": {"$nin": [NAMELESS, OTHERS, *listed]}}
        has_room = origin in (NAMELESS, OTHERS, *listed) or sites.count_documents(named, limit=MAX_SITES) < MAX_SITES
        add(origin if has_room else OTHERS, inserts=True)


def sites_of(store: Store, campaign_id: str) -> list[Document]:
    """Returns the sites of a campaign, in any order. Raises OsdiError 503."""
    return store.find(EMBEDDING_SITES, {"advocacy_campaign_id": campaign_id}, limit=MAX_SITES_READ)


def blocked_since(store: Store, timestamp: dt.datetime, campaign_id: str | None) -> list[Document]:
    """Returns sites that were blocked once and have framed a form since a timestamp, of one campaign or of all.

    The newest are first, and there are at most MAX_SITES_READ. Raises OsdiError 503.
    """
    query = {"last_date": {"$gte": timestamp}, BLOCKED: {"$gt": 0}, "origin": {"$nin": [NAMELESS, OTHERS]}}
    scope = {"advocacy_campaign_id": campaign_id} if campaign_id else {}
    return store.find(EMBEDDING_SITES, {**query, **scope}, sort=("-last_date",), limit=MAX_SITES_READ)


def forget_sites(store: Store, campaign_id: str) -> None:
    """Deletes the sites of a campaign. Raises OsdiError 503."""
    store.delete_many(EMBEDDING_SITES, {"advocacy_campaign_id": campaign_id})
