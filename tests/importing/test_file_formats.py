"""Files that are no CSV are named, with what to do."""

import random
import tracemalloc
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from osdi.importing.csv_files.file_formats import MAX_DIRECTORY_BYTES, check_format


def archive(path: Path, *names: str, mimetype: str = "") -> Path:
    with zipfile.ZipFile(path, "w") as file:
        if mimetype:
            file.writestr("mimetype", mimetype)
        for name in names:
            file.writestr(name, "x")
    return path


@pytest.mark.parametrize(
    ("name", "names", "message"),
    [
        (
            "people.xlsx",
            ["[Content_Types].xml", "xl/workbook.xml"],
            "people.xlsx is an Excel workbook (.xlsx). Open it",
        ),
        ("people.csv", ["xl/workbook.xml"], "people.csv is an Excel workbook (.xlsx)."),
        ("people.xlsb", ["xl/workbook.bin"], "is an Excel workbook"),
        ("people.numbers", ["Index/Document.iwa"], "is a Numbers document. Export it as CSV"),
        ("people.numbers", ["index.zip"], "is a Numbers document."),
        ("people.docx", ["word/document.xml"], "is a Word document."),
        (
            "audience.zip",
            ["subscribed_members_export_1.csv"],
            "is a zip archive. Unpack it, and import the CSV files inside",
        ),
        ("empty.zip", [], "is a zip archive."),
    ],
)
def test_an_archive_is_named_by_its_contents(tmp_path: Path, name: str, names: list[str], message: str) -> None:
    with pytest.raises(ValueError, match=r"^" + name) as error:
        check_format(archive(tmp_path / name, *names))

    assert message in str(error.value)


def test_an_open_document_spreadsheet_is_named_by_its_type(tmp_path: Path) -> None:
    path = archive(tmp_path / "people.ods", mimetype="application/vnd.oasis.opendocument.spreadsheet")

    with pytest.raises(ValueError, match=r"is an OpenDocument spreadsheet \(\.ods\)"):
        check_format(path)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        (
            "broken.xlsx",
            b"PK\x03\x04 and no archive",
            "is an Excel workbook (.xlsx). Open it in a spreadsheet, save it as CSV",
        ),
        ("broken.ods", b"PK\x03\x04 and no archive", "is an OpenDocument spreadsheet"),
        ("broken.zip", b"PK\x03\x04 and no archive", "is a zip archive"),
        ("old.xls", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(500), "is an old Excel workbook (.xls)"),
        ("list.pdf", b"%PDF-1.7", "is a PDF"),
        ("people.csv.gz", b"\x1f\x8b\x08", "is compressed with gzip. Decompress it"),
        ("people.xls", b"<html><table>", "is an HTML page"),
        ("people.xls", b"\xef\xbb\xbf<table>", "is an HTML table"),
        ("people.xls", b'<?xml version="1.0"?><Workbook>', "is XML"),
        ("contacts.vcf", b"BEGIN:VCARD\r\n", "is a vCard file"),
        ("people.rtf", b"{\\rtf1", "is a text document"),
        ("osdi.db", b"SQLite format 3\x00", "is an SQLite database"),
    ],
)
def test_another_file_is_named_by_its_beginning(tmp_path: Path, name: str, content: bytes, message: str) -> None:
    (tmp_path / name).write_bytes(content)

    with pytest.raises(ValueError, match=r"^" + name) as error:
        check_format(tmp_path / name)

    assert message in str(error.value)


@pytest.mark.parametrize(
    "content", [b"", b"email\n", b"\xff\xfee\x00", b'"<a>",email\n', b"\xef\xbb\xbfemail\n", b"PK,email\n"]
)
def test_a_csv_file_has_no_name(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "people.xls").write_bytes(content)  # VAN gives CSV files this name

    check_format(tmp_path / "people.xls")


def packed(path: Path, compression: int, size: int = 20_000_000) -> Path:
    """Writes an archive whose `mimetype` has this many bytes when it is unpacked."""
    with zipfile.ZipFile(path, "w", compression) as file:
        file.writestr("mimetype", b"application/vnd.oasis.opendocument.spreadsheet" + bytes(size))
    return path


def with_many_files(path: Path, _: int) -> Path:
    """Writes an archive with a longer list of files than is read."""
    return archive(path, *(f"{number:0200}" for number in range(MAX_DIRECTORY_BYTES // 50)))


@pytest.mark.parametrize(
    ("make", "compression"),
    [
        (packed, zipfile.ZIP_STORED),
        (packed, zipfile.ZIP_DEFLATED),
        (packed, zipfile.ZIP_LZMA),
        (with_many_files, zipfile.ZIP_STORED),
    ],
)
def test_an_archive_is_not_unpacked(tmp_path: Path, make: Callable[[Path, int], Path], compression: int) -> None:
    path = make(tmp_path / "people.ods", compression)
    tracemalloc.start()

    with pytest.raises(ValueError, match="is an OpenDocument spreadsheet"):
        check_format(path)

    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 10_000_000


@pytest.mark.parametrize("compression", [zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
@pytest.mark.parametrize("seed", range(5))
def test_a_damaged_archive_is_named_by_its_suffix(tmp_path: Path, compression: int, seed: int) -> None:
    path = packed(tmp_path / "people.ods", compression, 100_000)
    content = bytearray(path.read_bytes())
    chance = random.Random(seed)  # no secret
    for at in range(40, min(len(content) - 120, 400)):
        content[at] = chance.randrange(256)
    path.write_bytes(content)

    with pytest.raises(ValueError, match="is an OpenDocument spreadsheet"):
        check_format(path)
