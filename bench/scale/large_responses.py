"""Measures responses about very many people: the first byte of files, and the deletion of a tag that many of them have.

The largest database is used. The part of the worker that counts the names of custom fields runs first, and that which
completes the deletion after the response. Meanwhile a client posts, so that the row shows if posts wait for the worker.
"""

import http.client
import random
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import urlencode

import click

from bench.contenders import API
from bench.loaded_people import FAMILY
from bench.scale.busy_campaign import percentile
from bench.scale.client import Client
from bench.scale.kinds import RequestFactory
from bench.scale.sizes import Filled
from bench.server import ServerFailed
from osdi.crud.delete import complete_next_deletion
from osdi.ids import now
from osdi.people.custom_names_store import count_next
from osdi.resources import PERSON
from osdi.store import Store

TURNS: Final = 20
TIMEOUT_SECONDS: Final = 60
# After the client has closed a connection, the server notices that at the next part of the file.
BUSY_SECONDS: Final = 0.2
BUSY_ATTEMPTS: Final = 100
FIRST_BYTE_MS: Final = 1_000
DELETION_MS: Final = 5_000


@dataclass(frozen=True)
class FirstByte:
    """The milliseconds until the first byte of a file came, in each turn."""

    label: str
    milliseconds: tuple[float, ...]

    @property
    def kept(self) -> bool:
        return percentile(self.milliseconds, 0.95) <= FIRST_BYTE_MS


@dataclass(frozen=True)
class Deletion:
    """The deletion of a tag: people who had it, milliseconds until the response, and seconds of the worker.

    Also the milliseconds of posts before the deletion, and while the worker removed the taggings.
    """

    people: int
    response_ms: float
    worker: float
    before: tuple[float, ...]
    meanwhile: tuple[float, ...]


@dataclass(frozen=True)
class LargeResponses:
    """The rows of files, the seconds in which names were counted, and the deletion."""

    files: tuple[FirstByte, ...]
    counted_in: float
    deletion: Deletion

    @property
    def broken(self) -> list[str]:
        """A sentence for each broken bound."""
        found = [f"first byte of {each.label}: more than {FIRST_BYTE_MS} ms" for each in self.files if not each.kept]
        if self.deletion.response_ms > DELETION_MS:
            found.append(f"deletion of a tag: response after {self.deletion.response_ms:.0f} ms, at most {DELETION_MS}")
        return found


def paths_of(factory: RequestFactory) -> dict[str, str]:
    """Returns the files that are measured, by their labels."""
    half = urlencode({"filter": factory.half("modified_date")})
    named = urlencode({"filter": f"family_name eq '{FAMILY[-1]}'"})
    campaign = factory.loaded.campaigns[-1]
    return {
        "`people.csv`": "/people.csv",
        "`people.csv` by `modified_date`, half of all": f"/people.csv?{half}",
        "`people.csv` by `family_name`": f"/people.csv?{named}",
        "`outreaches.csv`": "/outreaches.csv",
        "`outreaches.csv` of a campaign": f"/advocacy_campaigns/{campaign}/outreaches.csv",
    }


def measure_large_responses(filled: Filled, scratch: Path) -> LargeResponses:
    """Reads the beginning of each file, and deletes a tag. Raises ServerFailed."""
    store = Store(filled.loaded.uri)
    try:
        began = time.monotonic()
        while count_next(store):
            pass
        counted_in = time.monotonic() - began
        with filled.server(scratch) as server, filled.client(server) as client:
            factory = RequestFactory(filled.loaded, client, seed=1)
            paths = paths_of(factory)
            turns: dict[str, list[float]] = {label: [] for label in paths}
            rng = random.Random(1)
            with click.progressbar(range(TURNS), label="first bytes of files", file=sys.stderr) as bar:
                for _ in bar:
                    for label in rng.sample(sorted(paths), len(paths)):
                        turns[label].append(_first_byte(server.port, filled.loaded.token, paths[label]))
            deletion = _delete_tag(store, client, factory, server.port)
    finally:
        store.close()
    return LargeResponses(tuple(FirstByte(label, tuple(each)) for label, each in turns.items()), counted_in, deletion)


