"""The audit log as the settings pages list it, with the names of the members who acted."""

import datetime as dt
from dataclasses import dataclass
from typing import Final

from osdi.documents import Query
from osdi.staff.members import all_members
from osdi.store import Store
from osdi.store.indexes import STAFF, STAFF_EVENTS

PER_PAGE: Final = 50
# The choice of the filter for events without a member: an operator acted, by a command.
OPERATOR: Final = "operator"


@dataclass(frozen=True)
class EventFilter:
    """The events to list: those of a member or of OPERATOR, and with an action. Empty means any.

    An action is as it is stored, `add_staff`, or as the page shows it, `add staff`.
    """

    staff_id: str = ""
    action: str = ""

    def query(self) -> Query:
        """Returns the query for these events."""
        acted = {"$exists": False} if self.staff_id == OPERATOR else self.staff_id
        parts = {"staff_id": acted, "action": self.action.strip().replace(" ", "_")}
        return {name: value for name, value in parts.items() if value}


@dataclass(frozen=True)
class EventRow:
    """An event: `name` is that of the member, None for an operator, and the id for a member who was removed."""

    at: dt.datetime
    action: str
    ids: tuple[str, ...]
    name: str | None


@dataclass(frozen=True)
class EventList:
    """A page of events, the newest first; `before` is the id from which the next page goes on, None for the last."""

    rows: tuple[EventRow, ...]
    before: str | None


def event_list(store: Store, chosen: EventFilter, before: str = "") -> EventList:
    """Returns the PER_PAGE latest of the chosen events, or of those before the event `before`. Raises OsdiError 503."""
    query = {**chosen.query(), **({"_id": {"$lt": before}} if before else {})}
    more = store.find(STAFF_EVENTS, query, sort=("-_id",), limit=PER_PAGE + 1)
    found = more[:PER_PAGE]
    acted = sorted({each["staff_id"] for each in found if "staff_id" in each})
    names = {member["_id"]: member["name"] for member in store.by_ids(STAFF, acted)}
    rows = (
        EventRow(
            at=each["at"],
            action=each["action"],
            ids=tuple(each["ids"]),
            name=names.get(each["staff_id"], each["staff_id"]) if "staff_id" in each else None,
        )
        for each in found
    )
    return EventList(tuple(rows), found[-1]["_id"] if len(more) > PER_PAGE else None)


def member_choices(store: Store) -> list[tuple[str, str]]:
    """Returns the id and the name of each member, for a filter."""
    return [(member["_id"], member["name"]) for member in all_members(store)]
