"""The pages of messages: list, editor, preview of what is not saved, and test mail."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from pymongo.database import Database

from osdi.access.tokens import READ
from osdi.staff.members import add_member
from osdi.store import Store
from tests.fixtures.deployed import Deployed
from tests.staff.conftest import SignedIn, StaffBrowser
from tests.support import factories
from tests.support.client import Client
from tests.support.smtp_sink import SmtpSink

HOSTILE = "<script>alert(1)</script>"
FORM = {
    "name": "Thanks",
    "type": "email",
    "subject": "Thank you, {{ person.given_name }}",
    "body": "<p>Dear {{ person.given_name }}</p>",
}


@pytest.fixture
def message(api: Client) -> str:
    """The id of a stored message, which the campaign's mails are made from."""
    created = api.created("/messages", factories.message(identifiers=["crm:thanks"], name="Thanks"))
    triggers = {"autoresponse": {"identifiers": ["crm:thanks"]}}
    assert api.put(f"/advocacy_campaigns/{api.campaign_id}/triggers", triggers).status_code == 200
    return str(created["_links"]["self"]["href"].rpartition("/")[2])


def version_of(page: str) -> str:
    found = re.search(r'name="version" value="(\d*)"', page)
    assert found
    return found[1]


class TestTheList:
    def test_shows_messages_with_their_campaigns(self, ada: StaffBrowser, message: str) -> None:
        page = ada.get("/staff/messages").text

        assert f'href="/staff/messages/{message}"' in page
        assert "Protect the river" in page

    @pytest.mark.parametrize("number", ["0", "-1", "x", "9" * 30])
    def test_accepts_any_number_of_a_page(self, ada: StaffBrowser, database: Database, number: str) -> None:
        assert ada.get(f"/staff/messages?page={number}").status_code == 200

    def test_offers_nothing_to_write_to_members_who_may_only_read(
        self, store: Store, message: str, signed_in: SignedIn
    ) -> None:
        reader = signed_in(add_member(store, "eve@example.org", scopes=[READ]))

        assert "/staff/messages/new" not in reader.get("/staff/messages").text
        assert ">Save<" not in reader.get(f"/staff/messages/{message}").text


