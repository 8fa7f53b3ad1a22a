"""Compares the public page of a campaign, its form for frames and its public count with the API's entry point.

The requests alternate on one connection to one server. The ratios are the result. `python -m bench.scale` measures the
same addresses as the number of outreaches grows.
"""

import http.client
import json
import time
from collections.abc import Mapping
from pathlib import Path
from statistics import median
from typing import Any, Final

from pymongo import MongoClient

from bench.contenders import API, Ours, send
from bench.server import Server, ServerFailed
from dev.mongod import Mongod
from osdi.resources import PAGES
from osdi.sample import CAMPAIGN_ID, SLUG, create_sample
from osdi.store import Store

READINGS: Final = 400
WARM_UP: Final = 20
OUTREACHES: Final = 50
ENTRY_POINT: Final = f"{API}/"
ADDRESSES: Final[Mapping[str, str]] = {
    "entry point": ENTRY_POINT,
    "page": f"{PAGES}/{SLUG}",
    "form for frames": f"{PAGES}/{SLUG}/embed",
    "count as JSON": f"{PAGES}/{SLUG}.json",
}


def measure_campaign_pages(mongod: Mongod, scratch: Path) -> str:
    """Returns the Markdown section: median milliseconds of each address, and its ratio to the entry point.

    Raises ServerFailed.
    """
    contender = Ours("campaign-pages", "ours", with_token=True)
    uri = mongod.uri.replace("/osdi?", "/osdi_campaign_pages?")
    contender.prepare(uri)
    store = Store(uri)
    create_sample(store, "osdi_outreach")
    store.close()
    log = scratch / "campaign-pages.log"
    with Server(contender.app, folder=contender.folder(scratch), log=log, variables=contender.variables(uri)) as server:
        _record(server.port, contender.token)
        times = _times(server.port)
    with MongoClient[dict[str, Any]](mongod.uri) as client:
        client.drop_database("osdi_campaign_pages")
    return section_of({name: median(measured) * 1000 for name, measured in times.items()})


def section_of(milliseconds: Mapping[str, float]) -> str:
    """Returns the Markdown section of these median times by name; the first is the entry point."""
    base = next(iter(milliseconds.values()))
    rows = [f"| {name} | {each:.2f} | {each / base:.2f} |" for name, each in milliseconds.items()]
    return "\n".join(
        (
            "## Campaign pages",
            "",
            f"The sample campaign's public page with {OUTREACHES} outreaches; median of {READINGS} reads of each "
            "address in turn, on one connection:",
            "",
            "| | ms | / entry point |",
            "|---|---:|---:|",
            *rows,
        )
    )


def _record(port: int, token: str) -> None:
    """Records OUTREACHES outreaches, so that the page shows a count. Raises ServerFailed."""
    for number in range(OUTREACHES):
        body = {"person": {"email_addresses": [{"address": f"bench{number}@example.com"}]}}
        path = f"{API}/advocacy_campaigns/{CAMPAIGN_ID}/record_outreach_helper"
        send(port, "POST", path, json.dumps(body), {"OSDI-API-Token": token})


def _times(port: int) -> dict[str, list[float]]:
    """Returns the seconds of each reading by the name of its address. Raises ServerFailed."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    times: dict[str, list[float]] = {name: [] for name in ADDRESSES}
    for number in range(WARM_UP + READINGS):
        for name, path in ADDRESSES.items():
            seconds = _seconds(connection, path)
            if number >= WARM_UP:
                times[name].append(seconds)
    connection.close()
    return times


def _seconds(connection: http.client.HTTPConnection, path: str) -> float:
    """Returns the seconds until the whole response arrived. Raises ServerFailed unless it is 200."""
    began = time.perf_counter()
    connection.request("GET", path)
    response = connection.getresponse()
    body = response.read()
    took = time.perf_counter() - began
    if response.status != 200:
        raise ServerFailed(f"GET {path} got {response.status}: {body[:500]!r}")
    return took
