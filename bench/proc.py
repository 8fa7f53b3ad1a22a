"""Reads /proc of Linux: memory and processor time of processes, and the load of the machine."""

import os
import time
from pathlib import Path

TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")
SAMPLE_SECONDS = 3.0


def children(pid: int) -> list[int]:
    """Returns the ids of a process's child processes."""
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def resident_megabytes(pid: int) -> float:
    """Returns the resident memory of one process."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmRSS:"))


def cpu_seconds(pid: int, *, with_ended_children: bool = False) -> float:
    """Returns the processor time that one process has used so far, in user and system mode."""
    # The process name in parentheses may contain spaces; the fields after it do not.
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return sum(map(int, fields[11 : 15 if with_ended_children else 13])) / TICKS_PER_SECOND


def machine_cpu_seconds() -> float:
    """Returns the processor time that all processes of the machine have used so far."""
    user, nice, system, _idle, _waiting, interrupts, soft_interrupts = map(
        int, Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:8]
    )
    return (user + nice + system + interrupts + soft_interrupts) / TICKS_PER_SECOND


def wait_until_quiet(percent: float, seconds: float) -> None:
    """Waits until the load of all processors is at most `percent`, but no longer than `seconds`."""
    ends = time.monotonic() + seconds
    while (left := ends - time.monotonic()) > 0:
        before, sampled = machine_cpu_seconds(), min(SAMPLE_SECONDS, left)
        time.sleep(sampled)
        if machine_cpu_seconds() - before <= percent / 100 * sampled * (os.cpu_count() or 1):
            return


def file_system(path: Path) -> str:
    """Returns the type of the file system that contains a path."""
    mounts = [line.split() for line in Path("/proc/mounts").read_text().splitlines()]
    found = {Path(fields[1]): fields[2] for fields in mounts}
    return next(found[folder] for folder in (path.resolve(), *path.resolve().parents) if folder in found)


def processor() -> str:
    """Returns the processor's model name, or "unknown"."""
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), "unknown")
