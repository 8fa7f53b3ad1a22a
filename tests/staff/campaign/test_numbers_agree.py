"""Each figure of the staff pages is the length of the list it leads to, of its CSV file, and of the API's response."""

import csv
import datetime as dt
import io
from collections.abc import Iterator
from typing import Any

import pytest
from bs4 import BeautifulSoup, Tag
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st
from pymongo.database import Database

from osdi.ids import now
from osdi.staff.campaign import outreach_list
from osdi.store import Store
from tests.fixtures.campaign_pages import soup
from tests.staff.conftest import StaffBrowser
from tests.support import factories
from tests.support.client import Client
from tests.support.examples import examples

LINKS = 'main a[href^="/staff/outreaches?"], main a[href="/staff/outreaches"]'
DAYS = (0, 1, 6, 7, 8, 13, 14, 29, 31, 45)
TEXTS = ("newsletter", "O'Brien & Söhne; x", "=1+1", "y" * 240, "a,b", '"q"', None)
# More values than a table has rows.
MANY = tuple(f"site {number}" for number in range(16))
NAMES = ("Ann", "Ann Lee", "Senator", None)


def target() -> st.SearchStrategy[dict[str, str]]:
    words = st.sampled_from(NAMES)
    found = st.fixed_dictionaries({"title": words, "given_name": words, "family_name": words, "organization": words})
    return found.map(lambda each: {name: text for name, text in each.items() if text})


BODIES = st.lists(
    st.fixed_dictionaries(
        {
            "days": st.sampled_from(DAYS),
            "type": st.sampled_from(("email", "phone", "visit", None)),
            "source": st.sampled_from(TEXTS),
            "referrer": st.sampled_from(TEXTS),
            "targets": st.lists(target(), max_size=3),
            "person": st.integers(0, 3),
            "own_words": st.sampled_from((True, False, None)),
        }
    ),
    min_size=3,
    max_size=25,
)


BODY = {"days": 1, "type": "email", "source": "a", "referrer": "b", "targets": [], "person": 1, "own_words": True}


def recorded(api: Client, database: Database, campaign: str, body: dict[str, Any]) -> None:
    moment = now() - dt.timedelta(days=body["days"])
    source = {name: body[name] for name in ("source", "referrer") if body[name]}
    outreach = factories.outreach(
        person={"email_addresses": [{"address": f"person{body['person']}@example.com"}]},
        action_date=moment.isoformat() + "Z",
        type=body["type"],
        targets=body["targets"],
        referrer_data=source or None,
    )
    made = api.recorded(outreach, campaign=campaign)
    if body["own_words"] is not None:  # a page of the campaign would record it
        own = {"own_words": body["own_words"]}
        database.outreaches.update_one({"_id": made["identifiers"][0].partition(":")[2]}, {"$set": own})


def pages_of(browser: StaffBrowser, address: str) -> Iterator[BeautifulSoup]:
    """The pages of a list, behind one another."""
    while address:
        response = browser.get(address)
        assert response.status_code == 200, response.text
        page = soup(response)
        yield page
        following = page.select_one('a[rel="next"]')
        address = str(following["href"]) if following else ""


def lengths(browser: StaffBrowser, api: Client, address: str) -> set[int]:
    """The lengths of a list of outreaches: on its pages, as it states it, of its CSV file, and by the API."""
    pages = list(pages_of(browser, address))
    listed = sum(len(page.select("table tbody tr")) for page in pages)
    stated = pages[0].select_one("main p.hint")
    assert stated is not None
    file, code = data_of(pages[0].select("#programs ~ *"))
    response = browser.get(file)
    rows = list(csv.DictReader(io.StringIO(response.data.decode("utf-8-sig"), newline="")))
    by_api = api.get(code)
    assert by_api.status_code == 200, by_api.text
    return {listed, int(stated.get_text().split()[0].replace(",", "")), len(rows), by_api.json["total_records"]}


def data_of(parts: list[Tag]) -> tuple[str, str]:
    """The addresses of the file and of the API's request in a part of a page."""
    (file,) = [each["href"] for part in parts for each in part.select('a[href*="outreaches.csv"]')]
    (code,) = [each.get_text() for part in parts for each in part.select("code")]
    return str(file), code


def figures(page: BeautifulSoup) -> Iterator[tuple[int, str]]:
    """The numbers that are links, and where they lead. A file and a request beside a number are those of the list."""
    for link in page.select(LINKS):
        text = link.get_text().replace(",", "")
        if text.isdigit():
            yield int(text), str(link["href"])


