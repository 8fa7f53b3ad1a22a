"""The editor of a campaign: what it stores, what it rejects, and what it keeps."""

from typing import Any

import pytest
from pymongo.database import Database

from tests.fixtures.campaign_pages import soup
from tests.staff.campaign.conftest import Screens

EDIT = "/edit"
LINES = "One\r\nTwo"
FULL = {
    "title": "River",
    "target_list": [
        {
            "title": "Senator",
            "given_name": "Ann",
            "email_addresses": [{"address": "ann@example.org", "primary": True}, {"address": "b@example.org"}],
            "postal_addresses": [{"postal_code": "20009"}],
        },
        {"organization": "Town hall"},
    ],
    "templates": ["Dear {{ target.title }},\nplease."],
    "description": "<p>Text</p>",
}
PAGE = {
    "slug": "river",
    "closes_at": "2031-06-30T23:59:59Z",
    "goal": 500,
    "fields": [{"name": "email_address", "required": True, "label": "Mail"}, {"name": "given_name"}],
    "consent": {"text": "Yes", "confirm_by_mail": True},
    "message": {"rule": "prompts", "prompts": ["Why?", "Since when?"]},
    "share": False,
}


@pytest.fixture
def full(screens: Screens) -> Screens:
    """The screens of a campaign with targets, texts and settings."""
    assert screens.api.put(screens.address, FULL).status_code == 200
    assert screens.api.put(f"{screens.address}/page", PAGE).status_code == 200
    return screens


def test_a_form_that_nobody_has_changed_changes_nothing(full: Screens) -> None:
    before = full.campaign(), full.settings()

    assert full.send(EDIT).status_code == 303

    assert (full.campaign(), full.settings()) == before


@pytest.mark.parametrize(
    ("name", "typed", "value"),
    [
        ("title", "Wood", "Wood"),
        ("name", "wood-2026", "wood-2026"),
        ("summary", "Short", "Short"),
        ("description", LINES, "One\nTwo"),
        ("type", "phone", "phone"),
        ("targets", "Congress", "Congress"),
        ("featured_image_url", "https://example.org/a.png", "https://example.org/a.png"),
        ("description", " ", None),
    ],
)
def test_a_text_is_stored(full: Screens, name: str, typed: str, value: str | None) -> None:
    assert full.send(EDIT, {name: typed}).status_code == 303

    assert full.campaign().get(name) == value


@pytest.mark.parametrize(
    ("control", "typed", "value"),
    [
        ("slug", "the-wood", "the-wood"),
        ("language", "de", "de"),
        ("closes_at", "2031-01-02T03:04", "2031-01-02T03:04:00Z"),
        ("closes_at", "", None),
        ("goal", "auto", "auto"),
        ("goal", "", None),
        ("show_count_from", "7", 7),
        ("show_count_from", "", 25),
        ("privacy_url", "https://example.org/p", "https://example.org/p"),
        ("colour", "#0a6", "#0a6"),
        ("share", "yes", True),
        ("targets.selection", "choose", "choose"),
        ("targets.preselected", "2", 2),
        ("message.rule", "fixed", "fixed"),
        ("message.prompts", "A?\r\n\r\nB?", ["A?", "B?"]),
        ("consent.text", LINES, "One\nTwo"),
        ("consent.text", "", ""),
        ("consent.confirm_by_mail", "", False),
        ("thank_you.text", "Thanks", "Thanks"),
    ],
)
def test_a_setting_of_the_page_is_stored(full: Screens, control: str, typed: str, value: Any) -> None:
    assert full.send(EDIT, {f"page.{control}": typed}).status_code == 303

    stored: Any = full.settings()
    for part in control.split("."):
        stored = stored.get(part)
    assert stored == value


def test_long_texts_are_stored(full: Screens) -> None:
    texts = [str(number) * 60_000 for number in range(9)]

    assert full.send(EDIT, {f"templates[{number}]": text for number, text in enumerate(texts)}).status_code == 303

    assert full.campaign()["templates"] == texts


