# ruff: noqa: E501
"""Files as other programs export them: who wants no messages, and each value in its field."""

import json
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from tests.importing.test_people_files import counts, done, run
from tests.support.client import Client

OAK = {"address_lines": ["1 Oak St"], "locality": "Boston", "region": "MA", "postal_code": "02134", "country": "US"}
STORED = ("identifiers", "created_date", "modified_date", "id", "_links", "origin_system", "custom_fields")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "people.csv"


def people(app: Flask) -> dict[str, dict[str, Any]]:
    """Returns the stored people by given name, without the fields that the server sets and custom fields."""
    output = app.test_cli_runner().invoke(args=["export", "people", "--format", "ndjson"]).stdout
    found = [json.loads(line) for line in output.splitlines() if line.startswith("{")]
    return {
        each.get("given_name", ""): {name: value for name, value in each.items() if name not in STORED}
        for each in found
    }


def opt_outs(person: dict[str, Any]) -> tuple[bool, bool, bool]:
    """Returns if the person wants no e-mails, no calls and no texts, at any address or number."""
    emails, numbers = person.get("email_addresses", []), person.get("phone_numbers", [])
    return (
        bool(emails) and all(each.get("status") in ("unsubscribed", "bouncing", "spam complaints") for each in emails),
        bool(numbers) and all(each.get("do_not_call") is True for each in numbers),
        bool(numbers) and all(each.get("sms_capable") is False for each in numbers),
    )


NATION = """\
nationbuilder_id,first_name,email,email_opt_in,email1_is_bad,phone_number,mobile_number,mobile_opt_in,do_not_call,\
do_not_contact,primary_address1,primary_city,primary_state,primary_zip,primary_country_code,tag_list
7,Ada,ada@example.com,true,false,202-555-0121,202-555-0131,true,false,false,1 Oak St,Boston,MA,02134,US,"river, dam"
8,Bea,bea@example.com,false,false,202-555-0122,202-555-0132,false,true,false,,,,,,
9,Cal,cal@example.com,true,false,202-555-0123,,true,false,true,,,,,,
10,Dot,dot@example.com,true,true,202-555-0124,,,,,,,,,,
"""
NPSP = """\
"Contact ID","Salutation","First Name","Title","Mailing Street","Mailing City","Mailing State/Province",\
"Mailing Zip/Postal Code","Mailing Country","Phone","Mobile","Email","Email Opt Out","Do Not Call","Do Not Contact"
"003","Ms.","Ada","Nurse","1 Oak St","Boston","MA","02134","United States","202-555-0121","","ada@example.com","0","0","0"
"004","Mr.","Bea","","","","","","","202-555-0122","202-555-0132","bea@example.com","1","1","0"
"005","","Cal","","","","","","","202-555-0123","","cal@example.com","0","0","1"
"""
CIVI = """\
Contact ID,Contact Type,First Name,Do Not Email,Do Not Phone,Do Not Mail,Do Not Sms,Do Not Trade,No Bulk Emails (User Opt Out),\
Email,On Hold,Phone,Street Address,City,State,Postal Code,Country
1,Individual,Ada,0,0,1,0,1,0,ada@example.com,No,202-555-0121,1 Oak St,Boston,MA,02134,United States
2,Individual,Bea,1,1,0,0,0,0,bea@example.com,No,202-555-0122,,,,,
3,Individual,Cal,0,0,0,1,0,1,cal@example.com,No,202-555-0123,,,,,
4,Individual,Dot,0,0,0,0,0,0,dot@example.com,On Hold Bounce,202-555-0124,,,,,
"""
VAN = """\
VANID\tLastName\tFirstName\tHome Phone\tPreferred Email\tEmail Subscription Status\tSMSOptInStatus\tDo Not Call
1\tReed\tAda\t2025550121\tada@example.com\tSubscribed\tUnknown\t0
2\tLind\tBea\t2025550122\tbea@example.com\tUnsubscribed\tOpt Out\t1
"""
LISTMONK = """\
uuid,email,name,attributes,status,created_at,updated_at
u-1,ada@example.com,Ada Reed,{},enabled,2024-01-01,2024-01-01
u-2,bea@example.com,Bea Lind,{},blocklisted,2024-01-01,2024-01-01
"""
MAILCHIMP = """\
"Email Address","First Name",MEMBER_RATING,OPTIN_TIME,OPTIN_IP,CONFIRM_TIME,REGION,UNSUB_TIME,UNSUB_CAMPAIGN_ID,\
UNSUB_CAMPAIGN_ID,UNSUB_REASON,LEID,EUID,TAGS
bea@example.com,Bea,2,"2019-03-05 10:00:00",192.0.2.1,"2019-03-05 10:00:00",MA,"2021-02-03 11:00:00",a,b,,1,e,"""
CLEANED = """\
"Email Address","First Name",CLEAN_TIME,CLEAN_CAMPAIGN_TITLE,LEID,EUID
bea@example.com,Bea,"2021-02-03 11:00:00",March,1,e
"""
NO, YES = False, True


