"""Exports the documents that a filter selects, as CSV or as NDJSON in the API's representation.

The export reads documents in the order of their ids, PART at a time, looks up the resources that they refer to (people,
campaigns, tags), and yields the lines. So memory use does not grow with the size of the export.

CSV has a column for each custom field. If the export has many people, their names were counted ahead (see
osdi.people.custom_names_store), so that the first line does not wait for a reading of all people.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import Any, Final, TypeVar

import orjson
from cachetools import LRUCache

from osdi.crud.subresources import KINDS, Embedded, entry_of, existing_entries
from osdi.crud.totals_store import with_total
from osdi.documents import Document, Query, ReadOnlyDocument
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
from osdi.people.custom_names_store import names_of_all, replace_names, stored_names, with_names
from osdi.resources import ADVOCACY_CAMPAIGN, ENTRIES, LIST, OUTREACH, PERSON, REFERENCES, RESOURCES, TAG, Resource
from osdi.retry import retry_while_unavailable
from osdi.store import Store
from osdi.store.scan import scan
from osdi.values.custom_field_names import as_sent

# Resources by the name that the command `export` takes.
EXPORTED: Final[Mapping[str, Resource]] = {
    "campaigns" if resource is ADVOCACY_CAMPAIGN else resource.collection: resource for resource in RESOURCES
}
EMBEDDED: Final[Mapping[Resource, Embedded]] = {kind.resource: kind for kind in KINDS}

Result = TypeVar("Result")

# Documents of one look-up, and bytes of one part: an outreach with a long message can have a hundred rows, and a client
# on a slow connection has only seconds to read a part (see osdi/operations/serving/gunicorn_worker.py).
PART: Final = 100
PART_BYTES: Final = 64_000

# For more people the names of the columns are not read from them.
FEW: Final = 1_000
# Maximum number of names of resources that are kept.
NAMES_KEPT: Final = 10_000


@dataclass(frozen=True)
class Part:
    """Some lines of a file, in UTF-8, and the number of documents that they complete."""

    text: bytes
    documents: int


@dataclass(frozen=True)
class ExportQuery:
    """The documents to export: those of a resource that a query selects.

    `wait_seconds` is the time during which reads are repeated while the database is unavailable (see `scan`).
    """

    store: Store
    resource: Resource
    query: Query
    wait_seconds: float = 0

    @property
    def collection(self) -> str:
        """The collection to read; entries of people are in the people collection."""
        return PERSON.collection if self.resource in ENTRIES else self.resource.collection

    @property
    def selected(self) -> Query:
        """The query for that collection."""
        return {f"{self.resource.collection}._id": {"$exists": True}} if self.resource in ENTRIES else self.query

    @property
    def selects_all(self) -> bool:
        """True if the export has all documents of its resource."""
        return not self.query

    def parts(self) -> Iterator[list[Document]]:
        """Yields lists of up to PART documents, in the order of their ids. Raises OsdiError 503."""
        documents = scan(self.store, self.collection, self.selected, wait_seconds=self.wait_seconds)
        while part := list(islice(documents, PART)):
            yield part

    def ask(self, question: Callable[[], Result]) -> Result:
        """Calls `question`, and repeats it for `wait_seconds`. Raises OsdiError 503."""
        return retry_while_unavailable(question, self.wait_seconds)

    def resources(self, part: Sequence[Document]) -> list[Document]:
        """Returns the resources of a part: its documents with their totals, or the entries in them.

        Raises OsdiError 503.
        """
        kind = EMBEDDED.get(self.resource)
        if kind is not None:
            found = self.ask(lambda: existing_entries(self.store, kind, part))
            return [entry_of(kind, person, entry) for person, entry in found]
        return [self.ask(partial(with_total, self.store, self.resource, each)) for each in part]


def query_of(
    resource: Resource, text: str | None, rules: MatchKeyRules, *, campaign_id: str | None = None
) -> dict[str, Any]:
    """Returns the query of a filter's text, limited to one campaign if `campaign_id` is given. Raises OsdiError 400."""
    if text and resource not in FILTER_FIELDS:
        raise invalid(f"A collection of {resource.collection} cannot be filtered.", "filter")
    campaign = [{"advocacy_campaign_id": campaign_id}] if campaign_id is not None else []
    selected: Document = {}
    if text:
        from osdi.odata.query import to_query  # lark and its grammar take 2 MB

        selected = to_query(text, FILTER_FIELDS[resource], rules)
    conditions = [*campaign, *([selected] if selected else [])]
    return {"$and": conditions} if len(conditions) > 1 else dict(conditions[0]) if conditions else {}


