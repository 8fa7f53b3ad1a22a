"""Creates, finds, rotates and revokes tokens, for the commands and for the staff pages.

A secret is returned once. The database keeps only its hash.
"""

import datetime as dt
from collections.abc import Iterable, Sequence
from typing import Final

from osdi.access.token_store import find_tokens, replace_token
from osdi.access.tokens import SCOPES, has_expired, new_token, successor
from osdi.documents import Document
from osdi.errors import WriteConflict, conflict, invalid, not_found
from osdi.resources import ADVOCACY_CAMPAIGN, PERSON, Resource
from osdi.store import Insert, Store
from osdi.store.indexes import TOKENS

MAX_NAME_LENGTH: Final = 100
MAX_OVERLAP_HOURS: Final = 24 * 366


def check_name(name: str) -> None:
    """Raises OsdiError 400 for a name that does not fit in one line of a table."""
    if not name.strip() or not name.isprintable() or len(name) > MAX_NAME_LENGTH:
        raise invalid(f"Use 1 to {MAX_NAME_LENGTH} printable characters.", "name")


def check_bound(store: Store, person_id: str | None, advocacy_campaign_id: str | None) -> None:
    """Raises OsdiError 400 if a token or a member is to be bound to an unknown person or campaign."""
    _check_exists(store, PERSON, person_id)
    _check_exists(store, ADVOCACY_CAMPAIGN, advocacy_campaign_id)


def check_scopes(scopes: Sequence[str]) -> None:
    """Raises OsdiError 400 for no scope, or an unknown one."""
    if not scopes or not set(scopes) <= set(SCOPES):
        raise invalid(f"Choose at least one of {', '.join(SCOPES)}.", "scopes")


def create_token(
    store: Store,
    name: str,
    scopes: Sequence[str] = SCOPES,
    person_id: str | None = None,
    advocacy_campaign_id: str | None = None,
) -> tuple[str, Document]:
    """Stores a new token, and returns its secret and its document. Raises OsdiError 400."""
    check_name(name)
    check_scopes(scopes)
    check_bound(store, person_id, advocacy_campaign_id)
    secret, token = new_token(name, tuple(scopes), person_id, advocacy_campaign_id)
    store.write(Insert(TOKENS, token))
    return secret, token


def get_token(store: Store, token_id: str) -> Document:
    """Returns the token with this id. Raises OsdiError 404."""
    found = store.get(TOKENS, token_id)
    if found is None:
        raise not_found("There is no such token.")
    return found


def find_token(store: Store, name_or_id: str, timestamp: dt.datetime) -> Document:
    """Returns the token with this id, else the only valid token with this name, else the only expired one.

    Raises OsdiError 404 if there is none, 409 if there is more than one.
    """
    found = find_tokens(store, {"$or": [{"_id": name_or_id}, {"name": name_or_id}]})
    by_id = [token for token in found if token["_id"] == name_or_id]
    valid = [token for token in found if not has_expired(token, timestamp)]
    candidates = by_id or valid or found
    if not candidates:
        raise not_found(f"No token has the name or id '{name_or_id}'.")
    if len(candidates) > 1:
        ids = ", ".join(token["_id"] for token in candidates)
        message = f"{len(candidates)} tokens have the name '{name_or_id}'. Give the id of one: {ids}"
        raise conflict("TOKEN_AMBIGUOUS", message)
    return candidates[0]


def rotate_token(
    store: Store, former: Document, hours: int, timestamp: dt.datetime
) -> tuple[str, Document, dt.datetime | None]:
    """Replaces a token: returns the new secret, the successor, and when the former secret ends (None for at once).

    `hours` is the time for which the former secret stays valid, unless it ends sooner. Raises OsdiError 400 for another
    number than 0 to MAX_OVERLAP_HOURS, 409 for a token that has expired or that somebody else has just changed.
    """
    if not 0 <= hours <= MAX_OVERLAP_HOURS:
        raise invalid(f"Enter a number from 0 to {MAX_OVERLAP_HOURS}.", "hours")
    if has_expired(former, timestamp):
        raise conflict("TOKEN_EXPIRED", "The token has expired. Create another one.")
    secret, token = successor(former)
    ends = timestamp + dt.timedelta(hours=hours) if hours else None
    try:
        replace_token(store, former["_id"], token, ends)
    except WriteConflict as lost:
        raise conflict("TOKEN_CHANGED", "Somebody else has just changed the token.") from lost
    return secret, token, min(ends, former.get("expires_date", ends)) if ends else None


def revoke_token(store: Store, token_id: str) -> None:
    """Deletes a token; safe to repeat."""
    store.delete_many(TOKENS, {"_id": token_id})


def campaigns_of(store: Store, bound: Iterable[Document]) -> dict[str, Document]:
    """Returns the campaigns that tokens or members are bound to, by id; one that was deleted is missing."""
    named = {each["advocacy_campaign_id"] for each in bound if "advocacy_campaign_id" in each}
    return {campaign["_id"]: campaign for campaign in store.by_ids(ADVOCACY_CAMPAIGN.collection, sorted(named))}


def _check_exists(store: Store, resource: Resource, document_id: str | None) -> None:
    if document_id is not None and store.get(resource.collection, document_id) is None:
        message = f"No {resource.name.replace('_', ' ')} has the id '{document_id}'."
        raise invalid(message, f"{resource.name}_id")
