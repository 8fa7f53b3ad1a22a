"""Publishing a page and taking it back, with a check list."""

from typing import Any

import pytest

from osdi.access.tokens import WRITE
from osdi.settings import Settings
from osdi.staff.campaign.check_list import check_list
from osdi.staff.members import add_member
from osdi.store import Store
from tests.staff.campaign.conftest import Screens
from tests.staff.conftest import SignedIn

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
        ("changed", "settings", "missing"),
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
        self, changed: dict[str, object], settings: dict[str, bool], missing: set[str]
    ) -> None:
        checks = check_list(Settings(**settings), {"_id": "c", **READY, **changed})  # type: ignore[arg-type]

        assert {each.name for each in checks if not each.passed} == missing

    def test_is_on_the_page_before_the_button(self, screens: Screens) -> None:
        failed = [each.get_text() for each in screens.open("/publish").select(".checks .failed")]

        assert any("privacy page" in each for each in failed)
