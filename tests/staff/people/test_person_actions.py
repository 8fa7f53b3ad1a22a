"""The actions on people: each has a page that asks first, keeps the rules of the API, and leaves an event."""

import json
import re
from typing import Any

import pytest

from osdi.access.tokens import READ, WRITE
from osdi.ids import now
from osdi.match_keys import email_key
from osdi.staff.members import add_member
from osdi.staff.sessions import FRESH
from osdi.store import Store
from osdi.suppression.suppression_list import suppression_list
from tests.staff.conftest import SignedIn, StaffBrowser, latest_events
from tests.staff.people.test_people import id_of, stored
from tests.support.client import Client

VALUE = re.compile(r'name="(version|versions)" value="([^"]*)"')
ADDRESS = "jane@example.com"


@pytest.fixture
def jane(api: Client) -> str:
    addresses = [{"address": ADDRESS, "status": "subscribed"}, {"address": "j@example.org", "status": "bouncing"}]
    phones = [{"number": "+12025550123", "sms_capable": True, "number_type": "Mobile"}]
    postal = [{"address_lines": ["1 Road", "Floor 2"], "locality": "Springfield", "venue": "Hall"}]
    contacts = {"email_addresses": addresses, "phone_numbers": phones, "postal_addresses": postal}
    return stored(api, given_name="Jane", family_name="Doe", **contacts)


def read(api: Client, person_id: str) -> dict[str, Any]:
    return dict(api.get(f"/people/{person_id}").json)


def token_of(browser: StaffBrowser, page: str) -> str:
    """The value of the page's field that names the version of what it shows."""
    found = VALUE.search(browser.get(page).text)
    assert found
    return found[2].replace("&#34;", '"')


def change(browser: StaffBrowser, person_id: str, **fields: str) -> Any:
    page = f"/staff/people/{person_id}/edit"
    sent = {name.replace("__", "-"): text for name, text in fields.items()}
    return browser.post(page, {"version": token_of(browser, page), **sent})


def done(response: Any) -> str:
    assert response.status_code == 303, response.text
    return str(response.headers["Location"].partition("done=")[2])


class TestEditing:
    @pytest.mark.parametrize(
        ("fields", "expected"),
        [
            ({"given_name": "Janet"}, {"given_name": "Janet"}),
            ({"family_name": ""}, {"family_name": None}),
            ({"additional_name": "  Q. "}, {"additional_name": "Q."}),
            ({"phone_numbers__0__number": ""}, {"phone_numbers": None}),
        ],
    )
    def test_stores_what_was_changed_and_nothing_else(
        self, ada: StaffBrowser, api: Client, jane: str, fields: dict[str, str], expected: dict[str, Any]
    ) -> None:
        before = read(api, jane)

        assert done(change(ada, jane, **fields)) == "person_changed"

        after = read(api, jane)
        names = {*before, *after} - {"modified_date", "osdi_outreach:modified_by", "_links"}
        assert {name: after.get(name) for name in names if before.get(name) != after.get(name)} == expected

    def test_keeps_the_properties_that_the_form_does_not_show(self, ada: StaffBrowser, api: Client, jane: str) -> None:
        fields = {"postal_addresses__0__address_lines": "2 Road\r\n\r\nFloor 3", "postal_addresses__1__locality": "Ulm"}
        change(ada, jane, **fields)

        first, second = read(api, jane)["postal_addresses"]
        assert (first["venue"], first["locality"], second["locality"]) == ("Hall", "Springfield", "Ulm")
        assert first["address_lines"][0] == "2 Road"

    @pytest.mark.parametrize("fields", [{}, {"given_name": " Jane "}, {"email_addresses__2__address": "  "}])
    def test_without_a_change_writes_nothing(
        self, ada: StaffBrowser, api: Client, jane: str, fields: dict[str, str]
    ) -> None:
        before = read(api, jane)

        assert done(change(ada, jane, **fields)) == "person_unchanged"
        assert read(api, jane) == before

    @pytest.mark.parametrize(
        ("fields", "wrong"),
        [
            ({"email_addresses__0__address": "no address"}, "email_addresses-0-address"),
            ({"email_addresses__0__address": "", "email_addresses__1__address": "wrong"}, "email_addresses-1-address"),
            ({"email_addresses__2__address": "x@"}, "email_addresses-2-address"),
            ({"given_name": "x" * 5000}, "given_name"),
            ({"postal_addresses__0__postal_code": "1" * 5000}, "postal_addresses-0-postal_code"),
        ],
    )
    def test_shows_an_error_at_its_field_and_keeps_what_was_typed(
        self, ada: StaffBrowser, api: Client, jane: str, fields: dict[str, str], wrong: str
    ) -> None:
        before = read(api, jane)

        response = change(ada, jane, honorific_prefix="Dr. <b>", **fields)

        assert response.status_code == 422
        assert f'id="{wrong}-error"' in response.text
        assert response.text.count("-error") == 2  # the message, and the field that it describes
        assert "Dr. &lt;b&gt;" in response.text
        assert read(api, jane) == before

    def test_of_somebody_who_has_changed_meanwhile_shows_both_and_stores_nothing(
        self, ada: StaffBrowser, api: Client, jane: str
    ) -> None:
        page = f"/staff/people/{jane}/edit"
        version = token_of(ada, page)
        api.put(f"/people/{jane}", {"given_name": "Joan"})

        response = ada.post(page, {"version": version, "given_name": "Janet"})

        assert response.status_code == 409
        assert "Janet" in response.text
        assert "Joan" in response.text
        assert read(api, jane)["given_name"] == "Joan"


