"""Double opt-in: the signed link of a confirmation mail, and what its button changes (docs/decisions/0035).

A GET of the link changes nothing, since mail scanners follow links. The button subscribes the address, adds the list
and the tag that the page asked for, and lifts an opt-out of mail that is older than the consent. A later opt-out stays.
"""

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from itsdangerous import BadData, URLSafeTimedSerializer

from osdi.access.signing_keys import timed_signer
from osdi.action_functions.resolve import Actions
from osdi.consent.subscribing import reachable, subscribed
from osdi.documents import Document, Find, ReadOnlyDocument
from osdi.ids import new_id, now
from osdi.match_keys import MatchKeyRules, email_key
from osdi.outreaches.consent_receipt import CONSENTS
from osdi.people.lookup import find_people_by_contact, get_person
from osdi.people.merge_rules import events_of_change
from osdi.people.opt_outs import mail_opt_out
from osdi.resources import LIST, OUTREACH, PAGES, PERSON, TAG, Resource
from osdi.retry import retry_on_conflict
from osdi.store import Store, Update, Write
from osdi.suppression.opt_outs import BOUNCE, COMPLAINED, COMPLAINT, LINK, MAIL
from osdi.suppression.suppression_list import suppression_list

PATH: Final = f"{PAGES}/confirm"
PURPOSE: Final = "confirm"
VALID: Final = dt.timedelta(days=7)
# An id, an address of at most 254 characters, base64 and the signature.
MAX_TOKEN_LENGTH: Final = 600

# The state of a link: it leads to a button, or there is a reason why it does not.
ASKED: Final = "asked"
CONFIRMED: Final = "confirmed"
# The address has opted out of mail since the consent was given.
WITHDRAWN: Final = "withdrawn"
EXPIRED: Final = "expired"
# The outreach, the person or the person's address is no longer stored.
GONE: Final = "gone"
INVALID: Final = "invalid"

# By resource, the field of a receipt with the reference of what the person is added to.
ADDED_TO: Final[Mapping[Resource, str]] = {LIST: "list", TAG: "tag"}


@dataclass(frozen=True)
class Confirmation:
    """A link's state, the address of its mail, and the receipt of the consent."""

    state: str
    address: str = ""
    receipt: ReadOnlyDocument | None = None


@dataclass(frozen=True)
class _Found:
    """A confirmation with the documents that it was made of."""

    shown: Confirmation
    outreach: Document
    person: Document
    people: list[Document]


def confirmation_link(signs: URLSafeTimedSerializer, public_url: str, outreach_id: str, address: str) -> str:
    """Returns the link of a mail to this address; only a reader of the mail knows it."""
    token: str = signs.dumps([outreach_id, address])
    return f"{public_url}{PATH}/{token}"


def confirmation_signer(store: Store) -> URLSafeTimedSerializer:
    """Returns the serializer that signs and verifies this deployment's links. Raises OsdiError 503."""
    return timed_signer(store, PURPOSE)


def read_confirmation(store: Store, token: str, rules: MatchKeyRules) -> Confirmation:
    """Returns what the link with this token leads to, and changes nothing. Raises OsdiError 503."""
    found = _find(store, token, rules)
    return found.shown if isinstance(found, _Found) else found


def confirm(store: Store, find: Find, token: str, rules: MatchKeyRules) -> Confirmation:
    """Confirms the consent if the link still leads to a button; safe to repeat.

    Returns CONFIRMED, or the state because of which nothing was changed. `find` looks up lists and tags. Raises
    OsdiError 503.
    """

    def attempt() -> Confirmation:
        found = _find(store, token, rules)
        if not isinstance(found, _Found):
            return found
        if found.shown.state == ASKED:
            store.write(*_writes(store, find, found, now()))
            return replace(found.shown, state=CONFIRMED)
        return found.shown

    return retry_on_conflict(attempt)


def receipt_of(outreach: ReadOnlyDocument) -> Document | None:
    """Returns the receipt of an outreach's consent; None without one."""
    consents = outreach.get(CONSENTS, ())
    return dict(consents[0]) if consents else None


