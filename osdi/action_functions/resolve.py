"""Resolves the Helper Action Functions of a helper's body (`helper_action_functions.md`).

Names, URIs and identifiers of tags, lists, questions and messages are resolved before anything is written. A tag or
list that does not exist becomes a warning, and the outreach is recorded. An answer that its question does not accept
rejects the whole request, since a wrong answer in the data is worse than a second request.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from osdi.action_functions.answers import accepted_answers
from osdi.action_functions.triggers import Followup, enabled_triggers, followups, message_references
from osdi.documents import Find, ReadOnlyDocument
from osdi.errors import ErrorDescription, OsdiError
from osdi.resources import LIST, MESSAGE, QUESTION, TAG, Resource

# The fields of a body that name tags and lists.
NAMED_BY: Final[Mapping[Resource, tuple[str, ...]]] = {
    TAG: ("add_tags", "add_tags_uri"),
    LIST: ("add_lists", "add_lists_uri"),
}

# The documents that a body refers to, by resource and reference.
Found = Mapping[Resource, Mapping[str, ReadOnlyDocument]]


@dataclass(frozen=True)
class Actions:
    """The resolved action functions: ids of tags and lists, answers, follow-ups, and warnings about missing ones."""

    tag_ids: tuple[str, ...] = ()
    list_ids: tuple[str, ...] = ()
    answers: tuple[dict[str, Any], ...] = ()
    followups: tuple[Followup, ...] = ()
    warnings: tuple[str, ...] = ()


def resolve(
    body: ReadOnlyDocument,
    find: Find,
    campaign: ReadOnlyDocument | None = None,
    *,
    has_token: bool = False,
    strict: bool = False,
) -> Actions:
    """Returns the action functions of a loaded body, with ids instead of references.

    `find` looks up resources by name, URI, identifier or id. Triggers need a campaign; without one they become a
    warning. Raises OsdiError 400 with each answer that its question does not accept; with `strict` also with each
    tag, list and message that does not exist.
    """
    triggers = body.get("triggers", {})
    references = _references(body, campaign, has_token=has_token)
    found = {resource: find(resource, some) for resource, some in references.items() if some}
    requested: tuple[Followup, ...] = ()
    if triggers and campaign is not None:
        person = body.get("person", {})
        requested = followups(triggers, campaign, person, found.get(MESSAGE, {}), has_token=has_token)
    answers = body.get("add_questions_responses_uri", ())
    warnings = [*_missing(body, found), *(warning for each in requested if (warning := each.warning))]
    if strict and warnings:
        parts = (warning.partition(": ") for warning in warnings)
        raise OsdiError(400, *(ErrorDescription("DOES_NOT_EXIST", text, (name,)) for name, _, text in parts))
    if campaign is None and enabled_triggers(triggers):
        warnings.append("triggers: a signup has no follow-ups; send the triggers with an outreach.")
    return Actions(
        tag_ids=_ids(body, TAG, found),
        list_ids=_ids(body, LIST, found),
        answers=accepted_answers(answers, found.get(QUESTION, {})),
        followups=requested,
        warnings=tuple(warnings),
    )


def _references(
    body: ReadOnlyDocument, campaign: ReadOnlyDocument | None, *, has_token: bool
) -> dict[Resource, list[str]]:
    """Returns everything that the body refers to, so that each resource is looked up once."""
    references = {resource: [each for _, each in _named(body, resource)] for resource in NAMED_BY}
    references[QUESTION] = [entry["question"] for entry in body.get("add_questions_responses_uri", ())]
    if campaign is not None:
        references[MESSAGE] = message_references(body.get("triggers", {}), campaign, has_token=has_token)
    return references


def _named(body: ReadOnlyDocument, resource: Resource) -> Iterator[tuple[str, str]]:
    """Yields the field and the reference of everything of one resource that the body names."""
    return ((name, reference) for name in NAMED_BY[resource] for reference in body.get(name, ()))


def _missing(body: ReadOnlyDocument, found: Found) -> Iterator[str]:
    """Yields a warning for each tag and list that does not exist."""
    for resource in NAMED_BY:
        for name, reference in _named(body, resource):
            if reference not in found[resource]:
                yield f"{name}: there is no {resource.name} '{reference}'."


def _ids(body: ReadOnlyDocument, resource: Resource, found: Found) -> tuple[str, ...]:
    """Returns the ids of everything of one resource that the body names and that exists, each once."""
    known = found.get(resource, {})
    return tuple(
        dict.fromkeys(known[reference]["_id"] for _, reference in _named(body, resource) if reference in known)
    )