class TestConsentWhileEditing:
    """No edit allows contact that the person has not allowed."""

    @pytest.mark.parametrize(
        ("fields", "statuses"),
        [
            ({"email_addresses__2__address": "new@example.org"}, ["subscribed", "bouncing", None]),
            ({"email_addresses__0__address": "other@example.com"}, [None, "bouncing"]),
            ({"email_addresses__0__address": "JANE@example.com"}, ["subscribed", "bouncing"]),
            ({"email_addresses__1__address": "k@example.org"}, ["subscribed", "bouncing"]),
        ],
    )
    def test_a_status_stays_with_its_address(
        self, ada: StaffBrowser, api: Client, jane: str, fields: dict[str, str], statuses: list[str | None]
    ) -> None:
        assert done(change(ada, jane, **fields)) == "person_changed"

        assert [each.get("status") for each in read(api, jane)["email_addresses"]] == statuses

    def test_an_address_that_opted_out_stays_opted_out_at_another_person(
        self, ada: StaffBrowser, api: Client, store: Store, jane: str
    ) -> None:
        suppression_list(store).opt_out_of_mail(email_key("no@example.org"), "link")

        change(ada, jane, email_addresses__0__address="no@example.org")

        assert read(api, jane)["email_addresses"][0]["status"] == "unsubscribed"
        assert "mail" in suppression_list(store).read([email_key("no@example.org")])["email:no@example.org"]["refused"]

    def test_a_changed_number_loses_the_leave_to_text_it(self, ada: StaffBrowser, api: Client, jane: str) -> None:
        change(ada, jane, phone_numbers__0__number="+12025550199")

        (phone,) = read(api, jane)["phone_numbers"]
        assert (phone["number_type"], phone.get("sms_capable")) == ("Mobile", None)


class TestUnsubscribing:
    @pytest.mark.parametrize(
        ("address", "statuses"),
        [(ADDRESS, ["unsubscribed", "bouncing"]), ("", ["unsubscribed", "unsubscribed"])],
    )
    def test_opts_the_address_out_of_mail_as_the_link_of_a_mail_does(
        self, ada: StaffBrowser, api: Client, store: Store, jane: str, address: str, statuses: list[str]
    ) -> None:
        page = f"/staff/people/{jane}/unsubscribe"
        assert ADDRESS in ada.get(page).text

        assert done(ada.post(page, {"address": address})) == "person_unsubscribed"

        assert [each["status"] for each in read(api, jane)["email_addresses"]] == statuses
        listed = suppression_list(store).read([email_key(ADDRESS), email_key("j@example.org")])
        assert listed[email_key(ADDRESS)]["refused"]["mail"]["source"] == "api"
        assert "as stated by staff" in ada.get(f"/staff/people/{jane}").text

    def test_of_another_address_is_rejected(self, ada: StaffBrowser, jane: str) -> None:
        assert ada.post(f"/staff/people/{jane}/unsubscribe", {"address": "other@example.com"}).status_code == 400