def ndjson(wanted: ExportQuery, hal: Hal) -> Iterator[Part]:
    """Yields a line for each resource, in the API's representation. Raises OsdiError 503.

    A person's line also has `add_tags` and `add_lists` with names, as in a helper's body: links to tags and lists are
    valid on this server only.
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
    """Yields the header line, then a line for each resource, or for each target of an outreach. Raises OsdiError 503.

    `plain` does not escape cells that a spreadsheet would execute; `bom` writes a byte order mark, by which Excel
    recognises UTF-8; `with_tags` adds the tags of an outreach's person.
    """
    lines, names = CsvLines(plain=plain), Names(wanted)
    if wanted.resource is PERSON:
        custom = dict.fromkeys(custom_names(wanted))
        counting = ExactNames(wanted)
        header = person_columns(list(custom))
    elif wanted.resource is OUTREACH:
        header = outreach_columns(with_tags=with_tags)
    else:
        header = other_columns(wanted.resource)
    yield Part(((BOM if bom else "") + lines.line(header)).encode(), 0)
    for part in wanted.parts():
        if wanted.resource is PERSON:
            names.look_up_actions(part)
            counting.add(part)
            rows: Iterator[list[Cell]] = (
                person_row(person, custom, tags=names.tags(person), lists=names.lists(person)) for person in part
            )
        elif wanted.resource is OUTREACH:
            rows = _outreach_rows(wanted, part, names, with_tags)
        else:
            rows = _other_rows(wanted.resource, wanted.resources(part), names)
        yield from _parts_of((lines.line(row).encode() for row in rows), len(part))
    if wanted.resource is PERSON:
        counting.store()


def _parts_of(lines: Iterable[bytes], documents: int) -> Iterator[Part]:
    """Yields the lines as parts of up to PART_BYTES; the last part has the number of documents."""
    pending: list[bytes] = []
    size = 0
    for line in lines:
        if size + len(line) > PART_BYTES and pending:
            yield Part(b"".join(pending), 0)
            pending, size = [], 0
        pending.append(line)
        size += len(line)
    yield Part(b"".join(pending), documents)


def custom_names(wanted: ExportQuery) -> list[str]:
    """Returns the names of the custom fields that get a column: the most frequent ones, sorted.

    They are the names of the selected people or, if these are more than FEW, of all people.
    """
    people = scan(wanted.store, PERSON.collection, wanted.query, fields=(CUSTOM,), wait_seconds=wanted.wait_seconds)
    few = list(islice(people, FEW + 1))
    if len(few) > FEW:
        stored = wanted.ask(lambda: names_of_all(wanted.store))
    else:
        stored = with_names(Counter(), (each.get(CUSTOM, {}) for each in few))
    found = {name: number for name, number in as_sent(stored).items() if has_column(name)}
    by_frequency = sorted(found, key=lambda name: (-found[name], name))
    return sorted(by_frequency[:CUSTOM_COLUMNS])


class ExactNames:
    """Counts the names of custom fields during an export of all people, and stores them at its end."""

    def __init__(self, wanted: ExportQuery) -> None:
        self._wanted = wanted
        self._people = 0
        self._names: Counter[str] = Counter()
        self._before = wanted.ask(lambda: stored_names(wanted.store)) if wanted.selects_all else None

    def add(self, part: Sequence[Document]) -> None:
        """Counts the names of these people."""
        self._people += len(part)
        if self._before is not None:
            with_names(self._names, (each.get(CUSTOM, {}) for each in part))

    def store(self) -> None:
        """Stores the numbers if the export had all people, and more than FEW. Raises OsdiError 503."""
        before = self._before
        if before is not None and self._people > FEW:
            self._wanted.ask(lambda: replace_names(self._wanted.store, before, self._names))


class Names:
    """Cache of the names of resources that documents refer to; looks up the names of one part at a time."""

    def __init__(self, wanted: ExportQuery) -> None:
        self._wanted = wanted
        self._known: LRUCache[str, str] = LRUCache(NAMES_KEPT)

    def look_up(self, resource: Resource, ids: Iterator[str]) -> None:
        """Reads the names of these resources into the cache. Raises OsdiError 503."""
        # `get` marks a name as recently used, so the cache keeps all names of this part.
        unknown = sorted({each for each in ids if self._known.get(each) is None})
        if unknown:
            found = self._wanted.ask(lambda: self._wanted.store.by_ids(resource.collection, unknown))
            self._known.update((document["_id"], _title_of(document)) for document in found)

    def look_up_actions(self, people: Sequence[Document]) -> None:
        """Reads the names of these people's tags and lists into the cache. Raises OsdiError 503."""
        self.look_up(TAG, (each["tag_id"] for person in people for each in person.get("taggings", ())))
        self.look_up(LIST, (each["list_id"] for person in people for each in person.get("items", ())))

    def actions(self, person: Document) -> dict[str, list[str]]:
        """Returns `add_tags` and `add_lists` with the names of this person's tags and lists, without deleted ones."""
        named = {"add_tags": self.tags(person), "add_lists": self.lists(person)}
        return {action: names for action, names in named.items() if names}

    def tags(self, person: ReadOnlyDocument) -> list[str]:
        """Returns the names of this person's tags, without deleted ones."""
        found = (self._known.get(each["tag_id"]) for each in person.get("taggings", ()))
        return [each for each in found if each]

    def lists(self, person: ReadOnlyDocument) -> list[str]:
        """Returns the names of this person's lists, without deleted ones."""
        found = (self._known.get(each["list_id"]) for each in person.get("items", ()))
        return [each for each in found if each]

    @property
    def of(self) -> NameOf:
        """A function that returns the name of an id, or the id itself if the resource was deleted."""
        return lambda document_id: str(self._known.get(document_id, document_id))


