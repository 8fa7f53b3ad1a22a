"""`import outreaches` records each outreach once, with its person."""

import json
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from pymongo.database import Database

from tests.importing.test_people_files import counts, rejected, run
from tests.support import factories
from tests.support.client import Client

HEADER = "date,type,email,first_name,source,target_last_name\n"
ROW = "2024-12-31 10:00:00 UTC,phone,jane@example.com,Jane,flyer,Smith\n"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "outreaches.csv"


def done(app: Flask, file: Path, *options: str) -> str:
    result = app.test_cli_runner().invoke(args=["import", "outreaches", str(file), *options])
    assert result.exit_code == 0, result.output
    return str(result.output)


def test_a_row_creates_an_outreach_and_its_person(app: Flask, api: Client, file: Path) -> None:
    file.write_text(HEADER + ROW)

    output = done(app, file, "--campaign", api.campaign_id)

    outreach = api.get(f"/advocacy_campaigns/{api.campaign_id}/outreaches").json["_embedded"]["osdi:outreaches"][0]
    assert counts(output) == {"outreaches recorded": 1, "people created": 1}
    assert (outreach["action_date"], outreach["type"]) == ("2024-12-31T10:00:00Z", "phone")
    assert outreach["referrer_data"] == {"source": "flyer"}
    assert outreach["targets"] == [{"family_name": "Smith"}]
    assert api.follow(outreach, "osdi:person")["given_name"] == "Jane"


def test_a_row_without_an_identifier_is_recorded_once(app: Flask, api: Client, database: Database, file: Path) -> None:
    file.write_text(HEADER + ROW)
    done(app, file, "--campaign", api.campaign_id)
    before = list(database.people.find()), list(database.outreaches.find())

    output = done(app, file, "--campaign", api.campaign_id)

    assert counts(output) == {"outreaches that exist already": 1}
    assert (list(database.people.find()), list(database.outreaches.find())) == before


def test_the_same_file_creates_new_outreaches_for_another_campaign(app: Flask, api: Client, file: Path) -> None:
    file.write_text(HEADER + ROW)
    done(app, file, "--campaign", api.campaign_id)
    other = api.created("/advocacy_campaigns", {"title": "Another"})["_links"]["self"]["href"].rsplit("/", 1)[1]

    assert counts(done(app, file, "--campaign", other))["outreaches recorded"] == 1


def test_a_row_can_name_its_campaign(app: Flask, api: Client, file: Path) -> None:
    file.write_text(
        "advocacy_campaign_id,email,date\n"
        f"{api.campaign_id},a@example.com,2024-12-31\nnowhere,b@example.com,2024-12-31\n,c@example.com,2024-12-31\n"
    )

    assert counts(done(app, file)) == {"outreaches recorded": 1, "people created": 1, "rows rejected": 2}
    reasons = [row["rejected_reason"] for row in rejected(file.with_name("outreaches.rejected.csv"))]
    assert reasons[0].startswith("The campaign does not exist")
    assert reasons[1].startswith("The row names no campaign")


def test_an_unknown_campaign_is_an_error_before_the_first_row(app: Flask, api: Client, file: Path) -> None:
    file.write_text(HEADER + ROW)

    result = app.test_cli_runner().invoke(args=["import", "outreaches", str(file), "--campaign", "nowhere"])

    assert result.exit_code == 1
    assert "There is no such advocacy campaign." in result.output


def test_rows_with_several_targets_are_one_outreach(app: Flask, api: Client, database: Database, file: Path) -> None:
    file.write_text(
        "identifiers,email,target_number,target_last_name,date\n"
        "crm:1,a@example.com,1,Smith,2024-12-31\ncrm:1,a@example.com,2,Jones,\ncrm:2,b@example.com,1,Brown,2024-12-31\n"
    )

    assert counts(done(app, file, "--campaign", api.campaign_id))["outreaches recorded"] == 2
    targets = [[target["family_name"] for target in each["targets"]] for each in database.outreaches.find().sort("_id")]
    assert sorted(targets) == [["Brown"], ["Smith", "Jones"]]


