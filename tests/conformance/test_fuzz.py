"""schemathesis tests every operation of our OpenAPI document, with and without a token, on real gunicorn and mongod.

The number of cases is limited and has a seed, so the result is the same for everybody. With FUZZ_MINUTES (`make fuzz`)
it runs random cases for that time, and tries the limits of every schema. fuzz.toml explains the disabled checks.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests
from pymongo import MongoClient

from dev.mongod import Mongod
from osdi.resources import API
from osdi.sample import CAMPAIGN_ID, CHOICE_ID
from tests.support import factories
from tests.support.examples import examples
from tests.support.fork_server import run
from tests.support.live import ROOT, Live

MINUTES = float(os.environ.get("FUZZ_MINUTES", "0"))
SEED = "20260318"
# Nearly all requests without a token are rejected, and no response to one has links that the next request can follow.
BOUNDED = {
    "with a token": ["--phases", "examples,fuzzing,stateful", "--max-examples", str(examples(5))],
    "without a token": ["--phases", "fuzzing", "--max-examples", str(max(2, examples(5)))],
}
# Share of the minutes for each caller: nearly all requests without a token are rejected.
SHARES = {"with a token": 0.8, "without a token": 0.2}
MIN_CASES = examples(400)  # of a limited run; far fewer would mean that it tests nothing
METHODS = {"get", "post", "put", "delete"}
SECONDS = 180


@dataclass(frozen=True)
class Fuzzed:
    """A server to test, the header with a token of every scope, and responses with the stored addresses."""

    live: Live
    header: str
    seen: str


@pytest.fixture(scope="module")
def fuzzed(mongod: Mongod) -> Iterator[Fuzzed]:
    """Yields gunicorn with its own database: the sample, and a person with one entry of each kind."""
    uri = mongod.uri.replace("/osdi?", "/fuzz?")
    environment = {"MONGODB_URI": uri, "CACHE_SECONDS": "0", "WEBHOOK_NETWORKS": "127.0.0.0/8,::1/128"}
    flask(environment, "indexes")
    flask(environment, "sample")
    secret = flask(environment, "tokens", "create", "fuzz").split()[-1]
    with Live(environment, workers=2) as live:
        answers = [{"question": f"{live.url}{API}/questions/{CHOICE_ID}", "responses": ["r1"]}]
        everything = factories.outreach(
            add_tags=["volunteer"], add_lists=["supporters"], add_questions_responses_uri=answers
        )
        helper = f"{live.url}{API}/advocacy_campaigns/{CAMPAIGN_ID}/record_outreach_helper"
        with requests.Session() as session:
            session.headers["OSDI-API-Token"] = secret
            recorded = session.post(helper, json=everything, timeout=SECONDS)
            person = session.get(recorded.json()["_links"]["osdi:person"]["href"], timeout=SECONDS)
            entries = [person.json()["_links"][f"osdi:{name}"]["href"] for name in ("taggings", "items", "answers")]
            seen = [recorded, person, *(session.get(address, timeout=SECONDS) for address in entries)]
        yield Fuzzed(live, f"OSDI-API-Token: {secret}", "".join(response.text for response in seen))
    with MongoClient(uri) as client:
        client.drop_database("fuzz")


@pytest.mark.slow
@pytest.mark.parametrize("caller", SHARES)
def test_every_operation_conforms_to_the_document(fuzzed: Fuzzed, tmp_path: Path, caller: str) -> None:
    seconds = round(MINUTES * 60 * SHARES[caller])
    extent = ["--max-time", str(seconds)] if seconds else [*BOUNDED[caller], "--seed", SEED]
    token = ["--header", fuzzed.header] if caller == "with a token" else []

    report, printed = run_schemathesis(fuzzed, tmp_path / "report.json", [*extent, *token], SECONDS + seconds)

    assert (report["failures"], report["errors"]) == ([], []), printed
    documented = requests.get(f"{fuzzed.live.url}/openapi.json", timeout=SECONDS).json()["paths"].values()
    assert report["operations"]["tested"] == sum(len(METHODS & set(path)) for path in documented)
    assert report["test_cases"]["generated"] >= MIN_CASES
    print(printed[printed.index("= SUMMARY") :])  # for `make fuzz`


@pytest.mark.slow
def test_every_limit_of_a_resource_conforms_to_the_document(fuzzed: Fuzzed, tmp_path: Path) -> None:
    extent = ["--phases", "coverage", "--include-path-regex", f"^{API}/tags", "--header", fuzzed.header]

    report, printed = run_schemathesis(fuzzed, tmp_path / "report.json", extent, SECONDS)

    assert (report["failures"], report["errors"]) == ([], []), printed
    assert report["test_cases"]["generated"] >= MIN_CASES


def run_schemathesis(fuzzed: Fuzzed, report: Path, options: list[str], seconds: int) -> tuple[dict[str, Any], str]:
    """Runs schemathesis in a separate process, since its hooks are global; returns its report and its output."""
    done = subprocess.run(
        [
            *(sys.executable, "-c", "from schemathesis.cli import schemathesis; schemathesis()"),
            *("--config-file", str(Path(__file__).with_name("fuzz.toml"))),
            *("run", f"{fuzzed.live.url}/openapi.json", "--no-color"),
            *("--report", "json", "--report-json-path", str(report), *options),
        ],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT), "FUZZ_SEEN": fuzzed.seen},
        capture_output=True,
        text=True,
        timeout=seconds,
    )
    printed = done.stdout + done.stderr
    assert report.is_file(), printed
    return json.loads(report.read_text()), printed


def flask(environment: dict[str, str], *command: str) -> str:
    """Runs a flask command and returns its output."""
    done = run("flask", "--app", "wsgi", *command, env={**os.environ, **environment}, timeout=SECONDS)
    assert done.returncode == 0, done.stderr
    return done.stdout
