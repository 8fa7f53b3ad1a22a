"""A plain HTML form of an organisation's own site, as a content management system makes it."""

from collections.abc import Callable
from typing import Any

import pytest
from pymongo.database import Database
from werkzeug.datastructures import MultiDict

from tests.fixtures.campaign_pages import JANE, CampaignPage, soup, typed_into

Publish = Callable[..., CampaignPage]
SITE = "https://river.example.org"

# The form of such a page as a browser sends it: controls of the system beside ours, and the address of the page.
FROM_SITE = {"Origin": SITE, "Referer": f"{SITE}/act-now/?email=jane@example.com&utm_source=letter#form"}
OF_CMS = {"form_id": "42", "op": "Send", "person.middle_name": ""}


def own(*origins: str, **policy: Any) -> dict[str, Any]:
    return {"anonymous_posts": {"origins": list(origins), **policy}}


@pytest.mark.parametrize("content_type", ["application/x-www-form-urlencoded", "multipart/form-data"])
def test_a_form_of_the_own_site_is_recorded_and_redirected(
    publish: Publish, database: Database, content_type: str
) -> None:
    page = publish(**own(SITE), type="email")
    values = MultiDict({**JANE, **OF_CMS, "redirect": f"{SITE}/thanks?x=1"})

    response = page.post(values, headers=FROM_SITE, content_type=content_type)

    assert (response.status_code, response.headers["Location"]) == (303, f"{SITE}/thanks?x=1")
    (outreach,) = database.outreaches.find()
    assert outreach["type"] == "email"
    assert outreach["referrer_data"] == {
        "website": SITE,
        "url": f"{SITE}/act-now/?utm_source=letter",
    }
    assert {each["property"] for each in outreach["warnings"]} == {"form_id", "op"}


REDIRECTS = {
    "no address": ("", None),
    "an address of a listed site": (f"{SITE}/thanks", f"{SITE}/thanks"),
    "the same with the default port": (f"{SITE}:443/thanks", f"{SITE}:443/thanks"),
    "an address of another site": ("https://evil.example/", None),
    "an address with a user": (f"{SITE}@evil.example/", None),
    "a similar host": (f"{SITE}.evil.example/", None),
    "another port": (f"{SITE}:8443/", None),
    "another scheme": (SITE.replace("https", "http"), None),
    "a script": ("javascript:alert(1)", None),
    "two slashes": ("//river.example.org/", None),
    "a backslash": ("https:\\\\evil.example", None),
    "a line break": (f"{SITE}/\r\nSet-Cookie: a=b", None),
}


@pytest.mark.parametrize(("wanted", "location"), REDIRECTS.values(), ids=REDIRECTS.keys())
def test_a_form_leads_to_a_listed_site_only(publish: Publish, wanted: str, location: str | None) -> None:
    page = publish(**own(SITE))

    response = page.post({**JANE, "redirect": wanted}, headers={"Origin": SITE})

    assert response.status_code == 303
    assert response.headers["Location"] == (location or f"{page.path}/thanks")


def test_any_origin_lists_no_site_to_lead_to(publish: Publish) -> None:
    page = publish(**own("*"))

    response = page.post({**JANE, "redirect": f"{SITE}/thanks"}, headers={"Origin": SITE})

    assert response.headers["Location"] == f"{page.path}/thanks"


@pytest.mark.parametrize("origin", ["https://other.example", "null"])
def test_a_site_that_is_not_listed_needs_one_more_click(publish: Publish, database: Database, origin: str) -> None:
    page = publish(**own(SITE))

    asked = page.post(MultiDict(JANE), headers={"Origin": origin})

    assert asked.status_code == 422
    assert database.outreaches.count_documents({}) == 0
    assert page.post(typed_into(soup(asked)), headers={"Origin": "http://localhost"}).status_code == 200
    assert database.outreaches.count_documents({}) == 1


def test_a_program_without_origin_may_post_as_to_the_helper(publish: Publish, database: Database) -> None:
    assert publish(**own(SITE)).post(JANE).status_code == 303
    assert database.outreaches.count_documents({}) == 1


def test_a_mistake_shows_our_form_with_what_was_typed(publish: Publish, database: Database) -> None:
    page = publish(**own(SITE))

    response = page.post({**JANE, "person.email_address": "jane@"}, headers=FROM_SITE)

    assert response.status_code == 422
    again = typed_into(soup(response), {"person.email_address": "jane@example.com"})
    assert again["person.given_name"] == "Jane"
    assert page.post(again, headers={"Origin": "http://localhost"}).status_code == 200
    (outreach,) = database.outreaches.find()
    assert outreach["referrer_data"]["website"] == SITE


def test_a_filled_honeypot_asks(publish: Publish, database: Database) -> None:
    page = publish(**own(SITE))

    assert page.post({**JANE, "further_comment": "x"}, headers=FROM_SITE).status_code == 422
    assert database.outreaches.count_documents({}) == 0


def test_our_own_form_without_its_token_asks(publish: Publish, database: Database) -> None:
    page = publish(**own(SITE))

    assert page.post(JANE, headers={"Origin": "http://localhost"}).status_code == 422
    assert database.outreaches.count_documents({}) == 0


def test_a_site_cannot_add_tags_or_lists(publish: Publish, database: Database) -> None:
    publish(**own(SITE)).post({**JANE, "add_tags": "volunteer", "triggers": "autoresponse"}, headers=FROM_SITE)

    (outreach,) = database.outreaches.find()
    (person,) = database.people.find()
    assert "taggings" not in person
    assert "followups" not in outreach
    assert {each["property"] for each in outreach["warnings"]} == {"add_tags", "triggers"}
