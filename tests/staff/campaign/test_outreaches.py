"""The list of outreaches: filters, order, pages, bad addresses, and what a campaign-scoped member sees."""

import csv
import datetime as dt
import io
from collections.abc import Callable
from typing import Any

import pytest
from bs4 import BeautifulSoup
from pymongo.database import Database

from osdi.access.tokens import READ
from osdi.ids import new_id, now
from osdi.staff.campaign import outreach_list as module
from osdi.staff.campaign.outreach_filter import OutreachFilter, days_of
from osdi.staff.members import add_member
from osdi.store import Store
from tests.fixtures.campaign_pages import soup
from tests.staff.conftest import SignedIn, StaffBrowser
from tests.support import factories
from tests.support.client import Client
from tests.support.profiled import profiled

TODAY = now().date()


def days_ago(days: int) -> str:
    return (TODAY - dt.timedelta(days=days)).isoformat()


def record(api: Client, *, days: int = 0, campaign: str | None = None, **fields: Any) -> str:
    """Records an outreach at noon of a day, and returns its id."""
    moment = f"{days_ago(days)}T12:00:00Z"
    made = api.recorded(factories.outreach(action_date=moment, **fields), campaign=campaign)
    return str(made["identifiers"][0].partition(":")[2])


def opened(browser: StaffBrowser, status: int = 200, **arguments: Any) -> BeautifulSoup:
    response = browser.get("/staff/outreaches", query_string=arguments)
    assert response.status_code == status, response.text
    return soup(response)


def listed(browser: StaffBrowser, **arguments: Any) -> list[str]:
    """The ids in the file of a list."""
    response = browser.get("/staff/outreaches.csv", query_string=arguments)
    assert response.status_code == 200, response.text
    rows = list(csv.DictReader(io.StringIO(response.data.decode("utf-8-sig"), newline="")))
    assert len(opened(browser, **arguments).select("tbody tr")) == len(rows)
    return [row["id"] for row in rows]


@pytest.fixture
def recorded(api: Client, database: Database) -> dict[str, str]:
    """Outreaches by name, each of which differs from the first in one way."""
    source = {"source": "newsletter", "referrer": "https://a.example.org"}
    same: dict[str, Any] = {
        "referrer_data": source,
        "type": "email",
        "targets": [{"title": "Senator", "given_name": "Ann"}],
        "person": {"email_addresses": [{"address": "jane@example.com"}]},
    }
    found = {
        "first": record(api, **same),
        "earlier": record(api, **same, days=8),
        "source": record(api, **{**same, "referrer_data": {**source, "source": "O'Brien"}}),
        "referrer": record(api, **{**same, "referrer_data": {**source, "referrer": "b"}}),
        "type": record(api, **{**same, "type": "phone"}),
        "target": record(api, **{**same, "targets": [{"organization": "Ministry"}]}),
        "plain": record(api, **{**same, "referrer_data": None, "type": None, "targets": []}),
        "new": record(api, **{**same, "person": factories.person()}),
    }
    database.outreaches.update_one({"_id": found["first"]}, {"$set": {"own_words": True}})
    database.outreaches.update_one({"_id": found["source"]}, {"$set": {"own_words": False}})
    return found


ALL = {"first", "earlier", "source", "referrer", "type", "target", "plain", "new"}


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ({}, ALL),
        ({"from": days_ago(6)}, ALL - {"earlier"}),
        ({"to": days_ago(1)}, {"earlier"}),
        ({"from": days_ago(8), "to": days_ago(8)}, {"earlier"}),
        ({"from": days_ago(7), "to": days_ago(1)}, set()),
        ({"source": "O'Brien"}, {"source"}),
        ({"source": "nobody"}, set()),
        ({"referrer": "b"}, {"referrer"}),
        ({"type": "phone"}, {"type"}),
        ({"target": "Ministry"}, {"target"}),
        ({"target": "Senator Ann"}, ALL - {"target", "plain"}),
        ({"without": "source"}, {"plain"}),
        ({"without": "target"}, {"plain"}),
        ({"without": "type"}, {"plain"}),
        ({"other": "source", "other_than": "newsletter"}, {"source"}),
        ({"other": "type", "other_than": ["email", "phone"]}, set()),
        ({"own_words": "yes"}, {"first"}),
        ({"own_words": "no"}, {"source"}),
        ({"new_person": "yes"}, {"first", "new"}),
        ({"new_person": "no"}, ALL - {"first", "new"}),
        ({"source": "newsletter", "type": "email", "from": days_ago(3)}, {"first", "referrer", "target", "new"}),
        ({"target": "Senator Ann", "new_person": "yes", "own_words": "yes"}, {"first"}),
    ],
)
def test_a_filter_selects_the_outreaches_with_each_value(
    api: Client, ada: StaffBrowser, recorded: dict[str, str], arguments: dict[str, Any], expected: set[str]
) -> None:
    ids = listed(ada, campaign=api.campaign_id, **arguments)

    assert {name for name, each in recorded.items() if each in ids} == expected
    assert len(ids) == len(expected)


