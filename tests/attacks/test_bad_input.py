"""An invalid request gets a 4xx in OSDI's error form that names the property, and nothing is written."""

from typing import Any

import pytest
from pymongo.database import Database

from osdi.settings import Settings
from tests.attacks import check_error
from tests.support.client import Client

STRICT = {"Prefer": "handling=strict"}
OK: dict[str, Any] = {"person": {"email_addresses": [{"address": "jane@example.com"}]}}


def person(**fields: Any) -> dict[str, Any]:
    return {"person": OK["person"] | fields}


# body, property in the error message
TABLE: list[tuple[Any, str]] = [
    ("{", "JSON"),
    ("", "JSON"),
    (b"\xff\xfe", "JSON"),
    ('{"a": NaN}', "JSON"),
    ('{"duration": 1e999}', "JSON"),
    ('{"subject": "\\ud800"}', "JSON"),
    ("[" * 20_000, "JSON"),
    ("[]", "object"),
    ("null", "object"),
    ('"text"', "object"),
    ("7", "object"),
    ({}, "person"),
    ({"person": {}}, "person"),
    ({"person": None}, "person"),
    ({"person": "Jane"}, "person"),
    ({"person": [OK["person"]]}, "person"),
    ({"person": 7}, "person"),
    (OK | {"duration": -1}, "duration"),
    (OK | {"duration": 1.5}, "duration"),
    (OK | {"duration": True}, "duration"),
    (OK | {"duration": "long"}, "duration"),
    (OK | {"duration": 2**70}, "duration"),
    (OK | {"duration": [1]}, "duration"),
    (OK | {"action_date": "yesterday"}, "action_date"),
    (OK | {"action_date": "2014-13-01"}, "action_date"),
    (OK | {"action_date": "0001-01-01T00:00:00+14:00"}, "action_date"),
    (OK | {"action_date": "9999-12-31T23:59:59-14:00"}, "action_date"),
    (OK | {"action_date": 1395140535}, "action_date"),
    (OK | {"action_date": {}} | {"action_date": {"a": 1}}, "action_date"),
    (OK | {"type": [7]}, "type"),
    (OK | {"type": "x" * 1001}, "type"),
    (OK | {"subject": ["a"]}, "subject"),
    (OK | {"subject": "a\x00b"}, "subject"),
    (OK | {"message": "x" * 64_001}, "message"),
    (OK | {"identifiers": ["nocolon"]}, "identifiers[0]"),
    (OK | {"identifiers": ["a:b", 7]}, "identifiers[1]"),
    (OK | {"identifiers": "a b:c"}, "identifiers[0]"),
    (OK | {"identifiers": {"a": "b"}}, "identifiers"),
    (OK | {"identifiers": ["a:b\nc"]}, "identifiers[0]"),
    (OK | {"identifiers": ["a:\x01"]}, "identifiers[0]"),
    (OK | {"identifiers": ["a:" + "x" * 254]}, "identifiers[0]"),
    (OK | {"identifiers": [f"a:{n}" for n in range(21)]}, "identifiers"),
    (OK | {"referrer_data": "facebook"}, "referrer_data"),
    (OK | {"referrer_data": {"source": True}}, "referrer_data.source"),
    (OK | {"targets": "U.S. Congress"}, "targets"),
    (OK | {"targets": [7]}, "targets[0]"),
    (OK | {"targets": [{}, {"given_name": {"a": 7}}]}, "targets[1].given_name"),
    (OK | {"targets": [{"given_name": "a"}] * 101}, "targets"),
    (OK | {"targets": [{"email_addresses": [{"address": "x"}]}]}, "targets[0].email_addresses[0].address"),
    (OK | {"add_tags": [[7]]}, "add_tags[0]"),
    (OK | {"add_tags": [7]}, "add_tags"),
    (OK | {"add_tags": {"a": 1}}, "add_tags"),
    (OK | {"add_tags": ["t"] * 51}, "add_tags"),
    (OK | {"add_lists_uri": 7}, "add_lists_uri"),
    (OK | {"add_questions_responses_uri": [{"value": "x"}]}, "add_questions_responses_uri[0].question"),
    (OK | {"add_questions_responses_uri": "x"}, "add_questions_responses_uri"),
    (OK | {"triggers": {"autoresponse": True}}, "triggers.autoresponse"),
    (OK | {"triggers": {"autoresponse": {"enabled": "perhaps"}}}, "triggers.autoresponse.enabled"),
    (OK | {"osdi:control": {"return_response": 7}}, "osdi:control.return_response"),
    (OK | {"_links": {"osdi:person": "x"}}, "_links.osdi:person"),
    (person(given_name=True), "person.given_name"),
    (person(given_name={"$gt": ""}), "person.given_name"),
    (person(gender="Robot"), "person.gender"),
    (person(birthdate={"month": 13}), "person.birthdate.month"),
    (person(birthdate={"month": 0}), "person.birthdate.month"),
    (person(birthdate={"day": 0}), "person.birthdate.day"),
    (person(birthdate={"day": 32}), "person.birthdate.day"),
    (person(birthdate={"year": 0}), "person.birthdate.year"),
    (person(birthdate="1973-06-02"), "person.birthdate"),
    (person(email_addresses=[{"address": "nobody"}]), "person.email_addresses[0].address"),
    (person(email_addresses=[{"address": {"$ne": 1}}]), "person.email_addresses[0].address"),
    (person(email_addresses=[{"address": "a@b@c.org"}]), "person.email_addresses[0].address"),
    (person(email_addresses=[{"address": "a@example.com", "status": "on"}]), "person.email_addresses[0].status"),
    (person(email_addresses=[{"address": f"a{n}@example.com"} for n in range(11)]), "person.email_addresses"),
    (person(phone_numbers=[{"number": "call me"}]), "person.phone_numbers[0].number"),
    (person(phone_numbers=[{"number": -19876543210}]), "person.phone_numbers[0].number"),
    (person(phone_numbers=[{"number": "1" * 41}]), "person.phone_numbers[0].number"),
    (person(postal_addresses=[{"address_type": "Cave"}]), "person.postal_addresses[0].address_type"),
    (person(postal_addresses=[{"location": {"latitude": 91}}]), "person.postal_addresses[0].location.latitude"),
    (person(custom_fields=[]) | person(custom_fields=["a"]), "person.custom_fields"),
    (person(custom_fields={"a.b": {"$ne": 1}}), "person.custom_fields.a.b"),
    (person(custom_fields={"$where": {"a": "1"}}), "person.custom_fields.$where"),
    (person(custom_fields={"a": {"b": 1}}), "person.custom_fields.a"),
    (person(custom_fields={"a\x00": "1"}), "person.custom_fields"),
    (person(custom_fields={str(n): "1" for n in range(201)}), "person.custom_fields"),
    (person(identifiers=["x"]), "person.identifiers[0]"),
]


