"""The person that a post names: found by their match keys and merged into, or made new.

What comes out is the person's document as it will be, and the one write that makes it so; the caller commits it
together with whatever else belongs to the request. docs/matching.md tells users what is decided here.
"""

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from osdi.access.tokens import Caller
from osdi.action_functions.apply import apply_to_person
from osdi.action_functions.resolve import Actions, resolve
from osdi.documents import Document, Find
from osdi.errors import conflict, document_too_large, invalid
from osdi.ids import new_id, now
from osdi.match_keys import (
    NAME_AND_POSTAL_CODE,
    MatchKeyRules,
    MatchKeys,
    id_key,
    name_and_postal_code_keys,
)
from osdi.people import matching
from osdi.people.lookup import get_person
from osdi.people.matching import IdentifiersClash, kind_of_match, match, owners_of
from osdi.people.merge import finish_merges_of
from osdi.people.merge_rules import exceeds_size_limit, keep_strictest_opt_out, merge_person, of_change
from osdi.resources import PERSON, id_from
from osdi.retry import retry_on_conflict
from osdi.settings import Settings
from osdi.store import Insert, Store, Update, Write

LINK = "_links.osdi:person"


@dataclass(frozen=True)
class PostedPerson:
    """A person as a post names them, with what is to be done about them and by whose word."""

    fields: Mapping[str, Any]
    link: str | None
    keys: MatchKeys
    actions: Actions
    has_token: bool
    rules: MatchKeyRules
    by: str | None = None
    imported: bool = False

    @classmethod
    def of(cls, body: Mapping[str, Any], caller: Caller, actions: Actions, settings: Settings) -> "PostedPerson":
        """The person of a helper's loaded body: inline under `person`, linked under `person_link`, or both."""
        fields: Mapping[str, Any] = body.get("person", {})
        link: str | None = body.get("person_link", {}).get("person", {}).get("href")
        trusted = caller.has_token or settings.trust_anonymous_identifiers
        if link is not None and not caller.has_token:
            raise invalid("Without a token the person is sent inline, not as a link.", LINK)
        return cls(
            fields=fields,
            link=link,
            keys=settings.match_key_rules.match_keys(fields, trusted=trusted),
            actions=actions,
            has_token=caller.has_token,
            rules=settings.match_key_rules,
            by=caller.person_id,
            imported=caller.imports,
        )


@dataclass(frozen=True)
class PersonChange:
    """What a post makes of a person: how they were, if they were here, how they will be, and the write, if any."""

    stored: Document | None
    person: Document
    write: Write | None


def sign_up(
    store: Store, find: Find, body: Mapping[str, Any], caller: Caller, settings: Settings, *, strict: bool = False
) -> tuple[Document, tuple[str, ...]]:
    """The Person Signup Helper (`person_signup.md`): the person as they are now, and warnings for the sender.

    Raises OsdiError 400, 409, 413 or 503, having written nothing.
    """
    actions = resolve(body, find, strict=strict)
    posted = PostedPerson.of(body, caller, actions, settings)

    def attempt() -> Document:
        change = person_change(store, posted, now())
        if change.write is None:
            store.wait_for_majority(PERSON.collection, change.person)
        else:
            store.write(change.write)
        return change.person

    return retry_on_conflict(attempt), actions.warnings


def person_change(store: Store, posted: PostedPerson, timestamp: dt.datetime) -> PersonChange:
    """The person as they will be, and the write that makes them so; nothing is written yet.

    Raises OsdiError 400 for a link to nobody, 409 for identifiers of different people, 413 for a person who would
    exceed the size limit.
    """
    people = store.by_match_keys(PERSON.collection, (*posted.keys.all, *name_and_postal_code_keys(posted.fields)))
    stored = _who(store, posted, people)
    matching.note(_how(posted, stored))
    owners = owners_of(posted.keys, people)
    finish_merges_of(store, [key for key in posted.keys.all if key not in owners], posted.rules)
    elsewhere = frozenset(key for key, owner in owners.items() if not stored or owner["_id"] != stored["_id"])
    known = people if posted.imported else []
    if stored is None:
        person = _new(posted, elsewhere, known, timestamp)
        _claim_namesakes(store, posted, person, {}, people)
        if exceeds_size_limit(person, by_stranger=not posted.has_token):
            raise document_too_large(PERSON.name, "person")
        return PersonChange(None, person, Insert(PERSON.collection, person))
    person = _merged(stored, posted, elsewhere, known, timestamp)
    if person is not stored:
        _claim_namesakes(store, posted, person, stored, people)
    changed = {name: value for name, value in person.items() if stored.get(name) != value}
    gone = tuple(name for name in stored if name not in person)
    if not changed and not gone:
        return PersonChange(stored, person, None)
    events = of_change(stored, person)
    update = Update(PERSON.collection, stored["_id"], stored["version"], changed, gone, events)
    return PersonChange(stored, person, update)


