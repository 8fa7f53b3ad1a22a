"""Measures deliveries: mails that workers send to an SMTP sink, and events that they post to a webhook.

The real command `bin/osdi worker --once` runs in one or more processes until the queue is empty. The rate is
that of the middle eight tenths of the deliveries, by the sink's clock, so the start of the workers does not count. The
processor time of a start is measured separately and subtracted. Baselines send the same content with less work.
"""

import datetime as dt
import ipaddress
import os
import resource
import socket
import subprocess
import sys
import time
from argparse import Namespace
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
from pymongo import ReturnDocument

from bench import proc
from bench.contenders import Ours
from bench.server import ROOT, ServerFailed, environment
from bench.sinks import HTTP, SMTP, Received, Sink
from bench.waiting import Waiting
from dev.mongod import Mongod
from osdi.action_functions.followup_kinds import AUTORESPONSE, LEASED, QUEUED, SENT
from osdi.http_client.post import HttpPost
from osdi.ids import new_id, now
from osdi.mail import compose
from osdi.mail.mailboxes import mailbox
from osdi.mail.smtp import Smtp, SmtpServer
from osdi.messages.template_fields import fields
from osdi.messages.templates import render

DISTURBED_PERCENT = 5
MAILS = 1_000
EVENTS = 5_000
EVENTS_OF_A_POST = 100
FLOODED = 20_000
POSTED = 50_000
FLOODING = 2
WORKERS = (1, 2, 3)
# A mail server that is not on the same machine replies after about this time.
DISTANT_SECONDS = 0.005
DISTANT_WORKERS = (1, 2)
WORKER_SECONDS = 300
LEASE_SECONDS = 120
REPLY_SECONDS = 30

PUBLIC_URL = "https://osdi.example.org"
MAIL_FROM = "The River <hello@river.example.org>"
SENDER = "hello@river.example.org"
RECIPIENT = "one-1@example.com"
# Selects follow-ups that wait; all of them are due.
DUE = {"followups": {"$elemMatch": {"kind": AUTORESPONSE, "state": QUEUED}}}
LOOPBACK = (ipaddress.ip_network("127.0.0.0/8"),)


@dataclass(frozen=True)
class Delivered:
    """One measurement. Processor milliseconds are per mail or event; the sender's are the sum over its processes."""

    per_second: float
    sender_cpu_ms: float
    mongod_cpu_ms: float
    sink_cpu_ms: float
    others_percent: float


# By the name of a measurement its results, one per round.
Rounds = dict[str, list[Delivered]]


def measure_deliveries(mongod: Mongod, scratch: Path, chosen: Namespace) -> Rounds:
    """Runs all measurements once per round. Repeats those that other programs disturbed and keeps the least disturbed.

    Raises ServerFailed.
    """
    results: Rounds = {}
    with Deliveries(mongod, scratch) as deliveries:
        for number in range(chosen.rounds):
            print(f"deliveries, round {number + 1} of {chosen.rounds}", file=sys.stderr)
            for name, measurement in deliveries.measurements().items():
                results.setdefault(name, []).append(_undisturbed(name, measurement, chosen))
    return results


def _undisturbed(name: str, measurement: Callable[[], Delivered], chosen: Namespace) -> Delivered:
    results: list[Delivered] = []
    while not results or (len(results) <= chosen.retries and results[-1].others_percent > DISTURBED_PERCENT):
        proc.wait_until_quiet(DISTURBED_PERCENT, chosen.patience)
        results.append(measurement())
        figures = f"{results[-1].per_second:.0f} per second, {results[-1].others_percent:.0f} % to other programs"
        print(f"{name}: {figures}", file=sys.stderr)
    return min(results, key=lambda result: result.others_percent)


