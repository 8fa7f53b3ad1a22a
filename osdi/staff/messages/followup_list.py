"""Follow-ups as the staff pages list them: their numbers, and those in a state with campaign and reason."""

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from osdi.access.tokens import WRITE, Caller
from osdi.action_functions.followup_kinds import CALL_RESPONSE, FAILED, KINDS, MAILS, SKIPPED, SMS_RESPONSE, STATES
from osdi.documents import Document
from osdi.errors import OsdiError, conflict, invalid
from osdi.followups import outbox_store
from osdi.followups.retry import followup_of, query_of, retry_all, retry_one, selected
from osdi.resources import ADVOCACY_CAMPAIGN, OUTREACH
from osdi.settings import Settings
from osdi.staff.campaign_list import title_of
from osdi.store import Store

PER_PAGE: Final = 25
# A request queues about this many at most, which takes a second or two; the page offers the rest again.
MAX_QUEUED: Final = 1_000


@dataclass(frozen=True)
class FollowupFilter:
    """The follow-ups to list: those in a state, of a kind, with a reason; `before` is the id of an outreach.

    An empty kind or reason means any. An unknown state means FAILED.
    """

    state: str = FAILED
    kind: str = ""
    reason: str = ""
    before: str = ""

    @property
    def query(self) -> Document:
        return query_of(
            self.state if self.state in STATES else FAILED, self.kind if self.kind in KINDS else None, self.reason
        )

    @property
    def retried(self) -> bool:
        """True if all that it selects may be queued again.

        Skipped ones need a reason: most of them, such as those with `sent_before`, must not be sent.
        """
        state = self.query["state"]
        return state == FAILED or (state == SKIPPED and bool(self.reason))


@dataclass(frozen=True)
class FollowupRow:
    """A follow-up with its campaign. `due` is the time of the next attempt, or when the lease of a worker ends."""

    followup_id: str
    outreach_id: str
    campaign: str
    kind: str
    state: str
    reason: str
    attempts: int
    queued: dt.datetime
    due: dt.datetime | None
    retried: bool


@dataclass(frozen=True)
class FollowupList:
    """A page of follow-ups, newest first, and the id of the outreach before which the next page begins."""

    rows: tuple[FollowupRow, ...]
    counts: tuple[Document, ...] | None
    next: str | None
    may_retry: bool
    missing: Mapping[str, tuple[str, ...]]


def followup_list(store: Store, caller: Caller, settings: Settings, chosen: FollowupFilter) -> FollowupList:
    """Returns a page of the chosen follow-ups. `counts` is None if counting takes longer than a page may.

    Raises OsdiError 503.
    """
    found = outbox_store.find_latest(store, chosen.query, PER_PAGE + 1, before=chosen.before)
    shown = found[:PER_PAGE]
    more = len(found) > PER_PAGE
    may_retry = caller.may(WRITE)
    rows = tuple(_rows(store, shown, chosen.query, may_retry=may_retry))
    counts = _counts(store)
    needed = {each["kind"] for each in counts or () if "kind" in each} | set(MAILS)
    missing = {kind: names for kind, names in missing_settings(settings).items() if kind in needed}
    return FollowupList(rows, counts, shown[-1]["_id"] if more else None, may_retry and chosen.retried, missing)


def missing_settings(settings: Settings) -> dict[str, tuple[str, ...]]:
    """Returns the names of the settings without which a kind of follow-up cannot be sent, by kind."""
    needed = {
        **dict.fromkeys(MAILS, ("smtp_url", "mail_from")),
        SMS_RESPONSE: ("sms_gateway_url",),
        CALL_RESPONSE: ("call_gateway_url",),
    }
    missing = {
        kind: tuple(name.upper() for name in names if not getattr(settings, name)) for kind, names in needed.items()
    }
    return {kind: names for kind, names in missing.items() if names}


def to_retry(store: Store, followup_id: str, chosen: FollowupFilter) -> tuple[FollowupRow, ...] | None:
    """Returns the follow-up with this id for the page that asks for confirmation; None without an id, for all chosen.

    Raises OsdiError 400 for a choice that must not be queued, 404, 503.
    """
    if not followup_id:
        _check(chosen)
        return None
    outreach_id, entry = followup_of(store, followup_id)
    outreach = store.get(OUTREACH.collection, outreach_id) or {}
    return tuple(_rows(store, [{**outreach, "followups": [entry]}], {}, may_retry=True))


def retry(store: Store, followup_id: str, chosen: FollowupFilter) -> str:
    """Queues one follow-up, or all chosen ones, and returns the name of the notice that says so.

    Raises OsdiError 400 for a choice that must not be queued, 404, 409 if there is nothing to queue, 503.
    """
    if followup_id:
        retry_one(store, followup_id)
        return "followup_queued"
    _check(chosen)
    queued = retry_all(store, chosen.query, MAX_QUEUED)
    if not queued:
        raise conflict("NOT_QUEUED", "There is no such follow-up that has a message, so nothing was queued.")
    return "followups_queued_partly" if queued >= MAX_QUEUED else "followups_queued"


def _check(chosen: FollowupFilter) -> None:
    if not chosen.retried:
        raise invalid("Choose failed follow-ups, or skipped ones with a reason.", "state")


def _counts(store: Store) -> tuple[Document, ...] | None:
    try:
        return tuple(outbox_store.counts(store))
    except OsdiError:
        return None


def _rows(
    store: Store, outreaches: Sequence[Document], query: Mapping[str, Any], *, may_retry: bool
) -> Iterator[FollowupRow]:
    ids = {each["advocacy_campaign_id"] for each in outreaches}
    campaigns = store.find(ADVOCACY_CAMPAIGN.collection, {"_id": {"$in": sorted(ids)}}, fields=("title", "name"))
    titles = {each["_id"]: title_of(each) for each in campaigns}
    campaign_ids = {each["_id"]: each["advocacy_campaign_id"] for each in outreaches}
    for outreach_id, entry in selected(outreaches, query):
        campaign_id = campaign_ids[outreach_id]
        yield FollowupRow(
            followup_id=entry["_id"],
            outreach_id=outreach_id,
            campaign=titles.get(campaign_id, campaign_id),
            kind=entry["kind"],
            state=entry["state"],
            reason=entry.get("reason", ""),
            attempts=entry.get("attempts", 0),
            queued=entry["queued_date"],
            due=entry.get("not_before"),
            retried=may_retry and entry["state"] in (FAILED, SKIPPED) and "message_id" in entry,
        )