def _who(store: Store, posted: PostedPerson, people: list[Document]) -> Document | None:
    """The stored person who is meant, or None."""
    try:
        person = match(posted.keys, people, refuse_clash=posted.has_token)
    except IdentifiersClash:
        message = "These identifiers belong to different people."
        raise conflict("IDENTIFIERS_CLASH", message, "person.identifiers", resource=PERSON.rel) from None
    if posted.link is None:
        return person
    linked = get_person(store, id_from(posted.link, PERSON) or "")
    if linked is None:
        raise invalid("There is no such person.", LINK, resource=PERSON.rel)
    identified = person is not None and not set(posted.keys.identifiers).isdisjoint(person["match_keys"])
    if person is not None and identified and person["_id"] != linked["_id"]:
        message = "The link and the identifiers belong to different people."
        raise conflict("IDENTIFIERS_CLASH", message, LINK, "person.identifiers", resource=PERSON.rel)
    return linked


def _how(posted: PostedPerson, stored: Document | None) -> str:
    """By what they were found, for whoever counts."""
    if stored is None:
        return matching.NEW
    return matching.LINK if posted.link is not None else kind_of_match(posted.keys, stored)


def _new(
    posted: PostedPerson, owned_elsewhere: frozenset[str], known: list[Document], timestamp: dt.datetime
) -> Document:
    person_id = new_id()
    person = merge_person({}, posted.fields, overwrite=True, rules=posted.rules)
    if posted.imported:
        person = keep_strictest_opt_out(person, known, posted.rules)
    # Its own key keeps two people without any other from colliding in the unique index.
    person["match_keys"] = [posted.rules.own_key(person_id)]
    # Without a token somebody new is known by one e-mail and one phone, see _merged.
    contacts = posted.keys.contacts if posted.has_token else (*posted.keys.emails[:1], *posted.keys.phones[:1])
    _add_identity(person, posted, contacts, owned_elsewhere)
    person = apply_to_person(person, posted.actions, now=timestamp, new_id=new_id)
    posted.rules.set_derived_keys(person)
    return {
        "_id": person_id,
        "version": 1,
        "created_date": timestamp,
        "modified_date": timestamp,
        **person,
        **_editor(posted),
    }


def _merged(
    stored: Document,
    posted: PostedPerson,
    owned_elsewhere: frozenset[str],
    known: list[Document],
    timestamp: dt.datetime,
) -> Document:
    person = merge_person(
        stored,
        posted.fields,
        overwrite=posted.has_token,
        owned_elsewhere=owned_elsewhere,
        rules=posted.rules,
    )
    if posted.imported:
        person = keep_strictest_opt_out(person, [*known, stored], posted.rules)
    # A contact detail that a stranger adds is stored but claims no key: it would lead the next outreach, or a sync, of
    # somebody else to this person.
    _add_identity(person, posted, posted.keys.contacts if posted.has_token else (), owned_elsewhere)
    person = apply_to_person(person, posted.actions, now=timestamp, new_id=new_id)
    posted.rules.set_derived_keys(person)
    if person == stored:
        return stored
    if exceeds_size_limit(person, by_stranger=not posted.has_token):
        if posted.has_token:
            raise document_too_large(PERSON.name, "person")
        return stored  # nobody without a token can make somebody's next outreach fail
    person["modified_date"] = timestamp
    return person | _editor(posted)


def _add_identity(
    person: Document, posted: PostedPerson, contacts: tuple[str, ...], owned_elsewhere: frozenset[str]
) -> None:
    """Add the posted identifiers, and the match keys that nobody else owns."""
    keys, identifiers = posted.keys, posted.fields.get("identifiers", ())
    if keys.claimed:
        known = person.get("identifiers", ())
        _extend(person, "claimed_identifiers", (each for each in identifiers if each not in known))
    else:
        own = posted.rules.own_identifier(str(person.get("_id")))  # answers add it, so it is sent back
        others = (each for each in identifiers if each != own and id_key(each) not in owned_elsewhere)
        _extend(person, "identifiers", others)
    claims = (*keys.identifiers, *contacts, *keys.claimed)
    _extend(person, "match_keys", (key for key in claims if key not in owned_elsewhere))


def _editor(posted: PostedPerson) -> dict[str, str]:
    return {"modified_by_id": posted.by} if posted.by else {}


def _claim_namesakes(
    store: Store, posted: PostedPerson, person: Document, stored: Document, people: list[Document]
) -> None:
    """Claim the keys of the person's name that are new and nobody's, and give up those of a former name.

    `people` are the owners of those that were posted; others are looked for, which only few changes of a name need.
    """
    wanted, looked_up = name_and_postal_code_keys(person), name_and_postal_code_keys(posted.fields)
    kept = [key for key in person["match_keys"] if not key.startswith(NAME_AND_POSTAL_CODE) or key in wanted]
    known = {*stored.get("match_keys", ()), *stored.get("unclaimed_keys", ())}
    new = [key for key in wanted if key not in known]
    owners = [*people, *store.by_match_keys(PERSON.collection, [key for key in new if key not in looked_up])]
    owned = {key for each in owners for key in each["match_keys"]}
    person["match_keys"] = [*kept, *(key for key in new if key not in owned)]
    posted.rules.set_derived_keys(person)


def _extend(person: Document, array: str, values: Iterable[str]) -> None:
    present = person.get(array, [])
    added = [value for value in values if value not in present]
    if added:
        person[array] = [*present, *added]
