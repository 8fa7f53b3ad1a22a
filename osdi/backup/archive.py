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

from osdi.backup.dump_store import decode
from osdi.documents import Document
from osdi.errors import ErrorDescription, OsdiError
from osdi.store.schema_version import SCHEMA, SCHEMA_VERSION

FORMAT: Final = 1
HEADER, TRAILER = "osdi_backup", "osdi_backup_end"
# Longer than any document's line: 16 MB of BSON, each byte of which may take some.
LONGEST_LINE: Final = 128 * 1024 * 1024
# A collection that may be restored: one that the server and the driver take, and not what says how a restore is going.
COLLECTION: Final = re.compile(rf"(?!system\.|{SCHEMA}\Z)[^.$\0]+(\.[^.$\0]+)*")


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


def header_fields(header: Header) -> dict[str, Any]:
    names = ("schema_version", "created_date", "database", "one_moment", "counts")
    return {name: getattr(header, name) for name in names}


def json_line(value: Mapping[str, Any]) -> bytes:
    return orjson.dumps(value, option=orjson.OPT_APPEND_NEWLINE)


def read_lines(file: BinaryIO) -> Iterator[Header | Line]:
    """The header, and each document. Raises BadBackup at the place from which on the file is none."""
    file.seek(0)
    try:
        with gzip.GzipFile("", "rb", fileobj=file) as lines:
            yield from _checked_lines(lines)
    except (EOFError, zlib.error) as error:
        raise BadBackup("The file is cut off or damaged: it does not decompress to its end.") from error
    except gzip.BadGzipFile as error:
        raise BadBackup("The file is no backup of ours, or it is damaged: it is not compressed by gzip.") from error


def _checked_lines(lines: gzip.GzipFile) -> Iterator[Header | Line]:
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
