"""The `Prefer` header: strict or lenient handling, and full or minimal responses."""

from typing import Any

import pytest
from pymongo.database import Database

from tests.support import factories
from tests.support.client import Client

STRICT = {"Prefer": "handling=strict"}


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ({"subjekt": "x"}, "subjekt"),
        ({"person": {"given_name": "A", "shoe_size": 43}}, "person.shoe_size"),
        ({"targets": [{"title": "a"}, {"rank": 1}]}, "targets[1].rank"),
        ({"person": factories.person(email_addresses=[{"adress": "x"}])}, "person.email_addresses[0].adress"),
        ({"add_tags": ["nobody"]}, "add_tags"),
        ({"add_lists_uri": ["https://x/api/v1/lists/1"]}, "add_lists_uri"),
    ],
)
@pytest.mark.parametrize("token", [True, False], ids=["with a token", "without"])
def test_strict_handling_rejects_unknown_fields(
    api: Client, database: Database, token: bool, changed: dict[str, Any], named: str
) -> None:
    body = factories.outreach(**changed)

    rejected = api.record(body, token=token, headers=dict(STRICT))

    assert rejected.status_code == 400
    assert named in rejected.json["error"]
    assert database.people.count_documents({}) == 0
    assert api.record(body, token=token).status_code == 200, "lenient is the default, also after a strict request"


@pytest.mark.parametrize("preference", ["handling=lenient", "respond-async", "handling=strict2", "", "strict"])
def test_other_preferences_are_not_strict(api: Client, preference: str) -> None:
    assert api.record(factories.outreach(unknown=1), headers={"Prefer": preference}).status_code == 200


@pytest.mark.parametrize("preference", ["handling=strict", 'respond-async, Handling="strict"; x=1'])
def test_spellings_of_strict(api: Client, preference: str) -> None:
    assert api.record(factories.outreach(unknown=1), headers={"Prefer": preference}).status_code == 400


def test_a_response_can_be_sent_back_strictly(api: Client) -> None:
    api.created("/messages", factories.message(identifiers=["crm:thanks"]))
    api.put(f"/advocacy_campaigns/{api.campaign_id}/triggers", {"autoresponse": {"identifiers": ["crm:thanks"]}})
    outreach = api.recorded(factories.outreach(triggers={"autoresponse": {"enabled": True}}))
    assert "osdi_outreach:followups" in outreach

    response = api.put(outreach["_links"]["self"]["href"], outreach, headers=dict(STRICT))

    assert response.json == outreach


@pytest.mark.parametrize("name", ["background_request", "background_processing"])
def test_a_background_request_is_stored_and_gets_an_empty_response(api: Client, database: Database, name: str) -> None:
    helper = f"/advocacy_campaigns/{api.campaign_id}/record_outreach_helper"

    assert api.post(f"{helper}?{name}=true", factories.outreach()).data == b"{}"
    assert database.outreaches.count_documents({}) == 1
    assert api.post(f"/people?{name}=true", factories.person()).data == b"{}"
    assert api.post(f"{helper}?{name}=false", factories.outreach()).json["type"] == "phone"
    assert api.post(f"{helper}?{name}=true", {}).status_code == 400


def test_a_read_is_never_a_background_request(api: Client) -> None:
    assert "_embedded" in api.get("/people?background_request=true").json
