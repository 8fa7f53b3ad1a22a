"""Starts and stops the packaged mongod on a free loopback port.

`make run`, the tests and the benchmarks need a real MongoDB without set-up. A development dependency contains the
binary. This module runs it with the caller's data folder and ends only the process that it started. With `replica_set`
the server becomes a single-member replica set, which supports transactions and retryable writes. `make mongod` runs
only the database, for developers who start the other processes by hand.
"""

import importlib.util
import os
import platform
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

from pymongo import MongoClient
from pymongo.errors import OperationFailure, PyMongoError

START_SECONDS = 60
STOP_SECONDS = 30
FOLDER = Path("var/mongodb")


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
    """Returns a TCP port that is free on loopback now."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


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
        """Starts the process and waits until it accepts writes. Raises MongodUnavailable with the end of the log."""
        data = self.folder / "data"
        data.mkdir(parents=True, exist_ok=True)
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
            raise MongodUnavailable(f"mongod did not start: {error}\n{self._log_tail()}") from error
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
                    # 127 comes from the dynamic linker: the packaged binary needs two libraries of the system.
                    hint = "; install OpenSSL 3 and libcurl4" if self.process.returncode == 127 else ""
                    raise MongodUnavailable(f"it ended with exit code {self.process.returncode}{hint}")
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

    def _log_tail(self) -> str:
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-5:]) if self.log.exists() else ""


def main() -> int:
    """Runs mongod until Ctrl-C or SIGTERM and prints its connection string. Returns the exit code."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        with Mongod(FOLDER) as mongod:
            print(f"MongoDB runs. Its data is in {FOLDER}/. Ctrl-C stops it. In another terminal:\n")
            print(f"export MONGODB_URI='{mongod.uri}'", flush=True)
            assert mongod.process is not None
            return mongod.process.wait()
    except KeyboardInterrupt:
        return 0
    except MongodUnavailable as error:
        print(f"MongoDB did not start: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
