"""A repeated request is recorded once, by its identifiers or the Idempotency-Key."""

import datetime as dt
from typing import Any

import pytest
from pymongo.database import Database

from tests.support import factories
from tests.support.client import Client
from tests.support.factories import by_email


def counts(database: Database) -> tuple[int, int]:
    return database.people.count_documents({}), database.outreaches.count_documents({})


def test_the_same_identifier_is_the_same_outreach(api: Client, noise: list[dict], database: Database) -> None:
    body = factories.outreach(identifiers=["crm:1"])
    first = api.recorded(body)
    before = list(database.people.find()), list(database.outreaches.find())

    assert api.recorded(body) == first
    assert (list(database.people.find()), list(database.outreaches.find())) == before


def test_the_servers_own_identifier_is_the_same_outreach(api: Client, database: Database) -> None:
    body = factories.outreach()
    first = api.recorded(body)

    assert api.recorded({**body, "identifiers": first["identifiers"]}) == first
    assert counts(database) == (1, 1)


def test_a_retry_changes_nothing_about_the_person(api: Client) -> None:
    api.recorded(by_email("jane@example.com", given_name="Old") | {"identifiers": ["crm:1"]})
    api.recorded(by_email("jane@example.com", given_name="New"))
    retried = api.recorded(by_email("jane@example.com", given_name="Old") | {"identifiers": ["crm:1"]})

    assert api.follow(retried, "osdi:person")["given_name"] == "New"


def test_without_identifier_or_key_two_posts_are_two_outreaches(api: Client, database: Database) -> None:
    body = by_email("jane@example.com")
    api.recorded(body)
    api.recorded(body)

    assert counts(database) == (1, 2)


def test_an_identifier_of_another_campaign_is_rejected(api: Client, database: Database) -> None:
    api.recorded(factories.outreach(identifiers=["crm:1"]))
    other = api.created("/advocacy_campaigns", {"title": "Another"})["_links"]["self"]["href"].rsplit("/", 1)[1]

    response = api.record(factories.outreach(identifiers=["crm:1"]), campaign=other)

    assert response.status_code == 409
    assert "identifiers" in response.json["error"]
    assert counts(database) == (1, 1)


def test_identifiers_of_two_outreaches_are_rejected(api: Client, database: Database) -> None:
    for number in (1, 2):
        api.recorded(factories.outreach(identifiers=[f"crm:{number}"]))

    assert api.record(factories.outreach(identifiers=["crm:1", "crm:2"])).status_code == 409
    assert counts(database) == (2, 2)


def test_a_senders_retry_without_a_token_is_one_outreach(api: Client, database: Database) -> None:
    body = by_email("jane@example.com") | {"identifiers": ["page:1"]}

    responses = [api.record(body, token=False).data for _ in range(3)]

    assert responses == [b"{}"] * 3
    assert counts(database) == (1, 1)


def test_a_retry_without_token_and_contact_details_is_one_outreach(api: Client, database: Database) -> None:
    body = factories.outreach(person={"given_name": "Jane", "identifiers": ["page:p"]}, identifiers=["page:1"])

    for _ in range(3):
        assert api.record(body, token=False).status_code == 200

    assert counts(database) == (1, 1)


def test_without_a_token_a_clash_of_identifiers_is_not_reported(api: Client, database: Database) -> None:
    for identifiers in (["page:1"], ["page:2"], ["page:1", "page:2"]):
        response = api.record(by_email("jane@example.com") | {"identifiers": identifiers}, token=False)
        assert (response.status_code, response.data) == (200, b"{}")

    assert counts(database) == (1, 2)


def test_another_senders_identifier_cannot_be_used_first(api: Client, database: Database) -> None:
    api.record(by_email("mallory@example.com") | {"identifiers": ["page:1"]}, token=False)
    api.record(by_email("jane@example.com") | {"identifiers": ["page:1"]}, token=False)

    assert counts(database) == (2, 2)


def test_a_claimed_identifier_does_not_block_a_post_with_a_token(api: Client, database: Database) -> None:
    api.record(by_email("mallory@example.com") | {"identifiers": ["crm:1"]}, token=False)
    mine = api.recorded(by_email("jane@example.com") | {"identifiers": ["crm:1"]})

    assert mine["identifiers"][1:] == ["crm:1"]
    assert counts(database) == (2, 2)