class TestTargets:
    @pytest.mark.parametrize(
        ("typed", "expected"),
        [
            (
                {"target_list[0].given_name": "Anna"},
                [{**FULL["target_list"][0], "given_name": "Anna"}, FULL["target_list"][1]],  # type: ignore[dict-item]
            ),
            ({"target_list[0].remove": "yes"}, [FULL["target_list"][1]]),
            (
                {"target_list[3].organization": "Mayor", "target_list[3].phone": "+1 202 555 0123"},
                [*FULL["target_list"], {"organization": "Mayor", "phone_numbers": [{"number": "+1 202 555 0123"}]}],
            ),
            ({"target_list[0].remove": "yes", "target_list[1].remove": "yes"}, None),
        ],
        ids=["changed", "removed", "added behind an empty row", "all removed"],
    )
    def test_keep_what_the_form_does_not_show(self, full: Screens, typed: dict[str, str], expected: Any) -> None:
        assert full.send(EDIT, typed).status_code == 303

        assert full.campaign().get("target_list") == expected

    def test_can_lose_and_change_a_contact_detail(self, full: Screens) -> None:
        full.send(EDIT, {"target_list[0].email": "new@example.org"})
        assert full.campaign()["target_list"][0]["email_addresses"][0] == {
            "address": "new@example.org",
            "primary": True,
        }

        full.send(EDIT, {"target_list[0].email": ""})
        assert [each["address"] for each in full.campaign()["target_list"][0]["email_addresses"]] == ["b@example.org"]

    def test_of_a_long_list_are_left_to_the_api(self, screens: Screens) -> None:
        targets = [{"organization": f"Office {number}"} for number in range(101)]
        screens.api.put(screens.address, {"target_list": targets})

        assert "too many for this form" in screens.open(EDIT).get_text()
        assert screens.send(EDIT, title="Wood").status_code == 303
        assert screens.campaign()["target_list"] == targets


class TestFieldsOfTheForm:
    def test_have_the_order_of_their_positions(self, full: Screens) -> None:
        typed = {"page.fields[0].position": "9", "page.fields[2].show": "required", "page.fields[2].position": "1"}

        full.send(EDIT, typed)

        assert [each["name"] for each in full.settings()["fields"]] == ["family_name", "given_name", "email_address"]

    def test_that_do_not_exist_are_named_at_their_control(self, full: Screens) -> None:
        row = next(name for name in full.controls(EDIT) if name.endswith(".question") and "[8]" in name)

        response = full.send(EDIT, {row: "crm:why", row.replace("question", "show"): "optional"})

        assert response.status_code == 422
        assert soup(response).find(id=row)["aria-invalid"] == "true"  # type: ignore[index]


