"""An organisation's own pages in Chromium: record.js, the example of it, a plain form, and the form of jquery-osdi.

The fixture `open_page` checks after each test: no request to another server, no message in the console, no cookie.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, Request, expect

from osdi.resources import API
from tests.act.conftest import Published, Served
from tests.support.browser import Visit

pytestmark = pytest.mark.browser

Open = Callable[..., Visit]
EXAMPLE = Path(__file__).parents[2] / "examples" / "own-page"
JANE = {"person": {"email_addresses": [{"address": "jane@example.org"}]}, "type": "email"}
CALL = """async ([address, campaign, outreach, options]) => {
  const { recordOutreach } = await import(address);
  try {
    return await recordOutreach(campaign, outreach, options);
  } catch (error) {
    return { ...error, type: error.constructor.name, message: error.message };
  }
}"""
# Sends what jquery-osdi 1.2.0 sends for its form, with the headers of jQuery.
JQUERY_OSDI = """address => new Promise((resolve, reject) => {
  const request = new XMLHttpRequest();
  request.open("POST", address);
  request.setRequestHeader("Content-Type", "application/json");
  request.setRequestHeader("Accept", "application/json, text/javascript, */*; q=0.01");
  request.onload = () => resolve([request.status, JSON.parse(request.responseText)]);
  request.onerror = () => reject(new Error("blocked"));
  request.send(JSON.stringify({
    person: {
      family_name: "Doe", given_name: "Jane",
      email_addresses: [{ address: "jane@example.org", status: "subscribed" }],
      postal_addresses: [{ address_lines: ["1 Main Street"], postal_code: "20009" }],
      phone_numbers: [{ number: "+1 202 555 0164" }],
      custom_fields: { colour: "blue" },
    },
    triggers: { autoresponse: { enabled: true } },
    add_tags: ["volunteer"],
  }));
})"""


@pytest.fixture
def own_page(served: Served, open_page: Open) -> Visit:
    """A page of the organisation's site without script; the address of the site is one of the campaigns' origins."""
    return open_page(served.site.put("/own", "<h1>Save the river</h1>"))


def record(visit: Visit, published: Published, outreach: Any = JANE, **options: Any) -> dict[str, Any]:
    """Calls `recordOutreach` on the page, and returns the response, or the error with its `type` and `message`."""
    script = f"{published.served.url}/act/record.js"
    return dict(visit.page.evaluate(CALL, [script, published.campaign["_id"], outreach, options]))


def posts(page: Page) -> list[Request]:
    """Returns a list that will have each post of the page."""
    found: list[Request] = []
    page.on("request", lambda request: found.append(request) if request.method == "POST" else None)
    return found


def test_a_page_records_an_outreach(served: Served, own_page: Visit) -> None:
    published = served.publish()

    assert record(own_page, published) == {}

    (outreach,) = published.outreaches()
    assert outreach["type"] == "email"


def test_a_post_without_a_response_is_repeated_and_recorded_once(served: Served, own_page: Visit) -> None:
    published, sent = served.publish(), posts(own_page.page)
    own_page.page.route("**/record_outreach_helper", lambda route: route.abort(), times=1)

    assert record(own_page, published) == {}

    assert len({request.headers["idempotency-key"] for request in sent}) == 1
    assert len(sent) == 2
    assert len(published.outreaches()) == 1
    own_page.messages.clear()  # the browser reports the aborted request


@pytest.mark.parametrize(
    ("status", "headers", "error", "tries"),
    [
        (503, {"Retry-After": "1"}, "Unavailable", 2),
        (503, {"Retry-After": "60"}, "Unavailable", 1),
        (429, {"Retry-After": "60"}, "TooManyRequests", 1),
        (403, {}, "NotAllowed", 1),
        (404, {}, "NotAllowed", 1),
        (400, {}, "InvalidOutreach", 1),
        (413, {}, "InvalidOutreach", 1),
    ],
)
def test_an_error_has_the_type_of_its_status_and_only_a_failed_server_is_asked_again(
    served: Served, own_page: Visit, status: int, headers: dict[str, str], error: str, tries: int
) -> None:
    published, sent = served.publish(), posts(own_page.page)
    shared = {"Access-Control-Allow-Origin": "*", "Access-Control-Expose-Headers": "Retry-After", **headers}
    own_page.page.route("**/record_outreach_helper", lambda route: route.fulfill(status=status, headers=shared))

    found = record(own_page, published, retries=1)

    assert (found["type"], found["status"]) == (error, status)
    assert found["retryAfter"] == (int(headers["Retry-After"]) if headers else None)
    assert found["idempotencyKey"] == sent[0].headers["idempotency-key"]
    assert len(sent) == tries
    own_page.messages.clear()  # the browser reports the errors


def test_a_rejection_names_the_properties(served: Served, own_page: Visit) -> None:
    own_page.expect_status(400)

    found = record(own_page, served.publish(), {"person": {}, "type": "email", "action_date": "soon"})

    assert found["type"] == "InvalidOutreach"
    assert found["descriptions"][0]["properties"]
    assert found["requestId"]


def test_a_campaign_without_anonymous_posts_is_not_allowed(served: Served, own_page: Visit) -> None:
    own_page.expect_status(401)
    published = served.publish(anonymous_posts={"enabled": False, "origins": [served.site.url]})

    assert record(own_page, published)["type"] == "NotAllowed"
    assert published.outreaches() == []


def test_a_server_that_does_not_respond_in_time_is_unavailable(served: Served, own_page: Visit) -> None:
    published = served.publish()
    own_page.page.route("**/record_outreach_helper", lambda route: None)

    found = record(own_page, published, timeout=50, retries=0)

    assert found["type"] == "Unavailable"
    assert found["status"] == 0


def test_in_development_ignored_fields_are_reported_and_the_rest_is_recorded(served: Served, own_page: Visit) -> None:
    own_page.expect_status(400)
    published = served.publish()

    assert record(own_page, published, {**JANE, "mesage": "Save it"}, development=True) == {}

    assert [message for message in own_page.messages if "record.js: mesage:" in message]
    assert len(published.outreaches()) == 1
    own_page.messages[:] = [message for message in own_page.messages if "record.js" not in message]


FORM = """
<form>
  <input name="person.given_name" value="Jane"><input name="person.family_name" value=" ">
  <input name="person.email_address" value="jane@example.org"><input name="person.phone_number" value="12025550164">
  <input name="person.street_address" value="1 Main Street"><input name="person.postal_code" value="20009">
  <input name="person.custom_fields.colour" value="blue"><input name="person.gender" value="Female">
  <input type="checkbox" name="answers.q1" value="r1" checked>
  <input type="checkbox" name="answers.q1" value="r2" checked>
  <input type="checkbox" name="answers.q2" value="r1"><input name="add_tags" value="a"><input name="add_tags" value="b">
  <input name="__proto__.polluted" value="1"><input name="constructor" value="1"><input name="source" value="mail">
  <textarea name="message">Save it</textarea>