class TestTheEditor:
    def test_stores_a_new_message(self, ada: StaffBrowser, database: Database) -> None:
        response = ada.post("/staff/messages/new", {**FORM, "body": "line\r\nline"})

        assert response.status_code == 303
        assert "The message is saved." in ada.get(response.headers["Location"]).text
        stored = database.messages.find_one()
        assert {name: stored[name] for name in FORM} == {**FORM, "body": "line\nline"}
        (event,) = database.staff_events.find({"action": "create_message"})
        assert event["ids"] == [f"messages/{stored['_id']}"]

    def test_changes_what_is_in_the_form_only(self, ada: StaffBrowser, database: Database, message: str) -> None:
        database.messages.update_one({}, {"$set": {"reply_to": "a@example.org", "sections": [{"keyword": "yes"}]}})
        version = version_of(ada.get(f"/staff/messages/{message}").text)

        assert ada.post(f"/staff/messages/{message}", {**FORM, "version": version}).status_code == 303

        stored = database.messages.find_one()
        assert {name: stored[name] for name in FORM} == FORM
        assert "reply_to" not in stored
        assert (stored["sections"], stored["identifiers"]) == ([{"keyword": "yes"}], ["crm:thanks"])

    def test_keeps_the_text_if_somebody_else_has_saved_meanwhile(
        self, ada: StaffBrowser, database: Database, message: str
    ) -> None:
        before = database.messages.find_one()

        response = ada.post(f"/staff/messages/{message}", {**FORM, "version": str(before["version"] - 1)})

        assert response.status_code == 412
        assert "Dear {{ person.given_name }}" in response.text
        assert "has changed since" in response.text
        assert database.messages.find_one() == before

    @pytest.mark.parametrize(
        ("fields", "field", "sentence"),
        [
            ({"body": "one\n{{ person.nickname_ }}"}, "body", "Line 2: "),
            ({"body": "{% include 'x' %}"}, "body", "Line 1: "),
            ({"subject": "{{ person"}, "subject", "Line 1: "),
            ({"subject": "x" * 5000}, "subject", "Longer than"),
            ({"from": "a@b@c"}, "from", "Not a mailbox"),
            ({"reply_to": "nobody"}, "reply_to", "Not a mailbox"),
            ({"type": "letter"}, "type", "Must be one of"),
            ({"body": "x" * 70_000}, "body", "Longer than"),
        ],
        ids=lambda value: str(value)[:30],
    )
    @pytest.mark.parametrize("new", [True, False], ids=["new", "stored"])
    def test_names_a_mistake_at_its_field_and_keeps_the_text(
        self,
        ada: StaffBrowser,
        database: Database,
        message: str,
        fields: dict[str, str],
        field: str,
        sentence: str,
        new: bool,
    ) -> None:
        before = list(database.messages.find())
        path = "/staff/messages/new" if new else f"/staff/messages/{message}"

        response = ada.post(path, {**FORM, "name": "My own name", "version": str(before[0]["version"]), **fields})

        assert response.status_code == 422
        assert 'value="My own name"' in response.text
        mistake = re.search(rf'<li><a href="#{field}">([^<]*)', response.text)
        assert mistake
        assert sentence in mistake[1]
        assert f'id="{field}-error"' in response.text
        assert list(database.messages.find()) == before

    def test_shows_stored_text_as_text(self, ada: StaffBrowser, database: Database, message: str) -> None:
        database.messages.update_one({}, {"$set": {"name": HOSTILE, "body": f"</textarea>{HOSTILE}"}})

        for path in ("/staff/messages", f"/staff/messages/{message}"):
            assert "<script>" not in ada.get(path).text

    def test_names_the_campaigns_that_use_the_message(self, ada: StaffBrowser, message: str) -> None:
        uses = ada.get(f"/staff/messages/{message}").text.partition('id="uses"')[2]

        assert "Protect the river: mail" in uses
        assert "default" in uses

    @pytest.mark.parametrize(
        ("page", "every", "requested", "warned"),
        [
            (False, False, False, True),
            (True, False, False, False),
            (False, True, False, False),
            (False, False, True, False),
        ],
        ids=["nothing", "public page", "every outreach", "a post"],
    )
    def test_warns_of_a_message_that_nothing_requests(
        self,
        ada: StaffBrowser,
        api: Client,
        database: Database,
        message: str,
        page: bool,
        every: bool,
        requested: bool,
        warned: bool,
    ) -> None:
        change = {"page": {"published": page}, "triggers.autoresponse.every_outreach": every}
        database.advocacy_campaigns.update_one({}, {"$set": change})
        api.recorded(factories.outreach(**({"triggers": {"autoresponse": {"enabled": True}}} if requested else {})))
        if every:  # the option itself sends the mail, which is no request
            database.outreaches.update_many({}, {"$unset": {"followups": ""}})

        assert ("Nothing requests this message" in ada.get(f"/staff/messages/{message}").text) == warned

    @pytest.mark.parametrize("method", ["get", "post"])
    def test_of_an_unknown_message_is_a_404(self, ada: StaffBrowser, database: Database, method: str) -> None:
        path = "/staff/messages/unknown"
        response = ada.get(path) if method == "get" else ada.post(path, {**FORM, "version": "1"})

        assert response.status_code == 404


