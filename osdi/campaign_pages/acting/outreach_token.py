"""The token by which a supporter completes the outreach that they have just recorded: its targets and its outcome.

Only the response to the post has the token. It names one outreach and is valid for a day.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from itsdangerous import BadData

from osdi.access.signing_keys import timed_signer
from osdi.store import DocumentStore

PURPOSE: Final = "outreach"
VALID_SECONDS: Final = 24 * 60 * 60
# An id, some keys of targets, and a signature.
MAX_TOKEN_LENGTH: Final = 20_000


@dataclass(frozen=True)
class OutreachToken:
    """One outreach of one campaign, and the keys of the targets that its supporter may choose among."""

    outreach_id: str
    campaign_id: str
    candidates: tuple[str, ...] = ()


def outreach_token(store: DocumentStore, outreach_id: str, campaign_id: str, candidates: Sequence[str] = ()) -> str:
    """Returns the token of an outreach. Raises OsdiError 503."""
    token: str = timed_signer(store, PURPOSE).dumps([outreach_id, campaign_id, *candidates])
    return token


def read_outreach_token(store: DocumentStore, token: str) -> OutreachToken | None:
    """Returns the content of a token; None if it is older than a day or not one of ours. Raises OsdiError 503."""
    if len(token) > MAX_TOKEN_LENGTH:
        return None
    try:
        outreach_id, campaign_id, *candidates = timed_signer(store, PURPOSE).loads(token, max_age=VALID_SECONDS)
    except BadData:
        return None
    return OutreachToken(outreach_id, campaign_id, tuple(candidates))
