"""`import people` imports files by the rules of a POST; a repeated import changes nothing."""

import csv
import json
import os
import re
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from flask import Flask
from pymongo.database import Database

from bench.broken_file import write_broken_file
from blueprints.http.context import EXTENSION
from osdi.errors import unavailable
from osdi.ids import now
from osdi.importing.batches import row_batches
from osdi.match_keys import name_and_postal_code_keys
from osdi.privacy.tombstones import erased_in, note_erasure, was_erased
from osdi.store import Store
from schemas.outreach import NEEDED
from tests.support import factories
from tests.support.client import Client

HEADER = "first_name,last_name,email,can2_subscription_status,can2_user_tags\n"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "people.csv"


def run(app: Flask, file: Path, *options: str) -> Result:
    return app.test_cli_runner().invoke(args=["import", "people", str(file), *options])


def done(app: Flask, file: Path, *options: str) -> str:
    """Returns the output of the command; the test fails unless it succeeds."""
    result = run(app, file, *options)
    assert result.exit_code == 0, result.output
    return str(result.output)


def counts(output: str) -> dict[str, int]:
    """Returns the counts in the summary by their labels, without zeros."""
    found = re.findall(r"^ +([\d,]+)  +((?:people|of them|rows|outreaches).*?)(?:: .*)?$", output, re.MULTILINE)
    return {what: int(number.replace(",", "")) for number, what in found if number != "0"}


def rejected(file: Path) -> list[dict[str, str]]:
    """Returns the rows of a file of rejected rows."""
    with file.open(encoding="utf-8-sig", newline="", errors="surrogateescape") as opened:
        return list(csv.DictReader(opened))


def by_email(database: Database, address: str) -> dict[str, Any]:
    found = database.people.find_one({"match_keys": f"email:{address}"})
    assert found is not None
    return dict(found)


def state(database: Database) -> list[dict[str, Any]]:
    return list(database.people.find().sort("_id"))


def test_an_action_network_export_is_imported(app: Flask, api: Client, file: Path, database: Database) -> None:
    file.write_text(
        "first_name,last_name,email,zip_code,country,can2_phone,can2_user_tags,can2_subscription_status,uuid,Fish\n"
        'Jane,Doe,Jane@example.com,01234,United States,12025550143,"river, dam",unsubscribed,u-1,=1+1\n'
    )

    output = done(app, file, "--create-tags")

    found = api.get("/people?filter=email_address eq 'jane@example.com'&$expand=osdi:taggings").json["_embedded"]
    person = found["osdi:people"][0]
    assert counts(output) == {"people created": 1}
    assert person["identifiers"][1:] == ["action_network:u-1"]
    assert person["postal_addresses"] == [{"postal_code": "01234", "country": "US"}]
    assert person["email_addresses"] == [{"address": "Jane@example.com", "status": "unsubscribed"}]
    assert person["custom_fields"] == {"Fish": "=1+1"}
    assert {tag["name"] for tag in api.get("/tags").json["_embedded"]["osdi:tags"]} == {"river", "dam"}
    assert len(by_email(database, "jane@example.com")["taggings"]) == 2


def test_the_mapping_of_columns_is_shown(app: Flask, api: Client, file: Path) -> None:
    file.write_text("Vorname;E-Mail;Lieblingsfisch\nJürgen;j@example.com;Hecht\n", encoding="cp1252")

    output = done(app, file)

    assert "Windows-1252, in which a word reads 'Jürgen' (--encoding changes it)" in output
    assert "cells separated by semicolon, 3 columns" in output
    assert re.search(r"^Vorname +given_name$", output, re.MULTILINE)
    assert re.search(r"^Lieblingsfisch +custom_fields.Lieblingsfisch +unknown: a custom field$", output, re.MULTILINE)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_a_name_is_read_in_every_encoding(
    app: Flask, api: Client, database: Database, file: Path, encoding: str
) -> None:
    file.write_text("first_name,email\nJürgen Ö.,j@example.com\n", encoding=encoding)

    done(app, file)

    assert by_email(database, "j@example.com")["given_name"] == "Jürgen Ö."


