"""A request at a limit is accepted, and one beyond it is rejected completely; docs/limits.md lists the limits."""

import json
from typing import Any

import pytest
from pymongo.database import Database

from tests.attacks import LIMIT, check_error
from tests.attacks.test_bad_input import OK, person
from tests.support.client import Client


def test_a_body_beyond_the_size_limit_is_rejected(api: Client, database: Database) -> None:
    body = json.dumps(OK | {"unknown": "x" * LIMIT})

    check_error(api.record(body), 413)
    assert database.people.count_documents({}) == 0


def test_the_413_has_an_osdi_error(api: Client) -> None:
    description = api.record("x" * 300_000).json["osdi:error"]["resource_status"][0]["error_descriptions"][0]

    assert description == {"error_code": "TOO_LARGE", "description": "The body has more than 262144 bytes."}


def test_a_body_at_the_depth_limit_is_accepted(api: Client) -> None:
    assert api.record(json.dumps(OK | {"unknown": 0}).replace("0", "[" * 31 + "]" * 31)).status_code == 200


@pytest.mark.parametrize("number", [2**63 - 1, -(2**63), 2**62, 1.5, 0])
def test_a_number_of_64_bits_is_stored_exactly(api: Client, database: Database, number: float) -> None:
    api.recorded({"person": OK["person"] | {"custom_fields": {"id": number}}})

    assert database.people.find_one()["custom_fields"] == {"id": str(number)}


def test_a_body_at_the_size_limit_is_accepted(api: Client) -> None:
    body = json.dumps(OK | {"unknown": ""})

    assert api.record(body.replace('""', '"' + "x" * (LIMIT - len(body)) + '"')).status_code == 200


def test_arrays_that_grew_by_merging_can_be_sent_back(api: Client) -> None:
    for number in range(12):
        fields = {"custom_fields": {f"{number}-{name}": "1" for name in range(20)}, "identifiers": ["crm:1"]}
        created = api.created("/people", {"email_addresses": [{"address": f"jane{number}@example.com"}], **fields})
    known = api.get(created["_links"]["self"]["href"]).json
    assert (len(known["email_addresses"]), len(known["custom_fields"])) == (12, 240)

    response = api.put(created["_links"]["self"]["href"], known)

    assert (response.status_code, response.json) == (200, known)


def test_an_array_in_a_put_has_a_limit(api: Client) -> None:
    created = api.created("/people", {"email_addresses": [{"address": "jane@example.com"}]})
    addresses = [{"address": f"jane{number}@example.com"} for number in range(101)]

    check_error(api.put(created["_links"]["self"]["href"], {"email_addresses": addresses}), 400, "email_addresses")


def test_an_idempotency_key_can_contain_any_character(api: Client, database: Database) -> None:
    for _ in range(2):
        assert api.record(OK, headers={"Idempotency-Key": '\u00ff\t"{$ne}'}).status_code == 200

    assert database.outreaches.count_documents({}) == 1


def test_the_error_for_a_long_name_is_short(api: Client) -> None:
    response = api.record(OK | {"x" * 100_000: 1}, headers={"Prefer": "handling=strict"})

    check_error(response, 400, "Unknown field")
    assert len(response.data) < 10_000


class TestDocumentSize:
    """A write that would exceed the size limit of a document is rejected completely."""

    @pytest.fixture(autouse=True)
    def _bound(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("osdi.people.merge_rules.MAX_DOCUMENT_BYTES", 4_000)

    @pytest.mark.parametrize("token", [True, False], ids=["with a token", "without"])
    def test_of_a_new_person(self, api: Client, database: Database, token: bool) -> None:
        check_error(api.record(person(source="x" * 1_000, browser_url="x" * 4_000), token=token), 413, "person")

        assert database.people.count_documents({}) == 0
        assert database.outreaches.count_documents({}) == 0

    def test_of_a_new_campaign(self, api: Client, database: Database) -> None:
        check_error(api.post("/advocacy_campaigns", {"title": "Huge", "description": "x" * 4_000}), 413)

        assert database.advocacy_campaigns.count_documents({"title": "Huge"}) == 0

    def test_anonymous_posts_leave_room_for_posts_with_a_token(self, api: Client, database: Database) -> None:
        api.recorded(OK)
        for number in range(20):
            address = {"locality": f"Town {number}", "venue": "x" * 300}
            assert api.record(person(postal_addresses=[address]), token=False).status_code == 200

        api.recorded(person(source="x" * 1_000))

        (known,) = database.people.find()
        assert known["source"] == "x" * 1_000
        assert 1 < len(known["postal_addresses"]) < 20
        assert database.outreaches.count_documents({}) == 22

    @pytest.mark.parametrize(
        ("method", "path", "body"),
        [
            ("POST", "/people", {"identifiers": ["crm:1"], "custom_fields": {"much": "x" * 4_000}}),
            ("PUT", "<person>", {"custom_fields": {"much": "x" * 4_000}}),
            ("PUT", "<outreach>", {"message": "x" * 4_000}),
            ("POST", "/tags", {"name": "volunteer", "description": "x" * 4_000}),
            ("PUT", "<tag>", {"description": "x" * 4_000}),
            ("POST", "<question>/answers", {"value": "x" * 4_000}),
            ("PUT", "<answer>", {"value": "x" * 4_000}),
        ],
    )
    def test_of_a_stored_document(
        self, api: Client, database: Database, method: str, path: str, body: dict[str, Any]
    ) -> None:
        outreach = api.recorded(OK | {"person": OK["person"] | {"identifiers": ["crm:1"]}})
        person_link = {"_links": {"osdi:person": outreach["_links"]["osdi:person"]}}
        question = api.created("/questions", {"question_type": "Paragraph"})
        made = {
            "outreach": outreach,
            "person": api.follow(outreach, "osdi:person"),
            "tag": api.created("/tags", {"name": "volunteer"}),
            "question": question,
            "answer": api.created(f"{question['_links']['self']['href']}/answers", {"value": "because"} | person_link),
        }
        for name, resource in made.items():
            path = path.replace(f"<{name}>", resource["_links"]["self"]["href"])
        before = [list(database[name].find()) for name in ("people", "outreaches", "tags")]

        sent = body | (person_link if path.endswith("/answers") else {})
        response = (api.post if method == "POST" else api.put)(path, sent)

        check_error(response, 413, "size limit")
        assert [list(database[name].find()) for name in ("people", "outreaches", "tags")] == before
