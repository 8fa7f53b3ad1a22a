"""The list of people and the page of a person: search, filters, statuses with reasons, and what each member sees."""

import re
from typing import Any

import pytest

from osdi.followups.unsubscribe import unsubscribe
from osdi.people.merge import merge_people
from osdi.privacy.erasure import erase
from osdi.staff.people import people_list as people_list_module
from osdi.staff.people.people_list import Filter, PeopleList, people_list
from osdi.store import Store
from tests.staff.conftest import StaffBrowser
from tests.support import factories
from tests.support.client import Client

RULES = factories.RULES
HOSTILE = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>"


def id_of(person: dict[str, Any]) -> str:
    return str(person["_links"]["self"]["href"].rpartition("/")[2])


def stored(api: Client, **fields: Any) -> str:
    """Stores a person and returns the id."""
    return id_of(api.created("/people", {"person": factories.person(**fields)}))


def names(found: PeopleList) -> list[str]:
    return [each.name for each in found.rows]


@pytest.fixture
def jane(api: Client) -> str:
    return stored(
        api,
        given_name="Jane",
        family_name="Doe",
        identifiers=["crm:1"],
        email_addresses=[{"address": "jane@example.com", "status": "subscribed"}],
        phone_numbers=[{"number": "+1 202-555-0123"}],
        postal_addresses=[{"locality": "Springfield", "postal_code": "12345"}],
    )


