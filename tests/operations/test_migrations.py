"""schema_version and the steps to it: documents of an old shape, repeated and concurrent releases, newer databases."""

import datetime as dt
import os
import threading
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest
from flask import Flask
from pymongo import MongoClient
from pymongo.database import Database

from app import create_app
from blueprints.http.context import EXTENSION
from dev.mongod import Mongod
from osdi.errors import OsdiError, WriteConflict
from osdi.match_keys import MatchKeyRules
from osdi.operations import migration_steps, worker_loop
from osdi.operations.migration_steps import MIGRATIONS, Migration, MigrationContext
from osdi.operations.migrations import migrate, schema_version
from osdi.operations.readiness import missing_indexes
from osdi.people.duplicates import keys_store
from osdi.settings import Settings
from osdi.store import Store
from osdi.store.indexes import INDEXES
from osdi.store.schema_version import OLDEST_PROGRAM, SCHEMA_VERSION, WrongDatabase
from tests.support.client import Client
from tests.support.factories import RULES
from tests.support.fork_server import run

NEWER = {"_id": "schema", "schema_version": SCHEMA_VERSION + 1}
JANE = {"given_name": "Jane", "family_name": "Doe", "postal_addresses": [{"postal_code": "10011"}]}
JANES_KEY = "name_and_postal_code:jane doe|10011"
# The indexes of people before anybody could be merged, and some that were declared otherwise than now.
BEFORE = ("match_keys",), ("contact_keys",), ("modified_date", "_id"), ("created_date", "_id")
OTHERWISE: tuple[tuple[str, tuple[str, ...], dict[str, Any]], ...] = (
    ("people", ("taggings.tag_id", "_id"), {}),
    ("people", ("items.list_id", "_id"), {"partialFilterExpression": {"items": {"$exists": True}}}),
    ("people", ("modified_by_id",), {}),
    ("merged_people", ("merged_date",), {}),
    ("tokens", ("hash",), {}),
)


@pytest.fixture
def old(request: pytest.FixtureRequest) -> Iterator[tuple[Store, Database]]:
    """A database from before there were versions, and a store on it; on the server that the test names.

    A step writes each document by itself, so it has one way for both kinds of server: `ON_BOTH` are the tests of
    releases and clients that write at the same time.
    """
    server: Mongod = request.getfixturevalue(getattr(request, "param", "mongod"))
    uri = server.uri.replace("/osdi?", "/old?")
    with MongoClient(uri) as client:
        client.drop_database("old")
        store = Store(uri)
        yield store, client.get_default_database()
        store.close()
        client.drop_database("old")


ON_BOTH = pytest.mark.parametrize("old", ["mongod", "standalone"], indirect=True)


def create_unique_index(database: Database) -> None:
    """Creates the index that decides which person has a key."""
    database.people.create_index("match_keys", unique=True)


def old_person(person_id: str, **fields: Any) -> dict[str, Any]:
    """Returns a person in the form before `contact_keys`."""
    timestamp = dt.datetime(2025, 1, 1)
    dates = {"created_date": timestamp, "modified_date": timestamp}
    return {"_id": person_id, "version": 3, "match_keys": [f"id:osdi_outreach:{person_id}"], **dates, **fields}


def test_the_version_is_the_last_migrations_number() -> None:
    assert [each.number for each in MIGRATIONS] == list(range(1, SCHEMA_VERSION + 1))


