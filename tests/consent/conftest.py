"""Fixtures of consent: a post of a page with its box, a worker, and the link of the mail."""

import datetime as dt
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask import Flask
from pymongo.database import Database

from blueprints.http.context import EXTENSION
from osdi.access.tokens import ANONYMOUS
from osdi.consent.confirmation import PATH, Confirmation, confirm
from osdi.followups.delivery import Followups
from osdi.followups.transports import transports
from osdi.outreaches.consent_receipt import GivenConsent
from osdi.outreaches.helper_request import HelperRequest
from osdi.outreaches.record_outreach import record_outreach
from osdi.settings import Settings
from osdi.store import Store
from tests.support.client import Client
from tests.support.factories import RULES
from tests.support.smtp_sink import SmtpSink

JANE = "jane@example.com"
TEXT = "Yes, write to me about the river."
PUBLIC = "https://osdi.example.org"
LINK = re.compile(rf"{PUBLIC}{PATH}/(\S+)")

Tick = Callable[..., dict[str, Any]]
Deliver = Callable[..., None]


def consent(*, by_mail: bool = False, **changed: Any) -> GivenConsent:
    """The consent of a page that adds people to a list and a tag."""
    given: dict[str, Any] = {"list": "supporters", "tag": "newsletter"} | changed
    return GivenConsent(TEXT, "en", f"{PUBLIC}/act/river", by_mail=by_mail, **given)


@pytest.fixture
def asked_for(api: Client) -> None:
    """The list and the tag that the page's settings name."""
    api.created("/lists", {"name": "supporters", "title": "Supporters"})
    api.created("/tags", {"name": "newsletter"})


@pytest.fixture
def tick(app: Flask, api: Client, asked_for: None, store: Store, settings: Settings) -> Tick:
    """Records an outreach as the page does; returns its document."""

    def record(
        address: str | None = JANE, given: GivenConsent | None = None, key: str | None = None, **person: Any
    ) -> dict[str, Any]:
        contacts = {"email_addresses": [{"address": address}]} if address else {}
        find = app.extensions[EXTENSION].reference.find
        campaign = store.get("advocacy_campaigns", api.campaign_id) or {}
        body = {"type": "email", "person": {"given_name": "Mallory", **contacts, **person}}
        request = HelperRequest(body, campaign, ANONYMOUS, key, sent=repr(body).encode(), consent=given)
        return record_outreach(store, find, request, settings).outreach

    return record


@pytest.fixture
def worker(
    app: Flask, store: Store, settings: Settings, sink: SmtpSink, request: pytest.FixtureRequest
) -> Iterator[Followups]:
    """A worker whose mails go to the test's mail server; a parameter is the setting RATE_LIMIT_MAIL_ADDRESS."""
    chosen = Settings(
        mongodb_uri=settings.mongodb_uri,
        public_url=PUBLIC,
        smtp_url=sink.url,
        vendor_name="The River",
        mail_from="The River <hello@river.example.org>",
        rate_limit_mail="",
        rate_limit_mail_address=getattr(request, "param", ""),
    )
    made = Followups(store, app.extensions[EXTENSION].reference, chosen, transports(store, chosen))
    yield made
    made.close()


@pytest.fixture
def deliver_due(worker: Followups, database: Database) -> Deliver:
    """Delivers all due follow-ups."""

    def run() -> None:
        while worker.do_next():
            pass

    return run


@pytest.fixture
def press(app: Flask, store: Store) -> Callable[[str], Confirmation]:
    """Presses the button of a link."""
    return lambda token: confirm(store, app.extensions[EXTENSION].reference.find, token, RULES)


@pytest.fixture
def tokens(sink: SmtpSink) -> Callable[[], list[str]]:
    """Returns the tokens of all confirmation mails, in the order of sending."""

    def read() -> list[str]:
        return [
            LINK.findall(mail.get_body(("plain",)).get_content())[0]  # type: ignore[union-attr]
            for mail in sink.mails
            if "confirm" in mail["Subject"]
        ]

    return read


@pytest.fixture
def long_ago(database: Database) -> Callable[[], None]:
    """Moves all opt-outs of the suppression list to an earlier day: times are in whole seconds, and tests are fast."""

    def move() -> None:
        for entry in database.suppressions.find():
            opted_out = {what: {**each, "since": dt.datetime(2026, 1, 1)} for what, each in entry["refused"].items()}
            database.suppressions.update_one({"_id": entry["_id"]}, {"$set": {"refused": opted_out}})

    return move
