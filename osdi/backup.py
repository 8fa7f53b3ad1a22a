"""Backup and restore: the whole database as one compressed file, which is checked before anything is written from it.

The file is gzip of lines, each a JSON object. The header says what it is, from when, of which schema_version, and how
many documents each collection has; then comes a line for each document, under its collection's name; the last line has
the counts once more and the SHA-256 of everything in front of it. So a file that was cut, changed or is something else
is refused as a whole.

What a restored database must not do is to repeat: what was queued when the backup was made has been sent since then.
"""

import datetime as dt
import gzip
import hashlib
import re
import zlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import count
from typing import Any, BinaryIO, Final

import orjson

from osdi.documents import Document
from osdi.erasure import erase_again
from osdi.errors import ErrorDescription, OsdiError
from osdi.ids import now
from osdi.resources import OUTREACH
from osdi.store import SETTLED, Store
from osdi.store.dump import begin_restore, decode, encode, end_restore, insert, reading
from osdi.store.migrations import migrate, schema_version
from osdi.store.schema import SCHEMA, SCHEMA_VERSION
from osdi.store.writes import WEBHOOK_EVENTS
from osdi.triggers import LEASED, QUEUED, SKIPPED

FORMAT: Final = 1
HEADER, TRAILER = "osdi_backup", "osdi_backup_end"
LEVEL: Final = 6
# Longer than any document's line: 16 MB of BSON, each byte of which may take some.
LONGEST_LINE: Final = 128 * 1024 * 1024
# Documents, and bytes of their lines, that are inserted at a time.
BATCH: Final = 500
BATCH_BYTES: Final = 8_000_000

# A collection that may be restored: one that the server and the driver take, and not what says how a restore is going.
COLLECTION: Final = re.compile(rf"(?!system\.|{SCHEMA}\Z)[^.$\0]+(\.[^.$\0]+)*")

# Why a follow-up that was queued when the backup was made is not sent.
RESTORED: Final = "restored"

Progress = Callable[[int], None]


class BadBackup(OsdiError):
    """A file that is not a whole backup, or not one for this program; why stands in the message."""

    def __init__(self, message: str) -> None:
        super().__init__(400, ErrorDescription("BAD_BACKUP", message))


@dataclass(frozen=True)
class Header:
    """What the first line says: `one_moment` is whether all was read as of one moment."""

    schema_version: int
    created_date: str
    database: str
    one_moment: bool
    counts: Mapping[str, int]

    @property
    def documents(self) -> int:
        return sum(self.counts.values())

    @property
    def created(self) -> dt.datetime:
        """The moment in naive UTC."""
        return dt.datetime.fromisoformat(self.created_date.removesuffix("Z"))


@dataclass(frozen=True)
class Line:
    """A document of the file, the collection that it is of, and the bytes of its line."""

    collection: str
    document: Document
    size: int


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
        put(_line({HEADER: FORMAT, **_told(header)}))
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
        compressed.write(_line({TRAILER: {"counts": dict(written), "sha256": digest.hexdigest()}}))
    return Header(header.schema_version, header.created_date, database, one_moment, dict(written))


def check_backup(file: BinaryIO) -> Header:
    """Read the file to its end; what is in it. Raises BadBackup unless all of it is there, as it was written."""
    header: Header | None = None
    counts: Counter[str] = Counter()
    for each in _lines(file):
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
    phone_region: str,
    *,
    send_queued: bool,
    bring_back_erased: bool = False,
    progress: Progress,
) -> int:
    """Put everything of a checked file in the place of what is in the database, and migrate it to this program's shape.

    Whoever was erased from this database since the backup is erased again, unless they are to be brought back; returns
    how many. Until all has ended nobody works on the database (see schema). Raises BadBackup, where the file has
    changed since it was checked, or OsdiError 503; it has to be repeated then.
    """
    store.take_any_schema()
    begin_restore(store, header.schema_version)
    store.create_indexes()
    batch: list[Document] = []
    within, size = "", 0
    for each in _lines(file):
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
    migrate(store, phone_region, lambda _: None)
    # Of an erasure that was going on, the tombstones are older than the backup, which may have the person all the same.
    erased = 0 if bring_back_erased else erase_again(store, header.created - SETTLED, phone_region)
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


def _told(header: Header) -> dict[str, Any]:
    names = ("schema_version", "created_date", "database", "one_moment", "counts")
    return {name: getattr(header, name) for name in names}


def _line(value: Mapping[str, Any]) -> bytes:
    return orjson.dumps(value, option=orjson.OPT_APPEND_NEWLINE)


def _lines(file: BinaryIO) -> Iterator[Header | Line]:
    """The header, and each document. Raises BadBackup at the place from which on the file is none."""
    file.seek(0)
    try:
        with gzip.GzipFile("", "rb", fileobj=file) as lines:
            yield from _checked(lines)
    except (EOFError, zlib.error) as error:
        raise BadBackup("The file is cut off or damaged: it does not decompress to its end.") from error
    except gzip.BadGzipFile as error:
        raise BadBackup("The file is no backup of ours, or it is damaged: it is not compressed by gzip.") from error


def _checked(lines: gzip.GzipFile) -> Iterator[Header | Line]:
    first = lines.readline(LONGEST_LINE)
    yield _header(first)
    digest, counts = hashlib.sha256(first), Counter[str]()
    for number in count(2):
        text = lines.readline(LONGEST_LINE)
        if not text:
            raise BadBackup("The file is cut off: its last line is missing.")
        line = _document(text, number)
        if line.collection == TRAILER:
            _check_trailer(line.document, counts, digest.hexdigest())
            if lines.read(1):
                raise BadBackup("Something follows the end of the backup.")
            return
        counts[line.collection] += 1
        digest.update(text)
        yield line


def _document(text: bytes, number: int) -> Line:
    try:
        if not text.endswith(b"}\n"):  # which may be without an end: it is not looked at any further
            raise ValueError
        ((collection, document),) = decode(text).items()
        if not COLLECTION.fullmatch(collection) or not isinstance(document, dict):
            raise ValueError
    except ValueError as error:
        raise BadBackup(f"Line {number} of the backup is broken.") from error
    return Line(collection, document, len(text))


def _header(line: bytes) -> Header:
    try:
        said = orjson.loads(line)
        version = said.pop(HEADER)
    except (orjson.JSONDecodeError, AttributeError, KeyError, TypeError):
        raise BadBackup("The file is no backup of ours: its first line does not say so.") from None
    if version != FORMAT:
        raise BadBackup(f"The backup has format {version}, and this program reads {FORMAT}: take the newer program.")
    try:
        header = Header(**said)
        if not (isinstance(header.schema_version + header.documents, int) and header.created):
            raise TypeError
    except (AttributeError, TypeError, ValueError):
        raise BadBackup("The first line of the backup is broken.") from None
    if header.schema_version > SCHEMA_VERSION:
        raise BadBackup(
            f"The backup has schema_version {header.schema_version}, and this program knows {SCHEMA_VERSION} at most:"
            " take the program that made it."
        )
    return header


def _check_trailer(said: Document, counts: Counter[str], digest: str) -> None:
    try:
        told, sha256 = {name: number for name, number in said["counts"].items() if number}, said["sha256"]
    except (AttributeError, KeyError):
        raise BadBackup("The last line of the backup is broken.") from None
    if told != dict(counts):
        raise BadBackup(f"The backup is not whole: it should have {told}, and has {dict(counts)}.")
    if sha256 != digest:
        raise BadBackup("The backup was changed or damaged: its SHA-256 is not what its last line says.")
