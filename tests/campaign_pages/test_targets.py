"""The targets of a post: all of the campaign's, those that the supporter chose, or those of a postal code."""

from typing import Any

import pytest
from werkzeug.datastructures import MultiDict

from osdi.campaign_pages.page_settings import PageSettings
from osdi.campaign_pages.targets import Chosen, InvalidChoice, chosen, target_key, target_name
from osdi.fields.limits import MAX_ANONYMOUS_TARGETS

ADA = {"given_name": "Ada", "family_name": "Lovelace", "ocdid": "ocd-division/country:de/wk:1"}
BEN = {"title": "Senator", "given_name": "Ben", "family_name": "Ohm"}
OFFICE = {"organization": "Water Office", "email_addresses": [{"address": "office@example.org"}]}
LIST = [ADA, BEN, OFFICE]


def choose(selection: str, values: dict[str, Any], target_list: list[dict[str, Any]] = LIST, **options: Any) -> Chosen:
    page = PageSettings.of({"page": {"targets": {"selection": selection}}})
    return chosen(MultiDict(values), {"target_list": target_list}, page, **options)


def test_all_targets_are_copied_to_the_outreach() -> None:
    assert choose("all", {}).targets == (ADA, BEN, OFFICE)


def test_a_choice_in_the_form_changes_nothing_where_the_page_addresses_all() -> None:
    assert choose("all", {"target": ["0"]}).targets == (ADA, BEN, OFFICE)


def test_a_copy_has_the_fields_of_osdi_only() -> None:
    (copy,) = choose("all", {}, [{**ADA, "note": "internal"}]).targets
    assert copy == ADA


def test_an_outreach_to_more_targets_than_it_may_have_has_none() -> None:
    most = [{"given_name": f"Target {number}"} for number in range(MAX_ANONYMOUS_TARGETS)]
    assert len(choose("all", {}, most).targets) == MAX_ANONYMOUS_TARGETS
    assert choose("all", {}, [*most, ADA]).targets == ()


@pytest.mark.parametrize(
    ("sent", "names"),
    [
        (["1"], ["Ben"]),
        (["2", "0"], ["Ada", ""]),
        (["1", "1"], ["Ben"]),
        ([" 1 ", ""], ["Ben"]),
    ],
    ids=["one", "in the order of the list", "twice", "with spaces"],
)
def test_chosen_targets_are_copied_to_the_outreach(sent: list[str], names: list[str]) -> None:
    targets = choose("choose", {"target": sent}).targets
    assert [each.get("given_name", "") for each in targets] == names


@pytest.mark.parametrize(
    "sent", ["3", "-1", "1.0", "01", "+1", "1e0", "\u0660", "none", "0;1", "0 1", "9" * 5_000, "<script>", "\0"]
)
def test_a_target_that_is_not_in_the_list_is_rejected(sent: str) -> None:
    with pytest.raises(InvalidChoice) as raised:
        choose("choose", {"target": ["0", sent]})
    assert (raised.value.control, raised.value.reason) == ("target", "not_in_list")


def test_the_page_asks_for_at_least_one_target() -> None:
    with pytest.raises(InvalidChoice) as raised:
        choose("choose", {})
    assert raised.value.reason == "not_chosen"


def test_a_form_without_a_choice_of_targets_is_recorded_without_targets() -> None:
    assert choose("choose", {}, complete=False) == Chosen()


def test_a_campaign_without_targets_asks_for_none() -> None:
    assert choose("choose", {}, []) == Chosen()


def test_more_targets_than_an_outreach_may_have_are_rejected() -> None:
    many = [{"given_name": f"Target {number}"} for number in range(MAX_ANONYMOUS_TARGETS + 1)]
    with pytest.raises(InvalidChoice) as raised:
        choose("choose", {"target": [str(number) for number in range(len(many))]}, many)
    assert raised.value.reason == "too_many"


def test_a_code_of_one_target_addresses_it() -> None:
    found = choose("postal_code", {"person.postal_code": "10115"}, keys=[target_key(BEN)])
    assert found == Chosen(targets=(BEN,))


def test_a_code_of_two_districts_is_recorded_first_and_asked_then() -> None:
    found = choose("postal_code", {"person.postal_code": "10115"}, keys=[target_key(OFFICE), target_key(ADA)])
    assert found == Chosen(candidates=(0, 2))


def test_a_code_of_nobody_is_recorded_without_targets() -> None:
    assert choose("postal_code", {"person.postal_code": "99999"}) == Chosen(unknown=True)


def test_a_target_that_has_left_the_list_is_not_addressed() -> None:
    found = choose("postal_code", {"person.postal_code": "1"}, [ADA], keys=[target_key(BEN), target_key(ADA)])
    assert found == Chosen(targets=(ADA,))


@pytest.mark.parametrize("code", ["", "  "])
def test_the_page_asks_for_a_postal_code(code: str) -> None:
    with pytest.raises(InvalidChoice) as raised:
        choose("postal_code", {"person.postal_code": code})
    assert (raised.value.control, raised.value.reason) == ("person.postal_code", "no_postal_code")
    assert choose("postal_code", {"person.postal_code": code}, complete=False) == Chosen(unknown=True)


def test_a_target_keeps_its_key_when_a_contact_detail_is_corrected() -> None:
    assert target_key({**BEN, "email_addresses": [{"address": "ben@example.org"}]}) == target_key(BEN)
    assert target_key({**ADA, "family_name": "King"}) == target_key(ADA)


@pytest.mark.parametrize(
    ("target", "name"),
    [
        (ADA, "Ada Lovelace"),
        (BEN, "Senator Ben Ohm"),
        (OFFICE, "Water Office"),
        ({"given_name": "Ada", "organization": "Water Office"}, "Ada"),
        ({"title": "The Mayor"}, "The Mayor"),
        ({"title": "The Mayor", "organization": "Water Office"}, "Water Office"),
        ({}, ""),
    ],
)
def test_a_target_has_a_name_for_readers(target: dict[str, Any], name: str) -> None:
    assert target_name(target) == name