class TestTagsAndLists:
    @pytest.mark.parametrize(("kind", "collection"), [("tags", "taggings"), ("lists", "items")])
    def test_are_added_to_selected_people_once_and_removed_from_one(
        self, ada: StaffBrowser, api: Client, jane: str, kind: str, collection: str
    ) -> None:
        other, parent = stored(api), id_of(api.created(f"/{kind}", {"name": "helper"}))
        assert "Jane Doe" in ada.get("/staff/people/add", query_string={"person": [jane, other]}).text
        for _ in range(2):
            response = ada.post("/staff/people/add", {"person": [jane, other], kind: parent})  # type: ignore[dict-item]
            assert done(response) == "people_added"

        entries = [
            api.get(f"/people/{each}/{collection}").json["_embedded"][f"osdi:{collection}"] for each in (jane, other)
        ]
        assert [len(each) for each in entries] == [1, 1]
        page = f"/staff/people/{jane}/{kind}/{id_of(entries[0][0])}/remove"
        assert "helper" in ada.get(page).text
        assert done(ada.post(page)) == "entry_removed"
        assert api.get(f"/people/{jane}/{collection}").json["total_records"] == 0
        assert api.get(f"/people/{other}/{collection}").json["total_records"] == 1
        assert done(ada.post(page)) == "entry_removed"  # a second click
        assert ada.get(page).status_code == 404

    def test_are_added_to_one_person(self, ada: StaffBrowser, api: Client, jane: str) -> None:
        tag = id_of(api.created("/tags", {"name": "helper"}))

        assert done(ada.post("/staff/people/add", {"person": jane, "tags": tag})) == "entry_added"

    def test_are_added_to_those_who_still_exist(self, ada: StaffBrowser, api: Client, jane: str) -> None:
        tag = id_of(api.created("/tags", {"name": "helper"}))

        response = ada.post("/staff/people/add", {"person": [jane, "gone"], "tags": tag})  # type: ignore[dict-item]

        assert done(response) == "people_added_to_some"
        assert api.get(f"/people/{jane}/taggings").json["total_records"] == 1

    @pytest.mark.parametrize(
        ("fields", "sentence"),
        [
            ({"person": ["JANE"]}, "Choose a tag or a list."),
            ({"person": ["JANE"], "tags": "unknown"}, "Choose a tag."),
            ({"person": ["JANE"], "lists": "$ne"}, "Choose a list."),
            ({"person": []}, "Nobody is selected."),
            ({"person": [str(number) for number in range(101)]}, "at most 100 people"),
        ],
    )
    def test_are_not_added_by_a_wrong_form(
        self, ada: StaffBrowser, api: Client, jane: str, fields: dict[str, Any], sentence: str
    ) -> None:
        sent = {**fields, "person": [jane if each == "JANE" else each for each in fields["person"]]}

        response = ada.post("/staff/people/add", sent)

        assert (response.status_code, sentence in response.text) == (422, True)
        assert api.get(f"/people/{jane}/taggings").json["total_records"] == 0

    @pytest.mark.parametrize(("kind", "collection"), [("tags", "taggings"), ("lists", "items")])
    def test_are_removed_from_the_selected_people_only(
        self, ada: StaffBrowser, api: Client, jane: str, kind: str, collection: str
    ) -> None:
        parent, kept = (id_of(api.created(f"/{kind}", {"name": name})) for name in ("helper", "kept"))
        one, two = stored(api, given_name="Ann"), stored(api, given_name="Bob")
        for each in (parent, kept):
            ada.post("/staff/people/add", {"person": [jane, one, two], kind: each})  # type: ignore[dict-item]
        other = stored(api, given_name="Cid")
        page = ada.get("/staff/people/remove", query_string={"person": [jane, one, other]}).text
        assert all(text in page for text in ("Jane Doe", "Ann", "helper", "It is removed from these 3 people"))

        for _ in range(2):  # a second click
            response = ada.post("/staff/people/remove", {"person": [jane, one, other], kind: parent})  # type: ignore[dict-item]
            assert done(response) == "people_removed"

        totals = [api.get(f"/people/{each}/{collection}").json["total_records"] for each in (jane, one, two, other)]
        assert totals == [1, 1, 2, 0]

    def test_to_remove_are_those_that_somebody_has(self, ada: StaffBrowser, api: Client, jane: str) -> None:
        api.created("/tags", {"name": "unused"})

        assert "unused" not in ada.get("/staff/people/remove", query_string={"person": jane}).text

    @pytest.mark.parametrize(
        ("fields", "sentence"),
        [
            ({"person": ["JANE"]}, "Choose a tag or a list."),
            ({"person": []}, "Nobody is selected."),
            ({"person": ["unknown"], "tags": ""}, "Nobody is selected."),
            ({"person": [str(number) for number in range(101)], "tags": "x"}, "at most 100 people"),
        ],
    )
    def test_are_not_removed_by_a_wrong_form(
        self, ada: StaffBrowser, jane: str, fields: dict[str, Any], sentence: str
    ) -> None:
        sent = {**fields, "person": [jane if each == "JANE" else each for each in fields["person"]]}

        response = ada.post("/staff/people/remove", sent)

        assert (response.status_code, sentence in response.text) == (422, True)

    def test_of_another_kind_are_not_there(self, ada: StaffBrowser, jane: str) -> None:
        assert ada.get(f"/staff/people/{jane}/outreaches/x/remove").status_code == 404


