"""Recognises files that are no CSV by their first bytes, and says how to save them as CSV. Reads files.

An archive comes from a stranger: only the names in it and the first bytes of one file are read, within limits.
"""

import io
import zipfile
import zlib
from pathlib import Path
from typing import Final

CSV: Final = "Open it in a spreadsheet, save it as CSV (in Excel: CSV UTF-8), and import that file."
ODS: Final = f"an OpenDocument spreadsheet (.ods). {CSV}"
ZIP: Final = b"PK\x03\x04"
EMPTY_ZIP: Final = b"PK\x05\x06"
HEAD: Final = 512
# The names of more files than a document has are not read.
MAX_DIRECTORY_BYTES: Final = 1_000_000
UNREADABLE: Final = (
    zipfile.BadZipFile,
    zlib.error,
    EOFError,
    OSError,
    RuntimeError,
    NotImplementedError,
    KeyError,
    ValueError,
)
# The ends of names of files with an OSDI document in each line.
NDJSON: Final = (".ndjson", ".jsonl", ".json")
# Descriptions of files by the bytes at their beginning, with what to do.
BEGINNINGS: Final = (
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", f"an old Excel workbook (.xls). {CSV}"),
    (b"%PDF", "a PDF. Export the data as CSV, and import that file."),
    (b"\x1f\x8b", "compressed with gzip. Decompress it, and import the file inside."),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive. Unpack it, and import the files inside."),
    (b"Rar!", "a RAR archive. Unpack it, and import the files inside."),
    (b"SQLite format 3", "an SQLite database. Export a table as CSV, and import that file."),
)
TEXTS: Final = (
    (b"begin:vcard", "a vCard file. Import it into an address book, export that as CSV, and import that file."),
    (b"<?xml", f"XML. {CSV}"),
    (b"<!doctype html", f"an HTML page. {CSV}"),
    (b"<html", f"an HTML page. {CSV}"),
    (b"<table", f"an HTML table. {CSV}"),
    (b"{\\rtf", "a text document (RTF). Save the data as CSV, and import that file."),
)
# Indexes in ARCHIVES of archives that cannot be opened, by the end of their names.
SUFFIXES: Final = {".xlsx": 0, ".xlsm": 0, ".docx": 1, ".numbers": 2}
# Descriptions of zip archives by a part of the name of a file inside.
ARCHIVES: Final = (
    ("xl/workbook", f"an Excel workbook (.xlsx). {CSV}"),
    ("word/document", "a Word document. Copy its table to a spreadsheet, save that as CSV, and import that file."),
    ("index/document.iwa", "a Numbers document. Export it as CSV (File, Export To, CSV), and import that file."),
    ("index.zip", "a Numbers document. Export it as CSV (File, Export To, CSV), and import that file."),
)


def check_format(path: Path) -> None:
    """Raises ValueError for a workbook, an archive or another file that is no CSV. Raises OSError."""
    with path.open("rb") as file:
        head = file.read(HEAD)
    found = _format_of_head(head, path)
    if found is not None:
        raise ValueError(f"{path.name} is {found}")


def _format_of_head(head: bytes, path: Path) -> str | None:
    if head.startswith((ZIP, EMPTY_ZIP)):
        return _archive(path)
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    for beginnings, start in ((BEGINNINGS, head), (TEXTS, text)):
        for beginning, description in beginnings:
            if start.startswith(beginning):
                return description
    return None


class _Bounded(io.FileIO):
    """A file of which nothing longer than MAX_DIRECTORY_BYTES is read at once."""

    def read(self, size: int | None = -1) -> bytes:
        """Returns the next bytes. Raises BadZipFile if they are too many."""
        wanted = MAX_DIRECTORY_BYTES + 1 if size is None or size < 0 else min(size, MAX_DIRECTORY_BYTES + 1)
        found = super().read(wanted) or b""
        if len(found) > MAX_DIRECTORY_BYTES:
            raise zipfile.BadZipFile("Its list of files is too long.")
        return found


def _archive(path: Path) -> str:
    try:
        with _Bounded(path) as file, zipfile.ZipFile(file) as archive:
            names = [each.lower() for each in archive.namelist()]
            if "mimetype" in names and b"opendocument.spreadsheet" in _beginning(archive, "mimetype"):
                return ODS
    except UNREADABLE:
        names = []
    if path.suffix.lower() in SUFFIXES:
        return ARCHIVES[SUFFIXES[path.suffix.lower()]][1]
    if path.suffix.lower() == ".ods":
        return ODS
    for part, description in ARCHIVES:
        if any(part in name for name in names):
            return description
    return "a zip archive. Unpack it, and import the CSV files inside one by one."


def _beginning(archive: zipfile.ZipFile, name: str) -> bytes:
    """Returns the first bytes of a file in an archive, whatever its length is when it is unpacked.

    Raises NotImplementedError for one that other methods have packed: the library unpacks such a file in large pieces.
    """
    if archive.getinfo(name).compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise NotImplementedError(name)
    with archive.open(name) as file:
        return file.read(HEAD)
