"""Imports everything from another OSDI server: its campaigns, its people, and the outreaches of each campaign.

The import reads each collection that the API entry point links to, page by page, and imports every document by the
rules of a POST. Identifiers let the next import recognise the documents. The import stores the address of the next page
after each page, and a start time at the end of a collection: the next import reads only later changes.
"""

import datetime as dt
import hashlib
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final

import orjson

from osdi.crud.create import create
from osdi.errors import OsdiError
from osdi.ids import now
from osdi.importing.batches.row_batches import RowBatches
from osdi.importing.csv_files.column_mapping import OUTREACHES, PEOPLE
from osdi.importing.importer import RowImporter
from osdi.importing.osdi_client import Remote, RemoteBusy, RemoteError, collection_address, filtered_address, link_of
from osdi.importing.osdi_documents import document_of
from osdi.importing.progress_store import import_progress, keep_import_progress
from osdi.importing.report import Outcome, Report
from osdi.importing.sources import Item
from osdi.resources import ADVOCACY_CAMPAIGN, OUTREACH, PERSON
from osdi.store import Store

# Clocks differ, and a write that is in progress during the import becomes visible a little later.
OVERLAP: Final = dt.timedelta(minutes=2)
THREADS: Final = 4


@dataclass
class Pull:
    """One import from one server.

    `importers` has the importer of each kind. `rejected` is called with kind, line, reason and JSON of each rejected
    document, `shown` with kind and report after each page.
    """

    store: Store
    remote: Remote
    pull_id: str
    importers: Mapping[str, RowImporter]
    rejected: Callable[[str, int, str, bytes], None]
    shown: Callable[[str, Report], None] = lambda *_: None
    reports: dict[str, Report] = field(default_factory=dict)
    _state: dict[str, Any] = field(default_factory=dict)

    def run(self) -> dict[str, Report]:
        """Imports everything and returns the reports by collection.

        Raises RemoteError, OsdiError 503, and OSError of `rejected`. After RemoteBusy the next run continues at the
        same page; after another RemoteError it reads the collection from the beginning.
        """
        importer = self.importers[PEOPLE]
        kept = importer.retry_while_unavailable(lambda: import_progress(self.store, self.pull_id))
        self._state = kept or {"_id": self.pull_id, "source": self.remote.url}
        self._state.setdefault("parts", {})
        entry_point, _ = self.remote.get(self.remote.url)
        campaigns = list(self._campaigns(collection_address(entry_point, ADVOCACY_CAMPAIGN.collection_rel)))
        people = collection_address(entry_point, PERSON.collection_rel)
        with ThreadPoolExecutor(THREADS, thread_name_prefix="import") as pool:
            self._collection(PEOPLE, PEOPLE, people, PERSON.collection_rel, pool)
            for campaign_id, address in campaigns:
                part = f"{OUTREACHES} {hashlib.sha256(address.encode()).hexdigest()[:32]}"
                self._collection(part, OUTREACHES, address, OUTREACH.collection_rel, pool, campaign_id)
        return self.reports

    def _campaigns(self, address: str) -> Iterator[tuple[str, str]]:
        """Imports every campaign; yields their ids on this server and the addresses of their outreaches."""
        report = self.reports.setdefault(ADVOCACY_CAMPAIGN.collection, Report())
        importer = self.importers[OUTREACHES]
        for page in self.remote.pages(address, ADVOCACY_CAMPAIGN.collection_rel):
            for document in page.documents:
                written = orjson.dumps(document)
                try:
                    found = document_of(document, ADVOCACY_CAMPAIGN.collection, written)
                    body, rules = importer.load_body(ADVOCACY_CAMPAIGN, found.body), importer.settings.match_key_rules
                    attempt = partial(create, self.store, ADVOCACY_CAMPAIGN, body, rules)
                    campaign = importer.retry_while_unavailable(attempt)
                except (ValueError, OsdiError) as error:
                    if isinstance(error, OsdiError) and error.status >= 500:
                        raise
                    reason = str(error.body()["error"]) if isinstance(error, OsdiError) else str(error)
                    report.add(Outcome(rejected=reason), report.rows + 1)
                    self.rejected(ADVOCACY_CAMPAIGN.collection, report.rows, reason, written)
                    continue
                report.rows += 1
                outreaches = link_of(document, OUTREACH.collection_rel)
                if outreaches is not None:
                    yield campaign["_id"], self.remote.resolved(outreaches, page.address)

    def _collection(
        self,
        part: str,
        kind: str,
        address: str,
        relation: str,
        pool: ThreadPoolExecutor,
        campaign_id: str | None = None,
    ) -> None:
        """Imports a collection: from the page where the last run stopped, or what has changed since it finished."""
        kept: dict[str, Any] = self._state["parts"].setdefault(part, {})
        report = self.reports.setdefault(kind, Report())
        start = kept.get("next") or filtered_address(address, kept.get("since"))
        try:
            for page in self.remote.pages(start, relation):
                # A later change may be on a page that was already read, so the next run reads changes since this time.
                kept.setdefault("begun", page.timestamp - OVERLAP)
                importer = self.importers[kind]
                rows = importer.loader.rows(self._items(page.documents, kind, report.rows, campaign_id))
                for imported in RowBatches(importer, pool).imported(rows):
                    for item, outcome in imported:
                        report.add(outcome, item.line)
                        if outcome.rejected is not None:
                            assert isinstance(item.written, bytes)
                            self.rejected(kind, item.line, outcome.rejected, item.written)
                kept["next"] = page.next
                self._keep()
                self.shown(kind, report)
        except RemoteError as error:
            if not isinstance(error, RemoteBusy):  # the address would fail again
                kept["next"] = None
                self._keep()
            raise
        kept["since"] = kept.pop("begun", kept.get("since"))
        kept["next"] = None
        self._keep()

    def _items(self, documents: list[Any], kind: str, before: int, campaign_id: str | None) -> Iterator[Item]:
        for number, document in enumerate(documents, before + 1):
            written = orjson.dumps(document)
            try:
                found = document_of(document, kind, written)
            except ValueError as error:
                yield Item(number, written, rejected=str(error))
                continue
            yield Item(number, written, found.body, campaign_id or found.campaign, found.namespace)

    def _keep(self) -> None:
        state = {**self._state, "modified_date": now()}
        self.importers[PEOPLE].retry_while_unavailable(lambda: keep_import_progress(self.store, state))
