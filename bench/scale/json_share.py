"""Measures the share of a request that goes to JSON, with orjson (which we use) and with the standard library."""

import json
import timeit
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import orjson

from bench import bodies
from bench.scale.client import ApiRequest
from bench.scale.kinds import PEOPLE, PER_PAGE, RequestFactory
from bench.scale.sizes import Filled

READINGS = 200
REPEATS = 7
LOOPS = 300


@dataclass(frozen=True)
class Share:
    """One kind of request: milliseconds until its response, and microseconds of JSON with each library."""

    label: str
    milliseconds: float
    read_bytes: int
    written_bytes: int
    orjson: float
    standard: float

    @property
    def part(self) -> float:
        """Share of the request's time that JSON takes with orjson."""
        return self.orjson / 1_000 / self.milliseconds

    @property
    def part_standard(self) -> float:
        """Share of the request's time that JSON would take with the standard library."""
        more = (self.standard - self.orjson) / 1_000
        return self.standard / 1_000 / (self.milliseconds + more)


def measure_json(filled: Filled, scratch: Path) -> list[Share]:
    """Measures a post to the helper and a page of people, with real bodies over HTTP. Raises ServerFailed."""
    with filled.server(scratch, workers=1) as server, filled.client(server) as client:
        factory = RequestFactory(filled.loaded, client, 7)
        path = factory.new_person(with_token=True).path

        def post() -> ApiRequest:
            # Other names and phone numbers than the factory's other requests, so that every person is new.
            body = bodies.helper_body(identifiers=True).replace("@unique@", f"json-{next(factory.numbers)}")
            return ApiRequest(path, body.replace("@phone@", str(14_000_000_000 + next(factory.numbers))))

        def page() -> ApiRequest:
            return ApiRequest(f"{PEOPLE}?per_page={PER_PAGE}")

        return [
            _share("helper, somebody new, with token", client.send, post),
            _share(f"a page of {PER_PAGE} people", client.send, page),
        ]


def _share(label: str, send: Callable[[ApiRequest], Any], make: Callable[[], ApiRequest]) -> Share:
    responses = [send(make()) for _ in range(READINGS)]
    sent, received = (make().body or "").encode(), responses[-1].body
    document = orjson.loads(received)
    fast = _microseconds(lambda: orjson.dumps(document)) + (_microseconds(lambda: orjson.loads(sent)) if sent else 0)
    # As Flask does: it dumps to text, then encodes it.
    standard = _microseconds(lambda: json.dumps(document).encode())
    standard += _microseconds(lambda: json.loads(sent)) if sent else 0
    milliseconds = median(response.seconds for response in responses) * 1_000
    return Share(label, milliseconds, len(sent), len(received), fast, standard)


def _microseconds(call: Callable[[], object]) -> float:
    return min(timeit.repeat(call, number=LOOPS, repeat=REPEATS)) / LOOPS * 1e6


def json_section(shares: list[Share]) -> str:
    lines = [
        "| | ms until the response | bytes read | bytes written | orjson, µs | standard library, µs | ratio | share "
        "of the request | with the standard library |",
        f"|---|{'---:|' * 8}",
    ]
    lines += [
        f"| {each.label} | {each.milliseconds:.2f} | {each.read_bytes:,} | {each.written_bytes:,} | "
        f"{each.orjson:.0f} | {each.standard:.0f} | {each.standard / each.orjson:.1f} | {each.part:.1%} | "
        f"{each.part_standard:.1%} |"
        for each in shares
    ]
    return "\n\n".join(
        (
            "### JSON",
            "This measures reading the body and writing the response separately, next to the median of "
            f"{READINGS} requests over HTTP.",
            "\n".join(lines),
            "We keep orjson. Its speed hardly matters for our requests, but the standard library would take "
            f"{shares[-1].part_standard:.0%} of a page and {shares[0].part_standard:.1%} of a post. orjson also "
            "writes dates in the standard's form, and it rejects NaN and broken Unicode, which the standard "
            "library accepts.",
        )
    )
