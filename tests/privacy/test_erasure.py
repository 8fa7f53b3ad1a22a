"""A person who is erased is found nowhere, and what they did stays counted (docs/privacy.md)."""

import datetime as dt
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import pytest
from flask import Flask
from pymongo import MongoClient
from pymongo.database import Database

from blueprints.http.context import EXTENSION
from dev.mongod import Mongod
from osdi.errors import OsdiError
from osdi.ids import now
from osdi.match_keys import MatchKeyRules
from osdi.outreaches import record_outreach
from osdi.privacy import erasure
from osdi.privacy.erasure import erase, finish_next_erasure
from osdi.privacy.tombstones import was_erased
from osdi.settings import Settings
from osdi.staff.members import add_member
from osdi.statistics import invalidation_store, reader
from osdi.store import Store
from osdi.store.indexes import CUSTOM_NAMES
from osdi.store.store import SETTLED
from tests.fixtures.deployed import Deployed
from tests.support import factories
from tests.support.client import Client, new_client
from tests.support.databases import Copy, empty
from tests.support.factories import RULES
from tests.support.planted import DIGITS, MARKER, OFFICIAL, Planted, create_planted, editor_of, traces
from tests.support.profiled import profiled

JANE = "jane@example.com"
SAID = {"message": MARKER}
LATER = SETTLED + dt.timedelta(seconds=5)
NOT_OURS = {"system.profile"}
# These collections have only the tests' own campaign, messages and tokens, so reading them completely is cheap.
SMALL = {"tokens", "advocacy_campaigns", "tags", "lists", "questions", "messages", "wrappers", "webhooks", CUSTOM_NAMES}

Erase = Callable[..., None]
Making = Callable[[Callable[[Client, Store, Database], Any]], "Made"]


@dataclass(frozen=True)
class Made:
    """Documents that a fixture of the module has made over the API: a copy of all, their client, and the result."""

    api: Client
    result: Any
    copy: Copy

    def put_back(self, api: Client) -> None:
        """Stores the documents in place of those that there are, and makes `api` use their token and campaign."""
        self.copy.put_back()
        api.token, api.campaign_id = self.api.token, self.api.campaign_id


@pytest.fixture(scope="module")
def making(app: Flask, mongod: Mongod, new_campaign: Callable[[], dict[str, Any]]) -> Iterator[Making]:
    """Makes documents once, by a function of a client, the store and the database; each test puts them back."""
    with MongoClient(mongod.uri) as client:
        database = client.get_default_database()

        def make(of: Callable[[Client, Store, Database], Any]) -> Made:
            empty(database)
            api = new_client(app, database, new_campaign())
            result = of(api, app.extensions[EXTENSION].store, database)
            return Made(api, result, Copy(database))

        yield make


@pytest.fixture(scope="module")
def planted_once(making: Making) -> Made:
    def make(api: Client, store: Store, database: Database) -> Planted:
        found = create_planted(api, database)
        editor_of(api, store, found)
        return found

    return making(make)


@pytest.fixture
def planted(planted_once: Made, api: Client) -> Planted:
    """A person with data everywhere. The database contains nothing else, so this fixture comes before others."""
    planted_once.put_back(api)
    found: Planted = planted_once.result
    return found


@pytest.fixture
def erased(request: pytest.FixtureRequest, api: Client, app: Flask) -> Erase:
    """Erases a person by HTTP, or by the way that a test names: both call one function, once the person is found."""

    def over_http(person_id: str, outreaches: str | None = None) -> None:
        query = "erase=true" + (f"&outreaches={outreaches}" if outreaches else "")
        response = api.delete(f"/people/{person_id}?{query}")
        assert (response.status_code, response.json) == (200, {"notice": "This person was successfully erased."})

    def by_command(person_id: str, outreaches: str | None = None) -> None:
        options = ["--outreaches", outreaches] if outreaches else []
        result = app.test_cli_runner().invoke(args=["erase-person", person_id, "--yes", *options])
        assert result.exit_code == 0, result.output
        assert MARKER not in result.output.casefold()

    return over_http if getattr(request, "param", "HTTP") == "HTTP" else by_command


IN_BOTH_WAYS = pytest.mark.parametrize("erased", ["HTTP", "command"], indirect=True)


# A running erasure, and the record by which other systems learn of it: both hold the ids of the person.
WITH_IDS = ("erasures", "published_deletions")


def signed_up(api: Client, **fields: Any) -> str:
    """The id of a new person."""
    return str(api.created("/people", factories.person(**fields))["_links"]["self"]["href"]).rsplit("/", 1)[1]


