"""A table of postal codes: how its file is read, and which line a code leads to."""

import pytest

from osdi.campaign_pages.postal_codes.table import Table, as_csv, best, label, prefixes, read_table, report
from osdi.campaign_pages.targets import target_key
from osdi.errors import OsdiError

ADA = {"given_name": "Ada", "family_name": "Lovelace", "ocdid": "ocd-division/country:de/wk:1"}
BEN = {"title": "Senator", "given_name": "Ben", "family_name": "Öhm", "organization": "Water Office"}
CARA = {"given_name": "Cara", "family_name": "Nu"}
SAME = {"given_name": "Dana", "family_name": "Pi", "organization": "North"}
OTHER = {**SAME, "organization": "South"}
LIST = [ADA, BEN, CARA, SAME, OTHER]
A, B, C = map(target_key, (ADA, BEN, CARA))


def read(*lines: str, header: str = "postal_code,target") -> Table:
    return read_table("\n".join([header, *lines]), LIST)


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("1", A),
        ("2", B),
        ("ocd-division/country:de/wk:1", A),
        ("OCD-Division/country:DE/wk:1", A),
        ("Ada Lovelace", A),
        ("ada  lovelace", A),
        ("Senator Ben Öhm", B),
        ("Ben Ohm", B),
        ("Water Office", B),
    ],
)
def test_a_target_is_named_by_number_ocdid_or_name(text: str, key: str) -> None:
    assert read(f"10115,{text}").targets == {"10115": [key]}


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("10115,Jane Doe", "No target of the campaign has this number, name or ocdid."),
        ("10115,0", "No target of the campaign has this number, name or ocdid."),
        ("10115,6", "No target of the campaign has this number, name or ocdid."),
        (f"10115,{'9' * 4_301}", "No target of the campaign has this number, name or ocdid."),
        ("10115,²", "No target of the campaign has this number, name or ocdid."),
        ("10115,", "The line has no target."),
        ("10115", "The line has 1 columns. Put a text with a comma in quotation marks."),
        ("10115,Nu, Cara", "The line has 3 columns. Put a text with a comma in quotation marks."),
        (",1", "The line has no postal code."),
        ("--,1", "The line has no postal code."),
        ("10*,1", "Write the beginning of the codes without *, such as 10 for 10115. Only * alone is allowed."),
        ("1" * 21 + ",1", "A postal code has at most 20 letters and digits."),
        ("10115,Dana Pi", "Several targets of the campaign have this name. Write the ocdid or the number."),
    ],
)
def test_a_line_that_cannot_be_used_is_reported_with_the_reason(line: str, message: str) -> None:
    table = read("20095,1", line)
    assert [(each.line, each.message) for each in table.problems] == [(3, message)]
    assert table.targets == {"20095": [A]}


def test_targets_that_nothing_distinguishes_cannot_be_named() -> None:
    table = read_table("postal_code,target\n1,1", [CARA, CARA])
    assert table.problems[0].message.startswith("Another target of the campaign has the same name")


@pytest.mark.parametrize(
    "text",
    [
        "postal_code,target\n10115,1\n",
        "\ufeffpostal_code,target\r\n10115,1\r\n",
        "postal_code;target\n10115;1",
        "postal_code\ttarget\n10115\t1",
        "Target,Postal_Code\n1,10115",
        'postal_code,target\n"10115","Ada Lovelace"\n\n,\n',
    ],
    ids=["plain", "byte order mark", "semicolons", "tabs", "columns in the other order", "quotation marks"],
)
def test_files_of_spreadsheets_are_read(text: str) -> None:
    table = read_table(text, LIST)
    assert (table.targets, table.problems) == ({"10115": [A]}, [])


@pytest.mark.parametrize(
    "text", ["", "10115,1", "zip,target\n1,1", "postal_code,target,x\n1,1,1", "postal_code\n1", '\n"', "\0"]
)
def test_a_file_without_the_two_columns_is_rejected(text: str) -> None:
    with pytest.raises(OsdiError) as raised:
        read_table(text, LIST)
    assert raised.value.status == 400
    assert "postal_code,target" in str(raised.value)


