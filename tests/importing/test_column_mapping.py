"""Mapping of the columns of a file to fields."""

import pytest

from osdi.importing.csv_files.column_mapping import CUSTOM_BECAUSE, OUTREACHES, PEOPLE, guess_columns, known_field

ACTION_NETWORK = {
    "uuid": "identifiers[action_network]",
    "first_name": "given_name",
    "last_name": "family_name",
    "email": "email_addresses[0].address",
    "Phone Number": "phone_numbers[0].number",
    "can2_phone": "phone_numbers[mobile].number",
    "can2_sms_status": "texts_opted_in",
    "can2_user_address": "postal_addresses[0].address_lines",
    "can2_user_city": "postal_addresses[0].locality",
    "can2_state_abbreviated": "postal_addresses[0].region",
    "zip_code": "postal_addresses[0].postal_code",
    "country": "postal_addresses[0].country",
    "can2_user_tags": "add_tags",
    "can2_subscription_status": "email_addresses[0].status",
    "can2_county": "custom_fields.can2_county",
    "created_at": "custom_fields.created_at",
    "Volunteer_Postcards": "custom_fields.Volunteer_Postcards",
}


def fields(names: list[str], kind: str = PEOPLE, **options: object) -> dict[str, str]:
    return {column.name: column.field for column in guess_columns(names, kind, **options)}


def test_every_column_of_an_action_network_export_has_a_field() -> None:
    assert fields(list(ACTION_NETWORK)) == ACTION_NETWORK


@pytest.mark.parametrize(
    ("name", "field"),
    [
        ("given_name", "given_name"),
        ("First Name", "given_name"),
        ("FIRST-NAME", "given_name"),
        ("Vorname", "given_name"),
        ("E-Mail", "email_addresses[0].address"),
        ("email_address", "email_addresses[0].address"),
        ("Postal Code", "postal_addresses[0].postal_code"),
        ("PLZ", "postal_addresses[0].postal_code"),
        ("Date of Birth", "birthdate"),
        ("custom_fields/Favourite fish", "custom_fields.Favourite fish"),
        ("email_addresses[0].status", "email_addresses[0].status"),
        ("identifiers[crm]", "identifiers[crm]"),
        ("birthdate.year", "birthdate.year"),
        ("Name", "name"),
        ("gender", "gender"),
        ("tags", "add_tags"),
        ("email_addresses[0].adress", None),
        ("email_addresses", None),
        ("custom_fields.a.b", "custom_fields.a.b"),
        ("custom_fields.$where", "custom_fields.$where"),
        ("match_keys", None),
        ("_id", None),
        ("version", None),
        ("targets[0].title", None),
        ("given_name[0].x", None),
        ("", None),
    ],
)
def test_the_field_of_a_column_of_people(name: str, field: str | None) -> None:
    assert known_field(name, PEOPLE) == field


@pytest.mark.parametrize(
    ("name", "field"),
    [
        ("Date", "action_date"),
        ("created_at", "action_date"),
        ("source", "referrer_data.source"),
        ("email", "person.email_addresses[0].address"),
        ("first_name", "person.given_name"),
        ("target_last_name", "targets[0].family_name"),
        ("targets[1].title", "targets[1].title"),
        ("person.custom_fields.Fish", "person.custom_fields.Fish"),
        ("identifiers", "identifiers"),
        ("advocacy_campaign_id", "advocacy_campaign"),
        ("custom_fields.Fish", None),
        ("followups", None),
    ],
)
def test_the_field_of_a_column_of_outreaches(name: str, field: str | None) -> None:
    assert known_field(name, OUTREACHES) == field


def test_options_override_the_guess() -> None:
    found = fields(["email", "Notes", "zip"], mapped={"Notes": "source"}, ignored=["zip"])

    assert found == {"email": "email_addresses[0].address", "Notes": "source", "zip": ""}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"mapped": {"mail": "email"}}, "There is no column 'mail'. The columns are: email, Fish."),
        ({"ignored": ["mail"]}, "There is no column 'mail'."),
        ({"mapped": {"Fish": "fishes"}}, "There is no field 'fishes'"),
        ({"mapped": {"Fish": "email"}}, "'email' and 'Fish' both map to email_addresses"),
        ({"system": "my crm"}, "'my crm' is not a valid system name"),
        ({"system": "crm:a"}, "'crm:a' is not a valid system name"),
    ],
)
def test_an_invalid_option_is_an_error(options: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message.replace("(", r"\(")):
        guess_columns(["email", "Fish"], PEOPLE, **options)


def test_a_second_column_for_a_field_is_another_entry_or_ignored() -> None:
    found = fields(["Phone", "Phone Number", "first_name", "given_name"])

    assert found == {
        "Phone": "phone_numbers[0].number",
        "Phone Number": "phone_numbers[0_2].number",
        "first_name": "given_name",
        "given_name": "",
    }


def test_an_unknown_column_becomes_a_custom_field_with_a_valid_name() -> None:
    columns = guess_columns(["email", "Fav. fish", "$cost", "."], PEOPLE)

    assert [column.field for column in columns[1:]] == [
        "custom_fields.Fav. fish",
        "custom_fields.$cost",
        "custom_fields..",
    ]
    assert {column.because for column in columns[1:]} == {CUSTOM_BECAUSE}


def test_an_unknown_column_can_be_ignored() -> None:
    assert fields(["email", "Fish"], custom=False)["Fish"] == ""


def test_line_and_reason_of_a_rejected_row_are_ignored() -> None:
    assert fields(["rejected_line", "rejected_reason", "email"])["rejected_reason"] == ""


@pytest.mark.parametrize(
    ("kind", "name", "field"),
    [
        (PEOPLE, "id", "identifiers[crm]"),
        (OUTREACHES, "id", "identifiers[crm]"),
        (OUTREACHES, "person_id", "person.identifiers[crm]"),
    ],
)
def test_ids_are_identifiers_of_the_named_system(kind: str, name: str, field: str) -> None:
    assert fields(["email", name], kind, system="crm")[name] == field
