"""Reads a helper's loaded body: checks it, resolves its Helper Action Functions, and applies them to a person.

Before anything is looked up, placeholder identifiers and a person without content are found. Then
names, URIs and identifiers of tags, lists, questions and messages are resolved (`helper_action_functions.md`). One that
does not exist, and an answer that its question does not accept, becomes a warning, and the outreach is recorded
(docs/decisions/0032). With strict handling it rejects the request.
"""

import datetime as dt
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from osdi.action_functions.answers import accepted_answers, set_further_answers
from osdi.action_functions.triggers import (
    Followup,
    enabled_triggers,
    followups,
    message_references,
    with_every_outreach,
)
from osdi.documents import Find, ReadOnlyDocument
from osdi.errors import DOES_NOT_EXIST, MAX_DESCRIPTIONS, ErrorDescription, OsdiError, described, invalid
from osdi.resources import LIST, MESSAGE, OUTREACH, PERSON, QUESTION, TAG, Resource
from osdi.values.identifiers import is_placeholder, not_an_id

MAX_WARNINGS: Final = 100
# The field of a body with answers to questions.
ANSWERS: Final = "add_questions_responses_uri"
# The fields of a body that name tags and lists.
NAMED_BY: Final[Mapping[Resource, tuple[str, ...]]] = {
    TAG: ("add_tags", "add_tags_uri"),
    LIST: ("add_lists", "add_lists_uri"),
}

# All fields that need something to be looked up, besides `triggers`.
ACTIONS: Final = frozenset((*(field for fields in NAMED_BY.values() for field in fields), ANSWERS))
# The documents that a body refers to, by resource and reference.
Found = Mapping[Resource, Mapping[str, ReadOnlyDocument]]


# One of these makes a person. A status, a flag or a default of a form says nothing about anybody.
NAMES: Final = ("given_name", "family_name", "additional_name")
ENTRIES: Final[Mapping[str, tuple[str, ...]]] = {
    "email_addresses": ("address",),
    "phone_numbers": ("number",),
    "postal_addresses": ("venue", "address_lines", "locality", "region", "postal_code"),
    "profiles": ("id", "url", "handle"),
}
NEEDED: Final = (
    "The person is empty. Send one of: given_name, family_name, additional_name, email_addresses with an address,"
    " phone_numbers with a number, postal_addresses, profiles, identifiers."
)


@dataclass(frozen=True)
class Actions:
    """The resolved action functions: ids of tags and lists, answers, follow-ups.

    `warnings` are about the values that the schema has skipped, and about tags, lists, messages, questions and answers
    that are not stored. Later steps add others, such as those about the person.
    """

    tag_ids: tuple[str, ...] = ()
    list_ids: tuple[str, ...] = ()
    answers: tuple[dict[str, Any], ...] = ()
    followups: tuple[Followup, ...] = ()
    warnings: tuple[ErrorDescription, ...] = ()

    def applied_to(self, person: dict[str, Any], *, now: dt.datetime, new_id: Callable[[], str]) -> dict[str, Any]:
        """Returns the person with the new taggings, items and answers, each with an id and dates.

        A tag or list is added once. An answer is added unless it equals the latest answer to its question.
        """
        changed = dict(person)
        for array, reference, ids in (("taggings", "tag_id", self.tag_ids), ("items", "list_id", self.list_ids)):
            present = {entry[reference] for entry in person.get(array, ())} if ids else set()
            added = [{"_id": new_id(), reference: each, **_dates(now)} for each in ids if each not in present]
            if added:
                changed[array] = [*person.get(array, ()), *added]
        for answer in self.answers:
            answers = changed.get("answers", [])
            latest = next((each for each in reversed(answers) if each["question_id"] == answer["question_id"]), None)
            if latest is None or any(latest.get(name) != answer.get(name) for name in ("responses", "value")):
                changed["answers"] = [*answers, {"_id": new_id(), **answer, "action_date": now, **_dates(now)}]
        if self.answers:
            set_further_answers(changed)
        return changed


NO_ACTIONS: Final = Actions()


def _dates(now: dt.datetime) -> dict[str, dt.datetime]:
    return {"created_date": now, "modified_date": now}


