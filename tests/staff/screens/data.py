"""Contents of the database while the pages are looked at: nothing, the least, sample data, or hostile texts.

Each function stores documents as the rules of the API make them, and returns the arguments of the addresses of pages.
"""

import datetime as dt
from dataclasses import dataclass
from typing import Any

from pymongo.database import Database

from osdi.access.token_changes import create_token
from osdi.documents import Document
from osdi.followups.unsubscribe import unsubscribe
from osdi.ids import new_id, now
from osdi.importing.jobs.job import new_job
from osdi.importing.jobs.jobs_store import insert_job
from osdi.people.duplicates.exceptions_store import add_exception
from osdi.resources import ADVOCACY_CAMPAIGN, LIST, MESSAGE, OUTREACH, PERSON, QUESTION, TAG
from osdi.sample import CAMPAIGN_ID, create_sample
from osdi.settings import Settings
from osdi.staff.events import record_event
from osdi.staff.links import new_link
from osdi.staff.members import add_member
from osdi.staff.sessions import begin_session
from osdi.store import Insert, Store
from osdi.store.indexes import WEBHOOKS
from osdi.webhooks import registry
from tests.staff.screens.hostile import HostileSamples, hostile
from tests.support.client import Client

Arguments = dict[str, str]
JANE, OLD, SHARED = "jane@example.com", "old@example.org", {"number": "+12025550123", "number_type": "Mobile"}
QUESTION_TITLE = "Why do you write?"
# A member's name has at most 100 characters.
MAX_NAME_LENGTH = 100


@dataclass(frozen=True)
class Place:
    """The place of documents: a database, the API in front of it, and the member who looks at the pages."""

    store: Store
    database: Database
    api: Client
    member: Document


def no_data(place: Place) -> Arguments:
    """Stores no document besides the member."""
    return {"secret": new_link(place.store, place.member, now())}


def the_least(place: Place) -> Arguments:
    """Stores one document of each kind, and in it only what it has to have."""
    api = place.api
    campaign_id = id_of(api.created("/advocacy_campaigns", {"title": "River"}))
    api.created("/tags", {"name": "caller"})
    api.recorded({"person": {"email_addresses": [{"address": JANE}]}, "add_tags": ["caller"]}, campaign=campaign_id)
    other = api.created("/people", {"person": {"phone_numbers": [{"number": SHARED["number"]}]}})
    message = api.created("/messages", {"type": "email", "subject": "Thanks", "body": "Thank you"})
    webhook = registry.create(place.store, {"url": "https://crm.example.org/", "events": ["unsubscribed"]})
    return {
        **_arguments(place, campaign_id, id_of(other), id_of(message)),
        **_import(place, "people", "people.csv", "email"),
        "token_id": create_token(place.store, "crm", ["read"])[1]["_id"],
        "webhook_id": webhook["_id"],
    }


def sample(place: Place) -> Arguments:
    """Stores the sample data, and what an organisation has after some weeks."""
    create_sample(place.store, Settings.namespace)
    begin_session(place.store, place.member, "Safari on iPhone", now())
    emails = [{"address": JANE, "status": "subscribed"}, {"address": OLD}]
    postal = [{"address_lines": ["1 River Road"], "postal_code": "12345", "locality": "Springfield"}]
    contacts = {"email_addresses": emails, "phone_numbers": [SHARED], "postal_addresses": postal}
    targets = [{"title": "Senator", "given_name": "Maria", "family_name": "Lopez"}]
    added = {"add_tags": ["caller"], "add_lists": ["newsletter"], "referrer_data": {"source": "share-mail"}}
    person = {"given_name": "Jane", "family_name": "Doe", **contacts}
    place.api.recorded({"person": person, "type": "phone", "targets": targets, **added}, campaign=CAMPAIGN_ID)
    unsubscribe(place.store, OLD)
    namesakes = [{"given_name": name, "phone_numbers": [SHARED]} for name in ("J.", "Joan")]
    other, third = (place.api.created("/people", {"person": each}) for each in namesakes)
    add_exception(place.store, id_of(other), id_of(third))
    goal = {"page.goal": 40, "page.closes_at": now() + dt.timedelta(days=3)}
    place.database.advocacy_campaigns.update_one({"_id": CAMPAIGN_ID}, {"$set": goal})
    message_id = place.database.messages.find_one({"type": "email"})["_id"]  # type: ignore[index]
    receiver = {"url": "https://crm.example.org/a/long/address/of/a/receiver", "events": ["unsubscribed"]}
    return {
        **_arguments(place, CAMPAIGN_ID, id_of(other), message_id, "Yes, send me news about the river."),
        **_import(place, "outreaches", "a list of the river with a long name.csv", "Favourite fish"),
        **_settings(place, "newsletter of the river", receiver, "status_500", "Internal Server Error" * 9),
    }


