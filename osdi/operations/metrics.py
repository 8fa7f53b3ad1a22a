"""Metrics for Prometheus, in its text format (https://prometheus.io/docs/instrumenting/exposition_formats/).

Each process counts for itself. Under gunicorn the counts are in files of a shared folder, one file for each worker
number (see gunicorn.conf.py), so any process can report the sums of all. A worker that replaces a dead one continues
its file: no count is lost, and the number of files does not grow.

Label values come from fixed sets, never from a client's input.
"""

import os
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import Final

from cachetools import TTLCache, cached
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest, values
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from osdi.errors import OsdiError
from osdi.fields.outreach import OUTREACH_TYPES
from osdi.operations.database_gauges import QueueGauges
from osdi.operations.metrics_files import use_allocated_files

FOLDER: Final = "PROMETHEUS_MULTIPROC_DIR"
PLACE: Final = "METRICS_PLACE"

# In seconds. Routers of hosting platforms give up at 30.
BUCKETS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20)
MAX_ROUTES: Final = 1_000

# Lifetime of the gauges from the database in a process's cache, and the interval of a process's own gauges.
GAUGES_SECONDS: Final = 5.0
SAMPLE_SECONDS: Final = 1.0
# Names and descriptions of the gauges that are sums over all processes.
OF_PROCESSES: Final = (
    ("osdi_mongodb_connections_in_use", "MongoDB connections that web processes use or wait for."),
    ("osdi_circuit_open", "Web processes with an open circuit breaker: no database server accepts writes."),
)


class Metrics:
    """The metrics of one application; `text` returns them."""

    def __init__(self, queue_gauges: Callable[[], QueueGauges], process: Callable[[], tuple[int, bool]]) -> None:
        """`process` returns this process's connections in use and if its circuit is open. Raises OSError if full."""
        self._process = process
        self._shared = FOLDER in os.environ
        if self._shared and values.ValueClass._multiprocess:
            use_allocated_files(os.environ.get(PLACE, str(os.getpid())))
        registry = self._registry = CollectorRegistry()
        self._seconds = Histogram(
            "osdi_request_seconds",
            "Time from the start of a request until its response is ready.",
            ("method", "route", "status"),
            buckets=BUCKETS,
            registry=registry,
        )
        self._outreaches = Counter(
            "osdi_outreaches_recorded", "Recorded outreaches, without retries.", ("type", "token"), registry=registry
        )
        self._not_applied = Counter(
            "osdi_outreaches_not_applied",
            "Recorded outreaches without follow-ups and changes of the person, by reason.",
            ("reason",),
            registry=registry,
        )
        self._matches = Counter(
            "osdi_matches", "Posted people, by the kind of match key that found them.", ("kind",), registry=registry
        )
        self._rejections = Counter(
            "osdi_rejected_requests", "Rejected requests, by error code.", ("code",), registry=registry
        )
        self._skipped = Counter(
            "osdi_skipped_values", "Posted values that were not stored, by reason.", ("code",), registry=registry
        )
        self._connections, self._circuit = (_sum_of_processes(registry, *each) for each in OF_PROCESSES)
        # Looking a metric up by its labels takes longer than counting, so these keep the metric of each combination.
        self._of_requests: dict[tuple[str, str, int], Histogram] = {}
        self._of_outreaches: dict[tuple[str, bool], Counter] = {}
        self._of_matches: dict[str, Counter] = {}
        self._database = _Database(queue_gauges)
        self._sampling = threading.Lock()
        self._samples = False

    def count_request(self, method: str, route: str, status: int, seconds: float) -> None:
        """Counts a request that got its response; `route` is the URL rule, not the URL."""
        key = method, route, status
        found = self._of_requests.get(key)
        if found is None:
            if len(self._of_requests) >= MAX_ROUTES:
                return
            found = self._of_requests[key] = self._seconds.labels(method, route, str(status))
        found.observe(seconds)

    def count_outreach(self, kind: str | None, *, token: bool) -> None:
        """Counts a recorded outreach; `kind` is its type, which can be any text."""
        key = kind if kind in OUTREACH_TYPES else "other" if kind else "none", token
        found = self._of_outreaches.get(key)
        if found is None:
            found = self._of_outreaches[key] = self._outreaches.labels(key[0], "yes" if token else "no")
        found.inc()

    def count_not_applied(self, reason: str) -> None:
        """Counts a recorded outreach that had no other effect."""
        self._not_applied.labels(reason).inc()

    def count_match(self, kind: str) -> None:
        """Counts a posted person; `kind` is the kind of match key, or `new`."""
        found = self._of_matches.get(kind)
        if found is None:
            found = self._of_matches[kind] = self._matches.labels(kind)
        found.inc()

    def count_rejection(self, code: str) -> None:
        """Counts a rejected request by its error code."""
        self._rejections.labels(code).inc()

    def count_skipped(self, code: str) -> None:
        """Counts a value that a helper has skipped, by the code of the warning."""
        self._skipped.labels(code).inc()

    def start_sampling(self) -> None:
        """Starts a thread that updates this process's gauges every SAMPLE_SECONDS, if processes share a folder.

        Calling it again has no effect.
        """
        if self._samples:
            return
        self._samples = True
        if self._shared and self._sampling.acquire(blocking=False):
            threading.Thread(target=self._sample_repeatedly, name="metrics", daemon=True).start()

    def text(self) -> bytes:
        """Returns all metrics in Prometheus' text format."""
        self._sample()
        registry = self._registry
        if self._shared:
            registry = CollectorRegistry()
            MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
        return generate_latest(registry) + generate_latest(self._database.registry)

    def _sample(self) -> None:
        in_use, is_open = self._process()
        self._connections.set(in_use)
        self._circuit.set(is_open)

    def _sample_repeatedly(self) -> None:
        while True:
            self._sample()
            time.sleep(SAMPLE_SECONDS)


