"""People and outreaches as CSV over HTTP: the content of the file, access, and incomplete downloads."""

import csv
import io
import itertools
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
from flask import Flask
from pymongo.database import Database

from blueprints.operations import downloads
from osdi.errors import OsdiError, unavailable
from osdi.exporting.csv_cells import parted, restored
from osdi.exporting.rows import CUSTOM_COLUMNS, OTHERS, outreach_columns, person_columns
from osdi.store import Store, scan
from tests.support import factories
from tests.support.client import Client

PAGE = (Path(__file__).parents[2] / "docs/exporting.md").read_text()


def rows(client: Client, path: str, **options: object) -> list[dict[str, str]]:
    """Returns the rows of a download by column; the test fails unless the status is 200."""
    response = client.get(path, **options)
    assert response.status_code == 200, response.get_data(as_text=True)
    return list(csv.DictReader(io.StringIO(response.get_data().decode("utf-8-sig"), newline=""), strict=True))


def ours(client: Client) -> str:
    return f"/advocacy_campaigns/{client.campaign_id}/outreaches.csv"


@pytest.fixture
def tied(app: Flask, api: Client, store: Store) -> Client:
    client = Client(app.test_client(), factories.token(store, advocacy_campaign_id=api.campaign_id))
    client.campaign_id = api.campaign_id
    return client


@pytest.fixture
def free() -> Iterator[None]:
    """Fails unless every download has freed its slot."""
    yield
    slots = [downloads._running.acquire(blocking=False) for _ in range(downloads.MAX_DOWNLOADS)]
    for _ in filter(None, slots):
        downloads._running.release()
    assert all(slots)


pytestmark = pytest.mark.usefixtures("free")


