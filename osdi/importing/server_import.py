"""Everything that another OSDI server has: its campaigns, its people, and the outreaches of each campaign.

The process: the API entry point names the collections; each is followed page by page, and every document taken in as a
POST of it would be, with its identifiers, by which it is known when it comes again. After each page it is kept which
one is next, and at a collection's end since when changes count: the next pull asks for these only.
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
from osdi.importing.csv_files.column_mapping import OUTREACHES, PEOPLE
from osdi.importing.file_import import groups, outcomes
from osdi.importing.importer import RowImporter
from osdi.importing.osdi_client import Remote, RemoteBusy, RemoteError, collection_address, link_of, since
from osdi.importing.osdi_documents import document_of
from osdi.importing.progress_store import import_progress, keep_import_progress
from osdi.importing.report import Outcome, Report
from osdi.importing.sources import Item
from osdi.resources import ADVOCACY_CAMPAIGN, OUTREACH, PERSON
from osdi.store import Store

# Clocks differ, and what is being written while the pages are read shows a little later.
OVERLAP: Final = dt.timedelta(minutes=2)
THREADS: Final = 4


@dataclass
class Pull:
    """One pull from one server. `taking` has the importer of each kind; `refused` is told what was not."""

    store: Store
    remote: Remote
    pull_id: str
    taking: Mapping[str, RowImporter]
    refused: Callable[[str, int, str, bytes], None]
    shown: Callable[[str, Report], None] = lambda *_: None
    reports: dict[str, Report] = field(default_factory=dict)
    _state: dict[str, Any] = field(default_factory=dict)

    def run(self) -> dict[str, Report]:
        """Pull all of it; reports by collection. Raises RemoteError, OsdiError 503, and OSError of `refused`.

        The next pull goes on where a server is busy, and reads a collection anew whose pages lead nowhere.
        """
        self._state = import_progress(self.store, self.pull_id) or {"_id": self.pull_id, "source": self.remote.url}
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
        """Take in every campaign; their ids here, and where their outreaches are."""
        report = self.reports.setdefault(ADVOCACY_CAMPAIGN.collection, Report())
        take_in = self.taking[OUTREACHES]
        for page in self.remote.pages(address, ADVOCACY_CAMPAIGN.collection_rel):
            for document in page.documents:
                written = orjson.dumps(document)
                try:
                    found = document_of(document, ADVOCACY_CAMPAIGN.collection, written)
                    body, rules = take_in.load_body(ADVOCACY_CAMPAIGN, found.body), take_in.settings.match_key_rules
                    attempt = partial(create, self.store, ADVOCACY_CAMPAIGN, body, rules)
                    campaign = take_in.retry_while_unavailable(attempt)
                except (ValueError, OsdiError) as error:
                    if isinstance(error, OsdiError) and error.status >= 500:
                        raise
                    reason = str(error.body()["error"]) if isinstance(error, OsdiError) else str(error)
                    report.add(Outcome(refused=reason), report.rows + 1)
                    self.refused(ADVOCACY_CAMPAIGN.collection, report.rows, reason, written)
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
        """Take in a collection, from where the last pull broke off, or what was changed since it ended."""
        kept: dict[str, Any] = self._state["parts"].setdefault(part, {})
        report = self.reports.setdefault(kind, Report())
        start = kept.get("next") or since(address, kept.get("since"))
        try:
            for page in self.remote.pages(start, relation):
                # What is changed from now on may lie on a page that was read already, so this pull ends its care here.
                kept.setdefault("begun", page.timestamp - OVERLAP)
                items = self._items(page.documents, kind, report.rows, campaign_id)
                for group in groups(items, self.taking[kind]):
                    for item, outcome in outcomes(group, pool):
                        report.add(outcome, item.line)
                        if outcome.refused is not None:
                            assert isinstance(item.written, bytes)
                            self.refused(kind, item.line, outcome.refused, item.written)
                kept["next"] = page.next
                self._keep()
                self.shown(kind, report)
        except RemoteError as error:
            if not isinstance(error, RemoteBusy):  # an address that leads nowhere would do so again
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
                yield Item(number, written, refused=str(error))
                continue
            yield Item(number, written, found.body, campaign_id or found.campaign, found.namespace)

    def _keep(self) -> None:
        state = {**self._state, "modified_date": now()}
        self.taking[PEOPLE].retry_while_unavailable(lambda: keep_import_progress(self.store, state))
