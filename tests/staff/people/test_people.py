"""The list of people and the page of a person: search, filters, statuses with reasons, and what each member sees."""

import re
from typing import Any

import pytest
from pymongo.database import Database

from osdi.access.tokens import READ
from osdi.followups.unsubscribe import unsubscribe
from osdi.ids import now
from osdi.people.merge import merge_stored_people
from osdi.privacy.erasure import erase
from osdi.staff.events import record_event
from osdi.staff.members import add_member
from osdi.staff.people.person_history import history_of
from osdi.staff.people.search import find as find_module
from osdi.staff.people.search.filter import Filter
from osdi.staff.people.search.rows import PeopleList, people_list
from osdi.store import Store
from tests.staff.conftest import SignedIn, StaffBrowser
from tests.support import factories
from tests.support.client import Client
from tests.support.profiled import profiled

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
        monkeypatch.setattr(find_module, "PER_PAGE", 2)
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
        monkeypatch.setattr(find_module, "PER_PAGE", 1)
        monkeypatch.setattr(find_module, "BATCH", 2)
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

    @pytest.mark.parametrize("name", ["tag", "list"])
    def test_names_the_request_of_the_api_with_the_same_people(self, ada: StaffBrowser, api: Client, name: str) -> None:
        parent = id_of(api.created(f"/{name}s", {"name": "helper"}))
        for _ in range(3):
            api.created("/people", {"person": factories.person(), f"add_{name}s": ["helper"]})

        text = ada.get("/staff/people", query_string={name: parent}).text

        address = re.findall(r"<code>/api/v1(.*?)</code>", text)[-1]
        assert "3 people" in text
        assert api.get(address).json["total_records"] == 3


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

    @pytest.mark.parametrize(
        ("followup", "expected"),
        [
            ({"state": "sent"}, "sent"),
            ({"state": "queued"}, "waiting"),
            ({"state": "skipped", "reason": "unsubscribed"}, "The address has unsubscribed."),
            ({"state": "failed", "reason": "smtp_connect"}, "The mail server could not be reached."),
            ({"state": "failed", "reason": "<b>new"}, "&lt;b&gt;new"),
        ],
    )
    def test_shows_the_state_of_a_followup_with_its_reason(
        self, ada: StaffBrowser, api: Client, store: Store, jane: str, followup: dict[str, str], expected: str
    ) -> None:
        api.recorded(factories.outreach(person={"email_addresses": [{"address": "jane@example.com"}]}))
        kept = {"_id": "f", "kind": "autoresponse", **followup}
        assert store.update_many("outreaches", {"person_id": jane}, {"$set": {"followups": [kept]}}) == 1

        assert expected in ada.get(f"/staff/people/{jane}").text

    @pytest.mark.parametrize(
        ("receipt", "expected"),
        [
            (
                {"text": "Yes, <i>mail</i> me.", "page_url": "https://a.example.org/"},
                "Yes, &lt;i&gt;mail&lt;/i&gt; me.",
            ),
            ({"text": "Yes."}, "not confirmed by mail"),
            ({"text": "Yes.", "confirmed_date": now()}, ", confirmed by mail"),
            ({}, "The words were deleted."),
        ],
    )
    def test_shows_the_receipt_of_a_consent(
        self, ada: StaffBrowser, api: Client, store: Store, jane: str, receipt: dict[str, Any], expected: str
    ) -> None:
        api.recorded(factories.outreach(person={"email_addresses": [{"address": "jane@example.com"}]}))
        kept = {"given_date": now(), **receipt}
        assert store.update_many("outreaches", {"person_id": jane}, {"$set": {"consents": [kept]}}) == 1

        assert expected in ada.get(f"/staff/people/{jane}").text

    def test_says_that_a_form_has_claimed_an_opt_out(self, ada: StaffBrowser, api: Client, jane: str) -> None:
        claim = {"email_addresses": [{"address": "jane@example.com", "status": "unsubscribed"}]}
        api.post("/people/person_signup_helper", {"person": claim}, token=False)

        assert "has stated an opt-out of this address" in ada.get(f"/staff/people/{jane}").text

    def test_says_that_an_opt_out_was_lifted(self, ada: StaffBrowser, api: Client, store: Store, jane: str) -> None:
        unsubscribe(store, "jane@example.com")
        entry = {"address": "jane@example.com", "status": "subscribed"}
        api.put(f"/people/{jane}", {"email_addresses": [entry]})

        text = re.sub(r"\s+", " ", ada.get(f"/staff/people/{jane}").text)

        assert "Mail allowed again as stated by staff or by a program" in text
        assert "Opted out of mail" not in text

    def test_has_pages_of_outreaches(
        self, ada: StaffBrowser, api: Client, jane: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("osdi.staff.people.person_page.OUTREACHES", 2)
        for target in ("First", "Second", "Third"):
            person = {"email_addresses": [{"address": "jane@example.com"}]}
            api.recorded(factories.outreach(person=person, targets=[{"title": target}]))

        text = ada.get(f"/staff/people/{jane}").text
        older = re.search(r'rel="next" href="([^"]+)"', text)
        assert older
        rest = ada.get(older[1]).text

        assert [target in text for target in ("First", "Second", "Third")] == [False, True, True]
        assert [target in rest for target in ("First", "Second", "Third")] == [True, False, False]

    def test_says_why_and_since_when_an_address_gets_no_mail(self, ada: StaffBrowser, store: Store, jane: str) -> None:
        unsubscribe(store, "jane@example.com")

        text = re.sub(r"\s+", " ", ada.get(f"/staff/people/{jane}").text)

        assert "unsubscribed" in text
        assert "Opted out of mail by the link in a mail" in text

    def test_links_to_possible_duplicates(self, ada: StaffBrowser, api: Client, jane: str) -> None:
        other = stored(api, given_name="J.", phone_numbers=[{"number": "+12025550123"}])

        for one, another in ((jane, other), (other, jane)):
            text = ada.get(f"/staff/people/{one}").text
            assert "Possible duplicates" in text
            assert f"/staff/people/{another}" in text
            assert "the phone number" in text

    def test_shows_who_was_merged_and_when(self, ada: StaffBrowser, api: Client, store: Store, jane: str) -> None:
        other = stored(api, given_name="Janet", family_name="Roe")
        merge_stored_people(store, jane, other, RULES)

        text = re.sub(r"\s+", " ", ada.get(f"/staff/people/{jane}").text)

        assert re.search(r"Janet Roe was merged into this person. <span class=\"hint\"><time", text)
        store.delete_many("merged_people", {})
        text = ada.get(f"/staff/people/{jane}").text
        assert f"{other} was merged into this person." in text
        assert "more than 30 days ago" in text

    def test_shows_administrators_what_members_have_done(
        self, ada: StaffBrowser, api: Client, store: Store, signed_in: SignedIn, jane: str
    ) -> None:
        tag = id_of(api.created("/tags", {"name": "helper"}))
        other = stored(api)
        ada.post("/staff/people/add", {"person": [jane, other], "tags": tag})  # type: ignore[dict-item]
        reader = signed_in(add_member(store, "bob@example.org", scopes=[READ]))

        text = re.sub(r"\s+", " ", ada.get(f"/staff/people/{jane}").text)

        assert re.search(r"Add to selected people <span class=\"hint\">by Ada Lovelace, <time", text)
        assert "Ada Lovelace" not in reader.get(f"/staff/people/{jane}").text

    def test_names_the_last_editor_if_the_token_has_a_person(
        self, ada: StaffBrowser, api: Client, store: Store, jane: str
    ) -> None:
        editor = stored(api, given_name="Eve", family_name="Editor")
        store.update_many("people", {"_id": jane}, {"$set": {"modified_by_id": editor}})

        assert f'by <a href="/staff/people/{editor}">Eve Editor</a>' in ada.get(f"/staff/people/{jane}").text

    def test_reads_the_audit_log_by_an_index(self, api: Client, store: Store, jane: str, database: Database) -> None:
        for number in range(30):
            record_event(store, 1, "change_person", [f"people/{number}"])
        record_event(store, 1, "change_person", [f"people/{jane}"])

        with profiled(database) as operations:
            history = history_of(store, store.get("people", jane) or {}, with_actions=True)

        assert len(history.actions) == 1
        assert sum(each.read for each in operations if each.collection == "staff_events") == 1

    def test_of_a_merged_person_leads_to_the_survivor(
        self, ada: StaffBrowser, api: Client, store: Store, jane: str
    ) -> None:
        other = stored(api)
        merge_stored_people(store, jane, other, RULES)

        response = ada.get(f"/staff/people/{other}")

        assert (response.status_code, response.headers["Location"].partition("?")[0]) == (301, f"/staff/people/{jane}")
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

        other = stored(api)
        acts = ("", "/edit", "/unsubscribe", "/download", "/erase", f"/merge/{other}", "/no-calls", "/answers/new")
        one = tuple(f"/staff/people/{person}{act}" for act in acts)
        for path in (
            "/staff/people",
            f"/staff/people/add?person={person}",
            f"/staff/people/remove?person={person}",
            *one,
        ):
            text = ada.get(path).text
            assert "&lt;script&gt;alert(1)" in text
            assert "<script>alert" not in text
