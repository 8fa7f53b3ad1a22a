"""The content of a page for readers, browsers and search engines, and the headers that protect it."""

import gzip
from collections.abc import Callable
from typing import Any

import pytest

from tests.fixtures.campaign_pages import CampaignPage, soup
from tests.support.client import Client

Publish = Callable[..., CampaignPage]
SUFFIXES = pytest.mark.parametrize("suffix", ["", "/embed"])
MAX_PAGE_BYTES = 14_000

WHOLE: dict[str, Any] = {
    "title": "Protect the river",
    "summary": "The river needs us & you",
    "description": "<p>It is <strong>old</strong>.</p><script>alert(1)</script>",
    "featured_image_url": "https://images.example.org/river.jpg",
    "type": "email",
    "target_list": [{"title": "Senator", "given_name": f"Jo{number}", "family_name": "Smith"} for number in range(20)],
    "templates": ["Dear Senator,\n\n" + "the river is in danger. " * 40],
}
SETTINGS: dict[str, Any] = {
    "logo_url": "https://logos.example.org:8443/logo.svg",
    "privacy_url": "https://river.example.org/privacy",
    "fields": [
        {"name": name}
        for name in (
            *("given_name", "family_name", "email_address", "phone_number"),
            *("street_address", "postal_code", "locality", "country"),
        )
    ],
    "consent": {"text": "Yes, write to me about the river."},
    "goal": 1_000,
    "show_count_from": 0,
}


def directives(policy: str) -> dict[str, list[str]]:
    return {name: values for name, *values in (each.split() for each in policy.split(";"))}


def test_a_page_describes_itself(publish: Publish) -> None:
    page = publish(SETTINGS, **WHOLE).soup()

    assert page.title.get_text() == "Protect the river"
    assert page.h1.get_text() == "Protect the river"
    assert page.select_one("link[rel=canonical]")["href"] == "http://localhost/act/protect-the-river"
    described = {str(each["property"]): each["content"] for each in page.select("meta[property]")}
    assert described == {
        "og:type": "website",
        "og:title": "Protect the river",
        "og:url": "http://localhost/act/protect-the-river",
        "og:description": "The river needs us & you",
        "og:image": "https://images.example.org/river.jpg",
    }
    assert page.select_one("img.hero")["src"] == "https://images.example.org/river.jpg"
    assert page.select_one("img.logo")["src"] == "https://logos.example.org:8443/logo.svg"
    assert page.select_one("article.about").decode_contents() == "<p>It is <strong>old</strong>.</p>"
    assert page.select_one("footer a")["href"] == "https://river.example.org/privacy"


@pytest.mark.parametrize(
    ("fields", "title"), [({"title": "", "name": "River"}, "River"), ({"title": "A <b> & c"}, "A <b> & c")]
)
def test_a_page_has_the_name_of_its_campaign(publish: Publish, fields: dict[str, str], title: str) -> None:
    assert publish(**fields).soup().h1.get_text() == title


@SUFFIXES
def test_the_policy_allows_nothing_but_our_files_and_the_images_of_the_campaign(publish: Publish, suffix: str) -> None:
    html = "<p><img src='https://a.example/1.png'></p>"

    policy = directives(
        publish(SETTINGS, **WHOLE | {"description": html}).get(suffix).headers["Content-Security-Policy"]
    )

    images = ["'self'", "https://a.example", "https://images.example.org", "https://logos.example.org:8443"]
    assert policy["default-src"] == policy["base-uri"] == ["'none'"]
    for name in ("script-src", "style-src", "connect-src", "form-action"):
        assert policy[name] == ["'self'"]
    assert policy["img-src"] == images
    assert policy["require-trusted-types-for"] == ["'script'"]
    assert policy["trusted-types"] == ["'none'"]


IMAGES = (
    "http://images.example.org/x.jpg",
    "javascript:alert(1)",
    "https://images.example.org; script-src *",
    "https://images.example.org\n/x",
    "//images.example.org/x",
    "'unsafe-inline'",
    "data:image/png;base64,x",
)


