"""The privacy commands: choice of the person, confirmation, and result."""

import json
import stat
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from flask import Flask
from pymongo.database import Database

from osdi.store import Store
from tests.support import factories
from tests.support.client import Client
from tests.support.planted import Planted, create_planted, editor_of, traces

JANE = "jane@example.com"


@pytest.fixture
def planted(api: Client, store: Store, database: Database) -> Planted:
    found = create_planted(api, database)
    editor_of(api, store, found)
    return found


def run(app: Flask, *arguments: str, stdin: str | None = None) -> Result:
    return app.test_cli_runner().invoke(args=list(arguments), input=stdin)


def exported(app: Flask, who: str) -> dict[str, Any]:
    """Returns the output of `export-person`; the test fails unless the command succeeds."""
    result = run(app, "export-person", who)
    assert result.exit_code == 0, result.output
    return dict(json.loads(result.stdout))


class TestAnExport:
    def test_contains_all_posted_text(self, app: Flask, planted: Planted) -> None:
        result = run(app, "export-person", planted.person_id)

        output = json.dumps(json.loads(result.stdout), ensure_ascii=False)
        # Keys that retries are known by are kept as digests, which say nothing.
        words = {path: word for path, word in planted.words.items() if "idempotency" not in path}
        assert len(words) > 100
        assert {path: word for path, word in words.items() if word.casefold() not in output.casefold()} == {}

    def test_contains_names_and_states(self, app: Flask, planted: Planted) -> None:
        found = exported(app, planted.person_id)

        assert [each["tag"] for each in found["taggings"]] == ["volunteer"]
        assert [each["list"] for each in found["items"]] == ["supporters"]
        assert found["items"][0]["created_date"]
        assert [each["question"] for each in found["answers"]] == ["Why?"]
        assert {each["advocacy_campaign"] for each in found["outreaches"]} == {"Protect the river"}
        states = [each["osdi_outreach:followups"][0]["state"] for each in found["outreaches"]]
        assert states == ["queued", "sent", "failed", "leased"]
        assert [each["name"] for each in found["tokens"]] == ["factory"]
        assert [each["merged_date"][-1] for each in found["merged_people"]] == ["Z"]

    def test_contains_subscriptions(self, app: Flask, api: Client) -> None:
        person = factories.person(
            email_addresses=[{"address": JANE, "status": "unsubscribed"}],
            phone_numbers=[{"number": "12025550123", "do_not_call": True, "sms_capable": False}],
        )
        created = api.created("/people", person)

        assert exported(app, JANE)["subscriptions"] == {
            "as_of": created["modified_date"],
            "email_addresses": [{"address": JANE, "status": "unsubscribed"}],
            "phone_numbers": [{"number": "12025550123", "do_not_call": True, "sms_capable": False}],
        }

    def test_contains_nothing_about_others(self, app: Flask, noise: list[dict], planted: Planted) -> None:
        output = json.dumps(exported(app, planted.person_id))

        for other in noise:
            assert other["_links"]["osdi:person"]["href"].rsplit("/", 1)[1] not in output

    def test_is_written_to_a_file_that_only_its_owner_can_read(
        self, app: Flask, planted: Planted, tmp_path: Path
    ) -> None:
        path = tmp_path / "jane.json"

        result = run(app, "export-person", planted.person_id, "-o", str(path))

        assert result.exit_code == 0, result.output
        assert str(path) in result.output
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert json.loads(path.read_bytes())["person"]["identifiers"][0].endswith(planted.person_id)

    def test_overwrites_no_file(self, app: Flask, planted: Planted, tmp_path: Path) -> None:
        path = tmp_path / "jane.json"
        path.write_text("kept")

        assert run(app, "export-person", planted.person_id, "-o", str(path)).exit_code == 2
        assert path.read_text() == "kept"

    def test_changes_nothing(self, app: Flask, planted: Planted, database: Database) -> None:
        names = [name for name in database.list_collection_names() if name != "tokens"]
        before = {name: list(database[name].find()) for name in names}

        exported(app, planted.person_id)

        assert {name: list(database[name].find()) for name in names} == before


