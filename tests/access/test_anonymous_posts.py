"""Posts without a token: the policy of the settings and of a campaign."""

from typing import Any

import pytest
from pymongo.database import Database

from osdi.access.tokens import READ, WRITE
from osdi.store import Store
from tests.fixtures.deployed import Deployed
from tests.support import factories
from tests.support.client import Client

OURS, OTHER = "https://campaign.example.org", "https://other.example.org"


def set_policy(client: Client, **policy: Any) -> dict[str, Any]:
    """Sets the policy of the test's campaign; returns the response body."""
    response = client.put(f"/advocacy_campaigns/{client.campaign_id}/anonymous_posts", policy)
    assert response.status_code == 200, response.get_data(as_text=True)
    return dict(response.json)


class TestEnabled:
    def test_posts_without_a_token_are_accepted_by_default(self, api: Client) -> None:
        assert api.record(factories.outreach(), token=False).json == {}

    def test_a_campaign_can_require_a_token(self, api: Client, database: Database) -> None:
        set_policy(api, enabled=False)

        rejected = api.record(factories.outreach(), token=False)

        assert rejected.status_code == 401
        assert rejected.headers["WWW-Authenticate"]
        assert api.record(factories.outreach()).status_code == 200
        assert database.outreaches.count_documents({}) == 1

    def test_the_outreaches_collection_has_the_same_policy(self, api: Client) -> None:
        set_policy(api, enabled=False)

        path = f"/advocacy_campaigns/{api.campaign_id}/outreaches"
        assert api.post(path, factories.outreach(), token=False).status_code == 401

    def test_a_deployment_can_require_a_token_for_all_campaigns(self, deployed: Deployed) -> None:
        client = deployed(anonymous_posts=False)

        assert client.record(factories.outreach(), token=False).status_code == 401
        assert (
            client.post("/people/person_signup_helper", {"person": factories.person()}, token=False).status_code == 401
        )

    def test_a_campaign_can_allow_posts_that_the_deployment_rejects(self, deployed: Deployed) -> None:
        client = deployed(anonymous_posts=False)
        set_policy(client, enabled=True)

        assert client.record(factories.outreach(), token=False).status_code == 200


class TestAllowedActions:
    ACTIONS: dict[str, dict[str, Any]] = {
        "tags": {"add_tags": ["volunteer"]},
        "lists": {"add_lists": ["newsletter"]},
        "answers": {"add_questions_responses_uri": [{"question": "a:1", "responses": ["yes"]}]},
        "triggers": {"triggers": {"autoresponse": {"enabled": True}}},
    }

    @pytest.fixture(autouse=True)
    def _reference_data(self, api: Client) -> None:
        api.created("/tags", {"name": "volunteer"})
        api.created("/lists", {"name": "newsletter"})
        question = {"identifiers": ["a:1"], "question_type": "SingleChoice", "responses": [{"key": "yes"}]}
        api.created("/questions", question)

    def applied_actions(self, database: Database) -> set[str]:
        """Returns the actions that had an effect on the database."""
        person, outreach = database.people.find_one(), database.outreaches.find_one()
        arrays = {"tags": "taggings", "lists": "items", "answers": "answers"}
        return {action for action, array in arrays.items() if person.get(array)} | (
            {"triggers"} if outreach.get("followups") else set()
        )

    def body(self) -> dict[str, Any]:
        return factories.outreach() | {
            name: value for fields in self.ACTIONS.values() for name, value in fields.items()
        }

    def test_all_actions_are_allowed_by_default(self, api: Client, database: Database) -> None:
        api.record(self.body(), token=False)

        assert self.applied_actions(database) == set(self.ACTIONS)

    @pytest.mark.parametrize("action", ACTIONS)
    def test_an_action_that_is_not_allowed_is_ignored_and_the_outreach_recorded(
        self, api: Client, database: Database, action: str
    ) -> None:
        set_policy(api, actions=[each for each in self.ACTIONS if each != action])

        assert api.record(self.body(), token=False).json == {}

        assert self.applied_actions(database) == set(self.ACTIONS) - {action}

    def test_a_campaign_can_allow_no_action(self, api: Client, database: Database) -> None:
        set_policy(api, actions=[])

        api.record(self.body(), token=False)

        assert self.applied_actions(database) == set()

    def test_with_strict_handling_a_disallowed_action_is_rejected_and_named(
        self, api: Client, database: Database
    ) -> None:
        set_policy(api, actions=["tags"])

        rejected = api.record(self.body(), token=False, headers={"Prefer": "handling=strict"})

        assert rejected.status_code == 403
        assert "triggers" in rejected.json["error"]
        assert database.outreaches.count_documents({}) == 0

    def test_a_post_with_a_token_may_use_every_action(self, api: Client, database: Database) -> None:
        set_policy(api, actions=[])

        api.record(self.body())

        assert self.applied_actions(database) == set(self.ACTIONS)

    def test_the_setting_applies_to_the_signup_helper_too(self, deployed: Deployed, database: Database) -> None:
        client = deployed(anonymous_actions=("lists",))

        body = {"person": factories.person(), **self.ACTIONS["tags"], **self.ACTIONS["lists"]}
        client.post("/people/person_signup_helper", body, token=False)

        person = database.people.find_one()
        assert ("items" in person, "taggings" in person) == (True, False)

    def test_an_action_that_is_not_allowed_is_a_warning_of_the_outreach(self, api: Client, database: Database) -> None:
        set_policy(api, actions=["lists"])

        api.record(factories.outreach(**self.ACTIONS["tags"]), token=False)

        assert database.outreaches.find_one()["warnings"] == [
            {"property": name, "reason": "Not allowed without a token."} for name in self.ACTIONS["tags"]
        ]


