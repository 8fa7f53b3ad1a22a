"""Messages and wrappers as templates: validation when a client saves them, and previews."""

import datetime as dt
from collections.abc import Iterator
from dataclasses import replace
from email.message import EmailMessage
from typing import Any

import pytest
from flask import Flask
from pymongo.database import Database
from werkzeug.test import TestResponse

from app import create_app
from blueprints.http.context import EXTENSION
from blueprints.http.rate_limits import EXTENSION as RATE_LIMITS
from osdi.followups.delivery import Followups
from osdi.followups.transports import transports
from osdi.ids import now
from osdi.mail.compose import compose
from osdi.mail.mailboxes import sender
from osdi.messages.templates import render
from osdi.settings import Settings
from osdi.store import Store
from osdi.values.text import cleaned
from tests.support import factories
from tests.support.client import Client
from tests.support.smtp_sink import SmtpSink

STRICT = {"Prefer": "handling=strict"}
PUBLIC = "https://osdi.example.org"
MAIL_FROM = "Office <office@river.example.org>"
WAYS = ["put", "post again", "post"]
LINK = f"{PUBLIC}/unsubscribe/..."
AT_THE_END = f'<p lang="en" dir="ltr" style="font-size: small"><a href="{LINK}">Unsubscribe</a></p>\n'


def href(resource: dict[str, Any]) -> str:
    return str(resource["_links"]["self"]["href"])


def save(api: Client, way: str, collection: str, body: dict[str, Any], **options: Any) -> TestResponse:
    """Saves a new message or wrapper, or changes the existing one, which has the identifier `crm:there`."""
    if way == "post":
        return api.post(f"/{collection}", body, **options)
    if way == "post again":
        return api.post(f"/{collection}", {"identifiers": ["crm:there"], **body}, **options)
    (stored_message,) = api.get(f"/{collection}").json["_embedded"][f"osdi:{collection}"]
    return api.put(href(stored_message), body, **options)


def errors_of(response: TestResponse) -> list[tuple[str, list[str], str]]:
    """Returns code, properties and sentence of each error of a 400."""
    assert response.status_code == 400, response.get_data(as_text=True)
    (status,) = response.json["osdi:error"]["resource_status"]
    errors = status["error_descriptions"]
    return [(each["error_code"], each["properties"], each["description"]) for each in errors]


def resource_of(response: TestResponse) -> str:
    return str(response.json["osdi:error"]["resource_status"][0]["resource"])


@pytest.fixture
def stored_message(api: Client) -> dict[str, Any]:
    """A stored message, which a POST merges into and a PUT changes."""
    return api.created("/messages", factories.message(identifiers=["crm:there"]))


MISTAKES = [
    ("Dear\n\n{{ person.nam }}", "Line 3: 'person' has no field 'nam'."),
    ("{{ persn.given_name }}", "Line 1: The name 'persn' does not exist; known names are person, outreach, targets"),
    ("Dear\n{{ person.given_name | shout }}", "Line 2: The filter 'shout' does not exist"),
    ("{{ person.given_name", "Line 1: "),
    ("{% if person.given_name %}\nDear", "Line 1: "),
    ("\n{% for target in targets %}{{ target.name }}{% endfor %}", "Line 2: 'target' has no field 'name'."),
    ("{% include 'other' %}", "Line 1: A template can only print fields and use"),
    ("{{ person.given_name.upper() }}", "Line 1: A template can only print fields and use"),
    ("{{ person['__class__'] }}", "Line 1: 'person' has no field '__class__'."),
    ("{{ 7 * 7 }}", "Line 1: A template can only print fields and use"),
]


