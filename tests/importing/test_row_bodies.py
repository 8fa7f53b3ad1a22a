"""Conversion of a row to the body of a POST."""

from typing import Any

import pytest

from osdi.importing.csv_files.column_mapping import OUTREACHES, PEOPLE, guess_columns
from osdi.importing.csv_files.row_bodies import IN_PARTS, Reading, Row, Unreadable, digest_of, row_of


def row(kind: str = PEOPLE, **cells: str) -> Row:
    """Returns the row with these cells by column."""
    return row_of(list(cells.values()), Reading(kind, guess_columns(list(cells), kind)))


def body(kind: str = PEOPLE, **cells: str) -> dict[str, Any]:
    """Returns the body of a row with these cells by column."""
    return row(kind, **cells).body


@pytest.mark.parametrize(
    ("cells", "person"),
    [
        ({"zip_code": "01234"}, {"postal_addresses": [{"postal_code": "01234"}]}),
        ({"country": "Germany"}, {"postal_addresses": [{"country": "DE"}]}),
        ({"address": "1 Main St\nApt 2"}, {"postal_addresses": [{"address_lines": ["1 Main St", "Apt 2"]}]}),
        ({"birthday": "1973-06-02"}, {"birthdate": {"year": 1973, "month": 6, "day": 2}}),
        ({"name": "Jane van Doe"}, {"given_name": "Jane van", "family_name": "Doe"}),
        ({"name": "van Doe, Jane"}, {"family_name": "van Doe", "given_name": "Jane"}),
        ({"email": "j@example.com", "email_status": "opt out"},
         {"email_addresses": [{"address": "j@example.com", "status": "unsubscribed"}]}),
        ({"can2_phone": "'+1 202 555 0143", "can2_sms_status": "unsubscribed"},
         {"phone_numbers": [{"number_type": "Mobile", "number": "+1 202 555 0143", "sms_capable": False}]}),
        ({"can2_phone": "", "can2_sms_status": "unsubscribed"}, {}),
        ({"uuid": "1-2"}, {"identifiers": ["action_network:1-2"]}),
        ({"identifiers": "crm:1; van:2"}, {"identifiers": ["crm:1", "van:2"]}),
        ({"VANID": "1001.0"}, {"identifiers": ["van:1001"]}),
        ({"phone": "2025550101.0"}, {"phone_numbers": [{"number": "2025550101"}]}),
        ({"zip": "2134.0", "country": "US"}, {"postal_addresses": [{"postal_code": "02134", "country": "US"}]}),
        ({"birth year": "1980.0"}, {"birthdate": {"year": "1980"}}),
        ({"birthday": "0/0/00", "Fish": "0/0/00"}, {}),
        ({"gender": "Divers"}, {"gender": "Other", "gender_identity": "Divers"}),
        ({"mobile": "202-555-0101 / 202-555-0102"},
         {"phone_numbers": [{"number_type": "Mobile", "number": "202-555-0101"},
                            {"number_type": "Mobile", "number": "202-555-0102"}]}),
        ({"email": "a@example.com; b@example.com"},
         {"email_addresses": [{"address": "a@example.com"}, {"address": "b@example.com"}]}),
        ({"Business Street": "9 Work Rd", "Home Street": "1 Oak St"},
         {"postal_addresses": [{"address_type": "Home", "address_lines": ["1 Oak St"]},
                               {"address_type": "Work", "address_lines": ["9 Work Rd"]}]}),
        ({"gender": "f"}, {"gender": "Female"}),
        ({"Fish": "=1+1"}, {"custom_fields": {"Fish": "=1+1"}}),
        ({"Fish": "'=1+1"}, {"custom_fields": {"Fish": "=1+1"}}),
        ({"first_name": "  ", "Fish": ""}, {}),
        ({"other_email_addresses": "a@example.com; b@example.com", "other_email_statuses": "; bouncing"},
         {"email_addresses": [{"address": "a@example.com"}, {"address": "b@example.com", "status": "bouncing"}]}),
        ({"parties": '[{"identification":"None"}]'}, {"parties": [{"identification": "None"}]}),
        ({"custom_fields/a": "1", "other_custom_fields": '{"b":"2"}'}, {"custom_fields": {"b": "2", "a": "1"}}),
    ],
)  # fmt: skip
def test_a_row_of_people(cells: dict[str, str], person: dict[str, Any]) -> None:
    assert body(**cells)["person"] == person


