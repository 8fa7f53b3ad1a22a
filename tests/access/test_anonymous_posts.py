"""The open door: what is taken without a token, as the deployment's settings and the campaign say."""

from typing import Any

import pytest
from pymongo.database import Database

from osdi.access.tokens import READ, WRITE
from osdi.store import Store
from tests.fixtures.deployed import Deployed
from tests.support import factories
from tests.support.client import Client

OURS, OTHER = "https://campaign.example.org", "https://other.example.org"


def say(client: Client, **said: Any) -> dict[str, Any]:
    """Say for the test's campaign what it takes without a token."""
    response = client.put(f"/advocacy_campaigns/{client.campaign_id}/anonymous_posts", said)
    assert response.status_code == 200, response.get_data(as_text=True)
    return dict(response.json)


class TestWhetherItIsOpen:
    def test_it_is_by_default(self, api: Client) -> None:
        assert api.record(factories.outreach(), token=False).json == {}

    def test_a_campaign_may_close_its_own(self, api: Client, database: Database) -> None:
        say(api, enabled=False)

        refused = api.record(factories.outreach(), token=False)

        assert refused.status_code == 401
        assert refused.headers["WWW-Authenticate"]
        assert api.record(factories.outreach()).status_code == 200
        assert database.outreaches.count_documents({}) == 1

    def test_its_outreaches_are_the_same_door(self, api: Client) -> None:
        say(api, enabled=False)

        path = f"/advocacy_campaigns/{api.campaign_id}/outreaches"
        assert api.post(path, factories.outreach(), token=False).status_code == 401

    def test_a_deployment_may_close_all(self, deployed: Deployed) -> None:
        client = deployed(anonymous_posts=False)

        assert client.record(factories.outreach(), token=False).status_code == 401
        assert (
            client.post("/people/person_signup_helper", {"person": factories.person()}, token=False).status_code == 401
        )

    def test_but_for_one_campaign(self, deployed: Deployed) -> None:
        client = deployed(anonymous_posts=False)
        say(client, enabled=True)

        assert client.record(factories.outreach(), token=False).status_code == 200