class TestInvalidTemplate:
    """The server rejects it on every route, names the line and the property, and writes nothing."""

    @pytest.mark.parametrize(("template", "sentence"), MISTAKES)
    @pytest.mark.usefixtures("stored_message")
    def test_in_the_body(self, api: Client, database: Database, template: str, sentence: str) -> None:
        before = list(database.messages.find())

        for way in WAYS:
            rejected = save(api, way, "messages", {"name": "New", "subject": "Thanks", "body": template})

            ((code, properties, description),) = errors_of(rejected)
            assert (code, properties) == ("TEMPLATE_ERROR", ["body"])
            assert description.startswith(sentence)
            assert rejected.json["error"] == f"body: {description}"
            assert resource_of(rejected) == "osdi:message"
            assert list(database.messages.find()) == before

    @pytest.mark.parametrize("way", WAYS)
    @pytest.mark.parametrize("name", ["header", "footer"])
    def test_in_a_wrapper(self, api: Client, database: Database, way: str, name: str) -> None:
        api.created("/wrappers", {"identifiers": ["crm:there"], "header": "<p>The river</p>"})
        before = list(database.wrappers.find())

        rejected = save(api, way, "wrappers", {"name": "New", name: "The\nriver\n{{ river }}"})

        ((code, properties, description),) = errors_of(rejected)
        assert (code, properties, description[:7]) == ("TEMPLATE_ERROR", [name], "Line 3:")
        assert resource_of(rejected) == "osdi:wrapper"
        assert list(database.wrappers.find()) == before

    @pytest.mark.parametrize("type_", ["email", "sms"])
    def test_all_errors_are_reported_together(self, api: Client, database: Database, type_: str) -> None:
        body = {"type": type_, "subject": "{{ a }}", "body": "{{ b }}", "from": "a\nb", "reply_to": "c\rd"}

        errors = errors_of(api.post("/messages", body))

        assert [properties for _, properties, _ in errors] == [["subject"], ["body"], ["from"], ["reply_to"]]
        assert database.messages.count_documents({}) == 0

    @pytest.mark.parametrize("options", [{}, {"headers": STRICT}], ids=["leniently", "strictly"])
    @pytest.mark.usefixtures("stored_message")
    def test_is_rejected_if_the_client_declines_the_response(
        self, api: Client, database: Database, options: dict[str, Any]
    ) -> None:
        before = list(database.messages.find())
        declining = {"osdi:control": {"return_response": False}}

        for way in WAYS:
            assert save(api, way, "messages", {"body": "{{ river }}"} | declining, **options).status_code == 400

        assert list(database.messages.find()) == before

    def test_a_stored_one_blocks_changes_until_it_is_corrected(
        self, api: Client, database: Database, stored_message: dict[str, Any]
    ) -> None:
        database.messages.update_one({}, {"$set": {"body": "{{ river }}"}})

        assert errors_of(api.put(href(stored_message), {"name": "Thanks"}))[0][:2] == ("TEMPLATE_ERROR", ["body"])
        assert (
            api.put(href(stored_message), {"name": "Thanks", "body": "{{ campaign.title }}"}).json["name"] == "Thanks"
        )

    def test_an_outdated_if_match_is_rejected_first(self, api: Client, stored_message: dict[str, Any]) -> None:
        rejected = api.put(href(stored_message), {"body": "{{ river }}"}, headers={"If-Match": '"7"'})

        assert rejected.status_code == 412


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.usefixtures("stored_message")
class TestValidTemplate:
    def test_is_stored_unchanged(self, api: Client, way: str) -> None:
        body = {
            "subject": " {{ person.given_name | default('friend') }}, thanks ",
            "body": "<p>\r\n{% for target in targets if target.title %}{{ loop.index }}{% endfor %}</p>\n",
        }

        saved = save(api, way, "messages", body)

        assert saved.status_code == 200
        assert {name: saved.json[name] for name in body} == body
        assert api.follow(saved.json, "self") == saved.json

    def test_a_declined_response_has_identifiers_and_links_only(self, api: Client, way: str) -> None:
        saved = save(api, way, "messages", {"body": "Thanks", "osdi:control": {"return_response": False}}).json

        assert set(saved) == {"identifiers", "_links"}
        assert api.follow(saved, "self")["body"] == "Thanks"

    def test_an_unknown_field_is_rejected_with_strict_handling_only(
        self, api: Client, database: Database, way: str
    ) -> None:
        before = list(database.messages.find())
        body = {"body": "Thanks", "form": "hello@example.org"}

        rejected = save(api, way, "messages", body, headers=dict(STRICT))

        assert (rejected.status_code, "form" in rejected.json["error"]) == (400, True)
        assert list(database.messages.find()) == before
        assert save(api, way, "messages", body).json["body"] == "Thanks"


