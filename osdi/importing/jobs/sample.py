"""The first rows of a check with their results, which a page shows before somebody starts the import."""

from typing import Final

from osdi.documents import Document
from osdi.importing.report import Outcome
from osdi.importing.sources import Item

MAX_ROWS: Final = 20
CELLS: Final = 4
MAX_TEXT_LENGTH: Final = 120
REJECTED: Final = "rejected"


class Sample:
    """The results of the first MAX_ROWS rows, each `{line, text, result, person?, reason?, warnings}`."""

    def __init__(self) -> None:
        self.rows: list[Document] = []

    def add(self, item: Item, outcome: Outcome) -> None:
        """Adds a row and its result, unless there are enough."""
        if len(self.rows) >= MAX_ROWS:
            return
        row: Document = {"line": item.line, "text": _beginning(item), "result": _result(outcome)}
        if outcome.rejected is not None:
            row["reason"] = outcome.rejected[:MAX_TEXT_LENGTH]
        self.rows.append(row | {"warnings": [each[:MAX_TEXT_LENGTH] for each in outcome.warnings[:CELLS]]})


def _result(outcome: Outcome) -> str:
    """Returns REJECTED, or what happens to the outreach, or else to the person."""
    return REJECTED if outcome.rejected is not None else outcome.outreach or outcome.person or ""


def _beginning(item: Item) -> str:
    """Returns the first filled cells of a row, or the beginning of a line, by which somebody recognises it."""
    if isinstance(item.written, bytes):
        return item.written[:MAX_TEXT_LENGTH].decode(errors="replace")
    cells = [cell.strip() for cell in item.written if cell.strip()][:CELLS]
    # MongoDB stores no halves of surrogate pairs, by which undecodable bytes are kept.
    return ", ".join(cells)[:MAX_TEXT_LENGTH].encode("utf-8", "replace").decode().replace("\x00", "")
