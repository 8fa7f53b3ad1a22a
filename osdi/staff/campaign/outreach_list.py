"""The list of outreaches: a page of those that a filter selects, the latest first, their number, and a file of all.

An index serves campaign, days and one value. For other conditions a page reads at most MAX_READ outreaches and says
how far it has looked, so no request reads a whole campaign.
"""

import datetime as dt
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final
from zoneinfo import ZoneInfo

from osdi.access.tokens import Caller
from osdi.documents import Document, Query
from osdi.errors import invalid
from osdi.exporting.columns import cell
from osdi.exporting.csv_cells import BOM, Cell, CsvLines
from osdi.exporting.export import Part, query_of
from osdi.ids import id_before
from osdi.match_keys import MatchKeyRules
from osdi.resources import OUTREACH
from osdi.staff.campaign.outreach_filter import OutreachFilter
from osdi.staff.campaign.outreach_rows import SHOWN, OutreachRow, rows_of
from osdi.statistics.days import midnight
from osdi.statistics.tally import values_of
from osdi.store import Store
from osdi.store.scan import scan

PER_PAGE: Final = 25
BATCH: Final = 2_000
MAX_READ: Final = 10_000
# Among more outreaches than these, those that no index counts are not counted.
MAX_COUNTED: Final = 20_000
ROWS_OF_PART: Final = 100
CURSOR: Final = re.compile(r"(?P<date>\d{4}-\d\d-\d\dT[\d:.]+)?~(?P<id>[\w-]{1,64})")
# An id is given up to this time before or after the date of recording, which has whole seconds.
MARGIN: Final = dt.timedelta(minutes=1)
COLUMNS: Final = (
    "id",
    "action_date",
    "created_date",
    "advocacy_campaign_id",
    "type",
    "source",
    "referrer",
    "targets",
    "person_id",
)


@dataclass(frozen=True)
class OutreachList:
    """A page of outreaches.

    `after` is the cursor of the next page, None at the end. `unfinished` is True if the page ends where it stopped to
    look, at the time `looked` or among those without a time. `total` is None if they were not counted.
    """

    rows: tuple[OutreachRow, ...]
    after: str | None
    unfinished: bool
    looked: dt.datetime | None
    total: int | None


@dataclass(frozen=True)
class Selection:
    """The queries of a filter: `base` is served by an index, and `rest` selects among those."""

    base: Query
    rest: Query
    by_day: bool

    @classmethod
    def of(cls, chosen: OutreachFilter, zone: ZoneInfo, rules: MatchKeyRules) -> "Selection":
        """Returns the queries. Raises OsdiError 400 for a value that cannot be stored, or a filter that is too long."""
        campaign = chosen.campaign or None
        base = query_of(OUTREACH, " and ".join(chosen.by_index(zone)), rules, campaign_id=campaign)
        return cls(base, query_of(OUTREACH, " and ".join(chosen.others()), rules), bool(campaign))

    @property
    def whole(self) -> Query:
        return {"$and": [self.base, self.rest]} if self.rest else self.base

    @property
    def sort(self) -> tuple[str, ...]:
        return ("-action_date", "-_id") if self.by_day else ("-_id",)


def outreach_list(
    store: Store, caller: Caller, rules: MatchKeyRules, zone: ZoneInfo, chosen: OutreachFilter, after: str = ""
) -> OutreachList:
    """Returns the chosen outreaches behind the cursor `after`. Raises OsdiError 400 or 503."""
    selection = Selection.of(chosen, zone, rules)
    start = _bounds(chosen, zone)
    if selection.rest:
        found, last = _looked_through(store, selection, start, after)
    else:
        found = _next(store, selection, start, after, PER_PAGE + 1, SHOWN)
        last = None
    shown = found[:PER_PAGE]
    full = len(found) > PER_PAGE
    behind = shown[-1] if full else last
    return OutreachList(
        rows_of(store, caller, shown),
        _cursor(behind) if behind else None,
        last is not None and not full,
        last.get("action_date") if last else None,
        _total(store, selection),
    )