class TestIdempotencyKey:
    """The header of draft-ietf-httpapi-idempotency-key-header, for clients without identifiers."""

    @pytest.mark.parametrize("token", [True, False], ids=["with a token", "without"])
    def test_the_same_key_and_body_is_the_same_outreach(self, api: Client, database: Database, token: bool) -> None:
        body = factories.outreach()
        responses = [api.record(body, token=token, headers={"Idempotency-Key": "k"}).json for _ in range(3)]

        assert responses[0] == responses[1] == responses[2]
        assert counts(database) == (1, 1)

    def test_the_same_key_with_another_body_is_rejected(self, api: Client, database: Database) -> None:
        api.recorded(factories.outreach(), headers={"Idempotency-Key": "k"})

        response = api.record(factories.outreach(), headers={"Idempotency-Key": "k"})

        assert response.status_code == 422
        assert "Idempotency-Key" in response.json["error"]
        assert counts(database) == (1, 1)

    def test_the_same_key_on_another_campaign_is_rejected(self, api: Client) -> None:
        other = api.created("/advocacy_campaigns", {"title": "Another"})["_links"]["self"]["href"].rsplit("/", 1)[1]
        body = factories.outreach()
        api.recorded(body, headers={"Idempotency-Key": "k"})

        assert api.record(body, campaign=other, headers={"Idempotency-Key": "k"}).status_code == 422

    def test_a_key_belongs_to_its_sender(self, api: Client, database: Database) -> None:
        body = factories.outreach()
        api.record(body, headers={"Idempotency-Key": "k"})
        api.record(body, token=False, headers={"Idempotency-Key": "k"})

        assert counts(database) == (1, 2)

    def test_without_a_token_a_guessed_key_blocks_no_other_sender(self, api: Client, database: Database) -> None:
        api.record(by_email("mallory@example.com"), token=False, headers={"Idempotency-Key": "1"})
        response = api.record(by_email("jane@example.com"), token=False, headers={"Idempotency-Key": "1"})

        assert response.status_code == 200
        assert counts(database) == (2, 2)

    def test_a_key_is_free_again_after_a_day(self, api: Client, database: Database) -> None:
        first = api.recorded(factories.outreach(), headers={"Idempotency-Key": "k"})
        yesterday = dt.datetime.now(dt.UTC) - dt.timedelta(hours=24, minutes=1)
        database.outreaches.update_one({}, {"$set": {"created_date": yesterday}})

        body = factories.outreach()
        again = api.recorded(body, headers={"Idempotency-Key": "k"})

        assert again["identifiers"] != first["identifiers"]
        assert api.get(first["_links"]["self"]["href"]).status_code == 200
        assert api.recorded({**body, "identifiers": again["identifiers"]})["identifiers"] == again["identifiers"]

    @pytest.mark.parametrize("key", ["", "x" * 256])
    def test_an_empty_or_too_long_key_is_rejected(self, api: Client, database: Database, key: str) -> None:
        response = api.record(factories.outreach(), headers={"Idempotency-Key": key})

        assert response.status_code == 400
        assert counts(database) == (0, 0)


def test_a_failed_request_can_be_repeated_with_its_key(api: Client, database: Database) -> None:
    wrong: dict[str, Any] = factories.outreach(duration=-1)
    headers = {"Idempotency-Key": "k"}
    assert api.record(wrong, headers=headers | {"Prefer": "handling=strict"}).status_code == 400

    api.recorded(wrong | {"duration": 1}, headers=dict(headers))

    assert counts(database) == (1, 1)


def test_a_retry_gets_its_response_after_any_change_of_the_person(api: Client, database: Database) -> None:
    jane = api.follow(api.recorded(factories.outreach()), "osdi:person")
    body = factories.outreach(person=None, identifiers=["crm:1"], _links={"osdi:person": jane["_links"]["self"]})
    body = {name: value for name, value in body.items() if value is not None}
    path = f"/advocacy_campaigns/{api.campaign_id}/outreaches"
    first = api.created(path, body)

    api.delete(jane["_links"]["self"]["href"])
    again = api.post(path, body)

    assert (again.status_code, again.json["identifiers"]) == (200, first["identifiers"])
    assert database.outreaches.count_documents({}) == 2
    assert api.post(path, body | {"identifiers": ["crm:2"]}).status_code == 400
