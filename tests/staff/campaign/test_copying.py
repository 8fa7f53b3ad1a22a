"""Copying a campaign: what the copy has, and what stays with the original."""

from typing import Any
from unittest.mock import patch

import pytest
from pymongo.database import Database

from osdi.access.tokens import READ, WRITE
from osdi.campaign_pages.postal_codes.transfer import upload
from osdi.errors import unavailable
from osdi.fields.limits import MAX_LINE_LENGTH
from osdi.resources import ADVOCACY_CAMPAIGN
from osdi.staff.members import add_member
from osdi.store import Insert, Store
from tests.staff.campaign.conftest import Screens
from tests.staff.conftest import SignedIn
from tests.support import factories

COPY = "/copy"
FIELDS: dict[str, Any] = {
    "title": "River",
    "name": "river-2026",
    "summary": "Short",
    "description": "<p>Long</p>",
    "type": "email",
    "targets": "Congress",
    "target_list": [{"given_name": "Ann", "email_addresses": [{"address": "ann@example.org"}]}],
    "templates": ["Dear {{ target.title }}"],
    "featured_image_url": "https://example.org/a.png",
}
ADDRESSES = {
    "identifiers": ["crm:river"],
    "browser_url": "https://example.org/river",
    "administrative_url": "https://crm.example.org/river",
    "share_url": "https://example.org/river/share",
    "total_shares": 7,
}
SHARE = {"email_share": {"subject": "Please", "share_url": "https://example.org/s", "total_shares": 3}}
PAGE = {
    "language": "de",
    "goal": 500,
    "closes_at": "2031-06-30T23:59:59Z",
    "consent": {"text": "Yes"},
    "targets": {"selection": "postal_code"},
    "share": False,
}
TABLE = "postal_code,target\n10,1\n20 1,1\n*,1\n"


@pytest.fixture
def river(screens: Screens, store: Store, messages: dict[str, str]) -> Screens:
    """The screens of a campaign that is public, and has messages, a policy, postal codes and an outreach."""
    api, address = screens.api, screens.address
    api.put(address, {**FIELDS, **ADDRESSES, "share_options": [SHARE]})
    api.put(f"{address}/page", {**PAGE, "published": True, "slug": "river"})
    trigger = {"identifiers": [messages["autoresponse"]], "every_outreach": True}
    api.put(f"{address}/triggers", {"autoresponse": trigger})
    api.put(f"{address}/anonymous_posts", {"enabled": True, "origins": ["https://river.example.org"]})
    campaign = store.get(ADVOCACY_CAMPAIGN.collection, api.campaign_id)
    assert campaign
    upload(store, campaign, TABLE, dry_run=False)
    api.recorded(factories.outreach())
    return screens


def copied(screens: Screens) -> str:
    """Presses the button, and returns the address of the copy in the API."""
    assert screens.open().find("button", string="Copy the campaign") is not None
    response = screens.browser.post(screens.path + COPY)
    assert response.status_code == 303
    path, _, notice = response.headers["Location"].partition("?")
    assert notice == "done=campaign_copied"
    assert "It is a draft" in screens.browser.get(response.headers["Location"]).text
    return f"/advocacy_campaigns/{path.split('/')[3]}"


def test_a_copy_has_the_fields_and_a_title_that_says_so(river: Screens) -> None:
    copy = river.api.get(copied(river)).json

    assert {name: copy[name] for name in FIELDS} == {**FIELDS, "title": "Copy of River"}


@pytest.mark.parametrize("route", ["triggers", "anonymous_posts", "page/postal_codes"])
def test_a_copy_has_the_messages_the_policy_and_the_postal_codes(river: Screens, route: str) -> None:
    before, after = river.api.get(f"{river.address}/{route}"), river.api.get(f"{copied(river)}/{route}")

    if route == "page/postal_codes":
        assert after.text == before.text
        assert "20 1,Ann" in after.text
    else:
        assert {**after.json, "_links": None} == {**before.json, "_links": None}


