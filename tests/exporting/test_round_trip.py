"""An export that is imported into an empty database and exported again is unchanged, by the real commands."""

import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from app import create_app
from blueprints.http.context import EXTENSION
from dev.mongod import Mongod
from osdi import resources
from osdi.fields.contacts import CONTACT_FIELDS
from osdi.fields.definition import properties
from osdi.settings import Settings
from tests.support import factories
from tests.support.client import Client
from tests.support.databases import own_database
from tests.support.samples import Samples, csv_part

NASTY = "He said, \"no\";\r\n=cmd|' /C calc'!A0\\"
JANE: dict[str, Any] = {
    "identifiers": ["crm:1", "old_system:jane/1"],
    "origin_system": "CRM; old",
    "given_name": "Jané",
    "family_name": 'O\'Brien, "Doe"',
    "additional_name": "'=Q",
    "honorific_prefix": "Dr.",
    "honorific_suffix": "III",
    "gender": "Female",
    "gender_identity": "-woman",
    "additional_gender_identities": ["'=first", "a; b", "c\\d", "=e", "f, g"],
    "gender_pronouns": {"subject": "She", "object": "Her", "posessive": "Hers"},
    "party_identification": "Independent",
    "parties": [{"identification": "Democratic", "active": False, "last_verified_date": "2020-01-02T03:04:05Z"}],
    "source": "@flyer",
    "ethnicities": ["one, two", "three"],
    "languages_spoken": ["de", "en"],
    "preferred_language": "de",
    "browser_url": "https://example.org/?a=1;b=2",
    "administrative_url": "https://example.org/admin",
    "birthdate": {"year": 1980, "month": 2, "day": 29},
    "employer": "Acme, Inc.",
    "work_title": "+1",
    "work_department": "R&D",
    "occupation": "\tfisher",
    "employer_address": {"address_lines": ["1 Way", "=2"], "locality": "Bühl", "status": "Verified"},
    "profiles": [{"provider": "X", "id": "1", "handle": "@jane", "url": "https://x.example.com/jane"}],
    "division_info": [{"name": "Ward", "divisions": [{"name": "7", "ocd_id": "ocd-division/country:us/ward:7"}]}],
    "email_addresses": [
        {"address": "jane.other@example.com", "status": "subscribed", "address_type": "work"},
        {"address": "jane@example.com", "status": "unsubscribed", "primary": True, "address_type": "personal"},
        {"address": "third@bücher.example", "status": "spam complaints"},
        {"address": "fourth@example.com"},
    ],
    "phone_numbers": [
        {"number": "+1 202 555 0101", "number_type": "Home", "extension": "7", "description": "a, b"},
        {
            "number": "12025550102",
            "primary": True,
            "number_type": "Mobile",
            "sms_capable": False,
            "do_not_call": True,
            "country": "US",
            "operator": "Bell",
        },
        {"number": "12025550103", "sms_capable": True, "do_not_call": False},
        {"number": "12025550104", "do_not_call": True, "number_type": "Work"},
    ],
    "postal_addresses": [
        {
            "address_lines": ["1 High St; rear", "Flat = 2", "=3"],
            "locality": "'s-Hertogenbosch",
            "region": "NB",
            "postal_code": "00501",
            "country": "NL",
            "primary": True,
            "address_type": "Home",
            "venue": "The Hall",
            "status": "Verified",
            "language": "nl",
            "location": {"latitude": 51.5, "longitude": 5.25, "accuracy": "Rooftop"},
            "last_verified_date": "2021-01-02T03:04:05Z",
            "occupation": "tenant",
        },
        {"locality": "東京", "country": "JP"},
    ],
    "custom_fields": {
        "plain": "x",
        "comma, semicolon; and = sign": NASTY,
        "formula": '=HYPERLINK("https://evil.example")',
        "lines": "one\ntwo\r\n\nthree",
        "quoted": "'+1",
        "number": "007",
        "email": "not an address",
        "Ünïcode 🐟": "魚",
        " spaces ": " around ",
        "two\nlines": "and a NO-BREAK SPACE\u00a0",
    },
}
OTHERS: tuple[dict[str, Any], ...] = (
    {"email_addresses": [{"address": "lone@example.com"}], "ethnicities": ["one, two"], "gender": "Other"},
    {"email_addresses": [{"address": "only@example.com", "status": "bouncing"}]},
    {"given_name": "Phone", "phone_numbers": [{"number": "+442079460000"}]},
    {"identifiers": ["crm:3"], "given_name": "No contact", "custom_fields": {"plain": "-1"}},
    {"email_addresses": [{"address": "a@example.org"}, {"address": "b@example.org", "status": "unsubscribed"}]},
)
TAGS, LISTS = ("volunteer", "=a; b", "'=x, y"), ("supporters", "+list")
OUTREACH: dict[str, Any] = {
    "identifiers": ["crm:letter1"],
    "origin_system": "CRM",
    "action_date": "2024-12-31T10:20:30.123Z",
    "type": "postal mail",
    "duration": 90,
    "subject": '=Subject, "quoted"',
    "message": "Dear Senator,\r\n\r\n- one\n\t@two;\n\nYours 🐟 ",
    "notes": "'-notes",
    "referrer_data": {
        "source": "flyer; 2",
        "referrer": "jane",
        "website": "https://r.example",
        "url": "https://r.example/?a,b",
    },
    "targets": [
        {
            "title": "Senator",
            "organization": "+Senate",
            "given_name": "Ana",
            "family_name": "Ñáñez",
            "ocdid": "ocd-division/country:us",
            "email_addresses": [{"address": "ana@senate.example"}],
            "phone_numbers": [{"number": "+12025550199"}],
            "postal_addresses": [
                {
                    "address_lines": ["1 Hill", "Room; 2"],
                    "locality": "Washington",
                    "region": "DC",
                    "postal_code": "20500",
                    "country": "US",
                }
            ],
        },
        {"title": "Mayor", "family_name": "Smith, Jr."},
        {"organization": "Council\nof Nowhere"},
    ],
}


