"""Links to share a campaign: addresses with their source, texts in turn, and nothing of the supporter."""

from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from osdi.campaign_pages.acting.share import mastodon_link, share_of, with_source

PAGE = "https://act.example.org/act/river"
CAMPAIGN = {"title": "Save the river", "summary": "It dries out & nobody acts."}


def links(campaign: dict[str, Any], turn: int = 0) -> dict[str, str]:
    return {each.medium: each.link for each in share_of(campaign, PAGE, turn=turn).links}


def query(link: str) -> dict[str, str]:
    return {name: value for name, (value,) in parse_qs(urlsplit(link).query, strict_parsing=True).items()}


def test_each_link_opens_its_site_with_text_and_source() -> None:
    found = links(CAMPAIGN)
    text = CAMPAIGN["summary"]
    assert query(found["email"]) == {
        "subject": "Save the river",
        "body": f"{text}\r\n\r\n{PAGE}?source=share-email",
    }
    assert found["email"].startswith("mailto:?")
    assert (urlsplit(found["whatsapp"]).netloc, query(found["whatsapp"])) == (
        "wa.me",
        {"text": f"{text} {PAGE}?source=share-whatsapp"},
    )
    assert (urlsplit(found["facebook"]).netloc, query(found["facebook"])) == (
        "www.facebook.com",
        {"u": f"{PAGE}?source=share-facebook"},
    )
    assert (urlsplit(found["x"]).netloc, query(found["x"])) == (
        "x.com",
        {"text": text, "url": f"{PAGE}?source=share-x"},
    )
    assert (urlsplit(found["bluesky"]).netloc, query(found["bluesky"])) == (
        "bsky.app",
        {"text": f"{text} {PAGE}?source=share-bluesky"},
    )
    assert share_of(CAMPAIGN, PAGE).address == f"{PAGE}?source=share-link"


def test_a_campaign_without_a_summary_is_shared_by_its_title() -> None:
    assert share_of({"title": "Save\r\nthe river"}, PAGE).text == "Save the river"
    assert share_of({"name": "River"}, PAGE).text == "River"


def test_several_variations_are_shown_in_turn() -> None:
    options = [
        {"twitter_share": {"message": "One"}},
        {"facebook_share": {"title": "No text for X"}},
        {"twitter_share": {"message": "Two", "share_url": "https://other.example/x?a=1"}},
    ]
    campaign = {**CAMPAIGN, "share_options": options}
    assert [query(links(campaign, turn)["x"])["text"] for turn in range(4)] == ["One", "Two", "One", "Two"]
    assert query(links(campaign, 1)["x"])["url"] == "https://other.example/x?a=1&source=share-x"


def test_a_mail_has_the_text_of_the_campaign() -> None:
    option = {"email_share": {"subject": "Hi?bcc=eve@example.org", "body": "Dear friend,\nread this."}}
    found = links({**CAMPAIGN, "share_options": [option]})["email"]
    assert query(found) == {
        "subject": "Hi?bcc=eve@example.org",
        "body": f"Dear friend,\r\nread this.\r\n\r\n{PAGE}?source=share-email",
    }


@pytest.mark.parametrize(
    ("fields", "address"),
    [
        ({"share_url": "https://river.example.org/?a=1#b"}, "https://river.example.org/?a=1&source=share-link#b"),
        ({"browser_url": "https://river.example.org"}, "https://river.example.org?source=share-link"),
        ({"share_url": "javascript:alert(1)"}, f"{PAGE}?source=share-link"),
        ({"share_url": "/path", "browser_url": "data:text/html,x"}, f"{PAGE}?source=share-link"),
    ],
)
def test_the_address_of_the_campaign_is_shared_if_it_is_one(fields: dict[str, str], address: str) -> None:
    assert share_of({**CAMPAIGN, **fields}, PAGE).address == address


@pytest.mark.parametrize(
    ("address", "shared"),
    [
        ("https://a.example/?source=news", "https://a.example/?source=share-x"),
        ("https://a.example/?source=a&b=2&source=c", "https://a.example/?b=2&source=share-x"),
        ("https://a.example/?resource=1", "https://a.example/?resource=1&source=share-x"),
        ("https://a.example/?b=%26source%3D1", "https://a.example/?b=%26source%3D1&source=share-x"),
    ],
)
def test_an_address_has_one_source(address: str, shared: str) -> None:
    assert with_source(address, "x") == shared


@pytest.mark.parametrize("server", ["mastodon.example", " https://mastodon.example/ ", "@jane@mastodon.example"])
def test_a_mastodon_server_is_named_by_the_supporter(server: str) -> None:
    link = mastodon_link(server, share_of(CAMPAIGN, PAGE))
    assert link is not None
    assert link.startswith("https://mastodon.example/share?")
    assert query(link) == {"text": f"{CAMPAIGN['summary']} {PAGE}?source=share-mastodon"}


@pytest.mark.parametrize(
    "server",
    [
        "",
        "mastodon",
        "javascript:alert(1)",
        "http://mastodon.example",
        "a b.example",
        "evil.example\\@x",
        "//",
        "@",
        "[::1",
        "x" * 5_000 + ".example",
        "mastodon.example<script>",
    ],
)
def test_a_text_that_names_no_server_gives_no_link(server: str) -> None:
    assert mastodon_link(server, share_of(CAMPAIGN, PAGE)) is None


def test_a_long_text_is_shortened_for_x() -> None:
    text = query(links({"title": "x" * 2_000})["x"])["text"]
    assert len(text) == 250
