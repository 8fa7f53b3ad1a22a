"""The Record Outreach Helper (`record_outreach.md`): one request creates or updates a person and records an outreach.

The process: what the body asks for is resolved and checked; the person is matched by their match keys; person and
outreach, with taggings, items, answers and follow-ups inside them, are written together; whoever loses a race looks
again. A retry of the same request, known by the outreach's identifiers or the Idempotency-Key, is answered with the
outreach that is there already, and writes nothing.
"""

import datetime as dt
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from osdi.access.tokens import Caller
from osdi.action_functions.resolve import Actions, resolve
from osdi.documents import Document, Find
from osdi.errors import DuplicateKey, OsdiError
from osdi.ids import new_id, now
from osdi.match_keys import MatchKeyRules
from osdi.outreaches.idempotency import Retry, replay, retry_of
from osdi.people import matching
from osdi.people.signup import PersonChange, PostedPerson, person_change
from osdi.resources import OUTREACH
from osdi.retry import retry_on_conflict
from osdi.settings import Settings
from osdi.store import Insert, Store


@dataclass(frozen=True)
class HelperRequest:
    """A request to the helper: the body as loaded and as sent, the campaign, who sends it, and its Idempotency-Key."""

    body: Mapping[str, Any]
    campaign: Mapping[str, Any]
    caller: Caller
    idempotency_key: str | None = None
    sent: bytes = b""
    strict: bool = False

    @cached_property
    def fingerprint(self) -> str:
        """A digest of the request: what a retry has in common with it."""
        return hashlib.sha256(self.campaign_id.encode() + self.sent).hexdigest()

    @property
    def campaign_id(self) -> str:
        found: str = self.campaign["_id"]
        return found


@dataclass(frozen=True)
class Recorded:
    """The outreach's document, and what the sender should know about tags and lists that do not exist.

    `person` is what became of whoever made it; None: the outreach was there already, and nothing was written.
    """

    outreach: Document
    warnings: tuple[str, ...] = ()
    person: PersonChange | None = None


def record_outreach(store: Store, find: Find, request: HelperRequest, settings: Settings) -> Recorded:
    """Record the outreach once.

    Raises OsdiError 400, 409, 413, 422 or 503, having written nothing; but on a server without transactions a person
    may have been written whose outreach another request recorded first, or whose outreach could not be written.
    """
    has_token = request.caller.has_token
    actions = resolve(request.body, find, request.campaign, has_token=has_token, strict=request.strict)
    posted = PostedPerson.of(request.body, request.caller, actions, settings)
    trusted = has_token or settings.trust_anonymous_identifiers
    retry = retry_of(
        campaign_id=request.campaign_id,
        fingerprint=lambda: request.fingerprint,
        identifiers=request.body.get("identifiers", ()),
        idempotency_key=request.idempotency_key,
        person=posted.keys,
        holder_id=request.caller.holder_id,
        trusted=trusted,
    )

    def attempt() -> Recorded:
        timestamp = now()
        try:
            change = person_change(store, posted, timestamp)
        except OsdiError as refusal:
            # What has become of the person since an outreach was recorded is no answer to a retry of it.
            known = replay(store, retry) if refusal.status < 500 else None
            if known is None:
                raise
            matching.note(matching.RETRY)
            return Recorded(known, actions.warnings)
        person_id = change.person["_id"]
        outreach = _outreach(
            request.body, person_id, retry, actions, timestamp, settings.match_key_rules, trusted=trusted
        )
        try:
            # The order matters on a server without transactions: a person without an outreach is matched again by
            # the client's retry, an outreach without a person would be a lie.
            store.write(*([change.write] if change.write else []), Insert(OUTREACH.collection, outreach))
        except DuplicateKey:
            known = replay(store, retry)
            if known is None:
                raise  # it was the person: somebody else claimed a key first
            matching.note(matching.RETRY)
            return Recorded(known, actions.warnings)
        return Recorded(outreach, actions.warnings, change)

    # Where person and outreach commit together the unique index alone recognises a retry; elsewhere it has to be
    # looked up before the person is written.
    known = None if store.supports_transactions else retry_on_conflict(lambda: replay(store, retry))
    if known is None:
        return retry_on_conflict(attempt)
    matching.note(matching.RETRY)
    return Recorded(known, actions.warnings)


def _outreach(
    body: Mapping[str, Any],
    person_id: str,
    retry: Retry,
    actions: Actions,
    timestamp: dt.datetime,
    rules: MatchKeyRules,
    *,
    trusted: bool,
) -> Document:
    """A new outreach's document, with its follow-ups: inserting it and queueing them is one write."""
    outreach_id = new_id()
    outreach: Document = {
        "_id": outreach_id,
        "version": 1,
        "advocacy_campaign_id": retry.campaign_id,
        "person_id": person_id,
        "created_date": timestamp,
        "modified_date": timestamp,
        "action_date": timestamp,
        "match_keys": [rules.own_key(outreach_id), *retry.keys],
        **{name: body[name] for name in OUTREACH.fields if name in body},
    }
    if "identifiers" in body:
        outreach["identifiers" if trusted else "claimed_identifiers"] = body["identifiers"]
    if retry.idempotency:
        outreach["fingerprint"] = retry.fingerprint()
    if actions.followups:
        outreach["followups"] = [followup.entry(new_id(), timestamp) for followup in actions.followups]
    return outreach
