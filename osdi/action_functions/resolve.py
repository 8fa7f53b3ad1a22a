"""Resolves the Helper Action Functions of a helper's body (`helper_action_functions.md`).

Names, URIs and identifiers of tags, lists, questions and messages are resolved before anything is written. One that
does not exist, and an answer that its question does not accept, becomes a warning, and the outreach is recorded
(docs/decisions/0032). With strict handling it rejects the request.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from osdi.action_functions.answers import accepted_answers
from osdi.action_functions.triggers import (
    Followup,
    enabled_triggers,
    followups,
    message_references,
    with_every_outreach,
)
from osdi.documents import Find, ReadOnlyDocument
from osdi.errors import DOES_NOT_EXIST, MOST_DESCRIPTIONS, ErrorDescription, OsdiError, described
from osdi.resources import LIST, MESSAGE, OUTREACH, QUESTION, TAG, Resource

MOST_WARNINGS: Final = 100
# The fields of a body that name tags and lists.
NAMED_BY: Final[Mapping[Resource, tuple[str, ...]]] = {
    TAG: ("add_tags", "add_tags_uri"),
    LIST: ("add_lists", "add_lists_uri"),
}

# The documents that a body refers to, by resource and reference.
Found = Mapping[Resource, Mapping[str, ReadOnlyDocument]]


@dataclass(frozen=True)
class Actions:
    """The resolved action functions: ids of tags and lists, answers, follow-ups.

    `warnings` are about everything of the body that is not stored, the values that its schema has skipped included.
    """

    tag_ids: tuple[str, ...] = ()
    list_ids: tuple[str, ...] = ()
    answers: tuple[dict[str, Any], ...] = ()
    followups: tuple[Followup, ...] = ()
    warnings: tuple[ErrorDescription, ...] = ()


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
    references = _references(body, triggers, campaign, has_token=has_token)
    found = {resource: find(resource, some) for resource, some in references.items() if some}
    requested: tuple[Followup, ...] = ()
    if triggers and campaign is not None:
        person = body.get("person", {})
        asked = enabled_triggers(posted)
        made = followups(triggers, campaign, person, found.get(MESSAGE, {}), has_token=has_token)
        # The sender has not asked for the others, so one that cannot be sent is no warning.
        requested = tuple(each for each in made if each.kind in asked or each.reason is None)
    entries = body.get("add_questions_responses_uri", ())
    answers, wrong_answers = accepted_answers(entries, found.get(QUESTION, {}))
    warnings = [*_missing(body, found), *(warning for each in requested if (warning := each.warning)), *wrong_answers]
    if strict and warnings:
        raise OsdiError(400, *warnings[:MOST_DESCRIPTIONS], resource=OUTREACH.rel)
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
    """Returns the first MOST_WARNINGS warnings, and one that counts the others: posts must not fill the database."""
    more = len(warnings) - MOST_WARNINGS
    counted = (ErrorDescription("MORE", f"{more} more values were skipped."),) if more > 0 else ()
    return (*warnings[:MOST_WARNINGS], *counted)


def _references(
    body: ReadOnlyDocument, triggers: ReadOnlyDocument, campaign: ReadOnlyDocument | None, *, has_token: bool
) -> dict[Resource, list[str]]:
    """Returns everything that the body refers to, so that each resource is looked up once."""
    references = {resource: [each for _, each in _named(body, resource)] for resource in NAMED_BY}
    references[QUESTION] = [entry["question"] for entry in body.get("add_questions_responses_uri", ())]
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
