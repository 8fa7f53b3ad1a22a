"""A person with a marker in every field that can hold text, and a search for it in all that a database holds.

The fields are read off the schemas, so a field that is added later is planted too. Whatever is planted is another word,
so that an export can be held against all of them.
"""

import itertools
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import marshmallow as ma
from bson import json_util
from pymongo.database import Database

from osdi.ids import new_id
from schemas.base.fields import CustomFields, Email, Enum, Identifiers, Objects, PhoneNumber, Strings, Text
from schemas.outreach import OutreachFieldsSchema
from schemas.person import InlinePersonSchema
from tests.support import factories
from tests.support.client import Client
from tests.support.factories import token

MARKER = "zq7planted"
DIGITS = "1202777"  # of every planted number, with its country code
OFFICIAL = "zq7official"  # the target of the person's outreach
NUMBER = re.compile(r"[ ().+-]*".join(DIGITS))  # however it is written
ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")  # whose digits may be any

_numbers = itertools.count(1000)


@dataclass
class Planted:
    """The person's id, the ids of who was merged into them and of the campaign, and every word that was planted."""

    person_id: str = ""
    merged_id: str = ""
    campaign_id: str = ""
    words: dict[str, str] = field(default_factory=dict)
    links: dict[str, str] = field(default_factory=dict)

    def word(self, path: str, form: str = "{}") -> str:
        """A new word with the marker in it, written down under where it goes."""
        self.words[path] = form.format(f"{MARKER.capitalize()}-{next(_numbers)}")
        return self.words[path]

    def number(self, path: str) -> str:
        """A new phone number, written as people write them."""
        self.words[path] = f"+1 (202) 777-{next(_numbers)}"
        return self.words[path]

    def filled(self, schema: ma.Schema, path: str, without: tuple[str, ...] = ()) -> dict[str, Any]:
        """A body with a word in each field of the schema that takes text."""
        filled = {}
        for name, each in schema.load_fields.items():
            value = None if name in without else self._value(each, f"{path}.{name}")
            if value is not None:
                filled[each.data_key or name] = value
        return filled

    def _value(self, of: ma.fields.Field[Any], path: str) -> Any:
        match of:
            case Email():
                return self.word(path, "{}@Example.COM")
            case PhoneNumber():
                return self.number(path)
            case Enum():
                return None  # only the standard's own words
            case Identifiers():
                return [self.word(path, "crm:{}")]
            case CustomFields():
                return {self.word(f"{path} name"): self.word(path)}
            case Strings():
                return [self.word(path)]
            case Text():
                return self.word(path)
            case Objects():
                return [self.filled(of.inner.schema, path)]
            case ma.fields.Nested():
                return self.filled(of.schema, path)
            case _:
                return None


def create_planted(api: Client, database: Database) -> Planted:
    """Over the API: a person who is everywhere, also as one who was merged into them."""
    planted = Planted(campaign_id=api.campaign_id)
    # Each event waits in the document that it is about.
    assert api.post("/webhooks", {"url": "https://hooks.example.org/osdi"}).status_code == 200
    api.created("/messages", factories.message(identifiers=["crm:thanks"]))
    triggers = {"autoresponse": {"identifiers": ["crm:thanks"]}}
    assert api.put(f"/advocacy_campaigns/{api.campaign_id}/triggers", triggers).status_code == 200

    person = planted.filled(InlinePersonSchema(), "person")
    # An address of their own for each kind of sending, all of which matching knows.
    person["email_addresses"][0]["primary"] = True
    body = {
        **planted.filled(OutreachFieldsSchema(), "outreach", without=("targets",)),
        "identifiers": [planted.word("outreach.identifiers", "crm:{}")],
        "person": person,
        "targets": [_official()],
        "triggers": {"autoresponse": {"enabled": True}},
    }
    outreach = api.recorded(body, headers={"Idempotency-Key": planted.word("idempotency key")})
    planted.person_id = outreach["_links"]["osdi:person"]["href"].rsplit("/", 1)[1]
    planted.links = {name: link["href"] for name, link in outreach["_links"].items() if name != "curies"}
    _from_a_web_page(api, planted, person)
    _set_states(database, planted)
    _entries(api, planted)
    planted.merged_id = _merged_away(api, planted)
    return planted


