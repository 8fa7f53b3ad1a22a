"""The home page of the staff pages: things to do, figures of the last seven days, and the newest campaigns.

A member sees what the member's scopes allow. A campaign-scoped member sees one campaign, and nothing of the others.
"""

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from osdi.access.tokens import ADMIN, READ, Caller
from osdi.action_functions.followup_kinds import FAILED
from osdi.campaign_pages.page_settings import PageSettings
from osdi.errors import OsdiError
from osdi.followups import outbox_store
from osdi.ids import now
from osdi.people.duplicates.groups import duplicates
from osdi.resources import ADVOCACY_CAMPAIGN, OUTREACH, PERSON
from osdi.settings import Settings
from osdi.staff.campaign.embedding import blocked_sites
from osdi.staff.campaign.outreach_filter import OutreachFilter
from osdi.staff.campaign_list import (
    DAYS,
    MAX_CAMPAIGNS,
    CampaignList,
    campaign_list,
    last_dates,
    last_days,
    title_of,
    visible_to,
)
from osdi.staff.links import mails_are_sent
from osdi.statistics.recent_store import created_within
from osdi.store import Store
from osdi.webhooks.event_store import all_webhooks
from osdi.webhooks.registry import BY_HAND

# The kinds of things to do, most urgent first.
FAILED_FOLLOWUPS: Final = "failed_followups"
DISABLED_WEBHOOKS: Final = "disabled_webhooks"
BLOCKED_SITES: Final = "blocked_sites"
CLOSING_CAMPAIGNS: Final = "closing_campaigns"
LIKELY_DUPLICATES: Final = "likely_duplicates"
NO_MAIL: Final = "no_mail"
UNKNOWN: Final = "unknown"

CAMPAIGNS_SHOWN: Final = 5
DUPLICATES_COUNTED: Final = 10
MORE: Final = "+"
SOON: Final = dt.timedelta(days=7)


@dataclass(frozen=True)
class Todo:
    """A thing to do: its kind, how many, True if there may be more, names or reasons, and the campaign if it is one."""

    kind: str
    count: int = 0
    more: bool = False
    details: tuple[str, ...] = ()
    campaign_id: str = ""


@dataclass(frozen=True)
class Figure:
    """A number of the last seven days, and that of the seven days before, with the days of both."""

    name: str
    count: int
    before: int
    recent: OutreachFilter
    earlier: OutreachFilter


@dataclass(frozen=True)
class Home:
    """The content of the home page. `campaigns` is None for a member who may not read them."""

    todo: tuple[Todo, ...]
    figures: tuple[Figure, ...]
    campaigns: CampaignList | None


def home(store: Store, caller: Caller, settings: Settings) -> Home:
    """Returns the home page for this caller. Raises OsdiError 503."""
    if not caller.may(READ):
        return Home((), (), None)
    everywhere = caller.advocacy_campaign_id is None
    return Home(
        tuple(_todo(store, caller, settings)),
        tuple(_figures(store, settings)) if everywhere else (),
        campaign_list(store, caller, settings.zone, limit=CAMPAIGNS_SHOWN),
    )


def _todo(store: Store, caller: Caller, settings: Settings) -> Iterator[Todo]:
    if caller.advocacy_campaign_id is None:
        yield from _failed_followups(store)
        if caller.may(ADMIN):
            yield from _disabled_webhooks(store)
            if not mails_are_sent(settings):
                yield Todo(NO_MAIL)
    yield from _blocked(store, caller, settings)
    yield from _closing(store, caller)
    if caller.advocacy_campaign_id is None:
        yield from _duplicates(store)


def _failed_followups(store: Store) -> Iterator[Todo]:
    try:
        failed = [each for each in outbox_store.counts(store) if each["state"] == FAILED]
    except OsdiError:  # many follow-ups take longer to count than a page may
        yield Todo(UNKNOWN, details=(FAILED_FOLLOWUPS,))
        return
    if failed:
        reasons = tuple(f"{each.get('reason', '')} ({each['count']})" for each in failed)
        yield Todo(FAILED_FOLLOWUPS, sum(each["count"] for each in failed), details=reasons)


def _disabled_webhooks(store: Store) -> Iterator[Todo]:
    found = [
        each.get("description") or each["url"]
        for each in all_webhooks(store)
        if not each["enabled"] and each.get("disabled_reason") != BY_HAND
    ]
    if found:
        yield Todo(DISABLED_WEBHOOKS, len(found), details=tuple(found))


def _blocked(store: Store, caller: Caller, settings: Settings) -> Iterator[Todo]:
    for each in blocked_sites(store, settings, caller):
        yield Todo(BLOCKED_SITES, each.count, details=(each.title,), campaign_id=each.campaign_id)


def _closing(store: Store, caller: Caller) -> Iterator[Todo]:
    timestamp = now()
    query = {**visible_to(caller), "page": {"$exists": True}}
    campaigns = store.find(ADVOCACY_CAMPAIGN.collection, query, sort=("-_id",), limit=MAX_CAMPAIGNS)
    found = [each for each in campaigns if _closes_soon(PageSettings.of(each), timestamp)]
    if found:
        yield Todo(CLOSING_CAMPAIGNS, len(found), details=tuple(map(title_of, found)))


def _closes_soon(settings: PageSettings, timestamp: dt.datetime) -> bool:
    return settings.published and settings.closes_at is not None and timestamp < settings.closes_at <= timestamp + SOON


def _duplicates(store: Store) -> Iterator[Todo]:
    number = store.remembered_if_slow(LIKELY_DUPLICATES, lambda: _likely_duplicates(store))
    if number != "0":
        yield Todo(LIKELY_DUPLICATES, int(number.removesuffix(MORE)), more=number.endswith(MORE))


def _likely_duplicates(store: Store) -> str:
    """Returns the number of likely duplicates, and MORE if there may be more than were counted."""
    found = duplicates(store, limit=DUPLICATES_COUNTED)
    return f"{len(found.groups)}{MORE if found.groups and found.after is not None else ''}"


def _figures(store: Store, settings: Settings) -> Iterator[Figure]:
    """Yields the numbers of outreaches and people that were recorded."""
    spans = last_days(settings.zone), last_days(settings.zone, before=DAYS)
    days = [OutreachFilter("", *last_dates(settings.zone, before=before)) for before in (0, DAYS)]
    for name, resource in (("outreaches", OUTREACH), ("new_people", PERSON)):
        count, before = created_within(store, resource.collection, spans)
        yield Figure(name, count, before, *days)
