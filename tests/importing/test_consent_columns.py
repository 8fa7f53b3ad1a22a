"""Columns about consent: flags that apply to a whole row, and columns that stop the import until they are mapped."""

from typing import Any

import pytest

from osdi.importing.csv_files.column_mapping import IGNORED, OUTREACHES, PEOPLE, guess_columns
from osdi.importing.csv_files.consent_columns import check_file_name, checked_columns, unknown_columns, values_of
from osdi.importing.csv_files.records import Record
from osdi.importing.csv_files.row_bodies import Reading, Unreadable, row_of
from osdi.importing.csv_files.row_consent import Consent, looks_like_consent

MAIL, CALLS, TEXTS = "e-mails", "calls", "texts"
EVERYTHING = {MAIL, CALLS, TEXTS}


def person(cells: dict[str, str], **reading: Any) -> dict[str, Any]:
    """Returns the person of a row with these cells by column."""
    found = row_of(list(cells.values()), Reading(PEOPLE, guess_columns(list(cells), PEOPLE), **reading))
    return dict(found.body["person"])


def columns(cells: dict[str, list[str]], kind: str = PEOPLE, **options: Any) -> dict[str, str]:
    """Returns the fields by column after the check of these values."""
    guessed = guess_columns(list(cells), kind, **options)
    rows = [Record(number, row) for number, row in enumerate(zip(*cells.values(), strict=True), 2)]
    values = values_of(rows, unknown_columns(guessed))
    checked = checked_columns(guessed, values, "person." if kind == OUTREACHES else "")
    return {column.name: column.field for column in checked}


@pytest.mark.one_in(5)
@pytest.mark.parametrize(
    ("column", "cell", "opted_out"),
    [
        # NationBuilder
        ("email_opt_in", "false", {MAIL}),
        ("email_opt_in", "true", set()),
        ("do_not_call", "true", {CALLS}),
        ("do_not_contact", "true", EVERYTHING),
        ("mobile_opt_in", "false", {TEXTS}),
        ("federal_do_not_call", "t", {CALLS}),
        ("is_deceased", "true", EVERYTHING),
        # Salesforce NPSP
        ("Email Opt Out", "1", {MAIL}),
        ("HasOptedOutOfEmail", "TRUE", {MAIL}),
        ("Do Not Call", "0", set()),
        ("DoNotCall", "1", {CALLS}),
        ("npsp__Do_Not_Contact__c", "true", EVERYTHING),
        ("Deceased", "Yes", EVERYTHING),
        # CiviCRM
        ("Do Not Email", "1", {MAIL}),
        ("Do Not Phone", "Yes", {CALLS}),
        ("Do Not Sms", "1", {TEXTS}),
        ("No Bulk Emails (User Opt Out)", "Yes", {MAIL}),
        ("is_opt_out", "1", {MAIL}),
        # Mautic
        ("doNotEmail", "1", {MAIL}),
        ("doNotEmail", "1.0", {MAIL}),
        ("donotsms", "TRUE", {TEXTS}),
        ("dnc", "x", {CALLS}),
        # Mailchimp and other mailing tools
        ("UNSUB_TIME", "2021-02-03 11:00:00", {MAIL}),
        ("unsubscribed_at", "2021-02-03T11:00:00Z", {MAIL}),
        ("Unsubscribed On", "3/2/2021", {MAIL}),
        ("Unsubscribe Date", "Mar 3, 2021", {MAIL}),
        ("unsubscribed_at", "0000-00-00 00:00:00", set()),
        ("Opt Out Date", "0/0/00", set()),
        ("Unsubscribed", "yes", {MAIL}),
        ("Subscribed", "No", {MAIL}),
        ("Subscribed", "Unsubscribed", {MAIL}),
        ("Accepts Marketing", "no", {MAIL}),
        ("Newsletter", "nein", {MAIL}),
        ("Newsletter", "FALSCH", {MAIL}),
        ("Newsletter", "FAUX", {MAIL}),
        # VAN and EveryAction
        ("SMSOptInStatus", "Opt Out", {TEXTS}),
        ("SMS Opt In Status", "Unknown", set()),
        ("SMS Opt In Status", "Opt In", set()),
        ("Do Not Text", "Y", {TEXTS}),
        ("No Contact", "1", EVERYTHING),
        # Action Network
        ("can2_sms_status", "unsubscribed", {TEXTS}),
        ("can2_sms_status", "subscribed", set()),
        # Lists that people keep
        ("Opted out", "ja", {MAIL}),
        ("Don't call", "x", {CALLS}),
        ("OK to call", "no", {CALLS}),
        ("OK to contact?", "No", EVERYTHING),
        ("Abgemeldet am", "03.02.2021", {MAIL}),
        ("Nicht anrufen", "ja", {CALLS}),
        ("Ne pas appeler", "VRAI", {CALLS}),
        ("Baja", "VERDADERO", {MAIL}),
        ("Niet bellen", "WAAR", {CALLS}),
        ("Uitgeschreven", "ja", {MAIL}),
    ],
)
def test_a_flag_opts_out_all_addresses_and_numbers_of_its_row(column: str, cell: str, opted_out: set[str]) -> None:
    found = person(
        {
            "Email": "a@example.com",
            "Work Email": "b@example.com",
            "Mobile Phone": "202-555-0101",
            "Home Phone": "202-555-0102",
            column: cell,
        }
    )

    statuses = [each.get("status") for each in found["email_addresses"]]
    assert all((status == "unsubscribed") == (MAIL in opted_out) for status in statuses)
    assert [each.get("do_not_call") is True for each in found["phone_numbers"]] == [CALLS in opted_out] * 2
    assert [each.get("sms_capable") is False for each in found["phone_numbers"]] == [TEXTS in opted_out] * 2


