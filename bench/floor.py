"""The floor: a bare Flask view that does only what every implementation must do.

It parses the JSON, finds the person by match keys, and writes the person and the outreach. It does not validate,
authenticate, merge or link anything. The difference to the floor is the cost of what another implementation does
besides. With `FLOOR_COMMIT=transaction` both writes are one transaction; otherwise they follow each other.
"""

import os
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import orjson
from flask import Flask, Response, request
from pymongo import MongoClient
from pymongo.write_concern import WriteConcern

Document = dict[str, Any]
Write = Callable[[Document | None, Document], None]

JOURNALED = WriteConcern("majority", j=True)
PATH = "/api/v1/advocacy_campaigns/<campaign_id>/record_outreach_helper"


def create_app(uri: str, *, transaction: bool) -> Flask:
    """Returns the application with its one route."""
    client: MongoClient[Document] = MongoClient(uri)
    people = client.get_default_database().people
    write = in_transaction(client) if transaction else in_order(client)
    app = Flask(__name__)

    @app.post(PATH)
    def record_outreach(campaign_id: str) -> Response:
        body = orjson.loads(request.get_data())
        posted = body.pop("person")
        now = datetime.now(UTC)
        keys = match_keys(posted)
        found = people.find_one({"match_keys": {"$in": keys}})
        person = None
        if found is None:
            person_id = new_id()
            keys.append(f"id:osdi:{person_id}")
            person = posted | {"_id": person_id, "match_keys": keys, "created_date": now, "modified_date": now}
        else:
            person_id = found["_id"]
        outreach_id = new_id()
        outreach = body | {
            "_id": outreach_id,
            "match_keys": [f"id:osdi:{outreach_id}", *(f"id:{each}" for each in body.get("identifiers", ()))],
            "advocacy_campaign_id": campaign_id,
            "person_id": person_id,
            "created_date": now,
            "modified_date": now,
        }
        write(person, outreach)
        return Response(orjson.dumps(response(outreach)), mimetype="application/hal+json")

    return app


def in_order(client: "MongoClient[Document]") -> Write:
    """Returns a function that writes the person, then the outreach, each with its own journaled acknowledgement."""
    database = client.get_default_database(write_concern=JOURNALED)

    def write(person: Document | None, outreach: Document) -> None:
        if person is not None:
            database.people.insert_one(person)
        database.outreaches.insert_one(outreach)

    return write


def in_transaction(client: "MongoClient[Document]") -> Write:
    """Returns a function that writes both in one transaction, so that it waits for one journaled acknowledgement."""
    database = client.get_default_database()

    def write(person: Document | None, outreach: Document) -> None:
        with client.start_session() as session, session.start_transaction(write_concern=JOURNALED):
            if person is not None:
                database.people.insert_one(person, session=session)
            database.outreaches.insert_one(outreach, session=session)

    return write


def match_keys(person: Document) -> list[str]:
    """Returns the match keys of a person: from identifiers, e-mail addresses and phone numbers."""
    keys = [f"id:{identifier}" for identifier in person.get("identifiers", ())]
    keys += [f"email:{email['address'].lower()}" for email in person.get("email_addresses", ())]
    keys += [f"phone:{phone['number']}" for phone in person.get("phone_numbers", ())]
    return keys


def new_id() -> str:
    """Returns a time-ordered id as long as a UUID."""
    return f"{time.time_ns():016x}-{os.urandom(10).hex()}"


def response(outreach: Document) -> Document:
    """Returns a document of about the size of the helper's response."""
    base = "http://127.0.0.1/api/v1"
    self_link = f"{base}/outreaches/{outreach['_id']}"
    links = {
        "self": {"href": self_link},
        "osdi:person": {"href": f"{base}/people/{outreach['person_id']}"},
        "osdi:advocacy_campaign": {"href": f"{base}/advocacy_campaigns/{outreach['advocacy_campaign_id']}"},
    }
    return {name: value for name, value in outreach.items() if name != "match_keys"} | {"_links": links}


def app_from_environment() -> Flask:
    """Returns the application for gunicorn. The worker calls this after the fork, so the database client is its own."""
    return create_app(os.environ["MONGODB_URI"], transaction=os.environ.get("FLOOR_COMMIT") == "transaction")