class TestTwice:
    """A second import of the same file."""

    def test_changes_no_document(self, app: Flask, api: Client, database: Database, file: Path) -> None:
        write_broken_file(file, 100)
        done(app, file, "--create-tags")
        before = state(database)

        output = done(app, file, "--create-tags")

        assert counts(output) == {"people matched": 95, "of them unchanged": 95, "rows rejected": 5}
        assert state(database) == before
        assert "The same file was imported before" in output

    def test_leaves_one_file_of_rejected_rows(self, app: Flask, api: Client, file: Path) -> None:
        file.write_text(HEADER + "Jane,Doe,nobody,,\n")

        first, second = done(app, file), done(app, file)

        assert "people.rejected.csv" in first
        assert "people.rejected.csv" in second
        assert [path.name for path in file.parent.iterdir() if "rejected" in path.name] == ["people.rejected.csv"]


class TestDryRun:
    """A dry run shows the result of the import, and writes nothing."""

    def test_writes_nothing(self, app: Flask, api: Client, database: Database, file: Path) -> None:
        file.write_text(HEADER + 'Jane,Doe,jane@example.com,subscribed,"river"\n')
        before = {name: list(database[name].find()) for name in database.list_collection_names()}

        output = done(app, file, "--dry-run", "--create-tags")

        assert counts(output) == {"people would be created": 1}
        assert {name: list(database[name].find()) for name in before} == before

    def test_shows_the_same_counts_as_the_import(self, app: Flask, api: Client, database: Database, file: Path) -> None:
        write_broken_file(file, 100)
        api.created("/people", {"given_name": "X", "email_addresses": [{"address": "person3@example.com"}]})
        again = file.read_text() + 'Joan,"Family, 4",person4@example.com,,,,,,,\n' * 2
        file.write_text(again, newline="")

        dry = counts(done(app, file, "--dry-run", "--create-tags"))
        real = counts(done(app, file, "--create-tags"))

        assert {what.replace("would be ", ""): number for what, number in dry.items()} == real
        assert real["people created"] == 94
        assert real["people matched"] == 3
        assert real["of them unchanged"] == 1

    def test_shows_the_same_counts_if_a_row_takes_over_the_former_name_of_a_person(
        self, app: Flask, api: Client, file: Path
    ) -> None:
        jane = {"given_name": "Jane", "family_name": "Doe", "postal_addresses": [{"postal_code": "10011"}]}
        api.created("/people", jane | {"email_addresses": [{"address": "jane@example.com"}]})
        file.write_text(
            "first_name,last_name,email,zip_code\n"
            "Jane,Smith,jane@example.com,10011\nJane,Doe,another@example.com,10011\n"
        )

        dry, real = counts(done(app, file, "--dry-run")), counts(done(app, file))

        assert real == {"people created": 1, "people matched": 1, "of them changed": 1}
        assert {what.replace("would be ", ""): number for what, number in dry.items()} == real

    def test_shows_how_people_were_matched(self, app: Flask, api: Client, file: Path) -> None:
        api.created("/people", {"identifiers": ["crm:1"], "given_name": "A"})
        api.created("/people", {"email_addresses": [{"address": "b@example.com"}]})
        api.created("/people", {"phone_numbers": [{"number": "12025550143"}]})
        file.write_text("identifiers,email,phone\ncrm:1,,\n,b@example.com,\n,,+1 202 555 0143\n")

        assert "matched: 1 by identifier, 1 by e-mail, 1 by phone" in done(app, file, "--dry-run")