def added_to(find: Find, receipt: ReadOnlyDocument) -> dict[Resource, str | None]:
    """Returns the ids of the list and the tag that a receipt names; None for one that does not exist."""
    ids: dict[Resource, str | None] = {}
    for resource, name in ADDED_TO.items():
        if reference := receipt.get(name):
            found = find(resource, [reference]).get(reference)
            ids[resource] = found["_id"] if found else None
    return ids


def opted_out_since(opt_outs: Iterable[ReadOnlyDocument], timestamp: dt.datetime) -> bool:
    """True if one of the opt-outs of a mailbox is not older than this time (naive UTC), or is a spam complaint.

    Times are in whole seconds, so one in the same second may be later. A bounce is not a wish.
    """
    return any(
        each["source"] == COMPLAINT or (each.get("repeated", each["since"]) >= timestamp and each["source"] != BOUNCE)
        for each in opt_outs
    )


def _find(store: Store, token: str, rules: MatchKeyRules) -> _Found | Confirmation:
    signed = _signed(store, token)
    if signed is None:
        return Confirmation(INVALID)
    outreach_id, address, made = signed
    key = email_key(address)
    outreach = store.get(OUTREACH.collection, outreach_id)
    receipt = receipt_of(outreach) if outreach else None
    person = get_person(store, outreach.get("person_id", "")) if outreach else None
    if outreach is None or receipt is None or person is None or key not in person.get("contact_keys", ()):
        return Confirmation(GONE)
    people = find_people_by_contact(store, key)
    opt_outs = suppression_list(store).opt_outs(MAIL, key, whole_mailbox=True)
    if opted_out_since(opt_outs, receipt["given_date"]) or mail_opt_out(people, key, rules) == COMPLAINED:
        state = WITHDRAWN
    elif "confirmed_date" in receipt:
        state = CONFIRMED
    else:
        state = EXPIRED if now() - made > VALID else ASKED
    return _Found(Confirmation(state, address, receipt), outreach, person, people)


def _signed(store: Store, token: str) -> tuple[str, str, dt.datetime] | None:
    """Returns the outreach's id, the address and the time (naive UTC) of a token that this deployment has signed."""
    if len(token) > MAX_TOKEN_LENGTH:
        return None
    try:
        (outreach_id, address), made = confirmation_signer(store).loads(token, return_timestamp=True)
    except BadData:
        return None
    return outreach_id, address, made.replace(tzinfo=None)


def _writes(store: Store, find: Find, found: _Found, timestamp: dt.datetime) -> list[Write]:
    """Returns the writes of a confirmation.

    Without transactions a crash may come between them: the list forbids mail until the people are written, and the
    receipt is not confirmed until everything else is.
    """
    key = email_key(found.shown.address)
    receipt = dict(found.shown.receipt or {})
    ids = added_to(find, receipt)
    writes: list[Write] = []
    for person in found.people:
        if person["_id"] == found.person["_id"]:
            actions = Actions(list_ids=_ids(ids, LIST), tag_ids=_ids(ids, TAG))
            changed = actions.applied_to(subscribed(person, key), now=timestamp, new_id=new_id)
        else:
            changed = reachable(person, key)
        if changed != person:
            writes.append(_update(person, changed, timestamp))
    suppressed = suppression_list(store)
    writes += suppressed.writes(suppressed.read([key]), timestamp, lift={key: {MAIL: LINK}})
    fields: Document = {CONSENTS: [{**receipt, "confirmed_date": timestamp}], "modified_date": timestamp}
    missing = [
        {"property": "consent", "reason": f"there is no such {resource.name}."}
        for resource, found_id in ids.items()
        if not found_id
    ]
    if missing:
        fields["warnings"] = [*found.outreach.get("warnings", ()), *missing]
    return [*writes, Update(OUTREACH.collection, found.outreach["_id"], found.outreach["version"], fields)]


def _ids(ids: Mapping[Resource, str | None], resource: Resource) -> tuple[str, ...]:
    found = ids.get(resource)
    return (found,) if found else ()


def _update(person: Document, changed: dict[str, Any], timestamp: dt.datetime) -> Update:
    fields = {name: value for name, value in changed.items() if person.get(name) != value}
    gone = tuple(name for name in person if name not in changed)
    events = events_of_change(person, changed)
    fields["modified_date"] = timestamp
    return Update(PERSON.collection, person["_id"], person["version"], fields, gone, events)