def test_all_rows_of_a_rejected_outreach_can_be_corrected_and_imported(
    app: Flask, api: Client, database: Database, file: Path
) -> None:
    file.write_text(
        "identifiers,email,target_number,target_last_name,date\n"
        "crm:1,nobody,1,Smith,2024-12-31\ncrm:1,nobody,2,Jones,2024-12-31\ncrm:2,b@example.com,1,Brown,2024-12-31\n"
    )
    assert counts(done(app, file, "--campaign", api.campaign_id))["rows rejected"] == 1
    corrected = file.with_name("outreaches.rejected.csv")
    assert [row["rejected_line"] for row in rejected(corrected)] == ["2", "3"]
    corrected.write_text(corrected.read_text().replace("nobody", "a@example.com"))

    done(app, corrected, "--campaign", api.campaign_id)

    outreach = database.outreaches.find_one({"identifiers": "crm:1"})
    assert outreach is not None
    assert [target["family_name"] for target in outreach["targets"]] == ["Smith", "Jones"]


def test_a_dry_run_records_nothing(app: Flask, api: Client, database: Database, file: Path) -> None:
    file.write_text(HEADER + ROW + ROW)

    output = done(app, file, "--campaign", api.campaign_id, "--dry-run")

    assert counts(output) == {
        "outreaches would be recorded": 1,
        "outreaches that exist already": 1,
        "people would be created": 1,
    }
    assert database.outreaches.count_documents({}) == database.people.count_documents({}) == 0


class TestNdjson:
    """Outreaches as the API returns them, with links, or with an inline person."""

    def test_exported_outreaches_and_people_are_imported_by_another_deployment(
        self, app: Flask, api: Client, database: Database, tmp_path: Path
    ) -> None:
        outreaches = [api.recorded(factories.outreach()) for _ in range(3)]
        people = [api.follow(each, "osdi:person") for each in outreaches]
        for name, documents in {"people": people, "outreaches": outreaches}.items():
            (tmp_path / f"{name}.ndjson").write_text("".join(json.dumps(each) + "\n" for each in documents))
        database.people.delete_many({})
        database.outreaches.delete_many({})

        assert run(app, tmp_path / "people.ndjson").exit_code == 0
        recorded = done(app, tmp_path / "outreaches.ndjson")
        again = done(app, tmp_path / "outreaches.ndjson")

        assert counts(recorded) == {"outreaches recorded": 3, "people matched": 3, "of them unchanged": 3}
        assert counts(again) == {"outreaches that exist already": 3}
        moved = api.get("/outreaches").json["_embedded"]["osdi:outreaches"]
        made_by = [api.follow(each, "osdi:person")["given_name"] for each in moved]
        assert sorted(made_by) == sorted(person["given_name"] for person in people)
        kept = {each["identifiers"][-1] for each in database.outreaches.find()}
        assert kept == {each["identifiers"][0] for each in outreaches}

    def test_an_outreach_without_identifiers_is_recognised_by_its_address(
        self, app: Flask, api: Client, tmp_path: Path
    ) -> None:
        path = tmp_path / "outreaches.ndjson"
        document = {**factories.outreach(), "_links": {"self": {"href": "https://osdi.example.org/api/outreaches/1"}}}
        path.write_text(json.dumps(document))
        done(app, path, "--campaign", api.campaign_id)
        path.write_text(json.dumps(document | {"modified_date": "2024-12-31T00:00:00Z"}))

        assert counts(done(app, path, "--campaign", api.campaign_id)) == {"outreaches that exist already": 1}

    def test_an_outreach_with_an_unknown_person_is_rejected(
        self, app: Flask, api: Client, database: Database, tmp_path: Path
    ) -> None:
        path = tmp_path / "outreaches.ndjson"
        path.write_text(json.dumps(api.recorded(factories.outreach())))
        database.people.delete_many({})
        database.outreaches.delete_many({})

        assert "The person does not exist. Import the people first. (line 1)" in done(app, path)

    def test_follow_ups_are_sent_only_with_notify(
        self, app: Flask, api: Client, database: Database, tmp_path: Path
    ) -> None:
        message = api.created("/messages", factories.message())
        triggers = {"autoresponse": {"enabled": True, "identifiers": message["identifiers"][:1]}}
        path = tmp_path / "outreaches.ndjson"
        path.write_text(json.dumps(factories.outreach(triggers=triggers, identifiers=["crm:1"])))
        done(app, path, "--campaign", api.campaign_id)
        path.write_text(json.dumps(factories.outreach(triggers=triggers, identifiers=["crm:2"])))
        done(app, path, "--campaign", api.campaign_id, "--notify")

        sent = {each["identifiers"][0]: len(each.get("followups", ())) for each in database.outreaches.find()}
        assert sent == {"crm:1": 0, "crm:2": 1}

    @pytest.mark.parametrize("options", [(), ("--notify",)], ids=str)
    def test_no_mail_is_sent_that_the_file_does_not_ask_for(
        self, app: Flask, api: Client, database: Database, tmp_path: Path, options: tuple[str, ...]
    ) -> None:
        identifiers = api.created("/messages", factories.message())["identifiers"][:1]
        every = {"autoresponse": {"identifiers": identifiers, "every_outreach": True}}
        assert api.put(f"/advocacy_campaigns/{api.campaign_id}/triggers", every).status_code == 200
        path = tmp_path / "outreaches.ndjson"
        path.write_text(json.dumps(factories.outreach(identifiers=["crm:1"])))

        done(app, path, "--campaign", api.campaign_id, *options)

        assert [each.get("followups", []) for each in database.outreaches.find()] == [[]]


