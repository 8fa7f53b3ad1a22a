"""The values that a template can print: posted texts become short single lines without links."""

import datetime as dt
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from osdi.messages.template_fields import fields, single_line


def printed(name: str, **how: Any) -> Any:
    """Returns a person's given name as a template gets it."""
    return fields({"given_name": name}, {}, {}, by_token=how.get("by_token", True))["person"].get("given_name")


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Jane", "Jane"),
        ("Zoë Müller-Lüdenscheidt", "Zoë Müller-Lüdenscheidt"),
        ("O'Neil", "O'Neil"),
        ("李小龍", "李小龍"),
        ("محمد", "محمد"),
        ("👩\u200d👩\u200d👧", "👩\u200d👩\u200d👧"),
        ("St.John", "St. John"),
        ("J. R. R.", "J. R. R."),
        ("  Jane \t Ann\n", "Jane Ann"),
        ("Jane\r\nBcc: all", "Jane Bcc: all"),
        ("Jane\u2028Ann\u2029\x0b\x00", "Jane Ann"),
        ("\u202eenaJ\u202c", "enaJ"),
        ("a\u200bb\ufeff", "a b"),
        ("\uff2aane", "Jane"),
        ("x" * 101, "x" * 99 + "…"),
        ("http://evil.example", None),
        ("see HTTPS://evil.example now", None),
        ("www.evil.example", None),
        ("mailto:x", None),
        ("tel:+1900555", None),
        ("buy@evil.example", None),
        ("\uff48ttp\uff1a\uff0f\uff0fevil", None),
        ("//evil.example", "//evil. example"),
        ("evil.example/path", "evil. example/path"),
        ("evil\uff0eexample", "evil. example"),
        ("evil\u3002example", "evil\u3002 example"),
        ("evil.\u200bexample", "evil. example"),
        ("evil.\u200dexample", "evil. \u200dexample"),
        ("   ", None),
    ],
)
def test_a_persons_name_becomes_one_line_without_links(name: str, expected: str | None) -> None:
    assert printed(name, by_token=False) == expected
    assert printed(name, by_token=True) == expected, "the name may come from an earlier anonymous post"


def test_an_anonymous_outreachs_texts_become_lines_without_links() -> None:
    outreach = {
        "message": "a\nb",
        "notes": "https://evil.example",
        "targets": [{"title": "http://x"}, {"title": "Mayor"}],
    }

    found = fields(None, outreach, {}, by_token=False)

    assert found["outreach"] == {"message": "a b", "targets": [{"title": "Mayor"}]}
    assert found["targets"] == [{"title": "Mayor"}]


def test_an_outreach_recorded_with_a_token_keeps_its_texts() -> None:
    outreach = {"message": "a\nhttps://example.org", "targets": [{"title": "Mayor"}]}

    found = fields(None, outreach, {}, by_token=True)

    assert found["outreach"]["message"] == "a\nhttps://example.org"
    assert found["targets"] == [{"title": "Mayor"}]


def test_a_campaigns_fields_are_unchanged() -> None:
    assert fields(None, {}, {"browser_url": "https://example.org"}, by_token=False)["campaign"] == {
        "browser_url": "https://example.org"
    }


def test_only_the_standards_fields_can_be_printed() -> None:
    person = {"_id": "x", "match_keys": ["y"], "version": 3, "identifiers": ["a:b"], "given_name": "Jane"}

    assert fields(person, {"person_id": "x"}, {"counted": 1}, by_token=True) == {
        "person": {"given_name": "Jane"},
        "outreach": {},
        "targets": [],
        "campaign": {},
    }


def test_an_unknown_person_has_no_fields() -> None:
    assert fields(None, {}, {}, by_token=False)["person"] == {}


def test_a_long_list_is_shortened() -> None:
    assert len(fields({}, {"targets": [{"title": "x"}] * 1000}, {}, by_token=True)["targets"]) == 100


def test_a_megabyte_of_text_becomes_a_short_line() -> None:
    assert single_line("x\n" * 500_000, 100).endswith("…")


DATE = dt.datetime(2026, 3, 19, 4, 30)


@pytest.mark.parametrize(
    ("offset", "zone", "shown"),
    [
        (None, "UTC", "2026-03-19 04:30 +0000"),
        (0, "America/New_York", "2026-03-19 00:30 -0400"),
        (None, "America/Chicago", "2026-03-18 23:30 -0500"),
        (-300, "UTC", "2026-03-18 23:30 -0500"),
        (-300, "Asia/Kolkata", "2026-03-18 23:30 -0500"),
        (330, "UTC", "2026-03-19 10:00 +0530"),
    ],
)
def test_the_date_of_an_outreach_has_its_offset_or_the_zone(offset: int | None, zone: str, shown: str) -> None:
    outreach = {"action_date": DATE, **({"action_date_offset": offset} if offset is not None else {})}

    found = fields(None, outreach, {}, by_token=False, zone=ZoneInfo(zone))["outreach"]

    assert f"{found['action_date']:%Y-%m-%d %H:%M %z}" == shown
    assert list(found) == ["action_date"]


@pytest.mark.parametrize("edge", [dt.datetime.min, dt.datetime.max])
def test_a_date_at_the_end_of_the_calendar_is_shown_in_utc(edge: dt.datetime) -> None:
    for offset in (-300, 300):
        found = fields(None, {"action_date": edge, "action_date_offset": offset}, {}, by_token=True)["outreach"]
        assert f"{found['action_date']:%m}" in ("01", "12")