def test_the_latest_is_first_and_each_page_continues_the_one_before(
    api: Client, ada: StaffBrowser, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "PER_PAGE", 2)
    ids = [record(api, days=days) for days in (3, 1, 1, 1, 0)]
    undated = record(api)
    database.outreaches.update_one({"_id": undated}, {"$unset": {"action_date": ""}})
    address, shown = f"/staff/outreaches?campaign={api.campaign_id}", list[str]()
    while address:
        page = soup(ada.get(address))
        shown += [str(each["datetime"])[:10] for each in page.select("tbody time")]
        following = page.select_one('a[rel="next"]')
        address = str(following["href"]) if following else ""

    assert shown == [*(days_ago(days) for days in (0, 1, 1, 1, 3)), TODAY.isoformat()]
    assert len(ids) == 5


def test_without_a_campaign_the_days_are_those_of_recording(api: Client, ada: StaffBrowser) -> None:
    record(api, days=20)
    other = api.created("/advocacy_campaigns", {"title": "Other"})["identifiers"][0].partition(":")[2]
    record(api, campaign=other)

    assert len(listed(ada)) == 2
    assert len(listed(ada, **{"from": days_ago(0)})) == 2
    assert listed(ada, to=days_ago(1)) == []
    assert [each.get_text() for each in opened(ada).select("tbody td a[href*=campaigns]")][:1] == ["Other"]


@pytest.mark.parametrize(
    ("arguments", "control", "message"),
    [
        ({"from": "2026-02-30"}, "from", "is no day"),
        ({"to": "yesterday"}, "to", "is no day"),
        ({"from": "0001-01-01"}, "from", "from 1900 to 2199"),
        ({"from": "2026-11-02", "to": "2026-11-01"}, "to", "before the first"),
        ({"without": "person"}, "without", "Choose one"),
        ({"other": "x"}, "other", "Choose one"),
        ({"own_words": "maybe"}, "own_words", "Choose one"),
        ({"new_person": "maybe"}, "new_person", "Choose one"),
    ],
)
def test_an_invalid_filter_is_named_and_nothing_is_listed(
    api: Client, ada: StaffBrowser, arguments: dict[str, str], control: str, message: str
) -> None:
    record(api)

    page = opened(ada, 400, campaign=api.campaign_id, **arguments)

    (link,) = page.select("#errors a")
    assert link["href"] == f"#{control}"
    assert message in link.get_text()
    assert page.select("tbody tr") == []
    file = ada.get("/staff/outreaches.csv", query_string={"campaign": api.campaign_id, **arguments})
    assert file.status_code == 400


@pytest.mark.parametrize("name", ["source", "referrer", "target", "type", "without", "own_words", "new_person"])
def test_a_value_needs_a_campaign_since_an_index_is_by_campaign(ada: StaffBrowser, name: str) -> None:
    value = {"without": "source", "own_words": "yes", "new_person": "yes"}.get(name, "x")

    assert "Choose a campaign" in opened(ada, 400, **{name: value}).select("#errors a")[0].get_text()


@pytest.mark.parametrize(
    "arguments",
    [
        {"after": "x"},
        {"after": "2026-13-01T00:00:00~x"},
        {"after": "~" + "x" * 300},
        {"source": "a\x00"},
        {"target": "a " * 20},
        {"other": "source", "other_than": ["x" * 200 + str(n) for n in range(10)]},
    ],
)
def test_a_hostile_address_is_a_400(api: Client, ada: StaffBrowser, arguments: dict[str, Any]) -> None:
    record(api)

    opened(ada, 400, campaign=api.campaign_id, **arguments)


def test_an_unknown_campaign_is_a_404(ada: StaffBrowser) -> None:
    opened(ada, 404, campaign=new_id())


