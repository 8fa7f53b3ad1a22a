"""The HAL explorer in a real browser: follows links from the entry point, fills forms, writes, and shows the responses.

The fixture `visit` checks after each test: no request to another server, and no error in the console except those for
statuses that the test expects.
"""

import json

import pytest
import requests
from playwright.sync_api import Dialog, Request, expect

from osdi.resources import API
from osdi.sample import CAMPAIGN_ID
from tests.pages.conftest import Explored
from tests.pages.hal_explorer import (
    HELPER,
    create_person,
    editor,
    header,
    heading,
    link,
    name_of,
    open_address,
    open_explorer,
    path_of,
    read,
    respond_with,
    shown,
    shown_response,
    tab_to,
    use_token,
)
from tests.support.browser import Visit

pytestmark = pytest.mark.browser


def test_a_user_browses_to_a_person_and_changes_them(visit: Visit, explored: Explored) -> None:
    """With a public name and without TLS, where browsers disable some functions."""
    page = visit.page
    people = [create_person(explored) for _ in range(3)]
    page.goto(explored.public_url + "/explorer")
    expect(shown(page)).to_contain_text("osdi_version")
    use_token(page, explored.token)

    link(page, f"{API}/people").click()
    query = page.get_by_label("Query")
    query.get_by_label("per_page").fill("1")
    query.get_by_role("button", name="Apply").click()
    expect(shown(page)).to_contain_text("Page 1 of")
    page.get_by_role("link", name="Next page").click()
    expect(shown(page)).to_contain_text("Page 2 of")
    query.get_by_label("per_page").fill("100")
    query.get_by_label("page", exact=True).fill("")
    query.get_by_role("button", name="Apply").click()
    page.get_by_role("link", name=name_of(people[1]), exact=True).click()

    expect(heading(page)).to_have_text(path_of(people[1]))
    body = json.loads(editor(page).input_value())
    assert "_links" not in body
    assert "created_date" not in body
    assert body["email_addresses"][0]["address"] == people[1]["email_addresses"][0]["address"]
    editor(page).fill(json.dumps({**body, "given_name": "Changed in the explorer"}))
    with page.expect_request(lambda request: request.method == "PUT") as sent:
        page.get_by_role("button", name="Send").click()
    expect(shown_response(page)).to_contain_text("200 OK")
    expect(page.get_by_label("Properties", exact=True)).to_contain_text("Changed in the explorer")
    assert sent.value.headers["if-match"] == '"1"'
    assert read(explored, people[1])["given_name"] == "Changed in the explorer"
    assert read(explored, people[0])["given_name"] == people[0]["given_name"]


def test_a_collection_can_be_filtered(visit: Visit, explored: Explored) -> None:
    """The form's inputs are the query parameters of the OpenAPI document."""
    person, _ = create_person(explored), create_person(explored)
    address = person["email_addresses"][0]["address"]
    open_explorer(visit, explored, f"{API}/people", with_token=True)

    query = visit.page.get_by_label("Query")
    query.get_by_label("filter").fill(f"email_address eq '{address}'")
    query.get_by_label("per_page").fill("5")
    query.get_by_role("button", name="Apply").click()

    expect(shown(visit.page)).to_contain_text("Page 1 of 1, 1 in all")
    expect(visit.page.get_by_role("link", name=name_of(person), exact=True)).to_be_visible()
    assert query.get_by_label("filter").input_value() == f"email_address eq '{address}'"
    assert query.get_by_label("per_page").input_value() == "5"


def test_a_concurrent_change_is_not_overwritten_and_the_typed_body_stays(visit: Visit, explored: Explored) -> None:
    person = create_person(explored)
    open_explorer(visit, explored, path_of(person), with_token=True)
    expect(shown(visit.page)).to_contain_text("ETag")
    change = requests.put(
        explored.live.url + path_of(person), json={"family_name": "First"}, headers=header(explored), timeout=10
    )
    assert change.status_code == 200

    typed = '{"family_name": "Second"}'
    editor(visit.page).fill(typed)
    visit.expect_status(412)
    visit.page.get_by_role("button", name="Send").click()

    expect(shown_response(visit.page)).to_contain_text("412")
    expect(shown_response(visit.page)).to_contain_text("The resource has changed since it was loaded here.")
    assert read(explored, person)["family_name"] == "First"
    visit.page.get_by_role("button", name="Go").click()
    expect(visit.page.get_by_label("Properties", exact=True)).to_contain_text("First")
    assert editor(visit.page).input_value() == typed
    visit.page.get_by_role("button", name="Send").click()
    expect(visit.page.get_by_label("Properties", exact=True)).to_contain_text("Second")


