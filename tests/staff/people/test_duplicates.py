"""The screens of likely duplicates and of pairs that are not the same, and what a member decides there."""

import re
from typing import Any

import pytest

from osdi.access.tokens import READ
from osdi.people import merge as merge_module
from osdi.people.duplicates.groups import duplicates
from osdi.people.merge import merge_stored_people
from osdi.privacy.erasure import erase
from osdi.staff.members import add_member
from osdi.staff.people import duplicate_list as duplicate_list_module
from osdi.store import Store
from osdi.store.indexes import DUPLICATE_EXCEPTIONS
from tests.staff.conftest import SignedIn, StaffBrowser, latest_events
from tests.staff.people.test_people import HOSTILE, stored
from tests.support import factories
from tests.support.client import Client

RULES = factories.RULES
LIST = "/staff/people/duplicates"
EXCEPTIONS = f"{LIST}/exceptions"
PHONE = [{"number": "+12025550123"}]


@pytest.fixture
def pair(api: Client) -> tuple[str, str]:
    """Jane and J. Doe, who have one telephone number."""
    one = stored(api, given_name="Jane", family_name="Doe", phone_numbers=PHONE)
    return one, stored(api, given_name="J.", family_name="Doe", phone_numbers=PHONE)


def versions(browser: StaffBrowser, page: str) -> str:
    found = re.search(r'name="versions" value="([^"]*)"', browser.get(page).text)
    assert found
    return found[1].replace("&#34;", '"')


def keep_apart(browser: StaffBrowser, pair: tuple[str, str], **fields: str) -> Any:
    sent = {"versions": versions(browser, LIST), **fields}
    return browser.post(f"/staff/people/{pair[0]}/merge/{pair[1]}/not-the-same", sent)


