"""Loads rows as the schemas load the body of a POST, without their invalid cells.

Pure: the result depends on the row and on a few options only. So any process can load a row.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from osdi.documents import Document, LoadBody
from osdi.errors import OsdiError
from osdi.importing.csv_files.column_mapping import PEOPLE
from osdi.importing.csv_files.row_bodies import Row
from osdi.importing.row_corrections import load_without_invalid
from osdi.importing.sources import Item
from osdi.match_keys import MatchKeyRules, MatchKeys, id_key
from osdi.resources import OUTREACH, PERSON

Body = Mapping[str, Any]

MAX_REASON_LENGTH: Final = 500
LINK: Final = PERSON.rel
NO_MATCH_KEYS: Final = MatchKeys()
# The link to the person of `Loaded.linked`. It is replaced once that person is found.
LINKED: Final = {"href": f"/api/{PERSON.collection}/linked"}


@dataclass(frozen=True)
class Loaded:
    """A body as the schemas load it, with a warning for each value that was left out; or why it is rejected.

    `is_row` is true for a row of a CSV file, `unreadable` is the first reason why one of its values was left out, and
    `opted_out` is what its person opted out of. `keys` are those of the person. `linked` are the identifiers, as keys,
    by which the person of a link is found. The campaign of an outreach is found later.
    """

    body: dict[str, Any] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    is_row: bool = False
    unreadable: str | None = None
    opted_out: frozenset[str] = frozenset()
    campaign: Document | None = None
    keys: MatchKeys = NO_MATCH_KEYS
    linked: Sequence[str] = ()
    rejected: str | None = None


LoadedRow = tuple[Item, Loaded]


@dataclass(frozen=True)
class RowLoader:
    """Loads rows of one kind; `silent` leaves out the follow-ups that they ask for."""

    load_body: LoadBody
    kind: str
    silent: bool
    match_key_rules: MatchKeyRules

    def rows(self, items: Iterable[Item]) -> Iterator[LoadedRow]:
        """Yields each item of a source with its loaded body."""
        return ((item, self.load(item)) for item in items)

    def load(self, item: Item) -> Loaded:
        """Returns the loaded body of an item."""
        if item.body is None:
            return Loaded(rejected=item.rejected)
        written, linked = item.body, list[str]()
        if self.kind != PEOPLE:
            written, linked = self._without_foreign_links(written, item.namespace)
        try:
            body, warnings = self._loaded(written, item.row)
        except OsdiError as error:
            return Loaded(rejected=reason_of(error))
        if self.silent:
            body.pop("triggers", None)
        keys = self.match_key_rules.match_keys(body.get("person", {}), trusted=True)
        if item.row is None:
            return Loaded(body, keys=keys, linked=linked)
        unreadable = next(iter((*warnings, *item.row.unreadable)), None)
        opted_out = frozenset(item.row.consent.opted_out)
        return Loaded(body, (*item.row.warnings, *warnings), True, unreadable, opted_out, keys=keys, linked=linked)

    def _loaded(self, written: Body, row: Row | None) -> tuple[dict[str, Any], list[str]]:
        """Returns the loaded body, and a warning for each invalid cell of a row. Raises OsdiError 400."""
        resource = PERSON if self.kind == PEOPLE else OUTREACH
        if row is None:
            return self.load_body(resource, written), []
        return load_without_invalid(lambda body: self.load_body(resource, body), dict(written), row.origins)

    def _without_foreign_links(self, written: Body, namespace: str | None) -> tuple[dict[str, Any], list[str]]:
        """Returns the body without links of another server, and the keys of the person that its link names.

        The person is found by the identifier that the other server gave them, once the row is prepared.
        """
        links = written.get("_links")
        link = links.get(LINK) if isinstance(links, Mapping) else None
        href = link.get("href") if isinstance(link, Mapping) else None
        if not isinstance(href, str) or "person" in written:
            return {name: value for name, value in written.items() if name != "_links"}, []
        person_id = href.rstrip("/").rpartition("/")[2]
        keys = [id_key(f"{each}:{person_id}") for each in (namespace, self.match_key_rules.namespace) if each]
        return {**written, "_links": {LINK: LINKED}}, list(dict.fromkeys(keys))


def reason_of(error: OsdiError) -> str:
    """Returns the reason of a rejection, which is the message of the error."""
    return str(error.body()["error"])[:MAX_REASON_LENGTH]