class TestTheMail:
    """The mail to those who take part, and the option that sends it for every outreach."""

    MAIL, EVERY = "autoresponse.message", "autoresponse.every_outreach"

    def triggers(self, screens: Screens) -> dict[str, Any]:
        stored = dict(screens.api.get(f"{screens.address}/triggers").json)
        return {name: value for name, value in stored.items() if name != "_links"}

    @pytest.mark.parametrize(
        ("typed", "stored"),
        [
            ({}, {}),
            ({MAIL: "crm:mail"}, {"autoresponse": {"identifiers": ["crm:mail"], "every_outreach": False}}),
            (
                {MAIL: "crm:mail", EVERY: "yes"},
                {"autoresponse": {"identifiers": ["crm:mail"], "every_outreach": True}},
            ),
        ],
        ids=["none", "on request", "every outreach"],
    )
    def test_is_chosen_and_is_sent_on_request_unless_a_member_asks_for_more(
        self, screens: Screens, messages: dict[str, str], typed: dict[str, str], stored: dict[str, Any]
    ) -> None:
        assert screens.send(EDIT, typed).status_code == 303

        assert self.triggers(screens) == stored

    def test_is_offered_by_its_name_and_no_text_message_is(self, screens: Screens, messages: dict[str, str]) -> None:
        screens.api.created("/messages", {"name": "Draft", "type": "email"})

        options = [each.get_text() for each in screens.open(EDIT).find(id=self.MAIL).find_all("option")]  # type: ignore[union-attr]

        assert options == ["No mail", "Thanks"]

    def test_may_be_the_one_that_the_list_offers(self, screens: Screens, messages: dict[str, str]) -> None:
        options = screens.open(EDIT).find(id=self.MAIL).find_all("option")  # type: ignore[union-attr]

        assert screens.send(EDIT, {self.MAIL: str(options[1]["value"])}).status_code == 303

        assert "Thanks" in screens.open(EDIT).select_one(f"[id='{self.MAIL}'] option[selected]").get_text()  # type: ignore[union-attr]
        assert screens.send(EDIT).status_code == 303

    @pytest.mark.parametrize(
        ("typed", "identifiers"),
        [
            ({}, ["crm:mail", "crm:two"]),
            ({EVERY: ""}, ["crm:mail", "crm:two"]),
            ({MAIL: "crm:three"}, ["crm:three", "crm:two"]),
            ({MAIL: "crm:two"}, ["crm:two"]),
            ({MAIL: "", EVERY: ""}, None),
        ],
        ids=["unchanged", "on request", "a new one", "one of the others", "none"],
    )
    def test_leaves_the_other_messages_of_the_campaign_alone(
        self, screens: Screens, messages: dict[str, str], typed: dict[str, str], identifiers: list[str] | None
    ) -> None:
        for name in ("crm:two", "crm:three"):
            mail = {"identifiers": [name], "type": "email", "subject": name, "body": name}
            screens.api.created("/messages", mail)
        text = {"identifiers": ["crm:text"]}
        both = {"autoresponse": {"identifiers": ["crm:mail", "crm:two"], "every_outreach": True}, "sms_response": text}
        assert screens.api.put(f"{screens.address}/triggers", both).status_code == 200
        assert "crm:two" in screens.open(EDIT).find(id=f"{self.MAIL}-hint").get_text()  # type: ignore[union-attr]

        assert screens.send(EDIT, typed).status_code == 303

        assert self.triggers(screens)["sms_response"] == text
        assert self.triggers(screens).get("autoresponse", {}).get("identifiers") == identifiers

    @pytest.mark.parametrize(
        ("typed", "control"),
        [({MAIL: "crm:none"}, MAIL), ({MAIL: "crm:text"}, MAIL), ({EVERY: "yes"}, EVERY), ({MAIL: "\x00"}, MAIL)],
        ids=["unknown", "text message", "no mail for every outreach", "no text"],
    )
    def test_that_cannot_be_sent_is_named_at_its_control(
        self, screens: Screens, messages: dict[str, str], typed: dict[str, str], control: str
    ) -> None:
        response = screens.send(EDIT, typed)

        assert response.status_code == 422
        assert [each["href"] for each in soup(response).select(".errors a")] == [f"#{control}"]
        assert self.triggers(screens) == {}

    def test_that_is_gone_stays_until_another_is_chosen(self, screens: Screens, database: Database) -> None:
        trigger = {"autoresponse": {"identifiers": ["crm:gone"]}}
        database.advocacy_campaigns.update_one({"_id": screens.api.campaign_id}, {"$set": {"triggers": trigger}})

        assert screens.send(EDIT, title="Wood").status_code == 303

        assert self.triggers(screens)["autoresponse"]["identifiers"] == ["crm:gone"]