class TestTheSearch:
    @pytest.mark.parametrize(
        "text",
        [
            "jane",
            "doe jan",
            "Jané",
            " jane@example.com ",
            "JANE@EXAMPLE.COM",
            "+12025550123",
            "crm:1",
        ],
    )
    def test_finds_a_person_by_name_contact_detail_and_identifier(
        self, ada: StaffBrowser, api: Client, jane: str, text: str
    ) -> None:
        stored(api, given_name="Other", family_name="Person")

        response = ada.get("/staff/people", query_string={"text": text})

        assert response.status_code == 200
        assert f"/staff/people/{jane}" in response.text
        assert "Other Person" not in response.text

    @pytest.mark.parametrize("text", ["ane", "!!!", "nobody@example.com", "x" * 500, "$gt", "\x00", HOSTILE])
    def test_that_finds_nobody_says_so(self, ada: StaffBrowser, jane: str, text: str) -> None:
        response = ada.get("/staff/people", query_string={"text": text})

        assert (response.status_code, "Nobody fits." in response.text) == (200, True)
        assert "<script>alert" not in response.text

    def test_says_if_more_people_have_the_name(
        self, api: Client, store: Store, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(people_list_module, "PER_PAGE", 2)
        for number in range(3):
            stored(api, given_name="Jane", family_name=f"Doe{number}")

        found = people_list(store, RULES, Filter(text="jane"))

        assert (len(found.rows), found.more) == (2, True)
        assert names(people_list(store, RULES, Filter(text="jane doe1"))) == ["Jane Doe1"]


class TestAFilter:
    @pytest.fixture
    def chosen(self, api: Client) -> dict[str, str]:
        """The ids of a tag, a list and a campaign. Ann has the tag, Bob is on the list, Cid both; Ann never acts."""
        tag = id_of(api.created("/tags", {"name": "helper"}))
        of_list = id_of(api.created("/lists", {"name": "news"}))
        adds = {"Ann": ["helper"], "Bob": [], "Cid": ["helper"]}, {"Ann": [], "Bob": ["news"], "Cid": ["news"]}
        for name in ("Ann", "Bob", "Cid"):
            body = {"person": factories.person(given_name=name, family_name=None), "add_tags": adds[0][name]}
            api.created("/people", {**body, "add_lists": adds[1][name]})
        for name in ("Bob", "Cid", "Bob"):
            people = api.get("/people").json["_embedded"]["osdi:people"]
            address = next(each["email_addresses"] for each in people if each["given_name"] == name)
            api.recorded(factories.outreach(person={"given_name": name, "email_addresses": address}))
        return {"tag": tag, "list": of_list, "campaign": api.campaign_id}

    @pytest.mark.parametrize(
        ("filters", "expected"),
        [
            ((), ["Cid", "Bob", "Ann"]),
            (("tag",), ["Cid", "Ann"]),
            (("list",), ["Cid", "Bob"]),
            (("campaign",), ["Bob", "Cid"]),
            (("tag", "list"), ["Cid"]),
            (("tag", "campaign"), ["Cid"]),
            (("list", "campaign"), ["Bob", "Cid"]),
            (("tag", "list", "campaign"), ["Cid"]),
        ],
    )
    def test_chooses_people_with_all_that_it_names(
        self, store: Store, chosen: dict[str, str], filters: tuple[str, ...], expected: list[str]
    ) -> None:
        found = people_list(store, RULES, Filter(**{name: chosen[name] for name in filters}))

        assert names(found) == expected
        one = [
            name for name in expected if people_list(store, RULES, Filter(name, **{f: chosen[f] for f in filters})).rows
        ]
        assert one == expected

    @pytest.mark.parametrize("filters", [(), ("list",), ("campaign",)])
    def test_has_pages_that_show_each_person_once(
        self, store: Store, chosen: dict[str, str], filters: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        whole = people_list(store, RULES, Filter(**{name: chosen[name] for name in filters}))
        monkeypatch.setattr(people_list_module, "PER_PAGE", 1)
        monkeypatch.setattr(people_list_module, "BATCH", 2)
        seen, after = [], ""
        while after is not None:
            found = people_list(store, RULES, Filter(**{name: chosen[name] for name in filters}), after)
            seen, after = seen + names(found), found.after

        assert seen == names(whole)

    @pytest.mark.parametrize("name", ["tag", "list", "campaign"])
    def test_of_something_unknown_finds_nobody(self, ada: StaffBrowser, jane: str, name: str) -> None:
        response = ada.get("/staff/people", query_string={name: "unknown"})

        assert (response.status_code, "Nobody fits." in response.text) == (200, True)


class TestTheTable:
    def test_has_name_town_status_and_the_last_outreach(self, api: Client, store: Store, jane: str) -> None:
        person = {"given_name": "Jane", "family_name": "Doe", "email_addresses": [{"address": "jane@example.com"}]}
        api.recorded(factories.outreach(person=person, action_date="2026-03-01T10:00:00Z"))

        (row,) = people_list(store, RULES, Filter()).rows

        assert (row.name, row.email, row.town, row.status) == (
            "Jane Doe",
            "jane@example.com",
            "Springfield",
            "subscribed",
        )
        assert f"{row.latest:%Y-%m-%d}" == "2026-03-01"

    @pytest.mark.parametrize(
        ("emails", "expected"),
        [
            ([{"address": "a@example.com", "status": "subscribed"}], "subscribed"),
            ([{"address": "a@example.com", "status": "unsubscribed"}], "unsubscribed"),
            ([{"address": "a@example.com", "status": "bouncing"}], "bouncing"),
            ([{"address": "a@example.com"}], "unknown"),
            (None, "no address"),
        ],
    )
    def test_shows_the_status_of_the_primary_address(
        self, api: Client, store: Store, emails: list[dict[str, str]] | None, expected: str
    ) -> None:
        stored(api, email_addresses=emails, identifiers=["crm:2"])

        assert [each.status for each in people_list(store, RULES, Filter()).rows] == [expected]

    def test_says_that_nobody_is_stored(self, ada: StaffBrowser) -> None:
        assert "Nobody is stored yet." in ada.get("/staff/people").text


class TestThePageOfAPerson:
    def test_shows_contact_details_tags_lists_and_outreaches(self, ada: StaffBrowser, api: Client) -> None:
        api.created("/tags", {"name": "helper"})
        api.created("/lists", {"name": "news"})
        person = {"given_name": "Jane", "email_addresses": [{"address": "jane@example.com"}]}
        api.recorded(factories.outreach(person=person, add_tags=["helper"], add_lists=["news"]))
        (jane,) = api.get("/people").json["_embedded"]["osdi:people"]

        text = ada.get(f"/staff/people/{id_of(jane)}").text

        for expected in ("jane@example.com", "helper", "news", "Protect the river", "Senator John Smith"):
            assert expected in text

    def test_says_why_and_since_when_an_address_gets_no_mail(self, ada: StaffBrowser, store: Store, jane: str) -> None:
        unsubscribe(store, "jane@example.com")

        text = re.sub(r"\s+", " ", ada.get(f"/staff/people/{jane}").text)

        assert "unsubscribed" in text
        assert "Mail refused by the link in a mail" in text

    def test_links_to_possible_duplicates(self, ada: StaffBrowser, api: Client, jane: str) -> None:
        other = stored(api, given_name="J.", phone_numbers=[{"number": "+12025550123"}])

        for one, another in ((jane, other), (other, jane)):
            text = ada.get(f"/staff/people/{one}").text
            assert "Possible duplicates" in text
            assert f"/staff/people/{another}" in text
            assert "the phone number" in text

    def test_of_a_merged_person_leads_to_the_survivor(
        self, ada: StaffBrowser, api: Client, store: Store, jane: str
    ) -> None:
        other = stored(api)
        merge_people(store, jane, other, RULES)

        response = ada.get(f"/staff/people/{other}")

        assert (response.status_code, response.headers["Location"].partition("?")[0]) == (303, f"/staff/people/{jane}")
        assert "was merged into this one" in ada.get(response.headers["Location"]).text

    def test_of_an_erased_person_says_so_and_nothing_else(self, ada: StaffBrowser, store: Store, jane: str) -> None:
        erase(store, jane, RULES)

        response = ada.get(f"/staff/people/{jane}")

        assert (response.status_code, "was erased on 20" in response.text) == (410, True)
        assert "Jane" not in response.text

    @pytest.mark.parametrize("person_id", ["unknown", "$ne", "x" * 300, "%00"])
    def test_of_nobody_is_not_there(self, ada: StaffBrowser, person_id: str) -> None:
        assert ada.get(f"/staff/people/{person_id}").status_code == 404

    def test_shows_hostile_texts_as_text(self, ada: StaffBrowser, api: Client) -> None:
        person = stored(api, given_name=HOSTILE, postal_addresses=[{"locality": HOSTILE}])

        for path in ("/staff/people", f"/staff/people/{person}"):
            text = ada.get(path).text
            assert "&lt;script&gt;alert(1)" in text
            assert "<script>alert" not in text
