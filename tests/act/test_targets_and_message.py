"""A form's targets and message: what the page offers, what is recorded, and the response to an incomplete choice."""

from collections.abc import Callable
from typing import Any

import pytest
from pymongo.database import Database

from osdi.campaign_pages.postal_codes.postal_codes_store import replace_table
from osdi.campaign_pages.postal_codes.table import read_table
from osdi.store import Store
from tests.fixtures.campaign_pages import JANE, CampaignPage, soup, typed_into
from tests.support import factories
from tests.support.client import Client

Publish = Callable[..., CampaignPage]

ADA = {"title": "Senator", "given_name": "Ada", "family_name": "Lovelace", "ocdid": "a"}
BEN = {"given_name": "Ben", "family_name": "Öhm", "organization": "Ministry", "ocdid": "b"}
OFFICE = {"organization": "Water Office", "ocdid": "c"}
TARGETS = [ADA, BEN, OFFICE]
LETTER = "Dear {{ targets[0].title }} {{ targets[0].family_name }},\n\nsave it.\n\n{{ person.given_name }}"
SCRIPT = "<script>alert(1)</script>"
FORMULA = "\"'><img src=x onerror=alert(1)>"


def by_code(publish: Publish, store: Store, *lines: str, **fields: Any) -> CampaignPage:
    """Returns the page of a campaign whose postal codes lead to its targets."""
    page = publish({"targets": {"selection": "postal_code"}}, type="email", target_list=TARGETS, **fields)
    replace_table(store, page.campaign["_id"], read_table("\n".join(["postal_code,target", *lines]), TARGETS))
    return page


def recorded(database: Database) -> dict[str, Any]:
    (outreach,) = database.outreaches.find()
    return dict(outreach)


def names(outreach: dict[str, Any]) -> list[str]:
    return [each.get("given_name", each.get("organization")) for each in outreach.get("targets", [])]


def test_all_targets_are_named_and_recorded(publish: Publish, database: Database) -> None:
    page = publish(target_list=TARGETS)
    text = page.soup().form.get_text(" ", strip=True)
    assert "Senator Ada Lovelace" in text
    assert "Water Office" in text
    page.record()
    assert recorded(database)["targets"] == TARGETS


def test_a_campaign_without_a_list_names_its_targets_in_words(publish: Publish, database: Database) -> None:
    page = publish(targets="U.S. Congress")
    assert "You turn to: U.S. Congress" in page.soup().form.get_text(" ", strip=True)
    assert page.record().status_code == 200
    assert "targets" not in recorded(database)


def test_the_first_targets_are_checked_as_the_page_says(publish: Publish) -> None:
    page = publish({"targets": {"selection": "choose", "preselected": 2}}, target_list=TARGETS)
    assert page.filled().getlist("target") == ["0", "1"]


def test_chosen_targets_are_recorded(publish: Publish, database: Database) -> None:
    page = publish({"targets": {"selection": "choose"}}, target_list=TARGETS)
    assert page.record({**JANE, "target": ["2", "1"]}).status_code == 200
    assert names(recorded(database)) == ["Ben", "Water Office"]


@pytest.mark.parametrize(
    ("sent", "words"),
    [
        ([], "Please choose at least one addressee."),
        (["7"], "Please choose addressees from the list."),
        (["0", SCRIPT], "Please choose addressees from the list."),
    ],
    ids=["none", "beyond the list", "markup"],
)
def test_an_invalid_choice_records_nothing_and_keeps_the_text(
    publish: Publish, database: Database, sent: list[str], words: str
) -> None:
    page = publish({"targets": {"selection": "choose", "preselected": 1}}, target_list=TARGETS)
    response = page.record({**JANE, "target": sent, "message": "My words"})
    assert response.status_code == 422
    again = soup(response)
    assert words in again.form.select_one("fieldset .error").get_text()
    assert again.find("a", href="#act-target")
    assert again.find(id="act-target")
    assert again.find("textarea", {"name": "message"}).get_text().strip() == "My words"
    assert SCRIPT not in response.text
    assert database.outreaches.count_documents({}) == 0


