"""Consent that a supporter gives on a page: its receipt in the outreach, and what a post subscribes at once.

The receipt is the organisation's evidence (GDPR, article 7(1)): the words as shown, their SHA-256, the language, the
page, the time, and what was asked for. With double opt-in a post subscribes nothing; the button of a mail does
(osdi.consent). docs/decisions/0035 gives the reasons.

Pure.
"""

import datetime as dt
import hashlib
from dataclasses import dataclass
from typing import Any, Final

from osdi.action_functions.followup_kinds import primary_value
from osdi.documents import Document, ReadOnlyDocument
from osdi.match_keys import email_key
from osdi.people.merge_rules import SUBSCRIBED

# The field of an outreach with the receipts.
CONSENTS: Final = "consents"
EMAIL_CHANNEL: Final = "email"


@dataclass(frozen=True)
class GivenConsent:
    """The consent of one post: the words that the supporter has read, and what they ask for.

    `list` and `tag` are references as in the helper's `add_lists` and `add_tags`. With `by_mail` only the button of a
    mail subscribes (double opt-in).
    """

    text: str
    language: str
    page_url: str
    list: str | None = None
    tag: str | None = None
    by_mail: bool = False

    def receipt(self, timestamp: dt.datetime) -> Document:
        """Returns the receipt of a consent that was given at this time (naive UTC)."""
        optional = {"list": self.list, "tag": self.tag, "page_url": self.page_url}
        return {
            "text": self.text,
            "sha256": sha256_of(self.text),
            "language": self.language,
            "channel": EMAIL_CHANNEL,
            "given_date": timestamp,
            **{name: value for name, value in optional.items() if value},
        }

    def subscribing(self, body: ReadOnlyDocument) -> dict[str, Any]:
        """Returns the body of a helper, which now subscribes the address and asks for the list and the tag."""
        person = body["person"]
        key = email_key(address_of(body) or "")
        entries = [
            {**entry, "status": SUBSCRIBED} if entry.get("address") and email_key(entry["address"]) == key else entry
            for entry in person["email_addresses"]
        ]
        changed = {**body, "person": {**person, "email_addresses": entries}}
        for name, reference in (("add_lists", self.list), ("add_tags", self.tag)):
            if reference:
                changed[name] = [*body.get(name, ()), reference]
        return changed


def sha256_of(text: str) -> str:
    """Returns the SHA-256 of a text's UTF-8 bytes, in hexadecimal digits."""
    return hashlib.sha256(text.encode()).hexdigest()


def address_of(body: ReadOnlyDocument) -> str | None:
    """Returns the e-mail address of a helper's body that consent is about: the primary one, else the first; or None."""
    return primary_value(body.get("person", {}).get("email_addresses", ()), "address")


def is_subscribed(person: ReadOnlyDocument, key: str) -> bool:
    """True if the person has the address of this match key with the status `subscribed`."""
    return any(
        entry.get("status") == SUBSCRIBED and email_key(entry["address"]) == key
        for entry in person.get("email_addresses", ())
        if entry.get("address")
    )