class TestRenamedStoredNames:
    """Migration 3 renames what earlier versions stored."""

    @ON_BOTH
    def test_renames_fields_keys_and_collections(self, old: tuple[Store, Database]) -> None:
        store, database = old
        keys = ["id:x:1", "namesake:jane doe|10011"]
        renamed = ["id:x:1", JANES_KEY]
        database.advocacy_campaigns.insert_one({"_id": "c", "match_keys": ["id:x:c"], "open_door": {"enabled": False}})
        database.people.insert_one({"_id": "p", "match_keys": keys, "unclaimed_keys": ["namesake:j d|1", "email:a@b"]})
        database.merged_people.insert_one({"_id": "m", "person": {"match_keys": ["namesake:j d|2"]}})
        database.erased.insert_many([{"_id": "hash", "erased_date": dt.datetime(2025, 1, 1)}, {"_id": "other"}])
        database.statistics.insert_one({"_id": "s"})
        database.statistics_touches.insert_one({"_id": "t"})

        migrate(store, RULES, lambda _: None, migrations=MIGRATIONS[2:3])

        assert database.advocacy_campaigns.find_one()["anonymous_posts"] == {"enabled": False}
        assert "open_door" not in database.advocacy_campaigns.find_one()
        person = database.people.find_one()
        assert person["match_keys"] == renamed
        assert person["unclaimed_keys"] == ["name_and_postal_code:j d|1", "email:a@b"]
        assert database.merged_people.find_one()["person"]["match_keys"] == ["name_and_postal_code:j d|2"]
        assert {each["_id"] for each in database.tombstones.find()} == {"hash", "other"}
        assert database.tombstones.find_one({"_id": "hash"})["erased_date"] == dt.datetime(2025, 1, 1)
        for name in ("erased", "statistics", "statistics_touches"):
            assert database[name].count_documents({}) == 0, name

    def test_changes_nothing_the_second_time(self, old: tuple[Store, Database]) -> None:
        store, database = old
        database.people.insert_one({"_id": "p", "match_keys": [JANES_KEY]})
        context = MigrationContext(store, RULES)

        assert sum(MIGRATIONS[2].run(context)) == 0
        assert database.people.find_one()["match_keys"] == [JANES_KEY]


class TestNameWords:
    """Migration 9 adds the words of names, so that a search finds people of an earlier version."""

    def test_words_are_added_without_a_new_version(self, old: tuple[Store, Database]) -> None:
        store, database = old
        people = [
            {"_id": "a", "version": 3, "match_keys": ["id:x:a"], "given_name": "Jané", "family_name": "Doe-Smith"},
            {"_id": "b", "version": 1, "match_keys": ["id:x:b"]},
        ]
        database.people.insert_many(people)

        migrate(store, RULES, lambda _: None, migrations=MIGRATIONS[8:])

        assert list(database.people.find()) == [{**people[0], "name_words": ["jane", "doe", "smith"]}, people[1]]


class TestFirstWordsOfNames:
    """Migration 11 puts the first word of each name among the words of long names."""

    def test_changes_people_with_long_names_only(self, old: tuple[Store, Database]) -> None:
        store, database = old
        create_unique_index(database)
        long = {"given_name": "A B C D E F G H", "family_name": "Doe"}
        people = [old_person("a", **long), old_person("b", given_name="Jane", family_name="Doe")]
        for each, words in zip(people, (list("abcdefgh"), ["doe"]), strict=True):
            each["name_words"] = words
        database.people.insert_many(people)

        migrate(store, RULES, lambda _: None, migrations=MIGRATIONS[10:])

        words = [each["name_words"] for each in database.people.find().sort("_id")]
        assert words == [["a", "doe", *"bcdefg"], ["doe"]]


class TestFurtherAnswers:
    """Migration 12 counts the further answers of people with several answers to a question."""

    def test_changes_people_with_several_answers_to_a_question_only(self, old: tuple[Store, Database]) -> None:
        store, database = old
        given = {"a": "xyx", "b": "xy", "c": "x", "d": ""}
        for person_id, questions in given.items():
            answers = [{"_id": f"{person_id}{at}", "question_id": each} for at, each in enumerate(questions)]
            database.people.insert_one({**old_person(person_id), "version": 2, "answers": answers})
        before = list(database.people.find().sort("_id"))

        assert list(migration_steps.count_further_answers(MigrationContext(store, RULES))) == [1]
        assert list(migration_steps.count_further_answers(MigrationContext(store, RULES))) == [0]
        assert list(database.people.find().sort("_id")) == [{**before[0], "further_answers": {"x": 1}}, *before[1:]]