class TestRejected:
    """Rejected rows are written to a file with their lines and reasons, to be corrected and imported."""

    def test_each_is_reported_with_its_line_and_reason(self, app: Flask, api: Client, file: Path) -> None:
        file.write_text(
            HEADER
            + "A,B,a@example.com,,\nC,D,c@example.com,,,x\nE,F,nobody,,\nG,H,g@example.com,perhaps,\n,,,,x\nI,J,,,\n"
        )

        output = done(app, file)

        rows = rejected(file.with_name("people.rejected.csv"))
        reasons = {row["rejected_line"]: row["rejected_reason"] for row in rows}
        assert reasons == {
            "3": "There are 6 cells, but 5 columns.",
            "4": "email: Not a valid e-mail address.",
            "5": "can2_subscription_status: Write subscribed, unsubscribed, bouncing or spam complaints.",
            "6": f"person: A person is needed: who signs up? {NEEDED}",
            "7": "The person has no identifier, e-mail address or phone number. Add one of them.",
        }
        assert counts(output) == {"people created": 1, "rows rejected": 5}
        assert "There are 6 cells, but 5 columns. (line 3)" in output

    def test_the_corrected_file_is_imported(self, app: Flask, api: Client, database: Database, file: Path) -> None:
        file.write_text("first_name,email,phone,Note\n=Jane,nobody,,@x\n")
        done(app, file)
        corrected = file.with_name("people.rejected.csv")
        assert "'=Jane" in corrected.read_text()
        corrected.write_text(corrected.read_text().replace("nobody", "jane@example.com"))

        done(app, corrected)

        person = by_email(database, "jane@example.com")
        assert (person["given_name"], person["custom_fields"]) == ("=Jane", {"Note": "@x"})

    def test_an_existing_file_is_not_overwritten(self, app: Flask, api: Client, file: Path) -> None:
        file.write_text(HEADER + "A,B,nobody,,\n")
        corrected = file.with_name("people.rejected.csv")
        corrected.write_text("corrected")

        done(app, file)

        assert corrected.read_text() == "corrected"
        assert rejected(file.with_name("people.rejected-2.csv"))[0]["rejected_line"] == "2"

    def test_other_users_of_the_machine_cannot_read_the_file(self, app: Flask, api: Client, file: Path) -> None:
        file.write_text(HEADER + "A,B,nobody,,\n")
        done(app, file)

        assert file.with_name("people.rejected.csv").stat().st_mode & 0o077 == 0

    def test_identifiers_of_two_people_are_rejected(self, app: Flask, api: Client, file: Path) -> None:
        for number in (1, 2):
            api.created("/people", factories.person(identifiers=[f"crm:{number}"]))
        file.write_text("identifiers,first_name\ncrm:1; crm:2,Jane\n")

        assert "These identifiers belong to different people." in done(app, file)


class TestStatus:
    """An import never makes the status of an address less strict."""

    @pytest.mark.parametrize(
        ("stored", "imported", "status"),
        [
            ("unsubscribed", "subscribed", "unsubscribed"),
            ("bouncing", "subscribed", "bouncing"),
            ("spam complaints", "subscribed", "spam complaints"),
            ("spam complaints", "unsubscribed", "spam complaints"),
            ("unsubscribed", "bouncing", "unsubscribed"),
            ("subscribed", "unsubscribed", "unsubscribed"),
            ("bouncing", "unsubscribed", "unsubscribed"),
            ("unsubscribed", "", "unsubscribed"),
        ],
    )
    def test_the_stricter_status_stays(
        self, app: Flask, api: Client, database: Database, file: Path, stored: str, imported: str, status: str
    ) -> None:
        api.created("/people", {"email_addresses": [{"address": "a@example.com", "status": stored}]})
        file.write_text(HEADER + f"A,B,A@Example.com,{imported},\n")

        done(app, file)

        assert by_email(database, "a@example.com")["email_addresses"][0]["status"] == status

    def test_the_status_applies_to_the_same_address_of_another_person(
        self, app: Flask, api: Client, database: Database, file: Path
    ) -> None:
        api.created("/people", {"email_addresses": [{"address": "a@example.com", "status": "unsubscribed"}]})
        api.created("/people", {"identifiers": ["crm:1"], "given_name": "Joan"})
        file.write_text("identifiers,email,email_status\ncrm:1,a@example.com,subscribed\n")

        done(app, file)

        joan = database.people.find_one({"match_keys": "id:crm:1"})
        assert joan is not None
        assert joan["email_addresses"] == [{"address": "a@example.com", "status": "unsubscribed"}]

    @pytest.mark.parametrize(
        ("stored", "column", "imported"),
        [({"do_not_call": True}, "do_not_call", "no"), ({"sms_capable": False}, "sms_status", "subscribed")],
    )
    def test_a_number_keeps_do_not_call_and_no_texts(
        self,
        app: Flask,
        api: Client,
        database: Database,
        file: Path,
        stored: dict[str, bool],
        column: str,
        imported: str,
    ) -> None:
        number = {"number": "12025550143", **stored}
        api.created("/people", {"identifiers": ["crm:1"], "phone_numbers": [number]})
        api.created("/people", {"identifiers": ["crm:2"], "given_name": "Joan"})
        file.write_text(
            f"identifiers,mobile,{column}\ncrm:1,+1 202 555 0143,{imported}\ncrm:2,12025550143,{imported}\n"
        )

        done(app, file)

        people = list(database.people.find({"phone_numbers": {"$exists": True}}))
        (name,) = stored
        assert [person["phone_numbers"][0][name] for person in people] == [stored[name]] * 2

    def test_rows_of_the_same_person_are_imported_in_order(
        self, app: Flask, api: Client, database: Database, file: Path
    ) -> None:
        rows = "".join(f"Name{number},B,a@example.com,,\n" for number in range(30))
        file.write_text(HEADER + rows)

        output = done(app, file)

        assert counts(output) == {"people created": 1, "people matched": 29, "of them changed": 29}
        assert by_email(database, "a@example.com")["given_name"] == "Name29"


