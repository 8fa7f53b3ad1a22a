"""Random histories of posts, changes and deletions, with and without a token, compared with a model (model.py).

Hypothesis draws each history from small pools, so that identifiers, addresses and numbers clash often. After each step
the test compares the database with the model, and with its state before the step.
"""

from collections import Counter
from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test
from pymongo.database import Database
from werkzeug.test import TestResponse

from tests.support.client import Client
from tests.support.examples import PROFILE, examples
from tests.support.model import CONTACTS, SINGLE_VALUES, Model, Person, Rejected, Request, contact_key
from tests.support.posts import (
    KEPT_STATUSES,
    LISTS,
    STATUSES,
    TAGS,
    either,
    emails,
    identifiers,
    outreach_identifiers,
    phones,
    signups,
)

PROFILES = {
    "quick": settings(max_examples=examples(30), stateful_step_count=25, derandomize=True),
    "ci": settings(max_examples=30, stateful_step_count=25, derandomize=True),
    "long": settings(max_examples=1_000, stateful_step_count=50, database=None),
}
SETTINGS = settings(
    PROFILES[PROFILE],
    deadline=None,
    suppress_health_check=list(HealthCheck),
)


class History(RuleBasedStateMachine):
    """One history on an empty database."""

    def __init__(self, api: Client, database: Database) -> None:
        super().__init__()
        self.api, self.database = api, database
        for name in ("people", "outreaches", "tags", "lists", "advocacy_campaigns", "suppressions"):
            self.database[name].delete_many({})
        self.model = Model()
        self.sent: list[Request] = []
        self.campaigns = [self.new("/advocacy_campaigns", title=title) for title in ("River", "Forest")]
        self.model.tags = {name: self.new("/tags", name=name) for name in TAGS}
        self.model.lists = {name: self.new("/lists", name=name) for name in LISTS}

    def new(self, path: str, **fields: Any) -> str:
        return id_of(self.api.created(path, fields)["_links"]["self"]["href"])

    def stored(self, collection: str = "people") -> dict[str, dict[str, Any]]:
        return {document["_id"]: document for document in self.database[collection].find()}

    def one_of(self, things: Any, index: int) -> str:
        return sorted(things)[index % len(things)]

    # Posts

    @rule(
        body=signups,
        by_token=st.booleans(),
        campaign=st.booleans(),
        identified=st.none() | outreach_identifiers,
        key=st.sampled_from([None, None, "key-1", "key-2"]),
        link=st.none() | either,
    )
    def an_outreach_is_recorded(
        self, body: dict, by_token: bool, campaign: bool, identified: list | None, key: str | None, link: int | None
    ) -> None:
        linked = None
        body = {**body, "duration": len(self.sent)}
        if identified:
            body["identifiers"] = identified
        if by_token and link is not None and self.model.people:
            linked = self.one_of(self.model.people, link)
            body["_links"] = {"osdi:person": {"href": f"https://osdi.example.org/api/v1/people/{linked}"}}
        request = Request(self.campaigns[campaign], body, by_token, key, linked)
        self.sent.append(request)
        self.send(request)

    @precondition(lambda self: self.sent)
    @rule(index=either)
    def an_earlier_request_comes_again(self, index: int) -> None:
        self.send(self.sent[index % len(self.sent)])

    def send(self, request: Request) -> None:
        people, outreaches = self.stored(), self.stored("outreaches")
        expected: str | None = None
        try:
            known = self.model.known(request)
            if known is None:
                expected = self.model.matching_person(request.posted, by_token=request.by_token, link=request.link)
        except Rejected as rejected:
            clash, response = self.clash_of(request), self.post_outreach(request)
            self.check_rejected(response, rejected, people, outreaches, by_token=request.by_token, either_way=clash)
            return
        response = self.post_outreach(request)
        self.check_accepted(response, by_token=request.by_token)
        now = self.stored("outreaches")
        if known is not None:
            assert (self.stored(), now) == (people, outreaches), "a retry writes nothing"
            if request.by_token:
                assert id_of(response.json["_links"]["self"]["href"]) == known
            return
        (added,) = now.keys() - outreaches.keys()
        person = now[added]["person_id"]
        self.check_person(person, expected, people)
        self.model.record(request, added, person)
        self.check_only_one_changed(person, people, by_token=request.by_token)

    def clash_of(self, request: Request) -> int | None:
        """Returns the status with which the person of a request with a token is rejected, if any."""
        try:
            self.model.matching_person(request.posted, by_token=request.by_token, link=request.link)
        except Rejected as rejected:
            return rejected.status if request.by_token else None
        return None

    def post_outreach(self, request: Request) -> TestResponse:
        headers = {"Idempotency-Key": request.idempotency_key} if request.idempotency_key else {}
        path = f"/advocacy_campaigns/{request.campaign}/{'outreaches' if request.link else 'record_outreach_helper'}"
        return self.api.post(path, request.body, token=request.by_token, headers=headers)

    @rule(body=signups, by_token=st.booleans(), to_people=st.booleans())
    def a_person_signs_up(self, body: dict, by_token: bool, to_people: bool) -> None:
        path, sent = "/people/person_signup_helper", body
        if by_token and to_people:
            path, body = "/people", {"person": body["person"]}
            sent = body["person"]
        people = self.stored()
        try:
            expected = self.model.matching_person(body["person"], by_token=by_token)
        except Rejected as rejected:
            response = self.api.post(path, sent, token=by_token)
            self.check_rejected(response, rejected, people, self.stored("outreaches"), by_token=by_token)
            return
        response = self.api.post(path, sent, token=by_token)
        self.check_accepted(response, by_token=by_token)
        added = self.stored().keys() - people.keys()
        assert len(added) == (expected is None), f"{len(added)} new people, expected {expected or 'one'}"
        person = expected or added.pop()
        if by_token:
            assert id_of(response.json["_links"]["self"]["href"]) == person
        self.model.sign_up(person, body, by_token=by_token)
        self.check_only_one_changed(person, people, by_token=by_token)

    # Checks of responses to posts

    def check_accepted(self, response: TestResponse, *, by_token: bool) -> None:
        assert response.status_code == 200, response.get_data(as_text=True)
        assert by_token or response.data == b"{}"

    def check_rejected(
        self,
        response: TestResponse,
        rejected: Rejected,
        people: dict,
        outreaches: dict,
        *,
        by_token: bool,
        either_way: int | None = None,
    ) -> None:
        assert by_token or rejected.status == 422, "a response without a token does not depend on stored people"
        assert response.status_code in (rejected.status, either_way), response.get_data(as_text=True)
        assert (self.stored(), self.stored("outreaches")) == (people, outreaches), "a rejected request writes nothing"

    def check_person(self, person: str, expected: str | None, before: dict) -> None:
        assert person == expected if expected else person not in before, f"{person} was matched, expected {expected}"

    def check_only_one_changed(self, person: str, before: dict, *, by_token: bool) -> None:
        after = self.stored()
        assert after.keys() == before.keys() | {person}
        for id_, old in before.items():
            new = after[id_]
            if new == old:
                continue
            assert id_ == person, "another person was changed"
            assert new["version"] == old["version"] + 1
            assert set(old.get("identifiers", ())) <= set(new.get("identifiers", ())), "a post only adds identifiers"
            assert set(old["match_keys"]) <= set(new["match_keys"]), "a post removes no key"
            if not by_token:
                self.check_only_filled(old, new)

    def check_only_filled(self, old: dict, new: dict) -> None:
        """Checks that a post without a token changed no value, and only appended to arrays."""
        assert old.get("identifiers") == new.get("identifiers")
        gained = set(new["match_keys"]) - set(old["match_keys"])
        assert all(key.startswith("claimed:") for key in gained), gained
        for name, value in old.items():
            if name in ("version", "modified_date"):
                continue
            if not isinstance(value, list):
                assert new[name] == value, name
                continue
            if name in (
                "contact_keys",
                "unclaimed_keys",
                "unconfirmed_statuses",
            ):
                assert set(value) <= set(new[name])
                continue
            for before, after in zip(value, new[name][: len(value)], strict=True):
                assert after == before or (isinstance(before, dict) and before.items() <= after.items()), name
        for before, after in zip(old.get("email_addresses", ()), new.get("email_addresses", ()), strict=False):
            assert before.get("status") not in KEPT_STATUSES or after["status"] == before["status"]

    # Changes and deletions with a token

    @precondition(lambda self: self.model.people)
    @rule(
        index=either,
        body=st.fixed_dictionaries(
            {},
            optional={
                **{name: st.sampled_from([None, "Jane", "John"]) for name in SINGLE_VALUES},
                "identifiers": st.none() | identifiers,
                "email_addresses": st.none() | emails,
                "phone_numbers": st.none() | phones,
            },
        ),
    )
    def a_person_is_put(self, index: int, body: dict) -> None:
        self.put_person(self.one_of(self.model.people, index), body)

    @precondition(lambda self: self.model.people)
    @rule(index=either, status=st.sampled_from(STATUSES))
    def a_status_is_put(self, index: int, status: str) -> None:
        self.put_person(self.one_of(self.model.people, index), {"email_addresses": [{"status": status}]})

    def put_person(self, person: str, body: dict) -> None:
        people = self.stored()
        try:
            self.model.put_person(person, body)
        except Rejected as rejected:
            response = self.api.put(f"/people/{person}", body)
            self.check_rejected(response, rejected, people, self.stored("outreaches"), by_token=True)
            return
        assert self.api.put(f"/people/{person}", body).status_code == 200
        after = self.stored()
        assert {id_ for id_ in people if after[id_] != people[id_]} <= {person}
        assert after[person] == people[person] or after[person]["version"] == people[person]["version"] + 1

    @precondition(lambda self: len(self.model.people) > 3)  # fewer people cause no clashes
    @rule(index=either)
    def a_person_is_deleted(self, index: int) -> None:
        person = self.one_of(self.model.people, index)
        assert self.api.delete(f"/people/{person}").status_code == 200
        self.model.delete_person(person)

    @precondition(lambda self: self.model.outreaches)
    @rule(index=either, identified=st.none() | outreach_identifiers, duration=st.integers(1000, 1003))
    def an_outreach_is_put(self, index: int, identified: list | None, duration: int) -> None:
        outreach = self.one_of(self.model.outreaches, index)
        path = f"/advocacy_campaigns/{self.model.outreaches[outreach].campaign}/outreaches/{outreach}"
        body = {"duration": duration, **({"identifiers": identified} if identified else {})}
        people, outreaches = self.stored(), self.stored("outreaches")
        try:
            self.model.put_outreach(outreach, body)
        except Rejected as rejected:
            self.check_rejected(self.api.put(path, body), rejected, people, outreaches, by_token=True)
            return
        assert self.api.put(path, body).status_code == 200

    @precondition(lambda self: self.model.outreaches)
    @rule(index=either)
    def an_outreach_is_deleted(self, index: int) -> None:
        outreach = self.one_of(self.model.outreaches, index)
        campaign = self.model.outreaches.pop(outreach).campaign
        assert self.api.delete(f"/advocacy_campaigns/{campaign}/outreaches/{outreach}").status_code == 200

    @precondition(lambda self: self.model.people and self.model.tags)
    @rule(who=either, which=either)
    def a_person_is_tagged(self, who: int, which: int) -> None:
        person, tag = self.one_of(self.model.people, who), self.one_of(self.model.tags.values(), which)
        link = {"_links": {"osdi:person": {"href": f"https://osdi.example.org/api/v1/people/{person}"}}}
        assert self.api.post(f"/tags/{tag}/taggings", link).status_code == 200
        self.model.people[person].tags.add(tag)

    @precondition(lambda self: any(person.tags for person in self.model.people.values()))
    @rule(who=either, which=either)
    def a_tagging_is_deleted(self, who: int, which: int) -> None:
        person = self.one_of([id_ for id_, each in self.model.people.items() if each.tags], who)
        tag = self.one_of(self.model.people[person].tags, which)
        (tagging,) = [each["_id"] for each in self.stored()[person]["taggings"] if each["tag_id"] == tag]
        assert self.api.delete(f"/tags/{tag}/taggings/{tagging}").status_code == 200
        self.model.people[person].tags.remove(tag)

    @rule(name=st.sampled_from(TAGS))
    def a_tag_is_deleted_or_created(self, name: str) -> None:
        if name not in self.model.tags:
            self.model.tags[name] = self.new("/tags", name=name)
            return
        tag = self.model.tags.pop(name)
        assert self.api.delete(f"/tags/{tag}").status_code == 200
        for person in self.model.people.values():
            person.tags.discard(tag)

    # Invariants after every step

    @invariant()
    def every_match_key_has_one_owner(self) -> None:
        owned = Counter(key for person in self.stored().values() for key in person["match_keys"])
        assert all(count == 1 for count in owned.values()), owned.most_common(1)

    @invariant()
    def people_are_as_the_model_says(self) -> None:
        assert {id_: data_of_document(document) for id_, document in self.stored().items()} == {
            id_: data_of_person(person) for id_, person in self.model.people.items()
        }

    @invariant()
    def outreaches_are_as_the_model_says(self) -> None:
        stored = self.stored("outreaches")
        assert {
            id_: (each["advocacy_campaign_id"], each.get("person_id"), each.get("duration"))
            for id_, each in stored.items()
        } == {id_: (each.campaign, each.person, each.duration) for id_, each in self.model.outreaches.items()}
        own = {id_: set(each.get("identifiers", ())) for id_, each in stored.items()}
        assert own == {id_: each.identifiers for id_, each in self.model.outreaches.items()}

    @invariant()
    def totals_are_right(self) -> None:
        stored = Counter(each["advocacy_campaign_id"] for each in self.stored("outreaches").values())
        for campaign in self.campaigns:
            returned = self.api.get(f"/advocacy_campaigns/{campaign}").json["total_outreaches"]
            expected = sum(each.campaign == campaign for each in self.model.outreaches.values())
            assert returned == stored[campaign] == expected
        for list_ in self.model.lists.values():
            expected = sum(list_ in person.lists for person in self.model.people.values())
            assert self.api.get(f"/lists/{list_}").json["total_items"] == expected