@pytest.mark.parametrize(
    ("content", "opted_out"),
    [
        (NATION, {"Ada": (NO, NO, NO), "Bea": (YES, YES, YES), "Cal": (YES, YES, YES), "Dot": (YES, NO, NO)}),
        (NPSP, {"Ada": (NO, NO, NO), "Bea": (YES, YES, NO), "Cal": (YES, YES, YES)}),
        (CIVI, {"Ada": (NO, NO, NO), "Bea": (YES, YES, NO), "Cal": (YES, NO, YES), "Dot": (YES, NO, NO)}),
        (VAN, {"Ada": (NO, NO, NO), "Bea": (YES, YES, YES)}),
        (LISTMONK, {"Ada": (NO, NO, NO), "Bea": (YES, NO, NO)}),
        (MAILCHIMP, {"Bea": (YES, NO, NO)}),
        (CLEANED, {"Bea": (YES, NO, NO)}),
        ("email,firstname,doNotEmail\na@example.com,Ada,0\nb@example.com,Bea,1\nc@example.com,Cal,TRUE\n",
         {"Ada": (NO, NO, NO), "Bea": (YES, NO, NO), "Cal": (YES, NO, NO)}),
        ("Email,First Name,Status\na@example.com,Ada,Subscribed\nb@example.com,Bea,Unsubscribed\n",
         {"Ada": (NO, NO, NO), "Bea": (YES, NO, NO)}),
        ("Email,First Name,Phone,OK to contact?\na@example.com,Ada,202-555-0121,yes\nb@example.com,Bea,202-555-0122,no\n",
         {"Ada": (NO, NO, NO), "Bea": (YES, YES, YES)}),
    ],
    ids=["NationBuilder", "NPSP", "CiviCRM", "VAN", "listmonk", "Mailchimp", "Mailchimp cleaned", "Mautic",
    "Status", "sheet"],
)  # fmt: skip
def test_each_opt_out_of_a_file_is_stored_and_no_other(
    app: Flask, api: Client, file: Path, content: str, opted_out: dict[str, tuple[bool, bool, bool]]
) -> None:
    file.write_text(content, encoding="utf-16" if content is VAN else "utf-8")

    output = done(app, file)

    assert {name: opt_outs(person) for name, person in people(app).items()} == opted_out
    assert "0  rows rejected" in output