class TestACampaignScopedMember:
    @pytest.fixture
    def scoped(self, api: Client, store: Store, signed_in: SignedIn) -> StaffBrowser:
        return signed_in(add_member(store, "bob@example.org", scopes=[READ], advocacy_campaign_id=api.campaign_id))

    def test_sees_the_outreaches_of_the_campaign_and_no_people(self, api: Client, scoped: StaffBrowser) -> None:
        record(api, person=factories.person(given_name="Secret"))
        other = api.created("/advocacy_campaigns", {"title": "Other"})["identifiers"][0].partition(":")[2]
        record(api, campaign=other)

        page = opened(scoped)
        file = scoped.get("/staff/outreaches.csv")

        assert len(page.select("tbody tr")) == 1
        assert "Secret" not in str(page)
        assert page.select('a[href*="/staff/people"]') == []
        assert page.select("select[name=campaign]") == []
        rows = list(csv.DictReader(io.StringIO(file.data.decode("utf-8-sig"), newline="")))
        assert len(rows) == 1
        assert "person_id" not in rows[0]

    @pytest.mark.parametrize("path", ["/staff/outreaches", "/staff/outreaches.csv"])
    def test_may_not_see_another_campaign(self, api: Client, scoped: StaffBrowser, path: str) -> None:
        assert scoped.get(path, query_string={"campaign": new_id()}).status_code == 403


def test_the_file_is_safe_in_a_spreadsheet_and_has_no_names(api: Client, ada: StaffBrowser) -> None:
    record(api, referrer_data={"source": "=1+1"}, person=factories.person(given_name="Secret"))

    text = ada.get("/staff/outreaches.csv").data.decode("utf-8-sig")

    assert "'=1+1" in text
    assert "Secret" not in text


