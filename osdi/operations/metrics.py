"""What is counted for Prometheus, and how it is told (https://prometheus.io/docs/instrumenting/exposition_formats/).

Each process counts for itself. Where gunicorn serves, counts stand in files of a folder that its processes share, one
for each worker's place (see gunicorn.conf.py), so that any of them tells the sums of all. A worker that takes the place
of a dead one counts on in its file: nothing is lost, and there are never more files than places.

Labels are words of ours, so there are few: never what a client sent.
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

FOLDER: Final = "PROMETHEUS_MULTIPROC_DIR"
PLACE: Final = "METRICS_PLACE"

# Seconds. A platform's router gives up at 30.
BUCKETS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20)
ROUTES: Final = 1_000

# How long a process answers with the same figures of the database, and how often it tells of itself.
FIGURES_SECONDS: Final = 5.0
SAMPLE_SECONDS: Final = 1.0


class Metrics:
    """The counts of one application: told by `text`, with figures that `figures` reads from the database."""

    def __init__(self, figures: Callable[[], QueueGauges], own: Callable[[], tuple[int, bool]]) -> None:
        """`own` says of this process how many connections are in use, and whether its circuit is open."""
        self._own = own
        self._shared = FOLDER in os.environ
        if self._shared and values.ValueClass._multiprocess:
            place = os.environ.get(PLACE, str(os.getpid()))
            values.ValueClass = values.MultiProcessValue(lambda: place)  # type: ignore[no-untyped-call]
        registry = self._registry = CollectorRegistry()
        self._seconds = Histogram(
            "osdi_request_seconds",
            "Time from the first look at a request until its answer is ready.",
            ("method", "route", "status"),
            buckets=BUCKETS,
            registry=registry,
        )
        self._outreaches = Counter(
            "osdi_outreaches_recorded", "Outreaches recorded, retries left out.", ("type", "token"), registry=registry
        )
        self._matches = Counter("osdi_matches", "Posted people, by how they were found.", ("kind",), registry=registry)
        self._refusals = Counter(
            "osdi_rejected_requests", "Requests refused, by error code.", ("code",), registry=registry
        )
        self._connections = Gauge(
            "osdi_mongodb_connections_in_use",
            "Connections to MongoDB in use or waited for, of all web processes.",
            multiprocess_mode="livesum",
            registry=registry,
        )
        self._circuit = Gauge(
            "osdi_circuit_open",
            "Web processes that refuse requests because no database takes writes.",
            multiprocess_mode="livesum",
            registry=registry,
        )
        self._of_requests: dict[tuple[str, str, int], Histogram] = {}
        self._of_outreaches: dict[tuple[str, bool], Counter] = {}
        self._of_matches: dict[str, Counter] = {}
        self._database = _Database(figures)
        self._sampling = threading.Lock()
        self._samples = False

    def count_request(self, method: str, route: str, status: int, seconds: float) -> None:
        """A request that was answered; `route` is the rule of the address, not the address."""
        key = method, route, status
        found = self._of_requests.get(key)
        if found is None:
            if len(self._of_requests) >= ROUTES:
                return
            # Asking for it by its labels takes longer than counting.
            found = self._of_requests[key] = self._seconds.labels(method, route, str(status))
        found.observe(seconds)

    def count_outreach(self, kind: str | None, *, token: bool) -> None:
        """An outreach that was recorded; `kind` is its type, which may be any word."""
        key = kind if kind in OUTREACH_TYPES else "other" if kind else "none", token
        found = self._of_outreaches.get(key)
        if found is None:
            found = self._of_outreaches[key] = self._outreaches.labels(key[0], "yes" if token else "no")
        found.inc()

    def count_match(self, kind: str) -> None:
        """A posted person who was found, or is new."""
        found = self._of_matches.get(kind)
        if found is None:
            found = self._of_matches[kind] = self._matches.labels(kind)
        found.inc()

    def count_refusal(self, code: str) -> None:
        """A request that was refused with this error code."""
        self._refusals.labels(code).inc()

    def sample_on(self) -> None:
        """From now on tell of this process every SAMPLE_SECONDS, where others answer for it; once is enough."""
        if self._samples:
            return
        self._samples = True
        if self._shared and self._sampling.acquire(blocking=False):
            threading.Thread(target=self._sample_for_ever, name="metrics", daemon=True).start()

    def text(self) -> bytes:
        """Everything, in Prometheus' text format."""
        self._sample()
        registry = self._registry
        if self._shared:
            registry = CollectorRegistry()
            MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
        return generate_latest(registry) + generate_latest(self._database.registry)

    def _sample(self) -> None:
        in_use, is_open = self._own()
        self._connections.set(in_use)
        self._circuit.set(is_open)

    def _sample_for_ever(self) -> None:
        while True:
            self._sample()
            time.sleep(SAMPLE_SECONDS)


class _Database(Collector):
    """Figures that are the same for every process, read from the database at most every FIGURES_SECONDS."""

    def __init__(self, figures: Callable[[], QueueGauges]) -> None:
        # One thread reads; others wait for what it finds.
        self._figures = cached(TTLCache(1, FIGURES_SECONDS), condition=threading.Condition())(
            partial(_figures_or_none, figures)
        )
        self.registry = CollectorRegistry()
        self.registry.register(self)

    def describe(self) -> list[Metric]:
        """Nothing: otherwise registering it would ask the database."""
        return []

    def collect(self) -> Iterator[Metric]:
        figures = self._figures()
        yield GaugeMetricFamily("osdi_database_up", "Whether these figures could be read.", value=figures is not None)
        if figures is None:
            return
        depth = GaugeMetricFamily("osdi_outbox_followups", "Outreaches with follow-ups that wait.", labels=["state"])
        for state, number in figures.outbox.items():
            depth.add_metric([state], number)
        yield depth
        yield GaugeMetricFamily(
            "osdi_outbox_oldest_seconds", "How long the follow-up has been due that waits longest.", figures.oldest
        )
        yield GaugeMetricFamily(
            "osdi_webhook_events_waiting", "People and outreaches of which a webhook is not told yet.", figures.events
        )


def _figures_or_none(read: Callable[[], QueueGauges]) -> QueueGauges | None:
    """Returns None if the database is unavailable, which is remembered as long as figures are."""
    try:
        return read()
    except OsdiError:
        return None