# Fields that differ between databases: ids, links and dates.
OF_A_DATABASE = {"id", "person_id", "advocacy_campaign_id", "_links", "created_date", "modified_date"}
# The properties of contact details for which CSV has no column: NDJSON has them.
NOT_IN_CSV = {array.name: {each.name for each in properties(array) if not each.column} for array in CONTACT_FIELDS}

Deployed = tuple[Flask, Client]


@pytest.fixture
def elsewhere(mongod: Mongod, api: Client) -> Iterator[Deployed]:
    """Yields a deployment whose database has the campaign and the lists, but no people, outreaches or tags."""
    with own_database(mongod.uri, "elsewhere") as (store, _):
        app = create_app(Settings(mongodb_uri=store.uri, cache_seconds=0, **factories.UNLIMITED))
        found = Client(app.test_client(), factories.token(store))
        identifiers = api.get(f"/advocacy_campaigns/{api.campaign_id}").json["identifiers"]
        found.created("/advocacy_campaigns", {"title": "Protect the river", "identifiers": identifiers})
        for name in LISTS:
            found.created("/lists", {"name": name})
        yield app, found
        app.extensions[EXTENSION].store.close()


@pytest.fixture
def rich(api: Client) -> Client:
    """Creates people and outreaches that use many fields; returns the client."""
    for name in TAGS:
        api.created("/tags", {"name": name})
    for name in LISTS:
        api.created("/lists", {"name": name})
    api.created("/people", {"person": JANE, "add_tags": TAGS, "add_lists": LISTS})
    for each in OTHERS:
        api.created("/people", each)
    api.recorded({**OUTREACH, "person": {"identifiers": ["crm:1"]}})
    api.recorded({"type": "phone", "person": OTHERS[2]})
    return api


@pytest.mark.parametrize("form", ["csv", "ndjson"])
def test_an_import_restores_everything(
    form: str, rich: Client, app: Flask, elsewhere: Deployed, tmp_path: Path
) -> None:
    for what, number in (("people", 1 + len(OTHERS)), ("outreaches", 2)):
        file, again = tmp_path / f"{what}.{form}", tmp_path / f"{what}.again.{form}"
        command(app, "export", what, "--format", form, "-o", str(file))

        report = command(elsewhere[0], "import", what, str(file), "--create-tags")

        assert "0  rows rejected" in report
        assert "Imported with warnings" not in report
        command(elsewhere[0], "export", what, "--format", form, "-o", str(again))
        assert comparable(again) == comparable(file)
        # CSV has tags and lists too, for both formats of the import.
        for each in ((app, "before"), (elsewhere[0], "after")):
            command(each[0], "export", what, "-o", str(tmp_path / f"{each[1]}.csv"))
        assert comparable(tmp_path / "after.csv") == comparable(tmp_path / "before.csv")
        assert len({*map(identity, comparable(file))}) == number


