"""Starts and stops the packaged mongod on a free loopback port.

`make run`, the tests and the benchmarks need a real MongoDB without set-up. A development dependency contains the
binary. This module runs it with the caller's data folder and ends only the process that it started. With `replica_set`
the server becomes a single-member replica set, which supports transactions and retryable writes. `make mongod` runs
only the database, for developers who start the other processes by hand.
"""

import importlib.util
import os
import platform
import secrets
import signal
import socket
import subprocess
import sys
import time
from functools import cache
from pathlib import Path

from pymongo import MongoClient
from pymongo.errors import OperationFailure, PyMongoError

START_SECONDS = 60
STOP_SECONDS = 30
FOLDER = Path("var/mongodb")
PORTS = range(15_000, 32_000)
PORTS_TRIED = 20
PORTS_GIVEN = Path("/proc/sys/net/ipv4/ip_local_port_range")
# Reasons of exit codes (src/mongo/util/exit_code.h). 127 is of the dynamic linker.
REASONS = {
    14: "its data in {folder}/ are damaged; restore a backup, or delete the folder to begin with an empty database",
    48: "port {port} is in use",
    100: "another program uses the data in {folder}/, such as another `make run`; stop that one first",
    127: "install OpenSSL 3 and libcurl4",
}


class MongodUnavailable(Exception):
    """There is no packaged mongod for this machine, or it did not start; the message has the reason."""


def binary() -> Path:
    """Returns the path of the mongod in the development dependency. Raises MongodUnavailable."""
    spec = importlib.util.find_spec("fiftyone")
    for location in spec.submodule_search_locations or () if spec else ():
        path = Path(location) / "db" / "bin" / "mongod"
        if path.is_file():
            if not os.access(path, os.X_OK):
                path.chmod(path.stat().st_mode | 0o111)
            return path
    raise MongodUnavailable(f"no packaged mongod for {platform.system()} {platform.machine()}")


def free_port() -> int:
    """Returns a TCP port that is free on loopback now.

    The system gives it to no outgoing connection, where it says which ports it gives: while a server restarts on its
    port, another process would take it.
    """
    for _ in range(PORTS_TRIED):
        port = secrets.choice(PORTS)
        if port < _first_given_port() and not _is_in_use(port):
            return port
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@cache
def _first_given_port() -> int:
    """Returns the first of the ports that the system gives to outgoing connections; 0 if it does not say that."""
    try:
        return int(PORTS_GIVEN.read_text().split()[0])
    except OSError:
        return 0


def kept_port(folder: Path) -> int:
    """Returns the port of the last start with this folder, so that addresses stay valid; a free one if it is in use."""
    file = folder / "port"
    text = file.read_text().strip() if file.exists() else ""
    port = int(text) if text.isdecimal() else 0
    if not port or _is_in_use(port):
        port = free_port()
        folder.mkdir(parents=True, exist_ok=True)
        file.write_text(f"{port}\n")
    return port


def _is_in_use(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as mongod does
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return True
    return False


class Mongod:
    """One mongod process: `with Mongod(folder) as mongod: connect(mongod.uri)`."""

    def __init__(
        self,
        folder: Path,
        *,
        replica_set: str | None = "rs0",
        port: int | None = None,
        transaction_seconds: int = 5,
        cache_gigabytes: float = 0.5,
        options: tuple[str, ...] = (),
    ) -> None:
        self.folder = folder
        self.replica_set = replica_set
        self.port = port or free_port()
        self.transaction_seconds = transaction_seconds
        self.cache_gigabytes = cache_gigabytes
        self.options = options
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def uri(self) -> str:
        """Connection string of the database `osdi` on this server."""
        suffix = f"?replicaSet={self.replica_set}" if self.replica_set else "?directConnection=true"
        return f"mongodb://127.0.0.1:{self.port}/osdi{suffix}"

    def start(self) -> "Mongod":
        """Starts the process and waits until it accepts writes. Raises MongodUnavailable with the reason."""
        data = self.folder / "data"
        try:
            data.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise MongodUnavailable(
                f"mongod did not start: {self.folder}/ cannot be written: {error.strerror}"
            ) from error
        command = [
            str(binary()),
            *("--dbpath", str(data), "--port", str(self.port), "--bind_ip", "127.0.0.1", "--nounixsocket"),
            *("--logpath", str(self.log), "--logappend"),
            *("--wiredTigerCacheSizeGB", str(self.cache_gigabytes)),
            *(("--replSet", self.replica_set) if self.replica_set else ()),
            # A transaction keeps its locks for this time if its client is lost. Ours take milliseconds.
            *("--setParameter", f"transactionLifetimeLimitSeconds={self.transaction_seconds}"),
            *self.options,
        ]
        # A separate session, so that Ctrl-C reaches only the supervisor, which stops the server last.
        self.process = subprocess.Popen(
            command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
        )
        try:
            self._wait_until_writable()
        except (PyMongoError, MongodUnavailable) as error:
            self.stop()
            raise MongodUnavailable(f"mongod did not start: {error}.") from error
        return self

    def stop(self) -> None:
        """Ends the process that this object started: by SIGTERM, then by SIGKILL."""
        if self.process is None or self.process.poll() is not None:
            return
        self.process.terminate()
        try:
            self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    @property
    def log(self) -> Path:
        return self.folder / "mongod.log"

    def __enter__(self) -> "Mongod":
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _wait_until_writable(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        address = f"mongodb://127.0.0.1:{self.port}/?directConnection=true"
        with MongoClient[dict[str, object]](address, serverSelectionTimeoutMS=500) as client:
            while time.monotonic() < deadline:
                if self.process is not None and self.process.poll() is not None:
                    raise MongodUnavailable(self._reason(self.process.returncode))
                try:
                    if client.admin.command("hello")["isWritablePrimary"]:
                        return
                    if self.replica_set:
                        self._make_primary(client)
                except PyMongoError:
                    pass  # not listening yet, or during an election; try again until the deadline
                time.sleep(0.05)
        raise MongodUnavailable(f"it did not accept writes within {START_SECONDS} s")

    def _make_primary(self, client: "MongoClient[dict[str, object]]") -> None:
        """Initiates the replica set, or changes its address if it ran on another port before."""
        host = f"127.0.0.1:{self.port}"
        member = {"_id": 0, "host": host}
        try:
            config = client.admin.command("replSetGetConfig")["config"]
        except OperationFailure:
            client.admin.command("replSetInitiate", {"_id": self.replica_set, "members": [member]})
            return
        if config["members"][0]["host"] != host:
            config["members"][0]["host"] = host
            config["version"] += 1
            client.admin.command("replSetReconfig", config, force=True)

    def _reason(self, exit_code: int) -> str:
        """Returns the reason of an exit code, or the end of the log if the code has no known reason."""
        if exit_code in REASONS:
            return REASONS[exit_code].format(folder=self.folder, port=self.port)
        tail = self.log.read_text(errors="replace").splitlines()[-5:] if self.log.exists() else ()
        return "\n".join((f"it ended with exit code {exit_code}, and its log ends with", *tail))


def main() -> int:
    """Runs mongod until Ctrl-C or SIGTERM and prints its connection string. Returns the exit code."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        with Mongod(FOLDER, port=kept_port(FOLDER)) as mongod:
            print(f"MongoDB runs. Its data is in {FOLDER}/. Ctrl-C stops it. In another terminal:\n")
            print(f"export MONGODB_URI='{mongod.uri}'", flush=True)
            assert mongod.process is not None
            return mongod.process.wait()
    except KeyboardInterrupt:
        return 0
    except MongodUnavailable as error:
        print(error, file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
