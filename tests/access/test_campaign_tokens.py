"""A token that is tied to one campaign: what it may call, and what it never gets at."""

from urllib.parse import quote

import pytest
from flask import Flask
from pymongo.database import Database

from osdi.store import Store
from tests.support import factories
from tests.support.client import Client

# What a token that is tied to a campaign may do, and all that it may do.
OF_ITS_CAMPAIGN = {
    ("GET", "/advocacy_campaigns/<advocacy_campaign_id>"),
    ("GET", "/advocacy_campaigns/<advocacy_campaign_id>/stats"),
    ("POST", "/advocacy_campaigns/<advocacy_campaign_id>/record_outreach_helper"),
    ("GET", "/advocacy_campaigns/<advocacy_campaign_id>/outreaches"),
    ("GET", "/advocacy_campaigns/<advocacy_campaign_id>/outreaches.csv"),
    ("POST", "/advocacy_campaigns/<advocacy_campaign_id>/outreaches"),
    ("GET", "/advocacy_campaigns/<advocacy_campaign_id>/outreaches/<outreach_id>"),
    ("PUT", "/advocacy_campaigns/<advocacy_campaign_id>/outreaches/<outreach_id>"),
    ("DELETE", "/advocacy_campaigns/<advocacy_campaign_id>/outreaches/<outreach_id>"),
}
FOR_EVERYBODY = {("GET", "/")}