class TestAllowedOrigins:
    def post(self, client: Client, origin: str, body: Any = None) -> Any:
        return client.record(body or factories.outreach(), token=False, headers={"Origin": origin})

    def preflight(self, client: Client, origin: str) -> str | None:
        response = client.http.options(
            f"/api/v1/advocacy_campaigns/{client.campaign_id}/record_outreach_helper",
            headers={"Origin": origin, "Access-Control-Request-Method": "POST"},
        )
        assert response.status_code == 200
        return response.headers.get("Access-Control-Allow-Origin")

    def test_a_campaign_can_list_its_own_origins(self, api: Client, database: Database) -> None:
        set_policy(api, origins=[OURS])

        assert (self.preflight(api, OURS), self.preflight(api, OTHER)) == (OURS, None)
        accepted, rejected = self.post(api, OURS), self.post(api, OTHER)
        assert (accepted.status_code, accepted.headers["Access-Control-Allow-Origin"]) == (200, OURS)
        assert "Origin" in accepted.headers["Vary"]
        assert (rejected.status_code, "Access-Control-Allow-Origin" in rejected.headers) == (403, False)
        assert database.outreaches.count_documents({}) == 1

    def test_allowed_pages_can_read_error_responses(self, api: Client) -> None:
        set_policy(api, origins=[OURS])

        broken = self.post(api, OURS, "{")

        assert (broken.status_code, broken.headers["Access-Control-Allow-Origin"]) == (400, OURS)

    def test_a_campaign_can_allow_more_origins_than_the_deployment(self, deployed: Deployed) -> None:
        client = deployed(cors_origins=(OURS,))
        assert self.post(client, OTHER).status_code == 403
        set_policy(client, origins=[OURS, OTHER])

        assert self.preflight(client, OTHER) == OTHER
        assert self.post(client, OTHER).status_code == 200

    def test_a_request_without_an_origin_is_accepted(self, api: Client) -> None:
        set_policy(api, origins=[OURS])

        assert api.record(factories.outreach(), token=False).status_code == 200

    def test_a_token_can_be_used_from_any_origin(self, api: Client) -> None:
        set_policy(api, origins=[OURS])

        assert api.record(factories.outreach(), headers={"Origin": OTHER}).status_code == 200

    def test_no_response_allows_credentials(self, api: Client) -> None:
        assert "Access-Control-Allow-Credentials" not in self.post(api, OURS).headers