@pytest.mark.parametrize("address", IMAGES)
def test_an_address_that_is_not_safe_is_no_image(publish: Publish, address: str) -> None:
    response = publish(featured_image_url=address).get()

    assert directives(response.headers["Content-Security-Policy"])["img-src"] == ["'self'"]
    assert soup(response).find("img") is None
    assert soup(response).select("meta[property='og:image']") == []


FRAMES: dict[str, tuple[str, list[str], list[str]]] = {
    "listed sites": (
        "/embed",
        ["https://river.example.org", "http://localhost:8000"],
        ["'self'", "https://river.example.org", "http://localhost:8000"],
    ),
    "any site": ("/embed", ["*"], ["'self'", "https:", "http:"]),
    "no site": ("/embed", [], ["'self'"]),
    "the page itself": ("", ["*"], ["'none'"]),
    "the page itself on a listed site": ("", ["https://river.example.org"], ["'none'"]),
}


@pytest.mark.parametrize(("suffix", "origins", "expected"), FRAMES.values(), ids=FRAMES.keys())
def test_only_the_form_may_be_framed(publish: Publish, suffix: str, origins: list[str], expected: list[str]) -> None:
    page = publish(anonymous_posts={"origins": origins})

    for response in (page.get(suffix), page.record({}, suffix=suffix), page.record(suffix=suffix)):
        assert directives(response.headers["Content-Security-Policy"])["frame-ancestors"] == expected


def test_an_error_is_seen_in_a_frame(publish: Publish) -> None:
    response = publish(anonymous_posts={"origins": []}).post({}, "/embed", content_type="text/plain")

    assert response.status_code == 415
    policy = directives(response.headers["Content-Security-Policy"])
    assert policy["frame-ancestors"] == ["'self'", "https:", "http:"]


def test_a_site_without_tls_frames_no_form_of_a_public_server(publish: Publish) -> None:
    response = publish().get("/embed", base_url="https://osdi.example.org")

    assert directives(response.headers["Content-Security-Policy"])["frame-ancestors"] == ["'self'", "https:"]


@pytest.mark.parametrize(("suffix", "policy"), [("", "strict-origin-when-cross-origin"), ("/embed", "no-referrer")])
def test_the_other_headers_of_a_page(publish: Publish, suffix: str, policy: str) -> None:
    response = publish().get(suffix)

    assert response.headers["Referrer-Policy"] == policy
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert response.headers["Cache-Control"] == "private, no-cache"
    assert "Set-Cookie" not in response.headers


def test_nothing_in_a_page_is_inline(publish: Publish) -> None:
    page = publish(SETTINGS, **WHOLE)

    for found in (page.soup(), page.soup("/embed"), soup(page.post({})), soup(page.record())):
        assert found.find("style") is None
        assert found.find(style=True) is None
        assert [each for each in found.find_all("script") if not each.get("src") or each.get_text()] == []
        assert [name for each in found.find_all(True) for name in each.attrs if name.startswith("on")] == []
        ids = [each["id"] for each in found.find_all(id=True)]
        assert len(ids) == len(set(ids))


@SUFFIXES
def test_a_page_is_compressed_and_small(publish: Publish, suffix: str) -> None:
    page = publish(SETTINGS, **WHOLE)

    packed = page.get(suffix, headers={"Accept-Encoding": "gzip, br"})
    plain = page.get(suffix)

    assert packed.headers["Content-Encoding"] == "gzip"
    assert "Content-Encoding" not in plain.headers
    assert packed.headers["Vary"] == plain.headers["Vary"] == "Accept-Encoding"
    assert len(packed.get_data()) <= MAX_PAGE_BYTES
    assert b"Protect the river" in gzip.decompress(packed.get_data())
    assert int(packed.headers["Content-Length"]) == len(packed.get_data())


