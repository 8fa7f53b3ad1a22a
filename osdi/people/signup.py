"""The steps from a posted person to the stored one: match, merge, keep opt-outs, write.

`person_change` returns the changed person and the one write that stores the change. Its caller commits the write
together with all other writes of the request. docs/matching.md describes the rules for users.
"""

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from osdi.access.tokens import Caller
from osdi.action_functions.resolve import require_named_person, resolve, without_placeholders
from osdi.documents import Document, Find
from osdi.errors import ErrorDescription, conflict, document_too_large, invalid
from osdi.ids import now
from osdi.match_keys import NAME_AND_POSTAL_CODE, MatchKeys, name_and_postal_code_keys
from osdi.people.lookup import get_person
from osdi.people.matching import BY_LINK, IDENTIFIER, IdentifiersClash, Match, match
from osdi.people.merge import finish_merges_of
from osdi.people.merge_rules import events_of_change, exceeds_size_limit, left_out
from osdi.people.posted_person import PERSON_LINK, PostedPerson
from osdi.resources import PERSON, id_from
from osdi.retry import retry_on_conflict
from osdi.settings import Settings
from osdi.store import Insert, Store, Update, Write
from osdi.suppression.suppression_list import check_post, suppression_list

CREATED: Final = "created"
CHANGED: Final = "changed"
UNCHANGED: Final = "unchanged"
FULL: Final = "the person has as much of it as posts without a token may add. A token holder can add more."


@dataclass(frozen=True)
class PersonChange:
    """The changed person, the write that stores the change (None: nothing changes), and the kind of match.

    `suppression_writes` are the writes to the suppression list, which come first; `warnings` are for the sender.
    `over_limit` is True if there are too many posts without a token about the person: then a known one is unchanged.
    """

    person: Document
    write: Write | None
    matched_by: str
    suppression_writes: tuple[Write, ...] = ()
    warnings: tuple[ErrorDescription, ...] = ()
    over_limit: bool = False

    @property
    def writes(self) -> tuple[Write, ...]:
        """All writes, in their order."""
        return (*self.suppression_writes, *([self.write] if self.write else []))

    @property
    def outcome(self) -> str:
        """CREATED, CHANGED or UNCHANGED."""
        if self.write is None:
            return UNCHANGED
        return CREATED if isinstance(self.write, Insert) else CHANGED

    @property
    def adds_keys(self) -> bool:
        """True if the write inserts the person, or changes their match keys or contact details."""
        changed = self.write.fields if isinstance(self.write, Update) else {}
        return isinstance(self.write, Insert) or not changed.keys().isdisjoint(("match_keys", "contact_keys"))


# Rejects the change of one attempt, before it is written, by raising an error.
CheckChange = Callable[[PersonChange], None]


@dataclass(frozen=True)
class SignedUp:
    """The stored person, warnings for the sender, the kind of match, and the outcome."""

    person: Document
    warnings: tuple[ErrorDescription, ...]
    matched_by: str
    outcome: str


def sign_up(
    store: Store,
    find: Find,
    body: Mapping[str, Any],
    caller: Caller,
    settings: Settings,
    *,
    strict: bool = False,
    check: CheckChange | None = None,
    keys: MatchKeys | None = None,
) -> SignedUp:
    """Creates the person of a loaded body, or changes a known one: the Person Signup Helper (`person_signup.md`).

    `keys` are those of the person, if the caller has made them. Raises OsdiError 400, 409, 413 or 503, or what `check`
    raises, without having written the posted person.
    """
    body, ignored = without_placeholders(body, strict=strict)
    require_named_person(body)
    actions = resolve(body, find, strict=strict)
    posted = PostedPerson.of(body, caller, actions, settings, stores_claimed_opt_outs=True, keys=keys)
    change = retry_on_conflict(lambda: _write(store, posted, check))
    return SignedUp(change.person, (*ignored, *actions.warnings, *change.warnings), change.matched_by, change.outcome)


def _write(store: Store, posted: PostedPerson, check: CheckChange | None) -> PersonChange:
    change = person_change(store, posted, now())
    if check is not None:
        check(change)
    if change.writes:
        store.write(*change.writes)
    elif not posted.imported:  # an import waits once for many rows (docs/decisions/0018)
        store.wait_for_majority(PERSON.collection, change.person)
    return change