class TestDomainsAsSent:
    """Migration 4 gives e-mail keys the form in which mail is sent to the domain."""

    HIDDEN = "jane@ex\u034fample.com"  # a character that UTS 46 removes
    OLD, NEW = "email:jane@ex\u034fample.com", "email:jane@example.com"

    def person(self, person_id: str, address: str, key: str) -> dict[str, Any]:
        own = f"id:osdi_outreach:{person_id}"
        emails = [{"address": address}]
        return {
            "_id": person_id,
            "version": 1,
            "match_keys": [own, key],
            "contact_keys": [key],
            "email_addresses": emails,
        }

    def migrated(self, old: tuple[Store, Database], *people: dict[str, Any]) -> list[dict[str, Any]]:
        store, database = old
        create_unique_index(database)
        database.people.insert_many(people)
        migrate(store, RULES, lambda _: None, migrations=MIGRATIONS[3:])
        return list(database.people.find().sort("_id"))

    def test_an_old_key_becomes_the_key_of_the_mailbox(self, old: tuple[Store, Database]) -> None:
        (found,) = self.migrated(old, self.person("a", self.HIDDEN, self.OLD))

        assert found["match_keys"] == ["id:osdi_outreach:a", self.NEW]
        assert found["contact_keys"] == [self.NEW]
        assert found["version"] == 1, "no client sees a change"

    def test_a_key_that_another_person_has_stays_with_that_person(self, old: tuple[Store, Database]) -> None:
        first, second = self.migrated(
            old, self.person("a", self.HIDDEN, self.OLD), self.person("b", "jane@example.com", self.NEW)
        )

        assert (first["match_keys"], first["unclaimed_keys"]) == (["id:osdi_outreach:a"], [self.NEW])
        assert first["maybe_duplicate"]
        assert second["match_keys"] == ["id:osdi_outreach:b", self.NEW]

    def test_of_two_spellings_the_older_person_has_the_key(self, old: tuple[Store, Database]) -> None:
        other = "jane@exam\u034fple.com"
        first, second = self.migrated(
            old, self.person("a", self.HIDDEN, self.OLD), self.person("b", other, f"email:{other}")
        )

        assert self.NEW in first["match_keys"]
        assert (second["match_keys"], second["unclaimed_keys"]) == (["id:osdi_outreach:b"], [self.NEW])

    def test_a_key_that_is_right_stays_and_a_repetition_changes_nothing(self, old: tuple[Store, Database]) -> None:
        address = "jane@b\u00fccher.example"
        (found,) = self.migrated(old, self.person("a", address, f"email:{address}"))

        assert found["match_keys"][1] == f"email:{address}"
        assert sum(MIGRATIONS[3].run(MigrationContext(old[0], RULES))) == 0


class TestConfirmedContacts:
    """Migration 7 confirms the contact detail of people who own one only."""

    @pytest.mark.parametrize(
        ("keys", "confirmed"),
        [
            (["email:jane@example.com"], ["email:jane@example.com"]),
            (["phone:12025550123", "id:crm:1", "name_and_postal_code:jane doe|10011"], ["phone:12025550123"]),
            (["email:jane@example.com", "phone:12025550123"], None),
            (["email:jane@example.com", "email:doe@example.com"], None),
            (["id:crm:1"], None),
        ],
    )
    def test_a_single_detail_is_confirmed(
        self, old: tuple[Store, Database], keys: list[str], confirmed: list[str] | None
    ) -> None:
        store, database = old
        create_unique_index(database)
        database.people.insert_one({"_id": "a", "version": 1, "match_keys": ["id:osdi_outreach:a", *keys]})

        migrate(store, RULES, lambda _: None, migrations=MIGRATIONS[6:])

        found = database.people.find_one()
        assert found.get("confirmed_keys") == confirmed
        assert found["version"] == 1, "no client sees a change"
        assert sum(MIGRATIONS[6].run(MigrationContext(store, RULES))) == 0

    @pytest.mark.parametrize("present", [{"anonymous_only": True}, {"confirmed_keys": []}])
    def test_a_person_that_this_release_has_written_is_unchanged(
        self, old: tuple[Store, Database], present: dict[str, Any]
    ) -> None:
        store, database = old
        keys = ["id:osdi_outreach:a", "email:jane@example.com"]
        database.people.insert_one({"_id": "a", "version": 1, "match_keys": keys, **present})

        assert sum(MIGRATIONS[6].run(MigrationContext(store, RULES))) == 0


