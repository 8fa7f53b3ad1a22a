"""The outcome of calls and visits, as the supporter states it in a form. Pure."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from osdi.campaign_pages.targets import InvalidChoice, Target, Values, target_name

REACHED, VOICEMAIL, NO_ANSWER, DONE, NOT_MADE = "reached", "voicemail", "no_answer", "done", "not_made"
OF_CALL: Final = (REACHED, VOICEMAIL, NO_ANSWER, NOT_MADE)
OF_ANY: Final = (DONE, NOT_MADE)
# The words in `notes`, which staff read.
WORDS: Final[Mapping[str, str]] = {
    REACHED: "reached",
    VOICEMAIL: "left a voicemail",
    NO_ANSWER: "no answer",
    DONE: "done",
    NOT_MADE: "not made",
}
OUTCOME, MINUTES = "outcome", "minutes"
MAX_MINUTES: Final = 600
# Whole minutes, and a part that is not 0.
NUMBER: Final = re.compile(r"([0-9]{1,3})(?:[.,]0*([1-9][0-9]*)?)?")
# The reasons why an outcome is invalid.
NO_OUTCOME, UNKNOWN_OUTCOME, NO_MINUTES = "no_outcome", "unknown_outcome", "no_minutes"


@dataclass(frozen=True)
class Outcome:
    """The outcome as fields of an outreach: a line for each target, and the length of all calls in seconds."""

    notes: str
    duration: int | None = None


def outcome_of(values: Values, targets: Sequence[Target], allowed: Sequence[str]) -> Outcome:
    """Returns the outcome that a form states: `outcome.0`, `minutes.0` for the first target, and so on.

    `allowed` are OF_CALL or OF_ANY. An outreach without targets has one outcome. A target without one is left out.
    Raises InvalidChoice.
    """
    lines, seconds = [], []
    for position, name in enumerate([target_name(each) for each in targets] or [""]):
        control = f"{OUTCOME}.{position}"
        stated = _first(values, control)
        if not stated:
            continue
        if stated not in allowed:
            raise InvalidChoice(control, UNKNOWN_OUTCOME)
        minutes = _minutes(values, f"{MINUTES}.{position}")
        if minutes is not None:
            seconds.append(minutes * 60)
        words = WORDS[stated] + (f", {minutes} min" if minutes is not None else "")
        lines.append(f"{name}: {words}" if name else words)
    if not lines:
        raise InvalidChoice(f"{OUTCOME}.0", NO_OUTCOME)
    return Outcome("\n".join(lines), sum(seconds) if seconds else None)


def fields_of(outcome: Outcome) -> dict[str, Any]:
    """Returns the fields of an outreach that an outcome sets."""
    return {"notes": outcome.notes, **({} if outcome.duration is None else {"duration": outcome.duration})}


def _minutes(values: Values, control: str) -> int | None:
    """Returns the minutes that have begun: 3 for `2.5`. Raises InvalidChoice."""
    text = _first(values, control)
    if not text:
        return None
    found = NUMBER.fullmatch(text)
    minutes = int(found[1]) + bool(found[2]) if found else MAX_MINUTES + 1
    if minutes > MAX_MINUTES:
        raise InvalidChoice(control, NO_MINUTES)
    return minutes


def _first(values: Values, control: str) -> str:
    return next((value.strip() for value in values.getlist(control)), "")