BREAKS = ["\n", "\r", "\r\n", "\x0b", "\x0c", "\x1c", "\x85", "\u2028", "\u2029", "\t", "\x1b", "\x7f"]

NO_MAILBOXES = [
    *("a@", "@example.org", "a@b@example.org", "a b@example.org", "hello@localhost", "hello@exam_ple.org"),
    *("The River <hello@river.example.org", "hello@river.example.org>", "River, Inc. <hello@river.example.org>"),
    *("one@example.org, two@example.org", "one@example.org; two@example.org", "All: one@example.org;"),
    *('"a b"@example.org', "jörg@example.org", "hello@[127.0.0.1]", "mailto:hello@example.org", "Team @ River"),
    "=?utf-8?q?=0D=0ABcc=3A_all=40example.org?= <hello@river.example.org>",
]
MAILBOXES = [
    *("hello@river.example.org", " hello@river.example.org ", "The River <hello@river.example.org>"),
    *('"River, Inc." <hello@river.example.org>', "St. John <hello@river.example.org>"),
    *("Zoë Fluß <hello@river.example.org>", "👩\u200d🌾 <hello@river.example.org>", "hello@flüsse.example.org"),
    "The\u00a0River <hello@river.example.org>",
    f"{'The long river ' * 50}<hello@river.example.org>",
]
# Without an @, `from` is a name, which is combined with the address of MAIL_FROM.
NAMES = [
    *("The River", "River, Inc.", " Zoë's Fluß ", 'The "River"', "The\u200bRiver", "The\u00a0River", "12025550123"),
    *("=?utf-8?q?=0D=0ABcc=3A?=", "x" * 999),
]
BY_TEXT = ["+1 202-555-0123", "River @ home", "a@", "The\u200bRiver", "one@example.org, two@example.org"]


