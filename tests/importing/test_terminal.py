"""`import people` on a terminal: it asks for confirmation, and shows a progress bar."""

import os
import pty
from contextlib import suppress
from pathlib import Path

import pytest
from pymongo.database import Database

from osdi.settings import Settings
from tests.support.client import Client
from tests.support.fork_server import popen


@pytest.mark.parametrize(("answer", "people"), [(b"n\n", 0), (b"y\n", 3)])
def test_asks_for_confirmation_and_shows_a_progress_bar(
    api: Client, database: Database, settings: Settings, tmp_path: Path, answer: bytes, people: int
) -> None:
    file = tmp_path / "people.csv"
    file.write_text("email\n" + "".join(f"{number}@example.com\n" for number in range(3)))
    ours, theirs = pty.openpty()
    command = ("flask", "--app", "wsgi", "import", "people", str(file))
    environment = {**os.environ, "MONGODB_URI": settings.mongodb_uri, "TERM": "xterm"}
    process = popen(*command, env=environment, stdout=theirs, others={0: theirs})
    os.close(theirs)
    os.write(ours, answer)  # the terminal keeps it until the command reads it
    shown = b""
    with suppress(OSError):  # Linux raises it when the other end is closed
        while piece := os.read(ours, 65_536):
            shown += piece
    process.wait(60)
    os.close(ours)

    assert b"Import it? [y/N]" in shown
    assert (b"100%" in shown, b"Aborted!" in shown) == (people > 0, people == 0)
    assert database.people.count_documents({}) == people
