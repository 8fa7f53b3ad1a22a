"""Fixtures of opt-outs: a worker with real transports, and a server with the documents of another system."""

import json
import threading
from collections.abc import Callable, Iterable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from flask import Flask

from blueprints.http.context import EXTENSION
from osdi.followups.delivery import Followups
from osdi.followups.transports import transports
from osdi.match_keys import email_key
from osdi.settings import Settings
from osdi.store import Store
from osdi.suppression.suppression_list import suppression_list
from tests.support import factories
from tests.support.client import Client
from tests.support.smtp_sink import SmtpSink
from tests.support.webhook_receiver import WebhookReceiver

KINDS = ("autoresponse", "sms_response", "call_response")


class Sent:
    """The follow-ups that the worker has sent, as pairs of kind and recipient."""

    def __init__(self, sink: SmtpSink, gateway: WebhookReceiver) -> None:
        self._sink, self._gateway = sink, gateway

    @property
    def all(self) -> set[tuple[str, str]]:
        mails = {("autoresponse", to) for _, to, _ in self._sink.envelopes}
        return mails | {(each.json["kind"], each.json["to"]) for each in self._gateway.received}


def opted_out(store: Store, detail: str = "jane@example.com") -> set[str]:
    """Returns the kinds of messages that an address or number opted out of, by the list."""
    key = email_key(detail) if "@" in detail else f"phone:{detail.removeprefix('+')}"
    entries = suppression_list(store).read([key])
    return set(entries[key]["refused"]) if key in entries else set()


@pytest.fixture
def sent(sink: SmtpSink, gateway: WebhookReceiver) -> Sent:
    return Sent(sink, gateway)


@pytest.fixture
def deliver_followups(
    app: Flask, store: Store, settings: Settings, sink: SmtpSink, gateway: WebhookReceiver
) -> Callable[..., None]:
    """Delivers all queued follow-ups, as the worker does."""

    def run(**changed: Any) -> None:
        given: dict[str, Any] = {
            "mongodb_uri": settings.mongodb_uri,
            "public_url": "https://osdi.example.org",
            "smtp_url": sink.url,
            "sms_gateway_url": gateway.url,
            "call_gateway_url": gateway.url,
            "mail_from": "The River <hello@river.example.org>",
            "rate_limit_mail": "",
            "rate_limit_mail_address": "",
        }
        chosen = Settings(**{**given, **changed})
        followups = Followups(store, app.extensions[EXTENSION].reference, chosen, transports(store, chosen))
        try:
            for _ in range(2_000):
                if not followups.do_next():
                    break
        finally:
            followups.close()

    return run


@pytest.fixture
def request_followups(api: Client) -> Callable[..., None]:
    """Records an outreach that asks for follow-ups to an address and a number, by default for all kinds."""
    api.created("/messages", factories.message(identifiers=["crm:thanks"]))
    api.created("/messages", factories.text(identifiers=["crm:text"]))
    texts = {kind: {"identifiers": ["crm:text"]} for kind in KINDS[1:]}
    triggers = {"autoresponse": {"identifiers": ["crm:thanks"]}, **texts}
    assert api.put(f"/advocacy_campaigns/{api.campaign_id}/triggers", triggers).status_code == 200

    def run(address: str | None, number: str | None, *, token: bool, kinds: Iterable[str] = KINDS) -> None:
        person: dict[str, Any] = {"given_name": "Jane"}
        if address:
            person["email_addresses"] = [{"address": address}]
        if number:
            person["phone_numbers"] = [{"number": number}]
        body = factories.outreach(person=person, triggers={kind: {"enabled": True} for kind in kinds})
        response = api.record(body, token=token)
        assert response.status_code == 200, response.get_data(as_text=True)

    return run


@pytest.fixture
def remote() -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """An OSDI server: its address, and the people that it has."""
    people: list[dict[str, Any]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            root = f"http://127.0.0.1:{self.server.server_port}"  # type: ignore[attr-defined]
            name = self.path.strip("/").partition("?")[0]
            entries = people if name == "people" else []
            page = {"_links": {"self": {"href": self.path}}, "_embedded": {f"osdi:{name}": entries}}
            names = ("people", "advocacy_campaigns")
            entry = {"_links": {f"osdi:{each}": {"href": f"{root}/{each}"} for each in names}}
            body = json.dumps(page if name else entry).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/hal+json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Tests look at what was imported."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/", people
    server.shutdown()
    thread.join(10)
    server.server_close()
