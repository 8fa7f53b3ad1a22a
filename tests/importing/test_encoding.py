"""The guess of a file's encoding."""

from pathlib import Path

import pytest

from osdi.importing.csv_files.encoding import CHUNK, UTF_8, UTF_16_BE, UTF_16_LE, WINDOWS, survey

TEXT = "first_name,email\nJürgen,j@example.com\nŁucja,l@example.com\n"


@pytest.mark.parametrize(
    ("sent", "encoding"),
    [
        (TEXT.encode("utf-8"), UTF_8),
        (TEXT.encode("utf-8-sig"), UTF_8),
        (TEXT.encode("utf-16"), UTF_16_LE),
        (TEXT.encode("utf-16-le"), UTF_16_LE),
        (b"\xfe\xff" + TEXT.encode("utf-16-be"), UTF_16_BE),
        (TEXT.encode("utf-16-be"), UTF_16_BE),
        ("first_name\nJürgen €\n".encode("cp1252"), WINDOWS),
        (b"email\nj@example.com\n", UTF_8),
        (b"", UTF_8),
        # An accent after a million letters, and one broken byte in valid UTF-8.
        (b"a" * (CHUNK + 5) + "é".encode("cp1252"), WINDOWS),
        (TEXT.encode() + b"\xff\n", UTF_8),
        # A letter of two bytes that are read in different pieces.
        (b"a" * (CHUNK - 1) + "é".encode(), UTF_8),
    ],
)
def test_the_encoding_is_guessed_from_all_bytes(sent: bytes, encoding: str, tmp_path: Path) -> None:
    path = tmp_path / "people.csv"
    path.write_bytes(sent)

    found = survey(path)

    assert (found.encoding, found.size) == (encoding, len(sent))


NAMES = {
    "french": "prénom\nJosé\nZoë\nFrançois\nHélène\n",
    "german": "Vorname\nJürgen\nÄnne\nMüller\nGroß\n",
    "spanish": "apellido\nMuñoz\nPeña\nGarcía\n",
    "polish": "imię\nPaweł\nŁukasz\nŻółć\nŚwięta\n",
    "czech": "jméno\nŽaneta\nŘeháková\nPřemysl\nŠťastný\n",
    "russian": "имя\nИван\nМария\nАлексей\n",  # noqa: RUF001
    "upper case": "NOM\nMÜLLER\nPEÑA\nHÉLÈNE\n",
    "quotation marks": "note\nSeán O’Brien – “best”\n5 €\n",  # noqa: RUF001
}


@pytest.mark.parametrize(
    ("names", "codec"),
    [
        ("french", "cp1252"), ("german", "cp1252"), ("spanish", "cp1252"), ("upper case",
        "cp1252"), ("quotation marks", "cp1252"),
        ("french", "mac_roman"), ("german", "mac_roman"), ("spanish", "mac_roman"),
        ("french", "cp850"), ("german", "cp850"), ("spanish", "cp850"),
        ("polish", "cp1250"), ("czech", "cp1250"), ("russian", "cp1251"),
    ],
)  # fmt: skip
def test_an_8_bit_encoding_is_guessed_by_names(names: str, codec: str, tmp_path: Path) -> None:
    path = tmp_path / "people.csv"
    path.write_bytes(NAMES[names].encode(codec))

    found = survey(path)

    assert found.encoding == codec
    assert found.example in NAMES[names]
    assert not found.example.isascii()