class TestPeople:
    """`/people.csv`: a row for each person."""

    def test_is_an_attachment_with_a_header_line(self, api: Client) -> None:
        response = api.get("/people.csv")

        assert response.headers["Content-Type"] == "text/csv; charset=utf-8; header=present"
        assert response.headers["Content-Disposition"] == 'attachment; filename="people.csv"'
        assert response.get_data() == (",".join(person_columns([])) + "\r\n").encode()

    def test_has_the_primary_contacts_and_all_others(self, api: Client) -> None:
        api.created(
            "/people",
            factories.person(
                given_name="Jané",
                email_addresses=[
                    {"address": "old@example.com", "status": "bouncing"},
                    {"address": "jane@example.com", "status": "subscribed", "primary": True},
                    {"address": "third@example.com"},
                ],
                phone_numbers=[{"number": "+12025550123", "number_type": "Mobile"}, {"number": "12025550124"}],
                postal_addresses=[
                    {"address_lines": ["1 Main St", "Apt; 2"], "postal_code": "02108", "country": "US"},
                    {"locality": "Berlin"},
                ],
            ),
        )

        (row,) = rows(api, "/people.csv")

        assert (row["given_name"], row["email_address"], row["email_status"]) == (
            "Jané",
            "jane@example.com",
            "subscribed",
        )
        assert parted(row["other_email_addresses"]) == ["old@example.com", "third@example.com"]
        assert parted(row["other_email_statuses"]) == ["bouncing", ""]
        assert row["phone_number"] == "'+12025550123"
        assert restored(row["phone_number"]) == "+12025550123"
        assert (row["phone_number_type"], row["other_phone_numbers"]) == ("Mobile", "12025550124")
        assert parted(row["address_lines"]) == ["1 Main St", "Apt; 2"]
        assert (row["postal_code"], row["country"], row["locality"]) == ("02108", "US", "")
        assert row["other_postal_addresses"] == '[{"locality":"Berlin"}]'

    @pytest.mark.parametrize(
        ("array", "entries", "column"),
        [
            ("email_addresses", [{"address": f"{each}@example.com"} for each in "abc"], "other_email_statuses"),
            ("phone_numbers", [{"number": f"1202555010{each}"} for each in "123"], "other_phone_number_types"),
            ("phone_numbers", [{"number": f"1202555010{each}"} for each in "123"], "other_do_not_call"),
            ("phone_numbers", [{"number": f"1202555010{each}"} for each in "123"], "other_sms_capable"),
        ],
    )
    def test_has_an_empty_cell_if_no_other_entry_has_a_value(
        self, api: Client, array: str, entries: list[dict[str, str]], column: str
    ) -> None:
        api.created("/people", {"person": factories.person(**{array: entries})})

        (row,) = rows(api, "/people.csv")

        assert row[column] == ""

    def test_has_tags_and_lists_by_name(self, api: Client) -> None:
        for name in ("volunteer", "=donor"):
            api.created("/tags", {"name": name})
        api.created("/lists", {"name": "supporters"})
        body = {"person": factories.person(), "add_tags": ["=donor", "volunteer"], "add_lists": ["supporters"]}
        api.created("/people", body)

        (row,) = rows(api, "/people.csv")

        assert (row["tags"], row["lists"]) == ("'=donor; volunteer", "supporters")

    def test_has_a_column_for_each_custom_field(self, api: Client) -> None:
        api.created("/people", factories.person(custom_fields={"size": "XL", "colour": "=1+1"}))
        api.created("/people", factories.person(custom_fields={"colour": "blue"}))
        api.created("/people", factories.person())

        found = rows(api, "/people.csv")

        assert list(found[0]) == person_columns(["colour", "size"])
        assert [row["custom_fields/colour"] for row in found] == ["'=1+1", "blue", ""]
        assert [row[OTHERS] for row in found] == ["", "", ""]

    def test_has_columns_for_the_most_frequent_custom_fields_and_json_for_the_others(self, api: Client) -> None:
        common = {f"common{number}": "x" for number in range(CUSTOM_COLUMNS)}
        for _ in range(2):
            api.created("/people", factories.person(custom_fields=common))
        api.created("/people", factories.person(custom_fields={"a rare one": "y"}))

        found = rows(api, "/people.csv")

        assert list(found[0]) == person_columns(sorted(common))
        assert [row[OTHERS] for row in found] == ["", "", '{"a rare one":"y"}']

    def test_has_a_custom_field_that_is_added_during_the_download(
        self, api: Client, database: Database, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        api.created("/people", factories.person())
        monkeypatch.setattr(
            "osdi.exporting.export.custom_names", lambda _: database.people.update_one({}, COLOUR) and []
        )

        (row,) = rows(api, "/people.csv")

        assert row[OTHERS] == '{"colour":"blue"}'

    def test_is_in_the_order_of_ids(self, api: Client, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(scan, "BATCH", 2)
        monkeypatch.setattr("osdi.exporting.export.PART", 1)
        created = [api.created("/people", factories.person())["identifiers"][0] for _ in range(5)]

        assert [row["identifiers"] or f"osdi_outreach:{row['id']}" for row in rows(api, "/people.csv")] == created

    def test_can_be_filtered_like_the_collection(self, api: Client) -> None:
        for name in ("Jane", "John"):
            api.created("/people", factories.person(given_name=name, custom_fields={name: "x"}))

        (row,) = rows(api, "/people.csv?filter=" + quote("given_name eq 'Jane'"))

        assert row["given_name"] == "Jane"
        assert "custom_fields/John" not in row

    def test_begins_with_a_byte_order_mark_on_request(self, api: Client) -> None:
        assert api.get("/people.csv?bom=true").get_data().startswith(b"\xef\xbb\xbfid,")

    def test_needs_a_token_with_the_scope_read(self, api: Client, store: Store) -> None:
        assert api.get("/people.csv", token=False).status_code == 401
        assert api.get("/people.csv", token=factories.token(store, scopes=["write"])).status_code == 403


class TestOutreaches:
    """`/outreaches.csv`, and those of one campaign: a row for each target."""

    def test_has_a_row_with_the_person_for_each_target(self, api: Client) -> None:
        api.created("/tags", {"name": "volunteer"})
        api.recorded(
            factories.outreach(
                person=factories.person(given_name="Jane"),
                referrer_data={"source": "newsletter", "website": "https://example.org"},
                action_date="2026-03-18T11:02:15-05:00",
                targets=[{"family_name": "Smith"}, {"family_name": "Jones", "organization": "@senate"}],
                add_tags=["volunteer"],
            )
        )

        found = rows(api, ours(api))

        assert [(row["target_number"], row["target_family_name"]) for row in found] == [("1", "Smith"), ("2", "Jones")]
        assert found[1]["target_organization"] == "'@senate"
        for row in found:
            assert (row["given_name"], row["person_tags"], row["type"]) == ("Jane", "volunteer", "phone")
            assert (row["source"], row["website"], row["duration"]) == ("newsletter", "https://example.org", "120")
            assert row["action_date"] == "2026-03-18T16:02:15Z"
            assert row["advocacy_campaign"] == "Protect the river"

    def test_has_a_row_for_an_outreach_without_targets_or_person(self, api: Client, database: Database) -> None:
        api.recorded(factories.outreach(targets=None))
        database.outreaches.update_one({}, {"$unset": {"person_id": ""}})

        (row,) = rows(api, ours(api))

        assert (row["target_number"], row["person_id"], row["type"]) == ("", "", "phone")

    def test_of_a_campaign_contain_no_others(self, api: Client) -> None:
        other = api.created("/advocacy_campaigns", {"title": "Another"})["_links"]["self"]["href"].rsplit("/", 1)[1]
        api.recorded(factories.outreach(type="email"), campaign=other)
        api.recorded(factories.outreach(type="phone"))

        anything = quote("type eq 'phone' or type ne 'phone'")
        assert [row["type"] for row in rows(api, f"{ours(api)}?filter={anything}")] == ["phone"]
        assert [row["type"] for row in rows(api, "/outreaches.csv")] == ["email", "phone"]

    def test_of_an_unknown_campaign_are_404(self, api: Client) -> None:
        assert api.get("/advocacy_campaigns/none/outreaches.csv").status_code == 404

    def test_of_its_campaign_can_be_read_with_a_campaign_token_without_tags(self, api: Client, tied: Client) -> None:
        api.recorded(factories.outreach())

        (row,) = rows(tied, ours(api))

        assert list(row) == outreach_columns(with_tags=False)
        assert row["email_address"]

    def test_of_all_campaigns_cannot_be_read_with_a_campaign_token(self, tied: Client) -> None:
        assert [tied.get(path).status_code for path in ("/outreaches.csv", "/people.csv")] == [403, 403]

    def test_are_sent_in_small_pieces(self, api: Client) -> None:
        """A slow client has some seconds for each piece, and only one piece is in memory."""
        for _ in range(2):
            api.recorded(factories.outreach(message="x" * 60_000, targets=[{"family_name": "Smith"}] * 100))

        pieces = [len(piece) for piece in api.get(ours(api), buffered=False).response]

        assert sum(pieces) > 12_000_000
        assert max(pieces) < 200_000


class TestADownloadThatFails:
    """A download that fails is an error response, or is interrupted; it never looks complete."""

    def test_is_503_if_the_database_fails_before_the_first_byte(self, api: Client, fail: Callable[..., None]) -> None:
        fail("alwaysOn", ["find"], errorCode=91, namespace="osdi.people")

        assert api.get("/people.csv").status_code == 503

    def test_is_interrupted_if_the_database_fails_later(
        self, api: Client, database: Database, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("osdi.exporting.export.PART", 1)
        for _ in range(4):
            api.created("/people", factories.person())
        looked_up = itertools.count(1)

        def look_up(*_: object) -> None:
            if next(looked_up) > 4:  # twice for each person
                raise unavailable("The database does not respond at the moment.")

        monkeypatch.setattr("osdi.exporting.export.Names.look_up", look_up)
        response = api.get("/people.csv", buffered=False)

        with pytest.raises(OsdiError):
            list(response.response)
        response.close()

    def test_is_rejected_for_http_1_0(self, api: Client) -> None:
        response = api.get("/people.csv", environ_overrides={"SERVER_PROTOCOL": "HTTP/1.0"})

        assert response.status_code == 400
        assert "HTTP/1.1" in response.json["error"]

    def test_is_429_while_all_slots_are_used(self, api: Client) -> None:
        open_ones = [api.get("/people.csv", buffered=False) for _ in range(downloads.MAX_DOWNLOADS)]

        rejected = api.get("/people.csv")

        assert (rejected.status_code, rejected.headers["Retry-After"]) == (429, str(downloads.WAIT_SECONDS))
        for each in open_ones:
            each.close()
        assert api.get("/people.csv").status_code == 200

    @pytest.mark.parametrize("end", ["read", "closed", "closed twice", "HEAD"])
    def test_frees_its_slot_at_every_end(self, api: Client, end: str) -> None:
        if end == "HEAD":
            assert api.http.head("/api/v1/people.csv", headers={"OSDI-API-Token": api.token}).status_code == 200
            return
        response = api.get("/people.csv", buffered=False)
        if end == "read":
            response.get_data()
        response.close()
        if end == "closed twice":
            response.close()


COLOUR = {"$set": {"custom_fields": {"colour": "blue"}}}


def test_the_page_lists_the_columns() -> None:
    listed = re.findall(r"^\| `([a-z_/]+)`", PAGE, flags=re.MULTILINE)
    listed_names = {
        name for line in PAGE.splitlines() if line.startswith("|") for name in re.findall(r"`([a-z_/]+)`", line)
    }

    assert listed
    for name in (*person_columns([]), *outreach_columns(with_tags=True)):
        assert name in listed_names, name
