"""Starts Python processes of the project quickly: a fork server imports the packages once, and forks for each process.

Importing the application takes most of the time that a process needs to start, and the suite starts hundreds. A forked
process runs `python -m MODULE ARGUMENTS` with the environment, folder and files that it gets, like a started one; only
the imported modules are there already. No thread runs in the fork server, and nothing in it has read a setting.

`popen` is for tests. The file, run as a program, is the fork server itself.
"""

import atexit
import contextlib
import fcntl
import gc
import importlib
import io
import json
import os
import runpy
import select
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import IO, Any

ROOT = Path(__file__).parents[2]
LENGTH = 4  # bytes that contain the length of a request
FILES = 8  # most files of a request
HIGH = 64  # no process gets a file with this number or a higher one
# These import all that gunicorn, the flask command and the worker need, except prometheus_client, which reads the
# environment then.
PRELOADED = (
    "app",
    "blueprints.staff",
    "flask.cli",
    "gunicorn.app.wsgiapp",
    "gunicorn.workers.gthread",
    "osdi.commands.backup",
    "osdi.commands.worker",
    "osdi.operations.serving.gunicorn_worker",
)

AN_ADDRESS = "http://127.0.0.1"


class ForkedProcess:
    """A process of the fork server, with the part of subprocess.Popen's interface that tests use."""

    def __init__(self, arguments: Sequence[str], pid: int, ended: socket.socket) -> None:
        self.args = arguments
        self.pid = pid
        self.returncode: int | None = None
        self._ended = ended  # receives the exit code

    def poll(self) -> int | None:
        """Returns the exit code, or None while the process runs."""
        return self._receive(0)

    def wait(self, timeout: float | None = None) -> int:
        """Returns the exit code; negative for a signal. Raises subprocess.TimeoutExpired."""
        code = self._receive(timeout)
        if code is None:
            raise subprocess.TimeoutExpired(self.args, timeout or 0)
        return code

    def send_signal(self, number: int) -> None:
        """Sends a signal, if the process runs."""
        if self.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def terminate(self) -> None:
        """Sends SIGTERM."""
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """Sends SIGKILL."""
        self.send_signal(signal.SIGKILL)

    def _receive(self, timeout: float | None) -> int | None:
        if self.returncode is None and select.select([self._ended], [], [], timeout)[0]:
            message = self._ended.recv(64)
            self.returncode = int(message) if message else -signal.SIGKILL
            self._ended.close()
        return self.returncode

    def __del__(self) -> None:
        self._ended.close()


def popen(
    module: str,
    *arguments: str,
    env: Mapping[str, str],
    stdout: IO[Any] | int,
    stderr: IO[Any] | int = subprocess.STDOUT,
    cwd: Path = ROOT,
    others: Mapping[int, int] = MappingProxyType({}),
) -> ForkedProcess:
    """Starts `python -m module arguments` in a session of its own, as leader of its process group.

    `others` are more files that the process gets: their numbers there, each with the number here.
    """
    command = [module, *arguments]
    ours, theirs = socket.socketpair()
    out = stdout if isinstance(stdout, int) else stdout.fileno()
    err = out if stderr == subprocess.STDOUT else stderr if isinstance(stderr, int) else stderr.fileno()
    request = json.dumps({"command": command, "env": dict(env), "cwd": str(cwd), "others": [*others]}).encode()
    _, server = _server()
    with theirs:
        socket.send_fds(server, [b"+"], [out, err, theirs.fileno(), *others.values()])
        ours.sendall(len(request).to_bytes(LENGTH, "big") + request)
    return ForkedProcess(command, int(ours.recv(64)), ours)


def run(
    module: str, *arguments: str, env: Mapping[str, str], timeout: float, cwd: Path = ROOT
) -> subprocess.CompletedProcess[str]:
    """Runs `python -m module arguments` to its end; returns exit code and output. Raises subprocess.TimeoutExpired."""
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        process = popen(module, *arguments, env=env, stdout=out, stderr=err, cwd=cwd)
        try:
            code = process.wait(timeout)
        except subprocess.TimeoutExpired:
            process.kill()
            raise
        texts = []
        for file in (out, err):
            file.seek(0)
            texts.append(file.read().decode())
    return subprocess.CompletedProcess([module, *arguments], code, *texts)


@cache
def _server() -> tuple[subprocess.Popen[bytes], socket.socket]:
    """Returns the fork server of this process and the connection to it. It ends with the connection.

    Each byte on the connection comes with the files of a request, one of which is a socket for the request itself. So
    several threads can start processes at the same time.
    """
    ours, theirs = socket.socketpair()
    with theirs:
        command = [sys.executable, "-m", __name__, str(theirs.fileno())]
        server = subprocess.Popen(command, cwd=ROOT, pass_fds=[theirs.fileno()], stdin=subprocess.DEVNULL)
    return server, ours


