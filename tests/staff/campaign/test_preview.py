"""The preview in the editor: the real page or form with what is typed, and nothing of it is stored or can be sent."""

import pytest
from pymongo.database import Database
from werkzeug.test import TestResponse

from osdi.access.tokens import READ
from osdi.staff.members import add_member
from osdi.store import Store
from tests.fixtures.campaign_pages import soup
from tests.staff.campaign.conftest import Screens
from tests.staff.conftest import SignedIn

EDIT, PREVIEW = "/edit", "/preview"


def preview(screens: Screens, typed: dict[str, str] | None = None, **changed: str) -> TestResponse:
    """Sends the form of the editor to its preview."""
    return screens.browser.post(screens.path + PREVIEW, {**screens.controls(EDIT), **(typed or {}), **changed})


@pytest.mark.parametrize(
    ("typed", "selector", "shown"),
    [
        ({"title": "Save <b>the wood</b>"}, "h1", "Save <b>the wood</b>"),
        ({"page.consent.text": "Yes, mail me."}, "label[for=act-consent]", "Yes, mail me."),
        ({"page.language": "de"}, "button", "Eintragen und weiter"),
        ({"page.fields[0].label": "Your name"}, "form", "Your name"),
        ({"target_list[0].organization": "Town hall", "type": "email"}, "form", "Town hall"),
        ({"page.message.rule": "prompts", "page.message.prompts": "Why?", "type": "email"}, "form", "Why?"),
        ({"page.closes_at": "2001-01-01T00:00", "page.closed_message": "Over."}, "main", "Over."),
        ({"summary": "In short", "part": "page"}, ".lead", "In short"),
        ({"description": "<p>Long</p><script>x</script>", "part": "page"}, ".about", "Long"),
    ],
    ids=str,
)
def test_the_typed_values_are_shown(screens: Screens, typed: dict[str, str], selector: str, shown: str) -> None:
    response = preview(screens, typed)

    assert response.status_code == 200
    page = soup(response)
    assert any(shown in each.get_text() for each in page.select(selector)), page
    assert "Preview: nothing is recorded." in page.get_text()


def test_the_stored_values_are_shown_where_nothing_is_typed(screens: Screens) -> None:
    screens.api.put(f"{screens.address}/page", {"consent": {"text": "Stored words"}})

    assert "Stored words" in soup(preview(screens)).get_text()


def test_nothing_is_stored(screens: Screens, database: Database) -> None:
    before = screens.campaign(), screens.settings()
    screens.browser.form_token("/staff/devices")  # the first form of a deployment stores the key of its tokens
    documents = {name: database[name].count_documents({}) for name in database.list_collection_names()}

    assert preview(screens, {"title": "Wood", "page.slug": "wood"}).status_code == 200

    assert (screens.campaign(), screens.settings()) == before
    assert {name: database[name].count_documents({}) for name in database.list_collection_names()} == documents
    assert screens.browser.get("/act/wood").status_code == 404


@pytest.mark.parametrize("part", ["form", "page"])
def test_its_form_could_not_be_recorded_by_anybody(screens: Screens, database: Database, part: str) -> None:
    screens.send("/publish")
    form = soup(preview(screens, part=part)).form
    assert form is not None
    assert form.find(attrs={"name": "form_token"})["value"] == ""  # type: ignore[index]

    typed = {"person.given_name": "Jane", "person.email_address": "jane@example.com", "form_token": ""}
    screens.browser.post(str(form["action"]), typed, token="")

    assert database.outreaches.count_documents({}) == 0


@pytest.mark.parametrize(
    ("part", "images"),
    [("form", " https://cdn.example.org"), ("page", " https://cdn.example.org"), ("wrong", "")],
)
def test_it_runs_nothing_and_can_be_framed_by_the_editor_only(screens: Screens, part: str, images: str) -> None:
    typed = {"featured_image_url": "https://cdn.example.org/a.png"}
    if part == "wrong":
        typed = {"page.colour": "red"}

    response = preview(screens, typed, part=part)

    policy = response.headers["Content-Security-Policy"].split("; ")
    assert {"sandbox", "default-src 'none'", "style-src 'self'", f"img-src 'self'{images}"} <= set(policy)
    assert {"form-action 'none'", "base-uri 'none'", "frame-ancestors 'self'"} <= set(policy)
    assert response.headers["X-Frame-Options"] == "SAMEORIGIN"
    assert response.headers["Cache-Control"] == "no-store"
    assert not soup(response).select("script, [onload], [style]")


