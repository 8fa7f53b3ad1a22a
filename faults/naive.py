"""Naive variant of the service, which the fault injection must catch.

The view finds the person by e-mail address, or inserts the person, and then inserts the outreach, with the driver's
defaults. No unique index decides a race, nothing recognises a repeated request, and a write is acknowledged before it
is on disk. If the harness did not find these errors, it could not find any in our service either.
"""

import os
import uuid
from typing import Any

from flask import Flask, request
from pymongo import ASCENDING, MongoClient

Document = dict[str, Any]

PATH = "/api/v1/advocacy_campaigns/<campaign_id>/record_outreach_helper"


def create_app(uri: str) -> Flask:
    """Returns the application with its one route."""
    client: MongoClient[Document] = MongoClient(uri)
    database = client.get_default_database()
    app = Flask(__name__)

    @app.post(PATH)
    def record_outreach(campaign_id: str) -> Document:
        body: Document = request.get_json()
        posted: Document = body.pop("person")
        person = None
        for entry in posted.get("email_addresses", ()):
            person = database.people.find_one({"email_addresses.address": entry["address"]})
        if person is None:
            person = posted | {"_id": str(uuid.uuid4())}
            database.people.insert_one(person)
        elif "custom_fields" in posted:
            fields = {f"custom_fields.{name}": value for name, value in posted["custom_fields"].items()}
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
    """Creates an index for speed. It is not unique, so it prevents no duplicates."""
    with MongoClient[Document](uri) as client:
        client.get_default_database().people.create_index([("email_addresses.address", ASCENDING)])


def app_from_environment() -> Flask:
    """Returns the application for gunicorn. The worker calls this after the fork, so the database client is its own."""
    return create_app(os.environ["MONGODB_URI"])
