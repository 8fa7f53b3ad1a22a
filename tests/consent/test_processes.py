"""Double opt-in by real processes: the form of a page, the worker, the mail, a mail scanner, the button."""

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import requests
from bs4 import BeautifulSoup
from pymongo import MongoClient

from dev.mongod import Mongod
from osdi.consent.confirmation import PATH
from osdi.store import Store
from tests.fixtures.campaign_pages import JANE, SLUG, typed_into
from tests.support.live import Live, Worker
from tests.support.smtp_sink import SmtpSink
from tests.support.waiting import eventually

PUBLIC = "https://osdi.example.org"
LINK = re.compile(rf"{PUBLIC}({PATH}/\S+)")


@pytest.fixture
def uri(mongod: Mongod) -> Iterator[str]:
    """A database of this test's own."""
    own = mongod.uri.replace("/osdi?", "/double_opt_in?")
    yield own
    with MongoClient(own) as client:
        client.drop_database("double_opt_in")


@pytest.mark.one_in(2)
@pytest.mark.parametrize("scanned", [0, 5], ids=["without a scanner", "with a scanner"])
def test_a_supporter_is_subscribed_by_the_button_of_the_mail(
    scanned: int, uri: str, sink: SmtpSink, new_campaign: Callable[[], dict[str, Any]]
) -> None:
    environment = {"MONGODB_URI": uri, "PUBLIC_URL": PUBLIC, "SMTP_URL": sink.url, "FORM_SECONDS": "0"}
    environment["MAIL_FROM"] = "The River <hello@river.example.org>"
    store = Store(uri)
    store.create_indexes()
    store.close()
    page = {"published": True, "slug": SLUG, "consent": {"text": "Write to me.", "confirm_by_mail": True}}
    with MongoClient(uri) as client, Live(environment) as live:
        database = client.get_default_database()
        campaign = new_campaign()
        campaign["match_keys"] = [*campaign["match_keys"], f"slug:{SLUG}"]
        database.advocacy_campaigns.insert_one(campaign | {"page": page})
        address = f"{live.url}/act/{SLUG}"
        form = typed_into(BeautifulSoup(requests.get(address, timeout=10).text, "html.parser"), JANE)
        recorded = requests.post(address, data={**form, "consent": "yes"}, timeout=10)
        assert recorded.status_code == 200
        with Worker(environment):
            assert eventually(lambda: sink.mails)
        (link,) = LINK.findall(sink.mails[0].get_body(("plain",)).get_content())  # type: ignore[union-attr]
        for _ in range(scanned):
            assert requests.get(live.url + link, timeout=10).status_code == 200
        assert "status" not in database.people.find_one()["email_addresses"][0]

        assert requests.post(live.url + link, timeout=10).status_code == 200

        assert database.people.find_one()["email_addresses"][0]["status"] == "subscribed"
        assert "confirmed_date" in database.outreaches.find_one()["consents"][0]
