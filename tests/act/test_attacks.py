"""Attacks on the public pages: scripts in texts, redirects, hosts, strange bodies, forged tokens."""

import re
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import pytest
from bs4 import BeautifulSoup
from pymongo.database import Database
from werkzeug.datastructures import MultiDict
from werkzeug.test import TestResponse

from osdi.resources import PAGES
from tests.fixtures.campaign_pages import JANE, CampaignPage, soup
from tests.support.client import Client

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


def check_harmless(answer: TestResponse) -> BeautifulSoup:
    """Fails if the page has a script or link of the corpus, an event handler, a style or anything of another site."""
    page = soup(answer)
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
            assert str(element.get("src") or element.get("href")).startswith(f"{PAGES}/assets/"), place
            assert element.string is None, place
        if element.name == "form":
            assert str(element.get("action", PAGES)).startswith(f"{PAGES}/") or "action" not in element.attrs, place
        assert str(element.get("http-equiv", "")) == "", place
    assert "49" not in page.get_text(), "a text is no template"
    assert "Refresh" not in answer.headers
    return page


@pytest.mark.parametrize("kind", KINDS, ids=["email", "phone", "letter", "visit", "own word"])
class TestScriptsInTexts:
    @pytest.mark.parametrize("suffix", ["", "/embed", "/thanks", "/thanks?embedded=yes", "/share", "/share?mastodon=x"])
    def test_of_a_campaign_are_shown_as_text(
        self, kind: str, suffix: str, hostile: Callable[[str], CampaignPage]
    ) -> None:
        page = check_harmless(hostile(kind).get(suffix))

        if suffix in ("", "/embed", "/thanks"):
            assert CORPUS[0] in page.get_text()

    def test_of_a_campaign_are_shown_as_text_after_recording(
        self, kind: str, hostile: Callable[[str], CampaignPage]
    ) -> None:
        page = hostile(kind)

        check_harmless(page.record({**JANE, "consent": "yes"}))

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

    def test_of_an_address_are_shown_as_text(self, kind: str, hostile: Callable[[str], CampaignPage]) -> None:
        page = hostile(kind)
        for name in ("source", "utm_source", "utm_campaign", "lang", "mastodon", "embedded", "consent", "message"):
            for suffix in ("", "/embed", "/thanks", "/share"):
                query = f"{suffix}?{name}={quote(HOSTILE)}"
                if suffix == "/thanks" and name == "embedded":
                    continue
                check_harmless(page.get(query, headers={"Referer": "https://x.example/" + quote(HOSTILE)}))
