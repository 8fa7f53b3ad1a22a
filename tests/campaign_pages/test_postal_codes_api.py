"""The API of a campaign's postal codes: upload, dry run, download, deletion, and their limits."""

import gzip
from pathlib import Path

import pytest
from pymongo.database import Database
from werkzeug.test import TestResponse

from osdi.access.tokens import READ
from osdi.backup.backup import check_backup, restore_backup, write_backup
from osdi.campaign_pages.postal_codes.postal_codes_store import look_up
from osdi.settings import Settings
from osdi.store import Store
from osdi.store.indexes import POSTAL_CODES
from tests.support import factories
from tests.support.client import Client

TARGETS = [{"given_name": "Ada", "family_name": "Lovelace"}, {"ocdid": "ocd-division/country:de/wk:2"}]
KEY = "name:|ada|lovelace|"


@pytest.fixture
def path(api: Client) -> str:
    """The address of the table of a campaign with two targets."""
    campaign = api.created("/advocacy_campaigns", {"title": "River", "target_list": TARGETS})
    path: str = campaign["_links"]["self"]["href"]
    return f"{path}/page/postal_codes"


def upload(api: Client, path: str, text: str | bytes, *, query: str = "", **headers: str) -> TestResponse:
    headers = {"OSDI-API-Token": api.token, "Content-Type": "text/csv", **headers}
    return api.http.put(api._path(path) + query, data=text, headers=headers)


def campaign_id(path: str) -> str:
    return path.split("/")[-3]


def test_an_uploaded_table_is_used_and_comes_back(api: Client, path: str, store: Store) -> None:
    response = upload(api, path, "postal_code,target\n20,2\n10115,Ada Lovelace\n10115,2\n")
    assert response.status_code == 200
    assert response.json["stored"] is True
    assert (response.json["lines"], response.json["postal_codes"], response.json["targets"]) == (3, 2, 2)
    assert response.json["codes_with_several_targets"] == ["10115"]
    assert response.json["_links"]["self"]["href"] == path
    assert look_up(store, campaign_id(path), "20095").keys == ("ocdid:ocd-division/country:de/wk:2",)

    table = api.get(path)
    assert table.mimetype == "text/csv"
    lines = ["postal_code,target", "10115,Ada Lovelace", "10115,ocd-division/country:de/wk:2"]
    assert table.text.splitlines() == [*lines, "20,ocd-division/country:de/wk:2"]
    assert upload(api, path, table.text).json["postal_codes"] == 2


def test_a_campaign_without_a_table_returns_the_header_alone(api: Client, path: str) -> None:
    assert api.get(path).text == "postal_code,target\r\n"


def test_a_dry_run_reports_problems_and_stores_nothing(api: Client, path: str) -> None:
    response = upload(api, path, "postal_code,target\n10115,Nobody\n20,2\n", query="?dry_run=true")
    assert response.status_code == 200
    assert (response.json["stored"], response.json["total_problems"]) == (False, 1)
    assert response.json["problems"][0]["line"] == 2
    assert response.json["targets_without_code"] == ["Ada Lovelace"]
    assert api.get(path).text == "postal_code,target\r\n"


def test_a_table_with_a_problem_is_rejected_as_a_whole(api: Client, path: str) -> None:
    assert upload(api, path, "postal_code,target\n10115,1\n").status_code == 200
    response = upload(api, path, "postal_code,target\n20,2\n10115,Nobody\n")
    assert response.status_code == 400
    assert response.json["error"] == "line 3: No target of the campaign has this number, name or ocdid."
    assert api.get(path).text.splitlines()[1:] == ["10115,Ada Lovelace"]


def test_a_code_follows_its_target_when_the_list_is_sorted_anew(api: Client, path: str, store: Store) -> None:
    upload(api, path, "postal_code,target\n10115,1\n")
    api.put(path.removesuffix("/page/postal_codes"), {"target_list": TARGETS[::-1]})
    assert look_up(store, campaign_id(path), "10115").keys == (KEY,)
    assert api.get(path).text.splitlines()[1:] == ["10115,Ada Lovelace"]