def traces(database: Database) -> dict[str, int]:
    """Returns, by collection, the number of documents with data of the planted person, in any spelling."""
    found: dict[str, int] = {}
    for name in database.list_collection_names():
        for document in database[name].find():
            text = ID.sub("", json_util.dumps(document, ensure_ascii=False).casefold())
            if MARKER in text or NUMBER.search(text):
                found[name] = found.get(name, 0) + 1
    return found


def _official() -> Mapping[str, Any]:
    contacts = {
        "email_addresses": [{"address": f"{OFFICIAL}@senate.example"}],
        "phone_numbers": [{"number": "2025550100"}],
    }
    return {"title": "Senator", "given_name": "John", "family_name": OFFICIAL, **contacts}


def _from_a_web_page(api: Client, planted: Planted, person: Mapping[str, Any]) -> None:
    """Without a token: identifiers that are only claimed, keys made of contact details, a follow-up to the address."""
    for number in range(3):
        body = {
            **planted.filled(OutreachFieldsSchema(), f"page {number}", without=("targets",)),
            "identifiers": [planted.word(f"page {number}.identifiers", "page:{}")],
            "person": {
                "identifiers": [planted.word(f"page {number}.person.identifiers", "page:{}")],
                "email_addresses": [
                    {"address": person["email_addresses"][0]["address"].upper()},
                    # The opt-out is stored with the outreach as a claim.
                    {"address": planted.word(f"page {number}.claim", "{}@example.com"), "status": "unsubscribed"},
                ],
            },
            "triggers": {
                "autoresponse": {
                    "enabled": True,
                    "identifiers": ["crm:thanks", planted.word(f"page {number}.triggers", "page:{}")],
                }
            },
        }
        key = planted.word(f"page {number} idempotency key")
        assert api.record(body, token=False, headers={"Idempotency-Key": key}).json == {}


def _set_states(database: Database, planted: Planted) -> None:
    """Of their four follow-ups one is queued, the others are as a worker leaves or holds them."""
    found = database.outreaches.find({"person_id": planted.person_id}).sort("_id", 1)
    for outreach, state in zip(found, ("queued", "sent", "failed", "leased"), strict=True):
        change: dict[str, Any] = {"$set": {"followups.0.state": state}}
        if state == "sent":
            change["$unset"] = {"followups.0.to": "", "followups.0.not_before": ""}
        if state == "leased":
            change["$set"]["followups.0.lease"] = new_id()
        assert database.outreaches.update_one({"_id": outreach["_id"]}, change).matched_count == 1


def _entries(api: Client, planted: Planted) -> None:
    href = {"_links": {"osdi:person": {"href": planted.links["osdi:person"]}}}
    for parent, body, entries in (
        ("tags", {"name": "volunteer"}, "taggings"),
        ("lists", {"name": "supporters"}, "items"),
        ("questions", {"question_type": "Paragraph", "title": "Why?"}, "answers"),
    ):
        made = api.created(f"/{parent}", body)["_links"]["self"]["href"]
        planted.links[parent] = made
        value = {"value": planted.word(f"{entries}.value")} if entries == "answers" else {}
        entry = {"origin_system": planted.word(f"{entries}.origin_system"), **value, **href}
        assert api.post(f"{made}/{entries}", entry).status_code == 200


def _merged_away(api: Client, planted: Planted) -> str:
    other = api.created("/people", planted.filled(InlinePersonSchema(), "held"))["_links"]["self"]["href"]
    link = {"_links": {"osdi:person": {"href": other}}}
    assert api.post(f"/people/{planted.person_id}/merge", link).status_code == 200
    return str(other.rsplit("/", 1)[1])


def editor_of(api: Client, store: Any, planted: Planted) -> None:
    """Let the planted person, who has a token, make a tag, and change somebody else."""
    theirs = token(store, person_id=planted.person_id, scopes=["write", "read"])
    assert api.post("/tags", {"name": "made by them"}, token=theirs).status_code == 200
    other = api.created("/people", factories.person())["_links"]["self"]["href"]
    assert api.put(other, {"given_name": "Changed"}, token=theirs).status_code == 200