def test_the_helper_accepts_its_documented_example(visit: Visit, explored: Explored) -> None:
    open_explorer(visit, explored, f"{API}/advocacy_campaigns/{CAMPAIGN_ID}", with_token=True)
    link(visit.page, HELPER).click()
    expect(shown(visit.page)).to_contain_text("it accepts POST")

    assert json.loads(editor(visit.page).input_value())["identifiers"] == ["foreign_system:1"]
    visit.page.get_by_label("Fill in").select_option("The minimum that a web page sends")
    assert json.loads(editor(visit.page).input_value())["person"]["given_name"] == "Jane"
    visit.page.get_by_role("button", name="Send").click()

    expect(shown_response(visit.page)).to_contain_text("200 OK")
    shown_response(visit.page).get_by_role("link").click()
    expect(visit.page.get_by_label("Properties", exact=True)).to_contain_text("Senator")
    visit.page.get_by_role("row", name="osdi:person").get_by_role("link").last.click()
    expect(visit.page.get_by_label("Properties", exact=True)).to_contain_text("jane@example.com")


def test_delete_asks_for_confirmation(visit: Visit, explored: Explored) -> None:
    person = create_person(explored)
    page = visit.page
    questions: list[str] = []

    def decide(dialog: Dialog) -> None:
        questions.append(dialog.message)
        dialog.dismiss() if len(questions) == 1 else dialog.accept()

    page.on("dialog", decide)
    open_explorer(visit, explored, path_of(person), with_token=True)
    page.get_by_label("Method").select_option("DELETE")
    expect(editor(page)).to_be_hidden()

    page.get_by_role("button", name="Send").click()
    expect(shown_response(page)).to_be_empty()
    assert read(explored, person)["given_name"] == person["given_name"]

    page.get_by_role("button", name="Send").click()
    expect(shown(page)).to_contain_text("The resource was deleted.")
    expect(shown_response(page)).to_contain_text("200 OK")
    gone = requests.get(explored.live.url + path_of(person), headers=header(explored), timeout=10)
    assert gone.status_code == 404
    assert len(questions) == 2
    assert path_of(person) in questions[0]


def test_relations_link_to_their_documentation_and_templates_are_filled(visit: Visit, explored: Explored) -> None:
    template = f"{API}/{{collection}}{{?per_page,filter}}"
    curies = [{"name": "osdi", "href": f"{explored.live.url}/docs/v1/{{rel}}", "templated": True}]
    found = {"osdi:people": {"href": template, "templated": True, "title": "Look up"}, "curies": curies}
    respond_with(visit.page, {"_links": found})
    open_explorer(visit, explored, f"{API}/tags", with_token=True)

    documentation = visit.page.get_by_role("link", name="osdi:people")
    expect(documentation).to_have_attribute("href", f"{explored.live.url}/docs/v1/people")
    expect(visit.page.get_by_role("row", name="osdi:people")).to_contain_text("Look up")
    visit.page.get_by_label("collection").fill("lists")
    visit.page.get_by_label("Links", exact=True).get_by_label("filter").fill("name eq 'a&b'")
    visit.page.get_by_role("button", name="Follow").click()

    expect(heading(visit.page)).to_have_text(f"{API}/lists?filter=name%20eq%20%27a%26b%27")


def test_errors_are_shown_in_sentences(visit: Visit, explored: Explored) -> None:
    visit.expect_status(401)
    open_explorer(visit, explored, f"{API}/people")
    expect(shown(visit.page)).to_contain_text("This needs a token.")
    expect(shown(visit.page)).to_contain_text("Enter a token in the field at the top of the page.")
    visit.expect_status(400)
    use_token(visit.page, explored.token)
    expect(shown(visit.page)).to_contain_text("total_records")

    open_address(visit.page, HELPER)
    expect(shown(visit.page)).to_contain_text("it accepts POST")
    sent: list[Request] = []
    visit.page.on("request", lambda request: sent.append(request) if API in request.url else None)
    editor(visit.page).fill('{"duration": 1,}')
    visit.page.get_by_role("button", name="Send").click()
    expect(visit.page.get_by_text("Not sent: this is not JSON.")).to_be_visible()
    assert sent == []

    editor(visit.page).fill('{"duration": "long", "person": {"gender": "?"}}')
    visit.page.get_by_role("button", name="Send").click()
    expect(shown_response(visit.page).get_by_role("strong").first).to_contain_text("400")
    expect(shown_response(visit.page).get_by_role("listitem").filter(has_text="duration:")).to_be_visible()
    expect(
        shown_response(visit.page).get_by_role("listitem").filter(has_text="person.gender: Must be one of")
    ).to_be_visible()