class TestTheList:
    def test_has_each_pair_with_reason_and_certainty(self, ada: StaffBrowser, pair: tuple[str, str]) -> None:
        text = ada.get(LIST).text

        for expected in ("Jane Doe", "J. Doe", "the phone number", "probably two people", "+12025550123"):
            assert expected in text
        assert f"/staff/people/{pair[0]}/merge/{pair[1]}" in text

    def test_without_pairs_says_when_it_was_checked(self, ada: StaffBrowser) -> None:
        text = ada.get(LIST).text

        assert "No likely duplicates." in text
        assert re.search(r"Checked at <time [^>]*>20\d\d-", text)

    def test_has_pages(self, ada: StaffBrowser, api: Client, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(duplicate_list_module, "PER_PAGE", 1)
        for number in range(3):
            for _ in range(2):
                stored(api, given_name=f"Jane{number}", phone_numbers=[{"number": f"+1202555010{number}"}])
        seen, path = [], LIST
        for _ in range(6):
            text = ada.get(path).text
            seen += re.findall(r"Jane\d", re.sub(r'(?s)<span class="unseen">.*?</span>', "", text))
            following = re.search(r'rel="next" href="([^"]+)"', text)
            if not following:
                break
            path = following[1]

        assert seen == ["Jane0"] * 2 + ["Jane1"] * 2 + ["Jane2"] * 2

    @pytest.mark.parametrize("after", ["unknown", "$ne", "x" * 1000, "\x00", HOSTILE])
    def test_accepts_any_cursor(self, ada: StaffBrowser, pair: tuple[str, str], after: str) -> None:
        for path in (LIST, EXCEPTIONS):
            response = ada.get(path, query_string={"after": after})
            assert (response.status_code, "<script>alert" in response.text) == (200, False)

    def test_shows_hostile_texts_as_text(self, ada: StaffBrowser, api: Client) -> None:
        for _ in range(2):
            stored(api, given_name=HOSTILE, phone_numbers=PHONE, postal_addresses=[{"locality": HOSTILE}])

        text = ada.get(LIST).text

        assert "&lt;script&gt;alert(1)" in text
        assert "<script>alert" not in text

    def test_offers_a_reader_no_decision(self, store: Store, signed_in: SignedIn, pair: tuple[str, str]) -> None:
        reader = signed_in(add_member(store, "bob@example.org", scopes=[READ]))

        text = reader.get(LIST).text

        assert "Jane Doe" in text
        assert "Not the same<" not in text
        assert "Compare and merge" not in text
        for act in ("not-the-same", "take-back"):
            assert reader.post(f"/staff/people/{pair[0]}/merge/{pair[1]}/{act}", {"versions": "x"}).status_code == 403

    def test_is_where_the_home_page_leads(self, ada: StaffBrowser, pair: tuple[str, str]) -> None:
        assert f'href="{LIST}"' in ada.get("/staff").text


class TestNotTheSame:
    def test_is_kept_everywhere(self, ada: StaffBrowser, api: Client, store: Store, pair: tuple[str, str]) -> None:
        response = keep_apart(ada, pair)

        assert response.status_code == 303
        assert "not the same." in ada.get(response.headers["Location"]).text
        assert "No likely duplicates." in ada.get(LIST).text
        assert duplicates(store, limit=10).groups == []
        assert api.get("/people/duplicates").json["duplicates"] == []
        for each in pair:
            assert "Possible duplicates" not in ada.get(f"/staff/people/{each}").text
        assert "look alike" not in ada.get("/staff").text

    def test_leaves_an_event_with_both_ids_and_no_name(
        self, ada: StaffBrowser, store: Store, member: dict[str, Any], pair: tuple[str, str]
    ) -> None:
        keep_apart(ada, pair)

        (event,) = latest_events(store, 1)
        assert (event["action"], event["staff_id"]) == ("keep_people_apart", member["_id"])
        assert {f"people/{each}" for each in pair} <= set(event["ids"])
        (stored_pair,) = store.find(DUPLICATE_EXCEPTIONS, {})
        assert stored_pair.keys() == {"_id", "people", "created_date"}

    def test_can_be_undone(self, ada: StaffBrowser, store: Store, pair: tuple[str, str]) -> None:
        keep_apart(ada, pair)
        text = ada.get(EXCEPTIONS).text
        assert "Jane Doe" in text
        assert f"/staff/people/{pair[0]}/merge/{pair[1]}/take-back" in text

        response = ada.post(f"/staff/people/{pair[1]}/merge/{pair[0]}/take-back")

        assert response.status_code == 303
        assert "There are none." in ada.get(response.headers["Location"]).text
        assert "Jane Doe" in ada.get(LIST).text
        assert latest_events(store, 1)[0]["action"] == "take_back_exception"
        assert ada.post(f"/staff/people/{pair[1]}/merge/{pair[0]}/take-back").status_code == 303  # a second click

    def test_is_shown_in_the_comparison(self, ada: StaffBrowser, pair: tuple[str, str]) -> None:
        keep_apart(ada, pair)

        text = ada.get(f"/staff/people/{pair[0]}/merge/{pair[1]}").text

        assert "A member has said that these two people are not the same." in text
        assert "not-the-same" not in text

    @pytest.mark.parametrize("who", [0, 1])
    def test_about_somebody_who_has_changed_meanwhile_asks_again(
        self, ada: StaffBrowser, api: Client, store: Store, pair: tuple[str, str], who: int
    ) -> None:
        seen = versions(ada, LIST)
        api.put(f"/people/{pair[who]}", {"given_name": "Janet"})

        response = keep_apart(ada, pair, versions=seen)

        assert response.status_code == 409
        assert "has changed meanwhile" in response.text
        assert "Janet" in response.text
        assert store.find(DUPLICATE_EXCEPTIONS, {}) == []

    def test_about_a_person_who_was_merged_meanwhile_leads_to_the_survivor(
        self, ada: StaffBrowser, api: Client, store: Store, pair: tuple[str, str]
    ) -> None:
        seen, third = versions(ada, LIST), stored(api)
        merge_stored_people(store, third, pair[1], RULES)

        response = keep_apart(ada, pair, versions=seen)

        assert response.headers["Location"].startswith(f"/staff/people/{third}?")
        assert store.find(DUPLICATE_EXCEPTIONS, {}) == []

    @pytest.mark.parametrize(("other", "status"), [("unknown", 404), ("SELF", 400), ("$ne", 404), ("ERASED", 410)])
    @pytest.mark.parametrize("act", ["not-the-same", "take-back", ""])
    def test_about_nobody_is_rejected(
        self, ada: StaffBrowser, api: Client, store: Store, pair: tuple[str, str], other: str, status: int, act: str
    ) -> None:
        erased = stored(api)
        erase(store, erased, RULES)
        other_id = {"SELF": pair[0], "ERASED": erased}.get(other, other)

        response = ada.post(f"/staff/people/{pair[0]}/merge/{other_id}/{act}".rstrip("/"), {"versions": "x"})

        assert response.status_code == status

    def test_of_people_who_are_gone_is_not_listed(self, ada: StaffBrowser, store: Store, pair: tuple[str, str]) -> None:
        keep_apart(ada, pair)
        store.delete_many("people", {"_id": pair[1]})

        assert "There are none." in ada.get(EXCEPTIONS).text


class TestTheComparison:
    def test_shows_each_field_of_both_and_of_the_result(self, ada: StaffBrowser, api: Client) -> None:
        question = api.created("/questions", {"title": "Which river?", "question_type": "Paragraph"})
        api.created("/tags", {"name": "helper"})
        one = stored(api, occupation="miller", birthdate={"day": 1, "month": 2, "year": 1980}, phone_numbers=PHONE)
        other = stored(
            api,
            occupation="baker",
            languages_spoken=["de"],
            email_addresses=[{"address": "x@example.com", "status": "unsubscribed"}],
            phone_numbers=[{**PHONE[0], "do_not_call": True}],
            custom_fields={"shirt": "XL"},
        )
        href = {"osdi:person": {"href": f"https://osdi.example.org/api/v1/people/{other}"}}
        api.created(
            f"/questions/{question['_links']['self']['href'].rpartition('/')[2]}/answers",
            {
                "value": "The Aare",
                "_links": href,
            },
        )

        text = re.sub(r"\s+", " ", ada.get(f"/staff/people/{one}/merge/{other}").text)

        for expected in (
            "miller",
            "baker",
            "day: 1, month: 2, year: 1980",
            "x@example.com unsubscribed",
            "shirt: XL",
            "no calls",
            "Which river?: The Aare",
            'Occupation <span class="hint">differs',
        ):
            assert expected in text
        assert re.search(r"Result\"><div>miller</div>", text)

    def test_lets_the_member_choose_who_stays(self, ada: StaffBrowser, api: Client, pair: tuple[str, str]) -> None:
        one, other = pair
        text = ada.get(f"/staff/people/{one}/merge/{other}").text
        assert f'action="/staff/people/{other}/merge/{one}"' in text

        page = f"/staff/people/{other}/merge/{one}"
        assert ada.post(page, {"versions": versions(ada, page)}).status_code == 303

        assert api.get(f"/people/{one}").status_code == 301
        assert api.get(f"/people/{other}").json["given_name"] == "J."

    @pytest.mark.parametrize("who", [0, 1])
    def test_asks_again_if_one_of_both_has_changed(
        self, ada: StaffBrowser, api: Client, pair: tuple[str, str], who: int
    ) -> None:
        page = f"/staff/people/{pair[0]}/merge/{pair[1]}"
        seen = versions(ada, page)
        api.put(f"/people/{pair[who]}", {"occupation": "miller"})

        response = ada.post(page, {"versions": seen})

        assert (response.status_code, "miller" in response.text) == (409, True)
        assert api.get(f"/people/{pair[1]}").status_code == 200
        again = re.search(r'name="versions" value="([^"]*)"', response.text)
        assert again
        assert ada.post(page, {"versions": again[1].replace("&#34;", '"')}).status_code == 303

    def test_is_compared_with_what_the_merge_reads(
        self, ada: StaffBrowser, api: Client, pair: tuple[str, str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A change between the look of the page's code and the write of the merge is noticed too."""
        page = f"/staff/people/{pair[0]}/merge/{pair[1]}"
        seen = versions(ada, page)
        reading = merge_module.get_person

        def change_first(store: Store, person_id: str) -> Any:
            monkeypatch.setattr(merge_module, "get_person", reading)
            api.put(f"/people/{pair[1]}", {"occupation": "miller"})
            return reading(store, person_id)

        monkeypatch.setattr(merge_module, "get_person", change_first)

        assert ada.post(page, {"versions": seen}).status_code == 409
        assert api.get(f"/people/{pair[1]}").status_code == 200