@pytest.mark.parametrize(
    ("cells", "reason"),
    [
        ({"birthday": "1/2/1973"}, "birthday: The date is ambiguous. Use --dates dmy or --dates mdy."),
        ({"birthday": "soon"}, "birthday: Not a date such as 2024-12-31."),
        ({"can2_phone": "1.2E+10"}, "can2_phone: A spreadsheet has rounded this number. Format its column as text."),
        ({"profiles": "me"}, "profiles: Not JSON in the form that the export writes."),
        ({"profiles": '{"0": {"url": "u"}}'}, "profiles: Not JSON in the form that the export writes."),
        ({"profiles": "[]", "profiles[0].url": "u"}, f"profiles[0].url: {IN_PARTS}"),
        ({"profiles[0].url": "u", "profiles": "[]"}, f"profiles: {IN_PARTS}"),
        ({"employer_address": "[1]"}, "employer_address: Not JSON in the form that the export writes."),
    ],
)
def test_a_cell_that_cannot_be_read_is_left_out_with_a_warning_that_names_its_column(
    cells: dict[str, str], reason: str
) -> None:
    found = row(email="a@example.com", **cells)

    assert found.warnings == [reason]
    assert found.body["person"]["email_addresses"] == [{"address": "a@example.com"}]


@pytest.mark.parametrize(
    ("cells", "reason"),
    [
        ({"email": "a@example.com", "email_status": "?"}, "email_status: Write subscribed"),
        ({"email": "a@example.com", "Email Opt Out": "perhaps"}, "Email Opt Out: Neither yes, no"),
        ({"do_not_call": "perhaps", "phone": "1234567"}, "do_not_call: Neither yes, no"),
        ({"phone_numbers[0].do_not_call": "perhaps", "phone": "1234567"}, "do_not_call: Write yes or no."),
        ({"other_phone_numbers": "1234567", "other_sms_capable": "perhaps"}, "other_sms_capable: Write yes or no."),
    ],
)
def test_a_row_is_rejected_if_its_consent_cannot_be_read(cells: dict[str, str], reason: str) -> None:
    with pytest.raises(Unreadable, match=reason):
        row(**cells)


@pytest.mark.parametrize(
    ("column", "cell", "tags"),
    [
        ("tags", "a; b;", ["a", "b"]),
        ("tags", "a, b", ["a", "b"]),
        ("tags", "a, b; c", ["a, b", "c"]),
        ("TAGS", '"River","Dam, old"', ["River", "Dam, old"]),
        ("Labels", "* myContacts ::: Volunteers ::: Press, local", ["Volunteers", "Press, local"]),
        ("Group Membership", "* myContacts", []),
        ("can2_user_tags", "a, b c", ["a", "b c"]),
        ("tags", r"a\; b; c", ["a; b", "c"]),
    ],
)
def test_tags_are_split_by_the_separator_of_their_column(column: str, cell: str, tags: list[str]) -> None:
    assert body(**{column: cell})["add_tags"] == tags


def test_a_row_of_outreaches() -> None:
    found = body(
        OUTREACHES,
        date="2024-12-31 10:00:00 UTC",
        type="phone",
        duration="90",
        source="flyer",
        email="j@example.com",
        target_last_name="Smith",
        target_email_address="smith@example.org",
    )

    assert found == {
        "person": {"email_addresses": [{"address": "j@example.com"}]},
        "action_date": "2024-12-31T10:00:00+00:00",
        "type": "phone",
        "duration": 90,
        "referrer_data": {"source": "flyer"},
        "targets": [{"family_name": "Smith", "email_addresses": [{"address": "smith@example.org"}]}],
    }


def test_the_digest_depends_on_cells_and_not_on_the_order_of_columns() -> None:
    def digest(**cells: str) -> str:
        return digest_of(list(cells.values()), Reading(OUTREACHES, guess_columns(list(cells), OUTREACHES)), "campaign")

    same = {digest(email="a", notes="b"), digest(notes="b", email="a"), digest(email="a", notes="b", subject="")}
    assert len(same) == 1
    assert digest(email="a", notes="c") not in same
    assert digest(email="b", notes="a") not in same
