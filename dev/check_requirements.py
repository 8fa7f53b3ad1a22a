"""Checks that requirements.txt can be installed on each supported Python (`python -m dev.check_requirements`).

pip resolves the pinned packages for the oldest and the newest versions without installing them. A package that needs a
newer Python, or has no wheel for one, fails the check.
"""

import subprocess
import sys
from pathlib import Path
from typing import Final

REQUIREMENTS: Final = Path(__file__).parents[1] / "requirements.txt"
# 3.11.2 is the Python of Debian 12.
PYTHONS: Final = ("3.11.2", "3.12", "3.13")
RESOLVE: Final = ("pip", "install", "--dry-run", "--ignore-installed", "--only-binary=:all:", "--target", "unused")


def errors(python: str) -> str:
    """Returns what pip says if the requirements cannot be installed on this Python, else an empty string."""
    command = [sys.executable, "-m", *RESOLVE, "--quiet", "--python-version", python, "-r", str(REQUIREMENTS)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=600)
    return "" if done.returncode == 0 else done.stderr


def main() -> int:
    """Prints a line for each Python; returns 1 if one of them cannot install the requirements."""
    failed = 0
    for python in PYTHONS:
        found = errors(python)
        print(f"requirements.txt on Python {python}: {'fails' if found else 'installs'}")
        if found:
            print(found, file=sys.stderr)
            failed = 1
    return failed


if __name__ == "__main__":
    sys.exit(main())