@pytest.mark.one_in(7)
@pytest.mark.parametrize("token", [True, False], ids=["with a token", "without"])
@pytest.mark.parametrize(("body", "named"), TABLE, ids=[str(number) for number in range(len(TABLE))])
def test_an_invalid_body_is_rejected_with_strict_handling(
    api: Client, database: Database, body: Any, named: str, token: bool
) -> None:
    too_large = not token and len(str(body)) > Settings().max_anonymous_body_bytes
    check_error(api.record(body, token=token, headers=dict(STRICT)), *((413, "") if too_large else (400, named)))

    assert database.people.count_documents({}) == 0
    assert database.outreaches.count_documents({}) == 0


def test_every_wrong_property_is_named_at_once(api: Client) -> None:
    response = api.record(
        OK | {"duration": -1, "action_date": "x", "targets": [{"title": []}, {"title": [7]}]}, headers=dict(STRICT)
    )

    descriptions = response.json["osdi:error"]["resource_status"][0]["error_descriptions"]
    assert {each["properties"][0] for each in descriptions} == {"duration", "action_date", "targets[1].title"}


def test_a_blank_name_is_ignored(api: Client, database: Database) -> None:
    api.recorded({"person": OK["person"] | {"given_name": "  "}})

    assert "given_name" not in database.people.find_one()


def test_the_last_of_two_equal_names_wins(api: Client, database: Database) -> None:
    assert api.record('{"person": {"given_name": "Jane"}, "type": "phone", "type": "email"}').status_code == 200

    assert database.outreaches.find_one()["type"] == "email"


