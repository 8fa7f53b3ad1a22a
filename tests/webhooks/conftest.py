"""Fixtures for webhooks: a receiver, an application that may call it, and a worker's delivery."""

from collections.abc import Callable
from ipaddress import ip_network
from typing import Any

import pytest

from osdi.hal import Hal
from osdi.http_client.post import HttpPost
from osdi.settings import Settings
from osdi.store import Store
from osdi.webhooks.delivery import Webhooks
from tests.fixtures.deployed import Deployed
from tests.support.client import Client
from tests.support.webhook_receiver import LOOPBACK, WebhookReceiver

Deliver = Callable[..., int]

NETWORKS = (ip_network(LOOPBACK),)
PUBLIC = "https://osdi.example.org"


@pytest.fixture
def receiver(gateway: WebhookReceiver) -> WebhookReceiver:
    return gateway


@pytest.fixture
def api(deployed: Deployed) -> Client:  # type: ignore[override]
    """A client of an application that allows webhooks on this machine."""
    return deployed(webhook_networks=NETWORKS, public_url=PUBLIC)


@pytest.fixture
def deliver(store: Store, settings: Settings) -> Deliver:
    """Function that delivers as the worker does until no webhook is due, and returns the number of deliveries."""

    def run(**changed: Any) -> int:
        chosen = Settings(mongodb_uri=settings.mongodb_uri, webhook_networks=NETWORKS, **changed)
        webhooks = Webhooks(store, Hal(PUBLIC, "osdi_outreach"), chosen, HttpPost(NETWORKS))
        times = 0
        while times < 50 and webhooks.deliver_next():
            times += 1
        return times

    return run


def created(api: Client, receiver: WebhookReceiver, *events: str) -> dict[str, Any]:
    """Creates a webhook for these events, by default for all, and returns it with its secret."""
    return api.created("/webhooks", {"url": receiver.url, **({"events": list(events)} if events else {})})


def events_of(entries: list[dict[str, Any]]) -> list[str]:
    return [entry["osdi_outreach:event"] for entry in entries]
