"""A request that comes again: recognised by the outreach's identifiers or by the Idempotency-Key.

Both become match keys of the outreach, so that one unique index decides, see docs/decisions/0002.
"""

import datetime as dt
import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from osdi.documents import Document
from osdi.errors import ErrorDescription, OsdiError, conflict
from osdi.ids import now
from osdi.match_keys import MatchKeys, claimed_key, id_key
from osdi.resources import OUTREACH
from osdi.store import Store, Update

IDEMPOTENCY_KEPT = dt.timedelta(hours=24)


@dataclass(frozen=True)
class Retry:
    """What makes a request's retry recognisable: the campaign, the match keys, and (when asked) the body's digest."""

    campaign_id: str
    fingerprint: Callable[[], str]
    identifiers: tuple[str, ...]
    idempotency: str | None
    refuse_clash: bool

    @property
    def keys(self) -> tuple[str, ...]:
        return (*self.identifiers, *((self.idempotency,) if self.idempotency else ()))


def retry_of(
    *,
    campaign_id: str,
    fingerprint: Callable[[], str],
    identifiers: Sequence[str],
    idempotency_key: str | None,
    person: MatchKeys,
    holder_id: str | None,
    trusted: bool,
) -> Retry:
    """The retry keys of a request.

    Identifiers and keys can be guessed without a token. Theirs therefore name the campaign and the sender's contact
    details too: somebody who takes a thousand in advance hinders nobody else's outreach.
    """
    claims = "" if trusted or not identifiers else f"{_sender(campaign_id, person, fingerprint)}:"
    sent_by = holder_id or (_sender(campaign_id, person, fingerprint) if idempotency_key else "")
    return Retry(
        campaign_id=campaign_id,
        fingerprint=fingerprint,
        identifiers=tuple(id_key(each) if trusted else claimed_key(claims + each) for each in identifiers),
        idempotency=f"idempotency:{_digest(sent_by, idempotency_key)}" if idempotency_key else None,
        refuse_clash=holder_id is not None,
    )


def replay(store: Store, retry: Retry) -> Document | None:
    """The outreach that an earlier, equal request recorded, as durable as that request makes it, or None.

    Raises WriteConflict where it changes at this moment, OsdiError 409 where the identifiers belong to several
    outreaches or to another campaign's, 422 where the Idempotency-Key came with another body before. Without a token
    neither identifier clash is told.
    """
    known = store.by_match_keys(OUTREACH.collection, retry.keys)
    for outreach in known:
        if retry.idempotency and retry.idempotency in outreach["match_keys"]:
            if outreach["created_date"] < now() - IDEMPOTENCY_KEPT:
                _release(store, outreach, retry.idempotency)
                return replay(store, replace(retry, idempotency=None))
            if outreach["fingerprint"] != retry.fingerprint():
                message = "This Idempotency-Key came with another body before."
                raise OsdiError(422, ErrorDescription("IDEMPOTENCY_KEY_REUSED", message, ("Idempotency-Key",)))
            store.wait_for_majority(OUTREACH.collection, outreach)
            return outreach
    elsewhere = any(outreach["advocacy_campaign_id"] != retry.campaign_id for outreach in known)
    if retry.refuse_clash and (len(known) > 1 or elsewhere):
        message = "These identifiers belong to other outreaches."
        raise conflict("IDENTIFIERS_CLASH", message, "identifiers", resource=OUTREACH.rel)
    if not known:
        return None
    store.wait_for_majority(OUTREACH.collection, known[0])
    return known[0]


def _release(store: Store, outreach: Document, key: str) -> None:
    """Free an Idempotency-Key whose time is over; the outreach itself stays."""
    remaining = [each for each in outreach["match_keys"] if each != key]
    store.write(Update(OUTREACH.collection, outreach["_id"], outreach["version"], {"match_keys": remaining}))


def _sender(campaign_id: str, person: MatchKeys, fingerprint: Callable[[], str]) -> str:
    """Who sends without a token: the contact details that they give, or else this very request."""
    return f"{campaign_id}:{_digest(*person.contacts) if person.contacts else fingerprint()}"


def _digest(*parts: str) -> str:
    return hashlib.sha256("\x00".join(parts).encode()).hexdigest()[:32]
