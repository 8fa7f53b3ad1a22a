"""A file of people, its source, and a loader of its rows."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from osdi.importing.csv_files.column_mapping import PEOPLE
from osdi.importing.csv_files.encoding import survey
from osdi.importing.loading.row_loader import RowLoader
from osdi.importing.sources import CsvChoices, CsvSource
from osdi.match_keys import MatchKeyRules
from schemas.import_bodies import load_body

LOADER = RowLoader(load_body, PEOPLE, silent=True, match_key_rules=MatchKeyRules("osdi_outreach", "US"))
ROWS = 6_000


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Rows of which some are rejected, by the reader or by the schemas, and some have warnings."""
    path = tmp_path / "people.csv"
    endings = ("", ",too many", "", "")
    emails = ("p{}@example.com", "p{}@example.com", "nobody", "p{}@example.com; second{}@example.com")
    lines = (
        f"{emails[n % 4].format(n, n)},Given{n},{'perhaps' if n % 7 == 0 else ''},(202) 555-{n:04}{endings[n % 4]}\n"
        for n in range(ROWS)
    )
    path.write_text("email,first_name,email_status,phone\n" + "".join(lines))
    return path


@pytest.fixture
def opened(file: Path) -> Iterator[Callable[[], CsvSource]]:
    """Opens the file anew at each call."""
    sources: list[CsvSource] = []

    def source() -> CsvSource:
        sources.append(CsvSource(file, survey(file), PEOPLE, CsvChoices(), "osdi_outreach", None))
        return sources[-1]

    yield source
    for each in sources:
        each.close()