def _sum_of_processes(registry: CollectorRegistry, name: str, text: str) -> Gauge:
    """Returns a gauge whose value is the sum over the living processes."""
    return Gauge(name, text, multiprocess_mode="livesum", registry=registry)


class _Database(Collector):
    """Gauges that are the same for every process, read from the database at most every GAUGES_SECONDS."""

    def __init__(self, queue_gauges: Callable[[], QueueGauges]) -> None:
        # One thread reads; others wait for its result.
        self._gauges = cached(TTLCache(1, GAUGES_SECONDS), condition=threading.Condition())(
            partial(_gauges_or_none, queue_gauges)
        )
        self.registry = CollectorRegistry()
        self.registry.register(self)

    def describe(self) -> list[Metric]:
        """Returns nothing; otherwise the registration would read from the database."""
        return []

    def collect(self) -> Iterator[Metric]:
        gauges = self._gauges()
        yield GaugeMetricFamily("osdi_database_up", "1 if the server could read the queues.", value=gauges is not None)
        if gauges is None:
            return
        depth = GaugeMetricFamily("osdi_outbox_followups", "Outreaches with follow-ups, by state.", labels=["state"])
        for state, number in gauges.outbox.items():
            depth.add_metric([state], number)
        yield depth
        yield GaugeMetricFamily(
            "osdi_outbox_oldest_seconds", "Seconds since the oldest waiting follow-up became due.", gauges.oldest
        )
        yield GaugeMetricFamily(
            "osdi_webhook_events_waiting",
            "People, outreaches and deletions with undelivered webhook events.",
            gauges.events,
        )
        if gauges.backup_age is not None:
            yield GaugeMetricFamily(
                "osdi_backup_age_seconds", "Seconds since the last backup was complete.", gauges.backup_age
            )


def _gauges_or_none(read: Callable[[], QueueGauges]) -> QueueGauges | None:
    """Returns the gauges, or None if the database is unavailable; both results are cached."""
    try:
        return read()
    except OsdiError:
        return None