GOOGLE = """\
First Name,Name Prefix,Organization Name,Birthday,Labels,E-mail 1 - Label,E-mail 1 - Value,E-mail 2 - Label,E-mail 2 - Value,\
Phone 1 - Label,Phone 1 - Value,Phone 2 - Label,Phone 2 - Value,Address 1 - Label,Address 1 - Formatted,Address 1 - Street,\
Address 1 - City,Address 1 - Region,Address 1 - Postal Code,Address 1 - Country
Ada,Ms,River,1604-03-25,* myContacts,* Home,ada@example.com,Work,ada@work.example,Mobile,202-555-0131,Work Fax,202-555-0199,\
Home,"1 Oak St
Boston",1 Oak St,Boston,MA,02134,US
"""
OUTLOOK = """\
"Title","First Name","Company","Business Street","Business City","Home Street","Home City","Home State","Home Postal Code",\
"Home Country/Region","Business Phone","Home Phone","Mobile Phone","Anniversary","Birthday","E-mail Address","E-mail Type",\
"E-mail 2 Address","Gender"
"Ms","Ada","River","9 Work Rd","Salem","1 Oak St","Boston","MA","02134","United States of America","202-555-0141",\
"202-555-0121","202-555-0131","0/0/00","0/0/00","ada@example.com","SMTP","ada@work.example","Unspecified"
"""
ADA_OUTLOOK = {
    "given_name": "Ada", "honorific_prefix": "Ms", "employer": "River",
    "email_addresses": [{"address": "ada@example.com"}, {"address": "ada@work.example"}],
    "phone_numbers": [
        {"number": "202-555-0121", "number_type": "Home"},
        {"number": "202-555-0131", "number_type": "Mobile"},
        {"number": "202-555-0141", "number_type": "Work"},
    ],
    "postal_addresses": [
        {**OAK, "address_type": "Home"},
        {"address_lines": ["9 Work Rd"], "locality": "Salem", "address_type": "Work"},
    ],
}  # fmt: skip
EVENTBRITE = """\
Order #,Order Date,First Name,Last Name,Email,Attendee #,Home Address 1,Home City,Home State,Home Zip,Home Country,Cell Phone
1,2024-03-25 18:00:00-0500,Ada,Reed,ada@example.com,2,1 Oak St,Boston,MA,02134,US,202-555-0131
1,2024-03-25 18:00:00-0500,Guest of,Ada,ada@example.com,3,1 Oak St,Boston,MA,02134,US,202-555-0131
"""
FACEBOOK = (
    "id\tcreated_time\tis_organic\tfull_name\temail\tphone_number\tzip_code\n"
    "l:1\t2024-03-25T15:05:13+05:30\tfalse\tAda Reed\tada@example.com\tp:+12025550131\tz:02134\n"
)
TYPEFORM = (
    "#,What's your first name?,Your e-mail address *,What is your phone number?,Start Date (UTC),Network ID\n"
    "x,Ada,ada@example.com,202-555-0131,2024-03-25 10:00:00,n\n"
)
GRAVITY = (
    "Name (First),Name (Last),Personal Email,Street 1,Address (City),Address (State / Province),Address (ZIP / Postal Code)\n"
    "Ada,Reed,ada@example.com,1 Oak St,Boston,MA,02134\n"
)
MAUTIC = (
    "email,firstname,lastname,position,mobile,address1,city,state,zipcode,country,points,preferred_locale\n"
    "ada@example.com,Ada,Reed,Nurse,202-555-0131,1 Oak St,Boston,MA,02134,United States,5,en\n"
)
GERMAN = (
    "Anrede;Vorname;Nachname;Firma;Straße privat;Ort privat;Postleitzahl privat;Land/Region privat;Mobiltelefon;"
    "Telefon (privat);E-Mail-Adresse;E-Mail-Typ;Geburtstag\n"
    "Frau;Ada;Müller;Fluss;Elbstr. 1;Dresden;1067;Deutschland;0170 5550101;0351/5550102;ada@example.com;SMTP;25.03.1980\n"
)
FRENCH = (
    "Titre;Prénom;Nom;Rue (domicile);Ville (domicile);Code postal (domicile);Pays/Région (domicile);Tél. mobile;"
    "Téléphone (domicile);Adresse de messagerie;Anniversaire\n"
    "Mme;Ada;Lenoir;1 rue du Pont;Bourg;1000;France;06 55 50 10 11;01 55 50 10 12;ada@example.com;25/03/1980\n"
)
SPANISH = (
    "Tratamiento,Nombre,Apellidos,Calle del domicilio,Ciudad del domicilio,Código postal del domicilio,"
    "País o región del domicilio,Teléfono móvil,Teléfono particular,Dirección de correo electrónico,Cumpleaños\n"
    "Sra.,Ada,Peña,Calle Sol 1,Barcelona,8001,España,655 501 011,935 550 102,ada@example.com,25/03/1980\n"
)
DUTCH = (
    "Titel;Voornaam;Achternaam;Huisadres, straat;Huisadres, plaats;Huisadres, postcode;Huisadres, land/regio;"
    "Mobiele telefoon;Telefoon thuis;E-mailadres;Verjaardag\n"
    "Mw.;Ada;Smit;Dam 1;Amsterdam;1012 AB;Nederland;06 5550 1011;020 555 0102;ada@example.com;25-3-1980\n"
)


def home(street: str, city: str, code: str, country: str) -> list[dict[str, Any]]:
    return [{
        "address_lines": [street], "locality": city, "postal_code": code, "country": country, "address_type": "Home",
    }]  # fmt: skip