class TestMerging:
    @pytest.fixture
    def other(self, api: Client) -> str:
        phones = [{"number": "+12025550123"}]
        return stored(api, given_name="Janet", family_name=None, employer="The Mill", phone_numbers=phones)

    def test_shows_both_and_the_result_first(self, ada: StaffBrowser, api: Client, jane: str, other: str) -> None:
        text = ada.get(f"/staff/people/{jane}/merge/{other}").text

        for expected in ("Janet", "The Mill", "jane@example.com subscribed"):
            assert expected in text
        assert read(api, jane)["given_name"] == "Jane"

    def test_makes_one_person_of_two(self, ada: StaffBrowser, api: Client, jane: str, other: str) -> None:
        page = f"/staff/people/{jane}/merge/{other}"

        assert done(ada.post(page, {"versions": token_of(ada, page)})) == "people_merged"

        assert (read(api, jane)["employer"], api.get(f"/people/{other}").status_code) == ("The Mill", 301)

    @pytest.mark.parametrize("who", ["jane", "other"])
    def test_of_somebody_who_has_changed_meanwhile_does_nothing(
        self, ada: StaffBrowser, api: Client, jane: str, other: str, who: str
    ) -> None:
        page = f"/staff/people/{jane}/merge/{other}"
        versions = token_of(ada, page)
        api.put(f"/people/{jane if who == 'jane' else other}", {"occupation": "miller"})

        assert ada.post(page, {"versions": versions}).status_code == 409
        assert api.get(f"/people/{other}").status_code == 200

    @pytest.mark.parametrize(("other_id", "status"), [("unknown", 404), ("JANE", 400)])
    def test_with_nobody_and_with_oneself_is_rejected(
        self, ada: StaffBrowser, jane: str, other_id: str, status: int
    ) -> None:
        assert ada.get(f"/staff/people/{jane}/merge/{other_id.replace('JANE', jane)}").status_code == status


