"""A token without the scope `read` never receives a stored record: identifiers and links only."""

import json
from typing import Any

import pytest
from flask import Flask
from pymongo.database import Database

from osdi.access.tokens import ADMIN, READ, WRITE
from osdi.resources import API
from osdi.store import Store
from osdi.store.indexes import SIGNING_KEYS, TOKENS
from tests.access.test_route_scopes import routes
from tests.support import factories
from tests.support.client import Client

SECRET = "in the stored record"
PERSON = {"email_addresses": [{"address": "jane@example.com"}]}
STORED = {**PERSON, "given_name": SECRET, "custom_fields": {"note": SECRET}, "identifiers": ["crm:jane"]}
OUTREACH = {"person": STORED, "identifiers": ["crm:outreach"], "notes": SECRET}
CAMPAIGN = f"{API}/advocacy_campaigns/<advocacy_campaign_id>"
PERSON_LINK = {"_links": {"osdi:person": {"href": "{person_id}"}}}

# Each writing route that a token with `write` may call, and a body that a stored record matches or that changes one.
BODIES: dict[tuple[str, str], Any] = {
    ("POST", f"{CAMPAIGN}/record_outreach_helper"): {"person": PERSON, "identifiers": ["crm:outreach"]},
    ("POST", f"{CAMPAIGN}/outreaches"): {"person": PERSON, "identifiers": ["crm:outreach"]},
    ("PUT", f"{CAMPAIGN}/outreaches/<outreach_id>"): {},
    ("POST", f"{API}/advocacy_campaigns"): {"identifiers": ["crm:campaign"]},
    ("PUT", CAMPAIGN): {},
    ("PUT", f"{CAMPAIGN}/triggers"): {},
    ("PUT", f"{CAMPAIGN}/page"): {},
    ("PUT", f"{CAMPAIGN}/page/postal_codes"): "postal_code,target",
    ("POST", f"{API}/people"): PERSON,
    ("POST", f"{API}/people/person_signup_helper"): {"person": PERSON, "add_tags": ["unknown"]},
    ("PUT", f"{API}/people/<person_id>"): {},
    ("POST", f"{API}/people/<person_id>/merge"): {"_links": {"osdi:person": {"href": "{other_id}"}}},
    ("POST", f"{API}/tags"): {"name": "stored"},
    ("PUT", f"{API}/tags/<tag_id>"): {},
    ("POST", f"{API}/tags/<tag_id>/taggings"): PERSON_LINK,
    ("PUT", f"{API}/tags/<tag_id>/taggings/<tagging_id>"): {},
    ("POST", f"{API}/lists"): {"name": "stored"},
    ("PUT", f"{API}/lists/<list_id>"): {},
    ("POST", f"{API}/lists/<list_id>/items"): PERSON_LINK,
    ("PUT", f"{API}/lists/<list_id>/items/<item_id>"): {},
    ("POST", f"{API}/questions"): {"identifiers": ["crm:question"], "question_type": "Paragraph"},
    ("PUT", f"{API}/questions/<question_id>"): {},
    ("POST", f"{API}/questions/<question_id>/answers"): {**PERSON_LINK, "value": "yes"},
    ("PUT", f"{API}/questions/<question_id>/answers/<answer_id>"): {},
    ("POST", f"{API}/messages"): {"identifiers": ["crm:message"]},
    ("PUT", f"{API}/messages/<message_id>"): {},
    ("POST", f"{API}/wrappers"): {"identifiers": ["crm:wrapper"]},
    ("PUT", f"{API}/wrappers/<wrapper_id>"): {},
}
DELETED = {
    f"{CAMPAIGN}/page/postal_codes",
    *(f"{CAMPAIGN}{path}" for path in ("", "/outreaches/<outreach_id>")),
    *(f"{API}/{kind}s/<{kind}_id>" for kind in ("tag", "list", "question", "message", "wrapper")),
    f"{API}/people/<person_id>",
    f"{API}/tags/<tag_id>/taggings/<tagging_id>",
    f"{API}/lists/<list_id>/items/<item_id>",
    f"{API}/questions/<question_id>/answers/<answer_id>",
}
ADMINS_ONLY = {f"{CAMPAIGN}/anonymous_posts", f"{API}/webhooks", f"{API}/webhooks/<webhook_id>"}


def id_of(resource: dict[str, Any]) -> str:
    return str(resource["_links"]["self"]["href"].rsplit("/", 1)[1])


Stored = tuple[str, dict[str, str], dict[str, list[dict[str, Any]]]]
# The resources of the first test, which the others insert: posting them takes 20 times as long.
_stored: list[Stored] = []


@pytest.fixture
def ids(api: Client, database: Database) -> dict[str, str]:
    """Stores one resource of each kind, with a secret text; returns the id of each."""
    if not _stored:
        made = _posted(api)
        documents = {name: list(database[name].find()) for name in database.list_collection_names()}
        _stored.append((api.token, made, {name: found for name, found in documents.items() if found}))
        return made
    api.token, made, documents = _stored[0]
    api.campaign_id = made["advocacy_campaign_id"]
    for name in (TOKENS, "advocacy_campaigns"):  # of the fixture `api`
        database[name].delete_many({})
    for name in documents.keys() - {SIGNING_KEYS}:
        database[name].insert_many(documents[name])
    return made