class Deliveries:
    """All measurements. `with` fills the databases once; each measurement first restores its database."""

    def __init__(self, mongod: Mongod, scratch: Path) -> None:
        self._mongod = mongod
        self._scratch = scratch
        self._mails = Sink(SMTP)
        self._distant_mails = Sink(SMTP, seconds=DISTANT_SECONDS)
        self._posts = Sink(HTTP)
        webhook = f"http://127.0.0.1:{self._posts.port}/osdi"
        self._by_token = Waiting(mongod, Ours("mails", "", with_token=True, trigger=True), MAILS)
        self._anonymous = Waiting(mongod, Ours("anonymous-mails", "", with_token=False, trigger=True), MAILS)
        self._events = Waiting(mongod, Ours("events", "", with_token=True, webhook=webhook), EVENTS)
        self._start_cpu_seconds = 0.0

    def __enter__(self) -> "Deliveries":
        for each in (self._by_token, self._anonymous, self._events):
            each.fill(self._scratch)
        return self

    def __exit__(self, *_: object) -> None:
        for each in (self._by_token, self._anonymous, self._events):
            each.close()

    def measurements(self) -> dict[str, Callable[[], Delivered]]:
        """Returns the measurements of one round by name, in order."""

        def work(waiting: Waiting, sink: Sink, workers: int) -> Callable[[], Delivered]:
            return lambda: self._work(waiting, sink, workers)

        return {
            "mails-sink": self._flooded,
            "mails-alone": self._sent_alone,
            "mails-floor": lambda: self._leased_and_sent(self._mails),
            **{f"mails-{count}": work(self._by_token, self._mails, count) for count in WORKERS},
            "mails-anonymous": work(self._anonymous, self._mails, 1),
            "distant-floor": lambda: self._leased_and_sent(self._distant_mails),
            **{f"distant-{count}": work(self._by_token, self._distant_mails, count) for count in DISTANT_WORKERS},
            "events-alone": self._posted_alone,
            "events-1": work(self._events, self._posts, 1),
        }

    def _flooded(self) -> Delivered:
        """Measures the sink alone: ready-made bytes through bare sockets, with several commands in one packet."""
        content = self._composed()
        with self._measured(self._mails) as done, ThreadPoolExecutor(FLOODING) as pool:
            ports = [self._mails.port] * FLOODING
            list(pool.map(lambda port: flood(port, content, FLOODED // FLOODING), ports))
        return done(FLOODED)

    def _sent_alone(self) -> Delivered:
        """Measures the worker's `Smtp` alone: one composed mail, sent repeatedly, without a database."""
        composed = self._composed()
        smtp = Smtp(SmtpServer.of(f"smtp://127.0.0.1:{self._mails.port}"))
        with self._measured(self._mails) as done:
            for _ in range(MAILS):
                smtp.send(composed, envelope_from=SENDER, to=RECIPIENT)
            smtp.close()
        return done(MAILS)

    def _leased_and_sent(self, sink: Sink) -> Delivered:
        """Measures the floor: a bare loop that leases a mail, sends a finished one by `Smtp`, and marks it as sent.

        It checks nothing and composes nothing. A worker has less to write, since it leases several mails at once.
        """
        self._by_token.restore()
        composed = self._composed()
        outreaches = self._by_token.outreaches()
        smtp = Smtp(SmtpServer.of(f"smtp://127.0.0.1:{sink.port}"))
        with self._measured(sink) as done:
            while leased := outreaches.find_one_and_update(DUE, _lease(), return_document=ReturnDocument.AFTER):
                smtp.send(composed, envelope_from=SENDER, to=RECIPIENT)
                ours = {"_id": leased["_id"], "followups.lease": leased["followups"][0]["lease"]}
                outreaches.update_one(ours, _mark())
            smtp.close()
        return done(MAILS)

    def _posted_alone(self) -> Delivered:
        """Measures the worker's `HttpPost` alone, with ready-made bodies as long as those that a worker posts."""
        event = {"idempotency_key": new_id(), "osdi:outreach": "x" * 1_500}
        body = orjson.dumps([event] * EVENTS_OF_A_POST)
        http = HttpPost(LOOPBACK)
        with self._measured(self._posts) as done:
            for _ in range(POSTED // EVENTS_OF_A_POST):
                http.post(f"http://127.0.0.1:{self._posts.port}/osdi", body, {"Content-Type": "application/json"})
        return done(POSTED)

    def _work(self, waiting: Waiting, sink: Sink, workers: int) -> Delivered:
        """Measures workers that empty the queue. Raises ServerFailed if an item is left, or was delivered twice."""
        waiting.restore()
        variables = waiting.contender.variables(waiting.uri) | {
            "PUBLIC_URL": PUBLIC_URL,
            "SMTP_URL": f"smtp://127.0.0.1:{self._mails.port if sink is self._posts else sink.port}",
            "MAIL_FROM": MAIL_FROM,
            "RATE_LIMIT_MAIL": "1000000/hour",
        }
        log = self._scratch / "worker.log"
        if not self._start_cpu_seconds:
            self._start_cpu_seconds = self._start(waiting, variables, log)
        with self._measured(sink, starts=workers) as done:
            run_workers(workers, variables, log)
        if left := waiting.left():
            raise ServerFailed(
                f"the workers did not deliver {left} of {waiting.count}:\n{log.read_text(errors='replace')[-3000:]}"
            )
        return done(waiting.count)

    def _start(self, waiting: Waiting, variables: dict[str, str], log: Path) -> float:
        """Returns processor seconds of a worker that finds an empty database."""
        idle = waiting.uri.replace(f"/{waiting.name}?", f"/{waiting.name}_idle?")
        before = own_cpu_seconds()
        run_workers(1, variables | {"MONGODB_URI": idle}, log)
        return own_cpu_seconds() - before

    @contextmanager
    def _measured(self, sink: Sink, *, starts: int = 0) -> Iterator[Callable[[int], Delivered]]:
        """Starts the sink and reads the clocks before and after the block.

        Yields a function to call after the block: it takes the expected count and returns the result. It raises
        ServerFailed if the sink received another count.
        """
        assert self._mongod.process is not None
        mongod = self._mongod.process.pid
        used: list[tuple[list[float], list[Received]]] = []

        def clocks() -> list[float]:
            measured = [own_cpu_seconds(), proc.cpu_seconds(mongod), sink.cpu_seconds]
            return [*measured, proc.machine_cpu_seconds() - sum(measured), time.monotonic()]

        def done(count: int) -> Delivered:
            (((sender, database, receiver, others, seconds), received),) = used
            if (found := sum(each.count for each in received)) != count:
                raise ServerFailed(f"the sink received {found} items instead of {count}")
            each = 1_000 / count
            return Delivered(
                per_second=middle_rate(received),
                sender_cpu_ms=(sender - starts * self._start_cpu_seconds) * each,
                mongod_cpu_ms=database * each,
                sink_cpu_ms=receiver * each,
                others_percent=max(0.0, others) * 100 / (seconds * (os.cpu_count() or 1)),
            )

        with sink:
            before = clocks()
            yield done
            used.append(([late - early for late, early in zip(clocks(), before, strict=True)], sink.stop()))

    def _composed(self) -> bytes:
        """Returns a mail as the worker composes it."""
        outreach, person, campaign, message = self._by_token.one_of_each()
        url = f"{PUBLIC_URL}/unsubscribe/{'x' * 60}"
        values = fields(person, outreach, campaign, by_token=True) | {"unsubscribe_url": url}
        return compose.compose(
            render(message, None, values),
            to=RECIPIENT,
            message_id=new_id(),
            sender=mailbox(MAIL_FROM),
            unsubscribe_url=url,
            date=dt.datetime.now(dt.UTC),
        )


def _lease() -> dict[str, Any]:
    until = now() + dt.timedelta(seconds=LEASE_SECONDS)
    fields = {"state": LEASED, "not_before": until, "lease": new_id()}
    return {
        "$set": {f"followups.$.{name}": value for name, value in fields.items()},
        "$inc": {"followups.$.attempts": 1},
    }


def _mark() -> dict[str, Any]:
    gone = {"followups.$.lease": "", "followups.$.not_before": ""}
    return {"$set": {"followups.$.state": SENT, "followups.$.sent_date": now()}, "$unset": gone}


def run_workers(count: int, variables: dict[str, str], log: Path) -> None:
    """Runs `count` workers in parallel until nothing is due. Raises ServerFailed with the end of their log."""
    command = [sys.executable, "-m", "flask", "--app", "wsgi", "worker", "--once"]
    with log.open("wb") as output:
        workers = [
            subprocess.Popen(command, cwd=ROOT, env=environment(variables), stdout=output, stderr=output)
            for _ in range(count)
        ]
        ends = time.monotonic() + WORKER_SECONDS
        try:
            codes = [worker.wait(max(0.1, ends - time.monotonic())) for worker in workers]
        except subprocess.TimeoutExpired:
            codes = [1]
        finally:
            for worker in workers:
                worker.kill()
                worker.wait()
    if any(codes):
        raise ServerFailed(f"a worker failed, or did not end within {WORKER_SECONDS} s:\n{log.read_text()[-3000:]}")


def flood(port: int, content: bytes, count: int) -> None:
    """Sends `count` mails on one connection, as fast as the server accepts them."""
    commands = f"MAIL FROM:<{SENDER}>\r\nRCPT TO:<{RECIPIENT}>\r\nDATA\r\n".encode()
    with socket.create_connection(("127.0.0.1", port), REPLY_SECONDS) as connection:
        replies = connection.makefile("rb")
        replies.readline()
        for _ in range(count):
            connection.sendall(commands)
            for _ in range(3):
                replies.readline()
            connection.sendall(content + b"\r\n.\r\n")
            replies.readline()


def middle_rate(received: list[Received]) -> float:
    """Returns received items per second, over the middle eight tenths of the deliveries."""
    first, last = len(received) // 10, len(received) * 9 // 10
    seconds = received[last].timestamp - received[first].timestamp
    return sum(each.count for each in received[first + 1 : last + 1]) / seconds


def own_cpu_seconds() -> float:
    """Returns processor seconds of this process and of its children that have ended."""
    ended = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + ended.ru_utime + ended.ru_stime