@pytest.mark.parametrize(
    "number", ["Mobile", "Cell Phone", "Home Phone", "Work Phone", "Phone 2", "Phone 3 - Value", "Handy"]
)
def test_do_not_call_is_about_every_number_whichever_columns_there_are(number: str) -> None:
    assert person({number: "202-555-0101", "Do Not Call": "TRUE"})["phone_numbers"][0]["do_not_call"] is True


@pytest.mark.parametrize("cell", ["maybe", "3", "see notes", "?"])
def test_a_flag_that_cannot_be_read_rejects_its_row(cell: str) -> None:
    with pytest.raises(Unreadable, match="Email Opt Out: Neither yes, no, a date nor a status"):
        person({"Email": "a@example.com", "Email Opt Out": cell})


@pytest.mark.parametrize("cell", ["", "unknown", "N/A", "null", "-", "not asked"])
def test_a_flag_without_a_value_is_ignored(cell: str) -> None:
    consent = Consent()
    consent.add("opted_in", cell)

    assert (consent.opted_out, consent.permitted) == (set(), set())


def test_a_stricter_status_of_the_row_stays() -> None:
    found = person({"email": "a@example.com", "email_status": "spam complaint", "opted_out": "yes"})

    assert found["email_addresses"] == [{"address": "a@example.com", "status": "spam complaints"}]


@pytest.mark.parametrize(
    ("cells", "statuses"),
    [
        ({"email1": "a@example.com", "email2": "b@example.com", "email1_is_bad": "true"}, ["bouncing", None]),
        ({"email1": "a@example.com", "email2": "b@example.com", "email2_is_bad": "true"}, [None, "bouncing"]),
        ({"Email": "a@example.com", "On Hold": "1"}, ["bouncing"]),
        ({"Email": "a@example.com", "Email On Hold": "2"}, ["unsubscribed"]),
        ({"Email": "a@example.com", "On Hold": "On Hold Opt Out"}, ["unsubscribed"]),
        ({"Email": "a@example.com", "On Hold": "No"}, [None]),
        ({"Email Address": "a@example.com", "CLEAN_TIME": "2021-02-03 11:00:00"}, ["bouncing"]),
        ({"Email": "a@example.com", "Bounced": "yes", "Opted Out": "yes"}, ["unsubscribed"]),
    ],
)
def test_an_address_that_bounced(cells: dict[str, str], statuses: list[str | None]) -> None:
    assert [each.get("status") for each in person(cells)["email_addresses"]] == statuses