def test_the_editor_may_frame_its_own_server_only(screens: Screens) -> None:
    headers = screens.browser.get(screens.path + EDIT).headers

    assert "frame-src 'self'" in headers["Content-Security-Policy"]
    assert headers["X-Frame-Options"] == "DENY"


WRONG = [
    ({"page.colour": "red"}, "Colour"),
    ({"page.slug": "Not A Slug"}, "End of the page"),
    ({"page.consent.list": "No such list"}, "List"),
    ({"page.message.rule": "prompts"}, "Questions"),
    ({"target_list[0].email": "no address"}, "Targets"),
    ({"autoresponse.message": "crm:none"}, "Mail to those"),
]


@pytest.mark.parametrize(("typed", "named"), WRONG, ids=str)
def test_it_names_what_is_wrong(screens: Screens, typed: dict[str, str], named: str) -> None:
    response = preview(screens, typed)

    assert response.status_code == 422
    (sentence,) = [each.get_text() for each in soup(response).select("li")]
    assert sentence.startswith(named)


@pytest.mark.parametrize(("typed", "named"), WRONG, ids=str)
def test_a_script_can_ask_for_the_mistakes_alone(screens: Screens, typed: dict[str, str], named: str) -> None:
    response = preview(screens, typed, part="check")

    assert response.status_code == 422
    assert len(response.json["mistakes"]) == 1  # type: ignore[index]
    assert preview(screens, part="check").status_code == 204


@pytest.mark.parametrize(
    "typed",
    [
        {"title": "a\x00b"},
        {"target_list[0].stored": "[" * 5000},
        {"page.fields[9999].show": "required"},
        {"part": "\u2603" * 1000},
        {"page.closes_at": "0001-01-01T00:00"},
        {"page.goal": "auto"},
        {"title": "", "name": ""},
        {"description": "<p" * 5000, "part": "page"},
    ],
    ids=lambda typed: "-".join(typed),
)
def test_a_hostile_form_is_no_server_error(screens: Screens, typed: dict[str, str]) -> None:
    assert preview(screens, typed).status_code < 500


def test_a_form_without_a_field_is_a_mistake_and_no_server_error(screens: Screens) -> None:
    response = screens.browser.post(screens.path + PREVIEW, {})

    assert response.status_code == 422
    assert "Fields of the form: " in soup(response).get_text()


def test_a_campaign_without_a_page_has_a_preview_and_no_address(screens: Screens, database: Database) -> None:
    assert screens.settings()["published"] is False

    response = preview(screens, part="page")

    assert response.status_code == 200
    assert screens.settings()["slug"] is None


def test_a_preview_of_an_unknown_campaign_is_a_404(screens: Screens) -> None:
    assert screens.browser.post("/staff/campaigns/unknown/preview", {}).status_code == 404


def test_a_preview_is_no_act_in_the_audit_log(screens: Screens, database: Database) -> None:
    preview(screens)

    assert database.staff_events.count_documents({"action": "preview_campaign"}) == 0


def test_another_site_gets_no_preview(screens: Screens) -> None:
    response = screens.browser.post(screens.path + PREVIEW, {"title": "Wood"}, headers={"Sec-Fetch-Site": "cross-site"})

    assert response.status_code == 403


def test_a_member_of_one_campaign_gets_none(screens: Screens, store: Store, signed_in: SignedIn) -> None:
    member = add_member(store, "one@example.org", scopes=[READ], advocacy_campaign_id=screens.api.campaign_id)

    browser = signed_in(member)

    assert browser.post(screens.path + PREVIEW, {}).status_code == 403
    assert browser.get(screens.path).status_code == 200