class TestHeaders:
    """Subject, from and reply_to are single lines; in e-mails, from and reply_to are mailboxes."""

    @pytest.mark.parametrize("line_break", BREAKS, ids=ascii)
    @pytest.mark.usefixtures("stored_message")
    def test_a_line_break_is_rejected(self, api: Client, database: Database, line_break: str) -> None:
        before = list(database.messages.find())
        broken = dict.fromkeys(("subject", "from", "reply_to"), f"The{line_break}Bcc: river@example.org")

        for type_ in ("email", "sms"):
            for way in WAYS:
                errors = errors_of(save(api, way, "messages", {"type": type_, **broken}))
                sentence = "This must be one line without control characters."
                assert errors == [("INVALID", [name], sentence) for name in broken]

        assert list(database.messages.find()) == before

    @pytest.mark.one_in(4)
    @pytest.mark.parametrize(
        ("name", "text"),
        [
            *(("from", text) for text in NO_MAILBOXES),
            *(("reply_to", text) for text in (*NO_MAILBOXES, *NAMES)),
        ],
        ids=lambda value: ascii(value)[:30],
    )
    def test_an_invalid_mailbox_is_rejected(
        self, api: Client, database: Database, stored_message: dict[str, Any], name: str, text: str
    ) -> None:
        before = list(database.messages.find())

        for way in WAYS:
            ((code, properties, _),) = errors_of(save(api, way, "messages", {name: text}))
            assert (code, properties) == ("INVALID", [name])

        assert list(database.messages.find()) == before

    @pytest.mark.one_in(4)
    @pytest.mark.parametrize(
        ("name", "text"),
        [*(("from", text) for text in (*MAILBOXES, *NAMES)), *(("reply_to", text) for text in MAILBOXES)],
        ids=lambda value: ascii(value)[:30],
    )
    @pytest.mark.usefixtures("stored_message")
    def test_a_valid_one_is_saved_and_can_be_sent(self, api: Client, name: str, text: str) -> None:
        for way in WAYS:
            saved = save(api, way, "messages", {"subject": "Thanks", "body": f"Thanks by {way}", name: text})

            assert saved.status_code == 200
            assert saved.json[name] == cleaned(text)
        rendered = render(saved.json, None, {})
        mail = compose(
            rendered,
            to="jane@example.com",
            message_id="1",
            sender=sender(rendered.from_, MAIL_FROM),
            unsubscribe_url=LINK,
            date=dt.datetime.now(dt.UTC),
        )
        assert b"\r\nBcc" not in mail

    @pytest.mark.parametrize("text", BY_TEXT, ids=ascii)
    def test_those_of_a_text_message_need_no_mailbox(self, api: Client, text: str) -> None:
        api.created("/messages", factories.text(identifiers=["crm:there"]))
        body = {"type": "sms", "from": text, "reply_to": text}

        for way in WAYS:
            saved = save(api, way, "messages", body)
            assert saved.status_code == 200
            assert {name: saved.json[name] for name in body} == {name: cleaned(value) for name, value in body.items()}

    @pytest.mark.parametrize(("name", "value"), [("from", "River @ home"), ("reply_to", "nobody")])
    @pytest.mark.parametrize(
        ("way", "change"),
        [("put", {"type": "email"}), ("put", {"type": None}), ("post again", {"type": "email"})],
        ids=str,
    )
    def test_a_change_of_type_is_rejected_if_it_makes_a_header_invalid(
        self, api: Client, database: Database, way: str, change: dict[str, Any], name: str, value: str
    ) -> None:
        text = api.created("/messages", factories.text(identifiers=["crm:there"], **{name: value}))
        before = list(database.messages.find())

        assert [properties for _, properties, _ in errors_of(save(api, way, "messages", change))] == [[name]]
        assert list(database.messages.find()) == before

        fitting = save(api, way, "messages", change | {name: "hello@river.example.org"})
        assert (fitting.status_code, href(fitting.json)) == (200, href(text))

    def test_a_change_of_type_can_clear_an_invalid_header(self, api: Client) -> None:
        text = api.created("/messages", factories.text(**{"from": "River @ home"}))

        assert "from" not in api.put(href(text), {"type": "email", "from": None}).json

    def test_a_line_break_from_a_template_becomes_a_space(self, api: Client) -> None:
        saved = api.created("/messages", factories.message(subject="{{ 'The\\n river' }}", body="Thanks"))

        assert api.get(f"{href(saved)}/preview").json["subject"] == "The river"


@pytest.fixture(scope="module")
def configured(settings: Settings) -> Iterator[Flask]:
    """An application with PUBLIC_URL and MAIL_FROM."""
    app = create_app(replace(settings, public_url=PUBLIC, mail_from=MAIL_FROM))
    yield app
    app.extensions[RATE_LIMITS].close()
    app.extensions[EXTENSION].store.close()


@pytest.fixture
def ours(configured: Flask, api: Client) -> Client:
    client = Client(configured.test_client(), api.token)
    client.campaign_id = api.campaign_id
    return client


def preview_of(client: Client, message: dict[str, Any], outreach: dict[str, Any] | None = None) -> dict[str, Any]:
    """Returns a preview without its links; fails the test unless the response is 200."""
    query = {"outreach": href(outreach).rsplit("/", 1)[1]} if outreach else {}
    response = client.get(f"{href(message)}/preview", query_string=query)
    assert response.status_code == 200, response.get_data(as_text=True)
    return {name: value for name, value in response.json.items() if name != "_links"}


ALL_FIELDS = (
    "<p>Dear {{ person.given_name | default('friend') }} {{ person.family_name }} of"
    " {{ (person.postal_addresses | first).locality | default('nowhere') }},</p>\n"
    "<p>{{ outreach.type }}: {% for target in targets %}{{ target.title }} {{ target.family_name }};{% endfor %}"
    " {{ campaign.title }}</p>"
)
PERSON = {
    "given_name": "Ann",
    "family_name": "Lee",
    "postal_addresses": [{"locality": "Quay"}],
    "email_addresses": [{"address": "ann@example.com"}],
}
TARGETS = [{"title": "Mayor", "family_name": "Roe"}]