def test_back_and_forward_show_the_matching_address(visit: Visit, explored: Explored) -> None:
    page = visit.page
    open_explorer(visit, explored, with_token=True)
    expect(heading(page)).to_have_text(f"{API}/")
    link(page, f"{API}/tags").click()
    expect(heading(page)).to_have_text(f"{API}/tags")
    open_address(page, f"{explored.live.url}{API}/lists")
    expect(heading(page)).to_have_text(f"{API}/lists")

    page.go_back()
    expect(heading(page)).to_have_text(f"{API}/tags")
    expect(shown(page)).to_contain_text("volunteer")
    assert page.get_by_label("Address").input_value() == f"{API}/tags"
    page.go_back()
    expect(shown(page)).to_contain_text("osdi_version")
    page.go_forward()
    expect(shown(page)).to_contain_text("volunteer")

    open_address(page, "https://elsewhere.example/api/v1/")
    expect(page.get_by_text("The explorer opens only addresses of this API.")).to_be_visible()
    expect(heading(page)).to_have_text(f"{API}/tags")


def test_the_keyboard_is_enough_and_every_input_has_a_name(visit: Visit, explored: Explored) -> None:
    page = visit.page
    open_explorer(visit, explored)
    expect(shown(page)).to_contain_text("osdi_version")
    tab_to(page, "token")
    page.keyboard.type(explored.token)
    tab_to(page, "address")
    page.keyboard.press("ControlOrMeta+a")
    page.keyboard.type(f"{API}/tags")
    page.keyboard.press("Enter")
    expect(heading(page)).to_be_focused()
    tab_to(page, "volunteer")
    page.keyboard.press("Enter")
    expect(page.get_by_label("Properties", exact=True)).to_contain_text("volunteer")

    unnamed = "all => all.filter(each => !each.labels.length && !each.textContent.trim()).map(each => each.outerHTML)"
    assert page.locator("input, select, textarea, button").evaluate_all(unnamed) == []


def test_the_explorer_fits_a_phone(visit: Visit, explored: Explored) -> None:
    person = create_person(explored, given_name="x" * 300, custom_fields={"y" * 80: "z" * 200})
    visit.page.set_viewport_size({"width": 360, "height": 740})
    open_explorer(visit, explored, with_token=True)

    for path in (f"{API}/", f"{API}/people?per_page=2&page=1", path_of(person), HELPER):
        open_address(visit.page, path)
        expect(heading(visit.page)).to_have_text(path)
        assert visit.page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path


def test_the_explorer_works_without_the_openapi_document(visit: Visit, explored: Explored) -> None:
    person = create_person(explored)
    visit.page.route("**/openapi.json", lambda route: route.fulfill(json={}))
    open_explorer(visit, explored, path_of(person), with_token=True)

    assert set(json.loads(editor(visit.page).input_value())) == set(person) - {
        "created_date",
        "modified_date",
        "_links",
    }
    open_address(visit.page, f"{API}/people")
    for name in ("per_page", "page", "filter"):
        expect(visit.page.get_by_label("Query").get_by_label(name, exact=True)).to_be_visible()


def test_a_response_shows_when_to_retry(visit: Visit, explored: Explored) -> None:
    busy = {"error": "The database does not respond."}
    visit.page.route(f"**{API}/tags", lambda route: route.fulfill(status=503, headers={"Retry-After": "2"}, json=busy))
    visit.expect_status(503)

    open_explorer(visit, explored, f"{API}/tags")

    expect(shown(visit.page)).to_contain_text("Retry-After: 2")
    expect(shown(visit.page).get_by_role("paragraph").filter(has_text="The database does not respond.")).to_be_visible()
