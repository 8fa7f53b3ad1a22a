"""Tokens as the settings pages list them, and the campaigns that a token or a member may be bound to."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from osdi.access.token_changes import campaigns_of
from osdi.access.token_store import find_tokens
from osdi.access.tokens import has_expired
from osdi.documents import Document
from osdi.resources import ADVOCACY_CAMPAIGN
from osdi.staff.campaign_list import MAX_CAMPAIGNS, title_of
from osdi.store import Store


@dataclass(frozen=True)
class TokenRow:
    """A stored token; `campaign` is the title of its only campaign, None for one that was deleted."""

    token: Document
    campaign: str | None
    expired: bool


def token_list(store: Store, timestamp: dt.datetime) -> list[TokenRow]:
    """Returns every token at a timestamp (naive UTC), the oldest first. Raises OsdiError 503."""
    found = find_tokens(store, {})
    titles = campaign_titles(store, found)
    return [
        TokenRow(each, titles.get(each.get("advocacy_campaign_id", "")), has_expired(each, timestamp)) for each in found
    ]


def campaign_titles(store: Store, bound: Sequence[Document]) -> dict[str, str]:
    """Returns the titles of the campaigns that tokens or members are bound to, by id."""
    return {campaign_id: title_of(each) for campaign_id, each in campaigns_of(store, bound).items()}


def campaign_choices(store: Store) -> list[tuple[str, str]]:
    """Returns the id and the title of each campaign, the newest first."""
    found = store.find(ADVOCACY_CAMPAIGN.collection, {}, sort=("-_id",), limit=MAX_CAMPAIGNS)
    return [(each["_id"], title_of(each)) for each in found]
