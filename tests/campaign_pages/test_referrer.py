"""`referrer_data` of an outreach by a page: sources are kept, personal data of other sites is not."""

import pytest

from osdi.campaign_pages.form.referrer import referrer_data

PAGE = "https://osdi.example.org/act/river"


def found(controls: dict[str, str], **options: str) -> dict[str, str]:
    return referrer_data(lambda name: controls.get(name, ""), **options)


CASES: dict[str, tuple[dict[str, str], dict[str, str]]] = {
    "nothing": ({}, {}),
    "a source": ({"source": "letter"}, {"source": "letter"}),
    "the source of a campaign": ({"utm_source": "letter", "utm_medium": "mail"}, {"source": "letter"}),
    "both": ({"source": "a", "utm_source": "b"}, {"source": "a"}),
    "a blank source": ({"source": " ", "utm_source": "b"}, {"source": "b"}),
    "a referrer": ({"referrer": "https://search.example/?q=jane@example.com"}, {"referrer": "https://search.example"}),
    "a website": ({"website": "https://river.example.org/a/b"}, {"website": "https://river.example.org"}),
    "no addresses": ({"referrer": "javascript:1", "website": "null", "url": "about:blank"}, {}),
    "an address with personal data": (
        {"url": "https://river.example.org/act?email=jane@example.com&utm_source=x&name=Jane&source=y#jane"},
        {"url": "https://river.example.org/act?utm_source=x&source=y"},
    ),
    "a path with an e-mail address": (
        {"url": "https://river.example.org/unsubscribe/jane@example.com"},
        {"url": "https://river.example.org"},
    ),
    "an encoded path with an e-mail address": (
        {"url": "https://river.example.org/u/jane%40example.com?source=x"},
        {"url": "https://river.example.org?source=x"},
    ),
    "an address with a user": ({"url": "https://jane:secret@river.example.org/"}, {}),
}


@pytest.mark.parametrize(("controls", "expected"), CASES.values(), ids=CASES.keys())
def test_the_source_is_read_without_personal_data(controls: dict[str, str], expected: dict[str, str]) -> None:
    assert found(controls) == expected


def test_the_address_of_the_page_has_the_sources_of_the_visit() -> None:
    controls = {"source": "a b", "utm_medium": "mail"}

    assert found(controls, page_url=PAGE)["url"] == f"{PAGE}?source=a+b&utm_medium=mail"


def test_a_control_counts_more_than_a_header() -> None:
    controls = {"url": "https://river.example.org/act", "website": "https://river.example.org"}

    assert found(controls, page_url="https://other.example/x", website="https://other.example") == controls