def test_all_of_a_file_can_be_unsubscribed() -> None:
    found = person({"email": "a@example.com", "Other Email": "b@example.com"}, unsubscribed=True)

    assert [each["status"] for each in found["email_addresses"]] == ["unsubscribed"] * 2


@pytest.mark.parametrize(
    ("cells", "emails"),
    [
        (
            {"Email Status": "Unsubscribed", "Personal Email": "a@example.com"},
            [{"address_type": "personal", "address": "a@example.com", "status": "unsubscribed"}],
        ),
        (
            {"Email Status": "bounced", "Work Email": "a@example.com"},
            [{"address_type": "work", "address": "a@example.com", "status": "bouncing"}],
        ),
        (
            {"Email Subscription Status": "Unsubscribed", "E-mail 1 - Value": "a@example.com"},
            [{"address": "a@example.com", "status": "unsubscribed"}],
        ),
        (
            {"Email Subscription Status": "Unsubscribed", "Preferred Email": "a@example.com"},
            [{"address": "a@example.com", "status": "unsubscribed"}],
        ),
    ],
)
def test_a_status_is_about_the_address_of_the_row_whichever_column_has_it(
    cells: dict[str, str], emails: list[dict[str, str]]
) -> None:
    assert person(cells)["email_addresses"] == emails


def test_a_status_without_an_address_is_a_warning() -> None:
    names = ["First Name", "Home Phone", "Email Status"]
    found = row_of(["Nora", "202-555-0101", "Unsubscribed"], Reading(PEOPLE, guess_columns(names, PEOPLE)))

    assert found.warnings == [
        "Email Status: The row has no e-mail address. The status applies to the main address of a person who is known."
    ]


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("Status", ["Unsubscribed", "Subscribed"]),
        ("status", ["active", "unsubscribed", ""]),
        ("Contact Status", ["Opted Out"]),
        ("Member Status", ["cleaned", "subscribed"]),
        ("Status", ["blocklisted", "enabled"]),
        ("Statut", ["désabonné", "abonné"]),
        ("STATUS", ["bounced", "active"]),
    ],
)
def test_a_column_status_whose_values_are_those_of_addresses_is_their_status(name: str, values: list[str]) -> None:
    cells = {"email": [f"{number}@example.com" for number in range(len(values))], name: values}

    assert columns(cells)[name] == "email_addresses[0].status"
    assert columns({"date": values, **cells}, OUTREACHES)[name] == "person.email_addresses[0].status"


@pytest.mark.parametrize(
    "values", [["Attending", "Not Attending"], ["Gold", "Silver"], ["active", "active"], ["Completed"]]
)
def test_another_column_status_is_a_custom_field(values: list[str]) -> None:
    assert columns({"email": ["a@example.com"] * len(values), "Status": values})["Status"] == "custom_fields.Status"


DOUBTFUL = [
    ("Mailing opt-out level", "2"),
    ("optout2", "1"),
    ("Unsub Flag", "1"),
    ("Subscription preference", "weekly"),
    ("GDPR consent", "no"),
    ("Consent given", "no"),
    ("Do Not Solicit", "TRUE"),
    ("Do not share", "1"),
    ("never email", "1"),
    ("DNC Reason Code", "5"),
    ("Suppression group", "A"),
    ("Blocklist", "x"),
    ("Contact Permission Level", "none"),
    ("Newsletter Status Code", "0"),
    ("Bounce count", "3"),
    ("donotknock", "1"),
    ("No mailings", "1"),
    ("OK to visit", "no"),
    ("Einwilligung E-Mail", "nein"),
    ("Werbesperre", "ja"),
    ("Widerspruch am", "1.2.2021"),
    ("Keine Werbung", "x"),
    ("Consentement RGPD", "non"),
    ("Ne pas déranger", "oui"),
    ("Consentimiento", "no"),
    ("Suscripción", "no"),
    ("Toestemming nieuwsbrief", "nee"),
    ("Geen telefoon", "ja"),
    ("Consenso privacy", "no"),
    ("Samtycke", "nej"),
    ("Do Not Mail", "1"),
    ("email_is_subscribed_flag", "0"),
]