class TestTags:
    """Unknown tags are reported, or created with --create-tags."""

    def test_an_unknown_tag_is_a_warning(self, app: Flask, api: Client, database: Database, file: Path) -> None:
        file.write_text(HEADER + "A,B,a@example.com,,river\n")

        output = done(app, file)

        assert "add_tags: there is no tag 'river'. (line 2)" in output
        assert "taggings" not in by_email(database, "a@example.com")
        assert database.tags.count_documents({}) == 0

    def test_a_row_can_add_more_tags_than_a_post(self, app: Flask, api: Client, database: Database, file: Path) -> None:
        tags = ",".join(f"action {number}" for number in range(120))
        file.write_text(HEADER + f'A,B,a@example.com,,"{tags}"\n')

        assert counts(done(app, file, "--create-tags")) == {"people created": 1}
        assert len(by_email(database, "a@example.com")["taggings"]) == 120
        posted = {"person": {"identifiers": ["crm:1"]}, "add_tags": [f"action {number}" for number in range(120)]}
        assert api.post("/people", posted).status_code == 400


class TestNotifications:
    """An import notifies webhooks only with --notify."""

    @pytest.mark.parametrize(("options", "notified"), [((), False), (("--notify",), True)])
    def test_webhooks(
        self, app: Flask, api: Client, database: Database, file: Path, options: tuple[str, ...], notified: bool
    ) -> None:
        database.webhooks.insert_one({"_id": "w", "enabled": True, "events": ["person_created"], "not_before": None})
        file.write_text(HEADER + "A,B,a@example.com,,\n")

        done(app, file, *options)

        assert ("webhook_events" in by_email(database, "a@example.com")) is notified