def numbers(mobile: str, landline: str) -> list[dict[str, Any]]:
    return [{"number": mobile, "number_type": "Mobile"}, {"number": landline, "number_type": "Home"}]


BORN = {"year": 1980, "month": 3, "day": 25}
MAILED = {"email_addresses": [{"address": "ada@example.com"}]}
MOBILE = {"phone_numbers": [{"number": "202-555-0131", "number_type": "Mobile"}]}
FILES: dict[str, tuple[str, str, dict[str, Any]]] = {
    "Google Contacts": (GOOGLE, "utf-8", {
        "given_name": "Ada", "honorific_prefix": "Ms", "employer": "River", "birthdate": {"month": 3, "day": 25},
        "email_addresses": [
            {"address": "ada@example.com", "address_type": "personal"}, {"address": "ada@work.example",
            "address_type": "work"}
        ],
        "phone_numbers": [
            {"number": "202-555-0131", "number_type": "Mobile"}, {"number": "202-555-0199", "number_type": "Fax"}
        ],
        "postal_addresses": [{**OAK, "address_type": "Home"}],
    }),
    "Outlook": (OUTLOOK, "utf-8", ADA_OUTLOOK),
    "Eventbrite": (EVENTBRITE, "utf-8", {
        "given_name": "Ada", "family_name": "Reed", **MAILED, **MOBILE, "postal_addresses": [{**OAK,
        "address_type": "Home"}],
    }),
    "Facebook": (FACEBOOK, "utf-16", {
        "given_name": "Ada", "family_name": "Reed", **MAILED, "phone_numbers": [{"number": "+12025550131"}],
        "postal_addresses": [{"postal_code": "02134"}],
    }),
    "Typeform": (TYPEFORM, "utf-8-sig", {"given_name": "Ada", **MAILED, "phone_numbers": [{"number": "202-555-0131"}]}),
    "Gravity Forms": (GRAVITY, "utf-8", {
        "given_name": "Ada", "family_name": "Reed",
        "email_addresses": [{"address": "ada@example.com", "address_type": "personal"}],
        "postal_addresses": [{name: value for name, value in OAK.items() if name != "country"}],
    }),
    "Mautic": (MAUTIC, "utf-8", {
        "given_name": "Ada", "family_name": "Reed", "work_title": "Nurse",
        "preferred_language": "en", **MAILED, **MOBILE,
        "postal_addresses": [OAK],
    }),
    "German Outlook": (GERMAN, "cp1252", {
        "honorific_prefix": "Frau", "given_name": "Ada", "family_name": "Müller", "employer": "Fluss",
        "birthdate": BORN, **MAILED,
        "phone_numbers": numbers("0170 5550101", "0351/5550102"),
        "postal_addresses": home("Elbstr. 1", "Dresden", "01067", "DE"),
    }),
    "French Outlook": (FRENCH, "cp1252", {
        "honorific_prefix": "Mme", "given_name": "Ada", "family_name": "Lenoir", "birthdate": BORN, **MAILED,
        "phone_numbers": numbers("06 55 50 10 11", "01 55 50 10 12"),
        "postal_addresses": home("1 rue du Pont", "Bourg", "01000", "FR"),
    }),
    "Spanish Outlook": (SPANISH, "mac_roman", {
        "honorific_prefix": "Sra.", "given_name": "Ada", "family_name": "Peña", "birthdate": BORN, **MAILED,
        "phone_numbers": numbers("655 501 011", "935 550 102"),
        "postal_addresses": home("Calle Sol 1", "Barcelona", "08001", "ES"),
    }),
    "Dutch Outlook": (DUTCH, "utf-8", {
        "honorific_prefix": "Mw.", "given_name": "Ada", "family_name": "Smit", "birthdate": BORN, **MAILED,
        "phone_numbers": numbers("06 5550 1011", "020 555 0102"),
        "postal_addresses": home("Dam 1", "Amsterdam", "1012 AB", "NL"),
    }),
}  # fmt: skip


@pytest.mark.parametrize("name", FILES)
def test_each_value_is_in_its_field(app: Flask, api: Client, file: Path, name: str) -> None:
    content, encoding, expected = FILES[name]
    file.write_text(content, encoding=encoding)

    assert "0  rows rejected" in done(app, file)

    assert people(app)["Ada"] == expected


