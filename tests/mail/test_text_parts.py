"""Text parts of mails that differ in their words only: converted once, and the same as if each had been converted."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from osdi.mail import html_text, text_parts
from osdi.mail.html_text import MAX_LENGTH
from osdi.mail.text_parts import CACHED, MAX_CACHED_LENGTH, MAX_WORDS, text_of
from tests.mail.test_html_text import LAYOUT, PIECES

URL = "https://osdi.example.org/unsubscribe/ImphbmUi.sig_na-ture?lang=de"
ANOTHER = "https://osdi.example.org/unsubscribe/Im1hcnki.an-other_one?lang=de"


def mail(name: str, url: str) -> str:
    return (
        f"<!doctype html><html><head><style>p > b {{ margin: 0 }}</style></head><body><p>Dear {name},<br>\n"
        f' this is <b>yours</b> &amp; only yours.</p><ul><li>{name}</li></ul><p><a href="{url}">Unsubscribe</a></p>'
    )


def conversions() -> int:
    return text_parts._converted.cache_info().misses


def test_mails_that_differ_in_words_and_link_are_converted_once() -> None:
    text_of(mail("Jane", URL), URL)
    before = conversions()

    for name in ("Mary Ann", "Zoë", "1.5 * 2 = 3 # _x_", "שלום 👩\u200d🚀", "'[O](x)"):
        text = text_of(mail(name, ANOTHER), ANOTHER)

        assert text == f"Dear {name},\nthis is yours & only yours.\n\n- {name}\n\nUnsubscribe ({ANOTHER})"
        assert text == html_text.text_of(mail(name, ANOTHER))
    assert conversions() == before


def test_a_mail_with_tables_for_its_layout_is_converted_once() -> None:
    text_of(LAYOUT, URL)
    before = conversions()

    text = text_of(LAYOUT.replace("Jane", "Mary Ann"), URL)

    assert text == html_text.text_of(LAYOUT).replace("Jane", "Mary Ann")
    assert conversions() == before


@pytest.mark.parametrize(
    ("html", "another"),
    [
        ("<p>a</p>", "<p>a  b</p>"),
        ("<p>a</p>", "<p>a\xa0b</p>"),
        ("<p>a</p>", "<p>a\u2028b</p>"),
        ("<p>a</p>", "<p> a</p>"),
        ("a<br> b", "a<br>&nbsp;b"),
        # The words of a link are compared with its address.
        ('<a href="https://example.org">us</a>', '<a href="https://example.org">https://example.org</a>'),
        ('<a href="mailto:a@example.org">us</a>', '<a href="mailto:a@example.org">a@example.org</a>'),
        ('<a href="https://b.org"><a>c</a>us</a>', '<a href="https://b.org"><a></a>https://b.org</a>'),
        (f'<a href="{URL}">us</a>', f'<a href="{URL}">{URL}</a>'),
        (f'<a href="{URL}">us</a>', f'<a href="{URL}">{ANOTHER}</a>'),
        (f'<a href="mailto:{URL}">us</a>', f'<a href="mailto:{ANOTHER}">us</a>'),
        ('<a href="https://b"><script></a></script>us</a>', '<a href="https://b"><script></a></script>https://b</a>'),
        # A reference is one with the letters after it, and may be that to a mark.
        ("<p>&am p;</p>", "<p>&amp;</p>"),
        ("<p>&ampx</p>", "<p>&ampy</p>"),
        ("<p>a &#57344; b</p>", "<p>c &#57344; d</p>"),
        ("<p>a &#057344; b</p>", "<p>c &#57344; d</p>"),
        ("<p>a &#xE000; b</p>", "<p>c &#xE000; d</p>"),
        ("<p>a \ue000 b</p>", "<p>c \ue000 d</p>"),
        ("<a>\ue000</a> b", "<a>\ue000</a> c"),
        (f"<p>\uf8ff {URL}</p>", f"<p>\uf8ff {ANOTHER}</p>"),
        # Words that are no text.
        ("<!-- a > b -->c", "<!-- a > d --->c"),
        ("<!-->a-->b", "<!-->c-->d"),
        ("<p style='>a<p class='>b", "<p style='>display:none<p class='>b"),
        ('<img alt="a >b c" d>e', '<img alt="a >f" d>e'),
        ('<p style=">a<p class=">b', '<p style=">display:none<p class=">b'),
        ("<script>a <b</script>c", "<script>a <b </script>d"),
        ("<textarea><b>a</textarea>b", "<textarea><b hidden>a</textarea>b"),
        ("a &#; b;", "c &#; d;"),
        ("a < b", "a <b b"),
    ],
)
def test_pieces_other_than_words_stay_as_they_are(html: str, another: str) -> None:
    for each in (html, another):
        for url in (URL, ANOTHER):
            assert text_of(each, url) == html_text.text_of(each)


MORE = [
    *("<a href='https://b.org/'>", "<a href='mailto:a@b.org'>", "https://b.org/", "a@b.org", "mailto:", "<a>", "</a>"),
    *("&amp;", "&#39;", "&copy", "&nope ", "&", "&#x2019;", "&#57344;", "&#128077;", ";", "O", "Jane", " Doe ", " "),
    *("<!-- a -->", "<style>p > a { b }</style>", "<title>c</title>", "<p hidden>", "<div>", "</div>", "</p>", "<q>"),
    *("<span style='display:none'>", "</span>", "<ol start=3>", "<h1>", "</h1>", "<code>", "<br/>", "<sup>", "<dd>"),
    *(URL, f"<a href='{URL}'>", f"<a href='{ANOTHER}'>", "?lang=de", "\xa0", "\x85", "\u2028", "\n", "  ", "'", '"'),
]


@given(st.lists(st.sampled_from(MORE) | st.sampled_from([*PIECES, *MORE]), max_size=30).map("".join))
def test_the_text_of_any_html_is_that_of_the_conversion(html: str) -> None:
    assert text_of(html, URL) == html_text.text_of(html)


def test_html_that_is_too_long_or_has_too_many_words_is_converted_as_it_is() -> None:
    before = conversions()

    for html in ("<p>word</p>" * (MAX_CACHED_LENGTH // 10), "a\n" * (MAX_WORDS + 1)):
        assert text_of(html, URL) == html_text.text_of(html)
    assert conversions() == before


def test_the_cache_is_bounded() -> None:
    for number in range(CACHED + 10):
        assert text_of(f"<p>{'<b>a</b> ' * number}</p>", URL) == " ".join(["a"] * number)

    assert text_parts._converted.cache_info().currsize == CACHED


@pytest.mark.parametrize(
    "unit",
    ["<", "<a ", "<a x='", "<!--", "<!-- -", "<style>", "<title", "&", "&#", "<p a", "<p a=b ", " ", "a ", "</a"],
)
@pytest.mark.parametrize("end", ["", ">x"])
def test_no_html_takes_long_to_be_marked(unit: str, end: str) -> None:
    began = time.process_time()

    text_parts._marked(unit * (MAX_LENGTH // len(unit)) + end)

    assert time.process_time() - began < 1
