"""Requests of many kinds at once by wrk: lines of a file, of which each request is one, chosen by chance."""

import os
import re
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.contenders import API
from bench.load import CONNECTIONS, THREADS, TIMEOUT_SECONDS, LoadFailed, Measured
from bench.scale.client import Ask

SCRIPT = Path(__file__).with_suffix(".lua")


@dataclass(frozen=True)
class MeasuredLines(Measured):
    """What one run measured: how many were answered with success, and how many with 4xx."""

    ok: int
    refused: int


def run(
    base: str, asks: Sequence[Ask], *, token: str, name: str, seconds: int, folder: Path, may_refuse: bool = False
) -> MeasuredLines:
    """Load `base` for some seconds. `name` holds a number that keeps the run's people apart from those of another.

    Raises LoadFailed where a request was answered with 5xx, or 4xx unless it `may_refuse`, or not at all.
    """
    lines = folder / "lines.txt"
    lines.write_text("".join(map(_line, asks)))
    command = ["wrk", "--threads", str(THREADS), "--connections", str(CONNECTIONS), "--duration", f"{seconds}s"]
    command += ["--timeout", f"{TIMEOUT_SECONDS}s", "--latency", "--script", str(SCRIPT), base, "--", name, str(lines)]
    environment = os.environ | {"TOKEN": token}
    finished = subprocess.run(
        command, env=environment, capture_output=True, text=True, timeout=seconds + 60, check=False
    )
    line = re.search(r"^RESULT (.*)$", finished.stdout, re.MULTILINE)
    if finished.returncode != 0 or line is None:
        raise LoadFailed(f"wrk ended with exit code {finished.returncode}:\n{finished.stdout}{finished.stderr}")
    numbers = {key: int(value) for key, value in re.findall(r"(\w+)=(\d+)", line[1])}
    wrong = ["connect", "read", "write", "timeout", "broken", *([] if may_refuse else ["refused"])]
    if failed := {key: numbers[key] for key in wrong if numbers[key]}:
        raise LoadFailed(f"of {numbers['requests']} requests some failed: {failed}")
    return MeasuredLines(
        requests=numbers["requests"],
        per_second=numbers["requests"] / (numbers["microseconds"] / 1e6),
        p50_ms=numbers["p50"] / 1000,
        p99_ms=numbers["p99"] / 1000,
        ok=numbers["ok"],
        refused=numbers["refused"],
    )


def _line(ask: Ask) -> str:
    method = "GET" if ask.body is None else "POST"
    return f"{method}\t{API}{ask.path}\t{'token' if ask.with_token else '-'}\t{ask.body or ''}\n"
