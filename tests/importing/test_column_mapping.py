"""Mapping of the columns of a file to fields."""

import tomllib
from collections import Counter

import pytest

from osdi.importing.csv_files.column_mapping import (
    CAMPAIGN,
    CUSTOM_BECAUSE,
    LISTS,
    NAME,
    OUTREACHES,
    PEOPLE,
    TAGS,
    guess_columns,
    known_field,
)
from osdi.importing.csv_files.column_names import FILE
from osdi.values.opt_out_flags import squashed

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
    ("field", "names"),
    [
        ("given_name", ["Prénom", "Nombre", "Voornaam", "Förnamn", "Nome", "Imię", "Name (First)",
            "What's your first name?"]),
        ("family_name", ["Nachname", "Nom", "Apellidos", "Achternaam", "Efternamn", "Cognome", "Nazwisko",
            "Name (Last)"]),
        ("name", ["Full Name", "Name", "Your name *", "full_name", "Nombre completo", "Nom complet"]),
        ("email_addresses[0].address", ["E-Mail-Adresse", "Adresse e-mail", "Courriel", "Correo electrónico",

                       "E-mailadres",
            "Adresse de messagerie", "Dirección de correo electrónico", "Preferred Email",
            "Your email address (required)"]),
        ("email_addresses[personal].address", ["Personal Email", "personal_email"]),
        ("email_addresses[3].address", ["E-mail 3 - Value"]),
        ("phone_numbers[0].number", ["Telefonnummer", "Téléphone", "Teléfono", "Telefoonnummer", "Telefono",
            "Preferred Phone"]),
        ("phone_numbers[mobile].number", ["Mobiltelefon", "Tél. mobile", "Móvil", "Mobiele telefoon",
            "Cellulare", "Cell Phone"]),
        ("phone_numbers[home].number", ["Telefon (privat)", "Téléphone (domicile)", "Teléfono particular",
            "Telefoon thuis"]),
        ("phone_numbers[work].number", ["Telefon geschäftlich", "Téléphone (bureau)", "Telefoon op werk",
            "Business Phone"]),
        ("phone_numbers[n2].number_type", ["Phone 2 - Label", "Phone 2 - Type"]),
        ("postal_addresses[0].address_lines", ["Straße", "STRASSE", "Adresse", "Dirección", "Adres",
            "Indirizzo", "Street 1",
            "primary_address1", "Address (Street Address)"]),
        ("postal_addresses[0].locality", ["Ort", "Ville", "Ciudad", "Plaats", "Woonplaats", "Città",
            "primary_city", "City/Town"]),
        ("postal_addresses[0].region", ["State/Province", "Bundesland", "Région", "Provincia", "Provincie",
            "primary_state"]),
        ("postal_addresses[0].postal_code", ["Zip/Postal Code", "Postleitzahl", "Code postal",
            "Código postal", "primary_zip",
            "PLZ", "CAP", "Address (ZIP / Postal Code)"]),
        ("postal_addresses[0].country", ["Country/Region", "Land", "Pays", "País", "Paese", "primary_country_code"]),
        ("postal_addresses[home].postal_code", ["Home Zip", "Home Postal Code", "Postleitzahl privat",
            "Code postal (domicile)"]),
        ("postal_addresses[mailing].region", ["Mailing State/Province", "MailingState", "mailing_state"]),
        ("postal_addresses[n1].locality", ["Address 1 - City"]),
        ("birthdate", ["Geburtstag", "Geburtsdatum", "Date de naissance", "Fecha de nacimiento", "Cumpleaños",
            "Verjaardag", "DOB"]),
        ("gender", ["Geschlecht", "Sexe", "Género", "Geslacht", "Sesso"]),
        ("employer", ["Firma", "Société", "Empresa", "Bedrijf", "Organization 1 - Name", "Company"]),
        ("add_tags", ["tag_list", "Tags", "Labels", "Group Membership", "TAGS", "Schlagwörter"]),
        ("identifiers[van]", ["VANID", "VAN ID"]),
        ("identifiers[nationbuilder]", ["nationbuilder_id"]),
    ],
)  # fmt: skip
def test_the_columns_of_other_programs_and_languages(field: str, names: list[str]) -> None:
    assert {name: known_field(name, PEOPLE) for name in names} == dict.fromkeys(names, field)


@pytest.mark.parametrize(
    ("names", "found"),
    [
        (["Salutation", "Title", "First Name"], {"Salutation": "honorific_prefix", "Title": "work_title"}),
        (["Title", "First Name"], {"Title": "honorific_prefix"}),
        (["Email Address", "LEID", "EUID", "REGION"], {"REGION": "custom_fields.REGION"}),
        (["Email Address", "REGION"], {"REGION": "postal_addresses[0].region"}),
        (["Phone", "Phone (2)"], {"Phone": "phone_numbers[0].number", "Phone (2)": "phone_numbers[1].number"}),
        (["Tags", "Tags (2)", "email"], {"Tags": "add_tags", "Tags (2)": "add_tags"}),
    ],
)
def test_a_name_can_mean_something_else_in_the_export_of_one_program(names: list[str], found: dict[str, str]) -> None:
    columns = fields(names)

    assert {name: columns[name] for name in found} == found


@pytest.mark.parametrize("kind", [PEOPLE, OUTREACHES])
def test_each_name_in_the_file_of_names_has_one_valid_field(kind: str) -> None:
    """A mistake in column_names.toml is found here, and not by an import."""
    names = tomllib.loads(FILE.read_text(encoding="utf-8"))
    for part in ("people", "outreaches") if kind == OUTREACHES else ("people",):
        every = Counter(name for each in names[part].values() for name in set(map(squashed, each)))
        assert [name for name, count in every.items() if count > 1] == []
        for path in set(names[part]) - {CAMPAIGN}:
            prefix = "person." if kind == OUTREACHES and part == "people" and path not in (TAGS, LISTS, NAME) else ""
            assert known_field(prefix + path.replace("{n}", "1"), kind), path


@pytest.mark.parametrize(
    ("name", "field"),
    [
        ("Date", "action_date"),
        ("Call Date", "action_date"),
        ("Date Contacted", "action_date"),
        ("Zeitstempel", "action_date"),
        ("Horodateur", "action_date"),
        ("Marca temporal", "action_date"),
        ("Submit Date (UTC)", "action_date"),
        ("Gesprächsdauer", "duration"),
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
