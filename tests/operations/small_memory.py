"""gunicorn with a small `/dev/shm`: `python -m tests.operations.small_memory KILOBYTES wsgi:app`.

The process is in namespaces of its own, so the memory is small for this server only.
"""

import ctypes
import os
import runpy
import subprocess
import sys
from pathlib import Path

USER, MOUNT = 0x10000000, 0x00020000  # CLONE_NEWUSER, CLONE_NEWNS
NOT_ALLOWED = 77


def limit_memory(kilobytes: str) -> None:
    """Mounts a small file system as root of the new namespaces. Raises OSError if this machine allows none."""
    user, group = os.getuid(), os.getgid()
    if ctypes.CDLL(None, use_errno=True).unshare(USER | MOUNT):
        raise OSError(ctypes.get_errno(), "unshare")
    for name, text in (("setgroups", "deny"), ("uid_map", f"0 {user} 1"), ("gid_map", f"0 {group} 1")):
        Path("/proc/self", name).write_text(text)
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={kilobytes}k", "tmpfs", "/dev/shm"], check=True)


if __name__ == "__main__":
    try:
        limit_memory(sys.argv[1])
    except (OSError, subprocess.CalledProcessError) as error:
        print(error, file=sys.stderr)
        sys.exit(NOT_ALLOWED)
    if len(sys.argv) > 2:
        sys.argv = ["gunicorn", *sys.argv[2:]]
        runpy.run_module("gunicorn", run_name="__main__", alter_sys=True)
