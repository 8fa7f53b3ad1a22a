"""The list of people: statuses, dates, orders, numbers, the CSV file, the API's request, and an empty result."""

import csv
import datetime as dt
import io
import re
from typing import Any
from urllib.parse import unquote

import pytest
from pymongo.database import Database

from osdi.access.tokens import READ
from osdi.followups.unsubscribe import unsubscribe
from osdi.ids import now
from osdi.people.merge import merge_stored_people
from osdi.staff.members import add_member
from osdi.staff.people.search import find as find_module
from osdi.staff.people.search import rows as rows_module
from osdi.staff.people.search.csv_file import people_file
from osdi.staff.people.search.filter import LATEST, NAME, NEWEST, Filter, api_request
from osdi.staff.people.search.find import find_people
from osdi.staff.people.search.rows import people_list
from osdi.staff.sessions import FRESH
from osdi.store import Store
from tests.staff.conftest import SignedIn, StaffBrowser, latest_events
from tests.staff.people.test_people import HOSTILE, id_of, stored
from tests.support import factories
from tests.support.client import Client
from tests.support.profiled import profiled

RULES = factories.RULES
PEOPLE = "/staff/people"


def names(store: Store, chosen: Filter) -> list[str]:
    """The given names of all pages."""
    found: list[str] = []
    after: str | None = ""
    while after is not None:
        page = find_people(store, RULES, chosen, after)
        found += [each["given_name"] for each in page.people]
        after = page.after
    return found


def at(store: Store, person_id: str, date: str) -> None:
    """Stores that the person has been stored since this date, as after a merge with an older person."""
    created = dt.datetime.fromisoformat(date)
    store.update_many("people", {"_id": person_id}, {"$set": {"created_date": created}})


@pytest.fixture
def statuses(api: Client, store: Store) -> None:
    """A person for each status; Lis is subscribed in the own record, and opted out in the suppression list."""
    for name, entry in {
        "Sue": {"status": "subscribed"},
        "Una": {"status": "unsubscribed"},
        "Bo": {"status": "bouncing"},
        "Cy": {"status": "spam complaints"},
        "Kim": {},
        "Lis": {"status": "subscribed"},
    }.items():
        stored(api, given_name=name, email_addresses=[{"address": f"{name}@example.com", **entry}])
    stored(api, given_name="Non", email_addresses=None, identifiers=["crm:1"])
    unsubscribe(store, "lis@example.com")


