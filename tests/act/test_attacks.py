"""Attacks on the public pages: scripts in texts, redirects, hosts, strange bodies, forged tokens."""

import re
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import pytest
from bs4 import BeautifulSoup
from flask import Flask
from pymongo.database import Database
from werkzeug.datastructures import MultiDict
from werkzeug.test import TestResponse

from osdi.privacy.erasure import erase
from osdi.resources import PAGES
from osdi.store import Store
from tests.fixtures.campaign_pages import JANE, CampaignPage, soup, typed_into
from tests.support.client import Client
from tests.support.factories import RULES
from tests.support.slow import slow_except

Publish = Callable[..., CampaignPage]

# Each runs a script, opens another site or ends the text that contains it, if a page does not escape it.
CORPUS = (
    "<script>window.attacked=1</script>",
    "<img src=x onerror=window.attacked=1>",
    '"><svg onload=window.attacked=1>',
    "' onmouseover='window.attacked=1' x='",
    '" autofocus onfocus="window.attacked=1" x="',
    "</textarea><script>window.attacked=1</script>",
    "</title><script>window.attacked=1</script>",
    "javascript:window.attacked=1",
    "data:text/html,<script>window.attacked=1</script>",
    "{{ 7*7 }}${7*7}#{7*7}<%= 7*7 %>",
    "%(organisation)s %s %(num)d {} {0.__class__}",
    '<a href="javascript:window.attacked=1">a</a><base href=//evil.example>',
    "<meta http-equiv=refresh content=0;url=//evil.example>",
    "<style>@import '//evil.example'</style><link rel=stylesheet href=//evil.example>",
    '<iframe srcdoc="<script>parent.attacked=1</script>">',
    "<form action=//evil.example><button formaction=javascript:attacked=1>",
    "<!--><script>window.attacked=1</script-->",
    "\u202e<scr\u00adipt>\u2028window.attacked=1",
)
HOSTILE = " ".join(CORPUS)
URLS = ("javascript:attacked=1", "data:text/html,x", "//evil.example", 'https://evil.example" onclick="attacked=1')
ANSWERABLE = {"question_type": "SingleChoice", "title": HOSTILE, "name": HOSTILE, "description": HOSTILE}
TARGET = {
    "title": HOSTILE,
    "given_name": HOSTILE,
    "family_name": HOSTILE,
    "organization": HOSTILE,
    "postal_addresses": [{"address_lines": [HOSTILE], "locality": HOSTILE, "postal_code": HOSTILE, "country": "US"}],
    "phone_numbers": [{"number": "+12025550123", "description": HOSTILE}],
    "email_addresses": [{"address": "a@example.org"}, {"address": '"><script>attacked=1</script>@example.org'}],
}
KINDS = ("email", "phone", "postal mail", "in-person", HOSTILE)
NAMES_OF_KINDS = ["email", "phone", "letter", "visit", "own word"]
EACH_KIND = pytest.mark.parametrize("kind", KINDS, ids=NAMES_OF_KINDS)
# The kinds differ in the step after the form, so two of them represent the others in tests that send the form often.
SOME_KINDS = pytest.mark.parametrize("kind", slow_except(KINDS, ("email", HOSTILE)), ids=NAMES_OF_KINDS)


