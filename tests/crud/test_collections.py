"""POST and GET of campaigns, tags, lists, messages and other reference resources, paging, and the entry point."""

from typing import Any

import pytest
from flask import Flask

from tests.support import factories
from tests.support.client import Client

BODIES: dict[str, dict[str, Any]] = {
    "advocacy_campaigns": {
        "name": "river-2026",
        "title": "Protect the river",
        "description": "<p>Call your senators.</p>",
        "templates": ["Hello, I am calling about the river."],
        "targets": "U.S. Senate",
        "target_list": [{"title": "Senator", "family_name": "Smith"}],
        "type": "phone",
        "share_options": [{"twitter_share": {"message": "I called!", "total_shares": 3}}],
    },
    "tags": {"name": "volunteer", "description": "Who helps", "origin_system": "OpenSupporter"},
    "lists": {"name": "supporters", "title": "Supporters", "summary": "Everybody"},
    "messages": {
        "name": "thanks",
        "subject": "Thank you",
        "body": "<p>Thank you for calling.</p>",
        "from": "The river campaign",
        "reply_to": "info@example.org",
        "type": "email",
        "sections": [{"keyword": "STOP", "auto_reply": "Done."}],
        "daily_start_hour": 9,
    },
    "wrappers": {
        "name": "letterhead",
        "header": "<p>The river campaign</p>",
        "footer": "<p>1 Quay, Riverton</p>",
        "administrative_url": "https://example.org/wrappers/1",
        "wrapper_type": "email",
        "default": False,
    },
    "questions": {
        "title": "What moves you?",
        "question_type": "MultiChoice",
        "responses": [{"key": "hc", "name": "healthcare", "title": "Health care"}],
    },
}


@pytest.mark.parametrize("collection", BODIES)
class TestEachCollection:
    """The common behaviour of reference resources."""

    def test_a_posted_resource_is_returned_and_found(self, api: Client, collection: str) -> None:
        sent = BODIES[collection]
        created = api.created(f"/{collection}/", sent | {"identifiers": ["foreign_system:1"]})

        assert {name: created[name] for name in sent} == sent
        assert created["identifiers"][1:] == ["foreign_system:1"]
        assert api.follow(created, "self") == created

    def test_a_repeated_post_creates_no_second_one(self, api: Client, collection: str) -> None:
        first = api.created(f"/{collection}", BODIES[collection] | {"identifiers": ["crm:1"]})
        again = api.created(f"/{collection}", BODIES[collection] | {"identifiers": ["crm:1", "crm:2"], "summary": "S"})

        assert again["_links"] == first["_links"]
        assert again["identifiers"] == [*first["identifiers"], "crm:2"]

    def test_identifiers_of_two_resources_are_rejected(self, api: Client, collection: str) -> None:
        for number in (1, 2):
            api.created(f"/{collection}", BODIES[collection] | {"identifiers": [f"c:{number}"], "name": f"n{number}"})

        response = api.post(f"/{collection}", BODIES[collection] | {"identifiers": ["c:1", "c:2"], "name": "n1"})

        assert response.status_code == 409

    def test_the_client_can_decline_the_response_body(self, api: Client, collection: str) -> None:
        body = BODIES[collection] | {"osdi:control": {"return_response": False}}

        assert set(api.created(f"/{collection}", body)) == {"identifiers", "_links"}


@pytest.mark.parametrize("collection", ["tags", "lists"])
def test_a_post_with_the_same_name_finds_the_tag_or_list(api: Client, collection: str) -> None:
    first = api.created(f"/{collection}", {"name": "Door  Knockers"})
    second = api.created(f"/{collection}", {"name": "door knockers", "description": "now with a description"})

    assert second["_links"] == first["_links"]
    assert second["description"] == "now with a description"


def test_a_renamed_tag_releases_its_former_name(api: Client) -> None:
    renamed = api.created("/tags", {"name": "old", "identifiers": ["crm:1"]})
    api.created("/tags", {"name": "new", "identifiers": ["crm:1"]})

    assert api.created("/tags", {"name": "old"})["_links"] != renamed["_links"]
    assert api.created("/tags", {"name": "new"})["_links"] == renamed["_links"]


def test_a_question_does_not_change_its_type(api: Client) -> None:
    api.created("/questions", BODIES["questions"] | {"identifiers": ["crm:1"]})

    response = api.post("/questions", {"question_type": "Paragraph", "identifiers": ["crm:1"]})

    assert response.status_code == 409


