"""The Record Outreach Helper (`record_outreach.md`): one request creates or updates a person and records an outreach.

The steps: resolve the references of the body; match and merge the person (osdi.people.signup); write person and
outreach together. Taggings, items and answers are inside the person, follow-ups inside the outreach. After a write
conflict the request starts again at the matching step. A retry of the same request, recognised by the outreach's
identifiers or the Idempotency-Key, returns the recorded outreach, and writes nothing.
"""

import datetime as dt
from dataclasses import dataclass
from typing import Final

from osdi.action_functions.followup_kinds import QUEUED, SKIPPED
from osdi.action_functions.resolve import Actions, resolve
from osdi.action_functions.triggers import Followup
from osdi.documents import Document, Find
from osdi.errors import DuplicateKey, OsdiError
from osdi.fields.outreach import ACTION_DATE_OFFSET
from osdi.ids import new_id, now
from osdi.outreaches.helper_request import HelperRequest
from osdi.outreaches.idempotency import IdempotencyKeys, find_recorded
from osdi.people.posted_person import PostedPerson
from osdi.people.signup import person_change
from osdi.resources import OUTREACH
from osdi.retry import retry_on_conflict
from osdi.settings import Settings
from osdi.store import Insert, Store

RETRY: Final = "retry"


@dataclass(frozen=True)
class Recorded:
    """The outreach's document, warnings for the sender, and what happened to the person.

    `matched_by` is one of osdi.people.matching, or RETRY if an earlier request recorded the outreach and nothing was
    written. `person_outcome` is one of osdi.people.signup; None for a retry.
    """

    outreach: Document
    warnings: tuple[str, ...]
    matched_by: str
    person_outcome: str | None = None


@dataclass(frozen=True)
class _Resolved:
    """A request with its resolved actions, person and keys, which all attempts share."""

    request: HelperRequest
    actions: Actions
    person: PostedPerson
    keys: IdempotencyKeys


def record_outreach(store: Store, find: Find, request: HelperRequest, settings: Settings) -> Recorded:
    """Records the outreach once.

    Raises OsdiError 400, 409, 413, 422 or 503. With transactions nothing is written then, unless a 503 says that the
    outcome is unknown. Without transactions the person may be written although the outreach is not: if another request
    recorded the outreach first, or if the second write failed.
    """
    resolved = _resolve(find, request, settings)
    # If person and outreach are committed together, the unique index alone detects a retry. Otherwise a retry has to be
    # found before the person is written.
    if not store.supports_transactions:
        known = retry_on_conflict(lambda: find_recorded(store, resolved.keys))
        if known is not None:
            return Recorded(known, resolved.actions.warnings, RETRY)
    return retry_on_conflict(lambda: _attempt(store, resolved))


def _resolve(find: Find, request: HelperRequest, settings: Settings) -> _Resolved:
    has_token = request.caller.has_token
    actions = resolve(request.body, find, request.campaign, has_token=has_token, strict=request.strict)
    person = PostedPerson.of(request.body, request.caller, actions, settings)
    return _Resolved(request, actions, person, IdempotencyKeys.of(request, person.keys, trusted=person.trusted))


def _attempt(store: Store, resolved: _Resolved) -> Recorded:
    """Matches, merges and writes once. Raises WriteConflict if another request wrote first."""
    timestamp = now()
    try:
        change = person_change(store, resolved.person, timestamp)
    except OsdiError as error:
        if error.status >= 500:
            raise
        # The person may have changed since the outreach was recorded; a retry still returns the outreach.
        return _recorded_before(store, resolved, error)
    outreach = _outreach(resolved, change.person["_id"], timestamp)
    # The person comes first, because without transactions a crash may come between the two writes. A person without an
    # outreach is harmless: the client's retry matches that person again. An outreach without a person would be wrong.
    writes = [change.write] if change.write else []
    try:
        store.write(*writes, Insert(OUTREACH.collection, outreach))
    except DuplicateKey as error:
        return _recorded_before(store, resolved, error)
    return Recorded(outreach, resolved.actions.warnings, change.matched_by, change.outcome)


def _recorded_before(store: Store, resolved: _Resolved, error: Exception) -> Recorded:
    """Returns the outreach of an earlier, equal request.

    Raises `error` if there is none, and what find_recorded raises.
    """
    known = find_recorded(store, resolved.keys)
    if known is None:
        raise error
    return Recorded(known, resolved.actions.warnings, RETRY)


def _outreach(resolved: _Resolved, person_id: str, timestamp: dt.datetime) -> Document:
    """Returns a new outreach's document, with its follow-ups: one write inserts it and queues them."""
    outreach_id = new_id()
    body, keys, followups = resolved.request.body, resolved.keys, resolved.actions.followups
    outreach: Document = {
        "_id": outreach_id,
        "version": 1,
        "advocacy_campaign_id": resolved.request.campaign_id,
        "person_id": person_id,
        "created_date": timestamp,
        "modified_date": timestamp,
        "action_date": timestamp,
        "match_keys": [resolved.person.rules.own_key(outreach_id), *keys.all],
        **{name: body[name] for name in OUTREACH.fields if name in body},
    }
    if body.get(ACTION_DATE_OFFSET):
        outreach[ACTION_DATE_OFFSET] = body[ACTION_DATE_OFFSET]
    if "identifiers" in body:
        outreach["identifiers" if resolved.person.trusted else "claimed_identifiers"] = body["identifiers"]
    if keys.header:
        outreach["fingerprint"] = resolved.request.fingerprint
    if followups:
        outreach["followups"] = [_followup_entry(each, timestamp) for each in followups]
    return outreach


def _followup_entry(followup: Followup, timestamp: dt.datetime) -> Document:
    """Returns the entry of an outreach that queues a follow-up, or that has the reason why it is never sent."""
    optional = {"message_id": followup.message_id, "to": followup.to, "reason": followup.reason}
    return {
        "_id": new_id(),
        "kind": followup.kind,
        "identifiers": list(followup.identifiers),
        "by_token": followup.by_token,
        "state": SKIPPED if followup.reason else QUEUED,
        **({} if followup.reason else {"not_before": timestamp}),
        "queued_date": timestamp,
        "attempts": 0,
        **{name: value for name, value in optional.items() if value is not None},
    }
