"""Staff record that a person wants no calls or texts, and no form takes that back."""

import re
from typing import Any

import pytest

from osdi.match_keys import email_key
from osdi.store import Store
from osdi.suppression.suppression_list import suppression_list
from tests.staff.conftest import StaffBrowser, latest_events
from tests.staff.people.test_people import stored
from tests.staff.people.test_person_actions import change, done
from tests.support.client import Client
from tests.support.factories import RULES

NUMBER = "+12025550123"
OTHER = "+12025550199"


@pytest.fixture
def jane(api: Client) -> str:
    numbers = [{"number": NUMBER, "sms_capable": True, "number_type": "Mobile"}, {"number": OTHER}]
    return stored(api, given_name="Jane", family_name="Doe", phone_numbers=numbers)


def phones(api: Client, person_id: str) -> list[dict[str, Any]]:
    return list(api.get(f"/people/{person_id}").json["phone_numbers"])


def listed(store: Store, number: str) -> dict[str, Any]:
    key = RULES.phone_key({"number": number}) or ""
    return dict(suppression_list(store).read([key]).get(key, {}).get("refused", {}))


class TestAnOptOut:
    @pytest.mark.parametrize(
        ("fields", "first", "second", "opted_out"),
        [
            ({"calls": [NUMBER]}, (True, True), (None, None), {"calls"}),
            ({"texts": [NUMBER]}, (None, False), (None, None), {"texts"}),
            ({"calls": [NUMBER, OTHER], "texts": [NUMBER]}, (True, False), (True, None), {"calls", "texts"}),
        ],
    )
    def test_of_a_number_is_stored_with_the_person_and_in_the_list(
        self,
        ada: StaffBrowser,
        api: Client,
        store: Store,
        jane: str,
        fields: dict[str, Any],
        first: tuple[bool | None, bool | None],
        second: tuple[bool | None, bool | None],
        opted_out: set[str],
    ) -> None:
        page = f"/staff/people/{jane}/no-calls"
        assert NUMBER in ada.get(page).text

        for _ in range(2):  # a second click
            assert done(ada.post(page, fields)) == "numbers_refused"

        assert [(each.get("do_not_call"), each.get("sms_capable")) for each in phones(api, jane)] == [first, second]
        assert phones(api, jane)[0]["number_type"] == "Mobile"
        assert {what: each["source"] for what, each in listed(store, NUMBER).items()} == dict.fromkeys(opted_out, "api")
        text = re.sub(r"\s+", " ", ada.get(f"/staff/people/{jane}").text)
        assert ("Opted out of calls as stated by staff" in text) == ("calls" in opted_out)
        (event,) = latest_events(store, 1)
        assert (event["action"], NUMBER in str(event)) == ("refuse_calls_and_texts", False)

    def test_holds_for_everybody_with_the_number(self, ada: StaffBrowser, api: Client, jane: str) -> None:
        other = stored(api, given_name="Jim", phone_numbers=[{"number": "(202) 555-0123", "country": "US"}])

        ada.post(f"/staff/people/{jane}/no-calls", {"calls": [NUMBER]})

        assert [each.get("do_not_call") for each in phones(api, other)] == [True]

    def test_becomes_certain_if_only_a_form_has_claimed_it(self, ada: StaffBrowser, api: Client) -> None:
        claim = {"given_name": "Kim", "phone_numbers": [{"number": NUMBER, "do_not_call": True}]}
        api.post("/people/person_signup_helper", {"person": claim}, token=False)
        (kim,) = api.get("/people").json["_embedded"]["osdi:people"]
        person_id = kim["_links"]["self"]["href"].rpartition("/")[2]

        ada.post(f"/staff/people/{person_id}/no-calls", {"calls": [NUMBER]})
        api.post("/people", {"person": {"phone_numbers": [{"number": NUMBER, "do_not_call": False}]}})

        assert phones(api, person_id)[0]["do_not_call"] is True

    @pytest.mark.parametrize(
        "fields", [{}, {"calls": []}, {"calls": ["+12025550000"]}, {"calls": [NUMBER, "$ne"]}, {"mail": [NUMBER]}]
    )
    def test_of_no_number_of_the_person_is_rejected(
        self, ada: StaffBrowser, api: Client, store: Store, jane: str, fields: dict[str, Any]
    ) -> None:
        before = phones(api, jane)

        response = ada.post(f"/staff/people/{jane}/no-calls", fields)

        assert (response.status_code, "Choose at least one" in response.text) == (422, True)
        assert phones(api, jane) == before
        assert listed(store, NUMBER) == {}

    def test_of_a_number_that_no_rule_can_read_is_stored_with_the_person(
        self, ada: StaffBrowser, api: Client, store: Store
    ) -> None:
        person_id = stored(api, phone_numbers=[{"number": NUMBER}])
        store.update_many("people", {"_id": person_id}, {"$set": {"phone_numbers": [{"number": "extension 7"}]}})

        assert done(ada.post(f"/staff/people/{person_id}/no-calls", {"calls": ["extension 7"]})) == "numbers_refused"

        assert (store.get("people", person_id) or {})["phone_numbers"] == [
            {"number": "extension 7", "do_not_call": True}
        ]


class TestNoFormLiftsAnOptOut:
    """The API's PUT with a token lifts one, and the button of a mail does."""

    @pytest.fixture
    def opted_out_person(self, ada: StaffBrowser, jane: str, api: Client) -> str:
        ada.post(f"/staff/people/{jane}/no-calls", {"calls": [NUMBER], "texts": [NUMBER]})
        api.put(f"/people/{jane}", {"email_addresses": [{"address": "jane@example.com", "status": "unsubscribed"}]})
        return jane

    def opt_outs(self, api: Client, store: Store, person_id: str) -> tuple[Any, ...]:
        person = api.get(f"/people/{person_id}").json
        entries = [(each.get("do_not_call"), each.get("sms_capable")) for each in person["phone_numbers"]]
        key = email_key("jane@example.com")
        mail = suppression_list(store).read([key])[key]["refused"].keys()
        return entries[0], person["email_addresses"][0]["status"], set(listed(store, NUMBER)), set(mail)

    EXPECTED = ((True, False), "unsubscribed", {"calls", "texts"}, {"mail"})

    def test_not_the_one_that_records_it(
        self, ada: StaffBrowser, api: Client, store: Store, opted_out_person: str
    ) -> None:
        page = f"/staff/people/{opted_out_person}/no-calls"
        assert f'value="{NUMBER}"' not in ada.get(page).text

        ada.post(page, {"calls": [OTHER], "do_not_call": "false", "lift": NUMBER})

        assert self.opt_outs(api, store, opted_out_person) == self.EXPECTED

    def test_not_the_form_for_contact_details(
        self, ada: StaffBrowser, api: Client, store: Store, opted_out_person: str
    ) -> None:
        change(ada, opted_out_person, given_name="Janet", phone_numbers__2__number="+12025550111")

        assert self.opt_outs(api, store, opted_out_person) == self.EXPECTED

    def test_not_a_new_person(self, ada: StaffBrowser, api: Client, store: Store, opted_out_person: str) -> None:
        ada.post("/staff/people/new", {"address": "jane@example.com", "number": NUMBER, "status": "subscribed"})

        assert self.opt_outs(api, store, opted_out_person) == self.EXPECTED
