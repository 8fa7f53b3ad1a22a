"""Publishing a page and taking it back, with a check list."""

from typing import Any

import pytest
from pymongo.database import Database

from osdi.access.tokens import WRITE
from osdi.crud.reference_cache import Reference
from osdi.settings import Settings
from osdi.staff.campaign.check_list import check_list
from osdi.staff.members import add_member
from osdi.store import Store
from tests.staff.campaign.conftest import Screens
from tests.staff.conftest import SignedIn
from tests.support import factories

READY: dict[str, Any] = {
    "target_list": [{"given_name": "Ann"}],
    "page": {"consent": {"text": "Yes"}, "privacy_url": "https://example.org/privacy"},
}


class TestPublishing:
    def test_makes_the_page_public_at_a_slug_from_the_title(self, screens: Screens) -> None:
        response = screens.send("/publish")

        assert response.headers["Location"] == f"{screens.path}?done=published"
        assert screens.settings()["published"] is True
        assert screens.browser.get(f"/act/{screens.settings()['slug']}").status_code == 200

    def test_ends_by_another_button_and_the_slug_stays(self, screens: Screens) -> None:
        screens.send("/publish")
        slug = screens.settings()["slug"]

        screens.send("/unpublish")

        assert screens.browser.get(f"/act/{slug}").status_code == 404
        assert screens.settings()["slug"] == slug

    @pytest.mark.parametrize("suffix", ["/publish", "/unpublish"])
    def test_is_rejected_if_the_campaign_has_changed_since_the_page_was_shown(
        self, screens: Screens, suffix: str
    ) -> None:
        controls = screens.controls(suffix)
        screens.api.put(screens.address, {"title": "Another title"})

        response = screens.browser.post(screens.path + suffix, controls)

        assert response.status_code == 412
        assert screens.settings()["published"] is False

    def test_shows_nothing_to_a_member_who_may_only_write(
        self, screens: Screens, store: Store, signed_in: SignedIn
    ) -> None:
        writer = signed_in(add_member(store, "writer@example.org", scopes=[WRITE]))

        assert writer.get(f"{screens.path}/publish").status_code == 403


class TestTheCheckList:
    @pytest.mark.parametrize(
        ("changed", "deployment", "missing"),
        [
            ({}, {}, set()),
            ({"target_list": []}, {}, {"targets"}),
            ({"page": {"privacy_url": "https://example.org"}}, {}, {"consent_text"}),
            ({"page": {"consent": {"text": "Yes"}}}, {}, {"privacy_url"}),
            ({"anonymous_posts": {"enabled": False}}, {}, {"anonymous_posts"}),
            ({}, {"anonymous_posts": False}, {"anonymous_posts"}),
            ({"page": {**READY["page"], "consent": {"text": "Yes", "confirm_by_mail": True}}}, {}, {"mail"}),
        ],
        ids=["ready", "targets", "consent", "privacy", "campaign", "deployment", "confirmation"],
    )
    def test_names_what_is_missing(
        self, store: Store, changed: dict[str, object], deployment: dict[str, bool], missing: set[str]
    ) -> None:
        campaign = {"_id": "c", **READY, **changed}
        checks = check_list(store, Reference(store, cache_seconds=1), Settings(**deployment), campaign)  # type: ignore[arg-type]

        assert {each.name for each in checks if not each.passed} == missing

    @pytest.mark.parametrize(
        ("kind", "missing"),
        [("autoresponse", {"mail"}), ("sms_response", {"messages"}), ("call_response", {"messages"})],
    )
    def test_says_if_nothing_requests_a_message_although_the_page_is_public(
        self, store: Store, screens: Screens, database: Database, messages: dict[str, str], kind: str, missing: set[str]
    ) -> None:
        campaign = {"_id": "c", **READY, "triggers": {kind: {"identifiers": [messages[kind]]}}}

        checks = check_list(store, Reference(store, cache_seconds=1), Settings(), campaign)

        assert {each.name for each in checks if not each.passed} == missing
        assert "messages" in {each.name for each in checks}

    def test_is_on_the_page_before_the_button(self, screens: Screens) -> None:
        failed = [each.get_text() for each in screens.open("/publish").select(".checks .failed")]

        assert any("privacy page" in each for each in failed)


class TestTheWarning:
    """A message that nothing requests is named in the editor and on the campaign's page."""

    @pytest.mark.parametrize("suffix", ["", "/edit"])
    @pytest.mark.parametrize(
        ("kind", "page", "every", "requested", "warned"),
        [
            ("autoresponse", False, False, False, True),
            ("autoresponse", True, False, False, False),
            ("autoresponse", False, True, False, False),
            ("autoresponse", False, False, True, False),
            ("sms_response", True, False, False, True),
            ("sms_response", False, False, True, False),
            (None, False, False, False, False),
        ],
        ids=["nothing", "page", "every outreach", "outreach", "text", "requested text", "no message"],
    )
    def test_is_there_if_nothing_requests_a_message(
        self,
        screens: Screens,
        database: Database,
        messages: dict[str, str],
        suffix: str,
        kind: str | None,
        page: bool,
        every: bool,
        requested: bool,
        warned: bool,
    ) -> None:
        trigger = {"identifiers": [messages[kind or "autoresponse"]], **({"every_outreach": True} if every else {})}
        change = {"page": {"published": page}, "triggers": {kind: trigger} if kind else {}}
        database.advocacy_campaigns.update_one({"_id": screens.api.campaign_id}, {"$set": change})
        if requested:
            screens.api.recorded(factories.outreach(triggers={kind: {"enabled": True}}))

        warnings = [each.get_text() for each in screens.open(suffix).select(".errors")]

        assert any("nothing requests it" in each for each in warnings) == warned