def hostile_campaign(kind: str, question: str = "") -> tuple[dict[str, Any], dict[str, Any]]:
    """Page settings and fields of a campaign with the corpus in each text."""
    fields: list[dict[str, Any]] = [
        {"name": "given_name", "label": HOSTILE},
        {"name": "email_address", "required": True, "label": HOSTILE},
        {"name": "street_address", "label": HOSTILE},
    ]
    if question:
        fields.append({"question": question})
    page = {
        "fields": fields,
        "message": {"rule": "prompts" if kind == "email" else "editable", "prompts": [HOSTILE, HOSTILE]},
        "consent": {"text": HOSTILE, "confirm_by_mail": True},
        "thank_you": {"text": HOSTILE, "redirect_url": URLS[0]},
        "privacy_url": URLS[0],
        "logo_url": URLS[3],
        "closed_message": HOSTILE,
    }
    share = {"title": HOSTILE, "description": HOSTILE, "message": HOSTILE, "subject": HOSTILE, "body": HOSTILE}
    share |= {"share_url": URLS[0]}
    campaign = {
        "type": kind,
        "title": HOSTILE,
        "name": HOSTILE,
        "summary": HOSTILE,
        "description": HOSTILE,
        "targets": HOSTILE,
        "target_list": [TARGET, TARGET],
        "templates": [HOSTILE, f"{HOSTILE} {{{{given_name}}}}"],
        "share_url": URLS[0],
        "browser_url": URLS[0],
        "featured_image_url": URLS[3],
        "share_options": [
            {"facebook_share": share, "twitter_share": share, "email_share": share, "facebook": share, "email": share}
        ],
    }
    return page, campaign


@pytest.fixture
def hostile(api: Client, publish: Publish) -> Callable[[str], CampaignPage]:
    """Publishes a campaign with the corpus in each text and with a question that has it, too."""
    made = api.created(
        "/questions",
        {**ANSWERABLE, "identifiers": ["crm:why"], "responses": [{"key": HOSTILE[:90], "title": HOSTILE}]},
    )
    question = made["_links"]["self"]["href"].rpartition("/")[2]

    def published(kind: str) -> CampaignPage:
        page, campaign = hostile_campaign(kind, question)
        return publish(page, **campaign)

    return published


def check_harmless(response: TestResponse) -> BeautifulSoup:
    """Fails if the page has a script or link of the corpus, an event handler, a style or anything of another site."""
    page = soup(response)
    for element in page.find_all(True):
        place = f"{element.name} {element.attrs}"
        assert element.name not in ("base", "iframe", "object", "embed", "svg", "style", "frame", "math"), place
        assert not any(name.startswith("on") or name in ("style", "srcdoc", "formaction") for name in element.attrs), (
            place
        )
        for name in ("href", "src", "action", "content"):
            value = str(element.get(name, ""))
            assert not re.match(r"\s*(javascript|data|vbscript):", value, re.IGNORECASE), place
        if element.name in ("script", "link") and element.get("rel") != ["canonical"]:
            assert str(element.get("src") or element.get("href")).startswith((f"{PAGES}/assets/", "/docs/assets/")), (
                place
            )
            assert element.string is None, place
        if element.name == "form":
            assert str(element.get("action", PAGES)).startswith(f"{PAGES}/") or "action" not in element.attrs, place
        assert str(element.get("http-equiv", "")) == "", place
    assert "49" not in page.get_text(), "a text is no template"
    assert "Refresh" not in response.headers
    return page


class TestScriptsInTexts:
    @EACH_KIND
    @pytest.mark.parametrize("suffix", ["", "/embed", "/thanks", "/thanks?embedded=yes", "/share", "/share?mastodon=x"])
    def test_of_a_campaign_are_shown_as_text(
        self, kind: str, suffix: str, hostile: Callable[[str], CampaignPage]
    ) -> None:
        page = check_harmless(hostile(kind).get(suffix))

        if suffix in ("", "/embed", "/thanks"):
            assert CORPUS[0] in page.get_text()

    @EACH_KIND
    def test_of_a_campaign_are_shown_as_text_after_recording(
        self, kind: str, hostile: Callable[[str], CampaignPage]
    ) -> None:
        page = hostile(kind)

        check_harmless(page.record({**JANE, "consent": "yes"}))

    @EACH_KIND
    def test_of_a_closed_campaign_are_shown_as_text(
        self, kind: str, hostile: Callable[[str], CampaignPage], database: Database
    ) -> None:
        page = hostile(kind)
        form = page.filled(JANE)
        database.advocacy_campaigns.update_one(
            {"_id": page.campaign["_id"]}, {"$set": {"anonymous_posts.enabled": False}}
        )

        check_harmless(page.get())
        check_harmless(page.post({**form, "message": HOSTILE}))

    @SOME_KINDS
    def test_of_a_supporter_are_shown_as_text(
        self, kind: str, hostile: Callable[[str], CampaignPage], api: Client
    ) -> None:
        page = hostile(kind)
        form = page.filled({**JANE, "consent": "yes"})
        names = {
            *form,
            "message",
            "prompt",
            "template",
            "redirect",
            "source",
            "utm_source",
            "referrer",
            "website",
            "url",
        }
        names |= {"person.given_name", "person.phone_number", "person.country", HOSTILE[:50]}
        for name in sorted(names - {"form_token"}):
            typed = MultiDict(form)
            typed.setlist(name, [HOSTILE, *CORPUS])
            for suffix in ("", "/embed"):
                check_harmless(page.post(typed, suffix))
        everything = MultiDict({name: HOSTILE for name in names if name != "form_token"})
        check_harmless(page.post(everything))

    @SOME_KINDS
    def test_of_an_address_are_shown_as_text(self, kind: str, hostile: Callable[[str], CampaignPage]) -> None:
        page = hostile(kind)
        for name in ("source", "utm_source", "utm_campaign", "lang", "mastodon", "embedded", "consent", "message"):
            for suffix in ("", "/embed", "/thanks", "/share"):
                query = f"{suffix}?{name}={quote(HOSTILE)}"
                if suffix == "/thanks" and name == "embedded":
                    continue
                check_harmless(page.get(query, headers={"Referer": "https://x.example/" + quote(HOSTILE)}))


