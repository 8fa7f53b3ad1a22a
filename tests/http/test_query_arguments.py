"""Arguments of an address: the filter's two names, and unknown arguments with strict handling."""

from typing import Any

import pytest

from tests.support import factories
from tests.support.client import Client

STRICT = {"Prefer": "handling=strict"}


@pytest.fixture
def two(api: Client) -> Client:
    for name in ("a", "b"):
        api.recorded(factories.outreach(type=name, person={"email_addresses": [{"address": f"{name}@example.org"}]}))
        api.created("/tags", {"name": name})
    return api


@pytest.mark.parametrize("name", ["filter", "$filter"])
@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("/people", "email_address eq 'b@example.org'"),
        ("/outreaches", "type eq 'b'"),
        ("/tags", "name eq 'b'"),
    ],
)
def test_a_filter_has_two_names(two: Client, path: str, name: str, text: str) -> None:
    page = two.get(path, query_string={name: text}).json

    assert page["total_records"] == 1
    assert "filter=" in page["_links"]["self"]["href"]


def test_a_download_is_filtered_by_odatas_name(two: Client) -> None:
    assert (
        "a@example.org" not in two.get("/people.csv", query_string={"$filter": "email_address eq 'b@example.org'"}).text
    )


@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        ({"filter": "name eq 'a'", "$filter": "name eq 'a'"}, 200),
        ({"filter": "name eq 'a'", "$filter": "name eq 'b'"}, 400),
        ({"$filter": "nam eq 'b'"}, 400),
    ],
)
def test_two_different_filters_are_rejected(two: Client, arguments: dict[str, str], status: int) -> None:
    assert two.get("/tags", query_string=arguments).status_code == status


@pytest.mark.parametrize(
    ("method", "path", "name"),
    [
        ("GET", "/people", "fliter"),
        ("GET", "/people", "$top"),
        ("GET", "/people", "email_address"),
        ("GET", "/outreaches", "perpage"),
        ("GET", "/tags", "$expand"),
        ("GET", "/advocacy_campaigns/{campaign}", "page"),
        ("GET", "/people.csv", "page"),
        ("POST", "/advocacy_campaigns/{campaign}/record_outreach_helper", "campaign"),
        ("POST", "/people", "force"),
        ("PUT", "/advocacy_campaigns/{campaign}", "force"),
    ],
)
def test_an_unknown_argument_is_rejected_with_strict_handling_only(
    two: Client, method: str, path: str, name: str
) -> None:
    address = path.format(campaign=two.campaign_id)
    body = factories.outreach() if "helper" in path else factories.person() if method == "POST" else {"title": "A"}

    def status(headers: dict[str, str]) -> Any:
        options: dict[str, Any] = {"headers": headers, "query_string": {name: "x"}}
        if method == "GET":
            return two.get(address, **options)
        return two.post(address, body, **options) if method == "POST" else two.put(address, body, **options)

    assert status({}).status_code == 200
    rejected = status(dict(STRICT))
    assert (rejected.status_code, rejected.json["error"]) == (400, f"{name}: Unknown argument.")


@pytest.mark.parametrize(
    ("path", "arguments"),
    [
        ("/people", {"page": "1", "per_page": "5", "filter": "given_name eq 'x'", "$expand": "osdi:taggings"}),
        ("/people", {"$filter": "given_name eq 'x'", "background_request": "true"}),
        ("/people.csv", {"bom": "true"}),
        ("/people/duplicates", {"per_page": "5"}),
    ],
)
def test_known_arguments_are_accepted_with_strict_handling(two: Client, path: str, arguments: dict[str, str]) -> None:
    assert two.get(path, query_string=arguments, headers=dict(STRICT)).status_code == 200


def test_a_token_in_the_address_is_a_known_argument(two: Client) -> None:
    arguments = {"OSDI-API-Token": two.token}

    assert two.get("/people", token=False, query_string=arguments, headers=dict(STRICT)).status_code == 200
