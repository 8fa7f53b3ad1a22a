"""Runs wrk against one server and parses its result."""

import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

THREADS = 2
CONNECTIONS = 16
# Long, so that a slow disk shows in the 99th percentile and does not fail the run.
TIMEOUT_SECONDS = 20
SCRIPT = Path(__file__).with_name("post.lua")
INSTALL = "wrk is not installed. Install it, on Debian by: apt-get install wrk"


class LoadFailed(Exception):
    """wrk is missing, or a request of the run failed."""


@dataclass(frozen=True)
class Request:
    """One kind of POST request: its path and the template of its body."""

    path: str
    body: str


@dataclass(frozen=True)
class Traffic:
    """The load of a contender: requests that take turns, their headers, and the number of people stored before."""

    requests: tuple[Request, ...]
    headers: dict[str, str]
    known_people: int = 0


@dataclass(frozen=True)
class Measured:
    """Result of one run of wrk."""

    requests: int
    per_second: float
    p50_ms: float
    p99_ms: float


def require_wrk() -> None:
    """Raises LoadFailed with installation instructions if wrk is missing."""
    if shutil.which("wrk") is None:
        raise LoadFailed(INSTALL)


def run(base: str, traffic: Traffic, *, name: str, seconds: int, folder: Path) -> Measured:
    """Loads the server at `base` for `seconds`. The data of new people contains `name`. Raises LoadFailed."""
    command = ["wrk", "--threads", str(THREADS), "--connections", str(CONNECTIONS), "--duration", f"{seconds}s"]
    command += ["--timeout", f"{TIMEOUT_SECONDS}s", "--latency", "--script", str(SCRIPT)]
    for header, value in {"Content-Type": "application/json", **traffic.headers}.items():
        command += ["--header", f"{header}: {value}"]
    command += [base, "--", name]
    for index, request in enumerate(traffic.requests):
        template = folder / f"body-{index}.json"
        template.write_text(request.body)
        command += [request.path, str(template)]
    finished = subprocess.run(command, capture_output=True, text=True, timeout=seconds + 60, check=False)
    if finished.returncode != 0:
        raise LoadFailed(f"wrk ended with exit code {finished.returncode}:\n{finished.stdout}{finished.stderr}")
    return read(finished.stdout)


def read(output: str) -> Measured:
    """Parses the RESULT line of wrk's script. Raises LoadFailed if a request failed."""
    line = re.search(r"^RESULT (.*)$", output, re.MULTILINE)
    if line is None:
        raise LoadFailed(f"wrk printed no result:\n{output}")
    numbers = {name: int(value) for name, value in re.findall(r"(\w+)=(\d+)", line[1])}
    failed = {name: numbers[name] for name in ("connect", "read", "write", "status", "timeout") if numbers[name]}
    if failed or not numbers["requests"]:
        raise LoadFailed(f"some of {numbers['requests']} requests failed: {failed}\n{output}")
    return Measured(
        requests=numbers["requests"],
        per_second=numbers["requests"] / (numbers["microseconds"] / 1e6),
        p50_ms=numbers["p50"] / 1000,
        p99_ms=numbers["p99"] / 1000,
    )
