"""Sinks: servers that receive what a worker sends and discard it, one for mails and one for webhooks.

`python -m bench.sinks smtp PORT` (or `http PORT`) runs a sink in its own process, so that its processor time does not
count as the worker's. With a third argument, a number of seconds, it waits as long before each reply. On SIGTERM it
prints what it received and when. The sinks understand only what `smtplib` and `http.client` send, because a server with
complete checks would be slower than the measured worker.
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
class Received:
    """One received mail or POST: time (seconds of the monotonic clock), number of items in it, and size in bytes."""

    timestamp: float
    count: int
    size: int


class Sink:
    """Runs a sink in its own process: `with Sink(SMTP) as sink: ...; sink.stop()`. The port stays the same.

    It waits for `seconds` before each reply, as a mail server that is not on the same machine.
    """

    def __init__(self, kind: str, port: int | None = None, *, seconds: float = 0) -> None:
        self.kind = kind
        self.port = port or free_port()
        self.seconds = seconds
        self._process: subprocess.Popen[str] | None = None

    def __enter__(self) -> "Sink":
        command = [sys.executable, "-m", "bench.sinks", self.kind, str(self.port), str(self.seconds)]
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
        """Processor seconds that the sink has used so far."""
        assert self._process is not None
        return proc.cpu_seconds(self._process.pid)

    def stop(self) -> list[Received]:
        """Ends the sink and returns what it received, in order."""
        assert self._process is not None
        self._process.terminate()
        printed, _ = self._process.communicate(timeout=STOP_SECONDS)
        return [Received(*each) for each in json.loads(printed)]


QUIT = b"221 bye\r\n"
OK = b"250 sink\r\n"
REPLIES = {b"EHLO": b"250-sink\r\n250 PIPELINING\r\n", b"MAIL": OK, b"RCPT": OK, b"RSET": OK}
REPLIES |= {b"DATA": b"354 go on\r\n", b"QUIT": QUIT}


class Mails(asyncio.Protocol):
    """SMTP (RFC 5321) for a client that meets no error: EHLO, MAIL, RCPT, DATA, RSET, QUIT.

    Replies to commands that come together go together, `seconds` later.
    """

    def __init__(self, received: list[Received], seconds: float) -> None:
        self._received = received
        self._seconds = seconds
        self._buffer = b""
        self._in_mail = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._reply(b"220 sink\r\n")

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        replies = []
        while True:
            line, end, rest = self._buffer.partition(b"\r\n.\r\n" if self._in_mail else b"\r\n")
            if not end:
                break
            self._buffer = rest
            if self._in_mail:
                self._in_mail = False
                self._received.append(Received(time.monotonic(), 1, len(line)))
                replies.append(b"250 accepted\r\n")
            else:
                replies.append(self._reply_to(line[:4].upper()))
        if replies:
            self._reply(b"".join(replies), last=QUIT in replies)

    def _reply(self, replies: bytes, *, last: bool = False) -> None:
        if self._seconds:
            asyncio.get_running_loop().call_later(self._seconds, self._write, replies, last)
        else:
            self._write(replies, last)

    def _write(self, replies: bytes, last: bool) -> None:
        self._transport.write(replies)
        if last:
            self._transport.close()

    def _reply_to(self, verb: bytes) -> bytes:
        self._in_mail = verb == b"DATA"
        return REPLIES.get(verb, b"502 not implemented\r\n")


class Posts(asyncio.Protocol):
    """HTTP/1.1 for one POST per connection, whose body is a JSON array."""

    def __init__(self, received: list[Received]) -> None:
        self._received = received
        self._buffer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head, end, body = self._buffer.partition(b"\r\n\r\n")
        if not end or len(body) < _content_length(head):
            return
        self._received.append(Received(time.monotonic(), len(orjson.loads(body)), len(body)))
        self._transport.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        self._transport.close()


def _content_length(head: bytes) -> int:
    lines = (line.partition(b":") for line in head.split(b"\r\n"))
    return next(int(value) for name, _, value in lines if name.lower() == b"content-length")


async def _serve(kind: str, port: int, seconds: float) -> list[Received]:
    received: list[Received] = []
    loop = asyncio.get_running_loop()
    stopped = asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, stopped.set)
    server = await loop.create_server(
        lambda: Mails(received, seconds) if kind == SMTP else Posts(received), "127.0.0.1", port
    )
    print("listening", flush=True)
    await stopped.wait()
    server.close()
    return received


if __name__ == "__main__":
    found = asyncio.run(_serve(sys.argv[1], int(sys.argv[2]), float(sys.argv[3]) if sys.argv[3:] else 0))
    print(json.dumps([(each.timestamp, each.count, each.size) for each in found]), flush=True)
