"""The Helper Action Functions: what a helper's body asks for besides the person (`helper_action_functions.md`).

Names, URIs and identifiers of tags, lists and questions are resolved before anything is written. Tags and lists that
do not exist are told as warnings and the outreach is kept; an answer that its question does not accept refuses the
whole request, since keeping a wrong answer would be worse than asking again.
"""

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from osdi.documents import Find, ReadOnlyDocument
from osdi.errors import ErrorDescription, OsdiError
from osdi.resources import LIST, OUTREACH, QUESTION, TAG, Resource
from osdi.triggers import TRIGGERS, Followup, followups


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


def id_from(reference: str, resource: Resource) -> str | None:
    """The id that a URI of this kind of resource ends with, or None: `https://host/api/v1/tags/{id}`.

    The host is not compared: one deployment answers under several names.
    """
    # Not urlsplit: it refuses some strings, and what is no address simply refers to nothing.
    path = reference.partition("#")[0].partition("?")[0]
    segments = path.rstrip("/").rsplit("/", 2)
    return segments[-1] if len(segments) == 3 and segments[-2] == resource.collection else None


def apply_to_person(
    person: dict[str, Any], actions: Actions, *, now: dt.datetime, new_id: Callable[[], str]
) -> dict[str, Any]:
    """The person with the taggings, items and answers that are not there yet; each is given an id and dates.

    A tag or list is added once. An answer is added unless the latest one to its question says the same.
    """
    changed = dict(person)
    for array, reference, ids in (("taggings", "tag_id", actions.tag_ids), ("items", "list_id", actions.list_ids)):
        present = {entry[reference] for entry in person.get(array, ())}
        added = [{"_id": new_id(), reference: each, **_dates(now)} for each in ids if each not in present]
        if added:
            changed[array] = [*person.get(array, ()), *added]
    for answer in actions.answers:
        answers = changed.get("answers", [])
        latest = next((each for each in reversed(answers) if each["question_id"] == answer["question_id"]), None)
        if latest is None or any(latest.get(name) != answer.get(name) for name in ("responses", "value")):
            changed["answers"] = [*answers, {"_id": new_id(), **answer, "action_date": now, **_dates(now)}]
    return changed


def _dates(now: dt.datetime) -> dict[str, dt.datetime]:
    return {"created_date": now, "modified_date": now}


def _existing(
    resource: Resource, body: ReadOnlyDocument, names: Sequence[str], find: Find, warnings: list[str]
) -> tuple[str, ...]:
    """The ids behind all references of one kind, each once; what does not exist becomes a warning."""
    asked = [(name, reference) for name in names for reference in body.get(name, ())]
    found = find(resource, [reference for _, reference in asked]) if asked else {}
    missing = ((name, reference) for name, reference in asked if reference not in found)
    warnings.extend(f"{name}: there is no {resource.name} '{reference}'." for name, reference in missing)
    return tuple(dict.fromkeys(found[reference]["_id"] for _, reference in asked if reference in found))


def _answers(asked: Sequence[ReadOnlyDocument], find: Find) -> tuple[dict[str, Any], ...]:
    """The answers, one to each question; of two to the same the later one counts."""
    answers: dict[str, dict[str, Any]] = {}
    wrong: list[ErrorDescription] = []
    found = find(QUESTION, [entry["question"] for entry in asked]) if asked else {}
    for index, entry in enumerate(asked):
        path = f"add_questions_responses_uri[{index}]"
        question = found.get(entry["question"])
        if question is None:
            message = f"There is no question '{entry['question']}'."
            wrong.append(ErrorDescription("QUESTION_DOES_NOT_EXIST", message, (f"{path}.question",)))
            continue
        reason = _refusal(question, entry, path)
        if reason:
            wrong.append(reason)
        elif question["question_type"] == "Paragraph":
            answers[question["_id"]] = {"question_id": question["_id"], "value": entry["value"]}
        else:
            answers[question["_id"]] = {"question_id": question["_id"], "responses": list(entry["responses"])}
    if wrong:
        raise OsdiError(400, *wrong, resource=OUTREACH.rel)
    return tuple(answers.values())


def answer_refusal(question: ReadOnlyDocument, answer: ReadOnlyDocument) -> OsdiError | None:
    """400 that says why the question does not accept the answer, or None."""
    reason = _refusal(question, {name: answer[name] for name in ("value", "responses") if name in answer}, "")
    return OsdiError(400, reason, resource=QUESTION.rel) if reason else None


def _refusal(question: ReadOnlyDocument, entry: ReadOnlyDocument, path: str) -> ErrorDescription | None:
    """Why the question does not accept the entry, or None."""
    if question["question_type"] == "Paragraph":
        if "value" in entry and "responses" not in entry:
            return None
        message = "A question of type Paragraph is answered with a value, without responses."
        return ErrorDescription("ANSWER_DOES_NOT_FIT", message, (f"{path}.value".lstrip("."),))
    responses = entry.get("responses", ())
    keys = [response["key"] for response in question["responses"]]
    if "value" in entry or not responses:
        message = f"A question of type {question['question_type']} is answered with responses, without a value."
        return ErrorDescription("ANSWER_DOES_NOT_FIT", message, (f"{path}.responses".lstrip("."),))
    if question["question_type"] == "SingleChoice" and len(responses) != 1:
        message = "A question of type SingleChoice is answered with one response."
        return ErrorDescription("ANSWER_DOES_NOT_FIT", message, (f"{path}.responses".lstrip("."),))
    unknown = [response for response in responses if response not in keys]
    if unknown:
        message = f"The question has no response '{unknown[0]}'."
        hint = f"One of: {', '.join(keys)}"[:500]
        return ErrorDescription("RESPONSE_DOES_NOT_EXIST", message, (f"{path}.responses".lstrip("."),), hint)
    return None