def agree(browser: StaffBrowser, api: Client, path: str) -> set[str]:
    """Fails unless each figure of a page is the length of its list; returns where they lead."""
    response = browser.get(path)
    assert response.status_code == 200, response.text
    found = dict[str, int]()
    for number, address in figures(soup(response)):
        assert found.setdefault(address, number) == number
    for address, number in found.items():
        assert lengths(browser, api, address) == {number}, address
    return set(found)


@pytest.fixture
def small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pages of six outreaches, which look at few at once."""
    monkeypatch.setattr(outreach_list, "PER_PAGE", 6)
    monkeypatch.setattr(outreach_list, "BATCH", 8)
    monkeypatch.setattr(outreach_list, "MAX_READ", 16)


@pytest.mark.usefixtures("small_pages")
def test_each_figure_is_the_length_of_its_list_its_file_and_its_request(
    api: Client, ada: StaffBrowser, database: Database
) -> None:
    kinds: set[str] = set()

    @settings(
        max_examples=examples(12),
        deadline=None,
        derandomize=True,
        phases=[Phase.explicit, Phase.generate],  # shrinking would take minutes
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    )
    @given(bodies=BODIES, wanted=st.sampled_from(("all", "7", "30")))
    @example(bodies=[{**BODY, "source": each, "days": number % 9} for number, each in enumerate(MANY)], wanted="30")
    def same(bodies: list[dict[str, Any]], wanted: str) -> None:
        database.advocacy_campaigns.delete_many({"_id": {"$ne": api.campaign_id}})
        database.outreaches.delete_many({})
        campaign = api.created("/advocacy_campaigns", {"title": "Random"})["identifiers"][0].partition(":")[2]
        for body in bodies:
            recorded(api, database, campaign, body)
        for path in ("/staff", "/staff/campaigns", f"/staff/campaigns/{campaign}"):
            agree(ada, api, path)
        for address in agree(ada, api, f"/staff/campaigns/{campaign}/statistics?range={wanted}"):
            kinds.update(each.partition("=")[0] for each in address.partition("?")[2].split("&"))

    same()
    values = {"source", "referrer", "target", "type", "other", "other_than", "without", "own_words", "new_person"}
    assert kinds == {"campaign", "from", "to", *values}


def test_a_file_and_a_request_beside_a_figure_are_those_of_its_list(
    api: Client, ada: StaffBrowser, database: Database
) -> None:
    for number in range(3):
        recorded(api, database, api.campaign_id, {**BODY, "days": number})

    compared = 0
    for path in ("/staff", "/staff/campaigns", f"/staff/campaigns/{api.campaign_id}/statistics?range=7"):
        for data in soup(ada.get(path)).select('.data:has(a[href*="outreaches.csv"])'):
            file, code = data_of([data])
            listed = soup(ada.get(file.replace("outreaches.csv", "outreaches")))
            assert data_of(listed.select("#programs ~ *")) == (file, code)
            compared += 1
    assert compared > 10


def test_others_of_targets_are_named_as_often_as_the_figure_says(api: Client, ada: StaffBrowser, store: Store) -> None:
    """No list has this length, since an outreach may name several of them; so the figure leads to none."""
    for number in range(12):
        names = [{"given_name": f"T{number}"}, {"given_name": f"T{number + 12}"}]
        api.recorded(factories.outreach(targets=names))

    page = soup(ada.get(f"/staff/campaigns/{api.campaign_id}/statistics"))

    (row,) = [row for row in page.select("#target ~ table tbody tr") if "Other targets" in row.get_text()]
    assert row.td is not None
    assert row.td.get_text() == "14"
    assert row.select("a") == []


def test_new_people_are_as_many_as_the_list_and_the_file_have_and_the_api_counts(
    api: Client, ada: StaffBrowser, database: Database
) -> None:
    for number in range(3):
        recorded(api, database, api.campaign_id, {**BODY, "person": number})
    database.people.update_one({}, {"$set": {"created_date": now() - dt.timedelta(days=9)}})

    figure = soup(ada.get("/staff")).select("dl.figures > div")[1]

    assert figure.dd is not None
    assert figure.code is not None
    assert next(figure.dd.stripped_strings) == "2"
    assert api.get(figure.code.get_text()).json["total_records"] == 2
    address, file = (str(each["href"]) for each in figure.select("a"))
    assert len(soup(ada.get(address)).select("tbody tr")) == 2
    rows = ada.post(file, form=file).data.decode("utf-8-sig").splitlines()
    assert len(rows) == 1 + 2
