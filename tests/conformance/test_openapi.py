"""The generated OpenAPI document is valid, complete and committed, and matches the real responses."""

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import marshmallow as ma
import orjson
import pytest
from flask import Flask
from jsonschema import Draft202012Validator, FormatChecker
from openapi_spec_validator import OpenAPIV31SpecValidator

from app import create_app
from blueprints.http.context import EXTENSION
from blueprints.http.rate_limits import RateLimits
from osdi.access.tokens import READ, new_token
from osdi.crud.reference_cache import Reference
from osdi.errors import too_many_requests, unavailable
from osdi.resources import API
from osdi.sample import CAMPAIGN_ID, CHOICE_ID, SHARED_ID, create_sample
from osdi.settings import Settings
from osdi.store import Insert, Store
from osdi.store.indexes import TOKENS
from schemas.advocacy_campaign import AdvocacyCampaignSchema
from schemas.list import ListSchema
from schemas.message import MessageSchema
from schemas.operations.anonymous_posts import AnonymousPostsSchema
from schemas.operations.campaign_page import PageSchema
from schemas.operations.duplicates import MergeSchema
from schemas.operations.triggers import CampaignTriggersSchema
from schemas.operations.webhook import WebhookPutSchema, WebhookSchema
from schemas.outreach import PersonSignupHelperSchema, PostedPersonSchema, RecordOutreachHelperSchema
from schemas.question import QuestionSchema
from schemas.subresources import AnswerSchema, ItemSchema, TaggingSchema
from schemas.tag import TagSchema
from schemas.wrapper import WrapperSchema
from tests.support import factories
from tests.support.client import Client

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "blueprints" / "examples"
HELPER = f"{API}/advocacy_campaigns/{{advocacy_campaign_id}}/record_outreach_helper"
OUTREACHES = f"{API}/advocacy_campaigns/{{advocacy_campaign_id}}/outreaches"
SIGNUP = f"{API}/people/person_signup_helper"
METHODS = ("get", "post", "put", "patch", "delete")
TOKEN = [{"OSDI-API-Token": []}]
BODIES: dict[str, type[ma.Schema]] = {
    "RecordOutreachHelper": RecordOutreachHelperSchema,
    "PersonSignupHelper": PersonSignupHelperSchema,
    "PostedPerson": PostedPersonSchema,
    "AdvocacyCampaign": AdvocacyCampaignSchema,
    "Tag": TagSchema,
    "List": ListSchema,
    "Question": QuestionSchema,
    "Message": MessageSchema,
    "Wrapper": WrapperSchema,
    "Tagging": TaggingSchema,
    "Item": ItemSchema,
    "Answer": AnswerSchema,
    "AnonymousPosts": AnonymousPostsSchema,
    "CampaignTriggers": CampaignTriggersSchema,
    "Page": PageSchema,
    "Webhook": WebhookSchema,
    "WebhookPut": WebhookPutSchema,
    "Merge": MergeSchema,
}

Operation = dict[str, Any]


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    """Returns the document that an application with the default settings serves."""
    app = create_app(Settings(mongodb_uri="mongomock://"))
    response = app.test_client().get("/openapi.json")
    assert response.mimetype == "application/json"
    return dict(orjson.loads(response.data))


@pytest.fixture(scope="module")
def operations(document: dict[str, Any]) -> dict[tuple[str, str], Operation]:
    """Returns every operation by its method and path."""
    return {
        (method, path): item[method] for path, item in document["paths"].items() for method in METHODS if method in item
    }


def test_the_document_is_valid(document: dict[str, Any]) -> None:
    assert [error.message for error in OpenAPIV31SpecValidator(document).iter_errors()] == []


def test_the_committed_file_is_up_to_date(document: dict[str, Any]) -> None:
    committed = ROOT / "openapi.json"

    assert committed.exists(), "openapi.json is missing: run `make docs`"
    assert json.loads(committed.read_bytes()) == document, "openapi.json is out of date: run `make docs`"


def test_routes_and_documented_routes_are_the_same(app: Flask, operations: dict[tuple[str, str], Operation]) -> None:
    routes = {
        (method.lower(), re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule))
        for rule in app.url_map.iter_rules()
        if rule.rule.startswith(API)
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }

    assert set(operations) == routes