class TestPhonesWithoutExtension:
    """Migration 6 takes extensions out of phone keys, and reads countries that are named."""

    MIGRATION = next(each for each in MIGRATIONS if each.number == 6)
    PLAIN = "phone:16175550123"

    def person(self, person_id: str, key: str, **entry: str) -> dict[str, Any]:
        keys = [f"id:osdi_outreach:{person_id}", key]
        return {"_id": person_id, "version": 1, "match_keys": keys, "contact_keys": [key], "phone_numbers": [entry]}

    def migrated(self, old: tuple[Store, Database], *people: dict[str, Any]) -> list[dict[str, Any]]:
        store, database = old
        create_unique_index(database)
        database.people.insert_many(people)
        migrate(store, RULES, lambda _: None, migrations=(self.MIGRATION,))
        return list(database.people.find().sort("_id"))

    @pytest.mark.parametrize(
        ("key", "entry"),
        [
            ("phone:1617555012323", {"number": "+1 617 555 0123 ext. 23"}),
            ("phone:161755501239", {"number": "+16175550123;ext=9"}),
            ("phone:6175550123", {"number": "617 555 0123", "country": "USA"}),
            ("phone:617555012323", {"number": "(617) 555-0123 x23", "country": "United States"}),
        ],
    )
    def test_an_old_key_becomes_the_key_of_the_number(
        self, old: tuple[Store, Database], key: str, entry: dict[str, str]
    ) -> None:
        (found,) = self.migrated(old, self.person("a", key, **entry))

        assert found["match_keys"] == ["id:osdi_outreach:a", self.PLAIN]
        assert found["contact_keys"] == [self.PLAIN]
        assert found["phone_numbers"] == [entry]
        assert found["version"] == 1, "no client sees a change"
        assert sum(self.MIGRATION.run(MigrationContext(old[0], RULES))) == 0

    def test_a_number_in_the_united_kingdom(self, old: tuple[Store, Database]) -> None:
        (found,) = self.migrated(old, self.person("a", "phone:02079460199", number="020 7946 0199", country="UK"))

        assert found["match_keys"][1] == "phone:442079460199"

    def test_a_key_that_another_person_has_stays_with_that_person(self, old: tuple[Store, Database]) -> None:
        first, second = self.migrated(
            old,
            self.person("a", "phone:161755501239", number="+16175550123 x9"),
            self.person("b", self.PLAIN, number="+1 617 555 0123"),
        )

        assert (first["match_keys"], first["unclaimed_keys"]) == (["id:osdi_outreach:a"], [self.PLAIN])
        assert first["maybe_duplicate"]
        assert second["match_keys"] == ["id:osdi_outreach:b", self.PLAIN]

    def test_an_unclaimed_number_stays_unclaimed(self, old: tuple[Store, Database]) -> None:
        key = "phone:161755501239"
        added = self.person("a", key, number="+16175550123 x9")
        added["match_keys"].remove(key)
        (found,) = self.migrated(old, added | {"unclaimed_keys": [key], "maybe_duplicate": True})

        assert found["match_keys"] == ["id:osdi_outreach:a"]
        assert found["unclaimed_keys"] == found["contact_keys"] == [self.PLAIN]


def test_names_of_tags_are_compared_in_one_unicode_form(old: tuple[Store, Database]) -> None:
    """Migration 8: of two spellings of one name the first tag keeps the key."""
    store, database = old
    composed, decomposed = "r\u00edo", "ri\u0301o"
    for tag_id, name in (("a", decomposed), ("b", composed), ("c", "sea")):
        keys = [f"id:osdi_outreach:{tag_id}", f"name:{name}"]
        database.tags.insert_one({"_id": tag_id, "version": 1, "name": name, "match_keys": keys})
    database.lists.insert_one({"_id": "d", "version": 1, "name": decomposed, "match_keys": [f"name:{decomposed}"]})
    database.tags.create_index("match_keys", unique=True)

    assert sum(MIGRATIONS[7].run(MigrationContext(store, RULES))) == 2

    keys = {each["_id"]: each["match_keys"][1:] for each in database.tags.find()}
    assert keys == {"a": [], "b": [f"name:{composed}"], "c": ["name:sea"]}
    assert database.lists.find_one()["match_keys"] == [f"name:{composed}"]
    assert sum(MIGRATIONS[7].run(MigrationContext(store, RULES))) == 0


