"""A machine with a root folder, processes, network and systemd of its own, in namespaces of Linux.

It has the programs of this machine (/usr), and folders in memory for what an operator writes: /etc, /opt, /var and the
rest. Its systemd is the real one and starts units with their users and restrictions. Its network is the loopback device
alone. Everything disappears at the end. It needs root, since an installation creates users; CannotStart says why a
machine cannot be made here.
"""

import ctypes
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from dev.debian.stand_ins import STAND_INS
from dev.mongod import MongodUnavailable, binary

ROOT: Final = Path(__file__).parents[2]
SECONDS: Final = 900.0
NETWORK: Final = 0x40000000  # CLONE_NEWNET
# The home folder of the operator.
HOME: Final = "/home/operator"
PATH: Final = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
CGROUPS: Final = ("/sys/fs/cgroup", "/sys/fs/cgroup/unified", "/sys/fs/cgroup/systemd")
# systemd gets a control group of its own, so that it sees and changes no other one.
START: Final = """
set -eu
for each in {cgroups}; do
    mkdir "$each/{name}"
    echo $$ > "$each/{name}/cgroup.procs"
done
# The machine ends with this process, also if it is killed.
exec setpriv --pdeathsig KILL unshare --kill-child --mount --pid --fork --net --ipc --uts --cgroup sh -eu "$1"
"""
# Runs in the new namespaces. No mount is visible outside of them.
MOUNT: Final = """
root={folder}/root
mount --make-rprivate /
mount -t tmpfs -o mode=755 tmpfs $root
cd $root
mkdir etc home opt srv var proc sys dev run usr old root var/lib var/log var/tmp tmp
chmod 1777 tmp var/tmp
for each in bin sbin lib lib64; do ln -s usr/$each $each; done
mkdir -p old/upper old/work
mount -t overlay -o lowerdir=/usr,upperdir=old/upper,workdir=old/work overlay usr
for each in passwd group shadow gshadow login.defs nsswitch.conf ld.so.cache pam.d security ssl alternatives \\
        mime.types caddy nginx; do
    if [ -e /etc/$each ]; then cp -a /etc/$each etc/; fi
done
mkdir -p etc/systemd/system etc/apt/sources.list.d
echo 127.0.0.1 localhost > etc/hosts
touch etc/machine-id
mkdir -p var/log/nginx var/lib/nginx
mount -t proc proc proc
mount --bind proc/sys proc/sys
mount -o remount,bind,ro proc/sys
mount -t sysfs -o ro sysfs sys
{mount_cgroups}
mount -t tmpfs -o mode=755 tmpfs dev
for each in null zero full random urandom tty; do touch dev/$each; mount --bind /dev/$each dev/$each; done
mkdir dev/pts dev/shm
mount -t devpts -o newinstance,ptmxmode=0666 devpts dev/pts
mount -t tmpfs tmpfs dev/shm
ln -s pts/ptmx dev/ptmx
ln -s /proc/self/fd dev/fd
mount -t tmpfs -o mode=755 tmpfs run
# Units of this machine that start by themselves stay out.
for each in usr/lib/systemd/system/*.wants; do mount -t tmpfs tmpfs $each; done
{mount_programs}
cp -a {folder}/overlay/. .
mkdir -p old/root
ip link set lo up
pivot_root . old/root
umount -l old/root
exec chroot . env -i container=namespaces PATH={path} LANG=C.UTF-8 \\
    /usr/lib/systemd/systemd --system --unit=machine.target --log-target=null --show-status=no
"""
TARGET: Final = """[Unit]
Description=What the machine starts by itself
DefaultDependencies=no
AllowIsolate=yes
Wants=systemd-journald.socket systemd-journald.service
"""


class CannotStart(Exception):
    """No machine can be made here; the message has the reason."""


@dataclass(frozen=True)
class Ended:
    """Result of a command: its exit code, and what it printed."""

    code: int
    output: str