@pytest.mark.one_in(5)
@pytest.mark.parametrize(("name", "value"), DOUBTFUL)
@pytest.mark.parametrize("kind", [PEOPLE, OUTREACHES])
def test_a_column_that_looks_like_consent_stops_the_import(kind: str, name: str, value: str) -> None:
    with pytest.raises(ValueError, match=f"who wants no e-mails, calls or texts: '{name}'"):
        columns({"email": ["a@example.com"], "date": ["2024-12-31"], name: [value]}, kind)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("Remarks", "Unsubscribed"),
        ("Field 12", "do not call"),
        ("Flag", "Opted out"),
        ("Note", "DO NOT CONTACT"),
        ("Extra", "abgemeldet"),
        ("Group", "Do not email"),
        ("Segment", "cleaned"),
        ("X", "désinscrit"),
        ("State2", "bounced"),
        ("Status", "inactive"),
        ("Status", "cancelled"),
        ("Level", "nicht anrufen"),
    ],
)
def test_values_that_opt_out_stop_the_import_in_a_column_of_any_name(name: str, value: str) -> None:
    with pytest.raises(ValueError, match=f"texts: '{name}'"):
        columns({"email": ["a@example.com", "b@example.com"], name: ["", value]})


@pytest.mark.parametrize(("name", "value"), DOUBTFUL[:6])
def test_a_mapped_or_ignored_column_does_not_stop_the_import(name: str, value: str) -> None:
    cells = {"email": ["a@example.com"], name: [value]}

    assert columns(cells, ignored=[name])[name] == IGNORED
    assert columns(cells, mapped={name: "opted_out"})[name] == "opted_out"
    assert columns(cells, mapped={name: "custom_fields.consent"})[name] == "custom_fields.consent"


def test_ignoring_unknown_columns_does_not_ignore_consent() -> None:
    with pytest.raises(ValueError, match="'GDPR consent'"):
        columns({"email": ["a@example.com"], "GDPR consent": ["no"]}, custom=False)


@pytest.mark.parametrize(
    "name",
    [
        "Favourite fish",
        "Options",
        "Adopted in",
        "Adoption date",
        "Opinion",
        "Optician",
        "Notes",
        "Call notes",
        "Nonprofit",
        "Mail carrier",
        "Contact owner",
        "Number of calls",
        "Status of case",
        "Callback",
        "Last contacted",
        "Text",
        "Note",
        "Dancing",
        "Basic",
        "Marketing source",
        "Submission",
        "Bahnhof",
        "Abonline",
        "Telefonkette",
        "Pasadena",
        "Never voted",
    ],
)
def test_another_column_does_not_look_like_consent(name: str) -> None:
    assert not looks_like_consent(name)


@pytest.mark.parametrize(
    "others",
    [
        {"Email Opt Out": ["0"], "Fax Opt Out": ["1"]},
        {"Do Not Email": ["0"], "Do Not Mail": ["1"], "Do Not Trade": ["1"]},
        {"OPTIN_TIME": ["2019-03-05 10:00:00"], "OPTIN_IP": ["192.0.2.1"], "CONFIRM_TIME": ["2019-03-05 10:00:00"]},
        {"UNSUB_TIME": [""], "UNSUB_REASON": ["too many"], "UNSUB_CAMPAIGN_TITLE": ["March"]},
        {"Email Status": ["subscribed"], "Unsubscribe reason": ["none"]},
        {"Unsub Flag": [""]},
        {"Subscribed on": ["2019-03-05"]},
    ],
)
def test_a_column_about_other_media_or_the_circumstances_of_a_consent_does_not_stop_the_import(
    others: dict[str, list[str]],
) -> None:
    assert columns({"email": ["a@example.com"], **others})


def test_the_circumstances_of_an_opt_out_stop_the_import_if_no_column_has_the_opt_out() -> None:
    with pytest.raises(ValueError, match="'UNSUB_REASON'"):
        columns({"email": ["a@example.com"], "UNSUB_REASON": ["too many"]})


