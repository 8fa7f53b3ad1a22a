"""The browsers of a member: the list, and signing out of one, of all, and by an operator."""

from typing import Any

from pymongo.database import Database

from osdi.staff.members import add_member, set_disabled
from osdi.store import Store
from tests.staff.conftest import SignedIn, StaffBrowser


def test_the_list_names_each_browser_and_marks_the_present_one(ada: StaffBrowser, database: Database) -> None:
    database.staff_sessions.update_one({}, {"$set": {"device": "<b>Firefox</b> on Linux"}})

    page = ada.get("/staff/devices").text

    assert "&lt;b&gt;Firefox&lt;/b&gt; on Linux" in page
    assert "this browser" in page


def test_a_browser_is_signed_out_from_another_one(
    ada: StaffBrowser, signed_in: SignedIn, member: dict[str, Any], database: Database
) -> None:
    telephone = signed_in(member)
    session_id = database.staff_sessions.find_one(sort=[("_id", -1)])["_id"]

    response = ada.post(f"/staff/devices/{session_id}/sign-out")

    assert response.headers["Location"] == "/staff/devices?done=device_signed_out"
    assert telephone.get("/staff").status_code == 303
    assert ada.get("/staff").status_code == 200


def test_nobody_signs_another_member_out(
    ada: StaffBrowser, store: Store, signed_in: SignedIn, database: Database
) -> None:
    eve = signed_in(add_member(store, "eve@example.org"))
    session_id = database.staff_sessions.find_one(sort=[("_id", -1)])["_id"]

    assert ada.post(f"/staff/devices/{session_id}/sign-out").status_code == 404
    assert eve.get("/staff").status_code == 200


def test_all_browsers_are_signed_out_at_once(ada: StaffBrowser, signed_in: SignedIn, member: dict[str, Any]) -> None:
    telephone = signed_in(member)

    response = ada.post("/staff/devices/sign-out")

    assert response.headers["Location"] == "/staff/sign-in?done=signed_out_everywhere"
    assert "You are signed out of all browsers." in ada.get(response.headers["Location"]).text
    assert [each.get("/staff").status_code for each in (ada, telephone)] == [303, 303]


def test_a_disabled_member_is_signed_out(ada: StaffBrowser, store: Store, member: dict[str, Any]) -> None:
    set_disabled(store, member["_id"], disabled=True)

    assert ada.get("/staff").status_code == 303


def test_a_notice_is_one_of_ours(ada: StaffBrowser) -> None:
    assert 'role="status"' not in ada.get("/staff/devices?done=<b>you have won</b>").text
