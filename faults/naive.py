"""What must fail: the view that one writes first.

It looks for the person by e-mail address and inserts them where nobody is found, then inserts the outreach, with the
driver's defaults: no unique index decides a race, nothing recognises a request that comes again, and a write is
acknowledged before it is on disk. The harness has to find all of that, or it would find nothing in ours either.
"""

import os
import uuid
from typing import Any

from flask import Flask, request
from pymongo import ASCENDING, MongoClient

Document = dict[str, Any]

PATH = "/api/v1/advocacy_campaigns/<campaign_id>/record_outreach_helper"


def create_app(uri: str) -> Flask:
    """The application with its one route."""
    client: MongoClient[Document] = MongoClient(uri)
    database = client.get_default_database()
    app = Flask(__name__)

    @app.post(PATH)
    def record_outreach(campaign_id: str) -> Document:
        body: Document = request.get_json()
        said: Document = body.pop("person")
        person = None
        for entry in said.get("email_addresses", ()):
            person = database.people.find_one({"email_addresses.address": entry["address"]})
        if person is None:
            person = said | {"_id": str(uuid.uuid4())}
            database.people.insert_one(person)
        elif "custom_fields" in said:
            fields = {f"custom_fields.{name}": value for name, value in said["custom_fields"].items()}
            database.people.update_one({"_id": person["_id"]}, {"$set": fields})
        outreach = body | {
            "_id": str(uuid.uuid4()),
            "advocacy_campaign_id": campaign_id,
            "person_id": person["_id"],
        }
        database.outreaches.insert_one(outreach)
        return {
            "identifiers": [f"naive:{outreach['_id']}"],
            "_links": {"osdi:person": {"href": f"/api/v1/people/{person['_id']}"}},
        }

    return app


def prepare(uri: str) -> None:
    """The index that makes it quick, which does not make it right."""
    with MongoClient[Document](uri) as client:
        client.get_default_database().people.create_index([("email_addresses.address", ASCENDING)])


def app_from_environment() -> Flask:
    """What gunicorn serves: the client is made here, in the worker, after the fork."""
    return create_app(os.environ["MONGODB_URI"])