def test_every_operation_id_is_unique(operations: dict[tuple[str, str], Operation]) -> None:
    names = [operation["operationId"] for operation in operations.values()]

    assert sorted(set(names)) == sorted(names)


def test_every_operation_has_a_summary_and_its_scopes(
    document: dict[str, Any], operations: dict[tuple[str, str], Operation]
) -> None:
    tags = {tag["name"] for tag in document["tags"]}
    for operation in operations.values():
        assert operation["summary"]
        assert len(operation["tags"]) == 1
        assert set(operation["tags"]) <= tags
        assert operation["security"] in ([], TOKEN, [*TOKEN, {}])


def test_every_operation_documents_its_responses_and_errors(operations: dict[tuple[str, str], Operation]) -> None:
    for (_, path), operation in operations.items():
        expected = {"200", "500"}
        if operation["security"]:
            expected |= {"401", "403", "503"}
        if "requestBody" in operation:
            expected |= {"400", "408", "413"}
        if "{" in path:
            expected |= {"404"}
        assert expected <= set(operation["responses"]), path


def test_every_parameter_of_a_path_is_declared(document: dict[str, Any]) -> None:
    for path, item in document["paths"].items():
        declared = {parameter["name"] for parameter in item.get("parameters", ()) if parameter["in"] == "path"}
        assert declared == set(re.findall(r"{(\w+)}", path))


def test_only_the_helpers_write_without_a_token(operations: dict[tuple[str, str], Operation]) -> None:
    without = {key for key, operation in operations.items() if operation["security"] != TOKEN and key[0] != "get"}

    assert without == {("post", HELPER), ("post", OUTREACHES), ("post", SIGNUP)}
    for key in without:
        assert operations[key]["security"] == [*TOKEN, {}]


@pytest.mark.parametrize("path", [HELPER, OUTREACHES])
def test_the_idempotency_key_is_documented(operations: dict[tuple[str, str], Operation], path: str) -> None:
    parameters = {parameter["name"]: parameter for parameter in operations["post", path]["parameters"]}

    assert parameters["Idempotency-Key"]["in"] == "header"


@pytest.mark.parametrize("path", [HELPER, OUTREACHES])
def test_the_first_example_is_the_request_of_the_standards_page(
    operations: dict[tuple[str, str], Operation], path: str
) -> None:
    first = next(iter(_json(operations["post", path]["requestBody"])["examples"].values()))

    assert first["value"] == _page("request")


def test_the_helper_has_an_example_of_both_responses(operations: dict[tuple[str, str], Operation]) -> None:
    responses = operations["post", HELPER]["responses"]["200"]["content"]["application/hal+json"]["examples"]

    assert [response["value"] for response in responses.values()] == [_page("response"), {}]


def test_every_example_of_a_body_is_accepted(operations: dict[tuple[str, str], Operation]) -> None:
    for operation in operations.values():
        for schema, example in _examples(operation):
            BODIES[schema]().load(example)


def test_every_example_of_a_body_is_valid_by_the_document(
    document: dict[str, Any], operations: dict[tuple[str, str], Operation]
) -> None:
    for operation in operations.values():
        for schema, example in _examples(operation):
            assert _mistakes(document, {"$ref": f"#/components/schemas/{schema}"}, example) == []


@pytest.mark.parametrize("path", [HELPER, OUTREACHES])
def test_a_response_with_a_token_is_as_documented(
    document: dict[str, Any], api: Client, store: Store, path: str
) -> None:
    create_sample(store, Settings.namespace)

    response = api.post(path.format(advocacy_campaign_id=CAMPAIGN_ID).removeprefix(API), _page("request"))

    assert response.status_code == 200
    assert _departures(document, ("post", path), response) == []


def test_a_resource_merged_from_several_bodies_is_as_documented(document: dict[str, Any], api: Client) -> None:
    for part in ("a", "b"):
        body = {
            "identifiers": ["crm:1", *(f"{part}:{number}" for number in range(19))],
            "email_addresses": [{"address": f"{part}{number}@example.org"} for number in range(10)],
        }
        response = api.post("/people", body)

    assert (len(response.json["identifiers"]), len(response.json["email_addresses"])) == (40, 20)
    assert _departures(document, ("post", f"{API}/people"), response) == []


