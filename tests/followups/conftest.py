"""Fixtures of follow-ups: a worker's turn, and a campaign with a message of each kind."""

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from pymongo.database import Database

from blueprints.http.context import EXTENSION
from osdi.followups.delivery import Followups
from osdi.followups.transports import transports
from osdi.settings import Settings
from osdi.store import Store
from tests.support import factories
from tests.support.client import Client
from tests.support.smtp_sink import SmtpSink
from tests.support.webhook_receiver import WebhookReceiver

PUBLIC = "https://osdi.example.org"
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
Deliver = Callable[..., list[dict[str, Any]]]


@pytest.fixture
def deliver_followups(
    app: Flask, store: Store, settings: Settings, sink: SmtpSink, gateway: WebhookReceiver, database: Database
) -> Deliver:
    """Delivers the due follow-ups, as the worker does, and returns every follow-up of the latest outreach."""

    def run(*, times: int = 200, **changed: Any) -> list[dict[str, Any]]:
        given = {
            "mongodb_uri": settings.mongodb_uri,
            "public_url": PUBLIC,
            "smtp_url": sink.url,
            "sms_gateway_url": gateway.url,
            "call_gateway_url": gateway.url,
            "gateway_secret": SECRET,
            "mail_from": "The River <hello@river.example.org>",
            "phone_countries": ("US",),
            "rate_limit_mail": "",
            "rate_limit_phone": "",
            "rate_limit_mail_address": "",
        }
        chosen = Settings(**{**given, **changed})
        followups = Followups(store, app.extensions[EXTENSION].reference, chosen, transports(store, chosen))
        try:
            for _ in range(times):
                if not followups.do_next():
                    break
        finally:
            followups.close()
        found = database.outreaches.find_one({}, sort=[("_id", -1)]) or {}
        return list(found.get("followups", ()))

    return run


@pytest.fixture
def message(api: Client) -> dict[str, Any]:
    """The campaign's message for mails, texts and calls."""
    made = api.created("/messages", factories.message(identifiers=["crm:thanks"]))
    api.created("/messages", factories.text(identifiers=["crm:text"]))
    triggers = {"autoresponse": {"identifiers": ["crm:thanks"]}}
    triggers |= {kind: {"identifiers": ["crm:text"]} for kind in ("sms_response", "call_response")}
    assert api.put(f"/advocacy_campaigns/{api.campaign_id}/triggers", triggers).status_code == 200
    return made