def everything(database: Database, without: tuple[str, ...] = ()) -> str:
    """All that the database holds, as text."""
    return str([list(database[name].find()) for name in database.list_collection_names() if name not in without])


def total(api: Client, address: str, name: str) -> int:
    return int(api.get(address).json[name])


class TestErasedData:
    @pytest.mark.one_in(3)
    @IN_BOTH_WAYS
    @pytest.mark.parametrize("outreaches", [None, "anonymise", "delete"])
    def test_is_in_no_collection(
        self, planted: Planted, database: Database, erased: Erase, outreaches: str | None
    ) -> None:
        assert traces(database) == {"people": 1, "outreaches": 4, "merged_people": 1}

        erased(planted.person_id, outreaches)

        assert traces(database) == {}
        left = everything(database, without=WITH_IDS)
        assert planted.person_id not in left
        assert planted.merged_id not in left

    @IN_BOTH_WAYS
    def test_keeps_texts_and_words_only_if_outreaches_are_kept(
        self, planted: Planted, database: Database, erased: Erase
    ) -> None:
        erased(planted.person_id, "keep")

        assert traces(database) == {"outreaches": 4}
        contacts = [word for path, word in planted.words.items() if "person" in path or "held" in path or "key" in path]
        left = str(list(database.outreaches.find())).casefold()
        assert len(contacts) > 50
        assert [word for word in contacts if word.casefold() in left] == []
        assert DIGITS not in left
        assert planted.words["page 1.message"].casefold() in left
        assert "claimed" not in left
        assert "idempotency" not in left

    def test_is_not_readable_in_sending_limits(
        self, api: Client, database: Database, deployed: Deployed, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("blueprints.http.rate_limits.ALONE_PART", 1_000)  # so that each post is counted in MongoDB
        counting = deployed(rate_limit_storage="mongodb", rate_limit_contact="60/hour")
        found = create_planted(counting, database)
        assert database.rate_limits.count_documents({"count": {"$gte": 1}}) >= 1

        assert api.delete(f"/people/{found.person_id}?erase=true").status_code == 200

        assert traces(database) == {}

    def test_is_not_sent(self, planted: Planted, database: Database, erased: Erase) -> None:
        before = sorted(each["followups"][0]["state"] for each in database.outreaches.find())
        assert before == ["failed", "leased", "queued", "sent"]

        erased(planted.person_id)

        after = [each["followups"][0] for each in database.outreaches.find().sort("_id", 1)]
        assert [each["state"] for each in after] == ["skipped", "sent", "failed", "skipped"]
        assert {each["reason"] for each in after if each["state"] == "skipped"} == {"no_person"}
        assert {name for each in after for name in each} & {"to", "lease", "not_before", "identifiers"} == set()

    def test_is_not_in_queued_webhook_events_except_the_anonymised_outreach(
        self, planted: Planted, database: Database, erased: Erase
    ) -> None:
        erased(planted.person_id)

        waiting = list(database.outreaches.find({"webhook_events": {"$exists": True}}))
        assert [[event["event"] for event in each["webhook_events"]] for each in waiting] == [["outreach_recorded"]] * 4

    def test_is_not_in_statistics(
        self, planted: Planted, api: Client, database: Database, erased: Erase, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for module in (reader, invalidation_store):
            monkeypatch.setattr(module, "now", lambda: now() + LATER)  # what is younger is not kept
        assert api.get(f"/advocacy_campaigns/{planted.campaign_id}/stats").status_code == 200
        assert traces(database)["statistics"] == 1

        erased(planted.person_id)

        assert traces(database) == {}

    def test_is_in_no_response(self, planted: Planted, api: Client, erased: Erase) -> None:
        erased(planted.person_id)

        assert api.get(f"/people/{planted.person_id}").status_code == 404
        assert api.get(f"/people/{planted.person_id}/outreaches").status_code == 404
        shown = api.get(planted.links["self"])
        assert shown.status_code == 200
        assert MARKER not in shown.get_data(as_text=True).casefold()
        assert "osdi:person" not in shown.json["_links"]


class TestKeptData:
    def test_are_the_totals(self, planted: Planted, api: Client, noise: list[dict], erased: Erase) -> None:
        campaign = f"/advocacy_campaigns/{planted.campaign_id}"
        api.created(f"{planted.links['lists']}/items", {"_links": {"osdi:person": noise[0]["_links"]["osdi:person"]}})
        assert total(api, campaign, "total_outreaches") == 7
        assert total(api, planted.links["lists"], "total_items") == 2

        erased(planted.person_id)

        assert total(api, campaign, "total_outreaches") == 7
        assert total(api, f"{campaign}/outreaches", "total_records") == 7
        assert total(api, planted.links["lists"], "total_items") == 1
        for parent, entries in (("tags", "taggings"), ("questions", "answers")):
            assert total(api, f"{planted.links[parent]}/{entries}", "total_records") == 0

    def test_decreases_by_deleted_outreaches(
        self, planted: Planted, api: Client, noise: list[dict], erased: Erase
    ) -> None:
        erased(planted.person_id, "delete")

        assert total(api, f"/advocacy_campaigns/{planted.campaign_id}", "total_outreaches") == len(noise)

    def test_includes_everything_about_others(
        self, planted: Planted, noise: list[dict], database: Database, erased: Erase
    ) -> None:
        ids = [each["identifiers"][0].split(":")[1] for each in noise]
        others = {"people": {"_id": {"$nin": [planted.person_id]}}, "outreaches": {"_id": {"$in": ids}}}
        database.people.update_many({}, {"$unset": {"modified_by_id": ""}})
        before = {name: list(database[name].find(query).sort("_id", 1)) for name, query in others.items()}

        erased(planted.person_id)

        assert {name: list(database[name].find(query).sort("_id", 1)) for name, query in others.items()} == before

    def test_are_dates_duration_and_targets(self, planted: Planted, database: Database, erased: Erase) -> None:
        database.outreaches.update_many({}, {"$set": {"type": "phone", "duration": 120}})
        before = database.outreaches.find_one({"targets": {"$exists": True}})

        erased(planted.person_id)

        after = database.outreaches.find_one({"targets": {"$exists": True}})
        kept = ("_id", "created_date", "action_date", "advocacy_campaign_id", "type", "duration")
        assert {name: after[name] for name in kept} == {name: before[name] for name in kept}
        assert after["targets"] == [{"title": "Senator", "given_name": "John", "family_name": OFFICIAL}]
        assert after["match_keys"] == [f"id:osdi_outreach:{after['_id']}"]
        assert {"fingerprint", "identifiers", "claimed_identifiers"} & set(after) == set()
        assert after["modified_date"] >= before["modified_date"]
        assert after["version"] == before["version"] + 1

    @pytest.mark.parametrize(("others", "stays"), [(1, False), (2, True)])
    def test_are_words_of_two_other_people(
        self, api: Client, database: Database, erased: Erase, others: int, stays: bool
    ) -> None:
        words = {"type": "petition", "referrer_data": {"source": "newsletter-march", "url": "https://a.example/?jane"}}
        outreach = api.recorded(factories.outreach(**words))
        for _ in range(others):
            api.recorded(factories.outreach(**words))
        # The same person again is no other one.
        api.recorded(
            factories.by_email(JANE)
            | words
            | {"person": None, "_links": {"osdi:person": outreach["_links"]["osdi:person"]}}
        )

        erased(outreach["_links"]["osdi:person"]["href"].rsplit("/", 1)[1])

        left = api.get(outreach["_links"]["self"]["href"]).json
        assert {name: left.get(name) for name in words} == (
            {"type": "petition", "referrer_data": {"source": "newsletter-march"}}
            if stays
            else {"type": None, "referrer_data": None}
        )

    def test_are_their_tokens_and_the_resources_they_created(
        self, planted: Planted, database: Database, erased: Erase
    ) -> None:
        erased(planted.person_id)

        assert database.tokens.count_documents({"name": "factory"}) == 1
        assert database.tags.count_documents({"name": "made by them"}) == 1
        assert database.people.count_documents({"given_name": "Changed"}) == 1

    def test_is_their_membership_of_the_staff(
        self, planted: Planted, store: Store, database: Database, erased: Erase
    ) -> None:
        add_member(store, "ada@example.org", person_id=planted.person_id)

        erased(planted.person_id)

        (member,) = database.staff.find()
        assert (member["email"], "person_id" in member) == ("ada@example.org", False)

    def test_is_a_contact_detail_of_another_person(self, api: Client, erased: Erase) -> None:
        phone = [{"number": "+1 202-555-0123"}]
        jane, john = signed_up(api, phone_numbers=phone), signed_up(api, phone_numbers=phone)

        erased(jane)

        assert api.get(f"/people/{john}").json["phone_numbers"] == phone


class TestTombstones:
    KEYS = RULES.match_keys(
        {
            "identifiers": ["crm:1"],
            "email_addresses": [{"address": JANE}],
            "phone_numbers": [{"number": "12025550123"}],
        },
        trusted=True,
    )

    @pytest.fixture
    def jane(self, api: Client) -> str:
        return signed_up(
            api,
            identifiers=["crm:1"],
            email_addresses=[{"address": JANE}],
            phone_numbers=[{"number": "+1 202-555-0123"}],
        )

    def test_block_an_import_by_any_key(self, store: Store, jane: str, erased: Erase) -> None:
        assert not was_erased(store, self.KEYS.all)

        erased(jane)

        assert was_erased(store, self.KEYS.all)
        for key in self.KEYS.all:
            assert was_erased(store, [key])
        assert was_erased(store, [f"id:osdi_outreach:{jane}"])
        assert not was_erased(store, ["id:crm:2", "email:john@example.com"])
        assert not was_erased(store, [])

    @IN_BOTH_WAYS
    def test_include_keys_of_merged_people(self, store: Store, planted: Planted, erased: Erase) -> None:
        erased(planted.person_id)

        held = [planted.words["held.identifiers"], planted.words["held.email_addresses.address"]]
        assert was_erased(store, [f"id:{held[0]}"])
        assert was_erased(store, [f"email:{held[1].lower()}"])

    def test_do_not_block_others_who_share_a_phone(self, store: Store, jane: str, erased: Erase) -> None:
        erased(jane)

        assert not was_erased(store, ["email:john@example.com", "phone:12025550123"])

    def test_leave_out_keys_of_other_stored_people(self, api: Client, store: Store, jane: str, erased: Erase) -> None:
        signed_up(api, email_addresses=[{"address": "john@example.com"}], phone_numbers=[{"number": "12025550123"}])

        erased(jane)

        assert not was_erased(store, ["phone:12025550123"])
        assert was_erased(store, [f"email:{JANE}"])

    def test_contain_only_hashes(self, database: Database, jane: str, erased: Erase) -> None:
        erased(jane)

        tombstones = list(database.tombstones.find())
        assert len(tombstones) == len(self.KEYS.all) + 1
        assert {frozenset(each) for each in tombstones} == {frozenset({"_id", "erased_date"})}
        assert all(len(each["_id"]) == 64 for each in tombstones)

    @pytest.mark.parametrize("has_token", [True, False])
    def test_stay_when_the_person_comes_back_by_a_post(
        self, api: Client, database: Database, store: Store, jane: str, erased: Erase, has_token: bool
    ) -> None:
        erased(jane)

        assert api.record(factories.by_email(JANE), token=has_token).status_code == 200

        (person,) = database.people.find()
        assert person["_id"] != jane
        assert person["email_addresses"] == [{"address": JANE}]
        assert was_erased(store, self.KEYS.all)

    def test_are_removed_by_the_operators_command(self, app: Flask, store: Store, jane: str, erased: Erase) -> None:
        erased(jane)
        run = app.test_cli_runner().invoke
        for who in ("Jane@Example.com", "crm:1", "+1 (202) 555-0123"):
            assert run(args=["allow-reimport", who]).exit_code == 0

        assert not was_erased(store, self.KEYS.all)
        again = run(args=["allow-reimport", JANE])
        assert again.exit_code == 2
        assert "No erased person had this address, identifier or number." in again.output


class TestRepeatedErasure:
    def test_returns_404(self, planted: Planted, api: Client, app: Flask, erased: Erase) -> None:
        erased(planted.person_id)

        for person_id in (planted.person_id, planted.merged_id):
            assert api.delete(f"/people/{person_id}?erase=true").status_code == 404
            result = app.test_cli_runner().invoke(args=["erase-person", person_id, "--yes"])
            assert result.exit_code == 1
            assert "There is no such person." in result.output

    def test_erases_a_person_who_came_back(self, api: Client, database: Database) -> None:
        for _ in range(2):
            assert api.delete(f"/people/{signed_up(api, given_name=MARKER)}?erase=true").status_code == 200

        assert traces(database) == {}


class TestMergedPerson:
    @pytest.fixture(scope="class")
    @classmethod
    def chain_once(cls, making: Making) -> Made:
        def make(api: Client, store: Store, database: Database) -> list[str]:
            made = [api.recorded(factories.by_email(f"{MARKER}{number}@example.com") | SAID) for number in range(3)]
            links = [each["_links"]["osdi:person"]["href"] for each in made]
            for other, survivor in pairwise(links):
                assert api.post(f"{survivor}/merge", {"_links": {"osdi:person": {"href": other}}}).status_code == 200
            assert set(traces(database)) == {"people", "outreaches", "merged_people"}
            return [each.rsplit("/", 1)[1] for each in links]

        return making(make)

    @pytest.fixture
    def chain(self, chain_once: Made, api: Client) -> list[str]:
        """Returns the ids of three people with an outreach each; each person was merged into the next."""
        chain_once.put_back(api)
        return list(chain_once.result)

    @pytest.mark.one_in(4)
    @IN_BOTH_WAYS
    @pytest.mark.parametrize("erased_one", range(3))
    @pytest.mark.parametrize("held", [True, False], ids=["held", "expired"])
    def test_erases_the_survivor_of_their_merge(
        self, chain: list[str], api: Client, database: Database, erased: Erase, erased_one: int, held: bool
    ) -> None:
        if not held:
            database.merged_people.delete_many({})

        erased(chain[erased_one])

        assert traces(database) == {}
        assert all(each not in everything(database, without=WITH_IDS) for each in chain)
        assert total(api, f"/advocacy_campaigns/{api.campaign_id}", "total_outreaches") == 3
        for each in chain:
            assert api.delete(f"/people/{each}?erase=true").status_code == 404

    @pytest.mark.parametrize("outreaches", ["anonymise", "keep", "delete"])
    def test_is_in_no_outreach(self, chain: list[str], database: Database, erased: Erase, outreaches: str) -> None:
        """Their documents have expired, and an outreach came after the last was moved."""
        database.merged_people.delete_many({})
        database.outreaches.update_one({}, {"$set": {"person_id": chain[0]}, "$unset": {"moved_from_ids": ""}})
        assert database.outreaches.count_documents({"moved_from_ids": {"$exists": True}}) == 1

        erased(chain[2], outreaches)

        assert all(each not in everything(database, without=WITH_IDS) for each in chain)
        assert ("outreaches" in traces(database)) == (outreaches == "keep")

    def test_is_removed_from_tokens_and_created_resources(
        self, chain: list[str], api: Client, store: Store, database: Database, erased: Erase
    ) -> None:
        for name, person_id in (("a", chain[0]), ("b", chain[1])):
            theirs = factories.token(store, person_id=person_id, scopes=["write", "read"])
            assert api.post("/tags", {"name": name}, token=theirs).status_code == 200
            response = api.post("/people", factories.by_email(f"{name}@example.com")["person"], token=theirs)
            assert response.status_code == 200
        assert set(database.people.distinct("modified_by_id")) == set(chain[:2])
        database.merged_people.delete_many({})

        erased(chain[2])

        assert all(each not in everything(database, without=WITH_IDS) for each in chain)
        assert database.tags.count_documents({}) == 2

    def test_has_a_tombstone(self, chain: list[str], store: Store, database: Database, erased: Erase) -> None:
        database.merged_people.delete_many({})

        erased(chain[1])

        for number, each in enumerate(chain):
            assert was_erased(store, [f"id:osdi_outreach:{each}"])
            assert was_erased(store, [f"email:{MARKER}{number}@example.com"])

    def test_has_another_version(self, chain: list[str], api: Client, database: Database) -> None:
        shown = api.get(f"/people/{chain[2]}").headers["ETag"]

        rejected = api.delete(f"/people/{chain[0]}?erase=true", headers={"If-Match": shown})

        assert rejected.status_code == 412
        assert database.people.count_documents({"_id": chain[2]}) == 1

    @IN_BOTH_WAYS
    def test_is_erased_without_a_survivor(self, planted: Planted, database: Database, erased: Erase) -> None:
        """A DELETE of the survivor ended in the middle."""
        database.people.delete_one({"_id": planted.person_id})
        database.outreaches.delete_many({})
        assert traces(database) == {"merged_people": 1}

        erased(planted.merged_id)

        assert traces(database) == {}

    def test_is_deleted_with_the_survivor(self, planted: Planted, api: Client, database: Database) -> None:
        assert api.delete(f"/people/{planted.person_id}").status_code == 200

        assert traces(database) == {"outreaches": 4}


class TestConcurrentRequests:
    @pytest.mark.parametrize("fields", [{}, {"given_name": MARKER}], ids=["unchanged", "changed"])
    def test_a_concurrent_outreach_loses_its_person(
        self, api: Client, store: Store, database: Database, monkeypatch: pytest.MonkeyPatch, fields: dict[str, str]
    ) -> None:
        jane = signed_up(api, email_addresses=[{"address": JANE}], given_name=None, family_name=None)
        prepare, times = record_outreach.person_change, iter([True])

        def prepared_then_erased(*arguments: Any) -> Any:
            found = prepare(*arguments)
            if next(times, False):
                erase(store, jane, RULES)
            return found

        monkeypatch.setattr(record_outreach, "person_change", prepared_then_erased)
        body = factories.outreach(person={"email_addresses": [{"address": JANE}], **fields}, message=MARKER)
        assert api.record(body).status_code == 200

        if fields:  # the write of the person saw that they are gone, so this is somebody new
            assert database.people.find_one({})["_id"] != jane
            assert database.outreaches.find_one({})["person_id"] != jane
        else:  # nothing had to be written of the person
            assert traces(database) == {"outreaches": 1}
            assert not finish_next_erasure(store, RULES, now() + SETTLED - dt.timedelta(seconds=30))
            assert finish_next_erasure(store, RULES, now() + LATER)
            assert traces(database) == {}
            assert "person_id" not in database.outreaches.find_one({})
        assert total(api, f"/advocacy_campaigns/{api.campaign_id}", "total_outreaches") == 1

    def test_an_erasure_ends_when_no_request_can_write_about_the_person(
        self, planted: Planted, store: Store, database: Database
    ) -> None:
        erase(store, planted.person_id, RULES)
        assert database.erasures.count_documents({}) == 1
        assert MARKER not in str(list(database.erasures.find()))

        assert finish_next_erasure(store, RULES, now() + LATER)
        assert not finish_next_erasure(store, RULES, now() + LATER)

        assert database.erasures.count_documents({}) == 0

    def test_an_outdated_version_is_rejected(self, planted: Planted, api: Client, database: Database) -> None:
        rejected = api.delete(f"/people/{planted.person_id}?erase=true", headers={"If-Match": '"0"'})

        assert rejected.status_code == 412
        assert database.people.count_documents({"_id": planted.person_id}) == 1
        assert database.erasures.count_documents({}) == 0
        assert database.tombstones.count_documents({}) == 0

    def test_a_repeat_continues_an_erasure_that_exceeds_its_time(
        self, planted: Planted, api: Client, store: Store, database: Database, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(erasure, "BATCH", 2)
        with pytest.raises(OsdiError) as rejected:
            erase(store, planted.person_id, RULES, seconds=0)
        assert rejected.value.status == 503
        assert "outreaches" in traces(database)

        assert api.delete(f"/people/{planted.person_id}?erase=true").status_code == 404

        assert traces(database) == {}


def test_a_plain_delete_is_unchanged(planted: Planted, api: Client, database: Database) -> None:
    assert api.delete(f"/people/{planted.person_id}").status_code == 200

    assert traces(database) == {"outreaches": 4}
    assert database.tombstones.count_documents({}) == 0


def test_no_large_collection_is_scanned(planted: Planted, noise: list[dict], store: Store, database: Database) -> None:
    with profiled(database) as done:
        erase(store, planted.person_id, RULES)
        finish_next_erasure(store, RULES, now() + LATER)

    assert {each.collection for each in done if each.plan == "COLLSCAN"} <= SMALL
    assert {"people", "outreaches", "merged_people"} <= {each.collection for each in done}
    assert json.dumps([each.plan for each in done if each.collection == "outreaches"]).count("COLLSCAN") == 0


def test_the_settings_region_is_that_of_tombstones(
    api: Client, store: Store, settings: Settings, deployed: Deployed
) -> None:
    french = deployed(phone_region="FR")
    jane = french.created("/people", {"phone_numbers": [{"number": "01 23 45 67 89"}]})

    assert french.delete(f"{jane['_links']['self']['href']}?erase=true").status_code == 200

    assert was_erased(store, ["phone:33123456789"])


def test_region_of_the_settings_is_used_for_people_who_were_merged_during_the_erasure(
    store: Store, database: Database, api: Client
) -> None:
    french = MatchKeyRules(RULES.namespace, "FR")
    jane = signed_up(api)
    erase(store, jane, french)
    merged = {"_id": "merged", "match_keys": [], "phone_numbers": [{"number": "01 23 45 67 89"}]}
    database.merged_people.insert_one({"_id": "merged", "survivor_id": jane, "person": merged})

    assert finish_next_erasure(store, french, now() + LATER)

    assert was_erased(store, ["phone:33123456789"])
    assert not was_erased(store, ["phone:0123456789"])
