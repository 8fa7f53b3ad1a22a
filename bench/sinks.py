"""Two servers that take what a worker sends and do nothing else with it: one for mails, one for webhooks' POSTs.

`python -m bench.sinks smtp PORT` or `... http PORT` runs one in a process of its own, so that its work is not counted
as the worker's. On SIGTERM it prints what it took and when. They know what `smtplib` and `http.client` send, no more:
a server that checked everything would be slower than what is to be measured.
"""

import asyncio
import json
import signal
import subprocess
import sys
import time
from dataclasses import dataclass

import orjson

from bench import proc
from bench.server import ROOT, ServerFailed, environment
from dev.mongod import free_port

SMTP, HTTP = "smtp", "http"
STOP_SECONDS = 20


@dataclass(frozen=True)
class Taken:
    """One mail, or one POST: when it was taken (seconds of the monotonic clock), how many it held, and its bytes."""

    timestamp: float
    count: int
    size: int


class Sink:
    """A sink in a process of its own: `with Sink(SMTP) as sink: ...; sink.stop()`, on the same port each time."""

    def __init__(self, kind: str, port: int | None = None) -> None:
        self.kind = kind
        self.port = port or free_port()
        self._process: subprocess.Popen[str] | None = None

    def __enter__(self) -> "Sink":
        command = [sys.executable, "-m", "bench.sinks", self.kind, str(self.port)]
        self._process = subprocess.Popen(
            command, cwd=ROOT, env=environment({}), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True
        )
        assert self._process.stdout is not None
        if self._process.stdout.readline().strip() != "listening":
            raise ServerFailed(f"the {self.kind} sink did not start")
        return self

    def __exit__(self, *_: object) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.kill()
            self._process.wait()

    @property
    def cpu_seconds(self) -> float:
        """Processor time that it has used so far."""
        assert self._process is not None
        return proc.cpu_seconds(self._process.pid)

    def stop(self) -> list[Taken]:
        """End it; what it took, in order."""
        assert self._process is not None
        self._process.terminate()
        printed, _ = self._process.communicate(timeout=STOP_SECONDS)
        return [Taken(*each) for each in json.loads(printed)]


class Mails(asyncio.Protocol):
    """SMTP (RFC 5321) as far as a client goes that finds no fault: EHLO, MAIL, RCPT, DATA, RSET, QUIT."""

    def __init__(self, taken: list[Taken]) -> None:
        self._taken = taken
        self._buffer = b""
        self._in_mail = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        transport.write(b"220 sink\r\n")

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while True:
            line, end, rest = self._buffer.partition(b"\r\n.\r\n" if self._in_mail else b"\r\n")
            if not end:
                return
            self._buffer = rest
            if self._in_mail:
                self._in_mail = False
                self._taken.append(Taken(time.monotonic(), 1, len(line)))
                self._transport.write(b"250 taken\r\n")
            else:
                self._command(line[:4].upper())

    def _command(self, verb: bytes) -> None:
        if verb == b"DATA":
            self._in_mail = True
            self._transport.write(b"354 go on\r\n")
        elif verb == b"QUIT":
            self._transport.write(b"221 bye\r\n")
            self._transport.close()
        elif verb in (b"EHLO", b"MAIL", b"RCPT", b"RSET"):
            self._transport.write(b"250 sink\r\n")
        else:
            self._transport.write(b"502 not here\r\n")


class Posts(asyncio.Protocol):
    """HTTP/1.1 as far as one POST on a connection goes, whose body is a JSON array."""

    def __init__(self, taken: list[Taken]) -> None:
        self._taken = taken
        self._buffer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head, end, body = self._buffer.partition(b"\r\n\r\n")
        if not end or len(body) < _content_length(head):
            return
        self._taken.append(Taken(time.monotonic(), len(orjson.loads(body)), len(body)))
        self._transport.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        self._transport.close()


def _content_length(head: bytes) -> int:
    lines = (line.partition(b":") for line in head.split(b"\r\n"))
    return next(int(value) for name, _, value in lines if name.lower() == b"content-length")


async def _serve(kind: str, port: int) -> list[Taken]:
    taken: list[Taken] = []
    protocol = Mails if kind == SMTP else Posts
    loop = asyncio.get_running_loop()
    over = asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, over.set)
    server = await loop.create_server(lambda: protocol(taken), "127.0.0.1", port)
    print("listening", flush=True)
    await over.wait()
    server.close()
    return taken


if __name__ == "__main__":
    found = asyncio.run(_serve(sys.argv[1], int(sys.argv[2])))
    print(json.dumps([(each.timestamp, each.count, each.size) for each in found]), flush=True)