def test_suppressions_are_as_documented(document: dict[str, Any], api: Client) -> None:
    contacts = {
        "email_addresses": [{"address": "jane@example.com", "status": "unsubscribed"}],
        "phone_numbers": [{"number": "12025550123", "do_not_call": True, "sms_capable": False}],
    }
    href = api.created("/people", contacts)["_links"]["self"]["href"]
    api.put(href, {"phone_numbers": [{"number": "12025550123", "do_not_call": False}]})

    suppressions = api.get(f"{href}/suppressions")

    assert [set(each["refused"]) for each in suppressions.json["suppressions"]] == [{"mail"}, {"texts"}]
    assert _departures(document, ("get", f"{API}/people/{{person_id}}/suppressions"), suppressions) == []
    assert api.get("/people/unknown/suppressions").status_code == 404


def test_duplicates_and_merged_people_are_as_documented(document: dict[str, Any], api: Client) -> None:
    phone = [{"number": "12025550123"}]
    people = [api.created("/people", factories.person(phone_numbers=phone))["_links"]["self"] for _ in range(2)]

    duplicates = api.get("/people/duplicates?per_page=1")
    merged = api.post(f"{people[0]['href']}/merge", {"_links": {"osdi:person": people[1]}})
    moved = api.get(people[1]["href"])

    assert len(duplicates.json["duplicates"][0]["_embedded"]["osdi:people"]) == 2
    assert _departures(document, ("get", f"{API}/people/duplicates"), duplicates) == []
    assert _departures(document, ("post", f"{API}/people/{{person_id}}/merge"), merged) == []
    assert moved.status_code == 301
    assert _departures(document, ("get", f"{API}/people/{{person_id}}"), moved) == []


def test_a_response_without_a_token_is_as_documented(document: dict[str, Any], api: Client) -> None:
    response = api.record(factories.outreach(), token=False)

    assert response.status_code == 200
    assert _departures(document, ("post", HELPER), response) == []


def sample_ids(api: Client, store: Store) -> dict[str, str]:
    """Creates a resource for every parameter of a path, and returns its id by the parameter's name."""
    create_sample(store, Settings.namespace)
    outreach = api.recorded(_page("request"), campaign=CAMPAIGN_ID)
    ids = {
        "advocacy_campaign_id": CAMPAIGN_ID,
        "outreach_id": outreach["_links"]["self"]["href"].rsplit("/", 1)[1],
        "person_id": outreach["_links"]["osdi:person"]["href"].rsplit("/", 1)[1],
        "tag_id": SHARED_ID,
        "list_id": SHARED_ID,
        "question_id": CHOICE_ID,
    }
    wrapper = api.created("/wrappers", {"footer": "Reply STOP to stop.", "wrapper_type": "sms", "default": True})
    message = api.created("/messages", {"type": "sms", "_links": {"osdi:wrapper": wrapper["_links"]["self"]}})
    webhook = api.created("/webhooks", {"url": "https://crm.example.org/osdi"})
    for name, created in (("wrapper", wrapper), ("message", message), ("webhook", webhook)):
        ids[f"{name}_id"] = created["_links"]["self"]["href"].rsplit("/", 1)[1]
    person = api.follow(outreach, "osdi:person")
    for name in ("tagging", "item", "answer"):
        entries = api.follow(person, f"osdi:{name}s")["_embedded"][f"osdi:{name}s"]
        entry = next(each for each in entries if f"/{SHARED_ID}/" in each["_links"]["self"]["href"] or name == "answer")
        ids[f"{name}_id"] = entry["_links"]["self"]["href"].rsplit("/", 1)[1]
    return ids


def test_every_get_is_as_documented(
    document: dict[str, Any], operations: dict[tuple[str, str], Operation], api: Client, store: Store
) -> None:
    ids = sample_ids(api, store)
    for method, path in operations:
        if method == "get":
            response = api.get(path.format(**ids).removeprefix(API))
            assert response.status_code == 200, path
            assert _departures(document, (method, path), response) == [], path


