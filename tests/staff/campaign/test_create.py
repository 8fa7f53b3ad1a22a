"""The form for a new campaign, and the screen of a campaign."""

import pytest
from pymongo.database import Database

from osdi.access.tokens import READ, WRITE
from osdi.staff.members import add_member
from osdi.store import Store
from tests.fixtures.campaign_pages import soup
from tests.staff.campaign.conftest import Screens
from tests.staff.conftest import SignedIn, StaffBrowser
from tests.support import factories
from tests.support.client import Client

HOSTILE = "</textarea><script>alert(1)</script>\"'><img src=x onerror=alert(2)>"


class TestANewCampaign:
    def test_is_the_one_that_the_api_reads(self, ada: StaffBrowser, api: Client, database: Database) -> None:
        typed = {"title": "Save the wood", "type": "phone", "summary": "Call today."}

        response = ada.post("/staff/campaigns/new", typed, form="/staff/campaigns/new")

        assert response.status_code == 303
        campaign_id = response.headers["Location"].partition("?")[0].rpartition("/")[2]
        campaign = api.get(f"/advocacy_campaigns/{campaign_id}").json
        assert {name: campaign[name] for name in typed} == typed
        event = database.staff_events.find_one({"action": "create_campaign"})
        assert event is not None
        assert f"advocacy_campaigns/{campaign_id}" in event["ids"]

    @pytest.mark.parametrize(
        ("typed", "control"),
        [({"title": " "}, "title"), ({"title": "x" * 1001}, "title"), ({"title": "ok", "type": "y" * 1001}, "type")],
        ids=["no title", "a long title", "a long type"],
    )
    def test_with_a_wrong_value_comes_back_as_it_was_typed(
        self, ada: StaffBrowser, database: Database, typed: dict[str, str], control: str
    ) -> None:
        before = database.advocacy_campaigns.count_documents({})

        response = ada.post("/staff/campaigns/new", {**typed, "summary": HOSTILE})

        page = soup(response)
        assert response.status_code == 422
        assert page.select_one("#summary")["value"] == HOSTILE  # type: ignore[index]
        assert page.select_one(f"#{control}")["aria-invalid"] == "true"  # type: ignore[index]
        assert page.select_one(f".errors a[href='#{control}']") is not None
        assert database.advocacy_campaigns.count_documents({}) == before

    def test_leads_a_member_who_may_not_read_to_the_home_page(self, store: Store, signed_in: SignedIn) -> None:
        writer = signed_in(add_member(store, "writer@example.org", scopes=[WRITE]))

        response = writer.post("/staff/campaigns/new", {"title": "Save the wood"})

        assert response.headers["Location"] == "/staff?done=campaign_created"


class TestTheScreenOfACampaign:
    def test_shows_count_goal_and_the_last_outreaches_with_names(self, screens: Screens) -> None:
        screens.api.put(f"{screens.address}/page", {"goal": 4})
        for source in ("newsletter", HOSTILE):
            screens.api.recorded(factories.outreach(referrer_data={"source": source}))

        page = screens.open()

        assert page.select_one("dd progress")["value"] == "50"  # type: ignore[index]
        assert [row.find_all("td")[1].get_text() for row in page.select("tbody tr")] == [HOSTILE, "newsletter"]
        assert page.select_one("tbody script") is None
        person = page.select_one("tbody a")
        assert person is not None
        assert screens.browser.get(str(person["href"])).status_code == 200

    def test_has_embed_codes_only_for_a_published_page(self, screens: Screens) -> None:
        assert screens.open().select("textarea") == []
        screens.api.put(f"{screens.address}/page", {"published": True, "slug": "river"})
        screens.api.put(screens.address, {"title": 'The "river" & <wood>'})

        page = screens.open()

        codes = [each.get_text() for each in page.select("textarea")]
        assert len(codes) == 3
        assert all('"http' in code and "/act/river" in code for code in codes)
        assert "&lt;wood&gt;" in codes[2]
        assert "embed.js" in codes[0]
        assert "embed.js" not in codes[1]

    def test_shows_no_people_and_no_forms_to_a_campaign_scoped_member(
        self, screens: Screens, store: Store, signed_in: SignedIn
    ) -> None:
        screens.api.recorded(factories.outreach())
        scoped = add_member(store, "b@example.org", scopes=[READ, WRITE], advocacy_campaign_id=screens.api.campaign_id)
        name = screens.open().select("tbody td[data-label=Person]")[0].get_text().strip()

        page = signed_in(scoped).get(screens.path).text

        assert name
        assert name not in page
        assert "/edit" not in page
        assert "/publish" not in page

    @pytest.mark.parametrize("suffix", ["", "/edit", "/publish", "/unpublish"])
    def test_is_missing_for_an_unknown_id(self, ada: StaffBrowser, suffix: str) -> None:
        assert ada.get(f"/staff/campaigns/unknown{suffix}").status_code == 404

    def test_is_linked_from_home_and_the_list(self, screens: Screens) -> None:
        for path in ("/staff", "/staff/campaigns"):
            assert f'href="{screens.path}"' in screens.browser.get(path).text
        assert 'href="/staff/campaigns/new"' in screens.browser.get("/staff/campaigns").text