def test_a_form_that_comes_back_keeps_the_chosen_targets(publish: Publish) -> None:
    page = publish({"targets": {"selection": "choose", "preselected": 1}}, target_list=TARGETS)
    response = page.record({"person.email_address": "", "target": ["2"]})
    assert typed_into(soup(response)).getlist("target") == ["2"]


def test_a_form_of_another_site_may_name_no_target(publish: Publish, database: Database) -> None:
    page = publish({"targets": {"selection": "choose"}}, target_list=TARGETS)
    assert page.post(JANE, headers={"Origin": "https://river.example.org"}).status_code == 303
    assert names(recorded(database)) == []


def test_a_postal_code_leads_to_its_target(publish: Publish, store: Store, database: Database) -> None:
    page = by_code(publish, store, "20,a", "2000,b", templates=[LETTER])
    response = page.record()
    assert response.status_code == 200
    assert names(recorded(database)) == ["Ben"]
    assert recorded(database)["message"] == "Dear  Öhm,\n\nsave it.\n\nJane"
    (person,) = database.people.find()
    assert person["postal_addresses"][0]["postal_code"] == "20009"


def test_the_page_asks_for_a_postal_code_that_it_needs(publish: Publish, store: Store, database: Database) -> None:
    page = by_code(publish, store, "20,a")
    page.campaign["page"]["fields"] = [{"name": "email_address"}]
    database.advocacy_campaigns.update_one({}, {"$set": {"page.fields": [{"name": "email_address"}]}})
    control = page.soup().find("input", {"name": "person.postal_code"})
    assert control.has_attr("required")
    response = page.record({"person.email_address": "jane@example.com", "person.postal_code": ""})
    assert response.status_code == 422
    assert soup(response).find("a", href="#act-person-postal_code")
    assert database.outreaches.count_documents({}) == 0


def test_a_code_of_nobody_is_recorded_and_says_so(publish: Publish, store: Store, database: Database) -> None:
    page = by_code(publish, store, "10,a")
    response = page.record()
    assert response.status_code == 200
    assert "Nobody is listed for your postal code." in soup(response).get_text()
    assert names(recorded(database)) == []


def test_a_code_of_no_line_leads_to_the_target_for_every_other_code(
    publish: Publish, store: Store, database: Database
) -> None:
    by_code(publish, store, "10,a", "*,c").record()
    assert names(recorded(database)) == ["Water Office"]


def test_the_text_that_was_not_changed_is_filled_in(publish: Publish, database: Database) -> None:
    page = publish(type="email", target_list=TARGETS, templates=[LETTER], title="Save\nthe river")
    assert page.filled()["message"] == "Dear Senator Lovelace,\n\nsave it.\n\n[your first name]"
    page.record()
    outreach = recorded(database)
    assert outreach["message"] == "Dear Senator Lovelace,\n\nsave it.\n\nJane"
    assert outreach["subject"] == "Save\nthe river"


def test_own_words_are_recorded(publish: Publish, database: Database) -> None:
    page = publish(type="email", templates=[LETTER])
    page.record({**JANE, "message": "I am [your first name] of [your postal code].\r\nHello"})
    assert recorded(database)["message"] == "I am Jane of 20009.\nHello"


def test_a_supporter_chooses_among_several_texts(publish: Publish, database: Database) -> None:
    page = publish(type="email", templates=["One", "Two"])
    assert page.filled()["template"] == "0"
    page.record({**JANE, "template": "1"})
    assert recorded(database)["message"] == "Two"


def test_a_fixed_text_is_shown_and_recorded(publish: Publish, database: Database) -> None:
    page = publish({"message": {"rule": "fixed"}}, type="email", templates=["Our text"])
    assert "message" not in page.filled()
    assert "Our text" in page.soup().form.get_text()
    page.record({**JANE, "message": "Mine"})
    assert recorded(database)["message"] == "Our text"


def test_answers_to_prompts_are_recorded_and_kept(publish: Publish, database: Database) -> None:
    rule = {"rule": "prompts", "prompts": ["Why?", "How?"]}
    page = publish({"message": rule}, type="email", templates=["Dear all,\n\n[answers]\n\nYours"])
    response = page.record({"person.email_address": "", "prompt": ["", "I swim."]})
    assert typed_into(soup(response)).getlist("prompt") == ["", "I swim."]
    page.record({**JANE, "prompt": ["", "I swim."]})
    assert recorded(database)["message"] == "Dear all,\n\nI swim.\n\nYours"


