"""The policy for posts without a token, and the end of a campaign, as they apply to its page."""

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from pymongo.database import Database

from osdi.access.anonymous_posts import AnonymousPosts
from osdi.ids import now
from tests.fixtures.campaign_pages import JANE, CampaignPage, soup
from tests.support import factories
from tests.support.client import Client

Publish = Callable[..., CampaignPage]
SUFFIXES = pytest.mark.parametrize("suffix", ["", "/embed"])
DAY = dt.timedelta(days=1)


def policy(**fields: Any) -> dict[str, Any]:
    return {"anonymous_posts": fields}


@SUFFIXES
@pytest.mark.parametrize("origin", ["http://localhost", "null", "https://other.example", None])
def test_the_own_form_may_post_from_anywhere(
    publish: Publish, database: Database, suffix: str, origin: str | None
) -> None:
    page = publish(**policy(origins=["https://river.example.org"]))

    response = page.record(suffix=suffix, headers={"Origin": origin} if origin else {})

    assert response.status_code == 200
    assert database.outreaches.count_documents({}) == 1


CLOSED: dict[str, tuple[dict[str, Any], dict[str, Any], str]] = {
    "posts without a token are off": ({}, policy(enabled=False), "This form takes no entries at the moment"),
    "the campaign is closed": ({"closes_at": now() - DAY}, {}, "This campaign is closed"),
}


@SUFFIXES
@pytest.mark.parametrize(("page_settings", "fields", "heading"), CLOSED.values(), ids=CLOSED.keys())
def test_a_page_that_takes_nothing_says_so(
    publish: Publish,
    database: Database,
    suffix: str,
    page_settings: dict[str, Any],
    fields: dict[str, Any],
    heading: str,
) -> None:
    page = publish(page_settings, **fields)

    shown = page.get(suffix)
    posted = page.post({**JANE, "message": "Dear <b>Senator"}, suffix)

    assert (shown.status_code, posted.status_code) == (200, 403)
    for response in (shown, posted):
        assert heading in soup(response).get_text()
        assert soup(response).form is None
    assert "was not recorded" in soup(posted).get_text()
    assert "Dear <b>Senator" in soup(posted).get_text()
    assert database.outreaches.count_documents({}) == 0


def test_a_closed_page_has_the_words_of_the_organisation(publish: Publish) -> None:
    page = publish({"closes_at": now() - DAY, "closed_message": "We <won>!"})

    assert "We <won>!" in page.soup().get_text()


def test_a_page_is_open_until_it_closes(publish: Publish) -> None:
    assert publish({"closes_at": now() + DAY}).record().status_code == 200


@pytest.mark.parametrize("actions", [[], ["tags"], ["triggers"]])
def test_answers_to_the_questions_of_the_page_need_no_permission(
    publish: Publish, api: Client, database: Database, actions: list[str]
) -> None:
    question = api.created("/questions", {"title": "Why?", "question_type": "Paragraph", "identifiers": ["crm:why"]})
    question_id = question["_links"]["self"]["href"].rsplit("/", 1)[1]
    page = publish({"fields": [{"name": "given_name"}, {"question": "crm:why"}]}, **policy(actions=actions))

    page.record({"person.given_name": "Jane", f"answers.{question_id}": "The river"})

    (person,) = database.people.find()
    assert person["answers"][0]["value"] == "The river"


@pytest.mark.parametrize(("actions", "expected"), [(["triggers"], ["autoresponse"]), (["tags"], [])])
def test_the_mail_to_those_who_take_part_needs_permission(
    publish: Publish, api: Client, database: Database, actions: list[str], expected: list[str]
) -> None:
    message = api.created("/messages", factories.message(identifiers=["crm:thanks"]))
    assert message
    triggers = {"autoresponse": {"identifiers": ["crm:thanks"]}}
    page = publish(**policy(actions=actions), triggers=triggers)

    page.record()

    (outreach,) = database.outreaches.find()
    assert [each["kind"] for each in outreach.get("followups", [])] == expected


def test_texts_and_calls_are_not_requested(publish: Publish, api: Client, database: Database) -> None:
    api.created("/messages", factories.text(identifiers=["crm:text"]))
    triggers = {kind: {"identifiers": ["crm:text"]} for kind in ("sms_response", "call_response")}
    page = publish({"fields": [{"name": "phone_number"}]}, triggers=triggers)

    page.record({"person.phone_number": "+1 202 555 0164"})

    (outreach,) = database.outreaches.find()
    assert "followups" not in outreach


def test_a_long_text_of_the_organisation_is_not_limited_as_that_of_a_sender() -> None:
    body = {"message": "x" * 20_000}

    assert AnonymousPosts().for_page().apply(body, None) == body
    assert "message" not in AnonymousPosts().apply(body, None)


@pytest.mark.parametrize(("suffix", "body_class"), [("", "page"), ("/embed", "embed")])
def test_a_closed_form_in_a_frame_stays_a_form_in_a_frame(publish: Publish, suffix: str, body_class: str) -> None:
    page = publish({"closes_at": now() - DAY})

    for response in (page.get(suffix), page.post(JANE, suffix)):
        assert soup(response).body["class"] == [body_class]
        assert (soup(response).find("h2", string="Share this campaign") is None) is bool(suffix)
