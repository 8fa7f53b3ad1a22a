"""Compares the time to read the first page of a collection with that of a far page, reached by cursor.

The requests alternate on one connection to one server. The ratio is the result.
"""

import http.client
import json
import time
from pathlib import Path
from statistics import median
from typing import Any
from urllib.parse import urlsplit

from pymongo import MongoClient

from bench.contenders import API, Ours
from bench.server import Server, ServerFailed
from dev.mongod import Mongod
from osdi.ids import new_id, now
from osdi.store import Store

PEOPLE = 20_000
PER_PAGE = 25
FAR_PAGE = 200
READINGS = 300
BATCH = 5_000


def measure_pages(mongod: Mongod, scratch: Path) -> str:
    """Returns the Markdown section: median milliseconds of page 1 and of page 200, and their ratio."""
    contender = Ours("pages", "ours", with_token=True)
    uri = mongod.uri.replace("/osdi?", "/osdi_pages?")
    contender.prepare(uri)
    _fill(uri)
    log = scratch / "pages.log"
    with Server(contender.app, folder=contender.folder(scratch), log=log, variables=contender.variables(uri)) as server:
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
        first = f"{API}/people?per_page={PER_PAGE}"
        far = first
        for _ in range(FAR_PAGE - 1):
            link = urlsplit(_get(connection, far, contender.token)[1]["_links"]["next"]["href"])
            far = f"{link.path}?{link.query}"
        times: dict[str, list[float]] = {first: [], far: []}
        for _ in range(READINGS):
            for path, measured in times.items():
                measured.append(_get(connection, path, contender.token)[0])
        connection.close()
    near_ms, far_ms = (median(measured) * 1000 for measured in times.values())
    with MongoClient[dict[str, Any]](mongod.uri) as client:
        client.drop_database("osdi_pages")
    return "\n".join(
        (
            "## Pages",
            "",
            f"Pages of {PER_PAGE} among {PEOPLE:,} people, reached by the cursors of `next`; median of "
            f"{READINGS} reads:",
            "",
            f"| page 1, ms | page {FAR_PAGE}, ms | ratio |",
            "|---:|---:|---:|",
            f"| {near_ms:.2f} | {far_ms:.2f} | {far_ms / near_ms:.2f} |",
        )
    )


def _fill(uri: str) -> None:
    store = Store(uri)
    store.create_indexes()
    store.close()
    with MongoClient[dict[str, Any]](uri) as client:
        for _ in range(PEOPLE // BATCH):
            client.get_default_database().people.insert_many(_person() for _ in range(BATCH))


def _person() -> dict[str, Any]:
    person_id = new_id()
    email = f"{person_id}@example.com"
    return {
        "_id": person_id,
        "version": 1,
        "created_date": now(),
        "modified_date": now(),
        "given_name": "Jane",
        "family_name": "Doe",
        "email_addresses": [{"address": email, "primary": True}],
        "match_keys": [f"id:osdi_outreach:{person_id}", f"email:{email}"],
        "contact_keys": [f"email:{email}"],
    }


def _get(connection: http.client.HTTPConnection, path: str, token: str) -> tuple[float, Any]:
    """Returns the seconds until the whole response arrived, and the response. Raises ServerFailed unless it is 200."""
    began = time.perf_counter()
    connection.request("GET", path, headers={"OSDI-API-Token": token})
    response = connection.getresponse()
    body = response.read()
    took = time.perf_counter() - began
    if response.status != 200:
        raise ServerFailed(f"GET {path} got {response.status}: {body[:500]!r}")
    return took, json.loads(body)