@pytest.mark.parametrize("kind", ["phone", "in-person"])
def test_a_script_is_no_message(publish: Publish, database: Database, kind: str) -> None:
    page = publish(type=kind, templates=["Hello, {{ person.given_name }} here."])
    assert "message" not in page.filled()
    response = page.record()
    assert "Hello, Jane here." in soup(response).get_text()
    assert not {"message", "subject"} & set(recorded(database))


def test_a_text_that_is_too_long_comes_back(publish: Publish, database: Database) -> None:
    page = publish(type="email")
    response = page.record({**JANE, "message": "x" * 10_001})
    assert response.status_code == 422
    assert typed_into(soup(response))["message"] == "x" * 10_001
    assert database.outreaches.count_documents({}) == 0


@pytest.mark.parametrize(
    ("campaign_type", "rule"),
    [("phone", "editable"), ("in-person", "editable"), ("email", "fixed"), ("email", "prompts")],
)
def test_a_long_message_that_the_page_does_not_ask_for_costs_no_outreach(
    publish: Publish, database: Database, campaign_type: str, rule: str
) -> None:
    rules = {"rule": rule, **({"rule": "prompts", "prompts": ["Why?"]} if rule == "prompts" else {})}
    page = publish({"message": rules}, type=campaign_type, templates=["Dear Senator"])
    assert page.post({**page.filled(), "message": "x" * 10_001}).status_code == 200
    assert recorded(database).get("message") in (None, "Dear Senator")


@pytest.mark.parametrize("letter", ["x", "й", "字"])
def test_a_text_of_the_greatest_length_is_recorded_in_any_script(
    publish: Publish, database: Database, letter: str
) -> None:
    response = publish(type="email").record({**JANE, "message": letter * 10_000})
    assert response.status_code == 200
    assert recorded(database)["message"] == letter * 10_000


def test_markup_of_staff_and_of_supporters_is_text(publish: Publish, database: Database) -> None:
    target = dict.fromkeys(("title", "given_name", "family_name", "organization"), FORMULA)
    page = publish(
        {"message": {"rule": "prompts", "prompts": [FORMULA]}},
        type="email",
        target_list=[target],
        templates=[SCRIPT + " text"],
        title=FORMULA,
    )
    for response in (page.get(), page.record({**JANE, "person.given_name": FORMULA, "prompt": [SCRIPT]})):
        assert response.status_code == 200
        assert "<img" not in response.text.replace('<img class="', "")
        assert "alert(1)</script>" not in response.text
    assert database.outreaches.count_documents({}) == 1


@pytest.mark.parametrize(
    ("message", "values", "own_words"),
    [
        ({"rule": "editable"}, {}, False),
        ({"rule": "editable"}, {"message": "My own river."}, True),
        ({"rule": "fixed"}, {}, None),
        ({"rule": "prompts", "prompts": ["Why?"]}, {"prompt": ["I swim there."]}, True),
        ({"rule": "prompts", "prompts": ["Why?"]}, {"prompt": [" "]}, False),
    ],
)
def test_an_outreach_says_if_its_message_has_own_words(
    publish: Publish, database: Database, api: Client, message: Any, values: dict[str, Any], own_words: bool | None
) -> None:
    page = publish({"message": message}, type="email", target_list=TARGETS, templates=[LETTER])

    assert page.record({**JANE, **values}).status_code == 200

    shown = api.get("/outreaches?filter=own_words ne null").json
    assert recorded(database).get("own_words") == own_words
    assert shown["total_records"] == (own_words is not None)
    for each in shown["_embedded"]["osdi:outreaches"]:
        assert each["osdi_outreach:own_words"] == own_words


def test_no_post_can_state_what_the_server_records(api: Client) -> None:
    person = factories.person()
    stated = {"own_words": True, "new_person": False, "osdi_outreach:new_person": False}

    first, second = (api.recorded({**factories.outreach(person=person), **stated}) for _ in range(2))

    assert first["osdi_outreach:new_person"] is True
    assert "osdi_outreach:own_words" not in first
    assert "osdi_outreach:new_person" not in second
