"""Reading of a CSV file to import: formats of spreadsheets, and rows that form one outreach."""

import pickle
from contextlib import closing
from pathlib import Path

import pytest

from osdi.importing.csv_files.column_mapping import OUTREACHES, PEOPLE
from osdi.importing.csv_files.encoding import ENCODINGS, survey
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


def items_of_a_copy(file: Path, **choices: str) -> list[Item]:
    """The items that another process reads, which gets the source pickled."""
    source = CsvSource(file, survey(file), PEOPLE, CsvChoices(**choices), "osdi", None)  # type: ignore[arg-type]
    with closing(source), closing(pickle.loads(pickle.dumps(source))) as copy:
        found = list(copy.items())
        assert (copy.position, copy.size) == (file.stat().st_size, file.stat().st_size)
        return found


@pytest.mark.parametrize(
    ("content", "choices"),
    [
        (b"sep=;\r\nemail;first_name\r\na@example.com;J\r\n", {}),
        (b"sep=\t\nemail\tfirst_name\na@example.com\tJ\n", {}),
        ("email,first_name\na@example.com,J\n".encode("utf-16-le"), {"encoding": "utf-16"}),
        ("email,first_name\na@example.com,J\n".encode("utf-16"), {"encoding": "utf-16"}),
        (b"email,first_name\ra@example.com,J\r", {}),
        (b'email,"first\nname"\na@example.com,J', {}),
        (b"\xef\xbb\xbf\n \nemail,first_name\na@example.com,J\n", {}),
    ],
)
def test_every_format_that_spreadsheets_save_is_read(file: Path, content: bytes, choices: dict[str, str]) -> None:
    file.write_bytes(content)

    expected = [{"person": {"email_addresses": [{"address": "a@example.com"}], "given_name": "J"}}]
    assert [each.body for each in items(file, **choices)] == expected
    assert [each.body for each in items_of_a_copy(file, **choices)] == expected


ENCODED = {
    "utf-8": "Łódź", "utf-16": "Łódź", "latin-1": "José", "latin-9": "Œuvre", "windows-1250": "Łódź",
    "windows-1251": "Юлия",
    "windows-1252": "Œuvre", "windows-1253": "Γιώργος", "windows-1254": "Doğan", "windows-1255": "שלום",
    "windows-1256": "سلام", "windows-1257": "Ąžuolas", "windows-1258": "Đăk", "mac-roman": "José",
    "mac-central-europe": "Łódź", "mac-cyrillic": "Юлия", "mac-greek": "Γιώργος", "mac-turkish": "Doğan",
    "dos-437": "José", "dos-850": "José", "dos-852": "Łódź", "dos-866": "Юлия", "shift-jis": "山田", "gb18030": "王伟",
    "big5": "陳", "korean": "김민준",
}  # fmt: skip


@pytest.mark.parametrize("name", ENCODINGS)
def test_each_encoding_of_the_option_is_read(file: Path, name: str) -> None:
    file.write_text(f"email,first_name\na@example.com,{ENCODED[name]}\n", encoding=ENCODINGS[name])

    (found,) = items(file, encoding=ENCODINGS[name])

    assert found.body is not None
    assert found.body["person"]["given_name"] == ENCODED[name]


def test_a_row_with_invalid_utf_16_is_rejected(file: Path) -> None:
    good = "email,first_name\na@example.com,J"
    file.write_bytes(good.encode("utf-16") + b"\x00\xd8" + "\nb@example.com,K\n".encode("utf-16-le"))

    assert [each.rejected for each in items(file)] == ["Contains bytes that are invalid in the file's encoding.", None]


def test_ids_of_another_system_are_a_custom_field(file: Path) -> None:
    file.write_text("id,created_date,modified_date,email\n17,2024-01-01,2024-01-01,a@example.com\n")

    assert items(file)[0].body == {
        "person": {"email_addresses": [{"address": "a@example.com"}], "custom_fields": {"id": "17"}}
    }


class TestTargets:
    """The rows of one outreach are imported together, or rejected together."""

    @pytest.mark.parametrize(
        ("rows", "broken"),
        [
            ("crm:1,a@example.com,1,A,?\ncrm:1,a@example.com,2,B,\ncrm:1,a@example.com,3,C,\n", "Not a date"),
            ("crm:1,a@example.com,1,A,\ncrm:1,a@example.com,2,B,?\ncrm:1,a@example.com,3,C,\n", "Not a date"),
            ("crm:1,a@example.com,1,A,,x\ncrm:1,a@example.com,2,B,\ncrm:1,a@example.com,3,C,\n", "6 cells"),
            ("crm:1,a@example.com,1,A,\ncrm:1,a@example.com,2,B,\ncrm:1,a@example.com,3,C,\n", "The row has no date"),
        ],
    )
    def test_one_invalid_row_rejects_all(self, file: Path, rows: str, broken: str) -> None:
        file.write_text(TARGETS + rows + "crm:2,b@example.com,1,D,2024-12-31\n")

        found = items(file, OUTREACHES)

        assert broken in (found[0].rejected or "")
        assert [row.line for row in found[0].rows()] == [2, 3, 4]
        assert [(each.line, each.rejected) for each in found[1:]] == [(5, None)]

    def test_a_target_number_can_have_any_length(self, file: Path) -> None:
        file.write_text(TARGETS + f"crm:1,a@example.com,01,A,\ncrm:1,a@example.com,{'9' * 5000},B,\n")

        found = items(file, OUTREACHES)

        assert [len(each.rows()) for each in found] == [2]

    def test_the_rows_of_one_outreach_are_limited(self, file: Path) -> None:
        file.write_text(TARGETS + "crm:1,a@example.com,2,A,\n" * (ROWS + 1))

        assert [len(each.rows()) for each in items(file, OUTREACHES)] == [ROWS, 1]
