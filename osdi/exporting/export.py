"""Data out: every document that a filter selects, as CSV or as NDJSON of what the API answers, part by part.

The process: documents are read in the order of their ids, some at a time; what they point at (people, campaigns, tags)
is looked up for those; the part is given away and forgotten. So memory does not grow with what is exported.

CSV has a column for each custom field, which only all people together tell. They are therefore read twice: first no
more than their custom fields, to learn the names.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import Any, Final, TypeVar

import orjson
from cachetools import LRUCache

from osdi.crud.subresources import ANSWERS, ITEMS, TAGGINGS, Embedded, entry_of
from osdi.crud.totals import with_total
from osdi.documents import Document, Query
from osdi.errors import invalid
from osdi.exporting.csv_cells import BOM, Cell, CsvLines
from osdi.exporting.rows import (
    CUSTOM,
    CUSTOM_COLUMNS,
    NameOf,
    has_column,
    other_columns,
    other_row,
    outreach_columns,
    outreach_rows,
    person_columns,
    person_row,
)
from osdi.hal import Hal
from osdi.match_keys import MatchKeyRules
from osdi.odata.osdi_fields import FILTER_FIELDS
from osdi.odata.query import to_query
from osdi.resources import ADVOCACY_CAMPAIGN, ENTRIES, LIST, OUTREACH, PERSON, REFERENCES, RESOURCES, TAG, Resource
from osdi.retry import retry_while_unavailable
from osdi.store import Store
from osdi.store.scan import scan

# By the name that the command takes.
EXPORTED: Final[Mapping[str, Resource]] = {
    "campaigns" if resource is ADVOCACY_CAMPAIGN else resource.collection: resource for resource in RESOURCES
}
EMBEDDED: Final[Mapping[Resource, Embedded]] = {kind.resource: kind for kind in (TAGGINGS, ITEMS, ANSWERS)}

Answer = TypeVar("Answer")

# Documents that are looked up together, and bytes that are given away at a time: an outreach with a long message may
# have a hundred rows, and a client on a slow line has seconds for each part (see osdi/operations/gunicorn_worker.py).
PART: Final = 100
PART_BYTES: Final = 64_000

# Names that are told apart while it is learned which of them most people have.
CUSTOM_NAMES: Final = 10_000
NAMES_KEPT: Final = 10_000


@dataclass(frozen=True)
class Part:
    """Some lines of a file, in UTF-8, and how many documents end with them."""

    text: bytes
    documents: int


@dataclass(frozen=True)
class ExportQuery:
    """What is exported: the documents of a resource that a query selects. `patience` is that of `scan`."""

    store: Store
    resource: Resource
    query: Query
    patience: float = 0

    @property
    def collection(self) -> str:
        """The collection that is read; entries lie in people."""
        return PERSON.collection if self.resource in ENTRIES else self.resource.collection

    @property
    def selected(self) -> Query:
        """The query on that collection."""
        return {f"{self.resource.collection}._id": {"$exists": True}} if self.resource in ENTRIES else self.query

    def parts(self) -> Iterator[list[Document]]:
        """The documents in the order of their ids, some at a time. Raises OsdiError 503."""
        documents = scan(self.store, self.collection, self.selected, patience=self.patience)
        while part := list(islice(documents, PART)):
            yield part

    def ask(self, question: Callable[[], Answer]) -> Answer:
        """What the store answers, with the same patience. Raises OsdiError 503."""
        return retry_while_unavailable(question, self.patience)

    def resources(self, part: Sequence[Document]) -> list[Document]:
        """What of the part is exported: the documents themselves with what is counted of them, or the entries in them.

        Raises OsdiError 503.
        """
        kind = EMBEDDED.get(self.resource)
        if kind is not None:
            return [entry_of(kind, person, entry) for person in part for entry in person[kind.array]]
        return [self.ask(partial(with_total, self.store, self.resource, each)) for each in part]


def query_of(
    resource: Resource, text: str | None, rules: MatchKeyRules, *, campaign_id: str | None = None
) -> dict[str, Any]:
    """The query of a filter's text, within one campaign where one is named. Raises OsdiError 400."""
    if text and resource not in FILTER_FIELDS:
        raise invalid(f"A collection of {resource.collection} cannot be filtered.", "filter")
    within = [{"advocacy_campaign_id": campaign_id}] if campaign_id is not None else []
    wanted = to_query(text, FILTER_FIELDS[resource], rules) if text else {}
    conditions = [*within, *([wanted] if wanted else [])]
    return {"$and": conditions} if len(conditions) > 1 else dict(conditions[0]) if conditions else {}


def ndjson(wanted: ExportQuery, hal: Hal) -> Iterator[Part]:
    """A line for each resource, as the API represents it. Raises OsdiError 503.

    People say by name how they are tagged and listed, as a helper's body does: their links to that hold here only.
    """
    names = Names(wanted)
    for part in wanted.parts():
        if wanted.resource is PERSON:
            names.look_up_actions(part)
        lines = (
            orjson.dumps(
                {
                    **hal.represent(wanted.resource, each),
                    **(names.actions(each) if wanted.resource is PERSON else {}),
                },
                option=orjson.OPT_NAIVE_UTC | orjson.OPT_UTC_Z | orjson.OPT_APPEND_NEWLINE,
            )
            for each in wanted.resources(part)
        )
        yield from _parts_of(lines, len(part))