class TestThePreview:
    def test_shows_what_is_not_saved_to_an_example_person(self, ada: StaffBrowser, database: Database) -> None:
        response = ada.post("/staff/messages/preview", FORM)

        assert response.status_code == 200
        assert "<p>Dear Jane</p>" in response.text
        assert "Thank you, Jane" in response.text
        assert database.messages.count_documents({}) == 0
        assert database.staff_events.count_documents({"action": "preview_message"}) == 0

    @pytest.mark.parametrize("fields", [{"part": "text"}, {"type": "sms"}], ids=str)
    def test_shows_plain_text_as_text(self, ada: StaffBrowser, database: Database, fields: dict[str, str]) -> None:
        response = ada.post("/staff/messages/preview", {**FORM, "body": "Dear <b>you</b> & me", **fields})

        assert "<pre" in response.text
        assert "<b>" not in response.text

    def test_has_the_wrapper_of_the_stored_message(self, ada: StaffBrowser, api: Client, message: str) -> None:
        wrapper = api.created("/wrappers", {"name": "W", "header": "<p>Above</p>"})
        links = {"_links": {"osdi:wrapper": {"href": wrapper["_links"]["self"]["href"]}}}
        assert api.put(f"/messages/{message}", links).status_code == 200

        assert "<p>Above</p>" in ada.post("/staff/messages/preview", {**FORM, "message_id": message}).text

    @pytest.mark.parametrize(
        "fields", [{"body": "{{ nothing }}"}, {"from": "a@b@c"}, {"type": "letter"}, {"message_id": "x"}], ids=str
    )
    def test_says_why_there_is_none(self, ada: StaffBrowser, database: Database, fields: dict[str, str]) -> None:
        response = ada.post("/staff/messages/preview", {**FORM, **fields})

        assert response.status_code == 422
        assert "<li>" in response.text

    @pytest.mark.parametrize("body", [FORM["body"], "{{ nothing }}"], ids=["mail", "mistake"])
    def test_may_run_and_load_nothing_but_images(self, ada: StaffBrowser, database: Database, body: str) -> None:
        headers = ada.post("/staff/messages/preview", {**FORM, "body": body}).headers

        policy = headers["Content-Security-Policy"].split("; ")
        assert policy[:4] == ["sandbox", "default-src 'none'", "img-src https: data:", "style-src 'unsafe-inline'"]
        assert "frame-ancestors 'self'" in policy
        assert headers["X-Frame-Options"] == "SAMEORIGIN"
        assert headers["Cache-Control"] == "no-store"

    def test_may_be_in_the_editor_and_nothing_else_may(self, ada: StaffBrowser, message: str) -> None:
        headers = ada.get(f"/staff/messages/{message}").headers

        assert "frame-src 'self'" in headers["Content-Security-Policy"]
        assert headers["X-Frame-Options"] == "DENY"
        assert "frame-src" not in ada.get("/staff/messages").headers["Content-Security-Policy"]


class TestTheTestMail:
    @pytest.fixture
    def sink(self) -> Iterator[SmtpSink]:
        with SmtpSink() as started:
            yield started

    @pytest.fixture
    def sending(self, deployed: Deployed, sink: SmtpSink, member: dict[str, Any], signed_in: SignedIn) -> StaffBrowser:
        """Ada's browser on a server that sends mails."""
        client = deployed(smtp_url=sink.url, mail_from="hello@river.example.org", rate_limit_sign_in="2/hour")
        return signed_in(member, client.http.application)

    def test_goes_to_the_member_with_what_is_not_saved(
        self, sending: StaffBrowser, sink: SmtpSink, database: Database
    ) -> None:
        response = sending.post("/staff/messages/test", FORM)

        assert response.status_code == 200
        assert "ada@example.org" in response.text
        assert "Dear {{ person.given_name }}" in response.text  # the text is still in the form
        ((_, to, content),) = sink.envelopes
        assert to == "ada@example.org"
        assert b"Subject: [Test] Thank you, Jane" in content
        assert b"<p>Dear Jane</p>" in content
        assert database.messages.count_documents({}) == 0

    def test_is_limited(self, sending: StaffBrowser, sink: SmtpSink) -> None:
        statuses = [sending.post("/staff/messages/test", FORM) for _ in range(3)]

        assert [each.status_code for each in statuses] == [200, 200, 429]
        assert statuses[2].headers["Retry-After"]
        assert len(sink.envelopes) == 2

    @pytest.mark.parametrize(
        ("fields", "status"),
        [({"body": "{{ nothing }}"}, 422), ({"type": "sms"}, 422), ({"message_id": "unknown"}, 404)],
        ids=str,
    )
    def test_is_not_sent_for_what_makes_no_mail(
        self, sending: StaffBrowser, sink: SmtpSink, fields: dict[str, str], status: int
    ) -> None:
        assert sending.post("/staff/messages/test", {**FORM, **fields}).status_code == status
        assert sink.envelopes == []

    @pytest.mark.parametrize(("url", "status"), [("", 409), ("smtp://127.0.0.1:9", 502)], ids=["none", "away"])
    def test_that_cannot_be_sent_gets_a_response_with_the_text(
        self, deployed: Deployed, member: dict[str, Any], signed_in: SignedIn, url: str, status: int
    ) -> None:
        client = deployed(smtp_url=url, mail_from="hello@river.example.org")

        response = signed_in(member, client.http.application).post("/staff/messages/test", FORM)

        assert response.status_code == status
        assert "Dear {{ person.given_name }}" in response.text
        assert "mail" in re.findall(r'<li><a href="#body">([^<]*)', response.text)[0]