class TestTheStatus:
    @pytest.mark.parametrize(
        ("status", "expected"),
        [
            ("subscribed", ["Sue"]),
            ("unsubscribed", ["Lis", "Una"]),
            ("bouncing", ["Bo"]),
            ("spam complaints", ["Cy"]),
            ("unknown", ["Kim"]),
            ("no address", ["Non"]),
            ("$ne", []),
        ],
    )
    @pytest.mark.parametrize("size", [1, 25])
    def test_selects_people_by_their_primary_address(
        self,
        store: Store,
        statuses: None,
        status: str,
        expected: list[str],
        size: int,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setattr(find_module, "PER_PAGE", size)
        monkeypatch.setattr(find_module, "BATCH", 2)

        assert names(store, Filter(status=status)) == expected

    def test_reads_a_limited_number_of_people_for_a_page(
        self, store: Store, statuses: None, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(find_module, "BATCH", 1)
        monkeypatch.setattr(find_module, "MAX_PEOPLE_READ", 2)

        first = find_people(store, RULES, Filter(status="subscribed"))

        assert first.people == []
        assert first.after
        assert names(store, Filter(status="subscribed")) == ["Sue"]

    def test_says_that_a_page_without_result_is_not_the_end(
        self, ada: StaffBrowser, statuses: None, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(find_module, "BATCH", 1)
        monkeypatch.setattr(find_module, "MAX_PEOPLE_READ", 2)

        text = ada.get(PEOPLE, query_string={"status": "subscribed"}).text

        assert "None of the people who were looked at for this page fits." in text
        assert "status=subscribed" in re.findall(r'rel="next" href="([^"]+)"', text)[0]

    def test_goes_with_the_other_filters(self, api: Client, store: Store, statuses: None) -> None:
        address = [{"address": "una@example.com"}]
        api.recorded(factories.outreach(person={"given_name": "Una", "email_addresses": address}))

        assert names(store, Filter(status="unsubscribed", campaign=api.campaign_id)) == ["Una"]
        assert names(store, Filter(status="unsubscribed", text="una")) == ["Una"]
        assert names(store, Filter(status="subscribed", text="una")) == []


class TestDates:
    @pytest.fixture
    def days(self, api: Client, store: Store) -> dict[str, str]:
        """Three people; Ann has been stored since March, and Bob had an outreach."""
        ids = {name: stored(api, given_name=name) for name in ("Ann", "Bob", "Cid")}
        at(store, ids["Ann"], "2026-03-05")
        person = {"email_addresses": store.get("people", ids["Bob"])["email_addresses"][:1]}  # type: ignore[index]
        api.recorded(
            factories.outreach(person={"email_addresses": [{"address": person["email_addresses"][0]["address"]}]})
        )
        return ids

    @pytest.mark.parametrize(
        ("filters", "expected"),
        [
            ({"created": dt.datetime(2026, 3, 5)}, ["Cid", "Bob", "Ann"]),
            ({"created": dt.datetime(2026, 3, 6)}, ["Cid", "Bob"]),
            ({"created": dt.datetime(2100, 1, 1)}, []),
            ({"active": dt.datetime(2026, 1, 1)}, ["Bob"]),
            ({"active": dt.datetime(2100, 1, 1)}, []),
            ({"created": dt.datetime(2026, 3, 6), "active": dt.datetime(2026, 1, 1)}, ["Bob"]),
            ({"created": dt.datetime(2026, 3, 6), "text": "ann"}, []),
            ({"active": dt.datetime(2026, 1, 1), "text": "ann"}, []),
            ({"active": dt.datetime(2026, 1, 1), "text": "bob"}, ["Bob"]),
        ],
    )
    def test_select_people_who_were_stored_or_active_since(
        self, store: Store, days: dict[str, str], filters: dict[str, Any], expected: list[str]
    ) -> None:
        assert names(store, Filter(**filters)) == expected

    def test_begin_at_midnight_in_the_zone_of_the_deployment(
        self, ada: StaffBrowser, api: Client, store: Store, days: dict[str, str]
    ) -> None:
        for date, expected in (("2026-03-05", True), ("2026-03-06", False)):
            text = ada.get(PEOPLE, query_string={"created": date}).text
            assert (f"/staff/people/{days['Ann']}" in text) == expected

    @pytest.mark.parametrize("name", ["created", "active"])
    @pytest.mark.parametrize("date", ["yesterday", "2026-02-30", "0001-01-01", "9999-12-31", "$gt", HOSTILE])
    def test_that_are_none_are_named_at_their_field(self, ada: StaffBrowser, jane: str, name: str, date: str) -> None:
        for path in (PEOPLE, f"{PEOPLE}/csv"):
            response = ada.get(path, query_string={name: date})

            assert response.status_code in (200, 422)
            assert ("Enter a date" in response.text) == (response.status_code == 422)
            assert "<script>alert" not in response.text
        assert (response.status_code == 200) == (date in ("0001-01-01", "9999-12-31"))

    def test_use_an_index(self, store: Store, days: dict[str, str], database: Database) -> None:
        later = now() + dt.timedelta(days=1)
        for chosen in (Filter(created=later), Filter(active=later), Filter(created=later, campaign="x")):
            with profiled(database) as operations:
                people_list(store, RULES, chosen)
            assert not any(each.plan == "COLLSCAN" or each.sorted for each in operations)
            assert sum(each.read for each in operations) == 0


@pytest.fixture
def jane(api: Client) -> str:
    return stored(api, given_name="Jane", family_name="Doe")


class TestTheOrder:
    @pytest.fixture
    def people(self, api: Client) -> None:
        """Zoe Adams and Jan Burke, who act in this order, and Jo Adams, who does not."""
        for given, family in (("Zoe", "Adams"), ("Jan", "Burke"), ("Jo", "Adams")):
            stored(api, given_name=given, family_name=family, email_addresses=[{"address": f"{given}@example.com"}])
        for given in ("Jan", "Zoe", "Jan"):
            person = {"email_addresses": [{"address": f"{given}@example.com"}]}
            api.recorded(factories.outreach(person=person))

    @pytest.mark.parametrize(
        ("filters", "expected"),
        [
            ({}, ["Jo", "Jan", "Zoe"]),
            ({"sort": NEWEST}, ["Jo", "Jan", "Zoe"]),
            ({"sort": LATEST}, ["Jan", "Zoe"]),
            ({"sort": NAME}, ["Jo", "Jan", "Zoe"]),  # no index has it: the newest first
            ({"sort": NAME, "text": "j"}, ["Jo", "Jan"]),
            ({"sort": NEWEST, "text": "adams"}, ["Jo", "Zoe"]),
            ({"sort": "$gt"}, ["Jo", "Jan", "Zoe"]),
        ],
    )
    def test_is_one_that_an_index_has_or_that_of_the_few_of_a_search(
        self, store: Store, people: None, filters: dict[str, str], expected: list[str]
    ) -> None:
        assert names(store, Filter(**filters)) == expected  # type: ignore[arg-type]

    @pytest.mark.parametrize(
        ("filters", "sorted_by", "offered"),
        [
            ({}, "Stored since", {LATEST}),
            ({"sort": LATEST}, "Last outreach", {NEWEST}),
            ({"text": "adams"}, None, {NAME, NEWEST}),
            ({"text": "adams", "sort": NAME}, "Name", {NEWEST}),
            ({"campaign": "CAMPAIGN"}, "Last outreach", set()),
        ],
    )
    def test_is_named_by_aria_sort_and_changed_by_links(
        self,
        ada: StaffBrowser,
        api: Client,
        people: None,
        filters: dict[str, str],
        sorted_by: str | None,
        offered: set[str],
    ) -> None:
        sent = {name: text.replace("CAMPAIGN", api.campaign_id) for name, text in filters.items()}
        head = re.findall(r"(?s)<thead.*?</thead>", ada.get(PEOPLE, query_string=sent).text)[0]

        found = re.findall(r'(?s)aria-sort="(\w+)">\s*([\w ]+)', head)
        assert [name for _, name in found] == ([sorted_by] if sorted_by else [])
        assert set(re.findall(r"sort=(\w+)", head)) == offered


class TestTheNumber:
    @pytest.mark.parametrize(
        ("most", "expected"), [(2, "More than 10,000 people."), (3, "3 people."), (9, "3 people.")]
    )
    def test_of_many_people_is_not_counted_to_the_end(
        self, ada: StaffBrowser, api: Client, most: int, expected: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(rows_module, "MAX_COUNTED", most)
        for _ in range(3):
            stored(api)

        assert expected in ada.get(PEOPLE).text

    def test_is_counted_by_an_index(self, api: Client, store: Store, database: Database) -> None:
        tag = id_of(api.created("/tags", {"name": "helper"}))
        for _ in range(3):
            api.created("/people", {"person": factories.person(), "add_tags": ["helper"]})

        with profiled(database) as operations:
            assert people_list(store, RULES, Filter(tag=tag)).total == 3

        assert sum(each.read for each in operations if each.collection == "people") == 3  # the rows alone


def downloaded(browser: StaffBrowser, **arguments: str) -> list[dict[str, str]]:
    """The rows of the CSV file of a search, and the response is closed."""
    response = browser.post(f"{PEOPLE}/csv", arguments)
    assert response.status_code == 200, response.text
    text = response.get_data().decode("utf-8-sig")
    response.close()
    return list(csv.DictReader(io.StringIO(text)))


class TestTheCsvFile:
    @pytest.fixture
    def chosen(self, api: Client) -> dict[str, str]:
        """A filter of each kind, by its name, and one that selects nobody."""
        tag = id_of(api.created("/tags", {"name": "helper"}))
        for name, status in (("Ann", "subscribed"), ("Bob", "unsubscribed"), ("Cid", "subscribed")):
            address = [{"address": f"{name}@example.com", "status": status}]
            body = {"person": factories.person(given_name=name, email_addresses=address)}
            api.created("/people", {**body, "add_tags": ["helper"] if name != "Bob" else []})
            if name != "Ann":
                api.recorded(factories.outreach(person={"email_addresses": [{"address": f"{name}@example.com"}]}))
        return {"tag": tag, "campaign": api.campaign_id, "status": "subscribed", "text": "cid", "created": "2020-01-01"}

    @pytest.mark.parametrize(
        ("filters", "expected"),
        [
            ((), {"Ann", "Bob", "Cid"}),
            (("tag",), {"Ann", "Cid"}),
            (("campaign",), {"Bob", "Cid"}),
            (("status",), {"Ann", "Cid"}),
            (("text",), {"Cid"}),
            (("created",), {"Ann", "Bob", "Cid"}),
            (("tag", "campaign", "status"), {"Cid"}),
        ],
    )
    def test_has_the_people_of_the_list_each_once(
        self,
        ada: StaffBrowser,
        chosen: dict[str, str],
        filters: tuple[str, ...],
        expected: set[str],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setattr("osdi.staff.people.search.csv_file.PART", 1)

        rows = downloaded(ada, **{name: chosen[name] for name in filters})

        assert sorted(row["given_name"] for row in rows) == sorted(expected)

    def test_has_the_columns_of_the_api(self, ada: StaffBrowser, api: Client) -> None:
        stored(api, custom_fields={"shirt": "XL"})

        (row,) = downloaded(ada)
        (of_api,) = csv.DictReader(io.StringIO(api.get("/people.csv").get_data(as_text=True)))

        assert row == of_api
        assert row["custom_fields/shirt"] == "XL"

    def test_is_offered_with_the_filters_and_explained_first(self, ada: StaffBrowser, chosen: dict[str, str]) -> None:
        link = re.findall(r'href="(/staff/people/csv[^"]*)"', ada.get(PEOPLE, query_string=chosen).text)[0]

        text = ada.get(link.replace("&amp;", "&")).text

        assert "all people of your search" in text
        for name, value in chosen.items():
            assert f'name="{name}" value="{value}"' in text

    def test_leaves_an_event(self, ada: StaffBrowser, jane: str, store: Store) -> None:
        downloaded(ada)

        assert latest_events(store, 1)[0]["action"] == "download_people_csv"

    def test_of_a_name_that_too_many_have_is_rejected(
        self, ada: StaffBrowser, api: Client, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for module in ("find", "csv_file"):
            monkeypatch.setattr(f"osdi.staff.people.search.{module}.MAX_PEOPLE_READ", 2)
        for _ in range(3):
            stored(api, given_name="Jane")

        response = ada.post(f"{PEOPLE}/csv", {"text": "jane"})

        assert (response.status_code, "More than 2 people have this name." in response.text) == (400, True)

    def test_needs_a_fresh_sign_in(self, ada: StaffBrowser, jane: str, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("blueprints.staff.gate.now", lambda: now() + FRESH)

        assert ada.get(f"{PEOPLE}/csv?text=jane").headers["Location"].startswith("/staff/confirm")
        assert ada.post(f"{PEOPLE}/csv").status_code == 403

    def test_follows_a_person_who_was_merged_meanwhile(self, api: Client, store: Store) -> None:
        one, other = stored(api, given_name="Ann"), stored(api, given_name="Bob")
        wanted = people_file(store, RULES, Filter(text="ann"))
        merge_stored_people(store, one, other, RULES)

        assert [[each["_id"] for each in part] for part in wanted.parts()] == [[one]]


SINCE = "filter=created_date ge '2026-01-02T00:00:00Z'"


class TestTheRequestOfTheApi:
    @pytest.mark.parametrize(
        ("chosen", "path"),
        [
            (Filter(), "/api/v1/people"),
            (Filter(tag="t"), "/api/v1/tags/t/taggings"),
            (Filter(list="l"), "/api/v1/lists/l/items"),
            (Filter(campaign="c"), "/api/v1/advocacy_campaigns/c/outreaches"),
            (Filter(created=dt.datetime(2026, 1, 2)), f"/api/v1/people?{SINCE}"),
            (
                Filter(active=dt.datetime(2026, 1, 2)),
                f"/api/v1/outreaches?{SINCE}",
            ),
            (Filter(text="o'x@example.com"), "/api/v1/people?filter=email_address eq 'o''x@example.com'"),
            (Filter(text="jane"), None),
            (Filter(status="subscribed"), None),
            (Filter(tag="t", list="l"), None),
        ],
    )
    def test_is_named_if_there_is_one(self, chosen: Filter, path: str | None) -> None:
        found = api_request(chosen)

        assert (unquote(found.path) if found else None) == path

    @pytest.mark.parametrize("name", ["created", "text"])
    def test_returns_the_same_people(self, ada: StaffBrowser, api: Client, name: str) -> None:
        for given in ("Ann", "Bob"):
            stored(api, given_name=given, email_addresses=[{"address": f"{given}'s+x@example.com"}])
        sent = {"created": "2020-01-01", "text": "ann's+x@example.com"}[name]

        text = ada.get(PEOPLE, query_string={name: sent}).text

        address = re.findall(r"<code>/api/v1(.*?)</code>", text)[-1]
        listed = {id_of(each) for each in api.get(address).json["_embedded"]["osdi:people"]}
        assert listed == set(re.findall(r'name="person" value="([^"]+)"', text))

    def test_is_not_named_if_there_is_none(self, ada: StaffBrowser, jane: str) -> None:
        assert "The API has no single request for this search." in ada.get(PEOPLE, query_string={"text": "jane"}).text


@pytest.mark.parametrize("name", ["text", "tag", "list", "campaign", "status", "sort", "created", "active", "after"])
@pytest.mark.parametrize("value", [HOSTILE, "\x00", "x" * 3000, "{{7*7}}"])
def test_any_argument_is_shown_as_text(ada: StaffBrowser, jane: str, name: str, value: str) -> None:
    for path in (PEOPLE, f"{PEOPLE}/csv", f"{PEOPLE}/new"):
        response = ada.get(path, query_string={name: value})

        assert response.status_code in (200, 422)
        assert "<script>alert" not in response.text
        assert ">49<" not in response.text


class TestASearchWithoutResult:
    @pytest.mark.parametrize(
        ("text", "similar"),
        [
            ("Jane Dough", True),
            ("Jan Doo", True),
            ("jane.doe@example.net", True),
            ("Janet", True),
            ("xyz", False),
            ("x@example.net", False),
            ("@", False),
            (HOSTILE, False),
        ],
    )
    def test_suggests_similar_people_and_a_new_one(
        self, ada: StaffBrowser, api: Client, text: str, similar: bool
    ) -> None:
        jane = stored(api, given_name="Jane", family_name="Doe", email_addresses=[{"address": "jane.doe@example.com"}])

        page = ada.get(PEOPLE, query_string={"text": text}).text

        assert "Nobody fits." in page
        assert (f'href="/staff/people/{jane}"' in page) == similar
        assert "/staff/people/new?text=" in page
        assert "<script>alert" not in page

    def test_offers_a_reader_no_new_person(self, store: Store, signed_in: SignedIn) -> None:
        reader = signed_in(add_member(store, "bob@example.org", scopes=[READ]))

        assert "/staff/people/new" not in reader.get(PEOPLE, query_string={"text": "x"}).text
