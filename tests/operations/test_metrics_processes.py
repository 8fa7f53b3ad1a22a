"""/metrics of real gunicorn with two workers: the sums are right whichever answers, and after one was killed."""

import os
import signal
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pytest
import requests
from flask import Flask
from prometheus_client.parser import text_string_to_metric_families

from dev.mongod import Mongod
from osdi.resources import API
from tests.operations import small_memory
from tests.support.fork_server import run
from tests.support.live import Live
from tests.support.waiting import eventually

TOKEN = "metrics-token-of-the-tests"


def scraped(live: Live) -> requests.Response:
    return requests.get(f"{live.url}/metrics", headers={"Authorization": f"Bearer {TOKEN}"}, timeout=60)


def counted_requests(live: Live, route: str) -> float:
    """Returns the exported number of requests to a route."""
    families = text_string_to_metric_families(scraped(live).text)
    return sum(
        sample.value
        for family in families
        for sample in family.samples
        if sample.name == "osdi_request_seconds_count" and sample.labels["route"] == route
    )


def request_pages(live: Live, times: int) -> None:
    """Requests a page `times` times, each by a new connection, so that both workers serve some."""
    with ThreadPoolExecutor(8) as pool:
        statuses = list(pool.map(lambda _: requests.get(f"{live.url}/docs", timeout=60).status_code, range(times)))
    assert statuses == [200] * times


def request_until_both_counted(live: Live) -> int:
    """Ask until both workers have counted something; how often that was."""
    sent = 0

    def have_counted() -> bool:
        nonlocal sent
        request_pages(live, 20)
        sent += 20
        return sum(each.startswith("histogram") for each in files(live)) == 2

    assert eventually(have_counted)
    return sent


def files(live: Live) -> set[str]:
    """Returns the names of the workers' metric files."""
    return {each.name for each in folder(live).iterdir()}


def folder(live: Live) -> Path:
    (found,) = {Path(link).parent for pid in live.workers() for link in mapped(pid)}
    return found


def mapped(pid: int) -> set[str]:
    """The files of counts that a process has open."""
    found = set()
    for each in Path(f"/proc/{pid}/fd").iterdir():
        with suppress(FileNotFoundError):  # a connection that was closed meanwhile
            target = os.readlink(each)
            if "osdi-metrics-" in target:
                found.add(target)
    return found


@pytest.fixture
def environment(mongod: Mongod, app: Flask) -> dict[str, str]:
    return {"MONGODB_URI": mongod.uri, "METRICS_TOKEN": TOKEN}


@pytest.mark.slow
def test_sums_include_all_workers_and_killed_ones(environment: dict[str, str]) -> None:
    with Live(environment, workers=2) as live:
        sent = request_until_both_counted(live)
        assert {counted_requests(live, "/docs") for _ in range(20)} == {sent}

        for killed in range(3):
            victim = live.workers()[0]
            os.kill(victim, signal.SIGKILL)
            assert eventually(lambda gone=victim: gone not in live.workers() and len(live.workers()) == 2)
            assert {counted_requests(live, "/docs") for _ in range(10)} == {sent + 20 * killed}
            request_pages(live, 20)
            assert {counted_requests(live, "/docs") for _ in range(10)} == {sent + 20 * killed + 20}

        assert len([each for each in files(live) if each.startswith("histogram")]) == 2
        left = folder(live)
    assert not left.exists()


@pytest.mark.slow
def test_gauges_of_a_dead_worker_are_removed(environment: dict[str, str]) -> None:
    with Live(environment, workers=2) as live:
        request_until_both_counted(live)
        assert eventually(lambda: sum(each.startswith("gauge_livesum") for each in files(live)) == 2)
        victim = live.workers()[0]
        (gauge_file,) = (Path(each) for each in mapped(victim) if "gauge_livesum" in each)
        first = gauge_file.stat().st_ino

        os.kill(victim, signal.SIGKILL)

        assert eventually(lambda: not gauge_file.exists() or gauge_file.stat().st_ino != first)


@pytest.mark.slow
def test_a_reload_keeps_the_sums(environment: dict[str, str]) -> None:
    with Live(environment, workers=2) as live:
        sent = request_until_both_counted(live)
        before = set(live.workers())

        os.kill(live.pid, signal.SIGHUP)
        assert eventually(lambda: len(live.workers()) == 2 and not before & set(live.workers()))

        assert requests.get(f"{live.url}{API}/", timeout=60).ok
        assert {counted_requests(live, "/docs") for _ in range(10)} == {sent}
        assert len([each for each in files(live) if each.startswith("histogram")]) <= 4


def test_without_the_token_no_metrics_are_stored_or_served(mongod: Mongod) -> None:
    with Live({"MONGODB_URI": mongod.uri, "METRICS_TOKEN": ""}, workers=2) as live:
        request_pages(live, 10)

        assert scraped(live).status_code == 404
        assert [pid for pid in live.workers() if mapped(pid)] == []


@pytest.mark.one_in(3)
@pytest.mark.parametrize("kilobytes", [40, 100, 200])
def test_a_full_folder_ends_no_worker(environment: dict[str, str], kilobytes: int) -> None:
    command = (small_memory.__name__, str(kilobytes))
    if run(*command, env=os.environ, timeout=60).returncode == small_memory.NOT_ALLOWED:
        pytest.skip("this machine allows no mount namespaces")
    with Live(environment, workers=1, command=command) as live:
        (worker,) = live.workers()
        # Many combinations of method, route and status, so that the counts grow.
        for path in ("", "/people", "/tags", "/lists", "/questions", "/messages", "/webhooks", "/stats", "/x"):
            for method in ("GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"):
                assert requests.request(method, f"{live.url}{API}{path}", timeout=60).status_code < 500

        status = requests.get(
            f"{live.url}/metrics", headers={"Authorization": f"Bearer {TOKEN}"}, timeout=10
        ).status_code
        assert status == (503 if kilobytes == 40 else 200)
        assert live.workers() == [worker]