class TestTheDownload:
    def test_is_a_file_with_everything_and_leaves_an_event(self, ada: StaffBrowser, store: Store, jane: str) -> None:
        assert "Jane Doe" in ada.get(f"/staff/people/{jane}/download").text

        response = ada.post(f"/staff/people/{jane}/download")

        assert json.loads(response.data)["person"]["given_name"] == "Jane"
        assert response.headers["Content-Disposition"] == f'attachment; filename="person-{jane}.json"'
        assert response.headers["Cache-Control"] == "no-store"
        (event, *_) = latest_events(store, 1)
        assert (event["action"], event["ids"]) == ("download_person", [f"people/{jane}"])


class TestErasing:
    @pytest.mark.parametrize(
        ("fields", "wrong"),
        [
            ({"name": "", "outreaches": "keep"}, "name"),
            ({"name": "Jane", "outreaches": "keep"}, "name"),
            ({"name": "Jane Doe", "outreaches": "all"}, "outreaches"),
            ({"name": "Jane Doe"}, "outreaches"),
        ],
    )
    def test_needs_the_name_and_a_choice(
        self, ada: StaffBrowser, api: Client, jane: str, fields: dict[str, str], wrong: str
    ) -> None:
        response = ada.post(f"/staff/people/{jane}/erase", fields)

        assert (response.status_code, f'id="{wrong}-error"' in response.text) == (422, True)
        assert api.get(f"/people/{jane}").status_code == 200

    @pytest.mark.parametrize(("choice", "left"), [("keep", 1), ("anonymise", 1), ("delete", 0)])
    def test_deletes_the_person_and_does_with_the_outreaches_what_was_chosen(
        self, ada: StaffBrowser, api: Client, jane: str, choice: str, left: int
    ) -> None:
        api.recorded({"person": {"email_addresses": [{"address": ADDRESS}]}, "type": "phone"})
        assert "1 outreach." in ada.get(f"/staff/people/{jane}/erase").text

        response = ada.post(f"/staff/people/{jane}/erase", {"name": " jane  doe", "outreaches": choice})

        assert done(response) == "person_erased"
        assert (api.get(f"/people/{jane}").status_code, api.get("/outreaches").json["total_records"]) == (404, left)
        assert ada.get(f"/staff/people/{jane}").status_code == 410


@pytest.mark.parametrize("act", ["download", "erase"])
def test_an_old_sign_in_is_not_enough(
    ada: StaffBrowser, api: Client, jane: str, act: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("blueprints.staff.gate.now", lambda: now() + FRESH)

    page = f"/staff/people/{jane}/{act}"
    assert ada.get(page).headers["Location"].startswith("/staff/confirm")
    assert ada.post(page, {"name": "Jane Doe", "outreaches": "keep"}).status_code == 403
    assert api.get(f"/people/{jane}").status_code == 200


@pytest.mark.parametrize(
    ("scopes", "offered"),
    [
        ([READ], {"download"}),
        ([READ, WRITE], {"download", "edit", "unsubscribe"}),
        (["admin"], {"download", "edit", "unsubscribe", "erase"}),
    ],
)
def test_a_member_sees_the_actions_that_the_scopes_allow(
    store: Store, signed_in: SignedIn, jane: str, scopes: list[str], offered: set[str]
) -> None:
    browser = signed_in(add_member(store, "bob@example.org", scopes=scopes))

    text = browser.get(f"/staff/people/{jane}").text

    acts = ("download", "edit", "unsubscribe", "erase")
    assert {act for act in acts if f"/staff/people/{jane}/{act}" in text} == offered
    assert {act for act in acts if browser.get(f"/staff/people/{jane}/{act}").status_code == 200} == offered


def test_each_act_leaves_an_event_with_ids_only(ada: StaffBrowser, store: Store, jane: str) -> None:
    change(ada, jane, given_name="Janet")
    ada.post(f"/staff/people/{jane}/unsubscribe", {"address": ADDRESS})
    ada.post(f"/staff/people/{jane}/erase", {"name": "Janet Doe", "outreaches": "keep"})

    events = latest_events(store, 3)
    assert [each["action"] for each in events] == ["erase_person", "unsubscribe_person", "change_person"]
    assert all(any(jane in each for each in event["ids"]) for event in events)
    assert ADDRESS not in str(events)