@pytest.mark.parametrize(
    ("control", "typed"),
    [
        ("title", "x" * 1001),
        ("target_list[0].email", "no address"),
        ("target_list[3].email", "no address"),
        ("target_list[1].phone", "none"),
        ("templates[1]", "x" * 100_001),
        ("page.slug", "Not A Slug"),
        ("page.goal", "many"),
        ("page.show_count_from", "-1"),
        ("page.closes_at", "yesterday"),
        ("page.privacy_url", "http://example.org"),
        ("page.colour", "red"),
        ("page.language", "tlh"),
        ("page.message.prompts", ""),
        ("page.consent.list", "No such list"),
        ("page.targets.selection", "some"),
    ],
)
def test_a_wrong_value_is_named_at_its_control_and_nothing_is_lost(full: Screens, control: str, typed: str) -> None:
    before = full.campaign(), full.settings()

    response = full.send(EDIT, {control: typed, "summary": "My <b>summary</b>"})

    page = soup(response)
    assert response.status_code == 422
    assert page.find(id="summary").get_text() == "\nMy <b>summary</b>"  # type: ignore[union-attr]
    assert page.find(id=control)["aria-invalid"] == "true"  # type: ignore[index]
    assert [each["href"] for each in page.select(".errors a")] == [f"#{control}"]
    assert (full.campaign(), full.settings()) == before


def test_all_wrong_values_are_named_at_once(full: Screens) -> None:
    response = full.send(EDIT, {"title": "x" * 1001, "page.colour": "red", "page.goal": "0"})

    assert {each["href"] for each in soup(response).select(".errors a")} == {"#title", "#page.colour", "#page.goal"}


def test_a_slug_of_another_campaign_is_named_at_its_control(full: Screens) -> None:
    other = full.api.created("/advocacy_campaigns", {"title": "Other"})["_links"]["self"]["href"]
    full.api.put(f"{other}/page", {"slug": "other"})

    response = full.send(EDIT, {"page.slug": "other"})

    assert response.status_code == 422
    assert soup(response).select_one(".errors a")["href"] == "#page.slug"  # type: ignore[index]


class TestAChangeByAnother:
    def test_is_shown_beside_the_text_and_is_not_overwritten(self, full: Screens) -> None:
        controls = full.controls(EDIT)
        full.api.put(full.address, {"title": "Theirs"})

        response = full.browser.post(full.path + EDIT, {**controls, "title": "Mine", "summary": "Mine, too"})

        page = soup(response)
        assert response.status_code == 412
        assert page.find(id="title")["value"] == "Mine"  # type: ignore[index]
        assert "Theirs" in page.find(id="title-stored").get_text()  # type: ignore[union-attr]
        assert "Mine, too" in page.find(id="summary").get_text()  # type: ignore[union-attr]
        assert full.campaign()["title"] == "Theirs"

    def test_is_replaced_by_saving_once_more(self, full: Screens) -> None:
        controls = full.controls(EDIT)
        full.api.put(full.address, {"title": "Theirs"})
        shown = soup(full.browser.post(full.path + EDIT, {**controls, "title": "Mine"}))
        version = str(shown.select_one("input[name=version]")["value"])  # type: ignore[index]

        assert full.browser.post(full.path + EDIT, {**controls, "title": "Mine", "version": version}).status_code == 303

        assert full.campaign()["title"] == "Mine"


@pytest.mark.parametrize(
    "typed",
    [
        {"target_list[0].stored": "[" * 5000},
        {"target_list[0].stored": "[1]"},
        {"target_list[0].stored": '{"email_addresses": [1, {"address": 2}], "x": null}'},
        {"page.fields[0].position": "9" * 5000},
        {"page.fields[9999].show": "required"},
        {"page.closes_at": "2031-01-02T03:04+99:00"},
        {"page.closes_at": "0001-01-01T00:00"},
        {"title": "a\x00b"},
        {"templates[9999]": "a"},
        {"version": '"\u2603'},
    ],
    ids=str,
)
def test_a_hostile_form_is_no_server_error(full: Screens, typed: dict[str, str]) -> None:
    assert full.send(EDIT, typed).status_code < 500


def test_a_form_without_version_stores_nothing(full: Screens) -> None:
    before = full.campaign()

    assert full.browser.post(full.path + EDIT, {"title": "Mine"}).status_code == 422

    assert full.campaign() == before
