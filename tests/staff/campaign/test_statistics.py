"""The statistics of a campaign: the same numbers as the API's, a chart of them, and a CSV file."""

import csv
import datetime as dt
import io
from typing import Any

import pytest
from pymongo.database import Database

from osdi.errors import unavailable
from osdi.ids import now
from osdi.staff.campaign.chart import HEIGHT, chart, round_up
from osdi.statistics.reader import StatisticsReader
from tests.fixtures.campaign_pages import soup
from tests.staff.campaign.conftest import Screens
from tests.support import factories

HOSTILE = "=1+1</th><script>alert(1)</script>"
RANGES = ("all", "7", "30")


def recorded(screens: Screens) -> None:
    """Records outreaches of 40 days, with more sources than a table has rows."""
    for number in range(14):
        moment = (now() - dt.timedelta(days=number * 3)).isoformat() + "Z"
        source = {"source": HOSTILE if number < 2 else f"site {number}"} if number < 13 else {}
        targets = [{"given_name": "Ann"}] if number % 2 else []
        screens.api.recorded(
            factories.outreach(action_date=moment, referrer_data=source, targets=targets, type="email")
        )


def numbers(screens: Screens, wanted: str) -> dict[str, Any]:
    """The numbers of the API at the address that the page states."""
    page = screens.open(f"/statistics?range={wanted}")
    address = next(each.get_text() for each in page.select("dd code") if "/stats?" in each.get_text())
    return dict(screens.api.get(address).json)


@pytest.mark.parametrize("wanted", RANGES)
def test_the_figures_are_those_of_the_api(screens: Screens, wanted: str) -> None:
    recorded(screens)
    expected = numbers(screens, wanted)

    page = screens.open(f"/statistics?range={wanted}")

    figures = [int(next(each.stripped_strings)) for each in page.select(".figures dd")]
    assert figures[:2] == [expected["total"]["outreaches"], expected["total"]["people"]]
    days = [
        [cell.get_text() for cell in row.find_all(["th", "td"])][:3]
        for row in page.select("#growth ~ details tbody tr")
    ]
    assert days == [[d["date"], str(d["outreaches"]), str(d["people"])] for d in reversed(expected["days"])]
    for kind in ("source", "referrer", "target", "type"):
        rows = page.select(f"#{kind} ~ table tbody tr")
        shown = [int(row.td.get_text()) for row in rows if row.td]
        counted = expected[f"by_{kind}"]
        further = [each for each in (counted["others"]["outreaches"], counted["without"]) if each]
        assert shown == ([*(each["outreaches"] for each in counted["top"]), *further] if counted["top"] else [])


@pytest.mark.parametrize("wanted", RANGES)
def test_the_file_has_the_same_numbers(screens: Screens, wanted: str) -> None:
    recorded(screens)
    expected = numbers(screens, wanted)

    response = screens.browser.get(f"{screens.path}/statistics.csv?range={wanted}")

    rows = list(csv.DictReader(io.StringIO(response.data.decode("utf-8-sig"), newline="")))
    counted = expected["total"]
    assert list(rows[0].values())[:4] == ["total", "", str(counted["outreaches"]), str(counted["people"])]
    days = {row["value"]: int(row["outreaches"]) for row in rows if row["kind"] == "day"}
    assert days == {day["date"]: day["outreaches"] for day in expected["days"]}
    sources = {row["value"].removeprefix("'"): int(row["outreaches"]) for row in rows if row["kind"] == "source"}
    assert sources == {each["value"]: each["outreaches"] for each in expected["by_source"]["top"]}
    assert not any(row["value"].startswith("=") for row in rows)


def test_each_value_names_the_request_that_lists_what_it_counts(screens: Screens) -> None:
    recorded(screens)

    rows = screens.open("/statistics").select("#source ~ table tbody tr")

    named = [row for row in rows if row.code]
    assert len(named) == 12
    for row in named:
        assert row.code
        assert row.td
        assert screens.api.get(row.code.get_text()).json["total_records"] == int(row.td.get_text())