AUTOCOMPLETE = {
    "given_name": ("given-name", None, "text"),
    "family_name": ("family-name", None, "text"),
    "email_address": ("email", "email", "email"),
    "phone_number": ("tel", "tel", "tel"),
    "street_address": ("street-address", None, None),
    "postal_code": ("postal-code", None, "text"),
    "locality": ("address-level2", None, "text"),
    "country": ("country-name", None, "text"),
}


@pytest.mark.parametrize(("name", "expected"), AUTOCOMPLETE.items(), ids=AUTOCOMPLETE.keys())
def test_a_control_has_a_label_and_says_what_it_is_for(
    publish: Publish, name: str, expected: tuple[str, str | None, str | None]
) -> None:
    page = publish({"fields": [{"name": name, "required": True}, {"name": "given_name"}]}).soup()

    control = page.find(attrs={"name": f"person.{name}"})
    label = page.find("label", attrs={"for": control["id"]})
    autocomplete, inputmode, kind = expected
    assert label.get_text().strip()
    assert "required" in label.get_text()
    assert control["autocomplete"] == autocomplete
    assert control.get("inputmode") == inputmode
    assert (control.get("type", "text") if control.name == "input" else None) == kind


def test_a_label_can_be_the_words_of_the_organisation(publish: Publish) -> None:
    page = publish({"fields": [{"name": "locality", "label": "Where <do> you live?"}]}).soup()

    assert page.find("label", attrs={"for": "act-person-locality"}).get_text().startswith("Where <do> you live?")


def test_a_question_of_each_type_is_asked(publish: Publish, api: Client) -> None:
    responses = [{"key": "yes", "title": "Yes, I <do>"}, {"key": "no", "name": "No"}]
    ids = {}
    for kind in ("SingleChoice", "MultiChoice", "Paragraph"):
        body = {"title": f"About {kind}?", "description": "Take your time.", "question_type": kind}
        body |= {"identifiers": [f"crm:{kind}"]} | ({} if kind == "Paragraph" else {"responses": responses})
        ids[kind] = api.created("/questions", body)["_links"]["self"]["href"].rsplit("/", 1)[1]
    fields = [{"question": f"crm:{kind}", "required": kind == "SingleChoice"} for kind in ids]

    page = publish({"fields": [*fields, {"question": "crm:gone"}]}).soup()

    for kind, control in (("SingleChoice", "radio"), ("MultiChoice", "checkbox")):
        found = page.find_all(attrs={"name": f"answers.{ids[kind]}"})
        assert [(each["type"], each["value"]) for each in found] == [(control, "yes"), (control, "no")]
        assert [page.find("label", attrs={"for": each["id"]}).get_text().strip() for each in found] == [
            "Yes, I <do>",
            "No",
        ]
        group = found[0].find_parent("fieldset")
        assert f"About {kind}?" in group.legend.get_text()
        assert page.find(id=group["aria-describedby"]).get_text() == "Take your time."
    text = page.find("textarea", attrs={"name": f"answers.{ids['Paragraph']}"})
    assert "About Paragraph?" in page.find("label", attrs={"for": text["id"]}).get_text()


def test_the_source_of_a_visit_is_kept_in_the_form(publish: Publish) -> None:
    page = publish()

    values = page.filled(
        suffix="/embed?source=letter&utm_medium=mail&email=jane@example.com",
        headers={"Referer": "https://river.example.org/act?email=jane@example.com&utm_source=x"},
    )

    assert values["source"] == "letter"
    assert values["utm_medium"] == "mail"
    assert values["website"] == "https://river.example.org"
    assert values["url"] == "https://river.example.org/act?utm_source=x&source=letter&utm_medium=mail"
    assert "jane" not in str([value for name, value in values.items() if not name.startswith("person.")])


def test_a_page_keeps_the_origin_of_the_site_that_led_to_it(publish: Publish) -> None:
    values = publish().filled(headers={"Referer": "https://search.example/?q=jane@example.com"})

    assert values["referrer"] == "https://search.example"
    assert "website" not in values


def test_our_own_pages_are_no_referrer(publish: Publish) -> None:
    assert "referrer" not in publish().filled(headers={"Referer": "http://localhost/act/protect-the-river"})
