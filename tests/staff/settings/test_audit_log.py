"""The page of the audit log: who, what, when and ids, with filters, and the page of posts without a token."""

from typing import Any

import pytest
from pymongo.database import Database

from osdi.ids import now
from osdi.staff.events import record_event
from osdi.staff.links import new_link
from osdi.staff.settings.event_list import PER_PAGE
from osdi.store import Store
from tests.fixtures.deployed import Deployed
from tests.staff.conftest import SignedIn, StaffBrowser
from tests.support.client import Client

LOG = "/staff/settings/audit-log"
POLICY = "/staff/settings/anonymous-posts"


def test_names_the_member_the_action_and_the_ids(ada: StaffBrowser, store: Store, member: dict[str, Any]) -> None:
    ada.open_link(new_link(store, member, now()))
    record_event(store, 1, "add_staff", ["staff/<b>1</b>"])
    record_event(store, 1, "revoke_api_token", ["tokens/2"], "removed-member")

    page = ada.get(LOG).text

    assert "Ada Lovelace" in page
    assert "use link" in page
    assert "staff/&lt;b&gt;1&lt;/b&gt;" in page
    assert "removed-member" in page


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ("staff_id=operator", {"by operator"}),
        ("staff_id=bob", {"by bob", "also bob"}),
        ("action=one", {"by operator", "by bob"}),
        ("staff_id=bob&action=two", {"also bob"}),
        ("action=%20also%20two", {"spaces"}),
        ("staff_id=nobody", set()),
        ("staff_id=$gt", set()),
    ],
)
def test_filters_are_in_the_address(ada: StaffBrowser, store: Store, query: str, shown: set[str]) -> None:
    record_event(store, 1, "one", ["by operator"])
    record_event(store, 1, "one", ["by bob"], "bob")
    record_event(store, 1, "two", ["also bob"], "bob")
    record_event(store, 1, "also_two", ["spaces"], "eve")

    page = ada.get(f"{LOG}?{query}").text

    assert {text for text in ("by operator", "by bob", "also bob", "spaces") if text in page} == shown
    assert ("No action fits." in page) == (not shown)


def test_goes_on_with_earlier_actions(ada: StaffBrowser, database: Database, store: Store) -> None:
    for number in range(PER_PAGE + 1):
        record_event(store, 1, "many", [f"number-{number}."])
    oldest = database.staff_events.find({"action": "many"}).sort("_id", 1)[1]["_id"]

    first, second = ada.get(f"{LOG}?action=many").text, ada.get(f"{LOG}?action=many&before={oldest}").text

    assert f"before={oldest}" in first
    assert ("number-0." in first, "number-0." in second) == (False, True)
    assert "Earlier actions" not in second


class TestPostsWithoutAToken:
    @pytest.mark.parametrize(
        ("changed", "sentences"),
        [
            ({}, ["Pages of any site may post.", "Find a person by an identifier."]),
            ({"anonymous_posts": False}, ["Nothing, except in campaigns that allow it."]),
            ({"cors_origins": ("https://a.example",)}, ["Only pages of these origins", "https://a.example"]),
            ({"rate_limit_anonymous": "7/minute"}, ["One network address may send 7/minute requests."]),
            ({"max_anonymous_body_bytes": 2_000}, ["A post has at most 2,000 bytes."]),
        ],
        ids=["default", "off", "origins", "rate", "size"],
    )
    def test_the_page_says_what_the_settings_allow(
        self,
        deployed: Deployed,
        member: dict[str, Any],
        signed_in: SignedIn,
        changed: dict[str, Any],
        sentences: list[str],
    ) -> None:
        page = signed_in(member, deployed(**changed).http.application).get(POLICY).text

        assert all(sentence in page for sentence in sentences)

    @pytest.mark.parametrize(("actions", "allowed"), [(("tags",), True), ((), False)])
    def test_an_action_is_in_one_of_the_two_lists(
        self, deployed: Deployed, member: dict[str, Any], signed_in: SignedIn, actions: tuple[str, ...], allowed: bool
    ) -> None:
        page = signed_in(member, deployed(anonymous_actions=actions).http.application).get(POLICY).text

        may, _, may_not = page.partition('id="not"')
        assert ("Add tags." in may, "Add tags." in may_not) == (allowed, not allowed)

    def test_a_campaign_with_a_policy_of_its_own_is_listed(
        self, ada: StaffBrowser, api: Client, database: Database
    ) -> None:
        own = {"enabled": False, "origins": ["https://own.example"]}
        database.advocacy_campaigns.update_one({"_id": api.campaign_id}, {"$set": {"anonymous_posts": own}})

        page = ada.get(POLICY).text

        assert api.campaign_id in page
        assert "https://own.example" in page
        assert "not allowed" in page
