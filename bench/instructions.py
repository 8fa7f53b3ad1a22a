"""Counts the interpreter's instructions for one outreach, by whose code executes them.

Unlike processor time, the number hardly depends on what else the machine does. It leaves out what compiled code does:
the JSON and BSON codecs, hashes, and system calls. As in bench/turns.py, the applications run in this process.
"""

import os
import sys
from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import redirect_stdout
from pathlib import Path
from types import FrameType
from typing import Any, Final

from flask import Flask
from pymongo import MongoClient

from bench import floor
from bench.contenders import Floor, Ours
from bench.server import ROOT
from bench.turns import Turn, application, turn_of
from dev.mongod import Mongod

REQUESTS: Final = 20
WARM_UP: Final = 20

DRIVER, FRAMEWORK, OWN, OTHER = (
    "driver",
    "Flask, Werkzeug, webargs, marshmallow",
    "own code",
    "standard library, others",
)
PARTS: Final = (DRIVER, FRAMEWORK, OWN, OTHER)
PACKAGES: Final = {
    **dict.fromkeys(("pymongo", "bson"), DRIVER),
    **dict.fromkeys(("flask", "werkzeug", "flask_smorest", "flask_cors", "webargs", "marshmallow"), FRAMEWORK),
}

OURS: Final = (
    Ours("instructions-token", "ours, with token", with_token=True),
    Ours("instructions-public", "ours, without token", with_token=False),
    Ours("instructions-phone", "ours, one phone number", with_token=True, shared_phone=True),
    Ours("instructions-known", "ours, known people", with_token=True, known_people=True),
)
FLOORS: Final = (
    Floor("instructions-ordered", "floor, ordered", commit="ordered"),
    Floor("instructions-transaction", "floor, transaction", commit="transaction"),
)

Wsgi = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


def part_of(file: str) -> str:
    """Returns the part to which a file of code belongs."""
    _, packaged, name = file.partition("/site-packages/")
    if packaged:
        return PACKAGES.get(name.split("/")[0], OTHER)
    return OWN if file.startswith(str(ROOT)) else OTHER


def counted(wsgi: Wsgi, counts: Counter[str]) -> Wsgi:
    """Returns the application, which adds the instructions of each request to `counts`, by file."""

    def trace(frame: FrameType, event: str, _: object) -> Any:
        if event == "call":
            frame.f_trace_opcodes, frame.f_trace_lines = True, False
        elif event == "opcode":
            counts[frame.f_code.co_filename] += 1
        return trace

    def wrapper(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        before = sys.gettrace()
        sys.settrace(trace)
        try:
            return wsgi(environ, start_response)
        finally:
            sys.settrace(before)

    return wrapper


def measure_instructions(mongod: Mongod, scratch: Path) -> str:
    """Returns the Markdown section: the instructions of each part of ours and of the floor. Raises ServerFailed."""
    columns: dict[str, Counter[str]] = {}
    with Path(os.devnull).open("w") as devnull, redirect_stdout(devnull):
        for kind in (*OURS, *FLOORS):
            uri = mongod.uri.replace("/osdi?", f"/osdi_{kind.key.replace('-', '_')}?")
            counts: Counter[str] = Counter()
            turn = _turn(kind, uri, scratch, counts)
            for number in range(WARM_UP):
                turn(number)
            counts.clear()
            for number in range(WARM_UP, WARM_UP + REQUESTS):
                turn(number)
            columns[kind.label] = _by_part(counts)
            with MongoClient[dict[str, Any]](mongod.uri) as client:
                client.drop_database(f"osdi_{kind.key.replace('-', '_')}")
    return _section(columns)


def _turn(kind: Ours | Floor, uri: str, scratch: Path, counts: Counter[str]) -> Turn:
    if isinstance(kind, Ours):
        app, traffic = application(kind, uri, scratch)
    else:
        kind.prepare(uri)
        app, traffic = floor.create_app(uri, transaction=kind.commit == "transaction"), kind.traffic(0)
    _count(app, counts)
    return turn_of(app, traffic, kind.label)


def _count(app: Flask, counts: Counter[str]) -> None:
    app.wsgi_app = counted(app.wsgi_app, counts)  # type: ignore[method-assign, assignment]


def _by_part(counts: Counter[str]) -> Counter[str]:
    parts: Counter[str] = Counter()
    for file, number in counts.items():
        parts[part_of(file)] += number
    return parts


def _section(columns: dict[str, Counter[str]]) -> str:
    lines = [f"| instructions per outreach | {' | '.join(columns)} |", f"|---|{'---:|' * len(columns)}"]
    for part in PARTS:
        lines.append(f"| {part} | {' | '.join(f'{each[part] / REQUESTS:,.0f}' for each in columns.values())} |")
    sums = (f"**{each.total() / REQUESTS:,.0f}**" for each in columns.values())
    lines.append(f"| **together** | {' | '.join(sums)} |")
    return "\n\n".join(
        (
            "## Instructions of the interpreter",
            f"This counts the instructions that the interpreter executes for an outreach, in {REQUESTS} requests of "
            "each kind. Unlike processor time, the number hardly depends on what else the machine does. It leaves out "
            "compiled code: the JSON and BSON codecs, hashes, and system calls.",
            "\n".join(lines),
        )
    )
