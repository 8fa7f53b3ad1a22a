"""A disk that is easily full: a small file system in memory, mounted for the time."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

# Enough for a mongod with its journal of 300 MB, and for the load.
MEGABYTES = 400
BALLAST = "ballast"
MOUNT_SECONDS = 10


class CannotMount(Exception):
    """No file system can be mounted here; the message is a sentence that says why."""


class SmallDisk:
    """A file system at the folder: `with SmallDisk(folder) as disk: disk.fill()`. Raises CannotMount."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __enter__(self) -> "SmallDisk":
        if sys.platform != "linux" or os.geteuid() != 0 or not shutil.which("mount"):
            raise CannotMount("Only root on Linux can mount the small file system that this needs.")
        self.folder.mkdir(parents=True)
        command = ["mount", "-t", "tmpfs", "-o", f"size={MEGABYTES}m", "tmpfs", str(self.folder)]
        mounted = subprocess.run(command, capture_output=True, text=True, timeout=MOUNT_SECONDS, check=False)
        if mounted.returncode != 0:
            raise CannotMount(f"The small file system that this needs cannot be mounted: {mounted.stderr.strip()}")
        return self

    def __exit__(self, *_: object) -> None:
        subprocess.run(["umount", str(self.folder)], timeout=MOUNT_SECONDS, check=True)

    def fill(self) -> None:
        """Leave no room for anything."""
        with (self.folder / BALLAST).open("wb", buffering=0) as ballast:
            try:
                while ballast.write(bytes(65_536)):
                    pass
            except OSError:  # full
                return

    def free(self) -> None:
        """Make the room again."""
        (self.folder / BALLAST).unlink()
