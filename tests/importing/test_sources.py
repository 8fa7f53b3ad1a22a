"""A CSV file as what is imported: how it is read, and which rows belong together."""

from pathlib import Path

import pytest

from osdi.importing.csv_files.column_mapping import OUTREACHES, PEOPLE
from osdi.importing.csv_files.encoding import survey
from osdi.importing.sources import ROWS, CsvChoices, CsvSource, Item

TARGETS = "identifiers,email,target_number,target_last_name,date\n"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "file.csv"


def items(file: Path, kind: str = PEOPLE, **choices: str) -> list[Item]:
    source = CsvSource(file, survey(file), kind, CsvChoices(**choices), "osdi", None)  # type: ignore[arg-type]
    try:
        return list(source.items())
    finally:
        source.close()


@pytest.mark.parametrize(
    ("content", "choices"),
    [
        (b"sep=;\r\nemail;first_name\r\na@example.com;J\r\n", {}),
        (b"sep=\t\nemail\tfirst_name\na@example.com\tJ\n", {}),
        ("email,first_name\na@example.com,J\n".encode("utf-16-le"), {"encoding": "utf-16"}),
        ("email,first_name\na@example.com,J\n".encode("utf-16"), {"encoding": "utf-16"}),
        (b"email,first_name\ra@example.com,J\r", {}),
        (b'email,"first\nname"\na@example.com,J', {}),
    ],
)
def test_a_file_is_read_however_a_spreadsheet_has_saved_it(file: Path, content: bytes, choices: dict[str, str]) -> None:
    file.write_bytes(content)

    assert [each.body for each in items(file, **choices)] == [
        {"person": {"email_addresses": [{"address": "a@example.com"}], "given_name": "J"}}
    ]


def test_bytes_that_are_no_text_in_utf_16_are_refused_too(file: Path) -> None:
    good = "email,first_name\na@example.com,J"
    file.write_bytes(good.encode("utf-16") + b"\x00\xd8" + "\nb@example.com,K\n".encode("utf-16-le"))

    assert [each.refused for each in items(file)] == ["Holds bytes that are no text in the file's encoding.", None]


def test_a_file_of_another_system_with_ids_and_dates_is_not_taken_for_our_own_export(file: Path) -> None:
    file.write_text("id,created_date,modified_date,email\n17,2024-01-01,2024-01-01,a@example.com\n")

    assert items(file)[0].body == {
        "person": {"email_addresses": [{"address": "a@example.com"}], "custom_fields": {"id": "17"}}
    }


class TestTargets:
    """The rows of one outreach's targets are taken together, or refused together."""

    @pytest.mark.parametrize(
        ("rows", "broken"),
        [
            ("crm:1,a@example.com,1,A,?\ncrm:1,a@example.com,2,B,\ncrm:1,a@example.com,3,C,\n", "Not a date"),
            ("crm:1,a@example.com,1,A,\ncrm:1,a@example.com,2,B,?\ncrm:1,a@example.com,3,C,\n", "Not a date"),
            ("crm:1,a@example.com\ncrm:1,a@example.com,2,B,\ncrm:1,a@example.com,3,C,\n", "2 cells"),
        ],
    )
    def test_one_row_that_cannot_be_read_refuses_all(self, file: Path, rows: str, broken: str) -> None:
        file.write_text(TARGETS + rows + "crm:2,b@example.com,1,D,\n")

        found = items(file, OUTREACHES)

        assert broken in (found[0].refused or "")
        assert [row.line for row in found[0].rows()] == [2, 3, 4]
        assert [(each.line, each.refused) for each in found[1:]] == [(5, None)]

    def test_a_number_of_any_length_is_one(self, file: Path) -> None:
        file.write_text(TARGETS + f"crm:1,a@example.com,01,A,\ncrm:1,a@example.com,{'9' * 5000},B,\n")

        found = items(file, OUTREACHES)

        assert [len(each.rows()) for each in found] == [2]

    def test_no_more_rows_are_held_than_an_outreach_may_have(self, file: Path) -> None:
        file.write_text(TARGETS + "crm:1,a@example.com,2,A,\n" * (ROWS + 1))

        assert [len(each.rows()) for each in items(file, OUTREACHES)] == [ROWS, 1]
