"""Tokens are shown once, stored as a hash, and carry scopes."""

import pytest

from osdi.auth import ANONYMOUS, Caller, caller_from, new_token, token_hash
from osdi.errors import OsdiError


def test_only_the_hash_is_stored() -> None:
    secret, document = new_token("sync")

    assert secret.startswith("osdi_")
    assert secret not in str(document)
    assert document["hash"] == token_hash(secret)


def test_two_tokens_differ() -> None:
    assert new_token("a")[0] != new_token("a")[0]


def test_a_token_that_is_not_stored_is_401() -> None:
    with pytest.raises(OsdiError) as caught:
        caller_from(None)
    assert caught.value.status == 401


@pytest.mark.parametrize(
    ("scopes", "asked", "let"),
    [
        ({"read"}, "read", True),
        ({"read"}, "write", False),
        ({"write"}, "read", False),
        ({"admin"}, "write", True),
        (set(), "read", False),
    ],
)
def test_scopes(scopes: set[str], asked: str, let: bool) -> None:
    caller = Caller("1", "sync", frozenset(scopes))

    if let:
        caller.require(asked)
    else:
        with pytest.raises(OsdiError) as caught:
            caller.require(asked)
        assert caught.value.status == 403
        assert asked in str(caught.value)


def test_nobody_has_no_token() -> None:
    assert not ANONYMOUS.has_token
