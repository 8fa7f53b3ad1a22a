"""The undo of an unsubscribe: a button on the page that confirms it, for a reader who has pressed the link by mistake.

The token of an undo is signed and has what that unsubscribe changed: the version of the entry in the suppression list,
and the former status at each person. So an undo brings back exactly that, and nobody is subscribed who was not. There
is a token only if the address got mail before. It undoes nothing if anything else forbids mail by then: an older or
later opt-out, a bounce, a spam complaint. docs/privacy.md states these rules.
"""

from collections.abc import Mapping
from functools import partial
from typing import Final

from itsdangerous import BadData

from osdi.access.signing_keys import timed_signer
from osdi.documents import Document, ReadOnlyDocument
from osdi.followups.unsubscribe import PURPOSE, StatusBefore, unsubscribe, unwanted
from osdi.ids import now
from osdi.match_keys import MatchKeyRules, email_key
from osdi.people.lookup import find_people_by_contact, get_people
from osdi.people.opt_outs import UNCONFIRMED, mail_opt_out
from osdi.resources import PERSON
from osdi.retry import retry_on_conflict
from osdi.store import Store, Update
from osdi.suppression.opt_outs import LINK, MAIL, UNSUBSCRIBED
from osdi.suppression.suppression_list import suppression_list

SALT: Final = "undo"
UNDO_SECONDS: Final = 24 * 60 * 60
# The token is in a form, and names each person who has the address. Hardly ever there are more than two.
MAX_PEOPLE: Final = 50
MAX_TOKEN_LENGTH: Final = 30_000


def unsubscribe_with_undo(store: Store, address: str, source: str, rules: MatchKeyRules) -> str | None:
    """Unsubscribes an address (see `unsubscribe`), and returns the token of an undo.

    Returns None if the address got no mail before. Raises OsdiError 503.
    """
    wanted = unwanted(store, address, rules) is None
    before = unsubscribe(store, address, source)
    entry = _entry(store, address)
    opt_out = entry["refused"].get(MAIL, {})
    if not wanted or len(before) > MAX_PEOPLE or opt_out.get("source") != source:
        return None
    token: str = timed_signer(store, PURPOSE, salt=SALT).dumps([address, entry["version"], before])
    return token


def undo(store: Store, token: str, rules: MatchKeyRules) -> str | None:
    """Undoes the unsubscribe of a token, and returns the address; safe to repeat.

        Returns None if this deployment has not signed the token, if it is older than UNDO_SECONDS, or if anything else
    forbids mail to the address. Raises OsdiError 503.
    """
    if len(token) > MAX_TOKEN_LENGTH:
        return None
    try:
        address, version, people = timed_signer(store, PURPOSE, salt=SALT).loads(token, max_age=UNDO_SECONDS)
    except BadData:
        return None
    before = {person_id: StatusBefore(*each) for person_id, each in people.items()}
    undone = retry_on_conflict(partial(_undo, store, address, version, before, rules))
    return str(address) if undone else None


def _undo(store: Store, address: str, version: int, before: Mapping[str, StatusBefore], rules: MatchKeyRules) -> bool:
    """Undoes the unsubscribe; False if another opt-out forbids it. Raises WriteConflict if one comes meanwhile."""
    key, entry = email_key(address), _entry(store, address)
    of_survivors = _of_survivors(store, before)
    restored = [_restored(each, address, of_survivors) for each in find_people_by_contact(store, key)]
    if not _is_of_this_unsubscribe(entry, version) or mail_opt_out(restored, key, rules):
        return False
    # The list comes last: if the process ends in between, mail stays forbidden.
    for person_id in of_survivors:
        retry_on_conflict(partial(_restore, store, person_id, address, of_survivors))
    writes = suppression_list(store).writes({key: entry}, now(), lift={key: {MAIL: LINK}})
    if writes:
        store.write(*writes)
    return True


def _entry(store: Store, address: str) -> ReadOnlyDocument:
    """Returns the entry of an address in the suppression list; one without opt-outs if it has none."""
    key, suppressed = email_key(address), suppression_list(store)
    return suppressed.read([key]).get(key) or suppressed.new_entry(key)


def _is_of_this_unsubscribe(entry: ReadOnlyDocument, version: int) -> bool:
    """True if the entry is as the unsubscribe left it in this version, or if one change since then lifted the opt-out.

    An entry of an e-mail address is about mail only, so each other change of it is another opt-out.
    """
    lifted = MAIL not in entry["refused"]
    return bool(entry["version"] == version + lifted)


def _of_survivors(store: Store, before: Mapping[str, StatusBefore]) -> dict[str, StatusBefore]:
    """Returns the former statuses by the ids of the people who exist; a merge may have united two of them."""
    found: dict[str, StatusBefore] = {}
    for person_id, person in get_people(store, before).items():
        ours = before[person_id]
        other = found.get(person["_id"], ours)
        united = StatusBefore(ours.statuses | other.statuses, ours.claimed or other.claimed)
        found[person["_id"]] = united
    return found


def _restored(person: ReadOnlyDocument, address: str, before: Mapping[str, StatusBefore]) -> ReadOnlyDocument:
    """Returns the person with the former status of the address, where it is still unsubscribed."""
    if person["_id"] not in before or "email_addresses" not in person:
        return person
    statuses, claimed = before[person["_id"]]
    entries = [
        _with_status(entry, statuses[entry["address"]])
        if entry.get("address") in statuses and entry.get("status") == UNSUBSCRIBED
        else entry
        for entry in person["email_addresses"]
    ]
    restored = {**person, "email_addresses": entries}
    claim = f"status {email_key(address)}"
    if claimed and claim not in person.get(UNCONFIRMED, ()):
        restored[UNCONFIRMED] = [*person.get(UNCONFIRMED, ()), claim]
    return restored


def _with_status(entry: ReadOnlyDocument, status: str | None) -> Document:
    kept = {name: value for name, value in entry.items() if name != "status"}
    return kept if status is None else {**kept, "status": status}


def _restore(store: Store, person_id: str, address: str, before: Mapping[str, StatusBefore]) -> None:
    person = store.get(PERSON.collection, person_id)
    if person is None:
        return
    restored = _restored(person, address, before)
    changed = {name: value for name, value in restored.items() if value != person.get(name)}
    if changed:
        fields = {**changed, "modified_date": now()}
        store.write(Update(PERSON.collection, person_id, person["version"], fields))
