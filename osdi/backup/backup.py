"""Backup and restore: the whole database as one compressed file, which is checked before it is restored.

The file is gzip of JSON lines. The header has the format, the date, the schema_version and the document count of each
collection. Then follows one line for each document, under its collection's name. The last line repeats the counts and
has the SHA-256 of all lines before it, so a cut, changed or foreign file is rejected as a whole.

A restored database does not send follow-ups that were queued in the backup: they have been sent since.
"""

import gzip
import hashlib
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, BinaryIO, Final

import orjson

from osdi.action_functions.followup_kinds import LEASED, QUEUED, SKIPPED
from osdi.backup.archive import FORMAT, HEADER, TRAILER, Header, header_fields, json_line, read_lines
from osdi.backup.dump_store import begin_restore, encode, end_restore, insert, reading
from osdi.documents import Document
from osdi.errors import ErrorDescription, OsdiError
from osdi.ids import now
from osdi.match_keys import MatchKeyRules
from osdi.operations.migrations import migrate, schema_version
from osdi.privacy.erasure import erase_again
from osdi.resources import OUTREACH
from osdi.store import Store
from osdi.store.store import SETTLED
from osdi.store.writes import WEBHOOK_EVENTS, WEBHOOK_REJECTIONS

LEVEL: Final = 6
# Limits of one insert: documents, and bytes of their lines.
BATCH: Final = 500
BATCH_BYTES: Final = 8_000_000


# The reason of a skipped follow-up that was queued when the backup was made.
RESTORED: Final = "restored"

Progress = Callable[[int], None]


def write_backup(
    store: Store, file: BinaryIO, database: str, *, snapshot: bool, begin: Callable[[Header], Progress]
) -> Header:
    """Writes the whole database to the file. `begin` gets the header and returns the function that reports progress.

    Returns the header with the counts of what was written. Raises OsdiError 503.
    """
    digest = hashlib.sha256()
    written: Counter[str] = Counter()
    with reading(store, snapshot=snapshot) as found, gzip.GzipFile("", "wb", LEVEL, file) as compressed:

        def put(lines: bytes) -> None:
            digest.update(lines)
            compressed.write(lines)

        one_moment = found.session is not None
        header = Header(schema_version(store), f"{now().isoformat()}Z", database, one_moment, found.counts)
        put(json_line({HEADER: FORMAT, **header_fields(header)}))
        progress = begin(header)
        for collection in found.counts:
            name = orjson.dumps(collection)
            lines: list[bytes] = []
            size = 0
            for document in found.documents(collection):
                lines.append(b"{%b:%b}\n" % (name, encode(document)))
                size += len(lines[-1])
                if len(lines) == BATCH or size >= BATCH_BYTES:
                    put(b"".join(lines))
                    written[collection] += len(lines)
                    progress(len(lines))
                    lines, size = [], 0
            put(b"".join(lines))
            written[collection] += len(lines)
            progress(len(lines))
        if one_moment and dict(written) != dict(found.counts):
            raise OsdiError(500, ErrorDescription("INCOMPLETE", f"Counted {found.counts}, but read {dict(written)}."))
        compressed.write(json_line({TRAILER: {"counts": dict(written), "sha256": digest.hexdigest()}}))
    return Header(header.schema_version, header.created_date, database, one_moment, dict(written))


def check_backup(file: BinaryIO) -> Header:
    """Reads the file to its end and returns its header. Raises BadBackup unless the file is complete and unchanged."""
    header: Header | None = None
    counts: Counter[str] = Counter()
    for each in read_lines(file):
        if isinstance(each, Header):
            header = each
        else:
            counts[each.collection] += 1
    assert header is not None  # `read_lines` rejects a file without a header
    return replace(header, counts=counts)


def restore_backup(
    store: Store,
    file: BinaryIO,
    header: Header,
    rules: MatchKeyRules,
    *,
    send_queued: bool,
    include_erased: bool = False,
    progress: Progress,
) -> int:
    """Replaces the content of the database by a checked file, and migrates it to this program's schema.

    People who were erased from this database since the backup are erased again, unless `include_erased`; returns their
    number. All other processes reject requests until the restore has ended (see schema_version). Raises BadBackup if
    the file has changed since it was checked, or OsdiError 503; then the restore must be repeated.
    """
    store.skip_schema_check()
    begin_restore(store, header.schema_version)
    store.create_indexes()
    batch: list[Document] = []
    within, size = "", 0
    for each in read_lines(file):
        if isinstance(each, Header):
            continue
        if batch and (each.collection != within or len(batch) == BATCH or size >= BATCH_BYTES):
            insert(store, within, batch)
            progress(len(batch))
            batch, size = [], 0
        within = each.collection
        batch.append(each.document if send_queued else without_queued(within, each.document))
        size += each.size
    if batch:
        insert(store, within, batch)
        progress(len(batch))
    migrate(store, rules, lambda _: None)
    # The tombstones of an erasure that was running are older than the backup, but the backup may contain the person.
    erased = 0 if include_erased else erase_again(store, header.created - SETTLED, rules)
    end_restore(store)
    return erased


def without_queued(collection: str, document: Document) -> Document:
    """Returns the document without queued webhook events, and with its queued follow-ups skipped."""
    kept = {name: value for name, value in document.items() if name not in (WEBHOOK_EVENTS, WEBHOOK_REJECTIONS)}
    if collection == OUTREACH.collection and "followups" in kept:
        kept["followups"] = [_skipped(each) for each in kept["followups"]]
    return kept


def _skipped(followup: Mapping[str, Any]) -> Mapping[str, Any]:
    if followup["state"] not in (QUEUED, LEASED):
        return followup
    kept = {name: value for name, value in followup.items() if name not in ("not_before", "lease")}
    return {**kept, "state": SKIPPED, "reason": RESTORED}