class TestNamesOfOneAddress:
    """Rows of one file that have the same address with different names."""

    @pytest.mark.parametrize(
        ("first", "second", "stays", "message"),
        [
            ("Nora,Reed", "Guest of,Nora", "Nora", "That name stays. (line 3)"),
            ("Nora,Reed", "Otto,Lind", "Nora", "That name stays. (line 3)"),
            ("Nora,", "Otto,", "Nora", "That name stays. (line 3)"),
            ("Nora,Reed", "Otto,Reed", "Otto", "This row counts. (line 3)"),
            ("Nora,Reed", "nora,REED", "nora", ""),
            ("Nora,Reed", ",", "Nora", ""),
        ],
    )
    def test_another_name_is_reported(
        self, app: Flask, api: Client, file: Path, first: str, second: str, stays: str, message: str
    ) -> None:
        file.write_text(f"First Name,Last Name,Email\n{first},nora@example.com\n{second},Nora@Example.com\n")

        output = done(app, file)

        assert list(people(app)) == [stays]
        assert ("Imported with warnings" in output) == bool(message)
        assert message in output


class TestInvalidCells:
    """A cell that cannot be read is left out and reported; the person is imported."""

    @pytest.mark.parametrize(
        ("column", "cell", "message"),
        [
            ("Phone", "n", "Phone: "),
            ("Phone", "2.0E+09", "Phone: A spreadsheet has rounded this number."),
            ("Other Email", "nobody", "Other Email: Not a valid e-mail address."),
            ("Birthday", "1/2/1980", "Birthday: The date is ambiguous."),
            ("Birthday", "yesterday", "Birthday: Not a date"),
            ("Last Name", "x" * 5_000, "Last Name: "),
            ("Fish", "x" * 50_000, "Fish: "),
            ("Gender", "prefer not to say", "Gender: The answer states no gender."),
            ("City", "NULL", "City: 'NULL' is read as an empty cell."),
            ("birthdate_month", "13", "birthdate_month: "),
        ],
    )
    def test_the_report_names_column_line_and_reason_and_not_the_value(
        self, app: Flask, api: Client, file: Path, column: str, cell: str, message: str
    ) -> None:
        file.write_text(f"email,first_name,{column}\nada@example.com,Ada,{cell}\n")

        output = done(app, file)

        assert counts(output) == {"people created": 1}
        assert people(app)["Ada"] == {"given_name": "Ada", **MAILED}
        (warning,) = [line for line in output.splitlines() if message in line and line.startswith("  ")]
        assert warning.endswith("(line 2)")
        assert cell in ("n", "NULL") or cell not in output

    @pytest.mark.parametrize(
        ("header", "row", "message"),
        [
            ("email,first_name", "nobody,Ada", "email: Not a valid e-mail address."),
            ("first_name,phone", "Ada,2.0E+09", "phone: A spreadsheet has rounded this number."),
            ("email,email_status", "ada@example.com,perhaps", "email_status: Write subscribed"),
            ("email,Do Not Call", "ada@example.com,perhaps", "Do Not Call: Neither yes, no"),
        ],
    )
    def test_a_row_is_rejected_without_any_contact_detail_or_with_unknown_consent(
        self, app: Flask, api: Client, file: Path, header: str, row: str, message: str
    ) -> None:
        file.write_text(f"{header}\n{row}\n")

        output = done(app, file)

        assert counts(output) == {"rows rejected": 1}
        assert message in output


