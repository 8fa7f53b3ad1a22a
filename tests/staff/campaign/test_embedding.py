"""The screen of the sites that show the form: states, the button that allows a site, and what it rejects."""

import datetime as dt
from typing import Any

import pytest
from pymongo.database import Database

from osdi.access.tokens import ADMIN as ADMIN_SCOPE
from osdi.access.tokens import READ, WRITE
from osdi.campaign_pages.embedding.site_store import add_frames
from osdi.ids import now
from osdi.settings import Settings
from osdi.staff.campaign.embedding import allow_site, blocked_sites
from osdi.staff.members import add_member, caller_of
from osdi.store import Store
from tests.staff.campaign.conftest import Screens
from tests.staff.conftest import SignedIn

SITE = "https://river.example.org"
OTHER = "https://other.example.org"
HOSTILE = "https://xn--<script>alert(1)</script>"
ADMIN = caller_of({"_id": "ada", "scopes": ["admin"]}, "session")


@pytest.fixture
def listed(screens: Screens, database: Database) -> Screens:
    """The screens of a campaign that lists one site."""
    change = {"anonymous_posts": {"origins": [SITE], "actions": ["tags"]}}
    database.advocacy_campaigns.update_one({"_id": screens.api.campaign_id}, {"$set": change})
    return screens


def frames(screens: Screens, store: Store, origin: str = OTHER, outcome: str = "blocked", days: int = 0) -> None:
    timestamp = now() - dt.timedelta(days=days)
    add_frames(store, screens.api.campaign_id, origin, outcome, 3, listed=(SITE,), timestamp=timestamp)


def rows(screens: Screens) -> dict[str, list[str]]:
    """State and numbers of each site on the screen."""
    found = screens.open("/embedding").select("tbody tr")
    return {
        row.th.get_text(strip=True): [cell.get_text(strip=True) for cell in row.select("td[data-label]")[:-1]]
        for row in found
        if row.th
    }


def origins(screens: Screens) -> list[str]:
    found = screens.api.get(f"{screens.address}/anonymous_posts").json["origins"]
    assert isinstance(found, list)
    return found


class TestTheScreen:
    def test_says_that_no_site_has_asked_for_the_form(self, screens: Screens) -> None:
        assert "No site has asked for the form yet." in screens.open("/embedding").get_text()

    def test_shows_state_and_numbers_of_each_site_blocked_ones_first(self, listed: Screens, store: Store) -> None:
        frames(listed, store, SITE, "shown")
        frames(listed, store, "", "unknown")
        frames(listed, store, "*")
        frames(listed, store)

        assert list(rows(listed).items()) == [
            (OTHER, ["blocked", "0", "3"]),
            ("Other sites", ["not listed here", "0", "3"]),
            ("Pages that name no address", ["unknown", "3"]),
            (SITE, ["allowed", "3", "0"]),
        ]

    def test_shows_a_site_that_was_allowed_since_as_allowed(self, listed: Screens, store: Store) -> None:
        frames(listed, store)
        listed.api.put(f"{listed.address}/anonymous_posts", {"origins": [OTHER]})

        assert rows(listed) == {OTHER: ["allowed", "0", "3"]}

    def test_shows_an_address_as_text_and_no_link(self, listed: Screens, store: Store) -> None:
        frames(listed, store, HOSTILE)

        page = listed.open("/embedding")

        assert HOSTILE in page.get_text()
        assert not [each for each in page.select("[href], [src]") if "xn--" in str(each)]

    def test_shows_which_directive_the_policy_of_a_site_needs(self, screens: Screens) -> None:
        page = screens.open("/embedding").get_text()

        assert "frame-src https://osdi.example.org mailto: tel:" in page


