"""The Record Outreach Helper (`record_outreach.md`): one request creates or updates a person and records an outreach.

The steps: resolve the references of the body; match and merge the person (osdi.people.signup); write person and
outreach together. Taggings, items and answers are inside the person, follow-ups inside the outreach. After a write
conflict the request starts again at the matching step. A retry of the same request writes nothing, and returns the
recorded outreach: the outreach's identifiers, the Idempotency-Key or, for a double click, the body show that it is one.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from osdi.access.anonymous_posts import AnonymousPosts
from osdi.action_functions.followup_kinds import AUTORESPONSE, CONFIRMATION, QUEUED, SKIPPED
from osdi.action_functions.resolve import Actions, require_named_person, resolve, without_placeholders
from osdi.action_functions.triggers import EVERY_OUTREACH, Followup
from osdi.documents import Document, Find, ReadOnlyDocument
from osdi.errors import DuplicateKey, ErrorDescription, OsdiError
from osdi.fields.outreach import ACTION_DATE_OFFSET, NEW_PERSON, OWN_WORDS
from osdi.ids import new_id, now
from osdi.match_keys import email_key
from osdi.outreaches.consent_receipt import CONSENTS, GivenConsent, address_of, is_subscribed
from osdi.outreaches.helper_request import HelperRequest
from osdi.outreaches.idempotency import IdempotencyKeys, find_recorded
from osdi.outreaches.known_outreach import warnings_about
from osdi.people.posted_person import PostedPerson
from osdi.people.signup import CREATED, CheckChange, PersonChange, person_change
from osdi.resources import OUTREACH
from osdi.retry import retry_on_conflict
from osdi.settings import Settings
from osdi.store import Insert, Store

RETRY: Final = "retry"
# The reason why only the outreach of a post without a token was recorded (`not_applied`).
TOO_MANY_POSTS: Final = "too_many_posts"
NO_ADDRESS: Final = ErrorDescription(
    "NO_ADDRESS", "there is no e-mail address that this could be about; it was not stored.", ("consent",)
)


@dataclass(frozen=True)
class Recorded:
    """The outreach's document, warnings for the sender, and what happened to the person.

    `matched_by` is one of osdi.people.matching, or RETRY if an earlier request recorded the outreach and nothing was
    written. `person_outcome` is one of osdi.people.signup; None for a retry.
    """

    outreach: Document
    warnings: tuple[ErrorDescription, ...]
    matched_by: str
    person_outcome: str | None = None


@dataclass(frozen=True)
class _Resolved:
    """A request with its resolved actions, person and keys, which all attempts share.

    `consent` is None without an address that it could be about. If it subscribes at once, `person` does so, and
    `without_consent` is the same person without that.
    """

    request: HelperRequest
    actions: Actions
    person: PostedPerson
    keys: IdempotencyKeys
    check: CheckChange | None
    warnings: tuple[ErrorDescription, ...]
    consent: GivenConsent | None = None
    without_consent: PostedPerson | None = None


def record_outreach(
    store: Store, find: Find, request: HelperRequest, settings: Settings, *, check: CheckChange | None = None
) -> Recorded:
    """Records the outreach once.

    Raises OsdiError 400, 409, 413, 422 or 503, or what `check` raises for the change of the person. With transactions
    nothing is written then, unless a 503 says that the outcome is unknown. Without transactions the person may be
    written although the outreach is not: if another request recorded the outreach first, or if the second write failed.
    """
    resolved = _resolve(find, request, settings, check)
    # If person and outreach are committed together, the unique index alone detects a retry. Otherwise a retry has to be
    # found before the person is written.
    if not store.supports_transactions:
        known = retry_on_conflict(lambda: _find_recorded(store, resolved))
        if known is not None:
            return known
    return retry_on_conflict(lambda: _attempt(store, resolved))


def _resolve(find: Find, request: HelperRequest, settings: Settings, check: CheckChange | None) -> _Resolved:
    has_token = request.caller.has_token
    body, ignored = without_placeholders(request.body, strict=request.strict)
    require_named_person(body)
    request = replace(request, body=body) if ignored else request

    every = _is_answered(request, settings)

    def posted(body: ReadOnlyDocument) -> tuple[Actions, PostedPerson]:
        actions = resolve(
            body, find, request.campaign, has_token=has_token, strict=request.strict, every_outreach=every
        )
        return actions, PostedPerson.of(body, request.caller, actions, settings, over_limit=request.over_limit)

    actions, person = posted(body)
    without_consent = None
    consent = request.consent if request.consent and address_of(body) else None
    if consent and not consent.by_mail:
        without_consent = person
        actions, person = posted(consent.subscribing(body))
    keys = IdempotencyKeys.of(request, person.keys, trusted=person.trusted, repeat_seconds=settings.repeat_seconds)
    about_nothing = (NO_ADDRESS,) if request.consent and not consent else ()
    warnings = (*request.warnings, *about_nothing, *ignored, *actions.warnings)
    return _Resolved(request, actions, person, keys, check, warnings, consent, without_consent)


def _is_answered(request: HelperRequest, settings: Settings) -> bool:
    """True if the campaign's mail for every outreach may be sent for this one.

    A post without a token gets one only if such posts may have `triggers`.
    """
    own = request.campaign.get("triggers", {}).get(AUTORESPONSE, {})
    if request.imported or not own.get(EVERY_OUTREACH):
        return False
    return request.caller.has_token or "triggers" in AnonymousPosts.of(settings, request.campaign).actions


def _attempt(store: Store, resolved: _Resolved) -> Recorded:
    """Matches, merges and writes once. Raises WriteConflict if another request wrote first."""
    timestamp = now()
    try:
        change = _person_change(store, resolved, timestamp)
    except OsdiError as error:
        if error.status >= 500:
            raise
        # The person may have changed since the outreach was recorded; a retry still returns the outreach.
        return _recorded_before(store, resolved, error)
    if resolved.check is not None:
        resolved.check(change)
    outreach = _outreach(resolved, change, timestamp)
    # The person comes first, because without transactions a crash may come between the two writes. A person without an
    # outreach is harmless: the client's retry matches that person again. An outreach without a person would be wrong.
    try:
        store.write(*change.writes, Insert(OUTREACH.collection, outreach))
    except DuplicateKey as error:
        return _recorded_before(store, resolved, error)
    return Recorded(outreach, (*resolved.warnings, *change.warnings), change.matched_by, change.outcome)


def _person_change(store: Store, resolved: _Resolved, timestamp: dt.datetime) -> PersonChange:
    """Returns the change of the person. It leaves out the given consent if a mail has to ask for it first."""
    change = person_change(store, resolved.person, timestamp)
    if resolved.without_consent is None or change.over_limit or not _asks_by_mail(resolved, change):
        return change
    return person_change(store, resolved.without_consent, timestamp)


def _asks_by_mail(resolved: _Resolved, change: PersonChange) -> bool:
    """True if a mail has to ask for the consent: by double opt-in, or because the address is not subscribed yet."""
    consent = resolved.consent
    if consent is None:
        return False
    key = email_key(address_of(resolved.request.body) or "")
    return consent.by_mail or not is_subscribed(change.person, key)


def _recorded_before(store: Store, resolved: _Resolved, error: Exception) -> Recorded:
    """Returns the outreach of an earlier, equal request.

    Raises `error` if there is none, and what _find_recorded raises.
    """
    known = _find_recorded(store, resolved)
    if known is None:
        raise error
    return known


def _find_recorded(store: Store, resolved: _Resolved) -> Recorded | None:
    """Returns the outreach of an earlier request, with a warning about new content; None if there is none.

    Raises what find_recorded and warnings_about raise.
    """
    known = find_recorded(store, resolved.keys)
    if known is None:
        return None
    dropped = () if resolved.keys.repeat else warnings_about(store, known, resolved.request, resolved.person)
    return Recorded(known, (*resolved.warnings, *dropped), RETRY)


def _outreach(resolved: _Resolved, change: PersonChange, timestamp: dt.datetime) -> Document:
    """Returns a new outreach's document, with its follow-ups: one write inserts it and queues them.

    If the change is over the limit, the follow-ups are skipped, and the outreach says why.
    """
    outreach_id = new_id()
    body, keys, followups = resolved.request.body, resolved.keys, resolved.actions.followups
    if _asks_by_mail(resolved, change):
        followups = (*followups, Followup(CONFIRMATION, to=address_of(body)))
    if change.over_limit:
        followups = tuple(replace(each, reason=each.reason or TOO_MANY_POSTS) for each in followups)
    outreach: Document = {
        "_id": outreach_id,
        "version": 1,
        "advocacy_campaign_id": resolved.request.campaign_id,
        "person_id": change.person["_id"],
        "created_date": timestamp,
        "modified_date": timestamp,
        "action_date": timestamp,
        "match_keys": [resolved.person.rules.own_key(outreach_id), *keys.all],
        **{name: body[name] for name in OUTREACH.fields if name in body},
    }
    if body.get(ACTION_DATE_OFFSET):
        outreach[ACTION_DATE_OFFSET] = body[ACTION_DATE_OFFSET]
    if OWN_WORDS in body:
        outreach[OWN_WORDS] = body[OWN_WORDS]
    if change.outcome == CREATED:
        outreach[NEW_PERSON] = True
    if "identifiers" in body:
        outreach["identifiers" if resolved.person.trusted else "claimed_identifiers"] = body["identifiers"]
    if change.over_limit:
        outreach["not_applied"] = TOO_MANY_POSTS
    if resolved.consent:
        outreach[CONSENTS] = [resolved.consent.receipt(timestamp)]
    if claimed := resolved.person.claimed_opt_outs:
        outreach["claimed_opt_outs"] = claimed
    if keys.header or (keys.identifiers and resolved.request.sent):
        outreach["fingerprint"] = resolved.request.fingerprint
    warnings = (*resolved.warnings, *change.warnings)
    if warnings:
        outreach["warnings"] = _stored_warnings(warnings)
    if followups:
        outreach["followups"] = [_followup_entry(each, timestamp) for each in followups]
    return outreach


def _stored_warnings(warnings: Sequence[ErrorDescription]) -> list[dict[str, str]]:
    """Returns property and reason of each warning, without values of the request."""
    return [{"property": ", ".join(each.properties), "reason": each.stored or each.description} for each in warnings]


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