class TestErased:
    """An import does not create erased people again, unless with --include-erased."""

    @pytest.fixture
    def tombstone(self, store: Store) -> None:
        """Stores a tombstone for the erased address jane@example.com."""
        note_erasure(store, ["email:jane@example.com"], now())

    def test_they_are_rejected(self, app: Flask, api: Client, database: Database, file: Path, tombstone: None) -> None:
        file.write_text(HEADER + "Jane,Doe,JANE@example.com,,\nJoan,Doe,joan@example.com,,\n")

        output = done(app, file)

        assert counts(output) == {"people created": 1, "rows rejected": 1}
        assert [row["rejected_reason"] for row in rejected(file.with_name("people.rejected.csv"))] == ["erased"]
        assert database.people.count_documents({}) == 1

    def test_another_person_with_the_same_name_and_postal_code_is_imported(
        self, app: Flask, api: Client, store: Store, database: Database, file: Path
    ) -> None:
        jane = {"given_name": "Jane", "family_name": "Doe", "postal_addresses": [{"postal_code": "10011"}]}
        address = api.created("/people", jane | {"email_addresses": [{"address": "jane@example.com"}]})
        person = database.people.find_one()
        assert name_and_postal_code_keys(person) == ["name_and_postal_code:jane doe|10011"]
        assert set(name_and_postal_code_keys(person)) < set(person["match_keys"])
        assert api.delete(f"{address['_links']['self']['href']}?erase=true").status_code == 200
        assert database.tombstones.count_documents({}) == 2  # for the address and for the server's own id
        file.write_text(
            "first_name,last_name,email,zip_code\nJane,Doe,other@example.com,10011\nJane,Doe,jane@example.com,10011\n"
        )

        assert counts(done(app, file)) == {"people created": 1, "rows rejected": 1}

        assert by_email(database, "other@example.com")["given_name"] == "Jane"
        assert not was_erased(store, name_and_postal_code_keys(jane))

    def test_they_are_imported_with_include_erased(self, app: Flask, api: Client, file: Path, tombstone: None) -> None:
        file.write_text(HEADER + "Jane,Doe,jane@example.com,,\n")

        assert counts(done(app, file, "--include-erased")) == {"people created": 1}


def interrupt_batch(monkeypatch: pytest.MonkeyPatch, number: int, rows: int) -> pytest.MonkeyPatch:
    """Makes batches have `rows` rows, and presses Ctrl-C as the batch of this number begins."""
    for name in ("FIRST_ROWS", "MIN_ROWS", "MAX_ROWS"):
        monkeypatch.setattr(row_batches, name, rows)
    began: list[Any] = []
    original = row_batches.read_ahead

    def read_ahead(*given: Any) -> None:
        began.append(given)
        if len(began) == number:
            raise KeyboardInterrupt
        original(*given)

    monkeypatch.setattr(row_batches, "read_ahead", read_ahead)
    return monkeypatch


