"""The Helper Action Functions: what a helper's body asks for besides the person (`helper_action_functions.md`).

Names, URIs and identifiers of tags, lists and questions are resolved before anything is written. Tags and lists that
do not exist are told as warnings and the outreach is kept; an answer that its question does not accept refuses the
whole request, since keeping a wrong answer would be worse than asking again.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from osdi.action_functions.answers import _answers
from osdi.action_functions.followup_kinds import TRIGGERS
from osdi.action_functions.triggers import Followup, followups
from osdi.documents import Find, ReadOnlyDocument
from osdi.errors import ErrorDescription, OsdiError
from osdi.resources import LIST, TAG, Resource


@dataclass(frozen=True)
class Actions:
    """What is to be done: ids of tags and lists, answers, follow-ups, and warnings about what does not exist."""

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
    """Resolve the action functions of a loaded body; `find` looks up resources by name, URI, identifier or id.

    Triggers are done with an outreach on a campaign; where there is none they become a warning. Raises OsdiError 400
    that names each answer that its question does not accept; with `strict` also each tag, list and message that does
    not exist.
    """
    warnings: list[str] = []
    tag_ids = _existing(TAG, body, ("add_tags", "add_tags_uri"), find, warnings)
    list_ids = _existing(LIST, body, ("add_lists", "add_lists_uri"), find, warnings)
    triggers = body.get("triggers", {})
    todo: tuple[Followup, ...] = ()
    if triggers and campaign is not None:
        person = body.get("person", {})
        todo = followups(triggers, campaign, person, find, has_token=has_token, warnings=warnings)
    if strict and warnings:
        parted = (warning.partition(": ") for warning in warnings)
        raise OsdiError(400, *(ErrorDescription("DOES_NOT_EXIST", text, (name,)) for name, _, text in parted))
    if campaign is None and any(triggers.get(kind, {}).get("enabled") for kind in TRIGGERS):
        warnings.append("triggers: they are done with an outreach, not with a signup.")
    return Actions(
        tag_ids=tag_ids,
        list_ids=list_ids,
        answers=_answers(body.get("add_questions_responses_uri", ()), find),
        followups=todo,
        warnings=tuple(warnings),
    )


def _existing(
    resource: Resource, body: ReadOnlyDocument, names: Sequence[str], find: Find, warnings: list[str]
) -> tuple[str, ...]:
    """The ids behind all references of one kind, each once; what does not exist becomes a warning."""
    asked = [(name, reference) for name in names for reference in body.get(name, ())]
    found = find(resource, [reference for _, reference in asked]) if asked else {}
    missing = ((name, reference) for name, reference in asked if reference not in found)
    warnings.extend(f"{name}: there is no {resource.name} '{reference}'." for name, reference in missing)
    return tuple(dict.fromkeys(found[reference]["_id"] for _, reference in asked if reference in found))