def test_a_campaign_without_outreaches_has_a_page(screens: Screens) -> None:
    page = screens.open("/statistics")

    assert page.select_one("svg polyline") is not None
    assert page.select("svg rect") == []


@pytest.mark.parametrize("wanted", ["", "31", "-1", "x" * 500])
def test_an_unknown_range_means_all_days(screens: Screens, wanted: str) -> None:
    assert screens.open(f"/statistics?range={wanted}").select_one("option[selected]")["value"] == "all"  # type: ignore[index]


YESTERDAY = (now() - dt.timedelta(days=1)).date().isoformat()


class TestThePeriod:
    @pytest.mark.parametrize(
        ("query", "control", "message"),
        [
            ("range=dates&from=2026-02-30", "from", "is no day"),
            ("range=dates&to=soon", "to", "is no day"),
            ("from=2026-11-02&to=2026-11-01", "to", "before the first"),
            ("from=2024-01-01&to=2026-01-01", "to", "more than 366 days"),
            ("from=1066-10-14", "from", "from 1900 to 2199"),
            ("from=2999-10-14", "from", "from 1900 to 2199"),
        ],
    )
    def test_of_wrong_days_is_named_and_has_no_numbers(
        self, screens: Screens, query: str, control: str, message: str
    ) -> None:
        response = screens.browser.get(f"{screens.path}/statistics?{query}")

        page = soup(response)
        assert response.status_code == 400
        (link,) = page.select("#errors a")
        assert (link["href"], message in link.get_text()) == (f"#{control}", True)
        assert page.select(".figures, svg") == []
        assert screens.browser.get(f"{screens.path}/statistics.csv?{query}").status_code == 400

    @pytest.mark.parametrize(
        "query",
        [
            f"range=dates&from={YESTERDAY}&to={YESTERDAY}",
            f"from={YESTERDAY}&to={YESTERDAY}",
            "range=dates",
            "range=dates&from=2026-01-01",
            f"range=dates&to={YESTERDAY}",
            "from=1900-01-01&to=1900-01-02",
            "from=2199-12-31",
            "range=7&from=nonsense",
        ],
    )
    def test_of_two_days_or_one_has_the_numbers_of_the_api(self, screens: Screens, query: str) -> None:
        recorded(screens)

        page = screens.open(f"/statistics?{query}")

        address = next(each.get_text() for each in page.select("dd code") if "/stats?" in each.get_text())
        expected = screens.api.get(address).json["total"]
        figures = [int(next(each.stripped_strings)) for each in page.select(".figures dd")]
        assert figures[:2] == [expected["outreaches"], expected["people"]]

    def test_stands_beside_the_period_before(self, screens: Screens) -> None:
        for days in (0, 0, 8, 8, 8, 13):
            moment = (now() - dt.timedelta(days=days)).isoformat() + "Z"
            screens.api.recorded(factories.outreach(action_date=moment))

        page = screens.open("/statistics?range=7")

        assert "4 in the period before" in page.select(".figures dd")[0].get_text(" ", strip=True)
        assert page.select_one("svg polyline.previous") is not None
        assert page.select_one(".previous-key") is not None
        before = [row.select("td")[2].get_text(" ", strip=True) for row in page.select("#growth ~ details tbody tr")]
        dates = [(now() - dt.timedelta(days=days)).date().isoformat() for days in range(7, 14)]
        assert before == [f"{number} {date}" for number, date in zip((0, 3, 0, 0, 0, 0, 1), dates, strict=True)]
        text = screens.browser.get(f"{screens.path}/statistics.csv?range=7").data.decode("utf-8-sig")
        rows = list(csv.DictReader(io.StringIO(text, newline="")))
        assert [row["period_before"] for row in rows if row["kind"] in ("total", "day")] == list("41000030")

    def test_of_all_days_has_none_before(self, screens: Screens) -> None:
        recorded(screens)

        page = screens.open("/statistics")

        assert page.select("svg polyline.previous, .previous-key") == []


