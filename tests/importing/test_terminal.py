"""`import people` on a terminal: it asks before it writes, and shows how far it is."""

import os
import pty
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest
from pymongo.database import Database

from osdi.settings import Settings
from tests.support.client import Client

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(("said", "people"), [(b"n\n", 0), (b"y\n", 3)])
def test_it_asks_first_and_shows_a_bar(
    api: Client, database: Database, settings: Settings, tmp_path: Path, said: bytes, people: int
) -> None:
    file = tmp_path / "people.csv"
    file.write_text("email\n" + "".join(f"{number}@example.com\n" for number in range(3)))
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "flask", "--app", "wsgi", "import", "people", str(file)]
    environment = {**os.environ, "MONGODB_URI": settings.mongodb_uri, "TERM": "xterm"}
    with subprocess.Popen(
        command, cwd=ROOT, env=environment, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True
    ) as process:
        os.close(theirs)
        os.write(ours, said)  # which waits in the terminal until it is asked for
        shown = b""
        with suppress(OSError):  # how Linux tells that nobody writes any more
            while piece := os.read(ours, 65_536):
                shown += piece
        process.wait(60)
    os.close(ours)

    assert b"Import it? [y/N]" in shown
    assert (b"100%" in shown, b"Aborted!" in shown) == (people > 0, people == 0)
    assert database.people.count_documents({}) == people
