"""Sessions: how long they last, and what is stored of a browser."""

import datetime as dt
from typing import Any

import pytest
from pymongo.database import Database

from osdi.ids import now
from osdi.staff.members import add_member
from osdi.staff.sessions import (
    StaffSession,
    begin_session,
    device_name,
    end_all_sessions,
    end_session,
    find_session,
    sessions_of,
)
from osdi.store import Store

HOUR = dt.timedelta(hours=1)
START = now()


@pytest.fixture
def begun(store: Store, member: dict[str, Any]) -> tuple[str, StaffSession]:
    return begin_session(store, member, "Firefox on Linux", START)


@pytest.mark.parametrize(
    ("uses", "valid"),
    [
        ([11.9], True),
        ([12], False),
        ([11, 22, 33], True),  # each use extends it
        ([11, 22, 34], False),
        ([11 * number for number in range(1, 16)], True),
        ([11 * number for number in range(1, 16)] + [168], False),  # 7 days after the sign-in
    ],
)
def test_it_ends_12_hours_after_its_last_use_and_7_days_after_the_sign_in(
    store: Store, begun: tuple[str, StaffSession], uses: list[float], valid: bool
) -> None:
    found = [find_session(store, begun[0], START + hours * HOUR) for hours in uses]

    assert (found[-1] is not None) == valid
    assert None not in found[:-1]


def test_its_use_is_stored_at_most_once_a_minute(
    store: Store, database: Database, begun: tuple[str, StaffSession]
) -> None:
    for seconds in (10, 59, 60, 70):
        find_session(store, begun[0], START + dt.timedelta(seconds=seconds))

    assert database.staff_sessions.find_one()["last_used_date"] == START + dt.timedelta(seconds=60)


@pytest.mark.parametrize(("minutes", "fresh"), [(0, True), (9.9, True), (10, False)])
def test_it_is_fresh_for_10_minutes(begun: tuple[str, StaffSession], minutes: float, fresh: bool) -> None:
    assert begun[1].is_fresh(START + dt.timedelta(minutes=minutes)) is fresh


def test_the_database_contains_no_secret(store: Store, database: Database, begun: tuple[str, StaffSession]) -> None:
    assert len(begun[0]) >= 43  # 256 bits in base64
    assert begun[0] not in str(list(database.staff_sessions.find()))


def test_a_sign_in_ends_the_former_session_of_the_browser_only(
    store: Store, member: dict[str, Any], begun: tuple[str, StaffSession]
) -> None:
    elsewhere, _ = begin_session(store, member, "Safari on iPhone", START)

    secret, _ = begin_session(store, member, "Firefox on Linux", START, former=begun[0])

    assert [find_session(store, each, START) is None for each in (begun[0], elsewhere, secret)] == [True, False, False]


def test_only_the_member_can_end_it(store: Store, member: dict[str, Any], begun: tuple[str, StaffSession]) -> None:
    other = add_member(store, "eve@example.org")

    assert end_session(store, other["_id"], begun[1].session_id) is False
    assert find_session(store, begun[0], START) is not None
    assert end_session(store, member["_id"], begun[1].session_id) is True
    assert find_session(store, begun[0], START) is None


def test_all_sessions_of_a_member_end_and_no_other(
    store: Store, member: dict[str, Any], begun: tuple[str, StaffSession]
) -> None:
    other, _ = begin_session(store, add_member(store, "eve@example.org"), "Edge on Windows", START)
    begin_session(store, member, "Safari on iPhone", START)

    assert end_all_sessions(store, member["_id"]) == 2
    assert find_session(store, other, START) is not None


def test_the_list_has_the_valid_sessions_the_last_used_first(store: Store, member: dict[str, Any]) -> None:
    for device, hours in (("old", -13), ("first", -2), ("second", -1)):
        begin_session(store, member, device, START + hours * HOUR)

    assert [each["device"] for each in sessions_of(store, member["_id"], START)] == ["second", "first"]


@pytest.mark.parametrize(
    ("user_agent", "name"),
    [
        ("Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0", "Firefox on Linux"),
        (
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/126.0 Safari/537.36 Edg/126.0",
            "Edge on Windows",
        ),
        (
            "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 Version/17.5 Safari/605.1.15",
            "Safari on macOS",
        ),
        (
            "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1 CriOS/126.0 Mobile Safari/604.1",
            "Chrome on iPhone",
        ),
        (
            "Mozilla/5.0 (Linux; Android 14; SM-S911B) AppleWebKit/537.36 SamsungBrowser/25.0 Chrome/121.0 Safari/537",
            "Samsung Internet on Android",
        ),
        ("curl/8.5.0", "Unknown browser"),
        ("", "Unknown browser"),
        ("<script>alert(1)</script>", "Unknown browser"),
    ],
)
def test_a_browser_is_named_by_program_and_system(user_agent: str, name: str) -> None:
    assert device_name(user_agent) == name
