"""Webhooks on the settings pages: state, last deliveries, and each change."""

import datetime as dt
import re
from typing import Any

import pytest
from pymongo.database import Database

from osdi.fields.webhook import EVENTS
from osdi.ids import now
from osdi.store import Store
from osdi.webhooks import registry
from osdi.webhooks.result import DeliveryResult
from tests.staff.conftest import StaffBrowser, latest_events

LIST = "/staff/settings/webhooks"
NEW = f"{LIST}/new"
SECRET = re.compile(r"whsec_[A-Za-z0-9+/=]+")
GOOD = {"url": "https://crm.example.org/osdi", "description": "CRM", "events": "outreach_recorded"}


@pytest.fixture
def webhook(store: Store) -> dict[str, Any]:
    return registry.create(store, {"url": "https://crm.example.org/osdi", "events": list(EVENTS)})


def stored(database: Database, webhook: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = database.webhooks.find_one({"_id": webhook["_id"]})
    return found


class TestCreating:
    def test_shows_the_secret_once(self, ada: StaffBrowser, database: Database, store: Store) -> None:
        response = ada.post(NEW, GOOD)

        made = database.webhooks.find_one()
        assert SECRET.findall(response.text.replace("&#43;", "+")) == [made["secret"]]
        assert (made["url"], made["description"], made["events"]) == (GOOD["url"], "CRM", ["outreach_recorded"])
        assert made["secret"] not in ada.get(f"{LIST}/{made['_id']}").text + ada.get(LIST).text
        assert latest_events(store, 1)[0]["ids"] == [f"webhooks/{made['_id']}"]

    @pytest.mark.parametrize(
        ("field", "value"),
        [
            ("url", ""),
            ("url", "javascript:alert(1)"),
            ("url", "http://crm.example.org/"),
            ("url", "https://10.0.0.1/"),
            ("url", "https://[::1]/"),
            ("url", "https://user:pass@crm.example.org/"),
            ("url", "https://crm.example.org/" + "a" * 3_000),
            ("events", ""),
            ("events", "everything"),
            ("description", "x" * 1_001),
        ],
        ids=["none", "script", "http", "private", "loopback", "password", "long", "no event", "unknown event", "text"],
    )
    def test_keeps_what_was_typed_if_a_value_is_wrong(
        self, ada: StaffBrowser, database: Database, field: str, value: str
    ) -> None:
        response = ada.post(NEW, GOOD | {field: value})

        assert response.status_code == 422
        assert f'href="#{field}"' in response.text
        assert database.webhooks.count_documents({}) == 0
        if field != "description":
            assert 'value="CRM"' in response.text

    def test_ends_at_the_largest_number_of_webhooks(
        self, ada: StaffBrowser, webhook: dict[str, Any], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("osdi.webhooks.registry.MAX_WEBHOOKS", 1)

        response = ada.post(NEW, GOOD)

        assert response.status_code == 422
        assert "delete one first" in response.text


def test_the_page_of_a_webhook_has_its_last_deliveries_the_newest_first(
    ada: StaffBrowser, database: Database, webhook: dict[str, Any]
) -> None:
    deliveries = [
        {"date": now() - dt.timedelta(hours=1), "events": 3, "milliseconds": 120, "status": 200},
        {
            "date": now(),
            "events": 7,
            "milliseconds": 30,
            "status": 500,
            "failure": "status_500",
            "response": "<script>",
        },
    ]
    database.webhooks.update_one({}, {"$set": {"deliveries": deliveries, "last_failure": "status_500"}})

    page = ada.get(f"{LIST}/{webhook['_id']}").text

    assert page.index("30 ms") < page.index("120 ms")
    assert "&lt;script&gt;" in page
    assert "status_500" in ada.get(LIST).text


@pytest.mark.parametrize(("act", "enabled"), [("disable", False), ("enable", True)])
def test_a_webhook_is_disabled_and_enabled(
    ada: StaffBrowser, database: Database, store: Store, webhook: dict[str, Any], act: str, enabled: bool
) -> None:
    database.webhooks.update_one({}, {"$set": {"enabled": not enabled}})

    response = ada.post(f"{LIST}/{webhook['_id']}/{act}")

    assert stored(database, webhook)["enabled"] is enabled
    assert f"The webhook is {act}d." in ada.get(response.headers["Location"]).text
    event = latest_events(store, 1)[0]
    assert (event["action"], event["ids"]) == (f"{act}_webhook", [f"webhooks/{webhook['_id']}"])


def test_a_new_secret_replaces_the_old_one_and_is_shown_once(
    ada: StaffBrowser, database: Database, webhook: dict[str, Any]
) -> None:
    address = f"{LIST}/{webhook['_id']}/secret"
    assert webhook["secret"] not in ada.get(address).text

    response = ada.post(address)

    assert stored(database, webhook)["secret"] != webhook["secret"]
    assert SECRET.findall(response.text.replace("&#43;", "+")) == [stored(database, webhook)["secret"]]
    assert response.headers["Cache-Control"] == "no-store"


def test_deleting_asks_first(ada: StaffBrowser, database: Database, webhook: dict[str, Any]) -> None:
    address = f"{LIST}/{webhook['_id']}/delete"

    assert "cannot be undone" in ada.get(address).text
    assert stored(database, webhook)
    ada.post(address)

    assert database.webhooks.count_documents({}) == 0


@pytest.mark.parametrize(
    ("result", "sentence"),
    [
        (DeliveryResult(status=204), "The test event was delivered: status 204."),
        (DeliveryResult(status=500), "The test event was not delivered: status_500."),
        (DeliveryResult(reason="timeout"), "The test event was not delivered: timeout."),
    ],
)
def test_a_test_shows_the_response_of_the_receiver_and_is_in_the_audit_log(
    ada: StaffBrowser,
    store: Store,
    webhook: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
    result: DeliveryResult,
    sentence: str,
) -> None:
    monkeypatch.setattr("osdi.webhooks.delivery.Webhooks.test", lambda *_: result)

    response = ada.post(f"{LIST}/{webhook['_id']}/test")

    assert sentence in response.text
    assert latest_events(store, 1)[0]["ids"] == [f"webhooks/{webhook['_id']}"]


@pytest.mark.parametrize("act", ["", "/disable", "/secret", "/delete"])
def test_an_unknown_webhook_is_a_404(ada: StaffBrowser, act: str) -> None:
    assert ada.get(f"{LIST}/none{act}").status_code == 404


@pytest.mark.parametrize("act", ["/test", "/enable", "/disable", "/secret", "/delete"])
def test_no_action_on_an_unknown_webhook(ada: StaffBrowser, act: str) -> None:
    assert ada.post(f"{LIST}/none{act}").status_code == 404


@pytest.mark.usefixtures("not_fresh")
@pytest.mark.parametrize("path", ["new", "{}/secret"])
def test_an_old_sign_in_gets_no_secret(
    ada: StaffBrowser, database: Database, webhook: dict[str, Any], path: str
) -> None:
    response = ada.post(f"{LIST}/{path.format(webhook['_id'])}", GOOD)

    assert response.status_code == 403
    assert "whsec_" not in response.text
    assert list(database.webhooks.find()) == [stored(database, webhook)]


def test_home_links_to_the_webhooks_if_one_was_disabled_by_failures(
    ada: StaffBrowser, database: Database, webhook: dict[str, Any]
) -> None:
    database.webhooks.update_one({}, {"$set": {"enabled": False, "disabled_reason": "gave_up"}})

    assert f'href="{LIST}"' in ada.get("/staff").text
