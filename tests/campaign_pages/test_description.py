"""The description of a campaign becomes safe HTML when it is shown."""

import pytest
from bs4 import BeautifulSoup

from osdi.campaign_pages.description import description_of

TEXTS = {
    "one paragraph": ("Save it.", "<p>Save it.</p>"),
    "paragraphs": ("One.\n\nTwo.\r\n \r\nThree.", "<p>One.</p><p>Two.</p><p>Three.</p>"),
    "a line break": ("One,\ntwo.", "<p>One,<br>two.</p>"),
    "signs of HTML": ("a < b & c > d", "<p>a &lt; b &amp; c &gt; d</p>"),
    "an address in angle brackets": ("<jane@river.example.org>", "<p>&lt;jane@river.example.org&gt;</p>"),
    "nothing": ("", ""),
    "blank lines": ("\n\n \n", ""),
}


@pytest.mark.parametrize(("text", "html"), TEXTS.values(), ids=TEXTS.keys())
def test_plain_text_becomes_paragraphs(text: str, html: str) -> None:
    assert description_of(text).html == html


KEPT = {
    "text": "<p>Save <strong>the</strong> <em>river</em><br>now</p>",
    "headings": "<h2>Why</h2><h3>How</h3><h4>When</h4>",
    "lists": "<ul><li>a</li></ul><ol><li>b</li></ol>",
    "a quotation": "<blockquote>c</blockquote>",
}


@pytest.mark.parametrize("html", KEPT.values(), ids=KEPT.keys())
def test_elements_of_text_are_kept(html: str) -> None:
    assert description_of(html).html == html


DANGEROUS = (
    "<script>alert(1)</script>",
    "<p onclick=alert(1)>x</p>",
    "<img src=x onerror=alert(1)>",
    "<img src='http://tracker.example/x.png'>",
    "<img src='data:image/svg+xml,<svg onload=alert(1)>'>",
    "<a href='javascript:alert(1)'>x</a>",
    "<a href='JaVa\tScRiPt:alert(1)'>x</a>",
    "<a href='data:text/html,x'>x</a>",
    "<a href='//evil.example'>x</a>",
    "<a href='https://a@evil.example'>x</a>",
    "<svg><script>alert(1)</script></svg>",
    "<math><mi xlink:href='javascript:alert(1)'>x</mi></math>",
    "<iframe src='https://evil.example'></iframe>",
    "<form action='https://evil.example'><input name=x></form>",
    "<p style='position:fixed'>x</p>",
    "<p class=card id=act-errors>x</p>",
    "<style>p { display: none }</style>",
    "<base href='https://evil.example'>",
    "<meta http-equiv=refresh content='0;url=https://evil.example'>",
    "<a href='https://x.example' target=_top>x</a>",
    "<noscript><p title='</noscript><img src=x onerror=alert(1)>'>",
)
HARMLESS = {"a": {"href", "rel"}, "img": {"src", "alt", "width", "height"}}
ELEMENTS = {*["p", "a", "ul", "ol", "li", "strong", "em", "h2", "h3", "h4", "blockquote", "br", "img"]}


@pytest.mark.parametrize("html", DANGEROUS)
def test_dangerous_html_loses_what_is_dangerous(html: str) -> None:
    found = description_of(f"<p>before</p>{html}<p>after</p>")

    page = BeautifulSoup(found.html, "html.parser")
    assert "before" in page.get_text()
    for element in page.find_all(True):
        assert element.name in ELEMENTS
        assert set(element.attrs) <= HARMLESS.get(element.name, set())
        assert str(element.get("href", "https://")).startswith(("https://", "http://"))
        assert "evil" not in str(element.get("href", ""))
        assert str(element.get("src", "https://")).startswith("https://")
    assert found.image_origins == ()
    assert "alert(1)" not in found.html


def test_a_link_gives_nothing_to_the_site_that_it_leads_to() -> None:
    (link,) = BeautifulSoup(description_of("<a href='https://x.example/a?b=c'>x</a>").html, "html.parser").find_all("a")

    assert link["href"] == "https://x.example/a?b=c"
    assert link["rel"] == ["noopener", "nofollow"]


def test_the_origins_of_images_are_known() -> None:
    html = "<img src='https://a.example/1.png' alt='A' width=10 height=10><img src=https://b.example:8443/2.png>"

    found = description_of(html + html)

    assert found.image_origins == ("https://a.example", "https://b.example:8443")
    assert 'alt="A"' in found.html
