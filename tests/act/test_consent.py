"""The checkbox of a campaign page, from the form to the outreach."""

from collections.abc import Callable
from typing import Any

import pytest
from pymongo.database import Database

from osdi.followups.unsubscribe import unsubscribe
from osdi.outreaches.consent_receipt import sha256_of
from osdi.store import Store
from tests.fixtures.campaign_pages import JANE, CampaignPage
from tests.support import factories
from tests.support.client import Client

TEXT = "Yes, write to <me> about the river."
ADDRESS = JANE["person.email_address"]
Publish = Callable[..., CampaignPage]


@pytest.fixture
def asking(api: Client, publish: Publish) -> Callable[..., CampaignPage]:
    """Publishes a page that asks for consent to mail, and adds people to a list and a tag."""
    api.created("/lists", {"name": "supporters"})
    api.created("/tags", {"name": "newsletter"})

    def published(**consent: Any) -> CampaignPage:
        return publish({"consent": {"text": TEXT, "list": "supporters", "tag": "newsletter", **consent}})

    return published


def stored(database: Database) -> tuple[dict[str, Any], dict[str, Any]]:
    """The latest outreach and its person."""
    outreach = database.outreaches.find_one({}, sort=[("_id", -1)]) or {}
    return outreach, database.people.find_one({"_id": outreach["person_id"]}) or {}


def test_the_box_has_a_label_and_is_not_checked(asking: Callable[..., CampaignPage]) -> None:
    page = asking().soup()

    (box,) = page.find_all("input", {"name": "consent"})
    assert not box.has_attr("checked")
    assert not box.has_attr("required")
    (label,) = page.find_all("label", {"for": box["id"]})
    assert TEXT in label.get_text()


def test_a_page_without_words_has_no_box(publish: Publish) -> None:
    assert publish().soup().find("input", {"name": "consent"}) is None


def test_an_unticked_box_says_nothing(asking: Callable[..., CampaignPage], database: Database) -> None:
    asking().record()

    outreach, person = stored(database)
    assert "consents" not in outreach
    assert person["email_addresses"] == [{"address": ADDRESS}]
    assert "items" not in person


def test_a_ticked_box_subscribes_and_leaves_a_receipt(asking: Callable[..., CampaignPage], database: Database) -> None:
    response = asking().record({**JANE, "consent": "yes"})

    outreach, person = stored(database)
    assert response.status_code == 200
    assert person["email_addresses"] == [{"address": ADDRESS, "status": "subscribed"}]
    assert len(person["items"]) == len(person["taggings"]) == 1
    (receipt,) = outreach["consents"]
    assert receipt == {
        "text": TEXT,
        "sha256": sha256_of(TEXT),
        "language": "en",
        "channel": "email",
        "page_url": "http://localhost/act/protect-the-river",
        "list": "supporters",
        "tag": "newsletter",
        "given_date": outreach["created_date"],
    }


def test_with_double_opt_in_the_mail_is_queued_and_nobody_is_subscribed(
    asking: Callable[..., CampaignPage], database: Database
) -> None:
    asking(confirm_by_mail=True).record({**JANE, "consent": "yes"})

    outreach, person = stored(database)
    assert [(each["kind"], each["to"]) for each in outreach["followups"]] == [("confirmation", ADDRESS)]
    assert person["email_addresses"] == [{"address": ADDRESS}]


def test_words_that_staff_have_changed_meanwhile_were_not_agreed_to(
    asking: Callable[..., CampaignPage], database: Database
) -> None:
    page = asking()
    form = page.filled({**JANE, "consent": "yes"})
    database.advocacy_campaigns.update_one(
        {"_id": page.campaign["_id"]}, {"$set": {"page.consent.text": "Sell my address."}}
    )

    assert page.post(form).status_code == 200

    outreach, person = stored(database)
    assert "consents" not in outreach
    assert person["email_addresses"] == [{"address": ADDRESS}]
    assert [each["property"] for each in outreach["warnings"]] == ["consent"]


def test_a_form_with_mistakes_keeps_the_tick(asking: Callable[..., CampaignPage]) -> None:
    response = asking().record({**JANE, "person.email_address": "jane", "consent": "yes"})

    assert response.status_code == 422
    assert 'name="consent" value="yes" checked' in response.text


def test_the_response_is_the_same_for_everybody(asking: Callable[..., CampaignPage], api: Client, store: Store) -> None:
    page = asking()
    api.recorded(factories.by_email("known@example.com"))
    unsubscribe(store, "unsubscribed@example.com")
    api.recorded(factories.outreach(person={"email_addresses": [{"address": "c@example.com", "status": "bouncing"}]}))

    responses = [
        page.record({**JANE, "person.email_address": address, "consent": "yes"})
        for address in ("new@example.com", "known@example.com", "unsubscribed@example.com", "c@example.com")
    ]

    assert {each.status_code for each in responses} == {200}
    texts = {
        each.text.replace(address, "")
        for each, address in zip(
            responses,
            ("new@example.com", "known@example.com", "unsubscribed@example.com", "c@example.com"),
            strict=True,
        )
    }
    assert len(texts) == 1


def test_the_next_page_says_that_a_mail_may_ask_for_confirmation(asking: Callable[..., CampaignPage]) -> None:
    page = asking()

    assert "asks you to confirm" in page.record({**JANE, "consent": "yes"}).text
    assert "asks you to confirm" not in page.record({**JANE, "person.email_address": "kim@example.com"}).text


def test_a_form_of_the_own_site_gives_consent_to_the_words_of_the_server(
    asking: Callable[..., CampaignPage], database: Database
) -> None:
    page = asking()
    headers = {"Origin": "https://river.example.org", "Referer": "https://river.example.org/act?mail=a@example.com"}

    assert page.post({**JANE, "consent": "yes", "text": "Other words"}, headers=headers).status_code == 303

    outreach, person = stored(database)
    assert outreach["consents"][0]["text"] == TEXT
    assert outreach["consents"][0]["page_url"] == "https://river.example.org/act"
    assert person["email_addresses"][0]["status"] == "subscribed"
