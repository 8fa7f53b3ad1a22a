"""deploy/grafana-dashboard.json can be imported; it and docs/monitoring.md ask for nothing that is not exported."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from osdi.operations.database_gauges import QueueGauges
from osdi.operations.metrics import Metrics

ROOT = Path(__file__).parents[2]
DASHBOARD = json.loads((ROOT / "deploy" / "grafana-dashboard.json").read_text())
METRIC = re.compile(r"\bosdi_[a-z_]+\b")
PAGE = (ROOT / "docs" / "monitoring.md").read_text()
# A metric and what it is narrowed to, and what a sum is kept apart by.
NARROWED = re.compile(r"\b(osdi_[a-z_]+)(?:\{([^}]*)\})?")
LABELS = re.compile(r"by \(([a-z_, ]+)\)")
# The label that Prometheus adds to every metric.
OF_PROMETHEUS = {"job"}
GRID = 24


@pytest.fixture(scope="module")
def exported() -> dict[str, set[str]]:
    """Each sample's name with its labels, once everything has been counted that can be."""
    metrics = Metrics(lambda: QueueGauges({"queued": 1, "leased": 0, "failed": 0}, 1.0, 1, 1.0), lambda: (1, False))
    metrics.count_request("GET", "/", 200, 0.1)
    metrics.count_outreach("email", token=True)
    metrics.count_not_applied("too_many_posts")
    metrics.count_match("new")
    metrics.count_rejection("INVALID")
    metrics.count_skipped("INVALID")
    found: dict[str, set[str]] = {}
    for family in text_string_to_metric_families(metrics.text().decode()):
        for sample in family.samples:
            found.setdefault(sample.name, set()).update(sample.labels)
    return found


def expressions() -> list[str]:
    queried = [target["expr"] for panel in DASHBOARD["panels"] for target in panel["targets"]]
    variables = [each["definition"] for each in DASHBOARD["templating"]["list"] if "definition" in each]
    return [*queried, *variables]


def alerts() -> list[str]:
    """Returns the expressions of the alerts on the page."""
    table = PAGE.partition("## Alerts")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| (`.+?`) (?:for .+? )?\|", table, flags=re.MULTILINE)
    return [expression for row in rows for expression in re.findall(r"`([^`]+)`", row)]


def places(panel: dict[str, Any]) -> Iterator[tuple[int, int]]:
    grid = panel["gridPos"]
    for x in range(grid["x"], grid["x"] + grid["w"]):
        for y in range(grid["y"], grid["y"] + grid["h"]):
            yield x, y


@pytest.mark.parametrize("expression", [*expressions(), *alerts()])
def test_queries_only_exported_metrics(exported: dict[str, set[str]], expression: str) -> None:
    queried = NARROWED.findall(expression)
    assert queried or expression == 'up{job="osdi"} == 0'
    for name, narrowed in queried:
        assert name in exported
        assert set(re.findall(r"(\w+)(?:=|!|~)", narrowed)) <= exported[name] | OF_PROMETHEUS
        for labels in LABELS.findall(expression):
            assert set(labels.split(", ")) <= exported[name]


@pytest.mark.parametrize("expression", [*expressions(), *alerts()])
def test_counts_up_only_what_never_falls(expression: str) -> None:
    """`rate` and `increase` take a decrease for a restart from zero, so they show a falling gauge as a rise."""
    rising = re.findall(r"\b(?:rate|increase)\(\s*(osdi_[a-z_]+)", expression)
    assert len(rising) == len(re.findall(r"\b(?:rate|increase)\b", expression)), "the argument is not a metric's name"
    for name in rising:
        assert name.endswith(("_total", "_count", "_sum", "_bucket"))


def test_the_page_names_an_alert_for_each_row() -> None:
    assert len(alerts()) == 10


def test_the_rules_of_prometheus_are_those_of_the_page() -> None:
    rules = yaml.safe_load((ROOT / "deploy" / "alerts.yml").read_text())["groups"][0]["rules"]
    conditions = {part for rule in rules for part in rule["expr"].split(" or ")}

    # The page has no row for the rule about a server without any backup.
    assert conditions - {"absent(osdi_backup_age_seconds) and on() osdi_database_up == 1"} == set(alerts())


def test_shows_every_exported_metric(exported: dict[str, set[str]]) -> None:
    queried = {name for expression in expressions() for name in METRIC.findall(expression)}

    assert {name for name in exported if name.startswith("osdi_") and not name.endswith("_created")} == queried


def test_every_expression_is_balanced() -> None:
    for expression in expressions():
        for opening, closing in ("()", "[]", "{}"):
            assert expression.count(opening) == expression.count(closing)


def test_panels_have_unique_ids_and_do_not_overlap() -> None:
    ids = [panel["id"] for panel in DASHBOARD["panels"]]
    occupied = [place for panel in DASHBOARD["panels"] for place in places(panel)]

    assert len(set(ids)) == len(ids)
    assert len(set(occupied)) == len(occupied)
    assert max(x for x, _ in occupied) < GRID


def test_names_no_machine() -> None:
    assert DASHBOARD["id"] is None
    sources = {target["datasource"]["uid"] for panel in DASHBOARD["panels"] for target in panel["targets"]}
    assert sources == {"${datasource}"}


def test_the_page_explains_every_metric(exported: dict[str, set[str]]) -> None:
    table = PAGE.partition("## Metrics")[2].partition("\n## ")[0]
    rows = set(re.findall(r"^\| `(osdi_[a-z_]+)", table, flags=re.MULTILINE))

    endings = ("_created", "_bucket", "_sum", "_count")
    assert {name for name in exported if name.startswith("osdi_") and not name.endswith(endings)} | {
        "osdi_request_seconds"
    } == rows