class TestWhatMayBeAskedFor:
    ASKED: dict[str, dict[str, Any]] = {
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

    def done(self, database: Database) -> set[str]:
        """Which of the actions show in the database."""
        person, outreach = database.people.find_one(), database.outreaches.find_one()
        arrays = {"tags": "taggings", "lists": "items", "answers": "answers"}
        return {action for action, array in arrays.items() if person.get(array)} | (
            {"triggers"} if outreach.get("followups") else set()
        )

    def body(self) -> dict[str, Any]:
        return factories.outreach() | {name: value for asked in self.ASKED.values() for name, value in asked.items()}

    def test_everything_by_default(self, api: Client, database: Database) -> None:
        api.record(self.body(), token=False)

        assert self.done(database) == set(self.ASKED)

    @pytest.mark.parametrize("action", ASKED)
    def test_what_a_campaign_does_not_allow_is_left_out_and_the_outreach_kept(
        self, api: Client, database: Database, action: str
    ) -> None:
        say(api, actions=[each for each in self.ASKED if each != action])

        assert api.record(self.body(), token=False).json == {}

        assert self.done(database) == set(self.ASKED) - {action}

    def test_nothing_at_all(self, api: Client, database: Database) -> None:
        say(api, actions=[])

        api.record(self.body(), token=False)

        assert self.done(database) == set()

    def test_strictly_it_is_refused_and_named(self, api: Client, database: Database) -> None:
        say(api, actions=["tags"])

        refused = api.record(self.body(), token=False, headers={"Prefer": "handling=strict"})

        assert refused.status_code == 403
        assert "triggers" in refused.json["error"]
        assert database.outreaches.count_documents({}) == 0

    def test_a_token_asks_for_anything(self, api: Client, database: Database) -> None:
        say(api, actions=[])

        api.record(self.body())

        assert self.done(database) == set(self.ASKED)

    def test_a_deployment_says_it_for_the_signup_too(self, deployed: Deployed, database: Database) -> None:
        client = deployed(anonymous_actions=("lists",))

        body = {"person": factories.person(), **self.ASKED["tags"], **self.ASKED["lists"]}
        client.post("/people/person_signup_helper", body, token=False)

        person = database.people.find_one()
        assert ("items" in person, "taggings" in person) == (True, False)


class TestWhichPages:
    def post(self, client: Client, origin: str, body: Any = None) -> Any:
        return client.record(body or factories.outreach(), token=False, headers={"Origin": origin})

    def preflight(self, client: Client, origin: str) -> str | None:
        answer = client.http.options(
            f"/api/v1/advocacy_campaigns/{client.campaign_id}/record_outreach_helper",
            headers={"Origin": origin, "Access-Control-Request-Method": "POST"},
        )
        assert answer.status_code == 200
        return answer.headers.get("Access-Control-Allow-Origin")

    def test_a_campaign_may_list_its_own(self, api: Client, database: Database) -> None:
        say(api, origins=[OURS])

        assert (self.preflight(api, OURS), self.preflight(api, OTHER)) == (OURS, None)
        taken, refused = self.post(api, OURS), self.post(api, OTHER)
        assert (taken.status_code, taken.headers["Access-Control-Allow-Origin"]) == (200, OURS)
        assert "Origin" in taken.headers["Vary"]
        assert (refused.status_code, "Access-Control-Allow-Origin" in refused.headers) == (403, False)
        assert database.outreaches.count_documents({}) == 1

    def test_its_pages_may_read_refusals(self, api: Client) -> None:
        say(api, origins=[OURS])

        broken = self.post(api, OURS, "{")

        assert (broken.status_code, broken.headers["Access-Control-Allow-Origin"]) == (400, OURS)

    def test_a_campaign_may_be_open_to_more_pages_than_the_deployment(self, deployed: Deployed) -> None:
        client = deployed(cors_origins=(OURS,))
        assert self.post(client, OTHER).status_code == 403
        say(client, origins=[OURS, OTHER])

        assert self.preflight(client, OTHER) == OTHER
        assert self.post(client, OTHER).status_code == 200

    def test_what_no_browser_sends_has_no_origin(self, api: Client) -> None:
        say(api, origins=[OURS])

        assert api.record(factories.outreach(), token=False).status_code == 200

    def test_a_token_may_be_used_from_anywhere(self, api: Client) -> None:
        say(api, origins=[OURS])

        assert api.record(factories.outreach(), headers={"Origin": OTHER}).status_code == 200

    def test_no_answer_allows_credentials(self, api: Client) -> None:
        assert "Access-Control-Allow-Credentials" not in self.post(api, OURS).headers


class TestTheHoneypot:
    """A field that a page hides: only a bot fills it."""

    @pytest.mark.parametrize(("filled", "kept"), [("buy now", 0), ("", 1), (None, 1)])
    def test_a_filled_one_is_answered_and_not_kept(
        self, deployed: Deployed, database: Database, filled: str | None, kept: int
    ) -> None:
        client = deployed(honeypot_field="website")

        answer = client.record(factories.outreach(website=filled), token=False)

        assert (answer.status_code, answer.json) == (200, {})
        assert database.outreaches.count_documents({}) == database.people.count_documents({}) == kept

    def test_a_token_may_fill_it(self, deployed: Deployed, database: Database) -> None:
        deployed(honeypot_field="website").record(factories.outreach(website="x"))

        assert database.outreaches.count_documents({}) == 1

    def test_the_signup_has_it_too(self, deployed: Deployed, database: Database) -> None:
        body = {"person": factories.person(), "website": "x"}

        assert deployed(honeypot_field="website").post("/people/person_signup_helper", body, token=False).json == {}
        assert database.people.count_documents({}) == 0


class TestTheRoute:
    def test_it_tells_what_holds(self, deployed: Deployed) -> None:
        client = deployed(anonymous_actions=("tags", "lists"))
        address = f"/advocacy_campaigns/{client.campaign_id}/anonymous_posts"
        say(client, origins=[OURS])

        told = client.get(address).json

        assert {name: told[name] for name in ("enabled", "origins", "actions")} == {
            "enabled": True,
            "origins": [OURS],
            "actions": ["tags", "lists"],
        }
        assert client.follow(told, "osdi:advocacy_campaign")["title"]

    def test_null_leaves_it_to_the_deployment_again(self, api: Client) -> None:
        say(api, enabled=False, actions=[])

        assert say(api, enabled=None)["enabled"] is True
        assert say(api, title="ignored")["actions"] == []

    def test_it_does_not_show_in_the_campaign(self, api: Client) -> None:
        say(api, enabled=False)

        assert "anonymous_posts" not in api.get(f"/advocacy_campaigns/{api.campaign_id}").json

    def test_strictly_an_unknown_field_is_refused(self, api: Client) -> None:
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
    def test_nonsense_is_refused(self, api: Client, body: Any) -> None:
        assert api.put(f"/advocacy_campaigns/{api.campaign_id}/anonymous_posts", body).status_code == 400

    def test_only_an_admin_changes_it(self, api: Client, store: Store) -> None:
        address = f"/advocacy_campaigns/{api.campaign_id}/anonymous_posts"

        refused = api.put(address, {"enabled": False}, token=factories.token(store, scopes=(READ, WRITE)))

        assert refused.status_code == 403
        assert "admin" in refused.json["error"]
        assert api.get(address, token=False).status_code == 401
        assert api.get("/advocacy_campaigns/nothing/anonymous_posts").status_code == 404

    def test_two_editors_are_kept_apart(self, api: Client) -> None:
        address = f"/advocacy_campaigns/{api.campaign_id}/anonymous_posts"
        read = api.get(address).headers["ETag"]
        say(api, enabled=False)

        assert api.put(address, {"enabled": True}, headers={"If-Match": read}).status_code == 412