def hostile_texts(place: Place) -> Arguments:
    """Stores hostile texts in each field that takes any text."""
    samples, api = HostileSamples(), place.api
    tag = api.created("/tags", samples.body(TAG.table))
    group = api.created("/lists", samples.body(LIST.table))
    question = api.created(
        "/questions", {**samples.body(QUESTION.table), "question_type": "Paragraph", "responses": []}
    )
    texts = samples.body(MESSAGE.table) | {"from": "hello@river.example.org", "reply_to": "", "type": "email"}
    message = api.created("/messages", texts)
    campaign_id = id_of(api.created("/advocacy_campaigns", samples.body(ADVOCACY_CAMPAIGN.table)))
    check_accepted(api.put(f"/advocacy_campaigns/{campaign_id}/page", _hostile_page(question)))
    check_accepted(
        api.put(f"/advocacy_campaigns/{campaign_id}/anonymous_posts", {"enabled": True, "actions": ["tags"]})
    )
    autoresponse = {"autoresponse": {"identifiers": message["identifiers"]}}
    check_accepted(api.put(f"/advocacy_campaigns/{campaign_id}/triggers", autoresponse))
    jane, *namesakes = (samples.body(PERSON.table) | {"phone_numbers": [SHARED]} for _ in range(3))
    added = {"add_tags": [tag["name"]], "add_lists": [group["name"]]}
    answers = [{"question": question["identifiers"][0], "value": hostile()}]
    outreach = samples.body(OUTREACH.table) | {"person": jane, **added, "add_answers": answers}
    api.recorded(outreach, campaign=campaign_id)
    other_id, third_id = (id_of(api.created("/people", {"person": each})) for each in namesakes)
    add_exception(place.store, other_id, third_id)
    place.database.staff.update_one({}, {"$set": {"name": hostile(MAX_NAME_LENGTH)}})
    begin_session(place.store, place.member, hostile(), now())
    receiver = {"url": "https://crm.example.org/", "events": ["unsubscribed"], "description": hostile()}
    return {
        **_arguments(place, campaign_id, other_id, id_of(message), hostile(), hostile()),
        **_import(place, "people", hostile(), hostile()),
        **_settings(place, hostile(), receiver, hostile(), hostile(), campaign_id),
    }


def _hostile_page(question: dict[str, Any]) -> dict[str, Any]:
    """Settings of a campaign's page with hostile texts."""
    return {
        "published": True,
        "slug": "river",
        "closed_message": hostile(),
        "message": {"rule": "prompts", "prompts": [hostile()]},
        "consent": {"text": hostile()},
        "thank_you": {"text": hostile()},
        "fields": [
            {"name": "email_address", "label": hostile()},
            {"question": question["identifiers"][0], "label": hostile()},
        ],
    }


def _arguments(
    place: Place, campaign_id: str, other_id: str, message_id: str, consent: str = "", question: str = QUESTION_TITLE
) -> Arguments:
    """Adds a failed follow-up and a receipt of consent to the outreach, and an answer.

    Returns arguments of addresses.
    """
    (outreach,) = place.database.outreaches.find()
    failed = {"_id": new_id(), "kind": "autoresponse", "state": "failed", "reason": "smtp_connect"}
    failed |= {"message_id": message_id, "queued_date": now()}
    receipts = [{"text": consent, "language": "en", "given_date": now(), "page_url": consent}] if consent else []
    changes = {"followups": [failed], "consents": receipts}
    place.database.outreaches.update_one({}, {"$set": changes})
    person = place.database.people.find_one({"_id": outreach["person_id"]})
    assert person is not None
    asked = place.api.created("/questions", {"title": question, "question_type": "Paragraph"})
    of_person = {"osdi:person": {"href": f"http://localhost/api/v1/people/{person['_id']}"}}
    answer = place.api.created(f"/questions/{id_of(asked)}/answers", {"value": question, "_links": of_person})
    return {
        "question_id": id_of(asked),
        "answer_id": id_of(answer),
        "secret": new_link(place.store, place.member, now()),
        "advocacy_campaign_id": campaign_id,
        "person_id": person["_id"],
        "other_id": other_id,
        "kind": "tags",
        "entry_id": person["taggings"][0]["_id"],
        "message_id": message_id,
        "followup_id": str(failed["_id"]),
        "member_id": place.member["_id"],
    }


def _settings(
    place: Place, name: str, receiver: dict[str, Any], failure: str, response: str, campaign_id: str = CAMPAIGN_ID
) -> Arguments:
    """Stores a token, a member, an event of the audit log, and a webhook that was disabled after failures."""
    member = add_member(place.store, "eve@example.org", advocacy_campaign_id=campaign_id)
    place.database.staff.update_one({"_id": member["_id"]}, {"$set": {"name": name}})
    record_event(place.store, 90, "create_token", [campaign_id], place.member["_id"])
    delivery = {"date": now(), "milliseconds": 120, "events": 7}
    state = {
        "enabled": False,
        "disabled_reason": "gave_up",
        "last_failure": failure,
        "failing_since": now(),
        "deliveries": [delivery | {"status": 204}, delivery | {"failure": failure, "response": response}],
    }
    webhook = {**registry.create(place.store, receiver), **state, "_id": "webhook"}
    place.database.webhooks.delete_many({})
    place.store.write(Insert(WEBHOOKS, webhook))
    token = create_token(place.store, name[:MAX_NAME_LENGTH], ["read"], None, campaign_id)[1]
    place.database.tokens.update_one({"_id": token["_id"]}, {"$set": {"name": name}})
    return {"token_id": token["_id"], "webhook_id": "webhook", "member_id": member["_id"]}


def _import(place: Place, kind: str, name: str, column: str) -> Arguments:
    """Stores an import that waits for a choice of columns."""
    job = new_job(kind, "people.csv", place.member, None, 7)
    columns = [{"name": column, "field": f"custom_fields.{column}", "because": "unknown: a custom field"}]
    insert_job(place.store, job | {"state": "columns", "file_name": name, "columns": columns})
    return {"import_id": job["_id"]}


def id_of(resource: dict[str, Any]) -> str:
    return str(resource["_links"]["self"]["href"].rpartition("/")[2])


def check_accepted(response: Any) -> None:
    assert response.status_code in (200, 201), response.get_data(as_text=True)