@pytest.mark.parametrize("line", ['"10115,1', '10115,"1"x', "1," + "x" * 200_000])
def test_a_file_that_is_no_csv_is_rejected_with_the_line(line: str) -> None:
    with pytest.raises(OsdiError) as raised:
        read(line)
    assert str(raised.value).startswith("Line 2 is not valid CSV")


def test_a_file_with_too_many_lines_is_rejected(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("osdi.campaign_pages.postal_codes.table.MAX_POSTAL_CODE_LINES", 2)
    assert read("1,1", "2,1").lines == 2
    with pytest.raises(OsdiError, match="more than 2 lines"):
        read("1,1", "2,1", "3,1")


@pytest.mark.parametrize(
    ("code", "found"),
    [
        ("10115", (B,)),
        ("10117", (A,)),
        ("1", (A,)),
        ("20095", ()),
        ("D-10115", (B,)),
        ("d 10115", (B,)),
        ("de-10115", (B,)),
        ("10 115", (B,)),
        ("\uff11\uff10\uff11\uff11\uff15", (B,)),
        ("\u0661\u0660\u0661\u0661\u0665", (B,)),
        ("10115-1234", (B,)),
        ("SW1A 1AA", (C,)),
        ("sw1a1aa", (C,)),
        ("K1A 0B1", (A, B)),
        ("00-950", (C,)),
        ("1010 AB", (A,)),
        ("", ()),
        ("---", ()),
        ("x" * 10_000, ()),
    ],
)
def test_a_code_leads_to_the_line_with_its_longest_beginning(code: str, found: tuple[str, ...]) -> None:
    table = read("1,1", "10115,2", "SW1A,3", "K1A,1", "k1a,2", "00-950,3")
    assert table.problems == []
    assert best(code, table.targets).keys == found


def test_codes_of_no_line_lead_to_the_line_for_every_other_code() -> None:
    table = read("10,1", "*,3")
    assert best("10115", table.targets).keys == (A,)
    assert best("20095", table.targets).keys == best("20095", table.targets).others == (C,)


def test_a_code_has_few_prefixes() -> None:
    assert prefixes("D-10115") == ("d10115", "d1011", "d101", "d10", "d1", "d", "10115", "1011", "101", "10", "1")
    assert len(prefixes("1" * 10_000)) == 20


def test_a_report_counts_lines_codes_and_targets_and_names_what_to_look_at() -> None:
    table = read("10115,1", "10115,2", "10 115,2", "20,1", "*,3", "30,Nobody")
    assert report(table, LIST) == {
        "lines": 6,
        "postal_codes": 3,
        "targets": 3,
        "for_every_other_code": ["Cara Nu"],
        "problems": [
            {
                "line": 7,
                "postal_code": "30",
                "target": "Nobody",
                "message": "No target of the campaign has this number, name or ocdid.",
            }
        ],
        "total_problems": 1,
        "repeated_lines": [4],
        "total_repeated_lines": 1,
        "codes_with_several_targets": ["10115"],
        "total_codes_with_several_targets": 1,
        "targets_without_code": ["4", "5"],
        "total_targets_without_code": 2,
    }


def test_a_report_of_a_bad_file_stays_short() -> None:
    found = report(read(*(f"{number},x" for number in range(1_000, 2_000))), LIST)
    assert (len(found["problems"]), found["total_problems"]) == (50, 1_000)


def test_a_label_names_one_target() -> None:
    assert [label(LIST, position) for position in range(5)] == [
        ADA["ocdid"],
        "Senator Ben Öhm",
        "Cara Nu",
        "4",
        "5",
    ]


def test_a_written_file_is_read_as_the_same_table_and_has_no_formulas() -> None:
    formula = {"organization": '=HYPERLINK("https://evil.example")'}
    text = as_csv([("10115", label([formula], 0)), ("SW1A", label([formula], 0))])
    assert ",\"'=HYPERLINK" in text
    table = read_table(text, [formula])
    assert (list(table.targets), table.problems) == (["10115", "sw1a"], [])


def test_fifty_thousand_lines_are_read_in_seconds() -> None:
    targets = [{"ocdid": f"ocd-division/country:de/wk:{number}"} for number in range(300)]
    text = "postal_code,target\n" + "".join(
        f"{code},{targets[code % 300]['ocdid']}\n" for code in range(10_000, 60_000)
    )
    table = read_table(text, targets)
    assert (len(table.targets), table.problems) == (50_000, [])
