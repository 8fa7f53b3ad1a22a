"""Which text is HTML: one with a tag that HTML defines."""

import time

import pytest

from osdi.mail.html_tags import is_html


@pytest.mark.parametrize(
    "text",
    [
        "<p>Hello</p>",
        "Hello<br>Jane",
        "Hello<br/>Jane",
        "Hello<br />Jane",
        "Hello<BR\n>Jane",
        "Thanks</p>",
        '<a href="{{ unsubscribe_url }}">Stop</a>',
        "<a href=x>x",
        "<IMG SRC='x' alt='a'>",
        '<font color="red">x',
        "<center>x</center>",
        '<h1\nclass="a">x',
        '<td width="1" nowrap>x',
        "<!DOCTYPE html>\nHello",
        "<!doctype HTML PUBLIC 'x'>",
        "Hello<!-- a\ncomment -->",
        '<div title="a > b">x',
        "1 < 2 <b>and</b> 3 > 2",
        "Write to <jane@river.example.org> <b>today</b>",
    ],
)
def test_a_tag_of_html_makes_html(text: str) -> None:
    assert is_html(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Dear Ann",
        "Write to Jane <jane@river.example.org> for more.",
        "Write to <a@river.example.org>, <b@river.example.org> or <p.q@river.example.org>",
        "See <https://river.example.org/a?b=c> and <http://river.example.org>.",
        "See <mailto:jane@river.example.org>",
        "See <www.river.example.org>",
        "I <3 rivers </3",
        "We <heart> rivers",
        "1 < 2 and 3 > 2",
        "1<2 and 3>2",
        "a<b and c>d",
        "if (a<b) return; c>d",
        "<<< Protect the river >>>",
        "<-- here, --> there, <!-- open",
        "<!> <?> <?php x ?> </> <>",
        "<Your name>, <your-address>, <NAME OF SENATOR>",
        "Call <Senator Smith> <call=now>",
        "<o:p>",
        "< br > < p>",
        "<br",
        "a <b",
        "{{ person.given_name }} <{{ person.family_name }}>",
    ],
)
def test_anything_else_is_text(text: str) -> None:
    assert not is_html(text)


@pytest.mark.parametrize("unit", ["<a ", "<b", "<a x=", "<!--", "<!doctype ", "</", "x=", "=", " "])
@pytest.mark.parametrize("start", ["", "<a ", "<!doctype"])
def test_long_texts_are_read_quickly(start: str, unit: str) -> None:
    began = time.process_time()

    assert not is_html(start + unit * 20_000)

    assert time.process_time() - began < 0.5  # a time that grows with the square of the length is one second or more
