"""Applies resolved action functions to a person's document: taggings, items and answers."""

import datetime as dt
from collections.abc import Callable
from typing import Any

from osdi.action_functions.resolve import Actions


def apply_to_person(
    person: dict[str, Any], actions: Actions, *, now: dt.datetime, new_id: Callable[[], str]
) -> dict[str, Any]:
    """Returns the person with the new taggings, items and answers, each with an id and dates.

    A tag or list is added once. An answer is added unless it equals the latest answer to its question.
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