def serve(requests: socket.socket) -> dict[str, Any] | None:
    """Forks a process for each request. Returns None at the end; in a forked process, returns its request."""
    children: dict[int, socket.socket] = {}
    woken, wake = socket.socketpair()
    wake.setblocking(False)
    signal.set_wakeup_fd(wake.fileno(), warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C ends pytest, and with it the connection
    while True:
        readable, _, _ = select.select([requests, woken], [], [])
        if woken in readable:
            woken.recv(1024)
            _report_ended(children)
        if requests in readable:
            byte, fds, _, _ = socket.recv_fds(requests, 1, FILES)
            if not byte:
                return None
            ended = socket.socket(fileno=fds[2])
            try:
                request = json.loads(_received(ended, int.from_bytes(_received(ended, LENGTH), "big")))
            except EOFError:  # the process that asks has ended
                for fd in (ended.detach(), fds[0], fds[1], *fds[3:]):
                    os.close(fd)
                continue
            pid = os.fork()
            if pid == 0:
                for each in (requests, woken, wake, ended, *children.values()):
                    each.detach()  # otherwise its end would close another file that has its number then
                return _become(request, fds)
            children[pid] = ended
            for fd in (fds[0], fds[1], *fds[3:]):
                os.close(fd)
            children[pid].send(str(pid).encode())


def _received(connection: socket.socket, length: int) -> bytes:
    parts = b""
    while len(parts) < length:
        part = connection.recv(length - len(parts))
        if not part:
            raise EOFError
        parts += part
    return parts


def _report_ended(children: dict[int, socket.socket]) -> None:
    """Sends the exit code of each process that has ended."""
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if pid == 0:
            return
        with children.pop(pid) as ended, contextlib.suppress(BrokenPipeError):
            ended.send(str(os.waitstatus_to_exitcode(status)).encode())


def _become(request: dict[str, Any], fds: Sequence[int]) -> dict[str, Any]:
    """Gives the forked process its session, files, folder, environment and signal handlers."""
    os.setsid()
    signal.set_wakeup_fd(-1)
    for number in (signal.SIGCHLD, signal.SIGINT):
        signal.signal(number, signal.SIG_DFL if number == signal.SIGCHLD else signal.default_int_handler)
    os.dup2(fds[0], 1)
    os.dup2(fds[1], 2)
    others = [fcntl.fcntl(fd, fcntl.F_DUPFD, HIGH) for fd in fds[3:]]
    os.closerange(3, HIGH)
    for number, fd in zip(request["others"], others, strict=True):
        os.dup2(fd, number)
    os.closerange(HIGH, 4096)
    os.chdir(request["cwd"])
    os.environ.clear()
    os.environ.update(request["env"])
    time.tzset()
    unbuffered = bool(os.environ.get("PYTHONUNBUFFERED"))
    sys.stdout = sys.__stdout__ = io.TextIOWrapper(io.FileIO(1, "wb", closefd=False), write_through=unbuffered)
    sys.stderr = sys.__stderr__ = io.TextIOWrapper(io.FileIO(2, "wb", closefd=False), write_through=True)
    sys.path[:1] = [request["cwd"], *filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))]
    return request


def main(fd: int) -> None:
    """Serves; a forked process runs its module instead."""
    from osdi.settings.validators import public_url  # the tests import this file too, without the application

    for name in PRELOADED:
        importlib.import_module(name)
    public_url(AN_ADDRESS)  # compiles the regular expression of addresses, which takes as long as a start
    gc.collect()
    gc.freeze()  # a collection in a forked process would copy all these pages
    request = serve(socket.socket(fileno=fd))
    if request is None:
        return
    module, *arguments = request["command"]
    sys.argv = [module, *arguments]
    code: object = None
    try:
        runpy.run_module(module, run_name="__main__", alter_sys=True)
    except SystemExit as end:
        code = end.code
    _end(code)


def _end(code: object) -> None:
    """Ends the process as Python does, but frees no memory, which takes as long as a start."""
    if not isinstance(code, int | None):
        print(code, file=sys.stderr)
        code = 1
    threading._shutdown()  # type: ignore[attr-defined]  # waits for the threads
    atexit._run_exitfuncs()
    try:
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
    except (OSError, ValueError):
        sys.exit(code)  # Python reports it
    os._exit(code or 0)


if __name__ == "__main__":
    main(int(sys.argv[1]))
