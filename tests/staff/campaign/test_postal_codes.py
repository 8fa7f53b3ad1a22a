"""The table of postal codes: checked first, then stored."""

import io
from typing import Any

import pytest
from bs4 import BeautifulSoup
from werkzeug.test import TestResponse

from osdi.access.tokens import WRITE
from osdi.campaign_pages.postal_codes.transfer import upload
from osdi.staff.members import add_member
from osdi.store import Store
from tests.fixtures.campaign_pages import controls, soup
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


OTHER = "postal_code,target\r\n10,2\r\n11,1\r\n"


def numbers(page: BeautifulSoup) -> list[list[str]]:
    """The numbers now and afterwards of each row of the table before a button."""
    return [[cell.get_text() for cell in row.select("td")] for row in page.select("tbody tr")]


class TestReplacing:
    def test_asks_before_another_table_is_lost(self, targets: Screens) -> None:
        send(targets, "store", table=TABLE)

        response = send(targets, "store", table=OTHER)

        page = soup(response)
        assert response.status_code == 200
        assert numbers(page) == [["2", "2"], ["2", "2"], ["0", "1"]]
        assert "1 code leads to a target now, and to nobody afterwards: *" in " ".join(page.get_text().split())
        assert "10,Ann" in stored(targets)

    def test_is_done_by_the_button_of_that_page(self, targets: Screens) -> None:
        send(targets, "store", table=TABLE)
        asked = dict(controls(soup(send(targets, "store", table=OTHER)).select_one("main form")))  # type: ignore[arg-type]

        response = targets.browser.post(targets.path + PATH, {**asked, "act": "store"})

        assert response.headers["Location"].endswith("done=postal_codes_stored")
        assert stored(targets).split() == ["postal_code,target", "10,Town", "hall", "11,Ann"]

    def test_asks_again_if_a_third_table_came_meanwhile(self, targets: Screens, store: Store) -> None:
        send(targets, "store", table=TABLE)
        asked = dict(controls(soup(send(targets, "store", table=OTHER)).select_one("main form")))  # type: ignore[arg-type]
        third = "postal_code,target\n12,1\n13,1\n14,1\n"
        campaign = store.get("advocacy_campaigns", targets.api.campaign_id)
        assert campaign
        upload(store, campaign, third, dry_run=False)

        response = targets.browser.post(targets.path + PATH, {**asked, "act": "store"})

        assert response.status_code == 200
        assert numbers(soup(response))[0] == ["3", "2"]
        assert "12,Ann" in stored(targets)

    @pytest.mark.parametrize(
        ("before", "after"),
        [("", TABLE), (TABLE, TABLE), (TABLE, "target;postal_code\n1;10\nTown hall;*\n")],
        ids=["no table", "the same file", "the same table in another file"],
    )
    def test_asks_nothing_if_nothing_is_lost(self, targets: Screens, before: str, after: str) -> None:
        if before:
            send(targets, "store", table=before)

        assert send(targets, "store", table=after).status_code == 303

    def test_counts_the_codes_whose_target_has_left_the_campaign(self, targets: Screens) -> None:
        send(targets, "store", table=TABLE)
        targets.api.put(targets.address, {"target_list": [{"given_name": "Ann"}]})

        page = soup(send(targets, "store", table="postal_code,target\n1,1\n"))

        assert numbers(page) == [["2", "1"], ["2", "1"], ["1", "1"]]

    def test_carries_a_long_table_to_the_button(self, targets: Screens) -> None:
        send(targets, "store", table=TABLE)
        lines = "".join(f"{number:06},Town hall\r\n" for number in range(25_000))

        page = soup(send(targets, "store", file=f"postal_code,target\r\n{lines}".encode()))
        asked = dict(controls(page.select_one("main form")))  # type: ignore[arg-type]

        assert numbers(page)[0] == ["2", "25,000"]
        assert targets.browser.post(targets.path + PATH, {**asked, "act": "store"}).status_code == 303
        assert stored(targets).count("\n") == 25_001

    @pytest.mark.parametrize("digest", ["", "\u2603", "0" * 64])
    def test_needs_the_name_of_the_table_that_is_lost(self, targets: Screens, digest: str) -> None:
        send(targets, "store", table=TABLE)

        response = targets.browser.post(targets.path + PATH, {"act": "store", "table": OTHER, "replaces": digest})

        assert response.status_code == 200
        assert "10,Ann" in stored(targets)


class TestDeleting:
    DELETE = f"{PATH}/delete"

    def test_asks_first_and_then_says_that_it_is_done(self, targets: Screens) -> None:
        send(targets, "store", table=TABLE)
        assert targets.open(PATH).select_one(f"a[href$='{self.DELETE}']") is not None
        assert numbers(targets.open(self.DELETE)) == [["2", "0"], ["2", "0"], ["0", "2"]]

        response = targets.send(self.DELETE)

        assert response.headers["Location"].endswith("?done=postal_codes_deleted")
        assert stored(targets).split() == ["postal_code,target"]
        assert targets.open(PATH).select_one(f"a[href$='{self.DELETE}']") is None

    @pytest.mark.parametrize(("selection", "warned"), [("postal_code", True), ("all", False)])
    def test_warns_if_the_page_finds_targets_by_the_table(self, targets: Screens, selection: str, warned: bool) -> None:
        send(targets, "store", table=TABLE)
        targets.api.put(f"{targets.address}/page", {"targets": {"selection": selection}})

        assert ("no postal code leads to anybody" in targets.open(self.DELETE).get_text()) == warned

    @pytest.mark.parametrize("digest", [None, "", "\u2603"], ids=["another table", "no name", "no digest"])
    def test_deletes_only_the_table_that_was_shown(self, targets: Screens, digest: str | None) -> None:
        send(targets, "store", table=TABLE)
        sent = targets.controls(self.DELETE)
        if digest is None:
            confirmed = dict(controls(soup(send(targets, "store", table=OTHER)).select_one("main form")))  # type: ignore[arg-type]
            targets.browser.post(targets.path + PATH, {**confirmed, "act": "store"})
        else:
            sent["replaces"] = digest

        response = targets.browser.post(targets.path + self.DELETE, sent)

        assert response.status_code == 412
        assert "Nothing is deleted" in soup(response).select_one(".errors").get_text()  # type: ignore[union-attr]
        assert stored(targets).count("\n") == 3

    def test_of_no_table_offers_no_button(self, targets: Screens) -> None:
        assert targets.open(self.DELETE).select("main form") == []
        assert targets.browser.post(targets.path + self.DELETE, {}).status_code == 303