class TestAllowing:
    @pytest.mark.parametrize(
        "typed",
        [OTHER, f" {OTHER}/a/page?x=1#y ", "https://OTHER.example.org:443"],
    )
    def test_adds_the_site_to_those_of_the_campaign(self, listed: Screens, typed: str) -> None:
        response = listed.send("/embedding", site=typed)

        assert response.headers["Location"] == f"{listed.path}/embedding?done=site_allowed"
        assert origins(listed) == [SITE, OTHER]
        assert listed.api.get(f"{listed.address}/anonymous_posts").json["actions"] == ["tags"]

    def test_twice_adds_it_once(self, listed: Screens) -> None:
        listed.send("/embedding", site=OTHER)
        listed.send("/embedding", site=OTHER)

        assert origins(listed) == [SITE, OTHER]

    def test_lets_the_site_frame_the_form(self, listed: Screens) -> None:
        listed.send("/publish")
        listed.send("/embedding", site=OTHER)

        page = listed.browser.get(f"/act/{listed.settings()['slug']}/embed")

        assert f"frame-ancestors 'self' {SITE} {OTHER};" in page.headers["Content-Security-Policy"]

    def test_of_a_site_without_tls_keeps_any_site_with_it(self, screens: Screens) -> None:
        screens.api.put(f"{screens.address}/anonymous_posts", {"origins": ["*"]})
        screens.send("/publish")

        screens.browser.post(f"{screens.path}/embedding", {"site": "http://old.example.org/"})

        assert origins(screens) == ["*", "http://old.example.org"]
        page = screens.browser.get(f"/act/{screens.settings()['slug']}/embed")
        assert "frame-ancestors 'self' https: http://old.example.org;" in page.headers["Content-Security-Policy"]

    @pytest.mark.parametrize(
        "typed",
        ["", "other.example.org", "*", "https://*.example.org", "javascript:alert(1)", "null", "'self'", HOSTILE],
    )
    def test_rejects_what_is_no_address_and_keeps_what_was_typed(self, listed: Screens, typed: str) -> None:
        response = listed.send("/embedding", site=typed)

        assert response.status_code == 422
        assert "Enter the address of a page of the site" in response.text
        assert origins(listed) == [SITE]

    def test_rejects_more_sites_than_a_campaign_may_list(self, listed: Screens) -> None:
        many = [f"https://{number}.example.org" for number in range(100)]
        listed.api.put(f"{listed.address}/anonymous_posts", {"origins": many})

        response = listed.send("/embedding", site=OTHER)

        assert response.status_code == 422
        assert "at most 100 sites" in response.text

    def test_keeps_a_site_that_somebody_else_adds_at_the_same_time(
        self, listed: Screens, store: Store, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        read, again = store.get, []

        def get_and_let_another_be_faster(collection: str, document_id: str) -> Any:
            found = read(collection, document_id)
            if collection == "advocacy_campaigns" and not again:
                again.append(1)
                listed.api.put(f"{listed.address}/anonymous_posts", {"origins": [SITE, "https://third.example.org"]})
            return found

        monkeypatch.setattr(store, "get", get_and_let_another_be_faster)

        allow_site(store, Settings(), listed.api.campaign_id, OTHER, None)

        assert origins(listed) == [SITE, "https://third.example.org", OTHER]

    def test_is_in_the_audit_log(self, listed: Screens, database: Database) -> None:
        listed.send("/embedding", site=OTHER)

        event = database.staff_events.find_one({"action": "allow_site"})
        assert event is not None
        assert event["ids"] == [f"advocacy_campaigns/{listed.api.campaign_id}"]

    @pytest.mark.parametrize(("scopes", "buttons"), [([READ], 0), ([READ, WRITE], 1), ([ADMIN_SCOPE], 4)])
    def test_is_offered_to_administrators_as_by_the_api(
        self, listed: Screens, store: Store, signed_in: SignedIn, scopes: list[str], buttons: int
    ) -> None:
        frames(listed, store)
        screens = Screens(signed_in(add_member(store, "x@example.org", scopes=scopes)), listed.api)

        assert len(screens.open("/embedding").select("main form button")) == buttons


class TestRemoving:
    @pytest.mark.parametrize(("site", "left"), [(SITE, []), (OTHER, [SITE]), (HOSTILE, [SITE]), ("", [SITE])])
    def test_takes_a_listed_site_from_those_of_the_campaign(self, listed: Screens, site: str, left: list[str]) -> None:
        response = listed.browser.post(f"{listed.path}/embedding/remove", {"site": site})

        assert response.headers["Location"] == f"{listed.path}/embedding?done=site_removed"
        assert origins(listed) == left

    def test_the_last_site_leaves_none_that_may_show_the_form(self, listed: Screens) -> None:
        listed.send("/publish")
        listed.browser.post(f"{listed.path}/embedding/remove", {"site": SITE})

        page = listed.browser.get(f"/act/{listed.settings()['slug']}/embed")

        assert "frame-ancestors 'self';" in page.headers["Content-Security-Policy"]
        assert "None." in listed.open("/embedding").get_text()

    def test_is_not_offered_for_the_list_of_the_whole_server(self, screens: Screens) -> None:
        assert "Remove" not in screens.open("/embedding").get_text()


def test_emptying_the_list_leaves_the_allowed_sites_allowed(listed: Screens, store: Store, database: Database) -> None:
    frames(listed, store)
    add_frames(store, "another campaign", OTHER, "blocked", 1, listed=(), timestamp=now())

    response = listed.browser.post(f"{listed.path}/embedding/forget", form=f"{listed.path}/embedding")

    assert response.headers["Location"] == f"{listed.path}/embedding?done=sites_forgotten"
    assert [each["advocacy_campaign_id"] for each in database.embedding_sites.find()] == ["another campaign"]
    assert origins(listed) == [SITE]


class TestTheHomePage:
    def test_shows_blocked_sites_with_a_link(self, listed: Screens, store: Store) -> None:
        frames(listed, store)

        page = listed.browser.get("/staff").text

        assert "1 site was blocked from showing a form." in page
        assert f'href="{listed.path}/embedding"' in page

    @pytest.mark.parametrize(
        ("origin", "outcome", "days"),
        [(SITE, "shown", 0), (SITE, "blocked", 0), (OTHER, "blocked", 8), ("", "unknown", 0), ("*", "blocked", 0)],
    )
    def test_leaves_out_what_is_allowed_old_or_no_site(
        self, listed: Screens, store: Store, origin: str, outcome: str, days: int
    ) -> None:
        frames(listed, store, origin, outcome, days)

        assert blocked_sites(store, Settings(), ADMIN) == []

    def test_shows_a_campaign_scoped_member_that_campaign_only(self, listed: Screens, store: Store) -> None:
        frames(listed, store)
        ids = ("another", listed.api.campaign_id)
        callers = [
            caller_of({"_id": "eve", "scopes": ["read"], "advocacy_campaign_id": each}, "session") for each in ids
        ]

        assert [len(blocked_sites(store, Settings(), each)) for each in callers] == [0, 1]