class TestTheHoneypot:
    """The honeypot is a field that a page hides, so that only a bot fills it."""

    @pytest.mark.parametrize(("filled", "kept"), [("buy now", 0), ("", 1), (None, 1)])
    def test_a_post_that_fills_the_field_gets_a_response_but_is_not_recorded(
        self, deployed: Deployed, database: Database, filled: str | None, kept: int
    ) -> None:
        client = deployed(honeypot_field="website")

        response = client.record(factories.outreach(website=filled), token=False)

        assert (response.status_code, response.json) == (200, {})
        assert database.outreaches.count_documents({}) == database.people.count_documents({}) == kept

    def test_a_post_with_a_token_may_fill_the_field(self, deployed: Deployed, database: Database) -> None:
        deployed(honeypot_field="website").record(factories.outreach(website="x"))

        assert database.outreaches.count_documents({}) == 1

    def test_the_signup_helper_has_the_honeypot_too(self, deployed: Deployed, database: Database) -> None:
        body = {"person": factories.person(), "website": "x"}

        assert deployed(honeypot_field="website").post("/people/person_signup_helper", body, token=False).json == {}
        assert database.people.count_documents({}) == 0


class TestTheRoute:
    def test_get_returns_the_policy_in_effect(self, deployed: Deployed) -> None:
        client = deployed(anonymous_actions=("tags", "lists"))
        address = f"/advocacy_campaigns/{client.campaign_id}/anonymous_posts"
        set_policy(client, origins=[OURS])

        policy = client.get(address).json

        assert {name: policy[name] for name in ("enabled", "origins", "actions")} == {
            "enabled": True,
            "origins": [OURS],
            "actions": ["tags", "lists"],
        }
        assert client.follow(policy, "osdi:advocacy_campaign")["title"]

    def test_null_restores_the_value_of_the_deployment(self, api: Client) -> None:
        set_policy(api, enabled=False, actions=[])

        assert set_policy(api, enabled=None)["enabled"] is True
        assert set_policy(api, title="ignored")["actions"] == []

    def test_the_campaign_does_not_contain_the_policy(self, api: Client) -> None:
        set_policy(api, enabled=False)

        assert "anonymous_posts" not in api.get(f"/advocacy_campaigns/{api.campaign_id}").json

    def test_with_strict_handling_an_unknown_field_is_rejected(self, api: Client) -> None:
        address = f"/advocacy_campaigns/{api.campaign_id}/anonymous_posts"

        assert api.put(address, {"open": True}, headers={"Prefer": "handling=strict"}).status_code == 400

    @pytest.mark.parametrize(
        "body",
        [
            {"origins": ["campaign.example.org"]},
            {"origins": ["https://a/b"]},
            {"origins": ["https://a"] * 101},
            {"actions": ["everything"]},
            {"actions": "tags"},
            {"enabled": "perhaps"},
            [],
            "x",
        ],
    )
    def test_an_invalid_policy_is_rejected(self, api: Client, body: Any) -> None:
        assert api.put(f"/advocacy_campaigns/{api.campaign_id}/anonymous_posts", body).status_code == 400

    def test_only_an_admin_token_can_change_the_policy(self, api: Client, store: Store) -> None:
        address = f"/advocacy_campaigns/{api.campaign_id}/anonymous_posts"

        rejected = api.put(address, {"enabled": False}, token=factories.token(store, scopes=(READ, WRITE)))

        assert rejected.status_code == 403
        assert "admin" in rejected.json["error"]
        assert api.get(address, token=False).status_code == 401
        assert api.get("/advocacy_campaigns/nothing/anonymous_posts").status_code == 404

    def test_if_match_rejects_a_change_of_an_older_version(self, api: Client) -> None:
        address = f"/advocacy_campaigns/{api.campaign_id}/anonymous_posts"
        read = api.get(address).headers["ETag"]
        set_policy(api, enabled=False)

        assert api.put(address, {"enabled": True}, headers={"If-Match": read}).status_code == 412
