"""Runs wrk with many kinds of requests: wrk's script picks a random line of a file for each request."""

import os
import re
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.contenders import API
from bench.load import CONNECTIONS, THREADS, TIMEOUT_SECONDS, LoadFailed, Measured
from bench.scale.client import ApiRequest

SCRIPT = Path(__file__).with_suffix(".lua")


@dataclass(frozen=True)
class MeasuredLines(Measured):
    """Result of one run of wrk, with the numbers of successful requests and of 4xx responses."""

    ok: int
    rejected: int


def run(
    base: str,
    requests: Sequence[ApiRequest],
    *,
    token: str,
    name: str,
    seconds: int,
    folder: Path,
    allow_rejected: bool = False,
) -> MeasuredLines:
    """Loads the server at `base` for `seconds`. `name` contains a number that makes the run's new people unique.

    Raises LoadFailed if a request got no response, a 5xx, or a 4xx without `allow_rejected`.
    """
    lines = folder / "lines.txt"
    lines.write_text("".join(map(_line, requests)))
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
    wrong = ["connect", "read", "write", "timeout", "failed", *([] if allow_rejected else ["rejected"])]
    if failed := {key: numbers[key] for key in wrong if numbers[key]}:
        raise LoadFailed(f"some of {numbers['requests']} requests failed: {failed}")
    return MeasuredLines(
        requests=numbers["requests"],
        per_second=numbers["requests"] / (numbers["microseconds"] / 1e6),
        p50_ms=numbers["p50"] / 1000,
        p99_ms=numbers["p99"] / 1000,
        ok=numbers["ok"],
        rejected=numbers["rejected"],
    )


def _line(ask: ApiRequest) -> str:
    method = "GET" if ask.body is None else "POST"
    return f"{method}\t{API}{ask.path}\t{'token' if ask.with_token else '-'}\t{ask.body or ''}\n"