def test_every_example_of_a_body_works(operations: dict[tuple[str, str], Operation], api: Client, store: Store) -> None:
    ids = sample_ids(api, store)
    other = api.created("/people", {"email_addresses": [{"address": "otto@example.org"}]})["_links"]["self"]["href"]
    sent = 0
    # Examples name the message and the responses of the question of other examples, which therefore come first.
    first = [("post", f"{API}/messages"), ("post", f"{API}/questions")]
    for method, path in (*first, *(each for each in operations if each not in first)):
        operation = operations[method, path]
        for _, example in _examples(operation):
            # The id of a person is the only part of an example that depends on the data.
            body = json.dumps(example).replace("{id}", other.rsplit("/", 1)[1])
            address = path.format(**ids).removeprefix(API)
            response = api.post(address, body) if method == "post" else api.put(address, json.loads(body))
            assert response.status_code == 200, (method, path, response.text)
            if path == f"{API}/questions":
                ids["question_id"] = response.json["_links"]["self"]["href"].rsplit("/", 1)[1]
            sent += 1

    assert sent > 15


@pytest.mark.parametrize(
    ("public_url", "server", "address"),
    [
        ("", "/", "https://osdi.example.org/api/v1/people/"),
        ("https://data.river.example", "/", "https://data.river.example/api/v1/people/"),
        ("https://river.example/osdi", "/osdi", "https://river.example/osdi/api/v1/people/"),
    ],
)
def test_server_and_examples_are_those_of_the_deployment(public_url: str, server: str, address: str) -> None:
    app = create_app(Settings(mongodb_uri="mongomock://", public_url=public_url))

    found = orjson.loads(app.test_client().get("/openapi.json").data)

    assert [each["url"] for each in found["servers"]] == [server]
    tagging = found["paths"][f"{API}/tags/{{tag_id}}/taggings"]["post"]
    (example,) = (value for _, value in _examples(tagging))
    assert example["_links"]["osdi:person"]["href"].startswith(address)


@pytest.mark.parametrize("schema", ["Tagging", "Item", "Answer", "Message"])
def test_links_that_a_body_can_set_are_not_read_only(document: dict[str, Any], schema: str) -> None:
    links = document["components"]["schemas"][schema]["properties"]["_links"]

    assert not links.get("readOnly")
    assert ("osdi:wrapper" if schema == "Message" else "osdi:person") in links["properties"]


def bad_json(api: Client, _: pytest.MonkeyPatch) -> Any:
    return api.record("{")


def wrong_token(api: Client, _: pytest.MonkeyPatch) -> Any:
    return api.record(factories.outreach(), token="wrong")


def missing_scope(api: Client, _: pytest.MonkeyPatch) -> Any:
    store: Store = api.http.application.extensions[EXTENSION].store
    secret, token = new_token("reader", (READ,))
    store.write(Insert(TOKENS, token))
    return api.record(factories.outreach(), token=secret)


def unknown_campaign(api: Client, _: pytest.MonkeyPatch) -> Any:
    return api.record(factories.outreach(), campaign="none")


def identifiers_of_two_people(api: Client, _: pytest.MonkeyPatch) -> Any:
    for identifier in ("crm:1", "crm:2"):
        api.recorded(factories.outreach(person=factories.person(identifiers=[identifier])))
    return api.record(factories.outreach(person={"identifiers": ["crm:1", "crm:2"]}))


def too_long(api: Client, _: pytest.MonkeyPatch) -> Any:
    return api.record(" " * (Settings.max_body_bytes + 1))


def silent(api: Client, _: pytest.MonkeyPatch) -> Any:
    return api.http.post(
        f"/api/v1/advocacy_campaigns/{api.campaign_id}/record_outreach_helper",
        data=b"{",
        environ_overrides={"CONTENT_LENGTH": "500"},
    )


def key_used_for_another_body(api: Client, _: pytest.MonkeyPatch) -> Any:
    headers = {"Idempotency-Key": "same"}
    api.recorded(factories.outreach(), headers=headers)
    return api.record(factories.outreach(), headers=headers)


def unforeseen(api: Client, monkeypatch: pytest.MonkeyPatch) -> Any:
    def fail(*_: object) -> None:
        raise ArithmeticError

    monkeypatch.setattr(Reference, "campaign", fail)
    return api.record(factories.outreach())


