"""The Record Outreach Helper (`record_outreach.md`): one request creates or updates a person and records an outreach.

The process: what the body asks for is resolved and checked; the person is matched by their match keys; person and
outreach, with taggings, items, answers and follow-ups inside them, are written together; whoever loses a race looks
again. A retry of the same request, known by the outreach's identifiers or the Idempotency-Key, is answered with the
outreach that is there already, and writes nothing.
"""

import datetime as dt
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from osdi.action_functions import Actions, Find, apply_to_person, followups_to_do, id_from, resolve
from osdi.auth import Caller
from osdi.errors import Duplicate, ErrorDescription, OsdiError, conflict, invalid
from osdi.ids import new_id, now
from osdi.matching import IdentifiersClash, MatchKeys, claimed_key, id_key, match, match_keys, owners_of
from osdi.merging import merge_person, outgrown
from osdi.resources import OUTREACH, PERSON
from osdi.retrying import look_again
from osdi.settings import Settings
from osdi.store import Document, Insert, Store, Update, Write

IDEMPOTENCY_KEPT = dt.timedelta(hours=24)


@dataclass(frozen=True)
class HelperRequest:
    """A request to the helper: the loaded body, the campaign, who sends it, and what makes a retry recognisable."""

    body: Mapping[str, Any]
    campaign_id: str
    caller: Caller
    idempotency_key: str | None = None
    fingerprint: str = ""

    @property
    def person(self) -> Mapping[str, Any]:
        posted: Mapping[str, Any] = self.body.get("person", {})
        return posted


@dataclass(frozen=True)
class Recorded:
    """The outreach's document, and what the sender should know about tags and lists that do not exist."""

    outreach: Document
    warnings: tuple[str, ...] = ()


def record_outreach(store: Store, find: Find, request: HelperRequest, settings: Settings) -> Recorded:
    """Record the outreach once.

    Raises OsdiError 400, 409, 413, 422 or 503, having written nothing; but on a server without transactions a person
    may have been written whose outreach another request recorded first, or whose outreach could not be written.
    """
    actions = resolve(request.body, find)
    trusted = request.caller.has_token or settings.trust_anonymous_identifiers
    keys = match_keys(request.person, trusted=trusted, phone_region=settings.phone_region)
    retry_keys = _retry_keys(request, keys, trusted=trusted)

    def replayed() -> Recorded | None:
        known = _replay(store, request, retry_keys)
        return Recorded(known, actions.warnings) if known else None

    def attempt() -> Recorded:
        stored, owned_elsewhere = _who(store, request, keys)
        moment = now()
        if stored is None:
            person = _new_person(request, keys, owned_elsewhere, actions, moment, settings)
            person_write: Write | None = Insert(PERSON.collection, person)
        else:
            person = _merged_person(stored, request, keys, owned_elsewhere, actions, moment, settings)
            person_write = _update(stored, person)
        outreach = _outreach(request, person["_id"], retry_keys, actions, moment, settings, trusted=trusted)
        writes = [person_write] if person_write else []
        try:
            # The order matters on a server without transactions: a person without an outreach is matched again by
            # the client's retry, an outreach without a person would be a lie.
            store.write(*writes, Insert(OUTREACH.collection, outreach))
        except Duplicate:
            known = replayed()
            if known is None:
                raise
            return known
        return Recorded(outreach, actions.warnings)

    # Where person and outreach commit together the unique index alone recognises a retry; elsewhere it has to be
    # looked up before the person is written.
    known = None if store.commits_together else look_again(replayed)
    return known or look_again(attempt)


def _who(store: Store, request: HelperRequest, keys: MatchKeys) -> tuple[Document | None, frozenset[str]]:
    """The stored person who is meant, or None, and the keys that belong to others."""
    people = store.by_match_keys(PERSON.collection, keys.all)
    try:
        person = match(keys, people, refuse_clash=request.caller.has_token)
    except IdentifiersClash:
        message = "These identifiers belong to different people."
        raise conflict("IDENTIFIERS_CLASH", message, "person.identifiers", resource=PERSON.rel) from None
    if "person_link" in request.body:
        linked = _linked_person(store, request)
        if person and person["_id"] != linked["_id"] and set(keys.identifiers) & set(person["match_keys"]):
            message = "The link and the identifiers belong to different people."
            raise conflict("IDENTIFIERS_CLASH", message, "_links.osdi:person", "person.identifiers")
        person = linked
    owners = owners_of(keys, people)
    elsewhere = (key for key, owner in owners.items() if person is None or owner["_id"] != person["_id"])
    return person, frozenset(elsewhere)