def csv(wanted: ExportQuery, *, plain: bool = False, bom: bool = False, with_tags: bool = True) -> Iterator[Part]:
    """The header line, then a line for each resource, or for each target of an outreach. Raises OsdiError 503.

    `plain` leaves cells as they are that a spreadsheet would run; `bom` tells Excel that it is UTF-8; without
    `with_tags` an outreach does not say how its person is tagged.
    """
    lines, names = CsvLines(plain=plain), Names(wanted)
    if wanted.resource is PERSON:
        custom = dict.fromkeys(custom_names(wanted))
        header = person_columns(list(custom))
    elif wanted.resource is OUTREACH:
        header = outreach_columns(with_tags=with_tags)
    else:
        header = other_columns(wanted.resource)
    yield Part(((BOM if bom else "") + lines.line(header)).encode(), 0)
    for part in wanted.parts():
        if wanted.resource is PERSON:
            names.look_up_actions(part)
            rows: Iterator[list[Cell]] = (person_row(person, custom, names.of) for person in part)
        elif wanted.resource is OUTREACH:
            rows = _outreach_rows(wanted, part, names, with_tags)
        else:
            rows = _other_rows(wanted.resource, wanted.resources(part), names)
        yield from _parts_of((lines.line(row).encode() for row in rows), len(part))


def _parts_of(lines: Iterable[bytes], documents: int) -> Iterator[Part]:
    """The lines of so many documents as parts of a moderate size; the documents are counted with the last one."""
    some: list[bytes] = []
    size = 0
    for line in lines:
        if size + len(line) > PART_BYTES and some:
            yield Part(b"".join(some), 0)
            some, size = [], 0
        some.append(line)
        size += len(line)
    yield Part(b"".join(some), documents)


def custom_names(wanted: ExportQuery) -> list[str]:
    """The names of the custom fields that get a column: those that most of the people have, sorted."""
    having = {CUSTOM: {"$exists": True}}
    query = {"$and": [wanted.query, having]} if wanted.query else having
    found: Counter[str] = Counter()
    for person in scan(wanted.store, PERSON.collection, query, fields=(CUSTOM,), patience=wanted.patience):
        # Strangers may make up names without end: those that come late are not told apart any more.
        names = filter(has_column, person[CUSTOM])
        found.update(name for name in names if name in found or len(found) < CUSTOM_NAMES)
    most = sorted(found, key=lambda name: (-found[name], name))
    return sorted(most[:CUSTOM_COLUMNS])


class Names:
    """The names of what documents point at, looked up for some documents at a time and remembered for a while."""

    def __init__(self, wanted: ExportQuery) -> None:
        self._wanted = wanted
        self._known: LRUCache[str, str] = LRUCache(NAMES_KEPT)

    def look_up(self, resource: Resource, ids: Iterator[str]) -> None:
        """Know the names of these before the rows are made. Raises OsdiError 503."""
        # A name that is got is forgotten last: those of this part stay.
        unknown = sorted({each for each in ids if self._known.get(each) is None})
        if unknown:
            found = self._wanted.ask(lambda: self._wanted.store.by_ids(resource.collection, unknown))
            self._known.update((document["_id"], _title_of(document)) for document in found)

    def look_up_actions(self, people: Sequence[Document]) -> None:
        """Know the names of the tags and lists of these people."""
        self.look_up(TAG, (each["tag_id"] for person in people for each in person.get("taggings", ())))
        self.look_up(LIST, (each["list_id"] for person in people for each in person.get("items", ())))

    def actions(self, person: Document) -> dict[str, list[str]]:
        """The action functions that would tag and list somebody as this person is; none of what is gone."""
        named = {
            "add_tags": [self._known.get(each["tag_id"]) for each in person.get("taggings", ())],
            "add_lists": [self._known.get(each["list_id"]) for each in person.get("items", ())],
        }
        return {action: kept for action, some in named.items() if (kept := [each for each in some if each])}

    @property
    def of(self) -> NameOf:
        """The name of an id; the id itself of what is gone."""
        return lambda document_id: str(self._known.get(document_id, document_id))


def _title_of(document: Document) -> str:
    """How people call it: its name or title, or who it is."""
    who = " ".join(filter(None, (document.get("given_name"), document.get("family_name"))))
    return str(document.get("name") or document.get("title") or who or document["_id"])


def _outreach_rows(
    wanted: ExportQuery, part: Sequence[Document], names: Names, with_tags: bool
) -> Iterator[list[Cell]]:
    people_ids = sorted({each["person_id"] for each in part if "person_id" in each})
    found = wanted.ask(lambda: wanted.store.by_ids(PERSON.collection, people_ids))
    people = {person["_id"]: person for person in found}
    names.look_up(ADVOCACY_CAMPAIGN, (each["advocacy_campaign_id"] for each in part))
    names.look_up(TAG, (each["tag_id"] for person in people.values() for each in person.get("taggings", ())))
    for outreach in part:
        yield from outreach_rows(outreach, people.get(outreach.get("person_id")), names.of, with_tags=with_tags)


def _other_rows(resource: Resource, documents: Sequence[Document], names: Names) -> Iterator[list[Cell]]:
    pointers = {ENTRIES[resource][1]: ENTRIES[resource][0], "person_id": PERSON} if resource in ENTRIES else {}
    for field, pointed_at in {**pointers, **REFERENCES.get(resource, {})}.items():
        names.look_up(pointed_at, (each[field] for each in documents if field in each))
    for document in documents:
        yield other_row(resource, document, names.of)