def _posted(api: Client) -> dict[str, str]:
    outreach = api.recorded(OUTREACH)
    person_id = id_of(api.follow(outreach, "osdi:person"))
    other = api.created("/people", {"person": factories.person(family_name=SECRET)})
    made = {"advocacy_campaign_id": api.campaign_id, "outreach_id": id_of(outreach), "person_id": person_id}
    made["other_id"] = id_of(other)
    api.created("/advocacy_campaigns", {"identifiers": ["crm:campaign"], "title": SECRET})
    api.put(f"/advocacy_campaigns/{api.campaign_id}", {"title": SECRET})
    link = {"_links": {"osdi:person": {"href": f"{API}/people/{person_id}"}}}
    for kind, body in {
        "tag": {"name": "stored", "description": SECRET},
        "list": {"name": "stored", "description": SECRET},
        "question": {"question_type": "Paragraph", "title": SECRET, "identifiers": ["crm:question"]},
        "message": factories.message(name=SECRET, identifiers=["crm:message"]),
        "wrapper": {"name": SECRET, "identifiers": ["crm:wrapper"]},
    }.items():
        made[f"{kind}_id"] = id_of(api.created(f"/{kind}s", body))
    api.put(f"/advocacy_campaigns/{api.campaign_id}/triggers", {"autoresponse": {"identifiers": ["crm:message"]}})
    api.put(f"/advocacy_campaigns/{api.campaign_id}/page", {"closed_message": SECRET})
    for path, kind, body in (
        (f"/tags/{made['tag_id']}/taggings", "tagging", {"origin_system": SECRET}),
        (f"/lists/{made['list_id']}/items", "item", {"origin_system": SECRET}),
        (f"/questions/{made['question_id']}/answers", "answer", {"value": SECRET}),
    ):
        made[f"{kind}_id"] = id_of(api.created(path, {**link, **body}))
    return made


def filled(text: str, ids: dict[str, str]) -> str:
    """Returns a path or body with the ids in place of their names."""
    for name, each in ids.items():
        text = text.replace(f"<{name}>", each).replace(f"{{{name}}}", f"{API}/people/{each}")
    return text


def test_every_writing_route_is_in_a_table(app: Flask) -> None:
    writing = {(method, rule) for method, rule, _ in routes(app) if method != "GET" and rule.startswith(API)}
    with_write = {(method, rule) for method, rule in writing if rule.removesuffix("/test") not in ADMINS_ONLY}

    assert with_write == {*BODIES, *(("DELETE", rule) for rule in DELETED)}


@pytest.mark.one_in(5)
@pytest.mark.parametrize("scopes", [[WRITE], [WRITE, READ], [ADMIN]], ids=["write", "write and read", "admin"])
@pytest.mark.parametrize(("method", "rule"), BODIES, ids=[" ".join(route) for route in BODIES])
def test_only_a_token_with_read_receives_the_stored_record(
    api: Client, store: Store, ids: dict[str, str], method: str, rule: str, scopes: list[str]
) -> None:
    token = factories.token(store, scopes=scopes)
    sent = BODIES[method, rule]
    body = sent if isinstance(sent, str) else filled(json.dumps(sent), ids)

    response = api.http.open(filled(rule, ids), method=method, data=body, headers={"OSDI-API-Token": token})

    assert response.status_code == 200, response.get_data(as_text=True)
    if scopes == [WRITE]:
        assert set(response.json) <= {"identifiers", "_links", "osdi_outreach:warnings"}
        assert SECRET not in response.get_data(as_text=True)
    else:
        assert set(response.json) - {"identifiers", "_links", "osdi_outreach:warnings"}


def test_only_an_admin_may_call_the_other_writing_routes(api: Client, store: Store, ids: dict[str, str]) -> None:
    headers = {"OSDI-API-Token": factories.token(store, scopes=[WRITE])}
    for rule in ADMINS_ONLY:
        for method in ("POST", "PUT", "DELETE"):
            response = api.http.open(filled(rule, ids), method=method, data="{}", headers=headers)
            assert response.status_code in (403, 405), (method, rule)


@pytest.mark.one_in(4)
@pytest.mark.parametrize("rule", sorted(DELETED))
def test_a_deletion_returns_a_notice(
    api: Client, store: Store, ids: dict[str, str], database: Database, rule: str
) -> None:
    headers = {"OSDI-API-Token": factories.token(store, scopes=[WRITE])}

    response = api.http.open(f"{filled(rule, ids)}?force=true", method="DELETE", headers=headers)

    assert response.status_code == 200, response.get_data(as_text=True)
    assert set(response.json) == {"notice"}
    assert SECRET not in response.get_data(as_text=True)