@pytest.mark.parametrize(
    "stem",
    [
        "unsubscribed_members_export_1a2b3c",
        "cleaned_members_export_1a2b3c",
        "nonsubscribed_members_export",
        "unsubscribes",
        "2024-unsubscribed",
        "opt-outs",
        "optouts",
        "Opted Out",
        "suppression_list",
        "Suppressions",
        "do-not-contact",
        "DoNotEmail",
        "do not call list",
        "bounces",
        "blocklist",
        "Abgemeldete",
        "désabonnés",
        "bajas",
        "uitgeschreven",
        "no-emails",
    ],
)
def test_a_file_of_opt_outs_without_a_column_about_them_stops_the_import(stem: str) -> None:
    with pytest.raises(ValueError, match="Use --unsubscribed if they want no e-mails"):
        check_file_name(stem, guess_columns(["email", "first_name"], PEOPLE))

    check_file_name(stem, guess_columns(["email", "UNSUB_TIME"], PEOPLE))
    check_file_name(stem, guess_columns(["email", "email_status"], PEOPLE))


@pytest.mark.parametrize(
    "stem", ["subscribed_members_export_1a2b3c", "people", "members-2024", "contacts", "an", "options", "dance"]
)
def test_another_file_does_not_stop_the_import(stem: str) -> None:
    check_file_name(stem, guess_columns(["email", "first_name"], PEOPLE))


def test_listmonk_has_its_own_statuses_and_ids() -> None:
    cells = {name: ["x"] for name in ("uuid", "email", "name", "attributes", "created_at")} | {
        "status": ["blocklisted"]
    }

    found = columns(cells)

    assert (found["status"], found["uuid"]) == ("email_addresses[0].status", "identifiers[listmonk]")


@pytest.mark.parametrize(
    ("column", "cell", "opted_out"),
    [
        ("Requests No Email", "Yes", {MAIL}),
        ("Email disabled", "TRUE", {MAIL}),
        ("isExcludedFromCampaigns", "true", {MAIL}),
        ("Do not allow Emails", "Do Not Allow", {MAIL}),
        ("Do not allow Emails", "Allow", set()),
        ("Allow Email", "Do Not Allow", {MAIL}),
        ("Allow Emails", "FALSE", {MAIL}),
        ("Email OK", "N", {MAIL}),
        ("Email OK", "Y", set()),
        ("Email Marketing Consent", "NEVER_SUBSCRIBED", {MAIL}),
        ("May we email you?", "No", {MAIL}),
        ("E-Mail-Sperre", "ja", {MAIL}),
        ("Newsletter erwünscht", "nein", {MAIL}),
        ("Accepte les e-mails", "non", {MAIL}),
        ("Acepta correos", "no", {MAIL}),
        ("Mag gemaild worden", "nee", {MAIL}),
        ("Telefonsperre", "ja", {CALLS}),
        ("Can we call you?", "no", {CALLS}),
        ("Ne plus appeler", "oui", {CALLS}),
        ("Não ligar", "sim", {CALLS}),
        ("Stop SMS", "oui", {TEXTS}),
        ("Text OK", "No", {TEXTS}),
        ("Date of Death", "2020-01-01", EVERYTHING),
        ("Verstorben am", "3.2.2020", EVERYTHING),
        ("Kontakt erlaubt", "nein", EVERYTHING),
        ("Can we contact you?", "No", EVERYTHING),
        ("No molestar", "sí", EVERYTHING),
    ],
)
def test_a_flag_of_further_programs_and_languages(column: str, cell: str, opted_out: set[str]) -> None:
    found = person({"Email": "a@example.com", "Phone": "202-555-0101", column: cell})

    (email,), (number,) = found["email_addresses"], found["phone_numbers"]
    said = {MAIL: email.get("status") == "unsubscribed", CALLS: number.get("do_not_call") is True}
    said[TEXTS] = number.get("sms_capable") is False
    assert {what for what, is_opt_out in said.items() if is_opt_out} == opted_out


