"""Unsubscribing: the signed link by which a mail's reader unsubscribes (RFC 8058), and what stops mail.

A link is for one e-mail address, cannot be forged, and never expires. It adds the address to the suppression list, also
if nobody has the address, and unsubscribes it for every person who has it: two people may share a mailbox, or one
person may be recorded twice, and its reader wants no more mail.
"""

import hashlib
from functools import partial
from typing import Final, NamedTuple

from itsdangerous import BadData, URLSafeSerializer

from osdi.access.signing_keys import signing_key
from osdi.documents import Document
from osdi.ids import now
from osdi.languages import SOURCE_LANGUAGE
from osdi.match_keys import MatchKeyRules, email_key
from osdi.people.lookup import find_people_by_contact
from osdi.people.merge_rules import KEPT_STATUSES, events_of_change, same_email
from osdi.people.opt_outs import UNCONFIRMED, mail_opt_out
from osdi.resources import PERSON
from osdi.retry import retry_on_conflict
from osdi.store import Store, Update
from osdi.suppression.opt_outs import BOUNCE, BOUNCING, COMPLAINED, LINK, MAIL, UNSUBSCRIBED
from osdi.suppression.suppression_list import SuppressionList, suppression_list

PATH: Final = "/unsubscribe"
PURPOSE: Final = "unsubscribe"

# An address has 254 characters at the most; the rest is base64 and the signature.
MAX_TOKEN_LENGTH: Final = 500


class StatusBefore(NamedTuple):
    """The status that an address had at a person: by its spelling there, None if nothing was said.

    `claimed` is true if only a post without a token had stated it.
    """

    statuses: dict[str, str | None]
    claimed: bool


def signer(store: Store) -> URLSafeSerializer:
    """Returns the serializer that signs and verifies this deployment's links. Raises OsdiError 503."""
    key = signing_key(store, PURPOSE)
    return URLSafeSerializer(key, salt=PURPOSE, signer_kwargs={"digest_method": hashlib.sha256})


def link(signs: URLSafeSerializer, public_url: str, address: str, language: str = SOURCE_LANGUAGE) -> str:
    """Returns the unsubscribe link of this address, which is always the same for a language.

    It names the language of the mail, so that the page has it. English is not named: the reader's browser may know
    better.
    """
    query = "" if language == SOURCE_LANGUAGE else f"?lang={language}"
    return f"{public_url}{PATH}/{signs.dumps(address)}{query}"


def address_of(store: Store, token: str) -> str | None:
    """Returns the address of a link; None if this deployment has not signed it."""
    if len(token) > MAX_TOKEN_LENGTH:
        return None
    try:
        address: str = signer(store).loads(token)
    except BadData:
        return None
    return address


def unsubscribe(store: Store, address: str, source: str = LINK) -> dict[str, StatusBefore]:
    """Adds the address to the suppression list, and unsubscribes it for every person who has it; safe to repeat.

    The list comes first: after it, nothing is sent to the address. Returns, by the ids of the people who were changed,
    the former status. Raises OsdiError 503.
    """
    suppression_list(store).opt_out_of_mail(email_key(address), source)
    return _set_status(store, address, UNSUBSCRIBED, unless=(UNSUBSCRIBED, COMPLAINED))


def mark_bouncing(store: Store, address: str) -> None:
    """Sets the status `bouncing`, unless the address already has a status that stops mail, and lists the address."""
    suppression_list(store).change(email_key(address), add={MAIL: BOUNCE})
    _set_status(store, address, BOUNCING, unless=KEPT_STATUSES)


def unwanted(
    store: Store,
    address: str,
    rules: MatchKeyRules,
    *,
    by_token: bool = True,
    suppressed: SuppressionList | None = None,
) -> str | None:
    """Returns why the address gets no mail, as the reason of a follow-up; None if it may get mail.

    The suppression list counts, and an entry of any person with this address: `unsubscribed`, `bouncing`,
    `spam_complaints`. An entry that only a post without a token has stated does not, if a token holder has stated
    `subscribed`. For a follow-up that was posted without a token, all subaddresses are one mailbox.
    """
    key = email_key(address)
    status = mail_opt_out(find_people_by_contact(store, key), key, rules)
    if status:
        return status.replace(" ", "_")
    suppressed = suppressed or suppression_list(store)
    return suppressed.reason(MAIL, key, whole_mailbox=not by_token)


def _set_status(store: Store, address: str, status: str, unless: tuple[str, ...]) -> dict[str, StatusBefore]:
    found = {}
    for person in find_people_by_contact(store, email_key(address)):
        change = partial(_set_status_of, store, person["_id"], address, status, unless)
        if before := retry_on_conflict(change):
            found[person["_id"]] = before
    return found


def _set_status_of(
    store: Store, person_id: str, address: str, status: str, unless: tuple[str, ...]
) -> StatusBefore | None:
    """Returns the former status of the address; None if nothing had to be changed."""
    person = store.get(PERSON.collection, person_id)
    if person is None:
        return None
    stored = person.get("email_addresses", [])
    # A status that only a post without a token has stated is replaced, whatever it is: this one is certain.
    claimed = f"status {email_key(address)}"
    unconfirmed = person.get(UNCONFIRMED, [])
    kept = () if claimed in unconfirmed else unless
    entries = [
        {**entry, "status": status}
        if same_email(entry, {"address": address}) and entry.get("status") not in kept
        else entry
        for entry in stored
    ]
    if entries == stored and claimed not in unconfirmed:
        return None
    changed: Document = {"email_addresses": entries, "modified_date": now()}
    left = [each for each in unconfirmed if each != claimed]
    if left:
        changed[UNCONFIRMED] = left
    gone = (UNCONFIRMED,) if unconfirmed and not left else ()
    events = events_of_change(person, changed)
    store.write(Update(PERSON.collection, person_id, person["version"], changed, gone, events))
    before = {each["address"]: each.get("status") for each in stored if same_email(each, {"address": address})}
    return StatusBefore(before, claimed in unconfirmed)
