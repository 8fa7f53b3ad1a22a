"""The status of contact details, and its reasons: the suppression list, and what the person's document says.

The stricter one of both counts, as it does when the server sends a mail.
"""

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from osdi.documents import Document, ReadOnlyDocument
from osdi.match_keys import MatchKeyRules, email_key
from osdi.people.opt_outs import UNCONFIRMED, is_opt_out
from osdi.store import Store
from osdi.suppression.opt_outs import CALLS, MAIL, STRICTNESS, TEXTS, phone_opt_outs, status_of
from osdi.suppression.suppression_list import suppression_list

# The statuses beside those of the standard: an address about which nothing was said, and a person without an address.
UNKNOWN: Final = "unknown"
NO_ADDRESS: Final = "no address"
# The statuses of phone numbers.
NO_CALLS: Final = "no calls"
NO_TEXTS: Final = "no texts"

OptedOut = Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True)
class Reason:
    """An opt-out of mail, calls or texts: its source, and since when. A `lifted` one ended at that time."""

    what: str
    source: str
    since: dt.datetime
    lifted: bool = False


@dataclass(frozen=True)
class Contact:
    """An e-mail address or phone number. `claimed` is true if only a post without a token has stated its status."""

    value: str
    type: str
    primary: bool
    statuses: tuple[str, ...]
    reasons: tuple[Reason, ...]
    claimed: bool = False


def contacts_of(store: Store, person: ReadOnlyDocument, rules: MatchKeyRules) -> tuple[list[Contact], list[Contact]]:
    """Returns the e-mail addresses and the phone numbers of a person. Raises OsdiError 503."""
    emails = [(email_key(each["address"]), each) for each in person.get("email_addresses", ()) if each.get("address")]
    phones = [(rules.phone_key(each) or "", each) for each in person.get("phone_numbers", ()) if each.get("number")]
    keys = {key for key, _ in (*emails, *phones) if key}
    listed = suppression_list(store).read(keys) if keys else {}
    claims = {email_key(each["address"]) for each in person.get("claimed_opt_outs", ()) if each.get("address")}
    claims |= {name.removeprefix("status ") for name in person.get(UNCONFIRMED, ())}
    return (
        [_email(key, entry, listed.get(key, {}), key in claims) for key, entry in emails],
        [_phone(entry, listed.get(key, {})) for key, entry in phones],
    )


def mail_statuses(store: Store, addresses: Mapping[str, ReadOnlyDocument]) -> dict[str, str]:
    """Returns the status of each e-mail entry, by the same names as the entries, with one read of the list.

    Raises OsdiError 503.
    """
    keys = {name: email_key(entry["address"]) for name, entry in addresses.items()}
    listed = suppression_list(store).read(set(keys.values())) if keys else {}
    return {
        name: mail_status(entry, listed.get(keys[name], {}).get("refused", {})) for name, entry in addresses.items()
    }


def mail_status(entry: ReadOnlyDocument, opted_out: OptedOut) -> str:
    """Returns the status of an e-mail entry: the stricter one of its own and the one that the list gives it."""
    own = str(entry.get("status") or UNKNOWN)
    listed = status_of(opted_out[MAIL]["source"]) if MAIL in opted_out else own
    return max(own, listed, key=lambda status: STRICTNESS.get(status, 0))


def _email(key: str, entry: ReadOnlyDocument, listed: Document, claimed: bool) -> Contact:
    status = mail_status(entry, listed.get("refused", {}))
    claimed = claimed and (status not in STRICTNESS or MAIL not in listed.get("refused", {}))
    return _contact(entry, "address", (status,), listed, (MAIL,), claimed)


def _phone(entry: ReadOnlyDocument, listed: Document) -> Contact:
    opted_out = {*phone_opt_outs(entry), *listed.get("refused", ())}
    statuses = tuple(name for what, name in ((CALLS, NO_CALLS), (TEXTS, NO_TEXTS)) if what in opted_out)
    return _contact(entry, "number", statuses, listed, (CALLS, TEXTS), False)


def _contact(
    entry: ReadOnlyDocument,
    value: str,
    statuses: tuple[str, ...],
    listed: Document,
    whats: tuple[str, ...],
    claimed: bool,
) -> Contact:
    kind = str(entry.get("address_type" if value == "address" else "number_type", ""))
    reasons = tuple(_reasons(listed, whats))
    return Contact(str(entry[value]), kind, bool(entry.get("primary")), statuses, reasons, claimed)


def _reasons(listed: Document, whats: tuple[str, ...]) -> Iterator[Reason]:
    """Yields the opt-outs that apply, and then the liftings of earlier ones, the latest first."""
    opted_out = listed.get("refused", {})
    for what in whats:
        if what in opted_out:
            yield Reason(what, opted_out[what]["source"], opted_out[what]["since"])
    for each in reversed(listed.get("history", ())):
        if each["what"] in whats and each["change"] == "lifted":
            yield Reason(each["what"], each["source"], each["date"], lifted=True)


def permissive(entry: ReadOnlyDocument) -> tuple[str, ...]:
    """Returns the names of an entry's statuses that allow contact: `subscribed`, no `do_not_call`, texts are wanted."""
    names = ("status", "do_not_call", "sms_capable")
    return tuple(name for name in names if name in entry and not is_opt_out(name, entry[name]))