@pytest.mark.parametrize(
    ("column", "values"),
    [
        ("Emails", ["no", "yes"]),
        ("Calls", ["0", "1"]),
        ("SMS", ["FALSE"]),
        ("Text?", ["N", ""]),
        ("Email updates", ["no"]),
        ("Keep me updated", ["No"]),
        ("Stay in touch", ["no", "yes"]),
        ("Bulk Email", ["Do Not Allow", "Allow"]),
        ("Remove from list", ["x"]),
        ("Refused", ["yes"]),
        ("Excluded", ["true"]),
        ("Spam reported", ["yes"]),
        ("Wrong number", ["yes"]),
        ("Werbung erlaubt", ["nein"]),
        ("Accepte la prospection", ["non"]),
        ("Opposé au démarchage", ["oui"]),
        ("Acepta publicidad", ["no"]),
        ("Mailing toegestaan", ["nee"]),
        ("Contact preferences", ["Letters only"]),
        ("Communication Restrictions", ["Do Not Solicit"]),
        ("Privacy Options", ["Do not phone, Do not email"]),
        ("Lista Robinson", ["sí"]),
        ("Werbewiderspruch", ["2020-01-01"]),
        ("Ring kun om dagen, ring ikke", ["ja"]),
        ("Remarks", ["Likes fish", "please do not call"]),
        ("Remarks", ["OptedOut"]),
        ("Groups", ["River", "nicht mehr anrufen"]),
    ],
)
def test_a_column_that_speaks_of_messages_and_has_only_yes_and_no_stops_the_import(
    column: str, values: list[str]
) -> None:
    with pytest.raises(ValueError, match="Map each of them"):
        columns({"Email": [""] * len(values), column: values})


@pytest.mark.parametrize(
    ("column", "values"),
    [
        ("Phone banking", ["yes", "no"]),
        ("Willing to make calls", ["yes"]),
        ("Has email", ["yes", "no"]),
        ("Emergency contact", ["no"]),
        ("Number of calls", ["0", "1"]),
        ("Emails sent", ["1"]),
        ("Calls", ["0", "3"]),
        ("Last contact", ["2024-03-25"]),
        ("Last email", ["2024-03-25", "2024-03-26"]),
        ("Wants yard sign", ["yes", "no"]),
        ("Wants to volunteer", ["no"]),
        ("Member", ["yes", "no"]),
        ("Remarks", ["Likes fish", "Called on Monday"]),
        ("Remarks", ["Said at the door that they do not contact the office before they have read all of the leaflets"]),
        ("Remarks", ["unsubscribed@example.com"]),
        ("Bus stop", ["Main St"]),
    ],
)
def test_a_column_about_something_else_is_a_custom_field(column: str, values: list[str]) -> None:
    assert columns({"Email": [""] * len(values), column: values})[column] == f"custom_fields.{column}"


@pytest.mark.parametrize(
    ("cell", "number"),
    [
        ("202-555-0101 (do not call)", "202-555-0101"),
        ("202-555-0101 - DNC", "202-555-0101"),
        ("DO NOT CALL 202-555-0101!", "202-555-0101"),
        ("202-555-0101 - please don't text", "202-555-0101"),
        ("0351/5550101 nicht mehr anrufen", "0351/5550101"),
        ("01 99 00 01 01 [ne plus appeler]", "01 99 00 01 01"),
    ],
)
def test_words_beside_a_number_opt_out_of_calls_and_texts(cell: str, number: str) -> None:
    found = person({"Email": "a@example.com", "Phone": cell, "Mobile": "202-555-0102"})

    assert found["phone_numbers"][0]["number"] == number
    assert all(each["do_not_call"] and each["sms_capable"] is False for each in found["phone_numbers"])
    assert "status" not in found["email_addresses"][0]


@pytest.mark.parametrize(
    ("cell", "address", "opted_out"),
    [
        ("ann@example.com (unsubscribed)", "ann@example.com", True),
        ("UNSUBSCRIBED: ann@example.com", "ann@example.com", True),
        ("ann@example.com - no emails", "ann@example.com", True),
        ("unsubscribed@example.com", "unsubscribed@example.com", False),
        ("Opt Out Group <do-not-call@example.com>", "do-not-call@example.com", True),
        ("Ann <ann@example.com>", "ann@example.com", False),
    ],
)
def test_words_beside_an_address_opt_out_of_mail(cell: str, address: str, opted_out: bool) -> None:
    (entry,) = person({"Email": cell})["email_addresses"]

    assert entry["address"] == address
    assert (entry.get("status") == "unsubscribed") == opted_out