class TestKnownPeople:
    """An opt-out in a file is about all addresses and numbers of a person who is known."""

    @pytest.mark.one_in(5)
    @pytest.mark.parametrize(
        ("header", "row", "opted_out"),
        [
            ("Email,Do Not Call", "ada@example.com,TRUE", (NO, YES, NO)),
            ("Email,Do Not Text", "ada@example.com,TRUE", (NO, NO, YES)),
            ("Email,Do Not Contact", "ada@example.com,TRUE", (YES, YES, YES)),
            ("Email,Email Opt Out", "ada@example.com,TRUE", (YES, NO, NO)),
            ("Phone,Email Opt Out", "+1 202 555 0121,TRUE", (YES, NO, NO)),
            ("Phone,Email Opt In", "+1 202 555 0121,FALSE", (YES, NO, NO)),
            ("Phone,UNSUB_TIME", "+1 202 555 0121,2021-02-03", (YES, NO, NO)),
            ("Email,Email Opt Out,Do Not Call", "ada@example.com,0,0", (NO, NO, NO)),
        ],
    )
    @pytest.mark.parametrize("kind", ["people", "outreaches"])
    def test_it_is_stored_at_details_that_the_row_lacks(
        self, app: Flask, api: Client, file: Path, kind: str, header: str, row: str, opted_out: tuple[bool, bool, bool]
    ) -> None:
        emails = [{"address": "ada@example.com"}, {"address": "ada@work.example", "status": "subscribed"}]
        phones = [{"number": "12025550121"}, {"number": "12025550131", "sms_capable": True}]
        api.created("/people", {"given_name": "Ada", "email_addresses": emails, "phone_numbers": phones})
        options = ["--campaign", api.campaign_id, "--action-date", "2024-12-31"] if kind == "outreaches" else []
        file.write_text(f"{header}\n{row}\n")

        result = app.test_cli_runner().invoke(args=["import", kind, str(file), *options])

        assert result.exit_code == 0, result.output
        assert opt_outs(people(app)["Ada"]) == opted_out

    def test_a_dry_run_shows_the_same(self, app: Flask, api: Client, file: Path) -> None:
        api.created("/people", {"given_name": "Ada", **MAILED, "phone_numbers": [{"number": "12025550121"}]})
        file.write_text("Email,Do Not Call\nada@example.com,TRUE\nnew@example.com,TRUE\n")
        before = people(app)

        dry = done(app, file, "--dry-run")

        assert people(app) == before
        warning = "The person opted out of calls, but has no phone number that this could be about. (line 3)"
        assert (warning in dry, warning in done(app, file)) == (True, True)

    def test_nothing_known_is_a_warning(self, app: Flask, api: Client, file: Path) -> None:
        file.write_text("Email,Do Not Call\nada@example.com,TRUE\n")

        assert "The person opted out of calls, but has no phone number that this could be about. (line 2)" in done(
            app, file
        )

    def test_a_second_import_changes_nothing(self, app: Flask, api: Client, file: Path) -> None:
        phones = [{"number": "12025550121"}]
        api.created("/people", {"given_name": "Ada", **MAILED, "phone_numbers": phones})
        file.write_text("Email,Do Not Call\nada@example.com,TRUE\n")
        done(app, file)
        before = people(app)

        assert counts(done(app, file)) == {"people matched": 1, "of them unchanged": 1}
        assert people(app) == before


