"""Profiles the recording of an outreach: processor time of each part of our application, next to the floor.

As in bench/turns.py, the applications run in this process, without a server, and take turns. A clock of the thread's
processor time wraps the functions of each part. Time inside a wrapped function counts for its part, except time inside
another wrapped function. All other time counts for the framework.
"""

import os
import random
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, redirect_stdout
from functools import wraps
from pathlib import Path
from statistics import mean
from typing import Any, Final
from unittest.mock import patch

from pymongo import MongoClient
from pymongo.collection import Collection
from pymongo.synchronous.client_session import ClientSession

import bench.turns
import blueprints.record_outreach_helper as helper
from bench import floor
from bench.contenders import Floor, Ours
from bench.turns import Turn, application, turn_of
from blueprints.http import api
from dev.mongod import Mongod
from osdi.crud.reference_cache import Reference
from osdi.hal import Hal
from osdi.store import Store
from schemas.outreach import RecordOutreachHelperSchema

REQUESTS: Final = 1_500
WARM_UP: Final = 100

FRAMEWORK: Final = "WSGI, routing, decorators of the view"
PARSE: Final = "read and parse the body"
LOAD: Final = "load and check every field"
CALLER: Final = "who calls, and how often"
ANONYMOUS: Final = "without a token: what is taken, and contact details counted"
VIEW: Final = "match, merge, make the documents"
STORE: Final = "the write's session, errors, webhooks, what was written"
FIND: Final = "driver: find the person"
INSERT: Final = "driver: insert person and outreach"
COMMIT: Final = "driver: commit"
RESPONSE: Final = "links and JSON of the response"
LOG: Final = "the request's id and its line in the log"
HEADERS: Final = "CORS and headers of every response"
PARTS: Final = (FIND, INSERT, COMMIT, STORE, LOAD, VIEW, FRAMEWORK, CALLER, ANONYMOUS, HEADERS, LOG, PARSE, RESPONSE)
ROUND_TRIPS: Final = (FIND, INSERT, COMMIT)

WRAPPED: Final[tuple[tuple[str, Any, str], ...]] = (
    (FRAMEWORK, bench.turns, "run_wsgi_app"),
    (PARSE, api.Parser, "load_json"),
    (LOAD, RecordOutreachHelperSchema, "load"),
    (CALLER, api, "authorize"),
    (ANONYMOUS, helper, "apply_policy"),
    (VIEW, helper, "record"),
    (VIEW, Reference, "campaign"),
    (RESPONSE, Hal, "represent"),
    (RESPONSE, helper, "helper_response"),
    (STORE, Store, "write"),
    (FIND, Store, "by_match_keys"),
    (FIND, Store, "by_match_keys_and_ids"),
    (FIND, Collection, "find_one"),
    (INSERT, Collection, "insert_one"),
    (COMMIT, ClientSession, "commit_transaction"),
)
# Part of the functions before and after a request, by their module.
HOOKS: Final = {
    "blueprints.http.request_log": LOG,
    "blueprints.http.rate_limits": CALLER,
    "blueprints.http.cors": HEADERS,
    "flask_cors.extension": HEADERS,
    "app": HEADERS,
}

# Processor seconds of one request, by part.
Parts = Counter[str]


class Clock:
    """Clock that divides the thread's processor time among the parts."""

    def __init__(self) -> None:
        self.spent: Parts = Counter()
        self.calls: Parts = Counter()
        self._part = ""
        self._since = 0.0

    def enter(self, part: str) -> str:
        """Counts the time from now on for `part`. Returns the previous part."""
        timestamp = time.thread_time()
        self.spent[self._part] += timestamp - self._since
        before, self._part, self._since = self._part, part, timestamp
        return before

    def around(self, part: str, function: Callable[..., Any]) -> Callable[..., Any]:
        """Returns the function wrapped so that its time counts for `part`."""

        @wraps(function)
        def wrapper(*args: Any, **kwargs: Any) -> Any:
            self.calls[part] += 1
            before = self.enter(part)
            try:
                return function(*args, **kwargs)
            finally:
                self.enter(before)

        return wrapper


OURS: Final = (
    Ours("profile-token", "ours, with token", with_token=True),
    Ours("profile-public", "ours, without token", with_token=False),
)
FLOORS: Final = (
    Floor("profile-ordered", "floor, ordered", commit="ordered"),
    Floor("profile-transaction", "floor, transaction", commit="transaction"),
)


