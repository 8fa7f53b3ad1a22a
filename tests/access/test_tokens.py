"""Tokens are shown once, stored as a hash, and have scopes; a campaign and an expiry date are optional."""

import datetime as dt
import re

import pytest

from osdi.access.tokens import ANONYMOUS, Caller, caller_from, new_token, successor, token_hash
from osdi.errors import OsdiError

NOON = dt.datetime(2026, 3, 18, 12)
SECOND = dt.timedelta(seconds=1)


def test_only_the_hash_is_stored() -> None:
    secret, document = new_token("sync")

    assert secret not in str(document)
    assert document["hash"] == token_hash(secret)


def test_a_secret_is_a_prefix_and_256_bits() -> None:
    assert re.fullmatch(r"osdi_[A-Za-z0-9_-]{43}", new_token("sync")[0])


def test_two_tokens_differ() -> None:
    assert new_token("a")[0] != new_token("a")[0]


@pytest.mark.parametrize("bound", [{}, {"person_id": "p", "advocacy_campaign_id": "c"}])
def test_a_token_document_has_only_the_given_person_or_campaign(bound: dict[str, str]) -> None:
    document = new_token("sync", **bound)[1]

    assert set(document) == {"_id", "name", "hash", "scopes", "created_date", *bound}
    assert document.items() >= bound.items()


class TestSuccessor:
    """The successor of a token has the same permissions and holder."""

    def test_it_keeps_all_but_the_secret_and_the_expiry(self) -> None:
        _, former = new_token("sync", ("read",), "p", "c")
        secret, latter = successor(former | {"expires_date": NOON, "last_used_date": NOON})

        kept = ("name", "scopes", "person_id", "advocacy_campaign_id")
        assert {field: latter[field] for field in kept} == {field: former[field] for field in kept}
        assert latter["hash"] == token_hash(secret) != former["hash"]
        assert latter["_id"] != former["_id"]
        assert not {"expires_date", "last_used_date"} & set(latter)

    def test_it_has_the_holder_of_the_first_token(self) -> None:
        first = new_token("sync")[1]
        second = successor(first)[1]
        third = successor(second)[1]

        assert {caller_from(each, NOON).holder_id for each in (first, second, third)} == {first["_id"]}
        assert caller_from(third, NOON).token_id == third["_id"]


def test_an_unknown_token_is_401() -> None:
    with pytest.raises(OsdiError) as caught:
        caller_from(None, NOON)
    assert caught.value.status == 401


@pytest.mark.parametrize(("timestamp", "valid"), [(NOON - SECOND, True), (NOON, False), (NOON + SECOND, False)])
def test_a_token_is_valid_until_it_expires(timestamp: dt.datetime, valid: bool) -> None:
    document = new_token("sync")[1] | {"expires_date": NOON}

    if valid:
        assert caller_from(document, timestamp).has_token
    else:
        with pytest.raises(OsdiError) as caught:
            caller_from(document, timestamp)
        assert caught.value.status == 401


@pytest.mark.parametrize(
    ("scopes", "required", "allowed"),
    [
        ({"read"}, "read", True),
        ({"read"}, "write", False),
        ({"write"}, "read", False),
        ({"admin"}, "write", True),
        (set(), "read", False),
    ],
)
def test_a_scope_is_required(scopes: set[str], required: str, allowed: bool) -> None:
    caller = Caller("1", "sync", frozenset(scopes))

    if allowed:
        caller.require(required)
    else:
        with pytest.raises(OsdiError) as caught:
            caller.require(required)
        assert caught.value.status == 403
        assert required in str(caught.value)


@pytest.mark.parametrize(
    ("campaign", "required", "allowed"),
    [(None, None, True), (None, "c", True), ("c", "c", True), ("c", "d", False), ("c", None, False), ("c", "", False)],
)
def test_a_campaign_is_required(campaign: str | None, required: str | None, allowed: bool) -> None:
    caller = Caller("1", "sync", frozenset({"admin"}), advocacy_campaign_id=campaign)

    if allowed:
        caller.require_campaign(required)
    else:
        with pytest.raises(OsdiError) as caught:
            caller.require_campaign(required)
        assert caught.value.status == 403
        assert "scoped to one campaign" in str(caught.value)


def test_an_anonymous_caller_has_no_token() -> None:
    assert not ANONYMOUS.has_token