def id_of(href: str) -> str:
    return href.rsplit("/", 1)[1]


def data_of_document(document: dict[str, Any]) -> dict[str, Any]:
    """Returns the modelled data of a stored document."""
    return {
        "values": {name: document[name] for name in SINGLE_VALUES if name in document},
        **{
            array: sorted(
                (contact_key(array, each) or "", each.get("status", ""), bool(each.get("primary")))
                for each in document.get(array, ())
            )
            for array in CONTACTS
        },
        "identifiers": sorted(document.get("identifiers", ())),
        "claimed": sorted(document.get("claimed_identifiers", ())),
        "keys": {key for key in document["match_keys"] if not key.endswith(document["_id"])},
        "confirmed": set(document.get("confirmed_keys", ())),
        "unconfirmed": {each.partition(" ")[2] for each in document.get("unconfirmed_statuses", ())},
        "tags": sorted(each["tag_id"] for each in document.get("taggings", ())),
        "lists": sorted(each["list_id"] for each in document.get("items", ())),
    }


def data_of_person(person: Person) -> dict[str, Any]:
    """Returns the same data of a person of the model."""
    return {
        "values": person.values,
        **{
            array: sorted((each["key"], each.get("status", ""), bool(each.get("primary"))) for each in entries)
            for array, entries in person.contacts.items()
        },
        "identifiers": sorted(person.identifiers),
        "claimed": sorted(person.claimed),
        "keys": person.keys,
        "confirmed": person.confirmed,
        "unconfirmed": person.unconfirmed,
        "tags": sorted(person.tags),
        "lists": sorted(person.lists),
    }


@pytest.mark.slow
def test_every_history_agrees_with_the_model(api: Client, database: Database) -> None:
    run_state_machine_as_test(lambda: History(api, database), settings=SETTINGS)
