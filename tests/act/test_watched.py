"""Log and metrics of posts to campaign pages: they count as the helper's, and contain nothing that was typed."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from app import create_app
from blueprints.http.context import EXTENSION
from osdi.settings import Settings
from tests.fixtures.campaign_pages import JANE, CampaignPage
from tests.support import factories
from tests.support.client import Client

Publish = Callable[..., CampaignPage]
TOKEN = "m" * 32
TYPED = {**JANE, "person.given_name": "Marker-1", "person.email_address": "marker-2@example.com", "message": "Marker-3"}


@pytest.fixture
def watched(settings: Settings, publish: Publish) -> Any:
    """A page of an application that counts."""
    app = create_app(replace(settings, metrics_token=TOKEN, honeypot_field="fax", log_format="json"))
    yield publish({"fields": [{"name": "email_address", "required": True}]}, app=app, type="email")
    app.extensions[EXTENSION].store.close()


def counted(page: CampaignPage, name: str, **labels: str) -> float:
    text = page.http.get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"}).get_data(as_text=True)
    found = (each for family in text_string_to_metric_families(text) for each in family.samples)
    return sum(each.value for each in found if each.name == name and labels.items() <= each.labels.items())


def test_an_outreach_is_counted_once(watched: CampaignPage) -> None:
    values = watched.filled()
    for _ in range(3):
        watched.post(values)

    assert counted(watched, "osdi_outreaches_recorded_total", type="email", token="no") == 1
    assert counted(watched, "osdi_matches_total", kind="retry") == 2
    route = "/act/<string:slug>"
    assert counted(watched, "osdi_request_seconds_count", method="POST", route=route, status="200") == 3


@pytest.mark.parametrize(
    ("changed", "code"),
    [({"fax": "1"}, "CONFIRMATION_NEEDED"), ({"person.email_address": "x"}, "INVALID")],
    ids=["a form that had to be confirmed", "a form with a mistake"],
)
def test_a_form_that_is_not_recorded_is_counted(watched: CampaignPage, changed: dict[str, str], code: str) -> None:
    watched.record({**JANE, **changed})

    assert counted(watched, "osdi_rejected_requests_total", code=code) == 1
    assert counted(watched, "osdi_outreaches_recorded_total") == 0


def test_a_post_to_the_helper_that_fills_the_honeypot_is_counted(watched: CampaignPage) -> None:
    client = Client(watched.http, "")
    client.campaign_id = watched.campaign["_id"]

    assert client.record(factories.outreach(fax="1"), token=False).json == {}

    assert counted(watched, "osdi_rejected_requests_total", code="HONEYPOT") == 1


@pytest.mark.parametrize("changed", [{}, {"fax": "1"}, {"person.email_address": "marker-2@"}, {"form_token": "x"}])
def test_the_log_contains_nothing_that_was_typed(
    watched: CampaignPage, changed: dict[str, str], capfd: pytest.CaptureFixture[str]
) -> None:
    watched.http.post(
        f"{watched.path}?source=marker-4",
        data={**watched.filled({**TYPED, **changed}), **changed},
        headers={"Referer": "http://marker-5/"},
    )

    written = capfd.readouterr().out
    lines = [json.loads(line) for line in written.splitlines()]
    assert lines[-1]["route"] == "/act/<string:slug>"
    assert lines[-1]["caller"] == "anonymous"
    assert "marker" not in written.lower()