def test_a_copy_is_a_draft_with_the_settings_of_the_page(river: Screens) -> None:
    after = river.api.get(f"{copied(river)}/page").json

    before = river.settings()
    assert before["published"] is True
    assert {**after, "_links": None} == {**before, "published": False, "slug": None, "_links": None}
    assert river.browser.get("/act/river").status_code == 200


def test_a_copy_has_no_outreaches_and_no_identifiers_or_addresses_of_the_original(river: Screens) -> None:
    copy = river.api.get(copied(river)).json

    assert copy["total_outreaches"] == 0
    assert "crm:river" not in copy["identifiers"]
    assert not {"browser_url", "administrative_url", "share_url", "total_shares"} & copy.keys()
    assert copy["share_options"] == [{"email_share": {"subject": "Please"}}]


def test_a_copy_does_not_change_with_the_original(river: Screens) -> None:
    copy = copied(river)

    river.api.put(river.address, {"title": "Another", "target_list": []})
    river.api.delete(f"{river.address}/page/postal_codes")

    assert river.api.get(copy).json["title"] == "Copy of River"
    assert "10,Ann" in river.api.get(f"{copy}/page/postal_codes").text


@pytest.mark.parametrize(
    ("fields", "title"),
    [
        ({"title": "Copy of River"}, "Copy of Copy of River"),
        ({"title": "x" * MAX_LINE_LENGTH}, f"Copy of {'x' * (MAX_LINE_LENGTH - 8)}"),
        ({"title": "{0} <b>%s</b>"}, "Copy of {0} <b>%s</b>"),
        ({"title": None, "name": "river-2026"}, "Copy of river-2026"),
    ],
    ids=["a copy", "a long title", "signs", "no title"],
)
def test_the_title_of_a_copy_can_be_stored(screens: Screens, fields: dict[str, Any], title: str) -> None:
    screens.api.put(screens.address, fields)

    assert screens.api.get(copied(screens)).json["title"] == title


def test_a_copy_can_be_published_and_edited(river: Screens) -> None:
    copy = copied(river)

    assert river.api.put(f"{copy}/page", {"published": True}).status_code == 200

    assert river.api.get(f"{copy}/page").json["slug"] == "copy-of-river"


def test_a_copy_is_whole_or_not_there(river: Screens, database: Database) -> None:
    before = {name: database[name].count_documents({}) for name in ("advocacy_campaigns", "postal_codes")}
    write = Store.write

    def fail(store: Store, *writes: Any) -> Any:
        if any(isinstance(each, Insert) and each.collection == ADVOCACY_CAMPAIGN.collection for each in writes):
            raise unavailable("The database is away.", seconds=1)
        return write(store, *writes)

    with patch.object(Store, "write", fail):
        assert river.browser.post(river.path + COPY).status_code == 503

    assert {name: database[name].count_documents({}) for name in before} == before


def test_a_copy_of_an_unknown_campaign_is_a_404(screens: Screens) -> None:
    assert screens.browser.post("/staff/campaigns/unknown/copy").status_code == 404


@pytest.mark.parametrize(
    ("scopes", "scoped"), [([READ], False), ([WRITE], False), ([READ], True)], ids=["read", "write", "one campaign"]
)
def test_only_a_member_who_may_read_and_write_can_copy(
    screens: Screens, store: Store, database: Database, signed_in: SignedIn, scopes: list[str], scoped: bool
) -> None:
    campaign = screens.api.campaign_id if scoped else None
    member = add_member(store, "one@example.org", scopes=scopes, advocacy_campaign_id=campaign)
    browser = signed_in(member)
    shown = browser.get(screens.path)

    assert browser.post(screens.path + COPY).status_code == 403
    assert "Copy the campaign" not in shown.text
    assert database.advocacy_campaigns.count_documents({}) == 1
