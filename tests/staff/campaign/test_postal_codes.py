"""The table of postal codes: checked first, then stored."""

import io
from typing import Any

import pytest
from werkzeug.test import TestResponse

from osdi.access.tokens import WRITE
from osdi.staff.members import add_member
from osdi.store import Store
from tests.fixtures.campaign_pages import soup
from tests.staff.campaign.conftest import Screens
from tests.staff.conftest import SignedIn

PATH = "/postal-codes"
TABLE = "postal_code,target\r\n10,1\r\n*,Town hall\r\n"
WRONG = "postal_code,target\r\n10,1\r\n20,<b>Nobody</b>\r\n"


@pytest.fixture
def targets(screens: Screens) -> Screens:
    """The screens of a campaign with two targets."""
    screens.api.put(screens.address, {"target_list": [{"given_name": "Ann"}, {"organization": "Town hall"}]})
    return screens


def send(screens: Screens, act: str, *, table: str = "", file: bytes | None = None) -> TestResponse:
    sent: dict[str, Any] = {**screens.controls(PATH), "act": act, "table": table}
    if file is not None:
        sent["file"] = (io.BytesIO(file), "codes.csv")
    return screens.browser.post(screens.path + PATH, sent)


def stored(screens: Screens) -> str:
    return screens.api.get(f"{screens.address}/page/postal_codes").text


@pytest.mark.parametrize("sent", [{"table": TABLE}, {"file": TABLE.encode()}], ids=["text", "file"])
def test_a_check_reports_and_stores_nothing_and_keeps_the_text(targets: Screens, sent: dict[str, Any]) -> None:
    response = send(targets, "check", **sent)

    assert response.status_code == 200
    page = soup(response)
    assert "can be stored" in page.find(id="report").get_text()  # type: ignore[union-attr]
    assert page.find(id="table").get_text().split() == TABLE.split()  # type: ignore[union-attr]
    assert stored(targets).split() == ["postal_code,target"]


@pytest.mark.parametrize("sent", [{"table": TABLE}, {"file": TABLE.encode()}], ids=["text", "file"])
def test_a_table_is_stored_and_can_be_downloaded(targets: Screens, sent: dict[str, Any]) -> None:
    response = send(targets, "store", **sent)

    assert response.status_code == 303
    assert "10,Ann" in stored(targets)
    assert targets.browser.get(f"{targets.path}/postal-codes.csv").text == stored(targets)


def test_a_file_may_be_longer_than_the_body_of_a_program(targets: Screens) -> None:
    lines = "".join(f"{number:06},Town hall\r\n" for number in range(20_000))

    response = send(targets, "check", file=f"postal_code,target\r\n{lines}".encode())

    assert response.status_code == 200
    page = soup(response)
    assert "20,000" in page.select_one(".report dl").get_text()  # type: ignore[union-attr]
    assert "once more" in page.find(id="file-hint").get_text()  # type: ignore[union-attr]


def test_a_check_lists_the_lines_that_cannot_be_used(targets: Screens) -> None:
    response = send(targets, "check", table=WRONG)

    cells = [each.get_text() for each in soup(response).select("tbody tr *")]
    assert cells[:3] == ["3", "20", "<b>Nobody</b>"]


@pytest.mark.parametrize(
    "sent",
    [{"table": WRONG}, {"table": ""}, {"table": "a,b\n1,2"}, {"file": b"\xff\xfe"}, {"file": b""}],
    ids=["unknown target", "empty", "other columns", "not UTF-8", "empty file"],
)
def test_a_table_that_cannot_be_used_is_rejected_as_a_whole(targets: Screens, sent: dict[str, Any]) -> None:
    send(targets, "store", table=TABLE)

    response = send(targets, "store", **sent)

    assert response.status_code == 422
    assert soup(response).select(".errors li") != []
    assert "10,Ann" in stored(targets)


def test_a_member_who_may_only_write_sees_no_targets(screens: Screens, store: Store, signed_in: SignedIn) -> None:
    writer = signed_in(add_member(store, "writer@example.org", scopes=[WRITE]))

    for suffix in (PATH, f"{PATH}.csv"):
        assert writer.get(screens.path + suffix).status_code == 403
