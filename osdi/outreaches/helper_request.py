"""A request to the Record Outreach Helper, independent of HTTP."""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from osdi.access.tokens import Caller
from osdi.errors import ErrorDescription
from osdi.outreaches.consent_receipt import GivenConsent


@dataclass(frozen=True)
class HelperRequest:
    """The loaded body and the sent bytes, the campaign's document, the caller, and the Idempotency-Key.

    `strict` is True if unknown tags, lists and messages reject the request. `sender` is a keyed digest of the network
    address of a caller without a token, by which a double click is recognised; empty if that is switched off.
    `over_limit` counts a post without a token about the contact detail of a match key; it returns True if there are too
    many. `consent` is what a supporter has agreed to on a page; `warnings` are about what the page has left out.
    `imported` is True for an outreach of a file, which gets no mail that it does not ask for.
    """

    body: Mapping[str, Any]
    campaign: Mapping[str, Any]
    caller: Caller
    idempotency_key: str | None = None
    sent: bytes = b""
    strict: bool = False
    sender: str = ""
    over_limit: Callable[[str], bool] | None = None
    consent: GivenConsent | None = None
    warnings: tuple[ErrorDescription, ...] = ()
    imported: bool = False

    @cached_property
    def fingerprint(self) -> str:
        """A digest of campaign and body, which is the same in a retry."""
        return hashlib.sha256(self.campaign_id.encode() + self.sent).hexdigest()

    @property
    def campaign_id(self) -> str:
        found: str = self.campaign["_id"]
        return found
