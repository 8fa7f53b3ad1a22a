"""Guesses the encoding of a file from all its bytes: the first letter with an accent may be near the end.

Pure, except `survey`, which reads a file.
"""

import codecs
import hashlib
import re
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Final

from osdi.importing.csv_files.letters import WORD, WORDS, example_of, guess_letters

UTF_8, UTF_16_LE, UTF_16_BE, WINDOWS = "utf-8", "utf-16-le", "utf-16-be", "cp1252"
# The encodings by the names that `--encoding` accepts. Spreadsheets save CSV files in these.
ENCODINGS: Final = {
    "utf-8": UTF_8,
    "utf-16": "utf-16",
    "latin-1": "iso-8859-1",
    "latin-9": "iso-8859-15",
    **{f"windows-{number}": f"cp{number}" for number in range(1250, 1259)},
    "mac-roman": "mac_roman",
    "mac-central-europe": "mac_latin2",
    "mac-cyrillic": "mac_cyrillic",
    "mac-greek": "mac_greek",
    "mac-turkish": "mac_turkish",
    "dos-437": "cp437",
    "dos-850": "cp850",
    "dos-852": "cp852",
    "dos-866": "cp866",
    "shift-jis": "cp932",
    "gb18030": "gb18030",
    "big5": "cp950",
    "korean": "cp949",
}
NAMES: Final = {
    UTF_8: "UTF-8",
    UTF_16_LE: "UTF-16",
    UTF_16_BE: "UTF-16",
    "mac_roman": "Mac Roman",
    **{f"cp{number}": f"Windows-{number}" for number in range(1250, 1259)},
    "cp850": "DOS 850",
}
BYTE_ORDER_MARKS: Final = (
    (codecs.BOM_UTF8, UTF_8),
    (codecs.BOM_UTF16_LE, UTF_16_LE),
    (codecs.BOM_UTF16_BE, UTF_16_BE),
)
# Error handler for UTF-16, for which `surrogateescape` does not work.
NO_TEXT: Final = "osdi.no_text"
# Bytes that are no UTF-8, as `surrogateescape` decodes them.
UNDECODABLE: Final = re.compile("[\udc80-\udcff]")
CHUNK: Final = 1 << 20
HEAD: Final = 4_096


def _no_text(error: UnicodeError) -> tuple[str, int]:
    """Returns a replacement for undecodable bytes: a surrogate, like those of `surrogateescape`."""
    assert isinstance(error, UnicodeDecodeError)
    return "\udcff", error.end


codecs.register_error(NO_TEXT, _no_text)


@dataclass(frozen=True)
class Survey:
    """Facts about a file: the SHA-256 of its bytes, its size in bytes, and the guessed encoding."""

    digest: str
    size: int
    encoding: str
    # A word of the file with a letter beyond ASCII, if the encoding is a guess among several.
    example: str = ""


class Tally:
    """Counts, in bytes that arrive in pieces, the UTF-8 characters beyond ASCII and the undecodable bytes."""

    def __init__(self) -> None:
        self.beyond_ascii = 0
        self.undecodable = 0
        self.words: set[bytes] = set()
        self._decoder = codecs.getincrementaldecoder("utf-8")("surrogateescape")

    def add(self, piece: bytes, *, last: bool = False) -> None:
        text = self._decoder.decode(piece, last)
        if text.isascii():
            return
        if len(self.words) < WORDS:
            self.words.update(found[0] for found in islice(WORD.finditer(piece), WORDS))
        undecodable = len(UNDECODABLE.findall(text))
        self.undecodable += undecodable
        self.beyond_ascii += len(text) - len(text.encode("ascii", "ignore")) - undecodable


def guess(head: bytes, tally: Tally) -> str:
    """Returns the encoding of a file, from its first bytes and the tally of all bytes.

    A byte order mark decides. Without one, NULs between Latin letters indicate UTF-16. Otherwise the file is UTF-8 if
    most of its non-ASCII characters are valid UTF-8: a few broken bytes affect only their own lines. All other files
    have an encoding of one byte for each letter, which osdi.importing.csv_files.letters guesses.
    """
    for mark, encoding in BYTE_ORDER_MARKS:
        if head.startswith(mark):
            return encoding
    even, odd = head[::2].count(0), head[1::2].count(0)
    half = len(head) // 2
    if odd > half * 0.4 and even < half * 0.1:
        return UTF_16_LE
    if even > half * 0.4 and odd < half * 0.1:
        return UTF_16_BE
    return guess_letters(tally.words) if tally.undecodable > tally.beyond_ascii else UTF_8


def survey(path: Path) -> Survey:
    """Reads the whole file once, piece by piece, and returns the facts about it. Raises OSError."""
    digest, tally, head, size = hashlib.sha256(), Tally(), b"", 0
    with path.open("rb") as file:
        while piece := file.read(CHUNK):
            head = head or piece[:HEAD]
            digest.update(piece)
            tally.add(piece)
            size += len(piece)
    tally.add(b"", last=True)
    encoding = guess(head, tally)
    example = example_of(tally.words, encoding) if encoding not in (UTF_8, UTF_16_LE, UTF_16_BE) else ""
    return Survey(digest.hexdigest(), size, encoding, example)