def person_change(store: Store, posted: PostedPerson, timestamp: dt.datetime) -> PersonChange:
    """Returns the changed person, and the write that stores the change, without making that write.

    On a server without transactions it first completes an interrupted merge that holds one of the keys.

    Raises OsdiError 400 if the linked person does not exist, 409 for identifiers of different people, 413 for a person
    who would exceed the size limit; WriteConflict if a merge had to be finished first.
    """
    match_keys = (*posted.keys.all, *posted.keys.names_and_postal_codes)
    suppressed = suppression_list(store)
    people, listed = suppressed.read_with_owners(PERSON.collection, match_keys, posted.keys.contacts)
    found = _matched(store, posted, people)
    over_limit = posted.over_limit is not None and posted.count_and_check_limit(found)
    if over_limit and found.person is not None:
        return PersonChange(found.person, None, found.matched_by, over_limit=True)
    if not store.supports_transactions:
        finish_merges_of(store, [key for key in posted.keys.all if key not in found.owners], posted.rules)
    person = posted.merged(found, people, timestamp)
    name_keys = _set_name_keys(store, posted, person, found.person or {}, people)
    posted.rules.set_derived_keys(person, name_keys)
    source = posted.source if posted.has_token else None
    checked = check_post(suppressed, found.person or {}, person, posted.fields, posted.rules, source, timestamp, listed)
    changed, write, full = _changed(posted, found.person, checked.person, timestamp)
    warnings = (*checked.warnings, *(full or _left_out(posted, found, changed)))
    return PersonChange(changed, write, found.matched_by, checked.writes, warnings, over_limit)


def _left_out(posted: PostedPerson, found: Match, person: Document) -> Sequence[ErrorDescription]:
    """Returns a warning for each field of a post without a token that a known person has no room for."""
    if posted.has_token or found.person is None:
        return ()
    names = left_out(found.person, person, posted.fields, posted.rules)
    return [_full(f"{PERSON.name}.{name}") for name in names]


def _full(property_name: str) -> ErrorDescription:
    return ErrorDescription("PERSON_FULL", FULL, (property_name,))


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
        raise invalid("There is no such person.", PERSON_LINK, resource=PERSON.rel)
    if found.person is not None and found.matched_by == IDENTIFIER and found.person["_id"] != linked["_id"]:
        message = "The link and the identifiers belong to different people."
        raise conflict("IDENTIFIERS_CLASH", message, PERSON_LINK, "person.identifiers", resource=PERSON.rel)
    return replace(found, person=linked, matched_by=BY_LINK)


def _set_name_keys(
    store: Store, posted: PostedPerson, person: Document, stored: Document, people: Sequence[Document]
) -> list[str]:
    """Returns the keys of the person's name, after giving the person those that are new and have no owner.

    The person loses the keys of a former name. `people` are the owners of the posted keys. Further owners are read only
    if the stored name differs from the posted.
    """
    wanted = name_and_postal_code_keys(person)
    kept = [key for key in person["match_keys"] if not key.startswith(NAME_AND_POSTAL_CODE) or key in wanted]
    known = {*stored.get("match_keys", ()), *stored.get("unclaimed_keys", ())}
    new = [key for key in wanted if key not in known]
    unread = [key for key in new if key not in posted.keys.names_and_postal_codes]
    others = store.by_match_keys(PERSON.collection, unread) if unread else []
    owned = {key for each in (*people, *others) for key in each["match_keys"]}
    person["match_keys"] = [*kept, *(key for key in new if key not in owned)]
    return wanted


def _changed(
    posted: PostedPerson, stored: Document | None, person: Document, timestamp: dt.datetime
) -> tuple[Document, Write | None, Sequence[ErrorDescription]]:
    """Returns the person after the change from `stored` to `person`, the write that stores it, and warnings."""
    if stored is not None and person == stored:
        return stored, None, ()
    if exceeds_size_limit(person, anonymous=not posted.has_token):
        if posted.has_token or stored is None:
            raise document_too_large(PERSON.name, "person")
        # A post without a token cannot make a later outreach of the same person fail.
        return stored, None, (_full(PERSON.name),)
    person |= posted.editor
    if stored is None:
        return person, Insert(PERSON.collection, person), ()
    person["modified_date"] = timestamp
    changed = {name: value for name, value in person.items() if stored.get(name) != value}
    gone = tuple(name for name in stored if name not in person)
    events = events_of_change(stored, person)
    return person, Update(PERSON.collection, stored["_id"], stored["version"], changed, gone, events), ()