def test_an_import_into_the_same_database_changes_nothing(rich: Client, app: Flask, tmp_path: Path) -> None:
    for form in ("csv", "ndjson"):
        for what in ("people", "outreaches"):
            file = tmp_path / f"{what}.{form}"
            command(app, "export", what, "--format", form, "-o", str(file))
            before = file.read_bytes()
            assert "0  rows rejected" in command(app, "import", what, str(file))

            command(app, "export", what, "--format", form, "-o", str(file))

            assert file.read_bytes() == before


def test_csv_loses_only_properties_without_a_column(
    rich: Client, app: Flask, elsewhere: Deployed, tmp_path: Path
) -> None:
    for what in ("people", "outreaches"):
        command(app, "export", what, "-o", str(tmp_path / f"{what}.csv"))
        command(elsewhere[0], "import", what, str(tmp_path / f"{what}.csv"), "--create-tags")
        for each in ((app, "before"), (elsewhere[0], "after")):
            command(each[0], "export", what, "--format", "ndjson", "-o", str(tmp_path / f"{each[1]}.ndjson"))

        assert with_columns(tmp_path / "after.ndjson") == with_columns(tmp_path / "before.ndjson")


def test_csv_keeps_every_field_of_a_person_and_an_outreach(
    api: Client, app: Flask, elsewhere: Deployed, tmp_path: Path
) -> None:
    """The values come from the definitions of the fields, so a new field is tested here too."""
    samples = Samples()
    api.created("/people", {"identifiers": ["crm:1"], **samples.body(resources.PERSON.table)})
    api.recorded({**samples.body(resources.OUTREACH.table), "person": {"identifiers": ["crm:1"]}})
    for resource in (resources.PERSON, resources.OUTREACH):
        what = resource.collection
        command(app, "export", what, "-o", str(tmp_path / f"{what}.csv"))
        report = command(elsewhere[0], "import", what, str(tmp_path / f"{what}.csv"))
        assert "0  rows rejected" in report
        assert "Imported with warnings" not in report

        (before,) = lines_of(app, what, tmp_path)
        (after,) = lines_of(elsewhere[0], what, tmp_path)

        assert set(resource.fields) <= before.keys()
        assert csv_part(resource.table, after) == csv_part(resource.table, before)


def lines_of(app: Flask, what: str, folder: Path) -> list[dict[str, Any]]:
    """Returns the lines of an export as NDJSON."""
    file = folder / "lines.ndjson"
    command(app, "export", what, "--format", "ndjson", "-o", str(file))
    return [json.loads(line) for line in file.read_text().splitlines()]


def command(app: Flask, *words: str) -> str:
    """Runs a command and returns its output."""
    result = app.test_cli_runner().invoke(args=list(words))
    assert result.exit_code == 0, result.output
    return str(result.output)


def comparable(file: Path) -> list[dict[str, Any]]:
    """Returns the rows or lines of an export sorted by content, without the fields that differ between databases."""
    content = file.read_bytes().decode()
    found: list[dict[str, Any]]
    if file.suffix == ".csv":
        found = list(csv.DictReader(io.StringIO(content, newline="")))
        for row in found:
            row["identifiers"] = [each for each in row["identifiers"].split("; ") if each]
    else:
        found = [json.loads(line) for line in content.splitlines()]
    for each in found:
        # The server's own identifiers contain ids, which differ.
        each["identifiers"] = [name for name in each["identifiers"] if not name.startswith("osdi_outreach:")]
    kept = [{name: value for name, value in each.items() if name not in OF_A_DATABASE} for each in found]
    return sorted(kept, key=lambda each: json.dumps(each, sort_keys=True))


def identity(found: dict[str, Any]) -> str:
    """Returns a key that identifies a person or an outreach in these tests; rows of one outreach have the same key."""
    return json.dumps([found.get(name) for name in ("identifiers", "email_address", "email_addresses", "given_name")])


def with_columns(file: Path) -> list[dict[str, Any]]:
    """Returns the lines without properties that CSV lacks, with sorted entries, since CSV has the main one first."""
    found = comparable(file)
    for each in found:
        for array, missing in NOT_IN_CSV.items():
            entries = [{name: entry[name] for name in entry if name not in missing} for entry in each.get(array, ())]
            each[array] = sorted(entries, key=lambda entry: json.dumps(entry, sort_keys=True))
    return sorted(found, key=lambda each: json.dumps(each, sort_keys=True))