def measure_profile(mongod: Mongod, scratch: Path) -> str:
    """Returns the Markdown section: processor time of each part of ours and of the floor. Raises ServerFailed."""
    clock = Clock()
    kinds = (*OURS, *FLOORS)
    names = {kind.key: f"osdi_{kind.key.replace('-', '_')}" for kind in kinds}
    uris = {key: mongod.uri.replace("/osdi?", f"/{name}?") for key, name in names.items()}
    with Path(os.devnull).open("w") as devnull, redirect_stdout(devnull):
        turns = {kind.key: _ours(clock, kind, uris[kind.key], scratch) for kind in OURS}
        turns |= {kind.key: _floor(clock, kind, uris[kind.key]) for kind in FLOORS}
        samples: dict[str, list[Parts]] = {key: [] for key in turns}
        trips: Counter[str] = Counter()
        with _wrapped(clock):
            for number in range(WARM_UP + REQUESTS):
                for key in random.sample(list(turns), len(turns)):
                    parts, calls = _profiled(clock, turns[key], number)
                    if number >= WARM_UP:
                        samples[key].append(parts)
                        trips[key] += sum(calls[part] for part in ROUND_TRIPS)
    with MongoClient[dict[str, Any]](mongod.uri) as client:
        for name in names.values():
            client.drop_database(name)
    return _section([kind.label for kind in kinds], list(samples.values()), [trips[kind.key] for kind in kinds])


def _ours(clock: Clock, kind: Ours, uri: str, scratch: Path) -> Turn:
    app, traffic = application(kind, uri, scratch)
    for hooks in (app.before_request_funcs[None], app.after_request_funcs[None]):
        hooks[:] = [clock.around(HOOKS.get(hook.__module__, FRAMEWORK), hook) for hook in hooks]
    return turn_of(app, traffic, kind.label)


def _floor(clock: Clock, kind: Floor, uri: str) -> Turn:
    kind.prepare(uri)
    app = floor.create_app(uri, transaction=kind.commit == "transaction")
    app.view_functions = {name: clock.around(VIEW, view) for name, view in app.view_functions.items()}
    return turn_of(app, kind.traffic(0), kind.label)


@contextmanager
def _wrapped(clock: Clock) -> Iterator[None]:
    with ExitStack() as stack:
        for part, owner, name in WRAPPED:
            stack.enter_context(patch.object(owner, name, clock.around(part, getattr(owner, name))))
        yield


def _profiled(clock: Clock, turn: Turn, number: int) -> tuple[Parts, Parts]:
    """Returns the parts' processor time in one request, and the number of calls of each."""
    clock.spent, clock.calls = Counter(), Counter()
    turn(number)
    clock.spent.pop("", None)  # the time of making the request
    return clock.spent, clock.calls


def _section(labels: list[str], samples: list[list[Parts]], trips: list[int]) -> str:
    columns = [_milliseconds(each) for each in samples]
    sums = [sum(column.values()) for column in columns]
    lines = [f"| CPU ms per outreach | {' | '.join(labels)} |", f"|---|{'---:|' * len(labels)}"]
    for part in PARTS:
        figures = (f"{column[part]:.3f}" if part in column else "" for column in columns)
        lines.append(f"| {part} | {' | '.join(figures)} |")
    lines.append(f"| **together** | {' | '.join(f'**{each:.3f}**' for each in sums)} |")
    lines.append(f"| round trips | {' | '.join(f'{each / REQUESTS:.1f}' for each in trips)} |")
    return "\n\n".join(
        (
            "## Where the time goes",
            f"This measures {REQUESTS:,} requests of each application in one process without a server. The "
            "applications take turns. CPU is the processor time of the serving thread: the mean without "
            "the fastest and the slowest tenth of the requests. All of the floor's own work counts as "
            "matching, also parsing, documents and response. Measuring costs about a microsecond for each "
            "function that belongs to a part.",
            "\n".join(lines),
        )
    )


def _milliseconds(samples: list[Parts]) -> dict[str, float]:
    """Returns milliseconds by part: the mean of the middle eight tenths of the requests."""
    aside = len(samples) // 10
    middle = sorted(samples, key=lambda parts: sum(parts.values()))[aside : len(samples) - aside]
    present = {part for parts in middle for part in parts}
    return {part: mean(parts[part] for parts in middle) * 1_000 for part in present}