class TestPreview:
    """Shows a message as the worker would send it."""

    def test_without_an_outreach_shows_an_invented_person(self, ours: Client) -> None:
        message = ours.created(
            "/messages",
            factories.message(
                subject="{{ person.given_name }} & {{ outreach.action_date | date('%Y') }}",
                body=ALL_FIELDS,
                reply_to="Jo <jo@river.example.org>",
            ),
        )

        seen = preview_of(ours, message)

        html = (
            "<p>Dear Jane Doe of Riverton,</p>\n"
            f"<p>phone: Senator Smith;Senator Larson; Protect the river</p>{AT_THE_END}"
        )
        text = (
            "Dear Jane Doe of Riverton,\n\n"
            f"phone: Senator Smith;Senator Larson; Protect the river\n\nUnsubscribe ({LINK})"
        )
        assert seen == {
            "subject": f"Jane & {now().year}",
            "from": "The River <hello@river.example.org>",
            "reply_to": "Jo <jo@river.example.org>",
            "html": html,
            "text": text,
        }

    def test_links_to_its_message(self, ours: Client, api: Client) -> None:
        message, outreach = api.created("/messages", factories.message()), api.recorded(factories.outreach())
        address = f"{href(message)}/preview?outreach={href(outreach).rsplit('/', 1)[1]}"

        links = ours.get(address).json["_links"]

        assert ours.get(links["self"]["href"]).json["_links"] == links
        assert links["self"]["href"].endswith(address.partition("/api/")[2])
        assert ours.follow({"_links": links}, "osdi:message")["identifiers"] == message["identifiers"]

    def test_shows_all_values_of_an_outreach_recorded_with_a_token(self, ours: Client) -> None:
        message = ours.created("/messages", factories.message(body=ALL_FIELDS, identifiers=["crm:thanks"]))
        triggers = {"autoresponse": {"enabled": True, "identifiers": ["crm:thanks"]}}
        targets = [{"title": "www.mayor.example", "family_name": "<b>Roe</b>"}]
        outreach = ours.recorded(factories.outreach(person=PERSON, targets=targets, triggers=triggers))

        html = preview_of(ours, message, outreach)["html"]

        assert html == (
            "<p>Dear Ann Lee of Quay,</p>\n"
            f"<p>phone: www.mayor.example &lt;b&gt;Roe&lt;/b&gt;; Protect the river</p>{AT_THE_END}"
        )

    @pytest.mark.parametrize("with_trigger", [True, False])
    def test_removes_links_of_an_anonymous_outreach(
        self, ours: Client, api: Client, database: Database, with_trigger: bool
    ) -> None:
        message = ours.created("/messages", factories.message(body=ALL_FIELDS, identifiers=["crm:thanks"]))
        campaign = f"/advocacy_campaigns/{api.campaign_id}/triggers"
        ours.put(campaign, {"autoresponse": {"identifiers": ["crm:thanks"]}})
        person = PERSON | {"family_name": "http://evil.example"}
        targets = [{"title": "www.mayor.example", "family_name": "Roe"}]
        triggers = {"autoresponse": {"enabled": with_trigger}}
        ours.record(factories.outreach(person=person, targets=targets, triggers=triggers), token=False)
        (outreach,) = ours.get("/outreaches").json["_embedded"]["osdi:outreaches"]
        assert ("followups" in database.outreaches.find_one()) is with_trigger

        html = preview_of(ours, message, outreach)["html"]

        assert html == f"<p>Dear Ann  of Quay,</p>\n<p>phone:  Roe; Protect the river</p>{AT_THE_END}"

    def test_does_not_show_a_person_whose_address_an_anonymous_post_did_not_give(
        self, ours: Client, api: Client
    ) -> None:
        message = ours.created("/messages", factories.message(body=ALL_FIELDS, identifiers=["crm:thanks"]))
        ours.put(f"/advocacy_campaigns/{api.campaign_id}/triggers", {"autoresponse": {"identifiers": ["crm:thanks"]}})
        number = {"phone_numbers": [{"number": "12025550123"}]}
        ours.recorded(factories.outreach(person={"given_name": "Secret", **number}))
        mallory = {"email_addresses": [{"address": "mallory@example.com"}], **number}
        ours.record(factories.outreach(person=mallory, triggers={"autoresponse": {"enabled": True}}), token=False)
        outreach = ours.get("/outreaches").json["_embedded"]["osdi:outreaches"][1]

        assert preview_of(ours, message, outreach)["html"].startswith("<p>Dear friend  of nowhere,</p>")

    @pytest.mark.parametrize("by_token", [True, False])
    def test_equals_the_mail_that_is_sent(
        self, ours: Client, api: Client, store: Store, settings: Settings, app: Flask, by_token: bool
    ) -> None:
        fields = factories.message(
            identifiers=["crm:thanks"],
            subject="{{ person.given_name }}",
            body=f"<div>{ALL_FIELDS}</div>",
            reply_to="jo@river.example.org",
            **{"from": "Zoë's River"},
        )
        message = ours.created("/messages", fields)
        ours.created("/wrappers", {"header": "<h1>River</h1>", "footer": "{{ campaign.title }}", "default": True})
        ours.put(f"/advocacy_campaigns/{api.campaign_id}/triggers", {"autoresponse": {"identifiers": ["crm:thanks"]}})
        triggers = {"autoresponse": {"enabled": True}}
        ours.record(factories.outreach(person=PERSON, targets=TARGETS, triggers=triggers), token=by_token)
        (outreach,) = ours.get("/outreaches").json["_embedded"]["osdi:outreaches"]
        before = preview_of(ours, message, outreach)

        sent = mail_of(store, settings, app)

        html, text = sent.get_body(("html",)), sent.get_body(("plain",))
        assert html is not None
        assert text is not None
        link = str(sent["List-Unsubscribe"]).strip("<>")
        assert {
            "subject": sent["Subject"],
            "from": str(sent["From"].addresses[0]),
            "reply_to": sent["Reply-To"],
            "html": html.get_content().replace(link, LINK).replace("\r\n", "\n"),
            "text": text.get_content().replace(link, LINK).replace("\r\n", "\n").removesuffix("\n"),
        } == before
        assert preview_of(ours, message, outreach) == before, "the preview is the same after sending"

    def test_has_the_unsubscribe_link_where_the_template_puts_it(self, ours: Client) -> None:
        message = ours.created("/messages", factories.message(body="<p>{{ unsubscribe_url }}</p>"))

        assert preview_of(ours, message)["html"] == f"<p>{LINK}</p>"

    def test_of_plain_text_keeps_its_line_breaks(self, ours: Client) -> None:
        message = ours.created("/messages", factories.message(body="Dear {{ person.given_name }},\n\nA & B"))

        assert preview_of(ours, message)["html"].startswith("Dear Jane,<br>\n<br>\nA &amp; B")

    @pytest.mark.parametrize(
        ("from_", "shown"),
        [
            (None, "Office <office@river.example.org>"),
            ("The River", "The River <office@river.example.org>"),
            ("hello@river.example.org", "hello@river.example.org"),
            ("The River <hello@river.example.org>", "The River <hello@river.example.org>"),
        ],
    )
    def test_shows_the_sender(self, ours: Client, api: Client, from_: str | None, shown: str) -> None:
        message = ours.created("/messages", factories.message(**{"from": from_}))

        assert preview_of(ours, message)["from"] == shown
        assert preview_of(api, message).get("from") == from_, "without MAIL_FROM the preview shows the message's own"

    def test_of_a_text_message_shows_its_text(self, ours: Client) -> None:
        body = "{{ person.given_name }} & {{ campaign.title }}{{ unsubscribe_url }}\n"
        message = ours.created("/messages", factories.text(body=body, **{"from": "12025550123"}))

        assert preview_of(ours, message) == {"text": "Jane & Protect the river", "from": "12025550123"}

    def test_of_a_text_message_can_show_an_outreach(self, ours: Client) -> None:
        message = ours.created("/messages", factories.text(body="{{ person.given_name }}: {{ targets[0].title }}"))
        outreach = ours.recorded(factories.outreach(person=PERSON, targets=TARGETS))

        assert preview_of(ours, message, outreach) == {"text": "Ann: Mayor"}

    def test_of_a_deleted_person_shows_the_defaults(self, ours: Client) -> None:
        message = ours.created("/messages", factories.message(body=ALL_FIELDS))
        outreach = ours.recorded(factories.outreach(person=PERSON, targets=TARGETS))
        ours.delete(outreach["_links"]["osdi:person"]["href"])

        html = preview_of(ours, message, outreach)["html"]

        assert html.startswith("<p>Dear friend  of nowhere,</p>\n<p>phone: Mayor Roe; Protect the river</p>")

    def test_writes_and_sends_nothing(self, ours: Client, database: Database) -> None:
        message = ours.created("/messages", factories.message())
        outreach = ours.recorded(factories.outreach())
        names = ("messages", "outreaches", "people", "wrappers", "signing_keys", "advocacy_campaigns")
        database.signing_keys.delete_many({"_id": "unsubscribe"})
        before = [list(database[name].find()) for name in names]

        preview_of(ours, message, outreach)

        assert [list(database[name].find()) for name in names] == before