class TestResume:
    """An interrupted import continues after the last stored progress."""

    def test_continues_and_counts_all_rows(
        self, app: Flask, api: Client, database: Database, file: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        reasons = write_broken_file(file, 200)
        with monkeypatch.context() as patch:
            interrupt_batch(patch, 4, 20)
            result = run(app, file, "--create-tags")
        assert result.exit_code == 1
        assert "Stopped after 60 rows" in result.output
        assert 0 < database.people.count_documents({}) < 60

        before = state(database)
        output = done(app, file, "--create-tags", "--resume")

        assert counts(output) == {"people created": 190, "rows rejected": 10}
        assert state(database)[: len(before)] == before
        rows = rejected(file.with_name("people.rejected.csv"))
        assert sorted(int(row["rejected_line"]) for row in rows) == [int(row["rejected_line"]) for row in rows]
        assert len({row["rejected_line"] for row in rows}) == len(rows) == reasons.total()

    def test_continues_the_file_of_rejected_rows_from_another_working_directory(
        self, app: Flask, api: Client, file: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        file.write_text(HEADER + "A,B,nobody,,\n" + "A,B,a@example.com,,\n" * 3 + "C,D,nobody,,\n")
        with monkeypatch.context() as patch:
            interrupt_batch(patch, 2, 2).chdir(file.parent)
            assert "Stopped after 2 rows" in run(app, Path(file.name)).output
        monkeypatch.chdir("/")

        output = done(app, file, "--resume")

        assert f"The rejected rows are in {file.with_name('people.rejected.csv')}" in output
        assert [row["rejected_line"] for row in rejected(file.with_name("people.rejected.csv"))] == ["2", "6"]

    def test_a_changed_file_of_rejected_rows_is_an_error(
        self, app: Flask, api: Client, file: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        file.write_text(HEADER + "A,B,nobody,,\n" + "A,B,a@example.com,,\n" * 2)
        with monkeypatch.context() as patch:
            interrupt_batch(patch, 2, 1)
            run(app, file)
        file.with_name("people.rejected.csv").write_text("corrected")

        result = run(app, file, "--resume")

        assert result.exit_code == 2
        assert "people.rejected.csv, the file of rejected rows, is gone or was changed" in result.output
        assert file.with_name("people.rejected.csv").read_text() == "corrected"

    @pytest.mark.parametrize(("options", "message"), [((), "with --resume continues"), (("--dry-run",), "a dry run")])
    def test_an_interrupted_import_prints_how_to_continue(
        self,
        app: Flask,
        api: Client,
        file: Path,
        monkeypatch: pytest.MonkeyPatch,
        options: tuple[str, ...],
        message: str,
    ) -> None:
        def away(*_: Any) -> Any:
            raise unavailable("The database does not respond at the moment.")

        monkeypatch.setattr(row_batches.RowBatches, "_import_ahead", away)
        file.write_text(HEADER + "A,B,a@example.com,,\n")

        result = run(app, file, *options)

        assert result.exit_code == 1
        assert "Stopped after 0 rows" in result.output
        assert message in result.output
        assert "The database does not respond at the moment." in result.output
        monkeypatch.undo()
        if not options:
            assert counts(done(app, file, "--resume")) == {"people created": 1}

    @pytest.mark.parametrize("finished", [False, True])
    def test_only_an_interrupted_import_can_be_resumed(
        self, app: Flask, api: Client, file: Path, finished: bool
    ) -> None:
        file.write_text(HEADER + "A,B,a@example.com,,\n")
        if finished:
            done(app, file)

        result = run(app, file, "--resume")

        assert result.exit_code == 2
        assert "No import of this file with these options was interrupted." in result.output


class TestNdjson:
    """NDJSON files with an OSDI document in each line, as exports and the API return it."""

    def test_a_document_of_the_api_is_imported_and_recognised(
        self, app: Flask, api: Client, database: Database, tmp_path: Path
    ) -> None:
        people = [factories.person(identifiers=[f"crm:{number}"], custom_fields={"a": "1"}) for number in range(3)]
        created = [api.created("/people", person) for person in people]
        path = tmp_path / "people.ndjson"
        path.write_text("".join(json.dumps(person) + "\n" for person in created))
        before = state(database)

        assert counts(done(app, path)) == {"people matched": 3, "of them unchanged": 3}
        assert state(database) == before

        database.people.delete_many({})
        assert counts(done(app, path)) == {"people created": 3}
        assert counts(done(app, path)) == {"people matched": 3, "of them unchanged": 3}
        found = api.get("/people").json["_embedded"]["osdi:people"]
        assert [person["custom_fields"] for person in found] == [{"a": "1"}] * 3

    def test_an_invalid_line_is_rejected_and_kept(self, app: Flask, api: Client, tmp_path: Path) -> None:
        path = tmp_path / "people.jsonl"
        path.write_text('{"given_name": "A"}\n{"broken\n[]\n\n{"email_addresses": [{"address": "a@example.com"}]}\n')

        assert counts(done(app, path)) == {"people created": 1, "rows rejected": 3}
        kept = [json.loads(line) for line in path.with_name("people.rejected.jsonl").read_text().splitlines()]
        assert [(each["rejected_line"], each.get("given_name"), each.get("text")) for each in kept] == [
            (1, "A", None),
            (2, None, '{"broken'),
            (3, None, "[]"),
        ]

    @pytest.mark.parametrize(
        ("document", "reason"),
        [
            ({"_links": {"osdi:advocacy_campaign": {"href": "/api/v1/advocacy_campaigns/1"}}}, "An outreach, not"),
            ({"custom_fields": {"a": "x"}, "_links": [1]}, "The person has no identifier"),
            (
                {"identifiers": ["crm:1"], "deep": json.loads("[" * 300 + "]" * 300)},
                "The body is nested more than 32 deep.",
            ),
        ],
    )
    def test_an_invalid_document_is_rejected(
        self, app: Flask, api: Client, database: Database, tmp_path: Path, document: Any, reason: str
    ) -> None:
        path = tmp_path / "people.ndjson"
        path.write_text(json.dumps({"identifiers": ["crm:1"]} | document if "_links" not in document else document))

        output = done(app, path)

        assert counts(output) == {"rows rejected": 1}
        assert reason in output
        assert database.people.count_documents({}) == 0

    def test_statuses_of_action_network_are_converted(
        self, app: Flask, api: Client, database: Database, tmp_path: Path
    ) -> None:
        statuses = ["subscribed", "spam complaint", "previous bounce", "previous spam complaint"]
        path = tmp_path / "people.ndjson"
        path.write_text(
            "".join(
                json.dumps(
                    {
                        "identifiers": [f"action_network:{number}"],
                        "email_addresses": [{"address": f"{number}@example.com", "status": status}],
                        "phone_numbers": [{"number": f"1202555014{number}", "status": status}],
                    }
                )
                + "\n"
                for number, status in enumerate(statuses)
            )
        )

        done(app, path)

        people = list(database.people.find().sort("identifiers"))
        assert [person["email_addresses"][0]["status"] for person in people] == [
            "subscribed", "spam complaints", "bouncing", "spam complaints",
        ]  # fmt: skip
        assert [person["phone_numbers"][0].get("sms_capable") for person in people] == [None, False, False, False]


@pytest.mark.parametrize(
    ("content", "options", "message"),
    [
        ("", (), "The file is empty."),
        (" \n\n", (), "The file is empty."),
        ("email,id\na@example.com,1\n", ("--system", "my crm"), "'my crm' is not a valid system name"),
        ("foo,bar\n1,2\n", (), "All columns are unknown: foo, bar."),
        ("email\na@example.com\n", ("--map", "mail=email"), "There is no column 'mail'. The columns are: email."),
        ("email\na@example.com\n", ("--map", "email"), "--map email: write COLUMN=FIELD."),
        ("email\na@example.com\n", ("--dry-run", "--resume"), "a dry run stores nothing"),
    ],
)
def test_an_invalid_file_or_option_is_a_usage_error(
    app: Flask, api: Client, file: Path, content: str, options: tuple[str, ...], message: str
) -> None:
    file.write_text(content)

    result = run(app, file, *options)

    assert result.exit_code == 2
    assert message in result.output


def test_a_file_with_only_a_header_has_no_rows(app: Flask, api: Client, file: Path) -> None:
    file.write_text(HEADER)

    output = done(app, file)

    assert "\n0 rows\n" in output
    assert counts(output) == {}


def test_a_pipe_is_a_usage_error(app: Flask, api: Client, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.csv")

    result = run(app, tmp_path / "pipe.csv")

    assert result.exit_code == 2
    assert "is no regular file" in result.output


def test_a_file_name_that_is_not_utf_8_is_a_usage_error(app: Flask, api: Client, tmp_path: Path) -> None:
    path = tmp_path / os.fsdecode(b"people\xff.csv")
    path.write_text(HEADER)

    result = run(app, path)

    assert result.exit_code == 2
    assert "its name is not UTF-8" in result.output


def test_an_error_of_writing_rejected_rows_is_reported(app: Flask, api: Client, tmp_path: Path) -> None:
    path = tmp_path / f"{'a' * 250}.csv"  # with `.rejected`, the name is too long for the file system
    path.write_text(HEADER + "A,B,nobody,,\n")

    result = run(app, path)

    assert result.exit_code == 1
    assert "File name too long." in result.output


def test_a_file_of_two_batches_with_broken_rows(app: Flask, api: Client, database: Database, file: Path) -> None:
    """One row for each way to break it."""
    reasons = write_broken_file(file, 100)
    assert row_batches.FIRST_ROWS < 100

    output = done(app, file, "--create-tags")

    assert counts(output) == {"people created": 95, "rows rejected": 5}
    assert database.people.count_documents({}) == 95
    written = {row["rejected_reason"] for row in rejected(file.with_name("people.rejected.csv"))}
    assert written == set(reasons)
    assert all(f"{number:>7,}  {reason}" in output for reason, number in reasons.items())


@pytest.mark.parametrize("command", ["insert", "update"])
def test_an_import_waits_for_an_unavailable_database(
    app: Flask, api: Client, database: Database, file: Path, fail: Any, command: str
) -> None:
    file.write_text(HEADER + "A,B,a@example.com,,\n")
    erased_in(app.extensions[EXTENSION].store)  # stores the key of the tombstones before the failing insert
    fail({"times": 1}, [command], errorCode=11600, errorLabels=[])  # the driver does not retry this error

    assert counts(done(app, file)) == {"people created": 1}


def test_members_of_a_household_stay_different_people(app: Flask, file: Path, database: Database) -> None:
    """One landline, and an id of each person."""
    file.write_text(
        "VANID,FirstName,LastName,Home Phone\n"
        "1001,Jane,Doe,202-555-0101\n1002,John,Doe,202-555-0101\n1003,Kim,Doe,202-555-0101\n"
    )
    for outcome in ({"people created": 3}, {"of them unchanged": 3}):
        summary = counts(done(app, file, "--map", "VANID=identifiers[van]"))
        assert summary.items() >= outcome.items(), summary

    people = list(database.people.find().sort("_id"))
    assert [(each["given_name"], each["identifiers"]) for each in people] == [
        ("Jane", ["van:1001"]),
        ("John", ["van:1002"]),
        ("Kim", ["van:1003"]),
    ]
    assert ["maybe_duplicate" in each for each in people] == [False, True, True]


@pytest.mark.parametrize("names", [("Jane", "John"), ("Jane", "Jane")], ids=["two names", "one name"])
def test_a_household_without_ids_is_divided_by_names(
    app: Flask, file: Path, database: Database, names: tuple[str, str]
) -> None:
    rows = "".join(f"{name},Doe,202-555-0101\n" for name in names)
    file.write_text(f"FirstName,LastName,Home Phone\n{rows}")

    done(app, file)

    assert [each["given_name"] for each in database.people.find().sort("_id")] == list(dict.fromkeys(names))


def test_a_placeholder_identifier_is_reported_and_matches_nobody(app: Flask, file: Path, database: Database) -> None:
    file.write_text("CRM Id,First Name,Email\nundefined,Ann,ann@example.com\nundefined,Bob,bob@example.com\n")

    output = done(app, file, "--map", "CRM Id=identifiers[crm]")

    assert "CRM Id: 'undefined' is read as an empty cell. (lines 2, 3)" in output
    assert database.people.count_documents({"identifiers": {"$exists": False}}) == 2


@pytest.mark.parametrize("suffix", ["csv", "ndjson"])
def test_a_tag_with_the_name_of_an_opt_out_is_a_warning(suffix: str, app: Flask, tmp_path: Path) -> None:
    file = tmp_path / f"people.{suffix}"
    document = {"email_addresses": [{"address": "ann@example.com"}], "add_tags": ["river", "Do Not Call"]}
    file.write_text(json.dumps(document) if suffix == "ndjson" else "Email,Tags\nann@example.com,river; Do Not Call\n")

    output = done(app, file, "--create-tags")

    assert "'Do Not Call' is only a name, and prevents no message." in output
    assert "'river'" not in output


@pytest.mark.parametrize(
    "option",
    [
        ("--map", "X=opted_out"),
        ("--ignore", "X"),
        ("--ignore-unknown",),
        ("--system", "crm"),
        ("--dates", "mdy"),
        ("--tag-separator", "|"),
        ("--unsubscribed",),
    ],
)
def test_an_option_about_columns_is_an_error_for_a_file_without_columns(
    option: tuple[str, ...], app: Flask, tmp_path: Path
) -> None:
    file = tmp_path / "people.ndjson"
    file.write_text(json.dumps({"email_addresses": [{"address": "ann@example.com"}]}))

    result = run(app, file, *option)

    assert result.exit_code == 2
    assert f"Leave out {option[0]}: only CSV files have columns." in result.output
