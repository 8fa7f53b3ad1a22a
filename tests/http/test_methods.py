"""A wrong method: 405 in OSDI's error form, with the methods that the path has."""

import pytest

from tests.support.client import Client

HELPERS = ("/advocacy_campaigns/{campaign}/record_outreach_helper", "/people/person_signup_helper")


@pytest.mark.parametrize("token", [True, False], ids=["with a token", "without a token"])
@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE", "PATCH"])
@pytest.mark.parametrize("path", HELPERS)
def test_a_helper_has_post_only(api: Client, path: str, method: str, token: bool) -> None:
    response = api.http.open(
        f"/api/v1{path.format(campaign=api.campaign_id)}",
        method=method,
        headers={"OSDI-API-Token": api.token} if token else {},
    )

    assert response.status_code == 405
    assert set(response.headers["Allow"].split(", ")) == {"POST", "OPTIONS"}
    if method != "HEAD":
        (status,) = response.json["osdi:error"]["resource_status"]
        assert status["error_descriptions"][0]["error_code"] == "METHOD_NOT_ALLOWED"


@pytest.mark.parametrize("method", ["PUT", "DELETE", "POST"])
def test_the_duplicates_can_only_be_read(api: Client, method: str) -> None:
    response = api.http.open("/api/v1/people/duplicates", method=method, headers={"OSDI-API-Token": api.token})

    assert response.status_code == 405
    assert set(response.headers["Allow"].split(", ")) == {"GET", "HEAD", "OPTIONS"}


@pytest.mark.parametrize("name", ["person_signup_helper2", "xduplicates", "duplicates-", "Duplicates", "duplicates.x"])
def test_an_id_may_contain_the_name_of_such_a_path(api: Client, name: str) -> None:
    assert api.get(f"/people/{name}").status_code == 404
    assert api.put(f"/people/{name}", {}).status_code == 404
