"""How a file's bytes become text: guessed from all of them, since the first letter with an accent may be far down.

Pure but for `survey`, which reads a file.
"""

import codecs
import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Final

UTF_8, UTF_16_LE, UTF_16_BE, WINDOWS = "utf-8", "utf-16-le", "utf-16-be", "cp1252"
NAMES: Final = {UTF_8: "UTF-8", UTF_16_LE: "UTF-16", UTF_16_BE: "UTF-16", WINDOWS: "Windows-1252"}
BYTE_ORDER_MARKS: Final = (
    (codecs.BOM_UTF8, UTF_8),
    (codecs.BOM_UTF16_LE, UTF_16_LE),
    (codecs.BOM_UTF16_BE, UTF_16_BE),
)
# How UTF-16 is decoded: `surrogateescape` is for bytes beyond ASCII only.
NO_TEXT: Final = "osdi.no_text"
CHUNK: Final = 1 << 20
HEAD: Final = 4_096


def _no_text(error: UnicodeError) -> tuple[str, int]:
    """What stands for bytes that are no text, as `surrogateescape` has it."""
    assert isinstance(error, UnicodeDecodeError)
    return "\udcff", error.end


codecs.register_error(NO_TEXT, _no_text)


@dataclass(frozen=True)
class Survey:
    """What a file is: the SHA-256 of its bytes, how many there are, and how they are read."""

    digest: str
    size: int
    encoding: str


class Tally:
    """Counts what UTF-8 makes of bytes that come in pieces: characters beyond ASCII, and bytes that are none of it."""

    def __init__(self) -> None:
        self.beyond_ascii = 0
        self.undecodable = 0
        self._decoder = codecs.getincrementaldecoder("utf-8")("surrogateescape")

    def add(self, piece: bytes, *, last: bool = False) -> None:
        text = self._decoder.decode(piece, last)
        if text.isascii():
            return
        undecodable = sum("\udc80" <= character <= "\udcff" for character in text)
        self.undecodable += undecodable
        self.beyond_ascii += sum(character > "\x7f" for character in text) - undecodable


def guess(head: bytes, tally: Tally) -> str:
    """The encoding of a file by its first bytes and the tally of all.

    A byte order mark decides. Without one, UTF-16 shows by the NULs between Latin letters. Else it is UTF-8 where most
    of what is not ASCII is: a few broken bytes spoil their lines and not the others. What is left is Windows-1252, in
    which spreadsheets save on Windows.
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
    return WINDOWS if tally.undecodable > tally.beyond_ascii else UTF_8


def survey(path: Path) -> Survey:
    """Read the whole file once, a piece at a time. Raises OSError."""
    digest, tally, head, size = hashlib.sha256(), Tally(), b"", 0
    with path.open("rb") as file:
        while piece := file.read(CHUNK):
            head = head or piece[:HEAD]
            digest.update(piece)
            tally.add(piece)
            size += len(piece)
    tally.add(b"", last=True)
    return Survey(digest.hexdigest(), size, guess(head, tally))