def _first_byte(port: int, token: str, path: str) -> float:
    """Returns the milliseconds until the first byte of a file; closes the connection then."""
    for _ in range(BUSY_ATTEMPTS):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=TIMEOUT_SECONDS)
        began = time.perf_counter()
        connection.request("GET", API + path, headers={"OSDI-API-Token": token})
        response = connection.getresponse()
        begin = response.read(1)
        milliseconds = (time.perf_counter() - began) * 1_000
        connection.close()
        if response.status == 200 and begin:
            return milliseconds
        if response.status != 429:
            break
        time.sleep(BUSY_SECONDS)
    raise ServerFailed(f"GET {path} got {response.status}")


def _delete_tag(store: Store, client: Client, factory: RequestFactory, port: int) -> Deletion:
    """Deletes the tag that most people have, and completes that as the worker does, while a client posts."""
    tag = factory.loaded.tags[0]
    with_tag = {"taggings.tag_id": tag}
    people = store.count(PERSON.collection, with_tag)
    before = tuple(_post(client, factory) for _ in range(TURNS * 5))
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=TIMEOUT_SECONDS)
    began = time.perf_counter()
    connection.request("DELETE", f"{API}/tags/{tag}", headers={"OSDI-API-Token": factory.loaded.token})
    response = connection.getresponse()
    response_ms = (time.perf_counter() - began) * 1_000
    connection.close()
    if response.status != 200:
        raise ServerFailed(f"DELETE of a tag got {response.status}")
    began = time.monotonic()
    worker = threading.Thread(target=_complete, args=(store,))
    worker.start()
    meanwhile = []
    while worker.is_alive():
        meanwhile.append(_post(client, factory))
    worker.join()
    took = time.monotonic() - began
    if left := store.count(PERSON.collection, with_tag):
        raise ServerFailed(f"{left} people still have the deleted tag")
    return Deletion(people, response_ms, took, before, tuple(meanwhile))


def _post(client: Client, factory: RequestFactory) -> float:
    return client.send(factory.new_person(with_token=True)).seconds * 1_000


def _complete(store: Store) -> None:
    while complete_next_deletion(store, now()):
        pass


def large_responses_section(found: LargeResponses) -> str:
    """Returns the Markdown section with both tables."""
    lines = ["| first byte of | median ms | p95 ms | longest ms | p95 at most | |", "|---|---:|---:|---:|---:|---|"]
    for row in found.files:
        p50, p95 = (percentile(row.milliseconds, share) for share in (0.5, 0.95))
        figures = f"{p50:.0f} | {p95:.0f} | {max(row.milliseconds):.0f} | {FIRST_BYTE_MS}"
        lines.append(f"| {row.label} | {figures} | {'kept' if row.kept else '**not kept**'} |")
    deletion = found.deletion
    before, meanwhile = (percentile(each, 0.5) for each in (deletion.before, deletion.meanwhile))
    return "\n\n".join(
        (
            "### Files and deletions",
            f"One client read the first byte of each file {TURNS} times, in turns, from one gunicorn worker. The "
            f"worker's part had counted the names of custom fields before, in {found.counted_in:.0f} s.",
            "\n".join(lines),
            f"Then a tag of {deletion.people:,} people was deleted. "
            f"The response came after {deletion.response_ms:.0f} ms. "
            f"The worker's part removed the taggings in {deletion.worker:.0f} s, which is "
            f"{deletion.people / max(deletion.worker, 0.001):,.0f} people per second. A client posted outreaches of "
            f"new people before and meanwhile: {before:.1f} and {meanwhile:.1f} ms (median).",
        )
    )