</form>"""


def test_a_form_is_read_by_the_names_of_a_plain_form_and_by_paths(served: Served, open_page: Open) -> None:
    page = open_page(served.site.put("/form", FORM)).page
    read = "async address => (await import(address)).outreachOf(document.forms[0])"

    assert page.evaluate(read, f"{served.url}/act/record.js") == {
        "person": {
            "given_name": "Jane",
            "email_addresses": [{"address": "jane@example.org"}],
            "phone_numbers": [{"number": "12025550164"}],
            "postal_addresses": [{"address_lines": ["1 Main Street"], "postal_code": "20009"}],
            "custom_fields": {"colour": "blue"},
            "gender": "Female",
        },
        "add_questions_responses_uri": [{"question": "q1", "responses": ["r1", "r2"]}],
        "add_tags": ["a", "b"],
        "referrer_data": {"source": "mail"},
        "message": "Save it",
    }
    assert page.evaluate("({}).polluted") is None


@pytest.mark.parametrize("script", [True, False], ids=["script", "no script"])
def test_the_example_records_once(served: Served, open_page: Open, script: bool) -> None:
    published = served.publish()
    path = published.url.rpartition("/")[2]
    html, module = ((EXAMPLE / name).read_text() for name in ("index.html", "campaign.js"))
    html = html.replace("http://localhost:5000/act/ask-your-senators-to-protect-the-river", published.url)
    html = html.replace("c945d6fe-929e-11e3-a2e9-12313d316c29", published.campaign["_id"])
    served.site.pages[f"/{path}/"] = (html, {})
    module = module.replace("http://localhost:5000", served.url)
    served.site.pages[f"/{path}/campaign.js"] = (module, {"Content-Type": "text/javascript"})
    visited = f"{served.site.url}/{path}/?utm_source=mail&email=jane@example.org"
    page = open_page(visited, java_script_enabled=script).page
    page.get_by_label("First name").fill("Jane")
    page.get_by_label("E-mail address").fill("jane@example.org")

    page.get_by_role("button", name="Send").dblclick()

    if script:
        expect(page.get_by_role("status")).to_have_text("Recorded. Thank you!")
    else:
        expect(page.get_by_role("heading", name="Thank you")).to_be_visible()
    (outreach,) = published.outreaches()
    person = served.database.people.find_one({"_id": outreach["person_id"]})
    assert person
    assert person["given_name"] == "Jane"
    assert outreach["referrer_data"]["website"] == served.site.url
    if script:  # without one a browser tells another site no more than the origin
        assert outreach["referrer_data"]["source"] == "mail"
        assert outreach["referrer_data"]["url"] == f"{served.site.url}/{path}/?utm_source=mail"


def test_the_form_of_jquery_osdi_records(served: Served, own_page: Visit) -> None:
    published = served.publish()
    helper = f"{served.url}{API}/advocacy_campaigns/{published.campaign['_id']}/record_outreach_helper"

    assert own_page.page.evaluate(JQUERY_OSDI, helper) == [200, {}]

    (outreach,) = published.outreaches()
    person = served.database.people.find_one({"_id": outreach["person_id"]})
    assert person
    assert person["given_name"] == "Jane"