class TestAnswersToQuestions:
    """Responses are checked against the question before anything is written."""

    @pytest.fixture
    def questions(self, api: Client) -> dict[str, str]:
        responses = [{"key": "r1", "name": "one"}, {"key": "r2", "name": "two"}]
        bodies = {
            "multi": {"question_type": "MultiChoice", "responses": responses, "identifiers": ["crm:multi"]},
            "single": {"question_type": "SingleChoice", "responses": responses},
            "paragraph": {"question_type": "Paragraph"},
        }
        return {name: api.created("/questions", body)["_links"]["self"]["href"] for name, body in bodies.items()}

    @pytest.mark.parametrize(
        ("question", "entry", "kept"),
        [
            ("multi", {"responses": ["r1", "r2", "r2"]}, ["r1", "r2"]),
            ("multi", {"responses": "r1"}, ["r1"]),
            ("single", {"responses": ["r2"]}, ["r2"]),
            ("paragraph", {"value": "Because"}, "Because"),
        ],
    )
    def test_a_valid_answer_is_recorded(
        self, api: Client, database: Database, questions: dict[str, str], question: str, entry: Any, kept: Any
    ) -> None:
        api.recorded(OK | {"add_questions_responses_uri": [{"question": questions[question], **entry}]})

        (answer,) = database.people.find_one()["answers"]
        assert kept in (answer.get("responses"), answer.get("value"))

    @pytest.mark.parametrize(
        ("question", "entry", "named"),
        [
            ("multi", {"responses": ["r3"]}, ".responses"),
            ("multi", {"responses": ["r1", "r3"]}, ".responses"),
            ("multi", {"value": "r1"}, ".responses"),
            ("multi", {}, ".responses"),
            ("single", {"responses": ["r1", "r2"]}, ".responses"),
            ("paragraph", {"responses": ["r1"]}, ".value"),
            ("paragraph", {}, ".value"),
            ("paragraph", {"value": "x", "responses": ["r1"]}, ".value"),
            ("nothing", {"value": "x"}, ".question"),
        ],
    )
    def test_an_invalid_answer_is_rejected_with_strict_handling(
        self, api: Client, database: Database, questions: dict[str, str], question: str, entry: Any, named: str
    ) -> None:
        href = questions.get(question, "https://example.org/api/v1/questions/nothing")
        body = OK | {"add_questions_responses_uri": [{"question": href, **entry}]}

        check_error(api.record(body, headers=dict(STRICT)), 400, f"add_questions_responses_uri[0]{named}")
        assert database.people.count_documents({}) == 0

    def test_the_last_of_two_answers_to_one_question_wins(
        self, api: Client, database: Database, questions: dict[str, str]
    ) -> None:
        entries = [{"question": questions["single"], "responses": each} for each in ("r1", "r2")]
        for _ in range(2):
            api.recorded(OK | {"add_questions_responses_uri": entries})

        assert [each["responses"] for each in database.people.find_one()["answers"]] == [["r2"]]

    def test_a_question_can_be_named_by_its_identifier(
        self, api: Client, database: Database, questions: dict[str, str]
    ) -> None:
        api.recorded(OK | {"add_questions_responses_uri": [{"question": "crm:multi", "responses": ["r1"]}]})

        assert database.people.find_one()["answers"][0]["responses"] == ["r1"]

    def test_a_repeated_answer_is_stored_once(self, api: Client, database: Database, questions: dict[str, str]) -> None:
        for response in ("r1", "r1", "r2", "r1"):
            api.recorded(
                OK | {"add_questions_responses_uri": [{"question": questions["single"], "responses": response}]}
            )

        assert [each["responses"] for each in database.people.find_one()["answers"]] == [["r1"], ["r2"], ["r1"]]


class TestTagsAndLists:
    """Unknown tags and lists are warnings for token holders; the outreach is recorded."""

    def test_each_is_added_once(self, api: Client, database: Database) -> None:
        tag = api.created("/tags", {"name": "volunteer", "identifiers": ["crm:t"]})
        actions = {"add_tags": ["Volunteer", "volunteer", "crm:t"], "add_tags_uri": [tag["_links"]["self"]["href"]]}

        for _ in range(2):
            api.recorded(OK | actions)

        (tagging,) = database.people.find_one()["taggings"]
        assert tag["identifiers"][0].endswith(tagging["tag_id"])

    def test_unknown_ones_are_named_in_warnings(self, api: Client, database: Database) -> None:
        api.created("/lists", {"name": "supporters"})
        body = OK | {
            "add_tags": ["nobody"],
            "add_tags_uri": "https://x/api/v1/tags/1",
            "add_lists": ["supporters", "x"],
        }

        warnings = api.recorded(body)["osdi_outreach:warnings"]

        assert len(warnings) == 3
        for name in ("'nobody'", "tags/1'", "'x'"):
            assert sum(name in warning for warning in warnings) == 1, warnings
        assert len(database.people.find_one()["items"]) == 1

    def test_a_trigger_that_is_not_enabled_queues_nothing(self, api: Client, database: Database) -> None:
        api.recorded(OK | {"triggers": {"autoresponse": {"enabled": False}, "sms_response": {"identifiers": ["a:b"]}}})

        assert "followups" not in database.outreaches.find_one()


@pytest.mark.parametrize(
    ("path", "stored", "sent"),
    [
        ("/people", {"email_addresses": [{"address": "jane@example.com"}]}, {"email_addresses": {"address": None}}),
        ("/people", {"postal_addresses": [{"locality": "Town"}]}, {"postal_addresses": {"locality": ""}}),
        ("/messages", {"sections": [{"keyword": "stop"}]}, {"sections": {"keyword": None}}),
        ("/advocacy_campaigns", {"target_list": [{"title": "Senator"}]}, {"target_list": {"title": None}}),
    ],
)
def test_an_empty_single_entry_clears_nothing(
    api: Client, path: str, stored: dict[str, Any], sent: dict[str, Any]
) -> None:
    created = api.created(path, stored)

    response = api.put(created["_links"]["self"]["href"], sent)

    assert response.status_code == 200
    assert response.json == created


def test_a_405_lists_the_allowed_methods(api: Client) -> None:
    response = api.http.delete("/api/v1/tags", headers={"OSDI-API-Token": api.token})

    assert {"GET", "POST"} <= set(response.headers["Allow"].split(", "))