def _title_of(document: Document) -> str:
    """Returns the document's name or title, the person's name, or the id."""
    person_name = " ".join(filter(None, (document.get("given_name"), document.get("family_name"))))
    return str(document.get("name") or document.get("title") or person_name or document["_id"])


def _outreach_rows(
    wanted: ExportQuery, part: Sequence[Document], names: Names, with_tags: bool
) -> Iterator[list[Cell]]:
    people_ids = sorted({each["person_id"] for each in part if "person_id" in each})
    found = wanted.ask(lambda: wanted.store.by_ids(PERSON.collection, people_ids))
    people = {person["_id"]: person for person in found}
    names.look_up(ADVOCACY_CAMPAIGN, (each["advocacy_campaign_id"] for each in part))
    names.look_up(TAG, (each["tag_id"] for person in people.values() for each in person.get("taggings", ())))
    for outreach in part:
        person = people.get(outreach.get("person_id"))
        tags = names.tags(person or {}) if with_tags else None
        yield from outreach_rows(outreach, person, names.of, tags=tags)


def _other_rows(resource: Resource, documents: Sequence[Document], names: Names) -> Iterator[list[Cell]]:
    references = {ENTRIES[resource][1]: ENTRIES[resource][0], "person_id": PERSON} if resource in ENTRIES else {}
    for field, target in {**references, **REFERENCES.get(resource, {})}.items():
        names.look_up(target, (each[field] for each in documents if field in each))
    for document in documents:
        yield other_row(resource, document, names.of)
