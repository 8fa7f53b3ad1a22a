"""Backup and restore: the whole database as one compressed file, which is checked before anything is written from it.

The file is gzip of lines, each a JSON object. The header says what it is, from when, of which schema_version, and how
many documents each collection has; then comes a line for each document, under its collection's name; the last line has
the counts once more and the SHA-256 of everything in front of it. So a file that was cut, changed or is something else
is refused as a whole.

What a restored database must not do is to repeat: what was queued when the backup was made has been sent since then.
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
from osdi.store.writes import WEBHOOK_EVENTS

LEVEL: Final = 6
# Documents, and bytes of their lines, that are inserted at a time.
BATCH: Final = 500
BATCH_BYTES: Final = 8_000_000


# Why a follow-up that was queued when the backup was made is not sent.
RESTORED: Final = "restored"

Progress = Callable[[int], None]


def write_backup(
    store: Store, file: BinaryIO, database: str, *, snapshot: bool, begin: Callable[[Header], Progress]
) -> Header:
    """Write everything to the file; `begin` is told what will be written, and gives whom to tell how many were.

    Returns what was written. Raises OsdiError 503.
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
    """Read the file to its end; what is in it. Raises BadBackup unless all of it is there, as it was written."""
    header: Header | None = None
    counts: Counter[str] = Counter()
    for each in read_lines(file):
        if isinstance(each, Header):
            header = each
        else:
            counts[each.collection] += 1
    assert header is not None  # else it was refused
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
    """Put everything of a checked file in the place of what is in the database, and migrate it to this program's shape.

    Whoever was erased from this database since the backup is erased again, unless they are to be brought back; returns
    how many. Until all has ended nobody works on the database (see schema). Raises BadBackup, where the file has
    changed since it was checked, or OsdiError 503; it has to be repeated then.
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
    # Of an erasure that was going on, the tombstones are older than the backup, which may have the person all the same.
    erased = 0 if include_erased else erase_again(store, header.created - SETTLED, rules)
    end_restore(store)
    return erased


def without_queued(collection: str, document: Document) -> Document:
    """The document without what would go out again: follow-ups are skipped, and webhooks are told no old events."""
    kept = {name: value for name, value in document.items() if name != WEBHOOK_EVENTS}
    if collection == OUTREACH.collection and "followups" in kept:
        kept["followups"] = [_skipped(each) for each in kept["followups"]]
    return kept


def _skipped(followup: Mapping[str, Any]) -> Mapping[str, Any]:
    if followup["state"] not in (QUEUED, LEASED):
        return followup
    kept = {name: value for name, value in followup.items() if name not in ("not_before", "lease")}
    return {**kept, "state": SKIPPED, "reason": RESTORED}
