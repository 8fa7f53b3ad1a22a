"""Eve, the Flask and MongoDB framework a user would reach for, doing the same job in its two requests.

`POST /people` and `POST /outreaches` with a Cerberus schema for the same fields and the same durability. The
client makes the person's id, so the outreach can refer to it without reading the first answer. That favours Eve,
and so does the rest: it does not look for the person, it does not check the reference (`data_relation` would be
one more query), it has no token to verify, and it answers with its short default (`BANDWIDTH_SAVER`).
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
    """A list of embedded documents with these fields."""
    return {"type": "list", "schema": {"type": "dict", "schema": fields}}


def one_of(*values: str) -> Schema:
    """A string out of a fixed set."""
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
    """Eve with the two resources."""
    resource = {"resource_methods": ["GET", "POST"], "item_methods": ["GET"], "item_url": 'regex("[-a-z0-9]+")'}
    app: Flask = Eve(
        settings={
            "MONGO_URI": uri,
            # Each write of Eve 2.3 carries `w` alone; on a replica set the majority acknowledges journaled writes only
            # (writeConcernMajorityJournalDefault). `journal` is the client's name for what elsewhere is called `j`.
            "MONGO_WRITE_CONCERN": {"w": "majority", "journal": True},
            "DATE_FORMAT": "%Y-%m-%dT%H:%M:%SZ",
            "DOMAIN": {"people": resource | {"schema": PERSON}, "outreaches": resource | {"schema": OUTREACH}},
        }
    )
    return app


def create_indexes(uri: str) -> None:
    """What its queries would need to find what ours finds, as plain indexes: cheaper to keep than unique ones."""
    with MongoClient[Schema](uri) as client:
        database = client.get_default_database()
        for field in ("identifiers", "email_addresses.address", "phone_numbers.number"):
            database.people.create_index(field)
        for field in ("identifiers", "advocacy_campaign", "person"):
            database.outreaches.create_index(field)


def app_from_environment() -> Flask:
    """What gunicorn serves: the client is made here, in the worker, after the fork."""
    return create_app(os.environ["MONGODB_URI"])
