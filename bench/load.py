"""Runs wrk against one server and reads what it measured."""

import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

THREADS = 2
CONNECTIONS = 16
# Long: a stall of the disk shall show in the 99th percentile, not end the run.
TIMEOUT_SECONDS = 20
SCRIPT = Path(__file__).with_name("post.lua")
INSTALL = "wrk is not installed. It is a Debian package: apt-get install wrk"


class LoadFailed(Exception):
    """wrk is missing, or a request of the run was not answered with success."""


@dataclass(frozen=True)
class Request:
    """One kind of request: its path and the template of its body."""

    path: str
    body: str


@dataclass(frozen=True)
class Traffic:
    """What a contender is sent: requests that take turns, their headers, and how many people were there before."""

    requests: tuple[Request, ...]
    headers: dict[str, str]
    known_people: int = 0


@dataclass(frozen=True)
class Measured:
    """What one run of wrk measured."""

    requests: int
    per_second: float
    p50_ms: float
    p99_ms: float


def require_wrk() -> None:
    """Raises LoadFailed with the way to install wrk when it is missing."""
    if shutil.which("wrk") is None:
        raise LoadFailed(INSTALL)


def run(base: str, traffic: Traffic, *, name: str, seconds: int, folder: Path) -> Measured:
    """Load `base` for some seconds. `name` keeps the run's people apart from those of another. Raises LoadFailed."""
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
    """What the script's RESULT line says. Raises LoadFailed when any request failed."""
    line = re.search(r"^RESULT (.*)$", output, re.MULTILINE)
    if line is None:
        raise LoadFailed(f"wrk printed no result:\n{output}")
    numbers = {name: int(value) for name, value in re.findall(r"(\w+)=(\d+)", line[1])}
    failed = {name: numbers[name] for name in ("connect", "read", "write", "status", "timeout") if numbers[name]}
    if failed or not numbers["requests"]:
        raise LoadFailed(f"of {numbers['requests']} requests some failed: {failed}\n{output}")
    return Measured(
        requests=numbers["requests"],
        per_second=numbers["requests"] / (numbers["microseconds"] / 1e6),
        p50_ms=numbers["p50"] / 1000,
        p99_ms=numbers["p99"] / 1000,
    )
