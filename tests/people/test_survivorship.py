"""Survivorship: the survivor keeps the identity data of both people, and the strictest opt-outs apply."""

import datetime as dt
from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import given

from osdi.match_keys import email_key
from osdi.people.survivorship import combine
from tests.support.factories import RULES
from tests.support.posts import emails, phones

OLD, NEW = dt.datetime(2020, 1, 1), dt.datetime(2024, 1, 1)
STRICTEST = ["spam complaints", "unsubscribed", "bouncing"]


def person(name: str, **fields: Any) -> dict[str, Any]:
    return {
        "_id": name,
        "version": 3,
        "created_date": NEW,
        "modified_date": NEW,
        "match_keys": [f"id:ns:{name}"],
        **fields,
    }


def combined(survivor: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    return combine(person("s", **survivor), person("o", **other), RULES)


def entry(entry_id: str, day: int = 1, **fields: Any) -> dict[str, Any]:
    date = dt.datetime(2022, 1, day)
    return {"_id": entry_id, "created_date": date, "modified_date": date, **fields}


@pytest.mark.parametrize(
    ("survivor", "other", "expected"),
    [
        ({"given_name": "Jane"}, {"given_name": "Janet"}, {"given_name": "Jane"}),
        ({}, {"given_name": "Janet"}, {"given_name": "Janet"}),
        ({"given_name": "Jane"}, {}, {"given_name": "Jane"}),
        (
            {"custom_fields": {"colour": "blue"}},
            {"custom_fields": {"colour": "red", "size": "L"}},
            {"custom_fields": {"colour": "blue", "size": "L"}},
        ),
        (
            {"birthdate": {"year": 1980}},
            {"birthdate": {"year": 1980, "month": 2}},
            {"birthdate": {"year": 1980, "month": 2}},
        ),
        ({"birthdate": {"year": 1980}}, {"birthdate": {"year": 1970, "month": 2}}, {"birthdate": {"year": 1980}}),
        ({"ethnicities": ["a", "b"]}, {"ethnicities": ["b", "c"]}, {"ethnicities": ["a", "b", "c"]}),
        (
            {"profiles": [{"provider": "x", "handle": "jane"}]},
            {"profiles": [{"provider": "x", "handle": "JANE", "url": "u"}, {"provider": "y", "handle": "jane"}]},
            {"profiles": [{"provider": "x", "handle": "jane", "url": "u"}, {"provider": "y", "handle": "jane"}]},
        ),
        ({"identifiers": ["a:1"]}, {"identifiers": ["b:1", "a:1"]}, {"identifiers": ["a:1", "b:1"]}),
        ({"claimed_identifiers": ["a:1"]}, {"claimed_identifiers": ["b:1"]}, {"claimed_identifiers": ["a:1", "b:1"]}),
        ({"created_date": NEW}, {"created_date": OLD}, {"created_date": OLD}),
        ({"created_date": OLD}, {"created_date": NEW}, {"created_date": OLD}),
        ({"merged_ids": ["a"]}, {"merged_ids": ["b"]}, {"merged_ids": ["a", "o", "b"]}),
        ({"modified_by_id": "x"}, {"modified_by_id": "y", "webhook_events": [{"event": "z"}]}, {"modified_by_id": "x"}),
        (
            {"postal_addresses": [{"postal_code": "10011", "primary": True}]},
            {"postal_addresses": [{"postal_code": "10011", "locality": "X"}, {"postal_code": "1", "primary": True}]},
            {"postal_addresses": [{"postal_code": "10011", "primary": True, "locality": "X"}, {"postal_code": "1"}]},
        ),
    ],
)
def test_the_survivors_values_stay_and_empty_fields_are_filled(
    survivor: dict[str, Any], other: dict[str, Any], expected: dict[str, Any]
) -> None:
    found = combined(survivor, other)

    assert {name: found[name] for name in expected} == expected
    assert "webhook_events" not in found
    assert (found["_id"], found["version"], found["modified_date"]) == ("s", 3, NEW)


@pytest.mark.parametrize(
    ("ours", "theirs", "expected"),
    [
        ("subscribed", "unsubscribed", "unsubscribed"),
        ("unsubscribed", "subscribed", "unsubscribed"),
        ("bouncing", "unsubscribed", "unsubscribed"),
        ("unsubscribed", "spam complaints", "spam complaints"),
        ("spam complaints", "unsubscribed", "spam complaints"),
        ("bouncing", None, "bouncing"),
        (None, "bouncing", "bouncing"),
        (None, "subscribed", "subscribed"),
        (None, None, None),
    ],
)
def test_the_stricter_status_of_an_address_applies(ours: str | None, theirs: str | None, expected: str | None) -> None:
    def stated(address: str, status: str | None) -> dict[str, Any]:
        return {"email_addresses": [{"address": address, **({"status": status} if status else {})}]}

    (found,) = combined(stated("jane@example.com", ours), stated("JANE@example.com", theirs))["email_addresses"]

    assert found["address"] == "jane@example.com"
    assert found.get("status") == expected


def test_a_status_applies_to_its_address_only() -> None:
    other = {"email_addresses": [{"address": "b@example.com", "status": "unsubscribed"}]}

    found = combined({"email_addresses": [{"address": "a@example.com", "status": "subscribed"}]}, other)

    assert [each["status"] for each in found["email_addresses"]] == ["subscribed", "unsubscribed"]


@pytest.mark.parametrize(
    ("ours", "theirs", "expected"),
    [
        ({"do_not_call": False}, {"do_not_call": True}, {"do_not_call": True}),
        ({"do_not_call": True}, {"do_not_call": False}, {"do_not_call": True}),
        ({"sms_capable": True}, {"sms_capable": False}, {"sms_capable": False}),
        ({}, {"sms_capable": True, "extension": "7"}, {"sms_capable": True, "extension": "7"}),
        ({}, {"country": "DE"}, {}),
    ],
)
def test_the_stricter_opt_out_of_a_number_applies(
    ours: dict[str, Any], theirs: dict[str, Any], expected: dict[str, Any]
) -> None:
    found = combined(
        {"phone_numbers": [{"number": "19876543210", **ours}]},
        {"phone_numbers": [{"number": "+1 987 654 3210", **theirs}]},
    )

    assert found["phone_numbers"] == [{"number": "19876543210", **expected}]


def test_the_primary_address_stays() -> None:
    other = {"email_addresses": [{"address": "b@example.com", "primary": True}]}

    assert combined({"email_addresses": [{"address": "a@example.com"}]}, other)["email_addresses"] == [
        {"address": "a@example.com"},
        {"address": "b@example.com"},
    ]
    assert combined({}, other)["email_addresses"] == other["email_addresses"]


def test_a_tag_of_both_is_one_with_the_older_date() -> None:
    ours = entry("1", 5, tag_id="a", identifiers=["x:1"])
    theirs = [entry("2", 3, tag_id="a", identifiers=["x:2"], origin_system="crm"), entry("3", tag_id="b")]

    found = combined({"taggings": [ours]}, {"taggings": theirs})["taggings"]

    one = {"created_date": dt.datetime(2022, 1, 3), "identifiers": ["x:1", "x:2"], "origin_system": "crm"}
    assert found == [{**ours, **one}, theirs[1]]


@pytest.mark.parametrize(
    ("ours", "theirs", "expected"),
    [
        ("yes@1", "no@2", "yes@1 no@2"),
        ("yes@3", "no@2", "no@2 yes@3"),
        ("yes@1", "yes@2", "yes@1"),
        ("yes@3", "yes@2", "yes@3"),
        ("yes@1 no@3", "yes@5", "yes@1 no@3 yes@5"),
        ("yes@1 yes@4", "no@2 no@3", "yes@1 no@2 yes@4"),
    ],
)
def test_answers_are_in_the_order_of_their_dates(ours: str, theirs: str, expected: str) -> None:
    def answers(text: str, prefix: str) -> list[dict[str, Any]]:
        parted = (each.split("@") for each in text.split())
        return [
            entry(f"{prefix}{day}", int(day), action_date=dt.datetime(2022, 1, int(day)), question_id="q", value=value)
            for value, day in parted
        ]

    found = combined({"answers": answers(ours, "s")}, {"answers": answers(theirs, "o")})["answers"]

    assert " ".join(f"{each['value']}@{each['action_date'].day}" for each in found) == expected
    assert {each["_id"] for each in answers(ours, "s")} <= {each["_id"] for each in found}


def test_a_key_of_the_duplicate_is_no_longer_unclaimed() -> None:
    key = "email:jane@example.com"
    contact = {"email_addresses": [{"address": "jane@example.com"}], "contact_keys": [key]}
    sharing = {**contact, "unclaimed_keys": [key], "maybe_duplicate": True}

    found = combined(sharing, {**contact, "match_keys": ["id:ns:o", key]})

    assert found["match_keys"] == ["id:ns:s", "id:ns:o", key]
    assert not {"unclaimed_keys", "maybe_duplicate"} & found.keys()


identifiers = st.lists(st.sampled_from(["crm:1", "crm:2", "crm:3"]), unique=True)
dates = st.integers(1, 5)
pointing = st.lists(st.tuples(st.sampled_from("abc"), dates), unique_by=lambda each: each[0])
answers = st.lists(st.tuples(st.sampled_from("pq"), dates, st.sampled_from(["yes", "no"])), max_size=4)
places = st.fixed_dictionaries(
    {"postal_code": st.sampled_from(["10011", "10012", "20095"])},
    optional={"locality": st.sampled_from(["Riverton", "riverton", "Hamburg"])},
)


@st.composite
def people(draw: st.DrawFn, name: str) -> dict[str, Any]:
    """Draws a person with identifiers, contact details, taggings, items and answers."""
    found = {
        "identifiers": draw(identifiers),
        "claimed_identifiers": draw(identifiers),
        "email_addresses": draw(emails),
        "phone_numbers": draw(phones),
        "postal_addresses": draw(st.lists(places, max_size=3)),
        "taggings": [entry(f"{name}t{to}", day, tag_id=to) for to, day in draw(pointing)],
        "items": [entry(f"{name}i{to}", day, list_id=to) for to, day in draw(pointing)],
        "answers": [
            entry(f"{name}{n}", day, action_date=dt.datetime(2022, 1, day), question_id=to, value=value)
            for n, (to, day, value) in enumerate(sorted(draw(answers), key=lambda each: each[1]))
        ],
    }
    keys = [f"id:{each}" for each in found["identifiers"]]
    present = {field: value for field, value in found.items() if value}
    return person(name, **present) | {"match_keys": [f"id:ns:{name}", *keys]}


@given(people("s"), people("o"))
def test_no_data_of_either_is_lost(survivor: dict[str, Any], other: dict[str, Any]) -> None:
    before = repr((survivor, other))

    found = combine(survivor, other, RULES)

    assert repr((survivor, other)) == before, "the arguments are not changed"
    for each in (survivor, other):
        for array in ("identifiers", "claimed_identifiers", "match_keys"):
            assert set(each.get(array, ())) <= set(found.get(array, ()))
        for array, key in (("taggings", "tag_id"), ("items", "list_id")):
            assert {entry[key] for entry in each.get(array, ())} <= {entry[key] for entry in found.get(array, ())}
        for array in ("email_addresses", "phone_numbers"):
            assert set(contacts(each, array)) <= set(contacts(found, array))
        assert {code["postal_code"] for code in each.get("postal_addresses", ())} <= {
            code["postal_code"] for code in found.get("postal_addresses", ())
        }
        for answer in each.get("answers", ()):
            stated = {(a["question_id"], a["value"]) for a in found["answers"]}
            assert (answer["question_id"], answer["value"]) in stated


@given(people("s"), people("o"))
def test_each_tag_and_list_occurs_once_and_the_latest_answers_stay(
    survivor: dict[str, Any], other: dict[str, Any]
) -> None:
    found = combine(survivor, other, RULES)

    for array, key in (("taggings", "tag_id"), ("items", "list_id")):
        pointed = [entry[key] for entry in found.get(array, ())]
        assert len(pointed) == len(set(pointed))
    given = [*survivor.get("answers", ()), *other.get("answers", ())]
    for question in {answer["question_id"] for answer in given}:
        latest = max(answer["action_date"] for answer in given if answer["question_id"] == question)
        last = [answer["value"] for answer in found["answers"] if answer["question_id"] == question][-1]
        at_the_end = [a["value"] for a in given if a["question_id"] == question and a["action_date"] == latest]
        assert last in at_the_end


@given(people("s"), people("o"))
def test_the_strictest_status_applies_for_every_pair_of_people(survivor: dict[str, Any], other: dict[str, Any]) -> None:
    found = combine(survivor, other, RULES)

    for address in found.get("email_addresses", ()):
        stated = {
            each.get("status")
            for each in (*survivor.get("email_addresses", ()), *other.get("email_addresses", ()))
            if email_key(each["address"]) == email_key(address["address"])
        }
        strictest = next((status for status in STRICTEST if status in stated), None)
        assert strictest is None or address["status"] == strictest


def contacts(document: dict[str, Any], array: str) -> list[str]:
    """Returns the values by which entries are compared."""
    if array == "email_addresses":
        return [email_key(each["address"]) for each in document.get(array, ())]
    return [RULES.phone_key(each) or each["number"] for each in document.get(array, ())]