class TestOptions:
    """Options that say what a file means."""

    @pytest.mark.parametrize("dry", [[], ["--dry-run"]])
    def test_a_column_that_may_be_consent_stops_the_import_and_the_dry_run(
        self, app: Flask, api: Client, file: Path, dry: list[str]
    ) -> None:
        file.write_text("Email,GDPR level\nada@example.com,none\n")

        result = run(app, file, *dry)

        assert result.exit_code == 2
        assert "'GDPR level'" in result.output
        assert '--map "GDPR level=opted_out"' in result.output
        assert people(app) == {}

    @pytest.mark.parametrize(
        ("option", "opted_out"),
        [
            ("GDPR level=opted_out", (YES, NO, NO)),
            ("GDPR level=no_calls", (NO, YES, NO)),
            ("GDPR level=no_texts", (NO, NO, YES)),
            ("GDPR level=no_contact", (YES, YES, YES)),
            ("GDPR level=opted_in", (NO, NO, NO)),
            ("GDPR level=custom_fields.level", (NO, NO, NO)),
        ],
    )
    def test_a_flag_can_be_mapped(
        self, app: Flask, api: Client, file: Path, option: str, opted_out: tuple[bool, bool, bool]
    ) -> None:
        file.write_text("First Name,Email,Phone,GDPR level\nAda,ada@example.com,202-555-0121,yes\n")

        done(app, file, "--map", option)

        assert opt_outs(people(app)["Ada"]) == opted_out

    def test_a_file_of_opt_outs_needs_the_option(self, app: Flask, api: Client, tmp_path: Path) -> None:
        path = tmp_path / "unsubscribes.csv"
        path.write_text("First Name,Email\nAda,ada@example.com\n")
        stopped = run(app, path)

        assert stopped.exit_code == 2
        assert "--unsubscribed" in stopped.output
        done(app, path, "--unsubscribed")
        assert opt_outs(people(app)["Ada"])[0]

    def test_a_whole_file_can_be_unsubscribed(self, app: Flask, api: Client, file: Path) -> None:
        file.write_text("First Name,Email,Status\nAda,ada@example.com,Subscribed\nBea,bea@example.com,\n")

        done(app, file, "--unsubscribed")

        assert {name: opt_outs(each)[0] for name, each in people(app).items()} == {"Ada": True, "Bea": True}

    @pytest.mark.parametrize("dry", [["--dry-run"], []])
    def test_the_tags_that_are_created_are_listed(self, app: Flask, api: Client, file: Path, dry: list[str]) -> None:
        api.created("/tags", {"name": "known"})
        file.write_text('Email,Tags\na@example.com,"River,Dam"\nb@example.com,"River,known,x\x1b[2J"\n')

        output = done(app, file, "--create-tags", *dry)

        assert f"Tags that {'would be' if dry else 'were'} created (3;" in output
        assert output.splitlines()[-4 if dry else -3 :][:3] == ["  River", "  Dam", "  x?[2J"]

    @pytest.mark.parametrize(
        ("header", "row", "code"),
        [
            ("email,type", "ada@example.com,phone", 2),
            ("email,Meeting", "ada@example.com,2024-12-31", 2),
            ("email,Call Date", "ada@example.com,2024-12-31", 0),
            ("email,Date Canvassed", "ada@example.com,2024-12-31", 0),
            ("email,Zeitstempel", "ada@example.com,31.12.2024 10:00", 0),
            ("email,Horodateur", "ada@example.com,31/12/2024 10:00:00", 0),
            ("email,Fecha", "ada@example.com,31/12/2024", 0),
            ("email,Submitted At", "ada@example.com,2024-12-31 10:00:00", 0),
        ],
    )
    def test_outreaches_need_a_column_with_their_date(
        self, app: Flask, api: Client, file: Path, header: str, row: str, code: int
    ) -> None:
        file.write_text(f"{header}\n{row}\n")

        result = app.test_cli_runner().invoke(args=["import", "outreaches", str(file), "--campaign", api.campaign_id])

        assert result.exit_code == code, result.output
        if code:
            assert "No column says when the outreaches were made." in result.output
        else:
            found = api.get("/outreaches").json["_embedded"]["osdi:outreaches"]
            assert found[0]["action_date"].startswith("2024-12-31")

    def test_one_date_can_be_named_for_rows_without_one(self, app: Flask, api: Client, file: Path) -> None:
        file.write_text("email,date\nada@example.com,\nbea@example.com,2024-01-02\n")
        options = ["--campaign", api.campaign_id, "--action-date", "31.12.2023"]

        result = app.test_cli_runner().invoke(args=["import", "outreaches", str(file), *options])

        assert result.exit_code == 0, result.output
        dates = [each["action_date"][:10] for each in api.get("/outreaches").json["_embedded"]["osdi:outreaches"]]
        assert sorted(dates) == ["2023-12-31", "2024-01-02"]

    @pytest.mark.parametrize("cell", ["", "soon", "0/0/00"])
    def test_a_row_without_a_date_is_rejected_and_not_recorded_as_of_now(
        self, app: Flask, api: Client, file: Path, cell: str
    ) -> None:
        file.write_text(f"email,date\nada@example.com,{cell}\n")

        result = app.test_cli_runner().invoke(args=["import", "outreaches", str(file), "--campaign", api.campaign_id])

        assert counts(result.output) == {"rows rejected": 1}


