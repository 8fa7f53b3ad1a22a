"""Runs commands that write files on a disk without space, and prints how each ended (see test_every_command.py).

    python -m tests.commands.small_disk MONGODB_URI FOLDER COMMANDS

COMMANDS is a JSON array of arrays of words. It runs in a mount namespace of its own, in which FOLDER is small.
"""

import json
import os
import sys
from pathlib import Path

from app import create_app
from osdi.settings import Settings
from tests.commands.command_runs import run


def main(uri: str, folder: str, commands: str) -> None:
    app = create_app(Settings(mongodb_uri=uri))
    ended = []
    for words in json.loads(commands):
        before = set(os.listdir(folder))
        found = run(app, *words)
        created = sorted(set(os.listdir(folder)) - before)
        ended.append([found.code, found.err, repr(found.raised), created])
        for name in created:
            Path(folder, name).unlink()
    print(json.dumps(ended))


if __name__ == "__main__":
    main(*sys.argv[1:])
