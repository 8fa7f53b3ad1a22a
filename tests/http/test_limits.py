"""At a bound what is sent is taken, past it refused as a whole; docs/limits.md lists the bounds."""

import json

import pytest
from pymongo.database import Database

from tests.client import Client
from tests.http.attacks import LIMIT, check_refusal
from tests.http.test_bad_input import OK, person


def test_a_body_past_the_limit(api: Client, database: Database) -> None:
    body = json.dumps(OK | {"unknown": "x" * LIMIT})

    check_refusal(api.record(body), 413)
    assert database.people.count_documents({}) == 0


def test_the_413_is_the_same_however_it_is_found(api: Client) -> None:
    description = api.record("x" * 300_000).json["osdi:error"]["resource_status"][0]["error_descriptions"][0]

    assert description == {"error_code": "TOO_LARGE", "description": "The body has more than 262144 bytes."}


def test_a_body_as_deep_as_may_be_is_taken(api: Client) -> None:
    assert api.record(json.dumps(OK | {"unknown": 0}).replace("0", "[" * 31 + "]" * 31)).status_code == 200


@pytest.mark.parametrize("number", [2**63 - 1, -(2**63), 2**62, 1.5, 0])
def test_a_number_of_64_bits_is_kept_to_its_last_digit(api: Client, database: Database, number: float) -> None:
    api.recorded({"person": OK["person"] | {"custom_fields": {"id": number}}})

    assert database.people.find_one()["custom_fields"] == {"id": str(number)}


def test_a_body_at_the_limit_is_taken(api: Client) -> None:
    body = json.dumps(OK | {"unknown": ""})

    assert api.record(body.replace('""', '"' + "x" * (LIMIT - len(body)) + '"')).status_code == 200


def test_a_name_is_told_without_its_full_length(api: Client) -> None:
    response = api.record(OK | {"x" * 100_000: 1}, headers={"Prefer": "handling=strict"})

    check_refusal(response, 400, "Unknown field")
    assert len(response.data) < 10_000


class TestOutgrowing:
    """What would outgrow the bound of a document is refused as a whole, whoever makes it grow."""

    @pytest.fixture(autouse=True)
    def _bound(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("osdi.merging.MAX_DOCUMENT_BYTES", 4_000)

    @pytest.mark.parametrize("token", [True, False], ids=["with a token", "without"])
    def test_a_new_person(self, api: Client, database: Database, token: bool) -> None:
        check_refusal(api.record(person(source="x" * 1_000, browser_url="x" * 4_000), token=token), 413, "person")

        assert database.people.count_documents({}) == 0
        assert database.outreaches.count_documents({}) == 0

    def test_a_new_campaign(self, api: Client, database: Database) -> None:
        check_refusal(api.post("/advocacy_campaigns", {"title": "Huge", "description": "x" * 4_000}), 413)

        assert database.advocacy_campaigns.count_documents({"title": "Huge"}) == 0

    def test_strangers_leave_room_for_who_holds_a_token(self, api: Client, database: Database) -> None:
        api.recorded(OK)
        for number in range(20):
            address = {"locality": f"Town {number}", "venue": "x" * 300}
            assert api.record(person(postal_addresses=[address]), token=False).status_code == 200

        api.recorded(person(source="x" * 1_000))

        (known,) = database.people.find()
        assert known["source"] == "x" * 1_000
        assert 1 < len(known["postal_addresses"]) < 20
        assert database.outreaches.count_documents({}) == 22