def test_a_cell_that_only_opts_out_is_about_the_other_numbers() -> None:
    found = person({"Phone": "DO NOT CALL", "Mobile": "202-555-0102"})

    assert [each["number"] for each in found["phone_numbers"]] == ["202-555-0102"]
    assert found["phone_numbers"][0]["do_not_call"] is True


@pytest.mark.parametrize(
    ("cells", "statuses"),
    [
        ({"Email 1": "a@example.com", "Email 2": "b@example.com", "email1_is_bad": "yes"}, ["bouncing", None]),
        ({"Email 1": "a@example.com", "Email 2": "b@example.com", "email2_is_bad": "yes"}, [None, "bouncing"]),
        ({"Email 1": "", "Email 2": "b@example.com", "email2_is_bad": "yes"}, ["bouncing"]),
        ({"email2_is_bad": "yes", "Email 2": "b@example.com", "Email 1": ""}, ["bouncing"]),
        ({"Email 1": "", "Email 2": "b@example.com", "email1_is_bad": "yes"}, [None]),
        ({"Work Email": "w@example.com", "Email": "a@example.com", "Bounced": "yes"}, ["bouncing", None]),
        ({"VANID": "7", "Bounced": "yes"}, ["bouncing"]),
        ({"Email": "a@example.com", "Email Status": "spam complaint", "Bounced": "yes"}, ["spam complaints"]),
    ],
    ids=str,
)
def test_a_bounce_is_about_the_address_of_its_number(cells: dict[str, str], statuses: list[str | None]) -> None:
    assert [each.get("status") for each in person(cells)["email_addresses"]] == statuses


@pytest.mark.parametrize(
    ("word", "status"),
    [
        ("OptedOut", "unsubscribed"),
        ("opted_out.", "unsubscribed"),
        ("NEVER_SUBSCRIBED", "unsubscribed"),
        ("\uff35\uff2e\uff33\uff35\uff22", "unsubscribed"),  # full-width letters
        ("Do Not Contact", "unsubscribed"),
        ("HardBounce", "bouncing"),
        ("hard-bounced", "bouncing"),
        ("AbuseComplaint", "spam complaints"),
        ("Opted-In", "subscribed"),
    ],
)
def test_a_status_is_read_with_any_separators(word: str, status: str) -> None:
    assert person({"Email": "a@example.com", "Email Status": word})["email_addresses"][0]["status"] == status


@pytest.mark.parametrize("cells", [("Subscribed", "Unsubscribed"), ("Unsubscribed", "Subscribed"), ("Opted In", "No")])
@pytest.mark.parametrize("names", [("Email Status", "Subscription Status"), ("Mailing Status", "Email Status")])
def test_of_two_columns_about_the_status_the_stricter_counts(names: tuple[str, str], cells: tuple[str, str]) -> None:
    found = person({"Email": "a@example.com", names[0]: cells[0], names[1]: cells[1]})

    assert found["email_addresses"] == [{"address": "a@example.com", "status": "unsubscribed"}]


@pytest.mark.parametrize("mark", ["\u2713", "\u2714", "\u2611", "\u2705", " x ", "X"])
@pytest.mark.parametrize(
    "name", ["Opted Out", "Opted Out (Y/N)", "Opted Out [yes/no]", "Opted Out? (required)", "OPTED-OUT:"]
)
def test_a_check_mark_is_a_yes(name: str, mark: str) -> None:
    assert person({"Email": "a@example.com", name: mark})["email_addresses"][0]["status"] == "unsubscribed"


@pytest.mark.parametrize("mark", ["\u2610", "\u2b1c"])
def test_an_empty_box_is_a_no(mark: str) -> None:
    assert "status" not in person({"Email": "a@example.com", "Opted Out": mark})["email_addresses"][0]