@pytest.mark.parametrize("text", [*CORPUS[:7], *CORPUS[11:16]])
def test_the_check_for_harmless_pages_finds_each_attack(text: str) -> None:
    app_of_one_page = Flask("attacked")
    app_of_one_page.add_url_rule(
        "/", view_func=lambda: f"<main><input value='{text}'><input value=\"{text}\">{text}</main>"
    )

    with pytest.raises(AssertionError):
        check_harmless(app_of_one_page.test_client().get("/"))


FORM = "application/x-www-form-urlencoded"
PART = b'--x\r\nContent-Disposition: form-data; name="%b"\r\n\r\n%b\r\n'
BODIES: dict[str, tuple[bytes, str, set[int]]] = {
    "empty": (b"", FORM, {422}),
    "no form": (b"\x00\x01\x02", FORM, {422}),
    "separators": (b"&=&" * 9_000, FORM, {413, 422}),
    "NUL": (b"person.given_name=a%00b&person.email_address=j%40example.com", FORM, {200, 303, 422}),
    "lone surrogate": (b"person.given_name=%ED%A0%80&person.email_address=j%40example.com", FORM, {303, 422}),
    "UTF-16": ("person.given_name=Jane".encode("utf-16"), FORM, {422}),
    "unknown charset": (b"person.email_address=j%40example.com", f"{FORM}; charset=nosuch", {303}),
    "compressed": (b"\x1f\x8b\x08\x00", FORM, {422}),
    "many fields": (b"&".join(b"a%d=b" % number for number in range(3_000)), FORM, {413, 422}),
    "many of one field": (b"person.given_name=Jane&" + b"&".join([b"target=0"] * 2_500), FORM, {303, 413, 422}),
    "deep name": (b"person." * 3_000 + b"given_name=Jane", FORM, {422}),
    "long value": (b"person.given_name=" + b"x" * 300_000, FORM, {413}),
    "JSON": (b"{}", "application/json", {415}),
    "text": (b"person.given_name=Jane", "text/plain", {415}),
    "multipart without boundary": (b"--x", "multipart/form-data", {400, 422}),
    "multipart that does not end": (
        PART % (b"person.given_name", b"Jane"),
        "multipart/form-data; boundary=x",
        {303, 422},
    ),
    "multipart of many parts": (PART % (b"a", b"b") * 1_100, "multipart/form-data; boundary=x", {413}),
    "multipart with long headers": (
        b'--x\r\nContent-Disposition: form-data; name="a"\r\n' + b"X: y\r\n" * 3_000 + b"\r\nb\r\n--x--",
        "multipart/form-data; boundary=x",
        {413, 422},
    ),
    "multipart with a file": (
        b'--x\r\nContent-Disposition: form-data; name="person.given_name"; filename="../../etc/passwd"\r\n'
        b"Content-Type: text/html\r\n\r\n<script>\r\n--x--",
        "multipart/form-data; boundary=x",
        {422},
    ),
    "long boundary": (b"--" + b"x" * 5_000, f"multipart/form-data; boundary={'x' * 5_000}", {422}),
}


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
@pytest.mark.parametrize("suffix", ["", "/embed", "/outcome"])
def test_the_response_to_a_strange_body_is_a_page(
    suffix: str, body: tuple[bytes, str, set[int]], publish: Publish
) -> None:
    sent, media_type, statuses = body
    page = publish()

    response = page.http.post(page.path + suffix, data=sent, content_type=media_type)

    assert response.status_code in (statuses | {410} if suffix == "/outcome" else statuses)
    check_harmless(response)


