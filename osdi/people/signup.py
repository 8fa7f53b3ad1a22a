"""The steps from a posted person to the stored one: match, merge, write.

`person_change` returns the changed person and the one write that stores the change. Its caller commits the write
together with all other writes of the request. docs/matching.md describes the rules for users.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from osdi.access.tokens import Caller
from osdi.action_functions.resolve import resolve
from osdi.documents import Document, Find
from osdi.errors import ErrorDescription, conflict, document_too_large, invalid
from osdi.ids import now
from osdi.match_keys import NAME_AND_POSTAL_CODE, name_and_postal_code_keys
from osdi.people.lookup import get_person
from osdi.people.matching import IDENTIFIER, IdentifiersClash, Match, match
from osdi.people.matching import LINK as MATCHED_BY_LINK
from osdi.people.merge import finish_merges_of
from osdi.people.merge_rules import exceeds_size_limit, of_change
from osdi.people.posted_person import LINK, PostedPerson
from osdi.resources import PERSON, id_from
from osdi.retry import retry_on_conflict
from osdi.settings import Settings
from osdi.store import Insert, Store, Update, Write

CREATED: Final = "created"
CHANGED: Final = "changed"
UNCHANGED: Final = "unchanged"


@dataclass(frozen=True)
class PersonChange:
    """The changed person, the write that stores the change (None: nothing changes), and the kind of match."""

    person: Document
    write: Write | None
    matched_by: str

    @property
    def outcome(self) -> str:
        """CREATED, CHANGED or UNCHANGED."""
        if self.write is None:
            return UNCHANGED
        return CREATED if isinstance(self.write, Insert) else CHANGED


@dataclass(frozen=True)
class SignedUp:
    """The stored person, warnings for the sender, the kind of match, and the outcome."""

    person: Document
    warnings: tuple[ErrorDescription, ...]
    matched_by: str
    outcome: str


def sign_up(
    store: Store, find: Find, body: Mapping[str, Any], caller: Caller, settings: Settings, *, strict: bool = False
) -> SignedUp:
    """Creates the person of a loaded body, or changes a known one: the Person Signup Helper (`person_signup.md`).

    Raises OsdiError 400, 409, 413 or 503, without having written the posted person.
    """
    actions = resolve(body, find, strict=strict)
    posted = PostedPerson.of(body, caller, actions, settings)
    change = retry_on_conflict(lambda: _write(store, posted))
    return SignedUp(change.person, actions.warnings, change.matched_by, change.outcome)


def _write(store: Store, posted: PostedPerson) -> PersonChange:
    change = person_change(store, posted, now())
    if change.write is not None:
        store.write(change.write)
    elif not posted.imported:  # an import waits once for many rows (docs/decisions/0018)
        store.wait_for_majority(PERSON.collection, change.person)
    return change


def person_change(store: Store, posted: PostedPerson, timestamp: dt.datetime) -> PersonChange:
    """Returns the changed person, and the write that stores the change, without making that write.

    On a server without transactions it first completes an interrupted merge that holds one of the keys.

    Raises OsdiError 400 if the linked person does not exist, 409 for identifiers of different people, 413 for a person
    who would exceed the size limit; WriteConflict if a merge had to be finished first.
    """
    people = store.by_match_keys(PERSON.collection, (*posted.keys.all, *posted.name_keys))
    found = _matched(store, posted, people)
    finish_merges_of(store, [key for key in posted.keys.all if key not in found.owners], posted.rules)
    person = posted.merged(found, people, timestamp)
    _claim_name_keys(store, posted, person, found.person or {}, people)
    posted.rules.set_derived_keys(person)
    return _change(posted, found, person, timestamp)


def _matched(store: Store, posted: PostedPerson, people: Sequence[Document]) -> Match:
    """Returns the person that the link names, else the one that the keys match."""
    try:
        found = match(posted.keys, people, reject_clash=posted.has_token)
    except IdentifiersClash:
        message = "These identifiers belong to different people."
        raise conflict("IDENTIFIERS_CLASH", message, "person.identifiers", resource=PERSON.rel) from None
    if posted.link is None:
        return found
    linked = get_person(store, id_from(posted.link, PERSON) or "")
    if linked is None:
        raise invalid("There is no such person.", LINK, resource=PERSON.rel)
    if found.person is not None and found.matched_by == IDENTIFIER and found.person["_id"] != linked["_id"]:
        message = "The link and the identifiers belong to different people."
        raise conflict("IDENTIFIERS_CLASH", message, LINK, "person.identifiers", resource=PERSON.rel)
    return replace(found, person=linked, matched_by=MATCHED_BY_LINK)


def _claim_name_keys(
    store: Store, posted: PostedPerson, person: Document, stored: Document, people: Sequence[Document]
) -> None:
    """Claims the new keys of the person's name that have no owner, and gives up those of a former name.

    `people` are the owners of the posted keys. Further owners are read only if the stored name differs from the posted.
    """
    wanted = name_and_postal_code_keys(person)
    kept = [key for key in person["match_keys"] if not key.startswith(NAME_AND_POSTAL_CODE) or key in wanted]
    known = {*stored.get("match_keys", ()), *stored.get("unclaimed_keys", ())}
    new = [key for key in wanted if key not in known]
    others = store.by_match_keys(PERSON.collection, [key for key in new if key not in posted.name_keys])
    owned = {key for each in (*people, *others) for key in each["match_keys"]}
    person["match_keys"] = [*kept, *(key for key in new if key not in owned)]


def _change(posted: PostedPerson, found: Match, person: Document, timestamp: dt.datetime) -> PersonChange:
    """Returns the change from the stored person to `person`."""
    stored = found.person
    if stored is not None and person == stored:
        return PersonChange(stored, None, found.matched_by)
    if exceeds_size_limit(person, anonymous=not posted.has_token):
        if posted.has_token or stored is None:
            raise document_too_large(PERSON.name, "person")
        # A post without a token cannot make a later outreach of the same person fail.
        return PersonChange(stored, None, found.matched_by)
    person |= posted.editor
    if stored is None:
        return PersonChange(person, Insert(PERSON.collection, person), found.matched_by)
    person["modified_date"] = timestamp
    changed = {name: value for name, value in person.items() if stored.get(name) != value}
    gone = tuple(name for name in stored if name not in person)
    events = of_change(stored, person)
    update = Update(PERSON.collection, stored["_id"], stored["version"], changed, gone, events)
    return PersonChange(person, update, found.matched_by)