class TestStatisticsThatCannotBeRead:
    @pytest.fixture
    def away(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def count(*_: Any) -> None:
            raise unavailable("Statistics are still being computed; retry in 1 s.", seconds=1)

        monkeypatch.setattr(StatisticsReader, "count", count)

    @pytest.mark.usefixtures("away")
    def test_leave_the_page_with_its_other_content(self, screens: Screens) -> None:
        page = screens.open("/statistics")

        assert "cannot be shown now" in page.select("[role=status]")[0].get_text()
        assert page.select("nav.screens a") != []
        assert page.select(f'main a[href="/staff/outreaches?campaign={screens.api.campaign_id}"]') != []
        assert page.select("svg") == []

    @pytest.mark.usefixtures("away")
    def test_give_no_file(self, screens: Screens) -> None:
        assert screens.browser.get(f"{screens.path}/statistics.csv").status_code == 503

    def test_of_the_period_before_leave_the_period(self, screens: Screens, monkeypatch: pytest.MonkeyPatch) -> None:
        recorded(screens)
        read, calls = StatisticsReader.count, list[int]()

        def count(reader: StatisticsReader, *arguments: Any) -> Any:
            calls.append(1)
            if len(calls) > 1:
                raise unavailable("Statistics are still being computed; retry in 1 s.", seconds=1)
            return read(reader, *arguments)

        monkeypatch.setattr(StatisticsReader, "count", count)

        page = screens.open("/statistics?range=7")

        assert page.select("svg .day") != []
        assert page.select("svg .previous") == []


def test_outreaches_by_new_people_and_messages_in_own_words_are_counted(screens: Screens, database: Database) -> None:
    known = {"email_addresses": [{"address": "jane@example.com"}]}
    for number in range(5):
        made = screens.api.recorded(factories.outreach(**({"person": known} if number else {})))
        own = {"$set": {"own_words": number < 3}} if number else {"$unset": {"own_words": ""}}
        database.outreaches.update_one({"_id": made["identifiers"][0].partition(":")[2]}, own)

    page = screens.open("/statistics")

    texts = [each.get_text(" ", strip=True) for each in page.select(".figures dd")]
    assert texts[2].startswith("2 3 by people who were known before")
    assert texts[3].startswith("2 50 %; 2 unchanged")


def test_hostile_values_are_text_and_nothing_has_a_style(screens: Screens) -> None:
    recorded(screens)

    page = screens.open("/statistics")

    assert page.find("script") is None
    assert page.select("[style]") == []


class TestTheChart:
    def test_has_columns_in_proportion_and_a_line_that_ends_at_the_total(self) -> None:
        drawn = chart([0, 5, 10], before=5, goal=40)

        assert [each.height for each in drawn.columns] == [0, 100, 200]
        assert [each.y + each.height for each in drawn.columns] == [drawn.bottom] * 3
        heights = [drawn.bottom - float(point.partition(",")[2]) for point in drawn.line.split()]
        assert heights == [pytest.approx(200 * total / 50) for total in (5, 10, 20)]
        assert drawn.goal_y == drawn.bottom - 200 * 40 / 50

    def test_has_the_period_before_on_the_scale_of_the_columns(self) -> None:
        drawn = chart([1, 2], before=0, goal=None, previous=[10, 5])

        assert drawn.most_of_a_day == 10
        assert [float(point.partition(",")[2]) for point in drawn.previous.split()] == [drawn.top, drawn.bottom - 100]

    @pytest.mark.parametrize("days", [1, 7, 366])
    def test_stays_inside_its_frame(self, days: int) -> None:
        drawn = chart(list(range(days)), before=0, goal=None)

        assert drawn.goal_y is None
        assert drawn.columns[0].x >= drawn.left
        assert drawn.columns[-1].x + drawn.columns[-1].width <= drawn.right
        assert all(0 <= each.y <= HEIGHT for each in drawn.columns)

    @pytest.mark.parametrize(
        ("number", "expected"),
        [(0, 1), (1, 1), (2, 2), (3, 5), (6, 10), (11, 20), (21, 50), (101, 200), (10**9, 10**9)],
    )
    def test_has_round_scales(self, number: int, expected: int) -> None:
        assert round_up(number) == expected