class TestSpreadsheets:
    """Our own export after a spreadsheet has changed it."""

    @pytest.mark.one_in(3)
    @pytest.mark.parametrize(
        ("yes", "no"),
        [
            ("WAHR", "FALSCH"), ("VRAI", "FAUX"), ("VERDADERO", "FALSO"), ("WAAR", "ONWAAR"), ("VERO", "FALSO"),
            ("VERDADEIRO", "FALSO"), ("SANT", "FALSKT"), ("SAND", "FALSK"), ("PRAWDA", "FAŁSZ"), ("IGAZ", "HAMIS"),
            ("TOSI", "EPÄTOSI"), ("ИСТИНА", "ЛОЖЬ"), ("TRUE", "FALSE"), ("1", "0"),
        ],
    )  # fmt: skip
    def test_true_and_false_are_read_in_the_language_of_the_spreadsheet(
        self, app: Flask, api: Client, file: Path, yes: str, no: str
    ) -> None:
        number = {"number": "+12025550101", "sms_capable": True, "do_not_call": False}
        api.created("/people", {"given_name": "Ada", "phone_numbers": [number]})
        result = app.test_cli_runner().invoke(args=["export", "people", "-o", str(file)])
        assert result.exit_code == 0
        text = file.read_text("utf-8").replace("true", yes).replace("false", no).replace(",", ";")
        file.write_text(text, encoding="utf-8")

        assert counts(done(app, file)) == {"people matched": 1, "of them unchanged": 1}

    @pytest.mark.parametrize(
        ("written", "saved", "country"), [("02134", "2134", "US"), ("01067", "1067", "DE"), ("08001", "8001", "ES")]
    )
    def test_a_removed_zero_makes_no_second_address(
        self, app: Flask, api: Client, file: Path, written: str, saved: str, country: str
    ) -> None:
        address = {"address_lines": ["1 Oak St"], "postal_code": written, "country": country}
        api.created("/people", {"given_name": "Ada", **MAILED, "postal_addresses": [address]})
        app.test_cli_runner().invoke(args=["export", "people", "-o", str(file)])
        assert f",{written}," in file.read_text("utf-8")
        file.write_text(file.read_text("utf-8").replace(f",{written},", f",{saved},"), encoding="utf-8")

        assert counts(done(app, file)) == {"people matched": 1, "of them unchanged": 1}

    @pytest.mark.parametrize("cell", ["1.20256E+10", "1,20256E+10", "12025550101.0"])
    def test_a_rounded_number_in_our_own_export_is_not_stored(
        self, app: Flask, api: Client, file: Path, cell: str
    ) -> None:
        number = {"phone_numbers": [{"number": "12025550101"}]}
        api.created("/people", {"given_name": "Ada", **MAILED, **number})
        app.test_cli_runner().invoke(args=["export", "people", "-o", str(file)])
        file.write_text(file.read_text("utf-8").replace("12025550101", f'"{cell}"'), encoding="utf-8")

        output = done(app, file)

        assert counts(output) == {"people matched": 1, "of them unchanged": 1}
        assert ("phone_number: A spreadsheet has rounded this number." in output) == ("E" in cell)

    @pytest.mark.parametrize("note", ["called twice", "", "=1+1"])
    def test_a_note_beside_the_table_is_left_out_and_shown(
        self, app: Flask, api: Client, file: Path, note: str
    ) -> None:
        file.write_text(f"email,first_name,,last_name,,\nada@example.com,Ada,{note},Ash,,{note}\n")

        output = done(app, file)

        assert people(app)["Ada"]["family_name"] == "Ash"
        assert "(column 3)" in output
        assert "(columns 5 to 6)" in output
        assert "without a name" in output

    def test_a_workbook_is_named(self, app: Flask, api: Client, tmp_path: Path) -> None:
        path = tmp_path / "people.xlsx"
        path.write_bytes(b"PK\x03\x04" + bytes(100))

        result = run(app, path)

        assert result.exit_code == 2
        assert "people.xlsx is an Excel workbook (.xlsx). Open it in a spreadsheet, save it as CSV" in result.output


@pytest.mark.parametrize(
    ("cell", "seconds"),
    [("00:02:13", 133), ("2:13", 133), ("133.0", 133), ("133", 133), ("2 min 13 s", 133), ("PT2M13S", 133)],
)
def test_a_duration_of_a_dialer_is_in_seconds(app: Flask, api: Client, file: Path, cell: str, seconds: int) -> None:
    file.write_text(f"date,email,type,duration\n2024-03-25 11:02,ada@example.com,phone,{cell}\n")

    result = app.test_cli_runner().invoke(args=["import", "outreaches", str(file), "--campaign", api.campaign_id])

    assert "0  rows rejected" in result.output
    assert api.get("/outreaches").json["_embedded"]["osdi:outreaches"][0]["duration"] == seconds