@pytest.mark.parametrize(
    ("of_page", "date", "words"),
    [("de", "18. März 2026", "Abmelden"), (None, "March 18, 2026", "Unsubscribe")],
)
def test_a_preview_has_dates_and_the_unsubscribe_link_in_the_language_of_the_campaign(
    ours: Client, database: Database, of_page: str | None, date: str, words: str
) -> None:
    message = ours.created("/messages", factories.message(body='On {{ outreach.action_date | date("long") }}'))
    outreach = ours.recorded(factories.outreach(action_date="2026-03-18T23:30:00-05:00"))
    page = {"language": of_page} if of_page else {}
    database.advocacy_campaigns.update_one({"_id": ours.campaign_id}, {"$set": {"page": page}})

    assert preview_of(ours, message, outreach)["text"].startswith(f"On {date}\n\n{words} (http")


class TestWrapperOfAPreview:
    @pytest.fixture
    def default(self, ours: Client) -> dict[str, Any]:
        return ours.created("/wrappers", {"header": "<h1>Default</h1>", "footer": "Foot", "default": True})

    def message(self, client: Client, wrapper: dict[str, Any] | None = None) -> dict[str, Any]:
        links = {"_links": {"osdi:wrapper": {"href": href(wrapper)}}} if wrapper else {}
        return client.created("/messages", factories.message(body="<p>Thanks</p>", **links))

    def test_is_the_default_one(self, ours: Client, default: dict[str, Any]) -> None:
        html = preview_of(ours, self.message(ours))["html"]

        assert html == f"<h1>Default</h1>\n<p>Thanks</p>\nFoot{AT_THE_END}"

    def test_is_the_messages_own(self, ours: Client, default: dict[str, Any]) -> None:
        own = ours.created("/wrappers", {"footer": "<p>{{ person.given_name }}, this is ours</p>"})

        html = preview_of(ours, self.message(ours, own))["html"]

        assert html == f"<p>Thanks</p>\n<p>Jane, this is ours</p>{AT_THE_END}"

    def test_is_the_default_one_after_its_own_was_deleted(self, ours: Client, default: dict[str, Any]) -> None:
        own = ours.created("/wrappers", {"header": "<h1>Own</h1>"})
        message = self.message(ours, own)
        ours.delete(href(own))

        assert preview_of(ours, message)["html"].startswith("<h1>Default</h1>\n<p>Thanks</p>")

    def test_has_the_type_of_the_message(self, ours: Client, default: dict[str, Any]) -> None:
        ours.created("/wrappers", {"header": "The River:", "wrapper_type": "sms", "default": True})
        text = ours.created("/messages", factories.text(body="Thanks"))

        assert preview_of(ours, text)["text"] == "The River:\nThanks"
        assert preview_of(ours, self.message(ours))["html"].startswith("<h1>Default</h1>\n")


