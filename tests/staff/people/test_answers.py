"""Answers of a person to questions: added, changed and removed, as the API does."""

import re
from html import unescape
from typing import Any

import pytest

from osdi.store import Store
from tests.staff.conftest import StaffBrowser, latest_events
from tests.staff.people.test_people import HOSTILE, id_of, stored
from tests.staff.people.test_person_actions import done, token_of
from tests.support.client import Client

RIVERS = [{"key": "aare", "title": "The Aare"}, {"key": "rhine", "title": "The Rhine"}]
BOTH = ["aare", "rhine"]
TYPES = ("Paragraph", "SingleChoice", "MultiChoice")


@pytest.fixture
def jane(api: Client) -> str:
    return stored(api, given_name="Jane", family_name="Doe")


@pytest.fixture
def questions(api: Client) -> dict[str, str]:
    """The id of a question of each type."""
    made = {}
    for kind in TYPES:
        responses = {"responses": RIVERS} if kind != "Paragraph" else {}
        body = {"title": f"Which river, {kind}?", "question_type": kind, **responses}
        made[kind] = id_of(api.created("/questions", body))
    return made


def answers(api: Client, person_id: str) -> list[dict[str, Any]]:
    return list(api.get(f"/people/{person_id}/answers").json["_embedded"]["osdi:answers"])


def answered(browser: StaffBrowser, api: Client, person_id: str, question: str, **fields: Any) -> str:
    """Adds an answer by the form, and returns its id."""
    response = browser.post(f"/staff/people/{person_id}/answers/new", {"question": question, **fields})
    assert done(response) == "answer_added"
    return id_of(answers(api, person_id)[-1])


