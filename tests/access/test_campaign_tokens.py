"""Campaign-scoped tokens: the routes and data that they can and cannot access."""

from urllib.parse import quote

import pytest
from flask import Flask
from pymongo.database import Database

from osdi.store import Store
from tests.support import factories
from tests.support.client import Client

# All routes that a campaign-scoped token may call, besides those of FOR_EVERYBODY.
OF_ITS_CAMPAIGN = {
    ("GET", "/advocacy_campaigns/<advocacy_campaign_id>"),
    ("GET", "/advocacy_campaigns/<advocacy_campaign_id>/stats"),
    ("GET", "/advocacy_campaigns/<advocacy_campaign_id>/page"),
    ("POST", "/advocacy_campaigns/<advocacy_campaign_id>/record_outreach_helper"),
    ("GET", "/advocacy_campaigns/<advocacy_campaign_id>/outreaches"),
    ("GET", "/advocacy_campaigns/<advocacy_campaign_id>/outreaches.csv"),
    ("POST", "/advocacy_campaigns/<advocacy_campaign_id>/outreaches"),
    ("GET", "/advocacy_campaigns/<advocacy_campaign_id>/outreaches/<outreach_id>"),
    ("PUT", "/advocacy_campaigns/<advocacy_campaign_id>/outreaches/<outreach_id>"),
    ("DELETE", "/advocacy_campaigns/<advocacy_campaign_id>/outreaches/<outreach_id>"),
}
FOR_EVERYBODY = {("GET", "/")}


class TestCampaignScopedToken:
    """The token reads its campaign, and reads and writes that campaign's outreaches, and nothing else."""

    @pytest.fixture
    def scoped(self, app: Flask, api: Client, store: Store) -> Client:
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
        """Returns the routes that do not return 403, called with this campaign and ids that do not exist."""
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

    def test_only_routes_of_its_campaign_are_allowed(self, app: Flask, scoped: Client) -> None:
        assert self.allowed(app, scoped, scoped.campaign_id) == OF_ITS_CAMPAIGN | FOR_EVERYBODY

    def test_no_route_of_another_campaign_is_allowed(self, app: Flask, scoped: Client, other: str) -> None:
        assert self.allowed(app, scoped, other) == FOR_EVERYBODY
        assert self.allowed(app, scoped, "none") == FOR_EVERYBODY

    def test_a_token_without_a_campaign_may_call_more_routes(self, app: Flask, api: Client, scoped: Client) -> None:
        assert self.allowed(app, api, "none") > self.allowed(app, scoped, scoped.campaign_id)

    @pytest.mark.parametrize("spelling", ["{own}/", "{own}/outreaches/"])
    def test_a_path_may_end_with_a_slash(self, scoped: Client, spelling: str) -> None:
        assert scoped.get("/advocacy_campaigns/" + spelling.format(own=scoped.campaign_id)).status_code == 200

    def test_head_is_allowed(self, scoped: Client) -> None:
        address = f"/api/v1/advocacy_campaigns/{scoped.campaign_id}"

        assert scoped.http.head(address, headers={"OSDI-API-Token": scoped.token}).status_code == 200

    def test_a_path_with_a_slash_cannot_delete_the_campaign(self, scoped: Client) -> None:
        assert scoped.delete(f"/advocacy_campaigns/{scoped.campaign_id}/").status_code == 403

    def test_the_error_names_the_reason(self, scoped: Client) -> None:
        rejected = scoped.get("/people")

        assert "scoped to one campaign" in rejected.json["error"]
        assert rejected.json["osdi:error"]["resource_status"][0]["error_descriptions"][0]["error_code"] == (
            "CAMPAIGN_TOKEN"
        )

    def test_outreaches_can_be_recorded_read_changed_and_deleted(self, scoped: Client) -> None:
        outreach = scoped.recorded(factories.outreach())
        address = outreach["_links"]["self"]["href"]

        assert scoped.put(address, {"duration": 5}).json["duration"] == 5
        assert scoped.get(address).json["duration"] == 5
        assert scoped.delete(address).status_code == 200
        assert scoped.get(address).status_code == 404

    def test_the_person_of_an_outreach_can_be_expanded(self, scoped: Client) -> None:
        scoped.recorded(factories.outreach(person=factories.person(given_name="Jane")))

        page = scoped.get(f"/advocacy_campaigns/{scoped.campaign_id}/outreaches?$expand=osdi:person").json

        outreach = page["_embedded"]["osdi:outreaches"][0]
        assert outreach["_embedded"]["osdi:person"]["given_name"] == "Jane"

    @pytest.mark.parametrize("scope", ["read", "write"])
    def test_the_scopes_of_the_token_apply(self, scoped: Client, database: Database, scope: str) -> None:
        database.tokens.update_one({"advocacy_campaign_id": {"$exists": True}}, {"$set": {"scopes": [scope]}})

        assert scoped.get(f"/advocacy_campaigns/{scoped.campaign_id}").status_code == (200 if scope == "read" else 403)
        assert scoped.record(factories.outreach()).status_code == (200 if scope == "write" else 403)

    def test_an_identifier_of_another_campaigns_outreach_is_rejected(
        self, scoped: Client, other: str, database: Database
    ) -> None:
        before = list(database.outreaches.find())

        rejected = scoped.record(factories.outreach(identifiers=["crm:other"]))

        assert rejected.status_code == 409
        assert list(database.outreaches.find()) == before

    def test_an_outreach_of_another_campaign_is_404_under_its_own_campaign(
        self, scoped: Client, other: str, database: Database
    ) -> None:
        theirs = database.outreaches.find_one({"advocacy_campaign_id": other})
        address = f"/advocacy_campaigns/{scoped.campaign_id}/outreaches/{theirs['_id']}"

        responses = [scoped.get(address), scoped.put(address, {"duration": 5}), scoped.delete(address)]

        assert [response.status_code for response in responses] == [404, 404, 404]
        assert database.outreaches.find_one({"_id": theirs["_id"]}) == theirs

    def test_a_filter_does_not_widen_a_collection(self, scoped: Client, other: str) -> None:
        scoped.recorded(factories.outreach())
        path = f"/advocacy_campaigns/{scoped.campaign_id}/outreaches?filter="

        everything = scoped.get(path + quote("type eq 'phone' or type ne 'phone'")).json

        assert everything["total_records"] == 1
        assert other not in str(everything)

    def test_people_are_matched_as_with_any_token(self, api: Client, scoped: Client, other: str) -> None:
        known = api.recorded(factories.by_email("jane@example.com"), campaign=other)

        recorded = scoped.recorded(factories.by_email("jane@example.com"))

        assert recorded["_links"]["osdi:person"] == known["_links"]["osdi:person"]

    def test_the_token_allows_nothing_after_its_campaign_is_deleted(self, api: Client, scoped: Client) -> None:
        assert api.delete(f"/advocacy_campaigns/{scoped.campaign_id}").status_code == 200

        assert scoped.get(f"/advocacy_campaigns/{scoped.campaign_id}").status_code == 404
        assert scoped.record(factories.outreach()).status_code == 404
