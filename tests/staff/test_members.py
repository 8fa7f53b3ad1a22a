"""Members: their addresses, and what ends when a member is disabled."""

import pytest
from pymongo.database import Database

from osdi.access.tokens import ADMIN, READ
from osdi.errors import OsdiError
from osdi.ids import now
from osdi.staff.links import new_link, use_link
from osdi.staff.members import add_member, caller_of, find_member, set_disabled, staff_address
from osdi.staff.sessions import begin_session, find_session
from osdi.store import Store


@pytest.mark.parametrize(
    ("text", "stored"),
    [
        ("ada@example.org", "ada@example.org"),
        ("  Ada@Example.ORG ", "ada@example.org"),
        ("ada@bücher.example", "ada@xn--bcher-kva.example"),
        ("ada+staff@example.org", "ada+staff@example.org"),
    ],
)
def test_an_address_is_stored_in_one_form(text: str, stored: str) -> None:
    assert staff_address(text) == stored


@pytest.mark.parametrize(
    "text", ["", "ada", "ada@", "@example.org", "a b@example.org", "ada@example.org\nBcc: x@y.z", "a" * 250 + "@b.cd"]
)
def test_something_else_is_no_address(text: str) -> None:
    with pytest.raises(OsdiError, match="address") as caught:
        staff_address(text)
    assert caught.value.status == 400


def test_a_second_member_with_the_address_is_rejected(store: Store) -> None:
    add_member(store, "ada@example.org")

    with pytest.raises(OsdiError, match="already") as caught:
        add_member(store, "ADA@example.org")
    assert caught.value.status == 409


@pytest.mark.parametrize("name", ["x" * 101, "Ada\x1b[31m", "two\nlines"])
def test_a_name_fits_into_a_line(store: Store, name: str) -> None:
    with pytest.raises(OsdiError):
        add_member(store, "ada@example.org", name=name)


@pytest.mark.parametrize("wanted", ["ada@example.org", " Ada@EXAMPLE.org"])
def test_a_member_is_found_by_address(store: Store, wanted: str) -> None:
    member = add_member(store, "ada@example.org")

    assert find_member(store, wanted) == member
    assert find_member(store, member["_id"]) == member
    assert find_member(store, "eve@example.org") is None


def test_a_disabled_member_has_no_session_and_no_link(store: Store, database: Database) -> None:
    member = add_member(store, "ada@example.org")
    secret, _ = begin_session(store, member, "Firefox on Linux", now())
    link = new_link(store, member, now())

    set_disabled(store, member["_id"], disabled=True)

    assert find_session(store, secret, now()) is None
    assert use_link(store, link, now()) is None
    assert database.staff_sessions.count_documents({}) == 0


def test_a_session_that_began_while_its_member_was_disabled_is_not_valid(store: Store) -> None:
    member = add_member(store, "ada@example.org")
    set_disabled(store, member["_id"], disabled=True)

    secret, _ = begin_session(store, member, "Firefox on Linux", now())

    assert find_session(store, secret, now()) is None


def test_an_enabled_member_can_sign_in_again(store: Store) -> None:
    member = add_member(store, "ada@example.org")
    set_disabled(store, member["_id"], disabled=True)
    set_disabled(store, member["_id"], disabled=False)

    assert use_link(store, new_link(store, member, now()), now()) is not None


def test_the_caller_has_the_rights_of_the_member_and_no_name_of_a_person(store: Store) -> None:
    member = add_member(
        store, "ada@example.org", name="Ada", scopes=[READ], person_id="p", advocacy_campaign_id="campaign"
    )

    caller = caller_of(member, "session")

    assert (caller.may(READ), caller.may(ADMIN)) == (True, False)
    assert (caller.person_id, caller.advocacy_campaign_id, caller.holder_id) == ("p", "campaign", member["_id"])
    assert (caller.token_id, caller.name) == ("session", f"staff {member['_id']}")