def resolve(
    body: ReadOnlyDocument,
    find: Find,
    campaign: ReadOnlyDocument | None = None,
    *,
    has_token: bool = False,
    strict: bool = False,
    every_outreach: bool = False,
) -> Actions:
    """Returns the action functions of a loaded body, with ids instead of references.

    `find` looks up resources by name, URI, identifier or id. Triggers need a campaign; without one they become a
    warning. With `every_outreach` the campaign's option of that name counts. With `strict` raises OsdiError 400 with
    each tag, list, question and message that does not exist, and each answer that its question does not accept.
    """
    posted = body.get("triggers", {})
    triggers = with_every_outreach(posted, campaign) if every_outreach and campaign is not None else posted
    if not triggers and ACTIONS.isdisjoint(body):  # as most bodies
        return Actions(warnings=_bounded(list(described(body["skipped"])))) if "skipped" in body else NO_ACTIONS
    references = _references(body, triggers, campaign, has_token=has_token)
    found = {resource: find(resource, some) for resource, some in references.items() if some}
    requested: tuple[Followup, ...] = ()
    if triggers and campaign is not None:
        person = body.get("person", {})
        asked = enabled_triggers(posted)
        made = followups(triggers, campaign, person, found.get(MESSAGE, {}), has_token=has_token)
        # The sender has not asked for the others, so one that cannot be sent is no warning.
        requested = tuple(each for each in made if each.kind in asked or each.reason is None)
    entries = body.get(ANSWERS, ())
    answers, wrong_answers = accepted_answers(entries, found.get(QUESTION, {}))
    warnings = [*_missing(body, found), *(warning for each in requested if (warning := each.warning)), *wrong_answers]
    if strict and warnings:
        raise OsdiError(400, *warnings[:MAX_DESCRIPTIONS], resource=OUTREACH.rel)
    if campaign is None and enabled_triggers(posted):
        message = "a signup has no follow-ups; send the triggers with an outreach."
        warnings.append(ErrorDescription("NO_CAMPAIGN", message, ("triggers",)))
    return Actions(
        tag_ids=_ids(body, TAG, found),
        list_ids=_ids(body, LIST, found),
        answers=answers,
        followups=requested,
        warnings=_bounded([*described(body.get("skipped", {})), *warnings]),
    )


def _bounded(warnings: Sequence[ErrorDescription]) -> tuple[ErrorDescription, ...]:
    """Returns the first MAX_WARNINGS warnings, and one that counts the others: posts must not fill the database."""
    more = len(warnings) - MAX_WARNINGS
    counted = (ErrorDescription("MORE", f"{more} more values were skipped."),) if more > 0 else ()
    return (*warnings[:MAX_WARNINGS], *counted)


def _references(
    body: ReadOnlyDocument, triggers: ReadOnlyDocument, campaign: ReadOnlyDocument | None, *, has_token: bool
) -> dict[Resource, list[str]]:
    """Returns everything that the body refers to, so that each resource is looked up once."""
    references = {resource: [each for _, each in _named(body, resource)] for resource in NAMED_BY}
    references[QUESTION] = [entry["question"] for entry in body.get(ANSWERS, ())]
    if campaign is not None:
        references[MESSAGE] = message_references(triggers, campaign, has_token=has_token)
    return references


def _named(body: ReadOnlyDocument, resource: Resource) -> Iterator[tuple[str, str]]:
    """Yields the field and the reference of everything of one resource that the body names."""
    return ((name, reference) for name in NAMED_BY[resource] for reference in body.get(name, ()))


def _missing(body: ReadOnlyDocument, found: Found) -> Iterator[ErrorDescription]:
    """Yields a warning for each tag and list that does not exist."""
    for resource in NAMED_BY:
        for name, reference in _named(body, resource):
            if reference not in found[resource]:
                message, stored = f"there is no {resource.name} '{reference}'.", f"there is no such {resource.name}."
                yield ErrorDescription(DOES_NOT_EXIST, message, (name,), stored=stored)


def _ids(body: ReadOnlyDocument, resource: Resource, found: Found) -> tuple[str, ...]:
    """Returns the ids of everything of one resource that the body names and that exists, each once."""
    known = found.get(resource, {})
    return tuple(
        dict.fromkeys(known[reference]["_id"] for _, reference in _named(body, resource) if reference in known)
    )


def without_placeholders(
    body: ReadOnlyDocument, *, strict: bool
) -> tuple[dict[str, Any], tuple[ErrorDescription, ...]]:
    """Returns the body without placeholders among the identifiers of it and its person, and a warning for each.

    With `strict` raises OsdiError 400 that names them.
    """
    person = body.get("person", {})
    ignored = [
        (path, identifier)
        for path, where in (("identifiers", body), ("person.identifiers", person))
        for identifier in where.get("identifiers", ())
        if is_placeholder(identifier)
    ]
    if not ignored:
        return dict(body), ()
    if strict:
        raise OsdiError(400, *(ErrorDescription("INVALID", not_an_id(each), (path,)) for path, each in ignored))
    kept = _without_placeholders(body)
    if "person" in body:
        kept["person"] = _without_placeholders(person)
    return kept, tuple(_ignored(path, each) for path, each in ignored)


def _ignored(path: str, identifier: str) -> ErrorDescription:
    stored = "An identifier had no id, but a word for a missing value. It was ignored."
    return ErrorDescription("PLACEHOLDER", f"{not_an_id(identifier)} It was ignored.", (path,), stored=stored)


def require_named_person(body: ReadOnlyDocument) -> None:
    """Raises OsdiError 400 if the body has no link to a person, and a person without name, contact or identifier."""
    person = body.get("person", {})
    if "person_link" in body or any(person.get(name) for name in (*NAMES, "identifiers")):
        return
    if not any(
        entry.get(name) for array, names in ENTRIES.items() for entry in person.get(array, ()) for name in names
    ):
        raise invalid(NEEDED, "person", resource=PERSON.rel)


def _without_placeholders(where: ReadOnlyDocument) -> dict[str, Any]:
    """Returns an object without its placeholders, and without `identifiers` if none is left."""
    others = [each for each in where.get("identifiers", ()) if not is_placeholder(each)]
    kept = {name: value for name, value in where.items() if name != "identifiers"}
    return {**kept, "identifiers": others} if others else kept
