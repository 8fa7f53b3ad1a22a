"""Who wants no mail: the signed link by which a mail's reader unsubscribes (RFC 8058), and what a status says.

A link is about one e-mail address, cannot be made by anybody else, and never ends. Whoever follows it unsubscribes the
address, of everybody who has it: whether two people share a mailbox or one is recorded twice, its reader wants no more.
"""

import hashlib
from functools import partial
from typing import Final

from itsdangerous import BadData, URLSafeSerializer

from osdi.access.signing_keys import signing_key
from osdi.documents import Document
from osdi.ids import now
from osdi.match_keys import email_key
from osdi.people.lookup import find_people_by_contact
from osdi.people.merge_rules import KEPT_STATUSES, of_change, same_email
from osdi.resources import PERSON
from osdi.retry import retry_on_conflict
from osdi.store import Store, Update

PATH: Final = "/unsubscribe"
PURPOSE: Final = "unsubscribe"
UNSUBSCRIBED, BOUNCING = "unsubscribed", "bouncing"

# An address has 254 characters at the most; the rest is base64 and the signature.
TOKEN_LENGTH: Final = 500


def signer(store: Store) -> URLSafeSerializer:
    """What makes and reads the signed part of this deployment's links. Raises OsdiError 503."""
    key = signing_key(store, PURPOSE)
    return URLSafeSerializer(key, salt=PURPOSE, signer_kwargs={"digest_method": hashlib.sha256})


def link(signs: URLSafeSerializer, public_url: str, address: str) -> str:
    """The link by which the reader of a mail to this address unsubscribes it: the same one each time."""
    return f"{public_url}{PATH}/{signs.dumps(address)}"


def address_of(store: Store, token: str) -> str | None:
    """The address that a link is about; None for a link that is not ours."""
    if len(token) > TOKEN_LENGTH:
        return None
    try:
        address: str = signer(store).loads(token)
    except BadData:
        return None
    return address


def unsubscribe(store: Store, address: str) -> None:
    """Unsubscribe the address, of everybody who has it; nothing happens a second time. Raises OsdiError 503."""
    _set_status(store, address, UNSUBSCRIBED, unless=(UNSUBSCRIBED, "spam complaints"))


def mark_bouncing(store: Store, address: str) -> None:
    """Note that the address takes no mail, unless its status says already that none is to be sent."""
    _set_status(store, address, BOUNCING, unless=KEPT_STATUSES)


def unwanted(store: Store, address: str) -> str | None:
    """Why no mail goes to the address, as the reason of a follow-up; None where it may.

    What anybody's entry for the address says counts: `unsubscribed`, `bouncing`, `spam_complaints`.
    """
    said = {
        entry.get("status")
        for person in find_people_by_contact(store, email_key(address))
        for entry in person.get("email_addresses", ())
        if same_email(entry, {"address": address})
    }
    return next((status.replace(" ", "_") for status in KEPT_STATUSES if status in said), None)


def _set_status(store: Store, address: str, status: str, unless: tuple[str, ...]) -> None:
    for person in find_people_by_contact(store, email_key(address)):
        retry_on_conflict(partial(_set_status_of, store, person["_id"], address, status, unless))


def _set_status_of(store: Store, person_id: str, address: str, status: str, unless: tuple[str, ...]) -> None:
    person = store.get(PERSON.collection, person_id)
    if person is None:
        return
    stored = person.get("email_addresses", [])
    entries = [
        {**entry, "status": status}
        if same_email(entry, {"address": address}) and entry.get("status") not in unless
        else entry
        for entry in stored
    ]
    if entries != stored:
        changed: Document = {"email_addresses": entries, "modified_date": now()}
        events = of_change(person, changed)
        store.write(Update(PERSON.collection, person_id, person["version"], changed, events=events))