def outreach_file(
    store: Store, caller: Caller, rules: MatchKeyRules, zone: ZoneInfo, chosen: OutreachFilter
) -> Iterator[Part]:
    """Yields the lines of a CSV file with a row for each chosen outreach, in the order of their ids.

    It has ids of people, no names, and not even these for a caller who may not see people. Raises OsdiError 400, 503.
    """
    lines = CsvLines()
    columns = COLUMNS if caller.advocacy_campaign_id is None else COLUMNS[:-1]
    yield Part((BOM + lines.line(columns)).encode(), 0)
    found = scan(store, OUTREACH.collection, Selection.of(chosen, zone, rules).whole, fields=SHOWN)
    while several := list(islice(found, ROWS_OF_PART)):
        rows = (lines.line(_cells(each)[: len(columns)]) for each in several)
        yield Part("".join(rows).encode(), len(several))


def _cells(outreach: Document) -> list[Cell]:
    values = values_of(outreach)
    referrer_data = outreach.get("referrer_data") or {}
    return [
        outreach["_id"],
        cell(outreach.get("action_date")),
        cell(outreach["created_date"]),
        outreach["advocacy_campaign_id"],
        outreach.get("type"),
        referrer_data.get("source"),
        referrer_data.get("referrer"),
        [name for name in values["target"] if name],
        outreach.get("person_id"),
    ]


def _bounds(chosen: OutreachFilter, zone: ZoneInfo) -> Query:
    """Returns the bounds of the ids of outreaches that were recorded on the chosen days: ids sort by time."""
    if chosen.campaign or not (chosen.first or chosen.last):
        return {}
    within: dict[str, str] = {}
    if chosen.first:
        within["$gte"] = id_before(midnight(chosen.first, zone) - MARGIN)
    if chosen.last:
        within["$lt"] = id_before(midnight(chosen.last + dt.timedelta(days=1), zone) + MARGIN)
    return {"_id": within}


def _total(store: Store, selection: Selection) -> int | None:
    if selection.rest and store.count(OUTREACH.collection, selection.base) > MAX_COUNTED:
        return None
    return store.count(OUTREACH.collection, selection.whole)


def _looked_through(
    store: Store, selection: Selection, start: Query, after: str
) -> tuple[list[Document], Document | None]:
    """Returns up to a page of outreaches and one more, and the last one that was looked at, None at the end."""
    found: list[Document] = []
    for _ in range(0, MAX_READ, BATCH):
        batch = _next(store, selection, start, after, BATCH, ("action_date",))  # which the index has
        order = {each["_id"]: number for number, each in enumerate(batch)}
        among = {"$and": [{"_id": {"$in": list(order)}}, selection.rest]}
        fitting = store.find(OUTREACH.collection, among, fields=SHOWN)
        found += sorted(fitting, key=lambda each: order[each["_id"]])
        if len(batch) < BATCH or len(found) > PER_PAGE:
            return found, None
        after = _cursor(batch[-1])
    return found, batch[-1]


def _next(
    store: Store, selection: Selection, start: Query, after: str, limit: int, fields: tuple[str, ...]
) -> list[Document]:
    """Returns the outreaches of the base behind a cursor."""
    found: list[Document] = []
    for stage in _queries_behind(after, by_day=selection.by_day):
        query = {"$and": [each for each in (selection.base, start, stage) if each] or [{}]}
        more = store.find(OUTREACH.collection, query, sort=selection.sort, limit=limit - len(found), fields=fields)
        found += more
        if len(found) >= limit:
            break
    return found


def _queries_behind(after: str, *, by_day: bool) -> Sequence[Mapping[str, Any]]:
    """Returns the queries, one after the other, for what follows a cursor: in the order of days, then of ids."""
    if not after:
        return ({},)
    read = CURSOR.fullmatch(after)
    try:
        date = dt.datetime.fromisoformat(read["date"]) if read and read["date"] else None
    except ValueError:
        read = None
    if read is None:
        raise invalid("This address of a page is incomplete. Open the list again.", "after")
    below = {"_id": {"$lt": read["id"]}}
    if not by_day:
        return (below,)
    if date is None:
        return ({"action_date": None, **below},)
    return {"action_date": date, **below}, {"action_date": {"$lt": date}}, {"action_date": None}


def _cursor(outreach: Document) -> str:
    date = outreach.get("action_date")
    return f"{date.isoformat() if date else ''}~{outreach['_id']}"