def _linked_person(store: Store, request: HelperRequest) -> Document:
    href = request.body["person_link"].get("person", {}).get("href", "")
    name = "_links.osdi:person"
    if not request.caller.has_token:
        raise invalid("Without a token the person is sent inline, not as a link.", name)
    person = store.get(PERSON.collection, id_from(href, PERSON) or "")
    if person is None:
        raise invalid("There is no such person.", name, resource=PERSON.rel)
    return person


def _new_person(
    request: HelperRequest,
    keys: MatchKeys,
    owned_elsewhere: frozenset[str],
    actions: Actions,
    moment: dt.datetime,
    settings: Settings,
) -> Document:
    person_id = new_id()
    person = merge_person({}, request.person, overwrite=True, phone_region=settings.phone_region)
    # Its own key keeps two people without any other from colliding in the unique index.
    person["match_keys"] = [id_key(f"{settings.namespace}:{person_id}")]
    person = apply_to_person(_with_keys(person, request, keys, owned_elsewhere), actions, now=moment, new_id=new_id)
    return {"_id": person_id, "version": 1, "created_date": moment, "modified_date": moment, **person}


def _merged_person(
    stored: Document,
    request: HelperRequest,
    keys: MatchKeys,
    owned_elsewhere: frozenset[str],
    actions: Actions,
    moment: dt.datetime,
    settings: Settings,
) -> Document:
    person = merge_person(
        stored,
        request.person,
        overwrite=request.caller.has_token,
        owned_elsewhere=owned_elsewhere,
        phone_region=settings.phone_region,
    )
    person = _with_keys(person, request, keys, owned_elsewhere)
    person = apply_to_person(person, actions, now=moment, new_id=new_id)
    if person == stored:
        return person
    if outgrown(person):
        if request.caller.has_token:
            raise OsdiError(413, ErrorDescription("TOO_LARGE", "The person would outgrow their bound.", ("person",)))
        return stored  # nobody without a token can make somebody's next outreach fail
    person["modified_date"] = moment
    return person


def _with_keys(person: Document, request: HelperRequest, keys: MatchKeys, owned_elsewhere: frozenset[str]) -> Document:
    """The person with the posted identifiers, and with the match keys that nobody else owns."""
    posted = request.person.get("identifiers", ())
    if keys.claimed:
        names = person.get("identifiers", ())
        _extend(person, "claimed_identifiers", (each for each in posted if each not in names))
    else:
        _extend(person, "identifiers", (each for each in posted if id_key(each) not in owned_elsewhere))
    claimed = keys.all if request.caller.has_token else _claimable(person, keys)
    _extend(person, "match_keys", (key for key in claimed if key not in owned_elsewhere))
    return person


def _claimable(person: Document, keys: MatchKeys) -> tuple[str, ...]:
    """The keys that a post without a token claims: for somebody new their first e-mail and phone, else no contact.

    A key that comes with the name of somebody else would lead that somebody's next outreach, or a token holder's sync,
    to the wrong person.
    """
    new = "version" not in person
    contacts = (*keys.emails[:1], *keys.phones[:1]) if new else ()
    return (*keys.identifiers, *contacts, *keys.claimed)


def _extend(person: Document, array: str, values: Any) -> None:
    present = person.get(array, [])
    added = [value for value in values if value not in present]
    if added:
        person[array] = [*present, *added]


def _update(stored: Document, person: Document) -> Update | None:
    """The write that turns one into the other; None where nothing differs."""
    changed = {name: value for name, value in person.items() if stored.get(name) != value}
    return Update(PERSON.collection, stored["_id"], stored["version"], changed) if changed else None


