"""The signed token of a form."""

from dataclasses import replace

import pytest

from osdi.campaign_pages.form.form_token import DAY, FormToken, FormTokens
from osdi.store import Store


def test_every_process_reads_the_token_of_another(store: Store) -> None:
    token = FormToken.new("c1", confirmed=True)

    found = FormTokens(store).read(FormTokens(store).signed(token), "c1")

    assert found is not None
    assert (found.campaign_id, found.key, found.confirmed) == ("c1", token.key, True)
    assert abs(found.made - token.made) < 1


@pytest.mark.parametrize("text", ["", "x", "x.y", "x" * 501, "é", "W10.x"])
def test_another_text_is_no_token(store: Store, text: str) -> None:
    assert FormTokens(store).read(text, "c1") is None


def test_a_changed_token_is_no_token(store: Store) -> None:
    tokens = FormTokens(store)
    signed = tokens.signed(FormToken.new("c1"))
    payload, _, signature = signed.partition(".")

    for changed in (signed[:-1], signed + "x", f"{payload[:-2]}xx.{signature}", payload):
        assert tokens.read(changed, "c1") is None


def test_a_token_is_for_one_campaign(store: Store) -> None:
    tokens = FormTokens(store)

    assert tokens.read(tokens.signed(FormToken.new("c1")), "c2") is None


def test_each_form_has_its_own_key() -> None:
    assert len({FormToken.new("c1").key for _ in range(100)}) == 100


def test_a_renewed_token_keeps_its_key() -> None:
    old = replace(FormToken.new("c1"), made=0)

    renewed = old.renewed(confirmed=True)

    assert old.expired()
    assert not renewed.expired()
    assert (renewed.key, renewed.confirmed) == (old.key, True)


@pytest.mark.parametrize(("age", "expired"), [(0, False), (DAY - 60, False), (DAY + 60, True)])
def test_a_token_lasts_for_a_day(age: float, expired: bool) -> None:
    token = FormToken.new("c1")

    assert replace(token, made=token.made - age).expired() is expired


@pytest.mark.parametrize(
    ("age", "seconds", "confirmed", "quick"),
    [
        (1, 2, False, True),
        (3, 2, False, False),
        (1, 2, True, False),
        (1, 0, False, False),
        (-5, 0, False, False),
        (-5, 2, False, True),
    ],
)
def test_a_form_can_be_sent_too_quickly(age: float, seconds: float, confirmed: bool, quick: bool) -> None:
    token = FormToken.new("c1", confirmed=confirmed)

    assert replace(token, made=token.made - age).too_quick(seconds) is quick
