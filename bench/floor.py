"""The floor: a bare Flask view that does only what no implementation can leave out.

It parses the JSON, looks for the person by match keys, and writes the person and the outreach: no validation, no
authentication, no merging, no links. What another implementation adds to this is the price of its work.
`FLOOR_COMMIT=transaction` makes the two writes one transaction; otherwise they are written one after the other.
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
    """The application with its one route."""
    client: MongoClient[Document] = MongoClient(uri)
    people = client.get_default_database().people
    write = in_transaction(client) if transaction else in_order(client)
    app = Flask(__name__)

    @app.post(PATH)
    def record_outreach(campaign_id: str) -> Response:
        body = orjson.loads(request.get_data())
        said = body.pop("person")
        now = datetime.now(UTC)
        keys = match_keys(said)
        found = people.find_one({"match_keys": {"$in": keys}})
        person = None
        if found is None:
            person_id = new_id()
            keys.append(f"id:osdi:{person_id}")
            person = said | {"_id": person_id, "match_keys": keys, "created_date": now, "modified_date": now}
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
        return Response(orjson.dumps(answer(outreach)), mimetype="application/hal+json")

    return app


def in_order(client: "MongoClient[Document]") -> Write:
    """Writes the person, then the outreach, each with its own journaled acknowledgement."""
    database = client.get_default_database(write_concern=JOURNALED)

    def write(person: Document | None, outreach: Document) -> None:
        if person is not None:
            database.people.insert_one(person)
        database.outreaches.insert_one(outreach)

    return write


def in_transaction(client: "MongoClient[Document]") -> Write:
    """Writes both in one transaction, so that one journaled acknowledgement is waited for."""
    database = client.get_default_database()

    def write(person: Document | None, outreach: Document) -> None:
        with client.start_session() as session, session.start_transaction(write_concern=JOURNALED):
            if person is not None:
                database.people.insert_one(person, session=session)
            database.outreaches.insert_one(outreach, session=session)

    return write


def match_keys(person: Document) -> list[str]:
    """What tells this person from others: identifiers, e-mail addresses, phone numbers."""
    keys = [f"id:{identifier}" for identifier in person.get("identifiers", ())]
    keys += [f"email:{email['address'].lower()}" for email in person.get("email_addresses", ())]
    keys += [f"phone:{phone['number']}" for phone in person.get("phone_numbers", ())]
    return keys


def new_id() -> str:
    """A time-ordered id of a UUID's length."""
    return f"{time.time_ns():016x}-{os.urandom(10).hex()}"


def answer(outreach: Document) -> Document:
    """A document of about the size that the helper answers with."""
    base = "http://127.0.0.1/api/v1"
    self_link = f"{base}/outreaches/{outreach['_id']}"
    links = {
        "self": {"href": self_link},
        "osdi:person": {"href": f"{base}/people/{outreach['person_id']}"},
        "osdi:advocacy_campaign": {"href": f"{base}/advocacy_campaigns/{outreach['advocacy_campaign_id']}"},
    }
    return {name: value for name, value in outreach.items() if name != "match_keys"} | {"_links": links}


def app_from_environment() -> Flask:
    """What gunicorn serves: the client is made here, in the worker, after the fork."""
    return create_app(os.environ["MONGODB_URI"], transaction=os.environ.get("FLOOR_COMMIT") == "transaction")