class TestARelease:
    """Brings a database to the version, whatever it was before."""

    @ON_BOTH
    def test_of_an_empty_database_sets_the_version(self, old: tuple[Store, Database]) -> None:
        store, database = old
        assert schema_version(store) == 0

        assert migrate(store, RULES, lambda _: None) == SCHEMA_VERSION == schema_version(store)
        assert "lease" not in database.schema.find_one()

    def test_sets_contact_keys_of_older_people(self, old: tuple[Store, Database]) -> None:
        store, database = old
        people = [
            old_person("a", email_addresses=[{"address": "Jane@Example.com"}, {"status": "subscribed"}]),
            old_person("b", phone_numbers=[{"number": "(202) 555-0123"}]),
            old_person("c", given_name="Nobody's"),
            old_person("d", email_addresses=[], phone_numbers=[{"number": "12"}]),
            old_person("e", email_addresses=[{"address": "x@example.com"}], contact_keys=["email:kept@example.com"]),
        ]
        database.people.insert_many(people)
        output: list[str] = []

        migrate(store, MatchKeyRules("osdi_outreach", "US"), output.append, migrations=MIGRATIONS[:1])

        found = {each["_id"]: each for each in database.people.find()}
        assert found["a"].pop("contact_keys") == ["email:jane@example.com"]
        assert found["b"].pop("contact_keys") == ["phone:12025550123"]
        assert list(found.values()) == people
        assert output == ["Migrated to schema_version 1: added the keys of contact details to people (2 changed)."]

    def test_sets_name_keys_of_older_people(self, old: tuple[Store, Database]) -> None:
        store, database = old
        known = ["email:jane@example.com"]
        people = [
            old_person("a", **JANE),
            old_person("b", **{**JANE, "given_name": "JANE", "postal_addresses": [{"postal_code": "10011-1234"}]}),
            old_person("c", **{**JANE, "given_name": "Joan"}, taggings=[{"_id": "t", "tag_id": "volunteer"}]),
            old_person("d", given_name="Jane", postal_addresses=[{"postal_code": "10011"}]),
            old_person("e", email_addresses=[{"address": "jane@example.com"}], contact_keys=known),
            old_person("f", email_addresses=[{"address": "jane@example.com"}], contact_keys=known),
        ]
        people[4]["match_keys"] += known
        database.people.insert_many(people)
        output: list[str] = []

        migrate(store, RULES, output.append)

        people[0]["match_keys"].append(JANES_KEY)
        people[1] |= {"unclaimed_keys": [JANES_KEY], "maybe_duplicate": True}
        people[2]["match_keys"].append(JANES_KEY.replace("jane", "joan"))
        people[4]["confirmed_keys"] = known
        people[5] |= {"unclaimed_keys": known, "maybe_duplicate": True}
        words = (["jane", "doe"], ["jane", "doe"], ["joan", "doe"], ["jane"])
        for person, expected in zip(people, words, strict=False):
            person["name_words"] = expected
        assert list(database.people.find().sort("_id")) == people
        assert output[1] == "Migrated to schema_version 2: added the keys of names to people (5 changed)."

    def test_gives_a_key_one_owner_after_the_index_was_missing(self, old: tuple[Store, Database]) -> None:
        store, database = old
        database.people.insert_many([old_person("a", **JANE), old_person("b", **JANE)])

        migrate(store, RULES, lambda _: None)

        assert [each["_id"] for each in database.people.find({"match_keys": JANES_KEY})] == ["a"]

    @ON_BOTH
    def test_sets_keys_in_batches_and_resumes(
        self, old: tuple[Store, Database], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        store, database = old
        monkeypatch.setattr("osdi.people.duplicates.keys_store.BATCH", 2)
        database.people.insert_many([old_person(f"{number}", **JANE) for number in range(5)])
        step = migration_steps.set_name_keys(MigrationContext(store, RULES))
        assert next(step) == 2
        step.close()

        assert list(migration_steps.set_name_keys(MigrationContext(store, RULES))) == [0, 2, 1]
        assert list(migration_steps.set_name_keys(MigrationContext(store, RULES))) == [0, 0, 0]
        assert database.people.count_documents({"unclaimed_keys": JANES_KEY}) == 4

    @ON_BOTH
    def test_does_not_overwrite_keys_of_a_concurrent_change(self, old: tuple[Store, Database]) -> None:
        store, database = old
        database.people.insert_one(old_person("a", **JANE))
        reading = keys_store.scan

        def change(*arguments: Any, **options: Any) -> Iterator[Any]:
            for each in reading(*arguments, **options):
                database.people.update_one({"_id": "a"}, {"$inc": {"version": 1}, "$set": {"given_name": "Joan"}})
                yield each

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(keys_store, "scan", change)
            assert list(migration_steps.set_name_keys(MigrationContext(store, RULES))) == [0]
        assert database.people.find_one()["match_keys"] == ["id:osdi_outreach:a"]

    def test_makes_older_people_findable_by_filter(self, app: Flask, api: Client, database: Database) -> None:
        database.people.insert_one(old_person("a", email_addresses=[{"address": "old@example.com"}]))
        found = "/people?filter=email_address eq 'old@example.com'"
        assert api.get(found).json["total_records"] == 0

        assert app.test_cli_runner().invoke(args=["release"]).exit_code == 0

        assert api.get(found).json["total_records"] == 1

    def test_deletes_the_stored_counts_of_statistics(self, old: tuple[Store, Database]) -> None:
        store, database = old
        for collection in (database.statistics, database.statistics_invalidations):
            collection.insert_one({"advocacy_campaign_id": "a"})

        assert list(migration_steps.delete_statistics(MigrationContext(store, RULES))) == [1, 1]
        assert database.statistics.count_documents({}) == 0

    def test_works_in_batches(self, old: tuple[Store, Database], monkeypatch: pytest.MonkeyPatch) -> None:
        store, database = old
        monkeypatch.setattr(migration_steps, "BATCH", 2)
        database.people.insert_many(
            [old_person(f"{number}", email_addresses=[{"address": f"{number}@example.com"}]) for number in range(5)]
        )

        assert list(migration_steps.set_contact_keys(MigrationContext(store, RULES))) == [2, 2, 1]
        assert list(migration_steps.set_contact_keys(MigrationContext(store, RULES))) == []

    @ON_BOTH
    def test_skips_a_person_with_a_concurrent_change(self, old: tuple[Store, Database]) -> None:
        store, database = old
        database.people.insert_one(old_person("a", email_addresses=[{"address": "a@example.com"}]))
        steps = migration_steps.set_contact_keys(MigrationContext(store, RULES))
        reading = migration_steps.scan

        def change(*arguments: Any, **options: Any) -> Iterator[Any]:
            for each in reading(*arguments, **options):
                database.people.update_one({"_id": "a"}, {"$inc": {"version": 1}, "$set": {"given_name": "Jane"}})
                yield each

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(migration_steps, "scan", change)
            assert list(steps) == [0]
        assert "contact_keys" not in database.people.find_one()

    def test_can_be_repeated(self, old: tuple[Store, Database]) -> None:
        store, database = old
        migrate(store, RULES, lambda _: None)
        before = database.schema.find_one()
        output: list[str] = []

        assert migrate(store, RULES, output.append) == SCHEMA_VERSION
        assert (output, database.schema.find_one()) == ([], before)

    @ON_BOTH
    def test_that_fails_ends_its_lease_and_can_be_repeated(self, old: tuple[Store, Database]) -> None:
        store, _ = old
        ran: list[int] = []

        def fail_once(_: MigrationContext) -> Iterator[int]:
            ran.append(1)
            if len(ran) == 1:
                raise ZeroDivisionError
            yield 1

        steps = (Migration(1, "first", lambda _: iter((1,))), Migration(2, "second", fail_once))
        with pytest.raises(ZeroDivisionError):
            migrate(store, RULES, lambda _: None, migrations=steps)
        assert schema_version(store) == 1

        assert migrate(store, RULES, lambda _: None, migrations=steps, wait=0) == 2

    @ON_BOTH
    def test_runs_each_step_once_if_several_start_together(self, old: tuple[Store, Database]) -> None:
        store, _ = old
        ran: list[int] = []
        inside, most = 0, 0
        lock = threading.Lock()

        def step(_: MigrationContext) -> Iterator[int]:
            nonlocal inside, most
            with lock:
                inside += 1
                most = max(most, inside)
            ran.append(1)
            yield 1
            with lock:
                inside -= 1

        steps = (Migration(1, "first", step), Migration(2, "second", step))
        versions: list[int] = []
        threads = [
            threading.Thread(
                target=lambda: versions.append(migrate(store, RULES, lambda _: None, migrations=steps, wait=60))
            )
            for _ in range(4)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(90)

        assert (versions, ran, most) == ([2] * 4, [1, 1], 1)

    def test_waits_for_another_release_and_reports_that(self, old: tuple[Store, Database]) -> None:
        store, database = old
        ends = dt.datetime.now(dt.UTC) + dt.timedelta(minutes=1)
        database.schema.insert_one({"_id": "schema", "schema_version": 0, "lease": "another", "lease_ends": ends})
        output: list[str] = []

        with pytest.raises(OsdiError, match="Another release"):
            migrate(store, RULES, output.append, wait=0.5)
        assert output == ["Another release is migrating the database; waiting for it."]
        assert database.schema.find_one()["lease"] == "another"

    @ON_BOTH
    def test_takes_over_from_a_dead_release(self, old: tuple[Store, Database]) -> None:
        store, database = old
        ended = dt.datetime.now(dt.UTC) - dt.timedelta(seconds=1)
        database.schema.insert_one({"_id": "schema", "schema_version": 0, "lease": "dead", "lease_ends": ended})

        assert migrate(store, RULES, lambda _: None, wait=0) == SCHEMA_VERSION

    def test_stops_when_its_lease_has_expired(self, old: tuple[Store, Database]) -> None:
        store, database = old

        def slow(_: MigrationContext) -> Iterator[int]:
            database.schema.update_one({}, {"$set": {"lease": "another"}})
            yield 1

        with pytest.raises(WriteConflict):
            migrate(store, RULES, lambda _: None, migrations=(Migration(1, "slow", slow),))
        assert database.schema.find_one() == {**database.schema.find_one(), "schema_version": 0, "lease": "another"}


class TestTheCommand:
    """`release`, which a deployment runs before the new program serves."""

    def test_prints_the_version_and_the_indexes(self, app: Flask, database: Database) -> None:
        result = app.test_cli_runner().invoke(args=["release"])

        assert result.exit_code == 0, result.output
        assert result.output.splitlines()[-1].startswith(f"The database has schema_version {SCHEMA_VERSION} and ")

    def test_creates_all_indexes_of_an_older_database(self, old: tuple[Store, Database]) -> None:
        store, database = old
        for fields in BEFORE:
            database.people.create_index([(field, 1) for field in fields], unique=fields == ("match_keys",))
        for collection, fields, options in OTHERWISE:
            database[collection].create_index([(field, 1) for field in fields], **options)
        database.people.insert_many([old_person("a", **JANE), old_person("b", **JANE)])
        environment = {**os.environ, "MONGODB_URI": store.uri}

        for _ in range(2):
            released = run("flask", "--app", "wsgi", "release", env=environment, timeout=60)
            assert released.returncode == 0, released.stderr

        assert missing_indexes(store) == []
        for collection, declared in INDEXES.items():
            there = {
                tuple(f for f, _ in each["key"]): each for each in database[collection].index_information().values()
            }
            assert [each.fields for each in declared if not each.is_as(there[each.fields])] == []
        assert released.stdout.startswith(f"The database has schema_version {SCHEMA_VERSION} and ")
        assert database.people.count_documents({"maybe_duplicate": True}) == 1

    def test_does_nothing_in_memory(self, memory: Flask) -> None:
        assert memory.test_cli_runner().invoke(args=["release"]).exit_code == 0

    @pytest.fixture
    def memory(self) -> Flask:
        return create_app(Settings(mongodb_uri="mongomock://"))


class TestANewerDatabase:
    """No process of an older version works on a newer database."""

    SAYS = f"schema_version {SCHEMA_VERSION + 1}"

    @pytest.fixture
    def newer(self, mongod: Mongod) -> Iterator[Flask]:
        uri = mongod.uri.replace("/osdi?", "/newer?")
        with MongoClient(uri) as client:
            client.drop_database("newer")
            client.get_default_database().schema.insert_one(NEWER)
            app = create_app(Settings(mongodb_uri=uri, cache_seconds=0, public_url="http://localhost"))
            yield app
            app.extensions[EXTENSION].store.close()
            client.drop_database("newer")

    def test_is_rejected_by_the_web_process(self, newer: Flask, capsys: pytest.CaptureFixture[str]) -> None:
        response = Client(newer.test_client(), "osdi_x").get("/people")

        assert response.status_code == 503
        assert self.SAYS in response.json["error"]
        assert self.SAYS in capsys.readouterr().out

    def test_does_not_affect_the_entry_point(self, newer: Flask) -> None:
        assert Client(newer.test_client(), "").get("/", token=False).status_code == 200

    @pytest.mark.parametrize(
        "command", [("release",), ("indexes",), ("tokens", "list"), ("export", "people"), ("recount",), ("sample",)]
    )
    def test_is_rejected_by_a_command(self, newer: Flask, command: tuple[str, ...]) -> None:
        result = newer.test_cli_runner().invoke(args=list(command))

        assert result.exit_code == 1
        assert result.stderr.startswith("Error: The database has ")
        assert self.SAYS in result.stderr
        assert result.stdout == ""

    def test_is_rejected_by_a_worker(self, newer: Flask) -> None:
        result = newer.test_cli_runner().invoke(args=["worker"])

        assert result.exit_code == 1
        assert self.SAYS in result.stderr

    def test_is_rejected_until_its_version_is_supported(self, old: tuple[Store, Database]) -> None:
        store, database = old
        database.schema.insert_one(NEWER)
        with pytest.raises(WrongDatabase):
            store.get("people", "x")
        database.schema.update_one({}, {"$set": {"schema_version": SCHEMA_VERSION}})

        assert store.get("people", "x") is None

    def test_is_checked_only_once(self, old: tuple[Store, Database]) -> None:
        store, database = old
        store.get("people", "x")
        database.schema.insert_one(NEWER)

        assert store.get("people", "x") is None


class TestGoingBack:
    """The release of an older program, on a database that a newer one has migrated."""

    @pytest.fixture
    def newer(self, old: tuple[Store, Database]) -> Iterator[tuple[Store, Database]]:
        """A database of a newer program, which the release of this one has to decide about."""
        store, database = old
        database.schema.insert_one({**NEWER, "oldest_program": SCHEMA_VERSION})
        with store.accepting_newer_schema():
            yield store, database

    def test_sets_the_version_back_and_keeps_all_documents(self, newer: tuple[Store, Database]) -> None:
        store, database = newer
        database.people.insert_one({"_id": "p", "match_keys": [], "of_a_newer_program": 1})
        reported: list[str] = []

        assert migrate(store, RULES, reported.append) == SCHEMA_VERSION

        assert reported == [
            f"Went back from schema_version {SCHEMA_VERSION + 1} to {SCHEMA_VERSION}. No document was changed."
        ]
        assert database.people.find_one() == {"_id": "p", "match_keys": [], "of_a_newer_program": 1}
        with closing(Store(store.uri)) as anew:
            assert anew.get("people", "p")

    def test_the_next_upgrade_changes_what_was_written_meanwhile(
        self, newer: tuple[Store, Database], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        store, database = newer
        migrate(store, RULES, lambda _: None)
        database.people.insert_one({"_id": "p", "match_keys": []})

        def mark(context: MigrationContext) -> Iterator[int]:
            yield context.store.collection("people").update_many({}, {"$set": {"marked": True}}).modified_count

        step = Migration(SCHEMA_VERSION + 1, "marked people", mark)
        monkeypatch.setattr("osdi.operations.migrations.SCHEMA_VERSION", SCHEMA_VERSION + 1)
        assert migrate(store, RULES, lambda _: None, migrations=(*MIGRATIONS, step)) == SCHEMA_VERSION + 1
        assert database.people.find_one() == {"_id": "p", "match_keys": [], "marked": True}

    @pytest.mark.parametrize("oldest", [{}, {"oldest_program": SCHEMA_VERSION + 1}], ids=["unknown", "newer"])
    def test_is_rejected_if_this_program_cannot_read_the_documents(
        self, newer: tuple[Store, Database], oldest: dict[str, int]
    ) -> None:
        store, database = newer
        database.schema.replace_one({}, NEWER | oldest)

        with pytest.raises(WrongDatabase, match="or restore a backup from before"):
            migrate(store, RULES, lambda _: None)

        assert {"lease"}.isdisjoint(database.schema.find_one())
        assert database.schema.find_one()["schema_version"] == SCHEMA_VERSION + 1

    def test_needs_a_release(self, newer: tuple[Store, Database]) -> None:
        """A worker or a command that was left on an old machine does not start by mistake."""
        with (
            closing(Store(newer[0].uri)) as anew,
            pytest.raises(WrongDatabase, match="run `bin/osdi release` to go back to this one"),
        ):
            anew.get("people", "p")

    def test_each_release_writes_which_program_is_the_oldest_one(self, old: tuple[Store, Database]) -> None:
        store, database = old

        migrate(store, RULES, lambda _: None)

        assert database.schema.find_one()["oldest_program"] == OLDEST_PROGRAM


def test_ends_a_worker_with_the_reason() -> None:
    def rejected() -> bool:
        raise WrongDatabase("It is newer.")

    assert worker_loop.run([rejected, lambda: False]) == "It is newer."