class TestAnAnswer:
    def test_is_added_to_a_chosen_question(
        self, ada: StaffBrowser, api: Client, jane: str, questions: dict[str, str]
    ) -> None:
        page = f"/staff/people/{jane}/answers/new"
        assert "Which river, MultiChoice?" in ada.get(page).text
        assert "The Aare" in ada.get(page, query_string={"question": questions["MultiChoice"]}).text

        answered(ada, api, jane, questions["MultiChoice"], responses=["aare", "rhine"])

        assert [each["responses"] for each in answers(api, jane)] == [["aare", "rhine"]]

    @pytest.mark.parametrize(
        ("kind", "first", "second", "expected"),
        [
            ("Paragraph", {"value": "The Aare"}, {"value": "The Rhine\r\nand more"}, {"value": "The Rhine\nand more"}),
            ("SingleChoice", {"responses": "aare"}, {"responses": "rhine"}, {"responses": ["rhine"]}),
            (
                "MultiChoice",
                {"responses": ["aare"]},
                {"responses": ["aare", "rhine"]},
                {"responses": ["aare", "rhine"]},
            ),
        ],
    )
    def test_is_changed(
        self,
        ada: StaffBrowser,
        api: Client,
        jane: str,
        questions: dict[str, str],
        kind: str,
        first: dict[str, Any],
        second: dict[str, Any],
        expected: dict[str, Any],
    ) -> None:
        answer = answered(ada, api, jane, questions[kind], **first)
        page = f"/staff/people/{jane}/answers/{answer}"

        assert done(ada.post(page, {"version": token_of(ada, page), **second})) == "answer_changed"

        (stored_answer,) = answers(api, jane)
        kept = {name: stored_answer[name] for name in expected}
        assert {name: v.replace("\r\n", "\n") if isinstance(v, str) else v for name, v in kept.items()} == expected

    @pytest.mark.parametrize(
        ("kind", "fields", "wrong"),
        [
            ("Paragraph", {"value": ""}, "value"),
            ("Paragraph", {"value": "   "}, "value"),
            ("Paragraph", {"value": "x" * 2_000_000}, None),
            ("Paragraph", {"responses": ["aare"]}, "value"),
            ("SingleChoice", {"responses": []}, "responses"),
            ("SingleChoice", {"responses": ["aare", "rhine"]}, "responses"),
            ("SingleChoice", {"responses": ["$ne"]}, "responses"),
            ("MultiChoice", {"responses": ["aare", HOSTILE]}, "responses"),
        ],
    )
    @pytest.mark.parametrize("is_new", [True, False])
    def test_that_the_question_does_not_accept_is_rejected(
        self,
        ada: StaffBrowser,
        api: Client,
        jane: str,
        questions: dict[str, str],
        kind: str,
        fields: dict[str, Any],
        wrong: str | None,
        is_new: bool,
    ) -> None:
        page = f"/staff/people/{jane}/answers/new"
        if not is_new:
            first = {"value": "The Aare"} if kind == "Paragraph" else {"responses": "aare"}
            page = f"/staff/people/{jane}/answers/{answered(ada, api, jane, questions[kind], **first)}"
        before = answers(api, jane)
        version = {} if is_new else {"version": token_of(ada, page)}

        response = ada.post(page, {"question": questions[kind], **version, **fields})

        if wrong is None:
            assert response.status_code == 413
        else:
            assert (response.status_code, f'id="{wrong}-error"' in response.text) == (422, True)
            assert "<script>alert" not in response.text
        assert answers(api, jane) == before

    def test_that_somebody_has_changed_meanwhile_is_shown_beside_what_was_sent(
        self, ada: StaffBrowser, api: Client, jane: str, questions: dict[str, str]
    ) -> None:
        answer = answered(ada, api, jane, questions["Paragraph"], value="The Aare")
        page = f"/staff/people/{jane}/answers/{answer}"
        version = token_of(ada, page)
        api.put(f"/questions/{questions['Paragraph']}/answers/{answer}", {"value": "The Rhine"})

        response = ada.post(page, {"version": version, "value": "The Limmat"})

        assert (response.status_code, "changed this answer meanwhile" in response.text) == (409, True)
        assert "Stored now: The Rhine." in response.text
        assert "The Limmat</textarea>" in response.text
        assert answers(api, jane)[0]["value"] == "The Rhine"

        again = re.search(r'name="version" value="([^"]*)"', response.text)
        assert again
        ada.post(page, {"version": unescape(again[1]), "value": "The Limmat"})
        assert answers(api, jane)[0]["value"] == "The Limmat"

    def test_is_removed_after_a_question(
        self, ada: StaffBrowser, api: Client, store: Store, jane: str, questions: dict[str, str]
    ) -> None:
        answer = answered(ada, api, jane, questions["Paragraph"], value="The Aare")
        page = f"/staff/people/{jane}/answers/{answer}/remove"
        assert "The answer is deleted." in ada.get(page).text

        assert done(ada.post(page)) == "entry_removed"

        assert answers(api, jane) == []
        assert latest_events(store, 1)[0]["action"] == "remove_from_person"

    @pytest.mark.parametrize("answer", ["unknown", "$ne"])
    def test_that_is_not_there_is_404(self, ada: StaffBrowser, jane: str, answer: str) -> None:
        for path in (f"answers/{answer}", f"answers/{answer}/remove"):
            assert ada.get(f"/staff/people/{jane}/{path}").status_code == 404
        assert ada.post(f"/staff/people/{jane}/answers/{answer}", {"value": "x"}).status_code == 404

    @pytest.mark.parametrize("question", ["unknown", "$ne", ""])
    def test_to_no_question_is_404(self, ada: StaffBrowser, jane: str, question: str) -> None:
        fields = {"question": question, "value": "x"}
        assert ada.post(f"/staff/people/{jane}/answers/new", fields).status_code == 404

    def test_of_another_person_is_404(
        self, ada: StaffBrowser, api: Client, jane: str, questions: dict[str, str]
    ) -> None:
        answer = answered(ada, api, jane, questions["Paragraph"], value="The Aare")

        assert ada.get(f"/staff/people/{stored(api)}/answers/{answer}").status_code == 404