class TestALargeCampaign:
    """No page reads all outreaches of a campaign."""

    NUMBER = 400

    @pytest.fixture
    def campaign(self, api: Client, database: Database) -> str:
        """A campaign with many outreaches of one source, one rare source, and one rare target."""
        start = now() - dt.timedelta(days=30)
        database.outreaches.insert_many(
            {
                "_id": new_id(),
                "version": 1,
                "advocacy_campaign_id": api.campaign_id,
                "created_date": start,
                "modified_date": start,
                "action_date": start + dt.timedelta(minutes=number),
                "match_keys": [f"id:x:{number}"],
                "type": "email",
                "referrer_data": {"source": "rare" if number == 7 else "usual"},
                "targets": [{"organization": "Rare" if number == 7 else "Usual"}],
            }
            for number in range(self.NUMBER)
        )
        return api.campaign_id

    @pytest.mark.parametrize(
        ("arguments", "limit"),
        [
            ({}, 26),
            ({"source": "rare"}, 1),
            ({"source": "usual"}, 26),
            ({"type": "email"}, 26),
            ({"source": "usual", "from": days_ago(2)}, 0),
        ],
    )
    def test_is_read_by_an_index(
        self, ada: StaffBrowser, database: Database, campaign: str, arguments: dict[str, str], limit: int
    ) -> None:
        with profiled(database) as done:
            opened(ada, campaign=campaign, **arguments)

        operations = [each for each in done if each.collection == "outreaches"]
        assert all("IXSCAN" in each.plan or "COUNT_SCAN" in each.plan for each in operations), operations
        assert sum(each.read for each in operations) <= limit
        assert not any(each.sorted for each in operations)

    def test_is_looked_through_in_parts_for_a_value_without_an_index(
        self, ada: StaffBrowser, database: Database, campaign: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(module, "BATCH", 50)
        monkeypatch.setattr(module, "MAX_READ", 100)
        monkeypatch.setattr(module, "MAX_COUNTED", 200)
        address, opened_pages, rows = f"/staff/outreaches?campaign={campaign}&target=Rare", 0, 0

        while address:
            with profiled(database) as done:
                page = soup(ada.get(address))
            assert sum(each.read for each in done if each.collection == "outreaches") <= 101
            assert "too many to be counted" in page.get_text()
            opened_pages, rows = opened_pages + 1, rows + len(page.select("tbody tr"))
            following = page.select_one('a[rel="next"]')
            assert following is None or following.get_text() == "Look further back"
            address = str(following["href"]) if following else ""

        assert (opened_pages, rows) == (5, 1)


@pytest.mark.parametrize(
    ("first", "last", "limit", "wrong"),
    [
        ("", "", None, set()),
        ("2026-11-01", "", 366, set()),
        ("2026-11-01", "2026-11-01", 1, set()),
        ("2025-01-01", "2026-01-01", 366, set()),
        ("2025-01-01", "2026-01-02", 366, {"to"}),
        ("2025-01-01", "2099-01-02", None, set()),
        ("2026-02-30", "2026-02-31", 366, {"from", "to"}),
        ("1899-12-31", "2200-01-01", 366, {"from", "to"}),
        ("26-11-01", "", 366, {"from"}),
        ("2026-11-02", "2026-11-01", 366, {"to"}),
    ],
)
def test_two_days_are_checked(first: str, last: str, limit: int | None, wrong: set[str]) -> None:
    assert set(days_of(first, last, limit)[2]) == wrong


def test_the_arguments_of_a_filter_are_those_of_an_address() -> None:
    chosen = OutreachFilter("c", dt.date(2026, 11, 1), other="source", other_than=("a",), own_words="yes")

    assert chosen.arguments == {
        "campaign": "c",
        "other": "source",
        "own_words": "yes",
        "from": "2026-11-01",
        "other_than": ["a"],
    }


SortedBy = Callable[[str], list[str]]


class TestTheListOfCampaigns:
    @pytest.fixture
    def titles(self, api: Client, ada: StaffBrowser, database: Database) -> SortedBy:
        """The titles of the list in an order, of campaigns with different numbers of outreaches."""
        database.advocacy_campaigns.delete_many({})
        for title, days in (("beta", [40, 39, 38]), ("Alpha", [1, 2]), ("gamma", [])):
            made = api.created("/advocacy_campaigns", {"title": title})["identifiers"][0].partition(":")[2]
            for each in days:
                record(api, days=each, campaign=made)

        def order_of(sort: str) -> list[str]:
            page = soup(ada.get(f"/staff/campaigns?sort={sort}"))
            return [each.get_text() for each in page.select("tbody th a")]

        return order_of

    @pytest.mark.parametrize(
        ("sort", "expected"),
        [
            ("", ["gamma", "Alpha", "beta"]),
            ("title", ["Alpha", "beta", "gamma"]),
            ("-title", ["gamma", "beta", "Alpha"]),
            ("outreaches", ["gamma", "Alpha", "beta"]),
            ("-outreaches", ["beta", "Alpha", "gamma"]),
            ("-last_days", ["Alpha", "gamma", "beta"]),
            ("-latest", ["Alpha", "beta", "gamma"]),
            ("latest", ["gamma", "beta", "Alpha"]),
            ("unknown", ["gamma", "Alpha", "beta"]),
            ("x" * 900, ["gamma", "Alpha", "beta"]),
        ],
    )
    def test_is_sorted_by_a_column(self, titles: SortedBy, sort: str, expected: list[str]) -> None:
        assert titles(sort) == expected

    @pytest.mark.parametrize(
        ("sort", "state", "next_order"),
        [("-outreaches", "descending", "outreaches"), ("outreaches", "ascending", "-outreaches")],
    )
    def test_says_how_it_is_sorted_and_links_to_the_reverse(
        self, api: Client, ada: StaffBrowser, sort: str, state: str, next_order: str
    ) -> None:
        page = soup(ada.get(f"/staff/campaigns?sort={sort}&state=draft"))

        (heading,) = page.select("th[aria-sort]")
        assert heading["aria-sort"] == state
        assert heading.a is not None
        assert heading.a["href"] == f"/staff/campaigns?sort={next_order}&state=draft"
        assert len(page.select("thead a")) == 4

    def test_has_a_file_with_the_same_numbers(self, titles: SortedBy, ada: StaffBrowser) -> None:
        text = ada.get("/staff/campaigns.csv").data.decode("utf-8-sig")

        rows = {row["title"]: row for row in csv.DictReader(io.StringIO(text, newline=""))}
        numbers = {title: (row["outreaches"], row["last_7_days"]) for title, row in rows.items()}
        assert numbers == {"beta": ("3", "0"), "Alpha": ("2", "2"), "gamma": ("0", "0")}
        filtered = ada.get("/staff/campaigns.csv?text=alp").data.decode("utf-8-sig")
        assert len(filtered.splitlines()) == 2

    @pytest.mark.parametrize("path", ["/staff/campaigns", "/staff/campaigns.csv"])
    @pytest.mark.parametrize("text", ["al%00p", "al%00p%00", "alp"])
    def test_finds_a_text_without_its_nul_characters(
        self, titles: SortedBy, ada: StaffBrowser, path: str, text: str
    ) -> None:
        response = ada.get(f"{path}?text={text}")

        assert response.status_code == 200
        assert "Alpha" in response.text
        assert "beta" not in response.text

    @pytest.mark.parametrize("text", ["%00", "(", "%5C", "%ED%A0%80", "a" * 5_000])
    def test_takes_each_text(self, titles: SortedBy, ada: StaffBrowser, text: str) -> None:
        assert ada.get(f"/staff/campaigns?text={text}").status_code == 200
