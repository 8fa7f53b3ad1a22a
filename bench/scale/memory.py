"""Measures the resident memory of one worker over many random requests of all kinds, also rejected ones."""

import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import click

from bench import bodies, proc
from bench.loaded_people import FIRST, helper_body
from bench.loading import HELPER
from bench.scale import lines
from bench.scale.client import ApiRequest
from bench.scale.kinds import HELPER_BOUND, KINDS, RequestFactory
from bench.scale.sizes import Filled
from bench.scale.throughput import next_run

EARLY = 10_000
BOUND = 1.1
SLICE_SECONDS = 5
LINES = 5_000
# Numbers of posts and of reads in ten requests. The others are rejected. Requests whose time grows with the collection
# are left out.
POSTS, READS = 5, 3
# Limits per hour, so that the worker stores the callers for an hour; contact details have the default limit.
LIMITS = {
    "RATE_LIMIT_ANONYMOUS": "10000000/hour",
    "RATE_LIMIT_ANONYMOUS_BYTES": "1000000000/hour",
    "RATE_LIMIT_TOKEN": "10000000/hour",
    "RATE_LIMIT_CONTACT": "60/hour",
}
READ_KINDS = [kind for kind in KINDS if kind.bound not in (None, HELPER_BOUND) and "half of all" not in kind.label]


@dataclass(frozen=True)
class Memory:
    """Resident megabytes of the worker after the first EARLY requests and after all of them."""

    early: float
    late: float
    early_requests: int
    requests: int
    ok: int

    @property
    def ratio(self) -> float:
        return self.late / self.early

    @property
    def kept(self) -> bool:
        return round(self.ratio, 2) <= BOUND


def measure_memory(filled: Filled, scratch: Path, requests: int) -> Memory:
    """Sends at least `requests` requests to one worker. Raises LoadFailed or ServerFailed."""
    early_at = min(EARLY, requests // 20)
    with filled.server(scratch, workers=1, **LIMITS) as server, filled.client(server) as client:
        mixed = list(_mixed(filled, RequestFactory(filled.loaded, client, 0)))
        (worker,) = server.workers
        sent = ok = early_requests = 0
        early = 0.0
        with click.progressbar(length=requests, label="mixed requests", file=sys.stderr) as bar:
            while sent < requests:
                seconds = SLICE_SECONDS if early else 1
                token, name = filled.loaded.token, next_run()
                done = lines.run(
                    server.base, mixed, token=token, name=name, seconds=seconds, folder=scratch, allow_rejected=True
                )
                sent, ok = sent + done.requests, ok + done.ok
                bar.update(done.requests)
                if not early and sent >= early_at:
                    early, early_requests = proc.resident_megabytes(worker), sent
        assert server.workers == [worker], "the worker was replaced"
        return Memory(early, proc.resident_megabytes(worker), early_requests, sent, ok)


def _mixed(filled: Filled, factory: RequestFactory) -> Iterator[ApiRequest]:
    loaded = filled.loaded
    for at in range(LINES):
        kind = at % 10
        if kind < POSTS:
            path = f"/advocacy_campaigns/{factory.campaign()}/{HELPER}"
            with_token = kind % 2 == 0
            if kind < POSTS - 2:
                yield ApiRequest(path, bodies.helper_body(identifiers=with_token), with_token)
            else:
                number = FIRST + factory.rng.randrange(loaded.people)
                yield ApiRequest(path, json.dumps(helper_body(number, loaded.question)), with_token)
        elif kind < POSTS + READS:
            yield factory.rng.choice(READ_KINDS).make(factory)
        else:
            yield _rejected(factory, at)


def _rejected(factory: RequestFactory, at: int) -> ApiRequest:
    """Returns a request that gets 400, 401 or 404."""
    path = f"/advocacy_campaigns/{factory.campaign()}/{HELPER}"
    return (
        ApiRequest(path, f'{{"person": {{"given_name": "broken {at}"'),
        ApiRequest(path, '{"person": {"given_name": "@unique@", "birthdate": {"year": "x"}}}', with_token=False),
        ApiRequest(f"/people/nobody-{at}"),
        factory.filtered("/people", f"given_nam eq 'x{at}'"),
        ApiRequest(f"/advocacy_campaigns/none-{at}/{HELPER}", bodies.helper_body(identifiers=False), with_token=False),
        ApiRequest(f"/people?page={at + 1}", with_token=False),
    )[at % 6]


def memory_section(memory: Memory) -> str:
    verdict = "kept" if memory.kept else "**not kept**"
    return "\n\n".join(
        (
            "### Memory of a worker",
            f"One worker served {memory.requests:,} requests of random kinds: half of them posts to the "
            "helper, with and without a token, about new people and known ones; three tenths reads and "
            f"filters; two tenths requests that must be rejected. {memory.ok:,} succeeded. Contact details are "
            "counted as by default.",
            f"| resident MB after {memory.early_requests:,} | after {memory.requests:,} | ratio | at most | |\n"
            "|---:|---:|---:|---:|---|\n"
            f"| {memory.early:.1f} | {memory.late:.1f} | {memory.ratio:.2f} | {BOUND} | {verdict} |",
        )
    )
