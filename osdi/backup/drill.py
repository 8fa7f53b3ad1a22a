"""Restore drill: restores a backup into a scratch database, compares it with the backup, and deletes it again.

A backup that nobody has restored may be no backup. The data in service stay as they are.
"""

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import BinaryIO, Final

from osdi.backup.archive import Header
from osdi.backup.backup import Progress, restore_backup
from osdi.backup.dump_store import KEPT, document_counts, drop_database
from osdi.errors import OsdiError
from osdi.ids import new_id
from osdi.match_keys import MatchKeyRules
from osdi.resources import PERSON
from osdi.store import Store
from osdi.store.driver import with_database

SCRATCH: Final = "osdi_restore_drill_"


@dataclass(frozen=True)
class Drill:
    """The numbers of documents by collection: of the backup, and of the database that was restored from it.

    `erased` is the number of people in the backup who were erased while it was made, and so are not in the database.
    """

    expected: Mapping[str, int]
    restored: Mapping[str, int]
    erased: int

    def differences(self) -> list[str]:
        """Returns the names of the collections whose numbers differ.

        A restore may add to the lists that it keeps, such as the opt-outs of people to the suppression list.
        """
        return [name for name in self.expected if not self._is_as_expected(name)]

    def _is_as_expected(self, name: str) -> bool:
        expected, restored = self.expected[name], self.restored.get(name, 0)
        if name in KEPT:
            return restored >= expected
        return restored == expected - (self.erased if name == PERSON.collection else 0)


def restore_drill(
    store: Store,
    file: BinaryIO,
    header: Header,
    rules: MatchKeyRules,
    *,
    progress: Progress,
    report: Callable[[str], None],
) -> Drill:
    """Restores a checked backup into a scratch database of the same server, and counts what is there.

    Raises BadBackup and OsdiError 503 as `restore_backup` does. The scratch database is deleted in any case, unless the
    database server does not respond.
    """
    scratch = Store(with_database(store.uri, f"{SCRATCH}{new_id()}"))
    try:
        erased = restore_backup(scratch, file, header, rules, send_queued=False, progress=progress, report=report)
        return Drill(header.counts, document_counts(scratch), erased)
    finally:
        with suppress(OsdiError):
            drop_database(scratch)
        scratch.close()
