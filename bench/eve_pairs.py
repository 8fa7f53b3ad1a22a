"""Eve, a common framework for Flask and MongoDB, which does the same job in two requests.

`POST /people` and `POST /outreaches` use a Cerberus schema for the same fields, and the same durability. The comparison
favours Eve. The client makes the person's id, so the second request need not wait for the first response. Eve does not
search for the person, does not check the reference (`data_relation` would cost one more query), verifies no token, and
sends its short default response (`BANDWIDTH_SAVER`).
"""

import os
from typing import Any

from eve import Eve  # type: ignore[import-untyped]
from flask import Flask
from pymongo import MongoClient

Schema = dict[str, Any]

STRING: Schema = {"type": "string"}
BOOLEAN: Schema = {"type": "boolean"}
STRINGS: Schema = {"type": "list", "schema": STRING}


def documents(fields: Schema) -> Schema:
    """Returns the schema of a list of embedded documents with these fields."""
    return {"type": "list", "schema": {"type": "dict", "schema": fields}}


def one_of(*values: str) -> Schema:
    """Returns the schema of a string out of a fixed set."""
    return {"type": "string", "allowed": list(values)}


EMAIL: Schema = {
    "address": {"type": "string", "required": True, "regex": r"[^@\s]+@[^@\s]+"},
    "primary": BOOLEAN,
    "address_type": one_of("Personal", "Work", "Other"),
    "status": one_of("subscribed", "unsubscribed", "bouncing", "spam complaints"),
}
POSTAL_ADDRESS: Schema = {
    "primary": BOOLEAN,
    "address_lines": STRINGS,
    "locality": STRING,
    "region": STRING,
    "postal_code": STRING,
    "country": {"type": "string", "minlength": 2, "maxlength": 2},
    "address_type": one_of("Home", "Work", "Mailing"),
    "status": one_of("Potential", "Verified", "Bad"),
}
PHONE: Schema = {
    "primary": BOOLEAN,
    "number": {"type": "integer", "required": True},
    "number_type": one_of("Home", "Work", "Mobile", "Work Mobile", "Daytime", "Evening", "Fax"),
    "sms_capable": BOOLEAN,
    "do_not_call": BOOLEAN,
}
PERSON: Schema = {
    "_id": STRING,
    "identifiers": STRINGS,
    "family_name": STRING,
    "given_name": STRING,
    "additional_name": STRING,
    "origin_system": STRING,
    "email_addresses": documents(EMAIL),
    "postal_addresses": documents(POSTAL_ADDRESS),
    "phone_numbers": documents(PHONE),
    "gender": one_of("Female", "Male", "Other"),
}
TARGET: Schema = dict.fromkeys(("title", "given_name", "family_name", "organization", "ocdid"), STRING)
OUTREACH: Schema = {
    "person": STRING,
    "advocacy_campaign": STRING,
    "identifiers": STRINGS,
    "origin_system": STRING,
    "action_date": {"type": "datetime"},
    "type": one_of("call", "phone", "email", "in-person", "letter", "postcard", "facebook", "twitter"),
    "duration": {"type": "integer"},
    "referrer_data": {"type": "dict", "schema": dict.fromkeys(("source", "referrer", "website", "url"), STRING)},
    "targets": documents(TARGET),
}


def create_app(uri: str) -> Flask:
    """Returns Eve with the two resources."""
    resource = {"resource_methods": ["GET", "POST"], "item_methods": ["GET"], "item_url": 'regex("[-a-z0-9]+")'}
    app: Flask = Eve(
        settings={
            "MONGO_URI": uri,
            # Eve 2.3 sends only `w` with each write. On a replica set, the majority acknowledges only journaled writes
            # (writeConcernMajorityJournalDefault). `journal` is the client's name for the option `j`.
            "MONGO_WRITE_CONCERN": {"w": "majority", "journal": True},
            "DATE_FORMAT": "%Y-%m-%dT%H:%M:%SZ",
            "DOMAIN": {"people": resource | {"schema": PERSON}, "outreaches": resource | {"schema": OUTREACH}},
        }
    )
    return app


def create_indexes(uri: str) -> None:
    """Creates the indexes for the same look-ups as ours. They are not unique, which makes writes cheaper."""
    with MongoClient[Schema](uri) as client:
        database = client.get_default_database()
        for field in ("identifiers", "email_addresses.address", "phone_numbers.number"):
            database.people.create_index(field)
        for field in ("identifiers", "advocacy_campaign", "person"):
            database.outreaches.create_index(field)


def app_from_environment() -> Flask:
    """Returns the application for gunicorn. The worker calls this after the fork, so the database client is its own."""
    return create_app(os.environ["MONGODB_URI"])