class Machine:
    """`with Machine() as machine: machine.run("systemctl is-system-running")`."""

    def __init__(self) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="osdi-machine-"))
        self._process: subprocess.Popen[bytes] | None = None
        self._shell: subprocess.Popen[str] | None = None

    def __enter__(self) -> "Machine":
        try:
            self._start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        for process in (self._shell, self._process):
            if process is not None:
                process.kill()
                process.communicate()
        for each in _cgroups():
            for folder, _folders, _files in os.walk(f"{each}/{self._folder.name}", topdown=False):
                _remove_cgroup(Path(folder))
        shutil.rmtree(self._folder, ignore_errors=True)

    def run(self, command: str, *, check: bool = True, seconds: float = SECONDS) -> Ended:
        """Types a command into the operator's shell, which keeps variables and the current folder.

        Raises RuntimeError with what it printed if its exit code is not 0, unless `check` is false.
        """
        if self._shell is None:
            self._shell = self._open_shell()
        assert self._shell.stdin is not None
        assert self._shell.stdout is not None
        self._shell.stdin.write(f"{command}\n printf '\\n\\035%d\\n' $?\n")
        self._shell.stdin.flush()
        printed = ""
        end = threading.Timer(seconds, self._shell.kill)
        end.start()
        try:
            while "\035" not in printed:
                if not (line := self._shell.stdout.readline()):
                    raise RuntimeError(f"{command}\nended the shell, or took {seconds:.0f} s:\n{printed}")
                printed += line
        finally:
            end.cancel()
        output, _, code = printed.rpartition("\035")
        if check and int(code):
            raise RuntimeError(f"{command}\nended with exit code {int(code)}:\n{output}")
        return Ended(int(code), output.strip())

    def put(self, file: Path) -> None:
        """Copies a file into the home folder of the operator."""
        with file.open("rb") as opened:
            subprocess.run(
                [*self._enter(), "/usr/bin/tee", f"{HOME}/{file.name}"],
                stdin=opened,
                stdout=subprocess.DEVNULL,
                check=True,
                timeout=SECONDS,
            )

    @contextmanager
    def network(self) -> Iterator[None]:
        """Moves this thread, and threads that it starts, into the machine's network: its 127.0.0.1 is there."""
        with Path("/proc/thread-self/ns/net").open() as former, Path(f"/proc/{self._init()}/ns/net").open() as inside:
            _set_namespace(inside.fileno())
            try:
                yield
            finally:
                _set_namespace(former.fileno())

    def _start(self) -> None:
        if os.geteuid() != 0:
            raise CannotStart("only root can make a machine with users of its own")
        for program in ("setpriv", "unshare", "nsenter", "pivot_root", "ip", "systemctl"):
            if shutil.which(program, path=PATH) is None:
                raise CannotStart(f"{program} is not on this machine")
        if not Path("/usr/lib/systemd/systemd").exists():
            raise CannotStart("systemd is not on this machine")
        (self._folder / "root").mkdir()
        self._write_files()
        script, start = self._folder / "mount", self._folder / "start"
        script.write_text(
            MOUNT.format(
                folder=self._folder, path=PATH, mount_cgroups=_mount_cgroups(), mount_programs=_mount_programs()
            )
        )
        start.write_text(START.format(cgroups=" ".join(_cgroups()), name=self._folder.name))
        with (self._folder / "log").open("wb") as log:
            self._process = subprocess.Popen(
                ["/bin/sh", str(start), str(script)], stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
        ends = time.monotonic() + SECONDS
        while not self._is_up():
            if self._process.poll() is not None or time.monotonic() > ends:
                raise CannotStart(f"no namespaces or no systemd: {(self._folder / 'log').read_text().strip()}")
            time.sleep(0.1)

    def _write_files(self) -> None:
        """Writes the files that the machine has besides those of Debian, with the paths that they get."""
        overlay = self._folder / "overlay"
        files = {"etc/systemd/system/machine.target": (0o644, TARGET), **STAND_INS}
        for name, (mode, text) in files.items():
            path = overlay / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text.replace("{site_packages}", _site_packages()))
            path.chmod(mode)
        (overlay / HOME.lstrip("/")).mkdir(parents=True)

    def _is_up(self) -> bool:
        with suppress(OSError, IndexError, subprocess.TimeoutExpired):
            command = [*self._enter(), "/usr/bin/systemctl", "is-system-running"]
            asked = subprocess.run(command, capture_output=True, text=True, timeout=10, check=False)
            return asked.stdout.strip() in ("running", "degraded")
        return False

    def _init(self) -> int:
        """Returns the process id of the machine's systemd."""
        assert self._process is not None
        pid = self._process.pid
        return int(Path(f"/proc/{pid}/task/{pid}/children").read_text().split()[0])

    def _enter(self) -> list[str]:
        """Returns the beginning of a command that runs in the machine."""
        return [
            "nsenter",
            "--target",
            str(self._init()),
            *["--mount", "--pid", "--net", "--ipc", "--uts", "--cgroup", "--root", "--wd"],
        ]

    def _open_shell(self) -> subprocess.Popen[str]:
        variables = [f"PATH={PATH}", f"HOME={HOME}", "LANG=C.UTF-8", "TERM=dumb"]
        return subprocess.Popen(
            [*self._enter(), "/usr/bin/env", "-i", *variables, "/bin/bash", "-c", f"cd {HOME} && exec bash 2>&1"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            bufsize=1,
        )


def _set_namespace(descriptor: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.setns(descriptor, NETWORK):
        raise OSError(ctypes.get_errno(), "setns")


def _cgroups() -> list[str]:
    """Returns the hierarchies of control groups that systemd needs: the one of version 2, or those of a hybrid."""
    return [each for each in CGROUPS if Path(each, "cgroup.procs").exists()]


def _mount_cgroups() -> str:
    if _cgroups() == [CGROUPS[0]]:
        return "mount -t cgroup2 cgroup2 sys/fs/cgroup"
    return "\n".join(
        [
            "mount -t tmpfs -o mode=755 tmpfs sys/fs/cgroup",
            "mkdir sys/fs/cgroup/systemd sys/fs/cgroup/unified",
            "mount -t cgroup -o none,name=systemd cgroup sys/fs/cgroup/systemd",
            "mount -t cgroup2 cgroup2 sys/fs/cgroup/unified",
            # systemd mounts no further hierarchies, in which it has no group of its own.
            "mount -o remount,ro sys/fs/cgroup",
        ]
    )


def _remove_cgroup(folder: Path) -> None:
    """Removes a control group, once the processes in it have ended."""
    ends = time.monotonic() + 10
    while folder.exists() and time.monotonic() < ends:
        with suppress(OSError):
            folder.rmdir()
            return
        time.sleep(0.05)


def _mount_programs() -> str:
    """Returns the lines that add mongod, the packages of this environment, and Python if Debian has another version."""
    try:
        mongod = binary()
    except MongodUnavailable as error:
        raise CannotStart(str(error)) from error
    lines = ["touch usr/bin/mongod", f"mount --bind {mongod} usr/bin/mongod"]
    folders = [_site_packages()]
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    ask = "import ensurepip, sys; print('%d.%d' % sys.version_info[:2])"
    found = subprocess.run(["/usr/bin/python3", "-c", ask], capture_output=True, text=True, check=False, timeout=60)
    if found.stdout.strip() != version:
        folders.append(sys.base_prefix)
        lines.append(f"ln -sf {sys.base_prefix}/bin/python{version} usr/local/bin/python3")
    for each in folders:
        if not each.startswith("/usr/"):
            lines += [f"mkdir -p .{each}", f"mount --rbind {each} .{each}"]
    return "\n".join(lines)


def _site_packages() -> str:
    return next(each for each in sys.path if each.endswith("site-packages"))
