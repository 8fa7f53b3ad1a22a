"""People after the reader of a mailbox has asked for mail to it.

A mailbox may belong to several people. The one who asked is subscribed. The others are not, but none of them may keep
a status that opts out of mail, since then nobody would get mail there (osdi.people.opt_outs.mail_opt_out).

Pure.
"""

from collections.abc import Callable
from typing import Any

from osdi.documents import ReadOnlyDocument
from osdi.match_keys import email_key
from osdi.people.merge_rules import KEPT_STATUSES, SUBSCRIBED
from osdi.people.opt_outs import UNCONFIRMED


def subscribed(person: ReadOnlyDocument, key: str) -> dict[str, Any]:
    """Returns the person with the status `subscribed` of the address with this match key, which now is certain.

    The address is not confirmed as the person's: the reader of a mailbox need not be the person of a record.
    """
    changed = _with_entries(person, key, lambda entry: {**entry, "status": SUBSCRIBED})
    return _without_claim(changed, key)


def reachable(person: ReadOnlyDocument, key: str) -> dict[str, Any]:
    """Returns another person who has the address, without a status of it that opts out of mail."""
    changed = _with_entries(person, key, _without_opt_out)
    return dict(person) if changed == person else _without_claim(changed, key)


def _without_opt_out(entry: ReadOnlyDocument) -> dict[str, Any]:
    is_opt_out = entry.get("status") in KEPT_STATUSES
    return {name: value for name, value in entry.items() if not (is_opt_out and name == "status")}


def _with_entries(
    person: ReadOnlyDocument, key: str, change: Callable[[ReadOnlyDocument], dict[str, Any]]
) -> dict[str, Any]:
    entries = [
        change(entry) if entry.get("address") and email_key(entry["address"]) == key else entry
        for entry in person.get("email_addresses", ())
    ]
    return {**person, "email_addresses": entries}


def _without_claim(person: dict[str, Any], key: str) -> dict[str, Any]:
    """Returns the person without the claim of a post without a token about the status of this address."""
    left = [each for each in person.get(UNCONFIRMED, ()) if each != f"status {key}"]
    changed = {name: value for name, value in person.items() if name != UNCONFIRMED}
    return {**changed, UNCONFIRMED: left} if left else changed