class TestFindingThePerson:
    @pytest.mark.parametrize(
        "who", ["{id}", "osdi_outreach:{id}", "crm:1", "Jane@Example.com", " jane@example.com", "+1 (202) 555-0123"]
    )
    def test_by_id_identifier_address_or_number(self, app: Flask, api: Client, who: str) -> None:
        phones = [{"number": "12025550123"}]
        body = factories.person(identifiers=["crm:1"], email_addresses=[{"address": JANE}], phone_numbers=phones)
        jane = api.created("/people", body)["identifiers"][0]

        found = exported(app, who.format(id=jane.split(":")[1]))

        assert found["person"]["identifiers"][0] == jane

    def test_by_the_id_of_a_person_merged_into_them(self, app: Flask, planted: Planted) -> None:
        assert exported(app, planted.merged_id)["person"]["identifiers"][0].endswith(planted.person_id)

    @pytest.mark.parametrize("who", ["", " ", "nobody", "crm:7", "john@example.com", "+1 202 555 0199", "7", "$ne"])
    def test_reports_an_unknown_person(self, app: Flask, api: Client, database: Database, who: str) -> None:
        api.created("/people", factories.person(identifiers=["crm:1"]))

        for command in ("export-person", "erase-person"):
            result = run(app, command, who, *(["--yes"] if command == "erase-person" else []))

            assert result.exit_code in (1, 2)
            assert "No person found" in result.output or "There is no such person" in result.output
        assert database.people.count_documents({}) == 1

    def test_lists_several_people(self, app: Flask, api: Client, database: Database) -> None:
        phone = [{"number": "12025550123"}]
        for name in ("Jane", "John"):
            api.created("/people", factories.person(given_name=name, phone_numbers=phone))

        result = run(app, "erase-person", "12025550123", "--yes")

        assert result.exit_code == 2
        assert "2 people found. Give the id of one:" in result.output
        for person in database.people.find():
            assert f"{person['_id']}, {person['given_name']} {person['family_name']}, " in result.output
        assert database.people.count_documents({}) == 2


class TestErasing:
    def test_shows_the_person_and_asks_for_confirmation(self, app: Flask, api: Client, database: Database) -> None:
        person = {"given_name": "Jane", "family_name": "Doe", "email_addresses": [{"address": JANE}]}
        api.recorded(factories.outreach(person=person))

        result = run(app, "erase-person", JANE, stdin="n\n")

        assert result.exit_code == 1
        assert f", Jane Doe, {JANE}; outreaches: 1; people merged into this one: 0." in result.output
        assert (
            "The outreaches lose their texts and identifiers, and stay in the totals. This cannot be undone."
            in result.output
        )
        assert database.people.count_documents({}) == 1

    def test_posted_control_characters_do_not_move_the_cursor(self, app: Flask, api: Client) -> None:
        addresses = [{"address": f"{number}{JANE}"} for number in range(10)]
        person = factories.person(given_name="Jane\x1b[2J\nErase this person? [y/N]: ", email_addresses=addresses)
        person_id = api.created("/people", person)["_links"]["self"]["href"].rsplit("/", 1)[1]
        more = [{"address": f"{number}j@example.com"} for number in range(9)]
        api.created("/people", {**person, "email_addresses": [*addresses[:1], *more]})

        result = run(app, "erase-person", person_id, stdin="n\n")

        who, what = result.output.splitlines()[:2]
        assert "\x1b" not in result.output
        assert len(who) < 400
        assert who.endswith("; outreaches: 0; people merged into this one: 0.")
        assert what.startswith("The outreaches lose their texts")

    def test_reports_the_results(self, app: Flask, planted: Planted, database: Database) -> None:
        result = run(app, "erase-person", planted.person_id, "--outreaches", "delete", stdin="y\n")

        assert result.exit_code == 0, result.output
        assert f"Erased {planted.person_id}. Outreaches deleted: 4. Merged people erased: 1." in result.output
        assert "Tokens of this person still work. To end them, use `tokens revoke`: 'factory' (" in result.output
        assert traces(database) == {}
