"""Match keys, and the order in which they match a stored person."""

from typing import Any

import pytest

from osdi.match_keys import MatchKeyRules, MatchKeys, email_key, name_and_postal_code_keys
from osdi.people.matching import IdentifiersClash, match
from tests.support.factories import RULES


def stored(name: str, *keys: str, email: bool = True) -> dict[str, Any]:
    """Returns a stored person who owns these keys."""
    emails = [{"address": f"{name}@example.com"}] if email else []
    return {"_id": name, "match_keys": [f"id:ns:{name}", *keys], "email_addresses": emails}


@pytest.mark.parametrize(
    ("address", "key"),
    [
        ("jane@example.com", "email:jane@example.com"),
        ("Jane@Example.COM", "email:jane@example.com"),
        (" jane@example.com ", "email:jane@example.com"),
        ("jose\u0301@example.com", "email:jos\u00e9@example.com"),
        ("jane@m\u00fcnchen.example", "email:jane@m\u00fcnchen.example"),
        ("jane@xn--mnchen-3ya.example", "email:jane@m\u00fcnchen.example"),
        ("jane@xn--.example", "email:jane@xn--.example"),
        ("\uff4aane@example.com", "email:jane@example.com"),
        ("jane+list@example.com", "email:jane+list@example.com"),
    ],
)
def test_an_email_key_ignores_case_and_composition(address: str, key: str) -> None:
    assert email_key(address) == key


@pytest.mark.parametrize(
    ("entry", "region", "key"),
    [
        ({"number": "19876543210"}, "", "phone:19876543210"),
        ({"number": "+1 (987) 654-3210"}, "", "phone:19876543210"),
        ({"number": "1-987-654-3210"}, "", "phone:19876543210"),
        ({"number": "(987) 654-3210", "country": "US"}, "", "phone:19876543210"),
        ({"number": "(987) 654-3210", "country": "us"}, "", "phone:19876543210"),
        ({"number": "(987) 654-3210"}, "US", "phone:19876543210"),
        ({"number": "987 654 3210"}, "", "phone:9876543210"),
        ({"number": "001 987 654 3210"}, "", "phone:19876543210"),
        ({"number": "030 901820", "country": "DE"}, "US", "phone:4930901820"),
        ({"number": "+49 30 901820"}, "US", "phone:4930901820"),
        *(
            ({"number": number, **country}, "US", "phone:4930901820")
            for country in ({}, {"country": "FR"})
            for number in (
                *("(+49) 30 901820", "( +49 ) 30 901820", "tel:+49-30-901820", "'+4930901820", "M: +49 30 901820"),
                *("\u202a+49 30 901820\u202c", "\u200e+49 30 901820", "\uff0b49 30 901820", "\ufe6249 30 901820"),
                *("00+49 30 901820", "+0049 30 901820", "(0049) 30 901820", "++49 30 901820", "+49 (0)30 901820"),
            )
        ),
        ({"number": "(30) 90 18 20 + 1", "country": "DE"}, "US", "phone:49309018201"),
        ({"number": "19876543210", "country": "Nowhere"}, "", "phone:19876543210"),
        ({"number": "١٩٨٧٦٥٤٣٢١٠"}, "", "phone:19876543210"),
        ({"number": "911"}, "", None),
        ({"number": "123456"}, "", None),
        ({}, "", None),
    ],
)
def test_a_phone_key_is_its_digits_with_country_code(entry: dict[str, str], region: str, key: str | None) -> None:
    assert MatchKeyRules("ns", region).phone_key(entry) == key


def test_identifiers_of_an_untrusted_sender_are_only_claimed() -> None:
    person = {"identifiers": ["crm:1"], "email_addresses": [{"address": "a@example.com"}]}

    assert RULES.match_keys(person, trusted=True).all == ("id:crm:1", "email:a@example.com")
    assert RULES.match_keys(person, trusted=False).all == ("email:a@example.com", "claimed:crm:1")


def test_the_primary_email_is_tried_first() -> None:
    person = {"email_addresses": [{"address": "b@example.com"}, {"address": "a@example.com", "primary": True}]}

    assert RULES.match_keys(person, trusted=True).emails == ("email:a@example.com", "email:b@example.com")


