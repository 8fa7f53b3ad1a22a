"""The screen of the sites that show the form of a campaign in a frame, and the changes of the allowed ones."""

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from osdi.access.anonymous_posts import ANY_ORIGIN, AnonymousPosts
from osdi.access.tokens import Caller
from osdi.campaign_pages.embedding.frame_sources import frame_sources, may_frame, site_of
from osdi.campaign_pages.embedding.site_store import BLOCKED, NAMELESS, OTHERS, SHOWN, UNKNOWN, blocked_since, sites_of
from osdi.crud.put import Change, put
from osdi.documents import Document
from osdi.errors import OsdiError, WriteConflict, invalid, not_found
from osdi.etags import etag
from osdi.fields.limits import MAX_ORIGINS
from osdi.ids import now
from osdi.resources import ADVOCACY_CAMPAIGN
from osdi.retry import retry_on_conflict
from osdi.settings import Settings
from osdi.staff.campaign_list import title_of
from osdi.store import Store

# The states of a site: those of one that has an address, and two rows that are about no single site.
ALLOWED: Final = "allowed"
STATES: Final = (BLOCKED, OTHERS, NAMELESS, ALLOWED)
WEEK: Final = dt.timedelta(days=7)
# Campaigns with blocked sites that the home page shows.
MAX_CAMPAIGNS: Final = 5


@dataclass(frozen=True)
class Site:
    """A site with its state now, the numbers of frames that browsers showed and blocked, and the time of the last."""

    origin: str
    state: str
    shown: int
    blocked: int
    unknown: int
    last_date: dt.datetime


@dataclass(frozen=True)
class Embedding:
    """The sites that have framed the form of a campaign, and those that may.

    With `any_site` each site that is loaded by https may. `own` is False if the list is that of the deployment.
    """

    sites: tuple[Site, ...]
    origins: tuple[str, ...]
    any_site: bool
    own: bool


@dataclass(frozen=True)
class BlockedSites:
    """A campaign, and the number of its sites that are blocked."""

    campaign_id: str
    title: str
    count: int


def embedding(store: Store, settings: Settings, campaign: Document, *, local: bool) -> Embedding:
    """Returns the screen of a campaign. `local` is True on the developer's own machine. Raises OsdiError 503."""
    origins = AnonymousPosts.of(settings, campaign).origins
    sources = frame_sources(origins, local=local)
    found = [_site(each, sources) for each in sites_of(store, campaign["_id"])]
    found.sort(key=lambda each: each.last_date, reverse=True)
    found.sort(key=lambda each: STATES.index(each.state))
    listed = tuple(each for each in origins if each != ANY_ORIGIN)
    return Embedding(tuple(found), listed, ANY_ORIGIN in origins, "origins" in campaign.get("anonymous_posts", {}))


def allow_site(store: Store, settings: Settings, campaign_id: str, typed: str, by: str | None) -> str:
    """Adds the site of an address to the origins of a campaign, and returns its origin. `by` is the caller's person.

    Raises OsdiError 400 for a text that is no address and for too many sites, 404, 503.
    """
    origin = site_of(typed)
    if origin is None:
        raise invalid("Enter the address of a page of the site, such as https://www.example.org/news.", "site")

    def added(origins: Sequence[str]) -> list[str]:
        found = list(dict.fromkeys((*origins, origin)))
        if len(found) > MAX_ORIGINS:
            raise invalid(f"A campaign lists at most {MAX_ORIGINS} sites.", "site")
        return found

    _change_origins(store, settings, campaign_id, added, by)
    return origin


def remove_site(store: Store, settings: Settings, campaign_id: str, origin: str, by: str | None) -> None:
    """Removes an origin from those of a campaign; safe to repeat. Raises OsdiError 404 and 503."""
    _change_origins(store, settings, campaign_id, lambda origins: [each for each in origins if each != origin], by)


def blocked_sites(store: Store, settings: Settings, caller: Caller) -> list[BlockedSites]:
    """Returns the campaigns with sites that framed their form in the last seven days and are blocked now.

    There are at most MAX_CAMPAIGNS, those with the newest frames first. A campaign-scoped caller sees that campaign
    only. Raises OsdiError 503.
    """
    origins: dict[str, list[str]] = {}
    for each in blocked_since(store, now() - WEEK, caller.advocacy_campaign_id):
        origins.setdefault(each["advocacy_campaign_id"], []).append(each["origin"])
    campaigns = (
        {each["_id"]: each for each in store.by_ids(ADVOCACY_CAMPAIGN.collection, [*origins])} if origins else {}
    )
    found = [_blocked(settings, campaigns[each], sites) for each, sites in origins.items() if each in campaigns]
    return [each for each in found if each.count][:MAX_CAMPAIGNS]


def _blocked(settings: Settings, campaign: Document, origins: Sequence[str]) -> BlockedSites:
    sources = frame_sources(AnonymousPosts.of(settings, campaign).origins, local=False)
    blocked = sum(not may_frame(sources, each) for each in origins)
    return BlockedSites(campaign["_id"], title_of(campaign), blocked)


def _site(document: Document, sources: Sequence[str]) -> Site:
    origin = document["origin"]
    state = origin if origin in (NAMELESS, OTHERS) else ALLOWED if may_frame(sources, origin) else BLOCKED
    shown, blocked, unknown = (document.get(outcome, 0) for outcome in (SHOWN, BLOCKED, UNKNOWN))
    return Site(origin, state, shown, blocked, unknown, document["last_date"])


def _change_origins(
    store: Store, settings: Settings, campaign_id: str, changed: Callable[[Sequence[str]], list[str]], by: str | None
) -> None:
    """Replaces the origins of a campaign by what `changed` makes of them, also if others change them meanwhile."""

    def attempt() -> None:
        campaign = store.get(ADVOCACY_CAMPAIGN.collection, campaign_id)
        if campaign is None:
            raise not_found("There is no such campaign.", ADVOCACY_CAMPAIGN.rel)
        fields = {"anonymous_posts": {"origins": changed(AnonymousPosts.of(settings, campaign).origins)}}
        _put_unchanged(store, settings, campaign, Change(fields, (), frozenset((etag(campaign),)), by))

    retry_on_conflict(attempt)


def _put_unchanged(store: Store, settings: Settings, campaign: Document, change: Change) -> None:
    """Changes a campaign. Raises WriteConflict if it has changed since it was read."""
    try:
        put(store, ADVOCACY_CAMPAIGN, campaign["_id"], change, settings.match_key_rules)
    except OsdiError as error:
        if error.status == 412:
            raise WriteConflict("The campaign has changed since it was read.") from error
        raise
