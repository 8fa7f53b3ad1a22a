"""A small disk that is easy to fill: a file system in memory, mounted during a row."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

# Size of the disk: enough for a mongod with its journal of 300 MB, and for the load.
MEGABYTES = 400
BALLAST = "ballast"
MOUNT_SECONDS = 10


class CannotMount(Exception):
    """This machine cannot mount a file system; the message is a sentence with the reason."""


class SmallDisk:
    """Mounts a small file system at a folder: `with SmallDisk(folder) as disk: disk.fill()`. Raises CannotMount."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __enter__(self) -> "SmallDisk":
        if sys.platform != "linux" or os.geteuid() != 0 or not shutil.which("mount"):
            raise CannotMount("This fault needs a small file system, which only root on Linux can mount.")
        self.folder.mkdir(parents=True)
        command = ["mount", "-t", "tmpfs", "-o", f"size={MEGABYTES}m", "tmpfs", str(self.folder)]
        mounted = subprocess.run(command, capture_output=True, text=True, timeout=MOUNT_SECONDS, check=False)
        if mounted.returncode != 0:
            raise CannotMount(f"This fault needs a small file system, and mounting it failed: {mounted.stderr.strip()}")
        return self

    def __exit__(self, *_: object) -> None:
        subprocess.run(["umount", str(self.folder)], timeout=MOUNT_SECONDS, check=True)

    def fill(self) -> None:
        """Writes a file that fills the disk."""
        with (self.folder / BALLAST).open("wb", buffering=0) as ballast:
            try:
                while ballast.write(bytes(65_536)):
                    pass
            except OSError:  # the disk is full
                return

    def free(self) -> None:
        """Deletes that file."""
        (self.folder / BALLAST).unlink()