def database_away(api: Client, monkeypatch: pytest.MonkeyPatch) -> Any:
    def fail(*_: object) -> None:
        raise unavailable("The database does not respond at the moment.")

    monkeypatch.setattr(Store, "write", fail)
    return api.record(factories.outreach())


def too_often(api: Client, monkeypatch: pytest.MonkeyPatch) -> Any:
    def reject(*_: object) -> None:
        raise too_many_requests(60)

    monkeypatch.setattr(RateLimits, "hit_caller", reject)
    return api.record(factories.outreach(), token=False)


ERRORS: dict[int, Callable[[Client, pytest.MonkeyPatch], Any]] = {
    400: bad_json,
    401: wrong_token,
    403: missing_scope,
    404: unknown_campaign,
    408: silent,
    409: identifiers_of_two_people,
    413: too_long,
    422: key_used_for_another_body,
    429: too_often,
    500: unforeseen,
    503: database_away,
}


@pytest.mark.parametrize("status", ERRORS)
def test_an_error_response_of_the_helper_is_as_documented(
    document: dict[str, Any], api: Client, monkeypatch: pytest.MonkeyPatch, status: int
) -> None:
    response = ERRORS[status](api, monkeypatch)

    assert response.status_code == status
    assert _departures(document, ("post", HELPER), response) == []


def test_every_documented_error_of_the_helper_is_tested(operations: dict[tuple[str, str], Operation]) -> None:
    documented = set(operations["post", HELPER]["responses"])

    assert documented - {"200"} == {str(status) for status in ERRORS}


def _page(part: str) -> Any:
    """Returns the request or the response of the helper's page."""
    return json.loads((EXAMPLES / f"record_outreach_{part}.json").read_bytes())


def _json(body: dict[str, Any]) -> dict[str, Any]:
    return dict(body["content"]["application/json"])


def _examples(operation: Operation) -> Iterator[tuple[str, Any]]:
    """Yields the schema's name and the value of every example of the operation's body."""
    if "application/json" in operation.get("requestBody", {}).get("content", {}):  # a table of postal codes is CSV
        described = _json(operation["requestBody"])
        name = described["schema"]["$ref"].rsplit("/", 1)[1]
        for example in described.get("examples", {}).values():
            yield name, example["value"]


def _departures(document: dict[str, Any], operation: tuple[str, str], response: Any) -> list[str]:
    """Returns the differences between a response and the documented response with this status."""
    method, path = operation
    described = document["paths"][path][method]["responses"][str(response.status_code)]
    if "$ref" in described:
        described = document["components"]["responses"][described["$ref"].rsplit("/", 1)[1]]
    if response.mimetype not in described["content"]:
        return [f"{response.mimetype} is not documented"]
    schema = described["content"][response.mimetype]["schema"]
    body = response.text if response.mimetype == "text/csv" else response.json
    return _mistakes(document, schema, body) + _undocumented(document, schema, body)


def _mistakes(document: dict[str, Any], schema: dict[str, Any], value: Any) -> list[str]:
    """Returns the errors of the value by JSON Schema."""
    whole = {**schema, "components": document["components"]}
    found = Draft202012Validator(whole, format_checker=FormatChecker()).iter_errors(value)
    return [f"{error.json_path}: {error.message}" for error in found]


def _undocumented(document: dict[str, Any], schema: dict[str, Any], value: Any, place: str = "$") -> list[str]:
    """Returns the properties that the schema does not have, except those in the server's namespace."""
    if "$ref" in schema:
        schema = document["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]]
    if isinstance(value, list):
        return [each for item in value for each in _undocumented(document, schema.get("items", {}), item, f"{place}[]")]
    if not isinstance(value, dict) or "properties" not in schema:
        return []
    found = []
    for name, inner in value.items():
        if name in schema["properties"]:
            # HAL defines the content of a link object; our document has to list the relations.
            inside = {} if place.endswith("._links") else schema["properties"][name]
            found += _undocumented(document, inside, inner, f"{place}.{name}")
        elif not name.startswith(f"{Settings.namespace}:"):
            found.append(f"{place}.{name} is not documented")
    return found
