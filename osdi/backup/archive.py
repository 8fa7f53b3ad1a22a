"""The file format of a backup: gzip of JSON lines with a header and a trailer, and its checks."""

import datetime as dt
import gzip
import hashlib
import re
import zlib
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import count
from typing import Any, BinaryIO, Final

import orjson

from osdi.backup.dump_store import STAGING, decode, encode
from osdi.documents import Document
from osdi.errors import ErrorDescription, OsdiError
from osdi.store.schema_version import SCHEMA, SCHEMA_VERSION

FORMAT: Final = 1
HEADER, TRAILER = "osdi_backup", "osdi_backup_end"
# A document has at most 16 MB of BSON. A stored person has one megabyte, and no other document of ours has more than a
# few. `write_backup` rejects a longer line too, so that each backup can be restored.
MEGABYTE: Final = 1024 * 1024
MAX_LINE_BYTES: Final = 20 * MEGABYTE
MAX_HEADER_BYTES: Final = MEGABYTE
# A name that may be restored: valid for the server and the driver, and not one of the collections of a running restore.
COLLECTION: Final = re.compile(rf"(?!system\.|{re.escape(STAGING)}|{SCHEMA}\Z)[^.$\0]+(\.[^.$\0]+)*")


class BadBackup(OsdiError):
    """The file is not a complete backup, or not one that this program can read; the message states the reason."""

    def __init__(self, message: str) -> None:
        super().__init__(400, ErrorDescription("BAD_BACKUP", message))


@dataclass(frozen=True)
class Header:
    """The first line of a backup; `one_moment` is True if all documents were read from one snapshot."""

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
        """The creation date in naive UTC."""
        return dt.datetime.fromisoformat(self.created_date.removesuffix("Z"))


@dataclass(frozen=True)
class Line:
    """A document of the file, its collection, and the size of its line in bytes."""

    collection: str
    document: Document
    size: int


def header_fields(header: Header) -> dict[str, Any]:
    names = ("schema_version", "created_date", "database", "one_moment", "counts")
    return {name: getattr(header, name) for name in names}


def document_line(collection: str, document: Mapping[str, Any]) -> bytes:
    """Returns the line of a document. Raises OsdiError 413 if a restore would reject it as too long."""
    line = b"{%b:%b}\n" % (orjson.dumps(collection), encode(document))
    if len(line) > MAX_LINE_BYTES:
        message = f"The document {document['_id']} of {collection} is too long for a backup. Use mongodump."
        raise OsdiError(413, ErrorDescription("TOO_LARGE", message))
    return line


def json_line(value: Mapping[str, Any]) -> bytes:
    return orjson.dumps(value, option=orjson.OPT_APPEND_NEWLINE)


def read_lines(file: BinaryIO) -> Iterator[Header | Line]:
    """Yields the header, then each document. Raises BadBackup at the first invalid line."""
    file.seek(0)
    try:
        with gzip.GzipFile("", "rb", fileobj=file) as lines:
            yield from _checked_lines(lines)
    except (EOFError, zlib.error) as error:
        raise BadBackup("The file is cut off or damaged: it does not decompress to its end.") from error
    except gzip.BadGzipFile as error:
        raise BadBackup("The file is no backup of this program, or it is damaged: it is not a gzip file.") from error


def _checked_lines(lines: gzip.GzipFile) -> Iterator[Header | Line]:
    first = lines.readline(min(MAX_LINE_BYTES, MAX_HEADER_BYTES))
    yield _header(first)
    digest, counts = hashlib.sha256(first), Counter[str]()
    for number in count(2):
        text = lines.readline(MAX_LINE_BYTES)
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
    if len(text) == MAX_LINE_BYTES and not text.endswith(b"\n"):  # it is not read to its end, and not parsed
        raise BadBackup(f"Line {number} is longer than {MAX_LINE_BYTES:,} bytes, which no line of a backup is.")
    try:
        if not text.endswith(b"}\n"):
            raise ValueError
        ((collection, document),) = decode(text).items()
        if not COLLECTION.fullmatch(collection) or not isinstance(document, dict):
            raise ValueError
    except ValueError as error:
        raise BadBackup(f"Line {number} of the backup is broken.") from error
    return Line(collection, document, len(text))


def _header(line: bytes) -> Header:
    try:
        fields = orjson.loads(line)
        version = fields.pop(HEADER)
    except (orjson.JSONDecodeError, AttributeError, KeyError, TypeError):
        raise BadBackup("The file is no backup of this program: its first line is not a backup's header.") from None
    if version != FORMAT:
        raise BadBackup(f"The backup has format {version}, and this program reads {FORMAT}: take the newer program.")
    try:
        header = Header(**fields)
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


def _check_trailer(trailer: Document, counts: Counter[str], digest: str) -> None:
    try:
        expected, sha256 = {name: number for name, number in trailer["counts"].items() if number}, trailer["sha256"]
    except (AttributeError, KeyError):
        raise BadBackup("The last line of the backup is broken.") from None
    if expected != dict(counts):
        raise BadBackup(f"The backup is incomplete: it should have {expected}, and has {dict(counts)}.")
    if sha256 != digest:
        raise BadBackup("The backup was changed or damaged: its SHA-256 differs from the one in its last line.")
