"""Checks answers against their question, and counts those of a person who has several to one question."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Final

from osdi.documents import ReadOnlyDocument
from osdi.errors import ErrorDescription, OsdiError
from osdi.resources import ANSWER, QUESTION

# A person's field: by the id of each question with several answers, their number without the first.
FURTHER_ANSWERS: Final = "further_answers"


def set_further_answers(person: dict[str, Any]) -> None:
    """Sets the numbers of a person's further answers, by which an index counts all answers to a question."""
    answers = Counter(answer["question_id"] for answer in person.get(ANSWER.collection, ()))
    person.pop(FURTHER_ANSWERS, None)
    if further := {question_id: number - 1 for question_id, number in answers.items() if number > 1}:
        person[FURTHER_ANSWERS] = further


def accepted_answers(
    entries: Sequence[ReadOnlyDocument], questions: Mapping[str, ReadOnlyDocument]
) -> tuple[tuple[dict[str, Any], ...], list[ErrorDescription]]:
    """Returns the answers of a helper's body, and the reason for each entry that its question does not accept.

    There is one answer to each question; of two to the same question the later one. `questions` are the questions of
    the entries, by reference.
    """
    answers: dict[str, dict[str, Any]] = {}
    errors: list[ErrorDescription] = []
    for index, entry in enumerate(entries):
        path = f"add_questions_responses_uri[{index}]"
        question = questions.get(entry["question"])
        if question is None:
            message, stored = f"There is no question '{entry['question']}'.", "There is no such question."
            errors.append(ErrorDescription("QUESTION_DOES_NOT_EXIST", message, (f"{path}.question",), stored=stored))
        elif reason := _mismatch(question, entry, path):
            errors.append(reason)
        elif question["question_type"] == "Paragraph":
            answers[question["_id"]] = {"question_id": question["_id"], "value": entry["value"]}
        else:
            answers[question["_id"]] = {"question_id": question["_id"], "responses": list(entry["responses"])}
    return tuple(answers.values()), errors


def answer_error(question: ReadOnlyDocument, answer: ReadOnlyDocument) -> OsdiError | None:
    """Returns an OsdiError 400 with the reason why the question does not accept the answer, or None."""
    reason = _mismatch(question, {name: answer[name] for name in ("value", "responses") if name in answer}, "")
    return OsdiError(400, reason, resource=QUESTION.rel) if reason else None


def _mismatch(question: ReadOnlyDocument, entry: ReadOnlyDocument, path: str) -> ErrorDescription | None:
    """Returns the reason why the question does not accept the entry, or None."""
    if "value" not in entry and not entry.get("responses"):
        name = "value" if question["question_type"] == "Paragraph" else "responses"
        return ErrorDescription("ANSWER_DOES_NOT_FIT", "The answer is blank.", (f"{path}.{name}".lstrip("."),))
    if question["question_type"] == "Paragraph":
        if "value" in entry and "responses" not in entry:
            return None
        message = "A question of type Paragraph needs a value and no responses."
        return ErrorDescription("ANSWER_DOES_NOT_FIT", message, (f"{path}.value".lstrip("."),))
    responses = entry.get("responses", ())
    keys = [response["key"] for response in question["responses"]]
    if "value" in entry or not responses:
        message = f"A question of type {question['question_type']} needs responses and no value."
        return ErrorDescription("ANSWER_DOES_NOT_FIT", message, (f"{path}.responses".lstrip("."),))
    if question["question_type"] == "SingleChoice" and len(responses) != 1:
        message = "A question of type SingleChoice needs exactly one response."
        return ErrorDescription("ANSWER_DOES_NOT_FIT", message, (f"{path}.responses".lstrip("."),))
    unknown = [response for response in responses if response not in keys]
    if unknown:
        message = f"The question has no response '{unknown[0]}'."
        hint = f"One of: {', '.join(keys)}"[:500]
        stored = "The question has no such response."
        place = (f"{path}.responses".lstrip("."),)
        return ErrorDescription("RESPONSE_DOES_NOT_EXIST", message, place, hint, stored)
    return None