@pytest.mark.parametrize(
    ("sent", "name"),
    [
        (b"Ren%C3%A9", "René"),
        (b"Ren%E9", "René"),
        (b"Ren\xe9", "René"),
        (b"%80", "€"),
        (b"%C8%E2%E0%ED&_charset_=windows-1251", "Иван"),
        (b"Ren%E9&_charset_=idna", "René"),
        (b"Ren%E9&_charset_=nosuch", "René"),
    ],
    ids=str,
)
def test_a_form_of_a_page_in_an_old_encoding_is_read_in_it(
    sent: bytes, name: str, publish: Publish, database: Database
) -> None:
    page = publish()

    response = page.http.post(
        page.path, data=b"person.email_address=j%40example.com&person.given_name=" + sent, content_type=FORM
    )

    assert response.status_code == 303
    assert database.people.find_one()["given_name"] == name


class TestTokens:
    def test_the_form_of_one_campaign_is_no_form_of_another(self, publish: Publish, database: Database) -> None:
        form = publish().filled(JANE)
        other = publish({"slug": "other"})

        response = other.post(form)

        assert response.status_code == 422
        assert "Please confirm" in response.text
        assert database.outreaches.count_documents({}) == 0

    @pytest.mark.parametrize("token", ["", "x", "a.b", "x" * 5_000, "W10.AAAA", "\x00", "😀"], ids=repr)
    def test_a_forged_form_token_asks(self, token: str, publish: Publish, database: Database) -> None:
        page = publish()

        assert page.post({**page.filled(JANE), "form_token": token}).status_code in (422, 413)
        assert database.outreaches.count_documents({}) == 0

    @pytest.mark.parametrize("change", ["other campaign", "signature", "payload", "form token", "cut", "long"])
    def test_a_forged_outcome_changes_nothing(self, change: str, publish: Publish, database: Database) -> None:
        page, other = publish(type="phone"), publish({"slug": "other"}, type="phone")
        response = page.record()
        values = typed_into(soup(response))
        token = values["outreach_token"]
        payload, _, rest = token.partition(".")
        forged = {
            "other campaign": token,
            "signature": token[:-2] + ("AA" if not token.endswith("AA") else "BB"),
            "payload": f"{payload[:-4]}AAAA.{rest}",
            "form token": page.filled()["form_token"],
            "cut": payload,
            "long": token * 100,
        }[change]
        before = list(database.outreaches.find())

        posted = {**values, "outcome.0": "reached", "outreach_token": forged}
        posting = other if change == "other campaign" else page
        assert posting.post(posted, "/outcome").status_code == 410
        assert list(database.outreaches.find()) == before

    def test_an_outcome_after_an_erasure_adds_nothing_about_the_person(
        self, publish: Publish, database: Database, store: Store
    ) -> None:
        page = publish(type="phone")
        values = typed_into(soup(page.record()))
        erase(store, database.people.find_one()["_id"], RULES)

        response = page.post({**values, "outcome.0": "reached"}, "/outcome")

        assert response.status_code in (303, 404, 409)
        assert JANE["person.given_name"] not in str(list(database.outreaches.find()))
        assert database.people.count_documents({}) == 0