def _outreach(
    request: HelperRequest,
    person_id: str,
    retry_keys: "RetryKeys",
    actions: Actions,
    moment: dt.datetime,
    settings: Settings,
    *,
    trusted: bool,
) -> Document:
    outreach_id = new_id()
    identifiers = request.body.get("identifiers", [])
    outreach: Document = {
        "_id": outreach_id,
        "version": 1,
        "advocacy_campaign_id": request.campaign_id,
        "person_id": person_id,
        "created_date": moment,
        "modified_date": moment,
        "action_date": moment,
        "match_keys": [id_key(f"{settings.namespace}:{outreach_id}"), *retry_keys.all],
    }
    outreach.update((name, request.body[name]) for name in OUTREACH.fields if name in request.body)
    if identifiers:
        outreach["identifiers" if trusted else "claimed_identifiers"] = identifiers
    if retry_keys.idempotency:
        outreach["fingerprint"] = request.fingerprint
    if actions.followups:
        outreach["followups"] = followups_to_do(actions, now=moment, new_id=new_id)
    return outreach


@dataclass(frozen=True)
class RetryKeys:
    """The match keys by which a repeated outreach is recognised."""

    identifiers: tuple[str, ...] = ()
    idempotency: str | None = None

    @property
    def all(self) -> tuple[str, ...]:
        return (*self.identifiers, *((self.idempotency,) if self.idempotency else ()))


def _retry_keys(request: HelperRequest, keys: MatchKeys, *, trusted: bool) -> RetryKeys:
    """Keys from the outreach's identifiers and the Idempotency-Key.

    Both can be guessed without a token. Their keys therefore name the campaign and the sender's contact details too:
    somebody who takes a thousand identifiers in advance hinders nobody else's outreach.
    """
    identifiers = request.body.get("identifiers", ())
    sender = _digest(*keys.contacts) if keys.contacts else request.fingerprint
    if trusted:
        found = tuple(id_key(identifier) for identifier in identifiers)
    else:
        found = tuple(claimed_key(f"{request.campaign_id}:{sender}:{identifier}") for identifier in identifiers)
    if request.idempotency_key is None:
        return RetryKeys(found)
    holder = request.caller.token_id or f"{request.campaign_id}:{sender}"
    return RetryKeys(found, f"idempotency:{_digest(holder, request.idempotency_key)}")


def _replay(store: Store, request: HelperRequest, keys: RetryKeys) -> Document | None:
    """The outreach that an earlier, equal request recorded, or None.

    Raises OsdiError 409 where the identifiers belong to several outreaches or to another campaign's, 422 where the
    Idempotency-Key came with another body before.
    """
    known = store.by_match_keys(OUTREACH.collection, keys.all)
    for outreach in known:
        if keys.idempotency and keys.idempotency in outreach["match_keys"]:
            if outreach["created_date"] < now() - IDEMPOTENCY_KEPT:
                _release(store, outreach, keys.idempotency)
                return _replay(store, request, replace(keys, idempotency=None))
            if outreach["fingerprint"] != request.fingerprint:
                message = "This Idempotency-Key came with another body before."
                raise OsdiError(422, ErrorDescription("IDEMPOTENCY_KEY_REUSED", message, ("Idempotency-Key",)))
            return outreach
    elsewhere = any(outreach["advocacy_campaign_id"] != request.campaign_id for outreach in known)
    if request.caller.has_token and (len(known) > 1 or elsewhere):
        message = "These identifiers belong to other outreaches."
        raise conflict("IDENTIFIERS_CLASH", message, "identifiers", resource=OUTREACH.rel)
    return known[0] if known else None


def _release(store: Store, outreach: Document, key: str) -> None:
    """Free an Idempotency-Key whose time is over; the outreach itself stays."""
    remaining = [each for each in outreach["match_keys"] if each != key]
    store.write(Update(OUTREACH.collection, outreach["_id"], outreach["version"], {"match_keys": remaining}))


def _digest(*parts: str) -> str:
    return hashlib.sha256("\x00".join(parts).encode()).hexdigest()[:32]