def test_a_resource_over_the_size_limit_is_rejected(api: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("osdi.people.merge_rules.MAX_DOCUMENT_BYTES", 2_000)
    api.created("/tags", {"name": "volunteer"})

    assert api.post("/tags", {"name": "volunteer", "description": "x" * 2_000}).status_code == 413


def test_a_question_keeps_its_responses(api: Client) -> None:
    body = BODIES["questions"] | {"identifiers": ["crm:1"]}
    api.created("/questions", body)
    again = api.created("/questions", body | {"responses": [{"key": "env", "title": "Environment"}]})

    assert [each["key"] for each in again["responses"]] == ["hc", "env"]


@pytest.mark.parametrize(
    ("collection", "body", "named"),
    [
        ("tags", {}, "name"),
        ("lists", {"title": "x"}, "name"),
        ("questions", {"title": "x"}, "question_type"),
        ("questions", {"question_type": "Quiz"}, "question_type"),
        ("questions", {"question_type": "SingleChoice"}, "responses"),
        ("questions", {"question_type": "Paragraph", "responses": [{"key": "a"}]}, "responses"),
        ("questions", {"question_type": "SingleChoice", "responses": [{"name": "a"}]}, "responses[0].key"),
        ("questions", {"question_type": "SingleChoice", "responses": [{"key": "a"}, {"key": "a"}]}, "responses"),
        ("advocacy_campaigns", {"target_list": [{"email_addresses": [{"address": "x"}]}]}, "target_list[0]"),
    ],
)
def test_an_invalid_body_is_rejected(api: Client, collection: str, body: dict[str, Any], named: str) -> None:
    response = api.post(f"/{collection}", body)

    assert response.status_code == 400
    assert named in response.json["error"]


class TestPaging:
    """Pages in creation order, by number or by the links' cursors."""

    @pytest.fixture
    def names(self, api: Client) -> list[str]:
        names = [f"tag {number:02}" for number in range(7)]
        for name in names:
            api.created("/tags", {"name": name})
        return names

    def pages_from(self, api: Client, address: str, relation: str) -> list[dict[str, Any]]:
        pages = [api.get(address).json]
        while relation in pages[-1]["_links"]:
            assert len(pages) < 20
            pages.append(api.follow(pages[-1], relation))
        return pages

    def names_on(self, pages: list[dict[str, Any]]) -> list[list[str]]:
        return [[tag["name"] for tag in page["_embedded"]["osdi:tags"]] for page in pages]

    def test_next_leads_to_all_pages(self, api: Client, names: list[str]) -> None:
        pages = self.pages_from(api, "/tags?per_page=3", "next")

        assert self.names_on(pages) == [names[0:3], names[3:6], names[6:7]]
        assert [page["page"] for page in pages] == [1, 2, 3]
        assert {(page["total_pages"], page["total_records"], page["per_page"]) for page in pages} == {(3, 7, 3)}

    def test_previous_leads_back(self, api: Client, names: list[str]) -> None:
        pages = self.pages_from(api, "/tags?per_page=3&page=3", "previous")

        assert self.names_on(pages) == [names[6:7], names[3:6], names[0:3]]

    def test_a_page_past_the_end_is_empty(self, api: Client, names: list[str]) -> None:
        page = api.get("/tags?per_page=3&page=9").json

        assert page["_embedded"] == {"osdi:tags": []}
        assert "next" not in page["_links"]
        assert self.names_on([api.follow(page, "previous")]) == [names[6:7]]

    def test_a_page_before_the_first_is_empty_and_links_the_first(self, api: Client, names: list[str]) -> None:
        page = api.get("/tags?per_page=3&page=1&before=0").json

        assert page["_embedded"] == {"osdi:tags": []}
        assert "previous" not in page["_links"]
        assert self.names_on([api.follow(page, "next")]) == [names[0:3]]

    def test_an_empty_collection_is_one_empty_page(self, api: Client) -> None:
        page = api.get("/tags").json

        assert (page["total_records"], page["total_pages"], page["page"]) == (0, 0, 1)
        assert set(page["_links"]) == {"self", "osdi:tags", "curies"}

    def test_every_embedded_resource_has_a_link_of_its_own(self, api: Client, names: list[str]) -> None:
        page = api.get("/tags").json

        embedded = [tag["_links"]["self"] for tag in page["_embedded"]["osdi:tags"]]
        assert embedded == page["_links"]["osdi:tags"]

    def test_the_page_size_is_limited(self, api: Client) -> None:
        assert api.get("/tags?per_page=1000000").json["per_page"] == api.get("/").json["max_pagesize"]

    def test_an_insert_between_two_pages_shifts_nothing(self, api: Client, names: list[str]) -> None:
        first = api.get("/tags?per_page=3").json
        api.created("/tags", {"name": "late"})

        assert self.names_on([api.follow(first, "next")]) == [names[3:6]]

    def test_a_campaign_lists_its_own_outreaches_only(self, api: Client, noise: list[dict]) -> None:
        mine = [api.recorded(factories.outreach()) for _ in range(2)]
        other = api.created("/advocacy_campaigns", {"title": "Another"})

        assert api.follow(other, "osdi:outreaches")["total_records"] == 0
        page = api.get(f"/advocacy_campaigns/{api.campaign_id}/outreaches?per_page=2&page=2").json
        assert (page["total_records"], page["total_pages"]) == (len(noise) + len(mine), 3)


class TestTheEntryPoint:
    """The entry point is readable without a token and links every collection."""

    @pytest.mark.parametrize("path", ["/", ""])
    def test_it_describes_the_service(self, api: Client, path: str) -> None:
        response = api.get(path, token=False).json

        assert (response["osdi_version"], response["namespace"]) == ("1.2.0", "osdi_outreach")
        assert response["motd"]

    def test_an_invalid_token_is_rejected(self, api: Client) -> None:
        assert api.get("/", token="osdi_wrong").status_code == 401

    def test_its_links_can_be_followed(self, api: Client) -> None:
        links = api.get("/").json["_links"]

        for relation, link in links.items():
            if relation not in ("curies", "osdi:person_signup_helper"):
                assert api.get(link["href"]).status_code == 200, relation
        assert set(links) >= {"self", "osdi:people", "osdi:tags", "osdi:lists", "osdi:questions"}

    def test_links_lead_to_every_collection_and_operation(self, api: Client, app: Flask) -> None:
        """So the HAL explorer, which follows links only, reaches every GET."""
        campaign = api.get(f"/advocacy_campaigns/{api.campaign_id}").json
        person = api.created("/people", {"given_name": "Jane"})
        linked = {
            link["href"].partition("/api/v1")[2].rstrip("/")
            for resource in (api.get("/").json, campaign, person)
            for relation, link in resource["_links"].items()
            if relation != "curies" and "href" in link
        }

        ids = {
            "advocacy_campaign_id": campaign["_links"]["self"]["href"],
            "person_id": person["_links"]["self"]["href"],
        }
        wanted = {
            rule.rule.removeprefix("/api/v1").rstrip("/")
            for rule in app.url_map.iter_rules()
            if rule.rule.startswith("/api/v1") and "GET" in (rule.methods or ()) and rule.arguments <= ids.keys()
        }
        for name, href in ids.items():
            wanted = {rule.replace(f"<{name}>", href.rpartition("/")[2]) for rule in wanted}

        assert wanted - linked == set()
        helpers = {path for path in linked if path.endswith("_helper")}
        statuses = {path: api.get(path or "/").status_code for path in sorted(linked - helpers)}
        assert set(statuses.values()) == {200}, statuses


@pytest.mark.parametrize(
    ("posted", "title"),
    [
        ({"title": "Ask your senators", "name": "river"}, "Ask your senators"),
        ({"name": "river-2026"}, "river-2026"),
        ({"name": "river-2026", "title": ""}, "river-2026"),
        ({"name": "river-2026", "title": None}, "river-2026"),
        ({"type": "phone"}, "Untitled campaign"),
        ({}, "Untitled campaign"),
    ],
)
def test_a_campaign_without_a_title_gets_one(api: Client, posted: dict[str, Any], title: str) -> None:
    campaign = api.created("/advocacy_campaigns", posted)

    assert campaign["title"] == title
    assert api.follow(campaign, "self")["title"] == title


def test_a_post_to_a_known_campaign_without_a_title_keeps_its_title(api: Client) -> None:
    api.created("/advocacy_campaigns", {"title": "River", "identifiers": ["crm:1"]})

    campaign = api.created("/advocacy_campaigns", {"name": "river-2026", "identifiers": ["crm:1"]})

    assert campaign["title"] == "River"
