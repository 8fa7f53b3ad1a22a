"""Triggers: which follow-ups a helper's body asks for, and with which message (`record_outreach.md`, "triggers").

A campaign names messages for each kind of follow-up: the first that exists is its default. A token may choose any other
message by identifier. Without a token only those that the campaign names can be chosen, so nobody sends the drafts or
the mails of other campaigns to somebody.
"""

import datetime as dt
from dataclasses import dataclass
from typing import Any

from osdi.action_functions.followup_kinds import QUEUED, REACHED_BY, SKIPPED, TRIGGERS, fits, primary
from osdi.documents import Find, ReadOnlyDocument
from osdi.resources import MESSAGE


@dataclass(frozen=True)
class Followup:
    """A follow-up to do: its kind, the identifiers that were asked for, the message chosen, whom to reach.

    Without `reason` it is to be queued, with one it can never be done.
    """

    kind: str
    identifiers: tuple[str, ...] = ()
    message_id: str | None = None
    to: str | None = None
    by_token: bool = False
    reason: str | None = None

    def entry(self, followup_id: str, timestamp: dt.datetime) -> dict[str, Any]:
        """The outreach's entry for it: `{_id, kind, identifiers, state, by_token, queued_date, attempts, ...}`."""
        said = {"message_id": self.message_id, "to": self.to, "reason": self.reason}
        return {
            "_id": followup_id,
            "kind": self.kind,
            "identifiers": list(self.identifiers),
            "by_token": self.by_token,
            "state": SKIPPED if self.reason else QUEUED,
            **({} if self.reason else {"not_before": timestamp}),
            "queued_date": timestamp,
            "attempts": 0,
            **{name: value for name, value in said.items() if value is not None},
        }


def followups(
    triggers: ReadOnlyDocument,
    campaign: ReadOnlyDocument,
    person: ReadOnlyDocument,
    find: Find,
    *,
    has_token: bool,
    warnings: list[str],
) -> tuple[Followup, ...]:
    """What `triggers` asks for on this campaign for this posted person; adds to `warnings` what cannot be done."""
    asked = ((kind, triggers[kind]) for kind in TRIGGERS if triggers.get(kind, {}).get("enabled"))
    return tuple(_followup(kind, trigger, campaign, person, find, has_token, warnings) for kind, trigger in asked)


def _followup(
    kind: str,
    trigger: ReadOnlyDocument,
    campaign: ReadOnlyDocument,
    person: ReadOnlyDocument,
    find: Find,
    has_token: bool,
    warnings: list[str],
) -> Followup:
    identifiers = tuple(trigger.get("identifiers", ()))
    named = tuple(campaign.get("triggers", {}).get(kind, {}).get("identifiers", ()))
    # Compared as they are written: a stranger's identifiers are not looked up at all.
    choice = [each for each in identifiers if has_token or each in named] if identifiers else named
    found = find(MESSAGE, choice) if choice else {}
    message = next((found[each] for each in choice if each in found and fits(kind, found[each])), None)
    array, value = REACHED_BY[kind]
    to = primary(person.get(array, ()), value)
    reason = None
    if message is None:
        reason = "no_message"
        told = "of these identifiers that fits" if identifiers else "of the campaign"
        warnings.append(f"triggers.{kind}: there is no message {told}.")
    elif to is None and not has_token:
        reason = "no_address"
    return Followup(kind, identifiers, message["_id"] if message else None, to, has_token, reason)