JANE = stored("jane", "id:crm:1", "email:jane@example.com", "phone:19876543210")
JOHN = stored("john", "id:crm:2", "email:john@example.com")
PHONE_ONLY = stored("phone", "phone:15550001111", email=False)
CLAIMED = stored("claimed", "claimed:crm:9", email=False)
CLAIMED_WITH_EMAIL = stored("squatter", "claimed:crm:8")
EVERYBODY = [JANE, JOHN, PHONE_ONLY, CLAIMED, CLAIMED_WITH_EMAIL]


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        (MatchKeys(identifiers=("id:crm:1",)), JANE),
        (MatchKeys(emails=("email:john@example.com",)), JOHN),
        (MatchKeys(identifiers=("id:crm:1",), emails=("email:john@example.com",)), JANE),
        (MatchKeys(identifiers=("id:crm:new",), emails=("email:john@example.com",)), JOHN),
        (MatchKeys(emails=("email:new@example.com", "email:john@example.com")), JOHN),
        (MatchKeys(emails=("email:john@example.com", "email:jane@example.com")), JOHN),
        (MatchKeys(phones=("phone:19876543210",)), JANE),
        (MatchKeys(emails=("email:new@example.com",), phones=("phone:19876543210",)), None),
        (MatchKeys(emails=("email:new@example.com",), phones=("phone:15550001111",)), PHONE_ONLY),
        (MatchKeys(phones=("phone:10000000000",)), None),
        (MatchKeys(claimed=("claimed:crm:9",)), CLAIMED),
        (MatchKeys(claimed=("claimed:crm:9",), emails=("email:new@example.com",)), None),
        (MatchKeys(claimed=("claimed:crm:8",)), None),
        (MatchKeys(), None),
    ],
    ids=[
        "an identifier",
        "an e-mail",
        "an identifier before an e-mail",
        "an e-mail after an unknown identifier",
        "any of several e-mails",
        "the first of two known e-mails",
        "a phone where the post has no e-mail",
        "not a phone where both have an e-mail: households share phones",
        "a phone where the stored person has no e-mail",
        "an unknown phone",
        "a claimed identifier without any other key",
        "not a claimed identifier beside a contact detail",
        "not a claimed identifier of a person with contact details",
        "nothing",
    ],
)
def test_keys_match_in_their_order(keys: MatchKeys, expected: dict[str, Any] | None) -> None:
    assert match(keys, EVERYBODY, reject_clash=True).person is expected


def test_identifiers_of_two_people_clash() -> None:
    keys = MatchKeys(identifiers=("id:crm:2", "id:crm:1"))

    with pytest.raises(IdentifiersClash):
        match(keys, EVERYBODY, reject_clash=True)
    assert match(keys, EVERYBODY, reject_clash=False).person is JOHN


@pytest.mark.parametrize(
    ("keys", "matched_by"),
    [
        (MatchKeys(identifiers=("id:crm:1",), emails=("email:john@example.com",)), "identifier"),
        (MatchKeys(identifiers=("id:crm:new",), emails=("email:john@example.com",)), "email"),
        (MatchKeys(phones=("phone:19876543210",)), "phone"),
        (MatchKeys(claimed=("claimed:crm:9",)), "claimed identifier"),
        (MatchKeys(emails=("email:new@example.com",), phones=("phone:19876543210",)), "new"),
    ],
)
def test_a_match_has_the_kind_of_the_matching_key(keys: MatchKeys, matched_by: str) -> None:
    assert match(keys, EVERYBODY, reject_clash=True).matched_by == matched_by


def test_a_match_has_the_keys_of_other_people() -> None:
    keys = MatchKeys(identifiers=("id:crm:1", "id:crm:new"), emails=("email:john@example.com",))

    found = match(keys, EVERYBODY, reject_clash=True)

    assert found.owners == {"id:crm:1": JANE, "email:john@example.com": JOHN}
    assert found.owned_elsewhere == {"email:john@example.com"}


def test_all_owned_keys_of_a_new_person_belong_to_other_people() -> None:
    keys = MatchKeys(emails=("email:new@example.com",), phones=("phone:19876543210",))

    assert match(keys, EVERYBODY, reject_clash=True).owned_elsewhere == {"phone:19876543210"}


@pytest.mark.parametrize(
    ("given_name", "family_name", "codes", "keys"),
    [
        ("Jane", "Doe", ["10011"], ["jane doe|10011"]),
        ("JANE ", " doe", ["10011-1234"], ["jane doe|10011"]),
        ("José-María", "O'Neil", ["sw1a 1AA"], ["josemaria oneil|sw1a1aa"]),
        ("Jane", "Doe", ["10011", "10011-1234", "20095"], ["jane doe|10011", "jane doe|20095"]),
        ("Анна", "Йорк", ["101000"], ["анна иорк|101000"]),
        ("Jane", "Doe", [], []),
        ("Jane", "Doe", ["", "-"], []),
        ("Jane", "", ["10011"], []),
        ("", "Doe", ["10011"], []),
        ("...", "Doe", ["10011"], []),
        ("J" * 101, "Doe", ["10011"], []),
    ],
)
def test_a_name_with_a_postal_code_is_a_key(
    given_name: str, family_name: str, codes: list[str], keys: list[str]
) -> None:
    person = {
        "given_name": given_name,
        "family_name": family_name,
        "postal_addresses": [{"postal_code": code} for code in codes] + [{"locality": "Riverton"}],
    }

    assert name_and_postal_code_keys(person) == [f"name_and_postal_code:{key}" for key in keys]


def test_a_name_matches_no_person() -> None:
    jane = {"given_name": "Jane", "family_name": "Doe", "postal_addresses": [{"postal_code": "10011"}]}

    namesake = stored("jane", *name_and_postal_code_keys(jane))

    assert match(RULES.match_keys(jane, trusted=True), [namesake], reject_clash=True).person is None


def test_keys_that_a_person_does_not_own_are_unclaimed_keys() -> None:
    person: dict[str, Any] = {
        "match_keys": ["id:ns:1", "email:a@example.com"],
        "email_addresses": [{"address": "a@example.com"}, {"address": "b@example.com"}],
    }

    RULES.set_derived_keys(person)

    assert person["contact_keys"] == ["email:a@example.com", "email:b@example.com"]
    assert (person["unclaimed_keys"], person["maybe_duplicate"]) == (["email:b@example.com"], True)
    person["match_keys"].append("email:b@example.com")
    RULES.set_derived_keys(person)
    assert not {"unclaimed_keys", "maybe_duplicate"} & person.keys()