class TestATokenTiedToACampaign:
    """Reads its campaign, works on that campaign's outreaches, and does nothing else."""

    @pytest.fixture
    def tied(self, app: Flask, api: Client, store: Store) -> Client:
        client = Client(app.test_client(), factories.token(store, advocacy_campaign_id=api.campaign_id))
        client.campaign_id = api.campaign_id
        return client

    @pytest.fixture
    def other(self, api: Client) -> str:
        """The id of another campaign, which has an outreach."""
        href = api.created("/advocacy_campaigns", {"title": "Another"})["_links"]["self"]["href"]
        campaign_id = str(href).rsplit("/", 1)[1]
        api.recorded(factories.outreach(identifiers=["crm:other"]), campaign=campaign_id)
        return campaign_id

    def allowed(self, app: Flask, client: Client, campaign_id: str) -> set[tuple[str, str]]:
        """The routes that do not answer 403, called for a campaign and for nothing that exists besides."""
        found = set()
        for rule in app.url_map.iter_rules():
            if not rule.rule.startswith("/api/v1"):
                continue
            path = rule.rule
            for argument in rule.arguments:
                path = path.replace(f"<{argument}>", campaign_id if argument == "advocacy_campaign_id" else "none")
            for method in sorted(set(rule.methods or ()) - {"OPTIONS", "HEAD"}):
                response = client.http.open(path, method=method, headers={"OSDI-API-Token": client.token}, data=b"{}")
                assert response.status_code < 500
                if response.status_code != 403:
                    found.add((method, rule.rule.removeprefix("/api/v1")))
        return found

    def test_may_call_its_campaigns_routes_only(self, app: Flask, tied: Client) -> None:
        assert self.allowed(app, tied, tied.campaign_id) == OF_ITS_CAMPAIGN | FOR_EVERYBODY

    def test_may_call_nothing_of_another_campaign(self, app: Flask, tied: Client, other: str) -> None:
        assert self.allowed(app, tied, other) == FOR_EVERYBODY
        assert self.allowed(app, tied, "none") == FOR_EVERYBODY

    def test_while_one_that_is_not_tied_may_call_everything(self, app: Flask, api: Client, tied: Client) -> None:
        assert self.allowed(app, api, "none") > self.allowed(app, tied, tied.campaign_id)

    @pytest.mark.parametrize("spelling", ["{own}/", "{own}/outreaches/"])
    def test_may_end_the_address_with_a_slash(self, tied: Client, spelling: str) -> None:
        assert tied.get("/advocacy_campaigns/" + spelling.format(own=tied.campaign_id)).status_code == 200

    def test_may_ask_for_the_head_alone(self, tied: Client) -> None:
        address = f"/api/v1/advocacy_campaigns/{tied.campaign_id}"

        assert tied.http.head(address, headers={"OSDI-API-Token": tied.token}).status_code == 200

    def test_may_not_change_its_campaign_with_a_slash_either(self, tied: Client) -> None:
        assert tied.delete(f"/advocacy_campaigns/{tied.campaign_id}/").status_code == 403

    def test_is_told_why(self, tied: Client) -> None:
        refused = tied.get("/people")

        assert "scoped to one campaign" in refused.json["error"]
        assert refused.json["osdi:error"]["resource_status"][0]["error_descriptions"][0]["error_code"] == (
            "CAMPAIGN_TOKEN"
        )

    def test_records_reads_changes_and_deletes_outreaches(self, tied: Client) -> None:
        outreach = tied.recorded(factories.outreach())
        address = outreach["_links"]["self"]["href"]

        assert tied.put(address, {"duration": 5}).json["duration"] == 5
        assert tied.get(address).json["duration"] == 5
        assert tied.delete(address).status_code == 200
        assert tied.get(address).status_code == 404

    def test_reads_who_made_them(self, tied: Client) -> None:
        tied.recorded(factories.outreach(person=factories.person(given_name="Jane")))

        page = tied.get(f"/advocacy_campaigns/{tied.campaign_id}/outreaches?$expand=osdi:person").json

        outreach = page["_embedded"]["osdi:outreaches"][0]
        assert outreach["_embedded"]["osdi:person"]["given_name"] == "Jane"

    @pytest.mark.parametrize("scope", ["read", "write"])
    def test_has_no_more_than_its_scopes(self, tied: Client, database: Database, scope: str) -> None:
        database.tokens.update_one({"advocacy_campaign_id": {"$exists": True}}, {"$set": {"scopes": [scope]}})

        assert tied.get(f"/advocacy_campaigns/{tied.campaign_id}").status_code == (200 if scope == "read" else 403)
        assert tied.record(factories.outreach()).status_code == (200 if scope == "write" else 403)

    def test_does_not_get_another_campaigns_outreach_by_its_identifier(
        self, tied: Client, other: str, database: Database
    ) -> None:
        before = list(database.outreaches.find())

        refused = tied.record(factories.outreach(identifiers=["crm:other"]))

        assert refused.status_code == 409
        assert list(database.outreaches.find()) == before

    def test_does_not_find_another_campaigns_outreach_under_its_own(
        self, tied: Client, other: str, database: Database
    ) -> None:
        theirs = database.outreaches.find_one({"advocacy_campaign_id": other})
        address = f"/advocacy_campaigns/{tied.campaign_id}/outreaches/{theirs['_id']}"

        answers = [tied.get(address), tied.put(address, {"duration": 5}), tied.delete(address)]

        assert [answer.status_code for answer in answers] == [404, 404, 404]
        assert database.outreaches.find_one({"_id": theirs["_id"]}) == theirs

    def test_does_not_widen_a_collection_by_a_filter(self, tied: Client, other: str) -> None:
        tied.recorded(factories.outreach())
        path = f"/advocacy_campaigns/{tied.campaign_id}/outreaches?filter="

        everything = tied.get(path + quote("type eq 'phone' or type ne 'phone'")).json

        assert everything["total_records"] == 1
        assert other not in str(everything)

    def test_matches_people_as_any_token_does(self, api: Client, tied: Client, other: str) -> None:
        known = api.recorded(factories.by_email("jane@example.com"), campaign=other)

        recorded = tied.recorded(factories.by_email("jane@example.com"))

        assert recorded["_links"]["osdi:person"] == known["_links"]["osdi:person"]

    def test_is_of_no_use_when_its_campaign_is_deleted(self, api: Client, tied: Client) -> None:
        assert api.delete(f"/advocacy_campaigns/{tied.campaign_id}").status_code == 200

        assert tied.get(f"/advocacy_campaigns/{tied.campaign_id}").status_code == 404
        assert tied.record(factories.outreach()).status_code == 404
