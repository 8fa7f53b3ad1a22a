"""The header `Location`: the response to a POST names the resource that it created or added to (RFC 9110, 10.2.2)."""

from typing import Any

import pytest
from flask import Flask

from app import JsonResponse
from osdi.access.tokens import WRITE
from osdi.store import Store
from tests.support import factories
from tests.support.client import Client

QUESTION = {"title": "Will you come?", "question_type": "Paragraph"}
BODIES: list[tuple[str, dict[str, Any]]] = [
    ("/advocacy_campaigns", {"title": "Save the river"}),
    ("/advocacy_campaigns/{campaign}/outreaches", factories.outreach()),
    ("/advocacy_campaigns/{campaign}/record_outreach_helper", factories.outreach()),
    ("/lists", {"name": "Newsletter"}),
    ("/messages", factories.message()),
    ("/people", {"person": factories.person()}),
    ("/people/person_signup_helper", {"person": factories.person()}),
    ("/questions", QUESTION),
    ("/tags", {"name": "Volunteers"}),
    ("/webhooks", {"url": "https://hooks.example.org/osdi"}),
    ("/wrappers", {"name": "Letterhead", "header": "<p>", "footer": "</p>"}),
]


@pytest.mark.parametrize(("path", "body"), BODIES, ids=[path for path, _ in BODIES])
def test_it_is_the_address_of_the_resource(api: Client, path: str, body: dict[str, Any]) -> None:
    response = api.post(path.format(campaign=api.campaign_id), body)

    assert response.status_code == 200, response.json
    assert response.headers["Location"] == response.json["_links"]["self"]["href"]
    assert api.get(response.headers["Location"]).status_code == 200


@pytest.mark.parametrize(
    ("parent", "parent_body", "path", "relation"),
    [
        ("/tags", {"name": "Volunteers"}, "taggings", "osdi:person"),
        ("/lists", {"name": "Newsletter"}, "items", "osdi:person"),
        ("/questions", QUESTION, "answers", "osdi:person"),
    ],
)
def test_it_is_the_address_of_a_subresource(
    api: Client, parent: str, parent_body: dict[str, Any], path: str, relation: str
) -> None:
    address = api.created(parent, parent_body)["_links"]["self"]["href"]
    person = api.created("/people", {"person": factories.person()})["_links"]["self"]

    response = api.post(f"{address}/{path}", {"value": "Yes", "_links": {relation: person}})

    assert response.status_code == 200, response.json
    assert response.headers["Location"] == response.json["_links"]["self"]["href"]


def test_a_response_without_a_body_has_it(api: Client) -> None:
    response = api.post("/tags?background_request=true", {"name": "Volunteers"})

    assert response.json == {}
    assert api.get(response.headers["Location"]).json["name"] == "Volunteers"


def test_a_token_that_may_not_read_gets_it(app: Flask, api: Client, store: Store) -> None:
    writer = Client(app.test_client(), factories.token(store, scopes=[WRITE]))

    location = writer.post("/tags", {"name": "Volunteers"}).headers["Location"]

    assert api.get(location).json["name"] == "Volunteers"


def test_an_anonymous_caller_does_not_get_it(api: Client) -> None:
    response = api.record(factories.outreach(), token=False)

    assert (response.status_code, response.json) == (200, {})
    assert "Location" not in response.headers


def test_a_change_of_a_resource_does_not_have_it(api: Client) -> None:
    tag = api.created("/tags", {"name": "Volunteers"})["_links"]["self"]["href"]

    assert "Location" not in api.put(tag, {"name": "Helpers"}).headers
    assert "Location" not in api.get(tag).headers


@pytest.mark.parametrize(
    ("location", "sent"),
    [
        ("https://osdi.example.org/api/v1/people/1", "https://osdi.example.org/api/v1/people/1"),
        ("https://münchen.example/api/v1/people/1", "https://xn--mnchen-3ya.example/api/v1/people/1"),
    ],
)
def test_it_is_sent_in_ascii(location: str, sent: str) -> None:
    response = JsonResponse(b"{}", headers={"Location": location})

    headers = response.get_wsgi_headers({})

    assert headers["Location"] == sent


@pytest.mark.parametrize("status", [204, 304])
def test_a_response_without_a_body_has_no_length(status: int) -> None:
    response = JsonResponse(b"{}", status)

    headers = response.get_wsgi_headers({})

    assert "Content-Length" not in headers
