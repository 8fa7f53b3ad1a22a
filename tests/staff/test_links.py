"""Links and codes: used once, valid for 15 minutes, and stored as hashes."""

import datetime as dt
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from pymongo.database import Database

from osdi.ids import now
from osdi.staff import links
from osdi.staff.links import SignIn, address_of_link, code_hash, new_code, new_link, use_code, use_link
from osdi.staff.sessions import secret_hash
from osdi.store import Store

START = now()
BROWSER = "b" * 43
MINUTE = dt.timedelta(minutes=1)


def asked(store: Store, database: Database, member: dict[str, Any], browser: str = BROWSER, page: str = "") -> str:
    """The code of a mail that a browser has asked for, as the worker makes it."""
    links.request_mail(store, member["email"], browser, START, next_page=page)
    code = new_code()
    pending = {"hash": {"$exists": False}, "staff_id": {"$exists": False}}
    change = {"staff_id": member["_id"], "code_hash": code_hash(code), "hash": secret_hash(code * 9)}
    assert database.staff_links.update_one(pending, {"$set": change}).matched_count == 1
    return code


class TestALink:
    @pytest.mark.parametrize(("minutes", "valid"), [(0, True), (14.9, True), (15, False), (60, False)])
    def test_is_valid_for_15_minutes(self, store: Store, member: dict[str, Any], minutes: float, valid: bool) -> None:
        secret = new_link(store, member, START)

        assert (use_link(store, secret, START + minutes * MINUTE) is not None) == valid

    def test_is_looked_at_without_being_used_up(self, store: Store, member: dict[str, Any]) -> None:
        secret = new_link(store, member, START)

        assert [bool(links.sign_in_of_link(store, secret, START)) for _ in range(10)] == [True] * 10
        assert use_link(store, secret, START) is not None

    def test_works_once_of_twenty_simultaneous_uses(self, store: Store, member: dict[str, Any]) -> None:
        secret = new_link(store, member, START)

        with ThreadPoolExecutor(20) as threads:
            found = list(threads.map(lambda _: use_link(store, secret, START), range(20)))

        assert sum(each is not None for each in found) == 1

    def test_that_has_ended_still_names_its_address(self, store: Store, member: dict[str, Any]) -> None:
        secret = new_link(store, member, START)
        use_link(store, secret, START)

        assert use_link(store, secret, START) is None
        assert address_of_link(store, secret) == "ada@example.org"
        assert address_of_link(store, "x" * 43) == ""

    def test_is_not_in_the_database(self, store: Store, database: Database, member: dict[str, Any]) -> None:
        secret = new_link(store, member, START)

        assert secret not in str(list(database.staff_links.find()))


class TestACode:
    def test_works_in_the_browser_that_asked_and_once(
        self, store: Store, database: Database, member: dict[str, Any]
    ) -> None:
        code = asked(store, database, member, page="/staff/campaigns")

        assert use_code(store, "c" * 43, code, START) is None
        assert use_code(store, BROWSER, code, START) == SignIn(
            database.staff_links.find_one()["_id"], member, "/staff/campaigns"
        )
        assert use_code(store, BROWSER, code, START) is None

    @pytest.mark.parametrize("change", [str.lower, lambda code: code.replace("-", ""), lambda code: f" {code} "])
    def test_may_be_typed_in_other_ways(
        self, store: Store, database: Database, member: dict[str, Any], change: Any
    ) -> None:
        assert use_code(store, BROWSER, change(asked(store, database, member)), START) is not None

    @pytest.mark.parametrize("wrong", ["", "ABCD-EFGH", "-", "x" * 1_000, "ß", "\ud800"])
    def test_of_another_text_does_not_work(
        self, store: Store, database: Database, member: dict[str, Any], wrong: str
    ) -> None:
        asked(store, database, member)

        assert use_code(store, BROWSER, wrong, START) is None

    @pytest.mark.parametrize(("guesses", "works"), [(4, True), (5, False)])
    def test_ends_after_five_wrong_ones(
        self, store: Store, database: Database, member: dict[str, Any], guesses: int, works: bool
    ) -> None:
        code = asked(store, database, member)
        for _ in range(guesses):
            use_code(store, BROWSER, "WRNG-CODE", START)

        assert (use_code(store, BROWSER, code, START) is not None) == works

    def test_is_not_used_up_by_wrong_codes_of_another_browser(
        self, store: Store, database: Database, member: dict[str, Any]
    ) -> None:
        code = asked(store, database, member)
        for _ in range(9):
            use_code(store, "c" * 43, "WRNG-CODE", START)

        assert use_code(store, BROWSER, code, START) is not None

    def test_expires_with_its_link(self, store: Store, database: Database, member: dict[str, Any]) -> None:
        code = asked(store, database, member)

        assert use_code(store, BROWSER, code, START + 15 * MINUTE) is None

    def test_of_an_earlier_mail_still_works(self, store: Store, database: Database, member: dict[str, Any]) -> None:
        first = asked(store, database, member)
        asked(store, database, member)

        assert use_code(store, BROWSER, first, START) is not None

    def test_has_forty_random_bits_without_letters_that_look_alike(self) -> None:
        codes = {new_code() for _ in range(200)}

        assert len(codes) == 200
        assert {len(code) for code in codes} == {9}
        assert not set("".join(codes)) & set("IO01")