class TestRejectedPreview:
    @pytest.mark.parametrize(
        ("query", "status", "named"),
        [
            ({"outreach": "none"}, 404, "There is no such outreach."),
            ({"outreach": "\x00"}, 404, "There is no such outreach."),
            ({"outreach": ""}, 400, "outreach"),
            ({"outreach": "x" * 101}, 400, "outreach"),
        ],
        ids=str,
    )
    def test_of_an_unknown_outreach(
        self, api: Client, stored_message: dict[str, Any], query: dict[str, str], status: int, named: str
    ) -> None:
        rejected = api.get(f"{href(stored_message)}/preview", query_string=query)

        assert (rejected.status_code, named in rejected.json["error"]) == (status, True)

    def test_of_a_deleted_outreach(self, api: Client, stored_message: dict[str, Any]) -> None:
        outreach = api.recorded(factories.outreach())
        api.delete(href(outreach))

        query = {"outreach": href(outreach).rsplit("/", 1)[1]}
        assert api.get(f"{href(stored_message)}/preview", query_string=query).status_code == 404

    def test_of_an_unknown_message(self, api: Client) -> None:
        rejected = api.get("/messages/none/preview")

        assert (rejected.status_code, resource_of(rejected)) == (404, "osdi:message")

    def test_of_a_stored_template_that_is_invalid(
        self, api: Client, database: Database, stored_message: dict[str, Any]
    ) -> None:
        database.messages.update_one({}, {"$set": {"body": "Dear\n{{ river }}"}})

        rejected = api.get(f"{href(stored_message)}/preview")

        (status,) = rejected.json["osdi:error"]["resource_status"]
        assert (rejected.status_code, status["resource"]) == (409, "osdi:message")
        assert status["error_descriptions"][0]["error_code"] == "TEMPLATE_ERROR"
        assert "Line 2: The name 'river' does not exist" in rejected.json["error"]

    def test_that_would_be_too_long(self, api: Client) -> None:
        each = "{% for target in targets %}"
        message = api.created(
            "/messages",
            factories.message(
                body=f"{each}{each.replace('target ', 'other ')}{{{{ outreach.message }}}}{'{% endfor %}' * 2}",
                identifiers=["crm:thanks"],
            ),
        )
        triggers = {"autoresponse": {"enabled": True, "identifiers": ["crm:thanks"]}}
        targets = [{"title": str(number)} for number in range(20)]
        outreach = api.recorded(factories.outreach(message="x" * 9_000, targets=targets, triggers=triggers))

        rejected = api.get(f"{href(message)}/preview?outreach={href(outreach).rsplit('/', 1)[1]}")

        assert (rejected.status_code, rejected.json["error"]) == (409, "This is too long.")

    @pytest.mark.parametrize(
        ("scopes", "status"), [(["read"], 200), (["admin"], 200), (["read", "write"], 200), (["write"], 403)], ids=str
    )
    def test_without_the_scope_to_read(
        self, api: Client, store: Store, stored_message: dict[str, Any], scopes: list[str], status: int
    ) -> None:
        token = factories.token(store, scopes=scopes)

        assert api.get(f"{href(stored_message)}/preview", token=token).status_code == status

    @pytest.mark.parametrize("token", [False, "osdi_wrong"])
    def test_without_a_token(self, api: Client, stored_message: dict[str, Any], token: bool | str) -> None:
        assert api.get(f"{href(stored_message)}/preview", token=token).status_code == 401

    def test_with_a_campaign_scoped_token(self, api: Client, store: Store, stored_message: dict[str, Any]) -> None:
        token = factories.token(store, advocacy_campaign_id=api.campaign_id)
        outreach = api.recorded(factories.outreach())

        for query in ("", f"?outreach={href(outreach).rsplit('/', 1)[1]}"):
            rejected = api.get(f"{href(stored_message)}/preview{query}", token=token)
            assert (rejected.status_code, "scoped to one campaign" in rejected.json["error"]) == (403, True)


def mail_of(store: Store, settings: Settings, app: Flask) -> EmailMessage:
    """Delivers the one mail that is due, and returns it as the mail server received it."""
    with SmtpSink() as sink:
        chosen = Settings(mongodb_uri=settings.mongodb_uri, public_url=PUBLIC, smtp_url=sink.url, mail_from=MAIL_FROM)
        followups = Followups(store, app.extensions[EXTENSION].reference, chosen, transports(store, chosen))
        try:
            assert followups.do_next()
        finally:
            followups.close()
        (mail,) = sink.mails
    return mail
