"""The text part that is made of a mail's HTML."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from osdi.mail.html_text import MAX_DEPTH, MAX_LENGTH, text_of

LAYOUT = """
<!DOCTYPE html>
<html><head><meta charset="utf-8"><title>Thanks</title><style>p { margin: 0 }</style></head>
<body><div style="display: none">The first line in a list of mails</div>
<table role="presentation"><tr><td align="center">
  <table><tr><td><img src="https://example.org/logo.png" alt="Save the River"></td></tr>
  <tr><td><h1>Thank you, Jane!</h1>
    <p>Your message to <b>Senator Smith</b> is
       on its way.</p>
    <ul><li><a href="https://example.org/share">Share</a></li><li>Come on Friday</li></ul>
    <p>Your team<br>in Riverton</p></td></tr></table>
</td></tr></table></body></html>
"""


def test_a_mail_with_tables_for_its_layout() -> None:
    assert text_of(LAYOUT) == (
        "Save the River\n\nThank you, Jane!\n\nYour message to Senator Smith is on its way.\n\n"
        "- Share (https://example.org/share)\n- Come on Friday\n\nYour team\nin Riverton"
    )


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("", ""),
        ("Hello", "Hello"),
        ("  Hello,\n   Jane \t!  ", "Hello, Jane !"),
        ("<p>Hello</p><p>Jane</p>", "Hello\n\nJane"),
        ("<p>Hello<p>Jane", "Hello\n\nJane"),
        ("<div>Hello</div><div>Jane</div>", "Hello\n\nJane"),
        ("Hello<br>Jane<br/>Doe", "Hello\nJane\nDoe"),
        ("<h1>Hello</h1>Jane<h2>Doe<br>II</h2>", "Hello\n\nJane\n\nDoe\nII"),
        ("<header>a</header><main>b</main><footer>c</footer>", "a\n\nb\n\nc"),
        ("<center>a</center>b<address>c</address>", "a\n\nb\n\nc"),
        ("a<hr>b", "a\n\n---\n\nb"),
        ("<blockquote><p>To be</p><p>or not</p></blockquote>", "> To be\n>\n> or not"),
        ("<pre>  two\n    lines\n</pre>", "two\n    lines"),
        # Emphasis has no marks, and what looks like Markdown is left alone.
        ("<b>a</b> <strong>b</strong> <i>c</i> <em>d</em> <del>e</del> <code>f</code> <sup>g</sup>", "a b c d e f g"),
        ("*a* _b_ # c [d](e) 1. f \\ `g`", "*a* _b_ # c [d](e) 1. f \\ `g`"),
        ("<q>a</q>", '"a"'),
        ("1 &lt; 2 &amp; 3 &gt; 2 &copy; &#128077;", "1 < 2 & 3 > 2 © 👍"),
        ("1 < 2", "1 < 2"),
        ("שלום 👩\u200d🚀", "שלום 👩\u200d🚀"),
        # Links.
        ('<a href="https://example.org/a?b=1&amp;c=2">Read</a> on', "Read (https://example.org/a?b=1&c=2) on"),
        ('Read<a href="https://example.org"> this </a>now', "Read this (https://example.org) now"),
        ('<a href="https://example.org">https://example.org</a>', "https://example.org"),
        ('<a href="https://example.org"><img src="x"></a>', "https://example.org"),
        ('<a href="https://example.org"><img src="x" alt="Us"></a>', "Us (https://example.org)"),
        ('<a href="https://example.org"><div>A button</div></a>b', "A button (https://example.org)\n\nb"),
        ('<a href="mailto:a@example.org?subject=Hi">Write</a>', "Write (a@example.org)"),
        ('<a href="MAILTO:a@example.org">a@example.org</a>', "a@example.org"),
        ('<a href="tel:+12125550100">Call</a>', "Call (tel:+12125550100)"),
        ('<a href=" https://example.org/\n a ">Read</a>', "Read (https://example.org/a)"),
        ('<a href="#top">Up</a> <a name="here">here</a> <a href="">there</a>', "Up here there"),
        ('<a href="javascript:alert(1)">Click</a> <a href="data:text/html,x">me</a>', "Click me"),
        # A line does not begin with a space.
        ("a<br>\nb<br> c<br>\n\n  <b>d</b>", "a\nb\nc\nd"),
        ("<p>Dear Ann,<br>\n  first<br />\n\tsecond</p>", "Dear Ann,\nfirst\nsecond"),
        ("<pre>a<br>  b</pre>", "a\n  b"),
        ("a<br>&nbsp;&nbsp;b", "a\n  b"),
        # Lists.
        ("<ul><li>a</li><li>b</li></ul>c", "- a\n- b\n\nc"),
        ("<ol><li>a</li><li>b</li></ol>", "1. a\n2. b"),
        ('<ol start="9"><li>a</li><li>b<br>c</li></ol>', "9. a\n10. b\n    c"),
        ('<ol start="-1"><li>a</li></ol>', "1. a"),
        ("<ul><li>a<ul><li>b</li></ul></li><li>c</li></ul>", "- a\n  - b\n- c"),
        ("<ul><li>a<li>b<ol><li>c<li>d</ol><li>e</ul>", "- a\n- b\n  1. c\n  2. d\n- e"),
        ('<li value="7">a</li>', "- a"),
        ("<dl><dt>a<dd>b<dt>c<dd>d</dl>", "a\n\nb\n\nc\n\nd"),
        # Tables.
        ("<table><tr><th>Day</th><th>Time</th></tr><tr><td>Friday</td><td>8</td></tr></table>", "Day Time\nFriday 8"),
        ("<table><tr><th>Day<th>Time<tr><td>Friday<td>8 pm</table>", "Day Time\nFriday 8 pm"),
        ("<table><tbody><tr><td><p>a</p><p>b</p></td><td>c</td></tr></tbody></table>d", "a\n\nb\n\nc\n\nd"),
        ("<table><caption>When</caption><tr><td>a<br>b</td></tr></table>", "When\n\na\nb"),
        # Invisible content.
        ("<html><head><title>Title</title><body>Hello", "Hello"),
        ("<style>p {}</style><script>alert('<p>')</script><template><style></style>x</template>Hello", "Hello"),
        ('<p hidden>a</p><p style="Display : None">b<i style="display:none">c</i></p><p>d</p>', "d"),
        ("a<!-- b --><!DOCTYPE html><?php c ?><![if !mso]>d<![endif]><![CDATA[e]]>", "ad"),
        ('a<!--[if mso]><p>b</p><![endif]--><!--[if !mso]><!-->c<!--<![endif]-->', "ac"),
        ('<?xml version="1.0"?><html xmlns="http://www.w3.org/1999/xhtml"><body>Hello</body></html>', "Hello"),
        ("https://example.org/only/an/address", "https://example.org/only/an/address"),
        ('<img src="a"><img src="b" alt=""><img src="c" alt="Us"><video src="d">e</video>', "Use"),
        # Names that markdownify treats specially, and numbers that Python cannot parse.
        ("<soup>a</soup><fn_cache>b</fn_cache><hn>c</hn><_>", "abc<_>"),
        (f"<h{'9' * 5_000}>a", "a"),
        (f'<ol start="{"9" * 5_000}"><li>a</ol>', "1. a"),
        ('<ol start="٣"><li>a</ol><table><tr><td colspan="²">b</table>', "1. a\n\nb"),
        ("a<![b<![c>d", "a<![b<![c>d"),
        # Line ends are normalised, and there is at most one blank line.
        ("<p>a</p>\r\n\r\n<br><br><br><p>&nbsp;</p><p>b\x85c</p>", "a\n\nb\nc"),
    ],
)  # fmt: skip
def test_the_text_of_html(html: str, text: str) -> None:
    assert text_of(html) == text


@pytest.mark.parametrize("depth", [MAX_DEPTH - 10, MAX_DEPTH + 10, 10_000])
@pytest.mark.parametrize("tag", ["div", "blockquote", "p", "a href=https://example.org", "table><tr><td"])
def test_deeply_nested_elements_are_read(tag: str, depth: int) -> None:
    assert "Hello" in text_of(f"<{tag}>" * (depth // (tag.count("<") + 1)) + "Hello")


def test_too_deep_or_too_long_html_becomes_bare_words() -> None:
    deep, long = "<div>" * (MAX_DEPTH + 1), "<p>word</p>" * (MAX_LENGTH // 10)

    assert text_of(f"{deep}<p>Hello <b>Jane</b></p><style>a</style><p>Doe</p>") == "Hello\nJane\nDoe"
    assert set(text_of(f"<style>a</style>{long}").split("\n")) == {"word"}


@pytest.mark.one_in(10)
@pytest.mark.parametrize(
    "unit",
    [
        "<", "<a ", "<a x='", '<a x="', "<!", "<!--", "<!--<b>", "<![", "<![CDATA[", "<?", "</", "</a ", "<!]]><é", "&",
        "&#", "<p>", "<b>", "<li>", "<td>", "<tr>", "<dd>", "<li><li></li></li>", "<ol><li>", "<br>", "\n", " ",
        "<pre> ", "<p style='display", "<script>", "</script ", "<a x='<script><b><p ='",
    ],
)  # fmt: skip
@pytest.mark.parametrize("end", ["", ">x"])
def test_no_html_takes_long(unit: str, end: str) -> None:
    began = time.process_time()

    text_of(unit * (MAX_LENGTH // 2 // len(unit)) + end)

    assert time.process_time() - began < 5  # without our cuts some of these take minutes


@pytest.mark.one_in(4)
@pytest.mark.parametrize("unit", ["<br> ", "<br>\n", "x<br> ", "<b>x</b><br>\t"])
def test_very_many_line_breaks_take_no_long_time(unit: str) -> None:
    """They are children of one element, in which the parser searches for each that is replaced."""
    began = time.process_time()

    text_of(unit * (MAX_LENGTH // len(unit)))

    assert time.process_time() - began < 5


PIECES = [
    "<p>",
    "</p>",
    "<b>",
    "<td>",
    "<tr>",
    "<table>",
    "</table>",
    "<li>",
    "<ul>",
    "<ol>",
    "<br>",
    "<pre>",
    "</pre>",
]
PIECES += [
    "<a href='https://example.org'>",
    "</a>",
    "<![",
    "<!--",
    "-->",
    "<!",
    "<?",
    "<![CDATA[",
    "]]>",
    "</",
    "<",
    ">",
    "&#",
]
PIECES += [
    "<script>",
    "</script>",
    "<title>",
    "<dl>",
    "<dt>",
    "<blockquote>",
    "<h1>",
    "<img alt='\n'>",
    "\r\n",
    "\t",
    "<svg>",
]


@given(st.lists(st.sampled_from(PIECES) | st.text(st.characters(exclude_categories=["Cs"]), max_size=5), max_size=40))
def test_text_of_any_html_has_no_trailing_spaces_or_repeated_blank_lines(pieces: list[str]) -> None:
    text = text_of("".join(pieces))

    assert text == text.strip()
    assert "\n\n\n" not in text
    assert [line for line in text.splitlines() if line != line.rstrip()] == []