def test_a_target_that_left_the_list_is_found_by_a_dry_run(api: Client, path: str) -> None:
    upload(api, path, "postal_code,target\n10115,1\n20,2\n")
    api.put(path.removesuffix("/page/postal_codes"), {"target_list": TARGETS[:1]})
    response = upload(api, path, api.get(path).text, query="?dry_run=true")
    assert [each["postal_code"] for each in response.json["problems"]] == ["20"]


def test_a_table_can_be_deleted(api: Client, path: str, database: Database) -> None:
    upload(api, path, "postal_code,target\n10115,1\n")
    assert api.delete(path).status_code == 200
    assert api.get(path).text == "postal_code,target\r\n"
    assert database[POSTAL_CODES].count_documents({}) == 0


def test_a_deleted_campaign_leaves_no_postal_codes(api: Client, path: str, database: Database) -> None:
    upload(api, path, "postal_code,target\n10115,1\n")
    assert api.delete(path.removesuffix("/page/postal_codes")).status_code == 200
    assert database[POSTAL_CODES].count_documents({}) == 0


@pytest.mark.parametrize("method", ["get", "put", "delete"])
def test_a_campaign_that_does_not_exist_has_no_table(api: Client, method: str) -> None:
    path = "/advocacy_campaigns/none/page/postal_codes"
    response = upload(api, path, "postal_code,target") if method == "put" else getattr(api, method)(path)
    assert response.status_code == 404


def test_a_table_is_read_and_changed_with_a_token_only(api: Client, path: str, store: Store) -> None:
    headers = {"OSDI-API-Token": factories.token(store, scopes=[READ])}
    assert api.http.get(api._path(path)).status_code == 401
    assert api.http.put(api._path(path), data="postal_code,target").status_code == 401
    assert api.http.get(api._path(path), headers=headers).status_code == 200
    assert api.http.put(api._path(path), data="postal_code,target", headers=headers).status_code == 403
    assert api.http.delete(api._path(path), headers=headers).status_code == 403


def test_fifty_thousand_lines_are_stored_compressed(api: Client, path: str, store: Store) -> None:
    lines = "".join(f"{code},ocd-division/country:de/wk:2\n" for code in range(10_000, 60_000))
    text = f"postal_code,target\n{lines}".encode()
    assert upload(api, path, text).status_code == 413
    response = upload(api, path, gzip.compress(text), **{"Content-Encoding": "gzip"})
    assert response.json["postal_codes"] == 50_000
    assert look_up(store, campaign_id(path), "59999-1").keys == ("ocdid:ocd-division/country:de/wk:2",)


@pytest.mark.parametrize(
    ("body", "coding", "status"),
    [
        (b"\xff\xfe", "identity", 400),
        (b"postal_code,target\n1,\xe4", "identity", 400),
        (b"postal_code,target", "gzip", 400),
        (gzip.compress(b"postal_code,target\n10115,1")[:-5], "gzip", 400),
        (gzip.compress(b"postal_code,target\n10115,1") + b"x", "gzip", 400),
        (b"postal_code,target", "br", 400),
        (gzip.compress(b"1" * 10_000_001), "gzip", 413),
        (b"", "identity", 400),
    ],
    ids=["UTF-16", "ISO 8859-1", "not gzip", "cut off", "followed", "another coding", "bomb", "empty"],
)
def test_a_body_that_is_no_table_is_rejected(api: Client, path: str, body: bytes, coding: str, status: int) -> None:
    response = upload(api, path, body, **{"Content-Encoding": coding})
    assert response.status_code == status
    assert response.json["error"]


def test_a_long_table_is_read_up_to_the_limit_of_a_body(api: Client, path: str) -> None:
    body = "postal_code,target\n" + "\n" * Settings.max_body_bytes
    assert upload(api, path, body).status_code == 413


def test_a_backup_contains_the_tables(api: Client, path: str, store: Store, tmp_path: Path) -> None:
    upload(api, path, "postal_code,target\n10115,1\n")
    with (tmp_path / "backup").open("w+b") as file:
        write_backup(store, file, "test", snapshot=True, begin=lambda _: lambda _: None)
        upload(api, path, "postal_code,target\n10115,2\n")
        header = check_backup(file)
        restore_backup(store, file, header, factories.RULES, send_queued=False, progress=lambda _: None)
    assert look_up(store, campaign_id(path), "10115").keys == (KEY,)
