"""Retries of a request: recognised by the outreach's identifiers, by the Idempotency-Key, or as a double click.

Each becomes a match key of the outreach, so that one unique index decides (docs/decisions/0002 and 0031).
"""

import datetime as dt
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from osdi.documents import Document
from osdi.errors import ErrorDescription, OsdiError, conflict
from osdi.ids import id_before, now
from osdi.match_keys import MatchKeys, claimed_key, id_key
from osdi.outreaches.helper_request import HelperRequest
from osdi.resources import OUTREACH
from osdi.store import Store, Update

IDEMPOTENCY_KEPT: Final = dt.timedelta(hours=24)
REPEAT: Final = "repeat:"


@dataclass(frozen=True)
class IdempotencyKeys:
    """The match keys of an outreach by which a retry of its request is recognised.

    `identifiers` are the keys of the outreach's identifiers, `header` is the key of the Idempotency-Key. `repeat` is
    the key of a body without either, which is a repeat for `repeat_seconds`.
    """

    request: HelperRequest
    identifiers: tuple[str, ...]
    header: str | None
    repeat: str | None = None
    repeat_seconds: float = 0

    @classmethod
    def of(
        cls, request: HelperRequest, person: MatchKeys, *, trusted: bool, repeat_seconds: float
    ) -> "IdempotencyKeys":
        """Returns the keys of a request about a person with these match keys.

        Identifiers and Idempotency-Keys can be guessed. So without a token the keys contain the campaign and the
        sender's contact details too: a sender cannot use another sender's keys first.
        """
        identifiers = request.body.get("identifiers", ())
        if trusted:
            keys = tuple(id_key(each) for each in identifiers)
        else:
            sender = f"{_contact_scope(request, person)}:" if identifiers else ""
            keys = tuple(claimed_key(sender + each) for each in identifiers)
        header = _header_key(request, person)
        repeat = _repeat_key(request) if repeat_seconds and not keys and not header else None
        return cls(request, keys, header, repeat, repeat_seconds)

    @property
    def all(self) -> Sequence[str]:
        return (*self.identifiers, *(key for key in (self.header, self.repeat) if key))

    def expired(self, outreach: Document) -> "tuple[str, IdempotencyKeys] | None":
        """Returns the key of this outreach that no longer counts, and the other keys; None if each counts."""
        if self.header in outreach["match_keys"] and outreach["created_date"] < now() - IDEMPOTENCY_KEPT:
            return str(self.header), replace(self, header=None)
        if self.repeat in outreach["match_keys"] and outreach["_id"] < oldest_repeat(self.repeat_seconds):
            return str(self.repeat), replace(self, repeat=None)
        return None


def oldest_repeat(seconds: float) -> str:
    """Returns a string that sorts after the id of each outreach that is older than `seconds`, and before the others.

    The id of an outreach has the milliseconds of its time. A double click is too fast for dates in whole seconds.
    """
    return id_before(dt.datetime.now(dt.UTC).replace(tzinfo=None) - dt.timedelta(seconds=seconds))


def find_recorded(store: Store, keys: IdempotencyKeys) -> Document | None:
    """Returns the outreach that an earlier, equal request recorded, after it is durable; None if there is none.

    Raises WriteConflict if the outreach is changed at the same time; OsdiError 409 if the identifiers belong to several
    outreaches or to an outreach of another campaign; 422 if the Idempotency-Key was used with another body. Without a
    token no clash of identifiers is reported.
    """
    known = store.by_match_keys(OUTREACH.collection, keys.all)
    for each in known:
        if expired := keys.expired(each):
            key, others = expired
            _release(store, each, key)
            return find_recorded(store, others)
    outreach = next((each for each in known if keys.header and keys.header in each["match_keys"]), None)
    if outreach is not None and outreach["fingerprint"] != keys.request.fingerprint:
        message = "This Idempotency-Key was used with another body; send a new key."
        raise OsdiError(422, ErrorDescription("IDEMPOTENCY_KEY_REUSED", message, ("Idempotency-Key",)))
    if outreach is None:
        outreach = _identified(keys.request, known)
    if outreach is not None:
        store.wait_for_majority(OUTREACH.collection, outreach)
    return outreach


def _identified(request: HelperRequest, known: Sequence[Document]) -> Document | None:
    """Returns the first of the outreaches that have one of the identifiers or the key of a double click.

    Raises OsdiError 409.
    """
    elsewhere = any(outreach["advocacy_campaign_id"] != request.campaign_id for outreach in known)
    if request.caller.holder_id is not None and (len(known) > 1 or elsewhere):
        message = "These identifiers belong to other outreaches."
        raise conflict("IDENTIFIERS_CLASH", message, "identifiers", resource=OUTREACH.rel)
    return known[0] if known else None


def _release(store: Store, outreach: Document, key: str) -> None:
    """Frees an Idempotency-Key or repeat key that has expired; the outreach itself stays."""
    remaining = [each for each in outreach["match_keys"] if each != key]
    store.write(Update(OUTREACH.collection, outreach["_id"], outreach["version"], {"match_keys": remaining}))


def _header_key(request: HelperRequest, person: MatchKeys) -> str | None:
    if not request.idempotency_key:
        return None
    sender = request.caller.holder_id or _contact_scope(request, person)
    return f"idempotency:{_digest(sender, request.idempotency_key)}"


def _repeat_key(request: HelperRequest) -> str | None:
    """Returns the key of a body that was sent without a token, for its sender and campaign."""
    return f"{REPEAT}{_digest(request.sender, request.fingerprint)}" if request.sender else None


def _contact_scope(request: HelperRequest, person: MatchKeys) -> str:
    """Returns the identity of a sender without a token: a digest of the contact details, else of the request."""
    return f"{request.campaign_id}:{_digest(*person.contacts) if person.contacts else request.fingerprint}"


def _digest(*parts: str) -> str:
    return hashlib.sha256("\x00".join(parts).encode()).hexdigest()[:32]
