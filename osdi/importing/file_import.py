"""The import of one file, from its first row to its last: several rows at once, in order where order matters.

Rows go in groups to a few threads, which mostly wait for the database. Two rows that share a match key never go in one
group, so the later row counts, as it does where they come one by one. After a group it is kept how far the import has
come: one that breaks off goes on there, and what it did twice it finds to be there.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final

from osdi.errors import OsdiError
from osdi.ids import now
from osdi.importing.importer import Prepared, RowImporter
from osdi.importing.progress_store import keep_import_progress
from osdi.importing.rejected_rows import RefusedFile
from osdi.importing.report import Outcome, Report
from osdi.importing.sources import Item, Source
from osdi.store import Store

GROUP: Final = 64
KEEP_SECONDS: Final = 1.0
CLOCK: Final[Callable[[], float]] = time.monotonic


@dataclass
class Progress:
    """How far an import has come, as the database keeps it; a dry run keeps nothing."""

    store: Store | None
    import_id: str
    about: Mapping[str, Any] = field(default_factory=dict)
    started: Any = field(default_factory=now)
    _kept: float = field(default_factory=CLOCK)

    def keep(self, report: Report, refused: RefusedFile, *, finished: bool = False, at_once: bool = False) -> None:
        """Keep it, but not more often than each second unless it is finished or is said to be kept at once."""
        if self.store is None or not (finished or at_once or CLOCK() - self._kept >= KEEP_SECONDS):
            return
        # First the refused lines are on the disk, then it is said that they are.
        size = refused.size()
        document = {
            **self.about,
            "_id": self.import_id,
            "report": report.kept(),
            "refused_file": str(refused.path.resolve()) if size and refused.path else None,
            "refused_bytes": size,
            "started_date": self.started,
            "modified_date": now(),
            "finished": finished,
        }
        keep_import_progress(self.store, document)
        self._kept = CLOCK()


def run(
    source: Source,
    take_in: RowImporter,
    refused: RefusedFile,
    progress: Progress,
    report: Report,
    *,
    threads: int,
    shown: Callable[[Report, int], None] = lambda *_: None,
) -> None:
    """Import what the source holds behind the `report.rows` rows that are done, and count it into the report.

    `shown` is told after every group, with the bytes of the file that are read. Raises OsdiError 503 where the database
    stays away, and OSError where refused lines cannot be written.
    """
    take_in.retry_while_unavailable(lambda: progress.keep(report, refused, at_once=True))
    try:
        _import_items(source, take_in, refused, progress, report, threads, shown)
    except KeyboardInterrupt:
        with suppress(OsdiError):  # then what was kept before counts
            progress.keep(report, refused, at_once=True)
        raise
    take_in.retry_while_unavailable(lambda: progress.keep(report, refused, finished=True))


def _import_items(
    source: Source,
    take_in: RowImporter,
    refused: RefusedFile,
    progress: Progress,
    report: Report,
    threads: int,
    shown: Callable[[Report, int], None],
) -> None:
    skipped = report.rows
    items = (item for index, item in enumerate(source.items()) if index >= skipped)
    with ThreadPoolExecutor(threads, thread_name_prefix="import") as pool:
        for group in groups(items, take_in):
            done = outcomes(group, pool)
            # From here until it is kept nothing waits, so that a group is counted wholly or not at all.
            for item, outcome in done:
                if outcome.refused is not None:
                    for row in item.rows():
                        refused.add(row.line, outcome.refused, row.written)
                report.add(outcome, item.line)
            take_in.retry_while_unavailable(lambda: progress.keep(report, refused))
            shown(report, source.position)


def outcomes(group: list[tuple[Item, Prepared]], pool: ThreadPoolExecutor) -> list[tuple[Item, Outcome]]:
    """Take in a group, and tell what became of each in its order. Raises OsdiError 503."""
    waiting = [(item, prepared, pool.submit(prepared.take) if prepared.take else None) for item, prepared in group]
    return [
        (item, taking.result() if taking else Outcome(refused=prepared.refused)) for item, prepared, taking in waiting
    ]


def groups(items: Iterable[Item], take_in: RowImporter) -> Iterator[list[tuple[Item, Prepared]]]:
    """The items, prepared, in groups of at most GROUP of which no two may mean the same person or outreach."""
    group: list[tuple[Item, Prepared]] = []
    keys: set[str] = set()
    for item in items:
        if item.body is None:
            prepared = Prepared(refused=item.refused)
        else:
            prepared = take_in.prepare(item.body, item.campaign, item.namespace)
        if len(group) == GROUP or not keys.isdisjoint(prepared.keys):
            yield group
            group, keys = [], set()
        group.append((item, prepared))
        keys |= prepared.keys
    if group:
        yield group