@pytest.mark.parametrize("collection", ["advocacy_campaigns", "schema", "imports", "tombstones", "people"])
def test_an_import_that_begins_while_the_database_is_unavailable_waits_for_it(
    app: Flask, api: Client, file: Path, monkeypatch: pytest.MonkeyPatch, fail: Any, collection: str
) -> None:
    """Each of the first reads fails three times, as while a database hangs."""
    monkeypatch.setattr("osdi.retry.PAUSE_SECONDS", 0)
    file.write_text(HEADER + ROW)
    fail({"times": 3}, ["find"], errorCode=50, namespace=f"osdi.{collection}")

    assert counts(done(app, file, "--campaign", api.campaign_id)) == {"outreaches recorded": 1, "people created": 1}


@pytest.mark.parametrize("word", ["undefined", "NULL", "[object Object]", "N/A"])
def test_rows_with_a_placeholder_are_different_outreaches_that_are_recorded_once(
    app: Flask, api: Client, database: Database, file: Path, word: str
) -> None:
    second = ROW.replace("jane", "john").replace("Jane", "John")
    file.write_text(f"call_id,{HEADER}{word},{ROW}{word},{second}")
    options = ("--campaign", api.campaign_id, "--map", "call_id=identifiers[calls]")

    assert counts(done(app, file, *options))["outreaches recorded"] == 2
    assert counts(done(app, file, *options)) == {"outreaches that exist already": 2}
    assert database.outreaches.count_documents({"identifiers": f"calls:{word}"}) == 0


def test_a_line_with_a_placeholder_is_recorded_once(app: Flask, api: Client, tmp_path: Path) -> None:
    path = tmp_path / "outreaches.ndjson"
    bodies = [factories.outreach(identifiers=["calls:undefined"]) for _ in range(2)]
    path.write_text("\n".join(map(json.dumps, bodies)))

    assert counts(done(app, path, "--campaign", api.campaign_id))["outreaches recorded"] == 2
    assert counts(done(app, path, "--campaign", api.campaign_id)) == {"outreaches that exist already": 2}
