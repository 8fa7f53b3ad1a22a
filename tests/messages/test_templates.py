"""Templates: their output, the errors when a client saves one, and proof that a saved template cannot fail later."""

import datetime as dt
import time
from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import given, settings

from osdi.messages.template_check import Mistake
from osdi.messages.template_fields import fields
from osdi.messages.templates import MAX_RENDERED_LENGTH, Rendered, TooLarge, check, render

PERSON = {"given_name": "Jane", "family_name": "O'Neil", "custom_fields": {"shirt": "M", "values": "kind"}}
OUTREACH = {
    "type": "phone",
    "duration": 120,
    "action_date": dt.datetime(2026, 3, 18, 16, 2, 15),
    "targets": [{"title": "Senator", "family_name": "Smith"}, {"title": "Mayor", "family_name": "Ng"}],
}
CAMPAIGN = {"title": "Rivers & lakes"}


def filled(template: str, **values: Any) -> str:
    """Returns the HTML that the template renders to."""
    known = fields(PERSON, OUTREACH, CAMPAIGN, by_token=True) | values
    return render({"body": f"<i>{template}"}, None, known).html.removeprefix("<i>")


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("{{ person.given_name }}", "Jane"),
        ("{{ person['given_name'] }}", "Jane"),
        ("{{ person.family_name }}", "O&#39;Neil"),
        ("{{ person.gender }}", ""),
        ("{{ person.gender | default('friend') }}", "friend"),
        ("{{ person.gender | d(person.given_name) }}", "Jane"),
        ("{{ person.given_name | default('friend') }}", "Jane"),
        ("{{ '<b>' }}", "&lt;b&gt;"),
        ("{{ person.birthdate.year }}", ""),
        ("{{ person.custom_fields.shirt }}", "M"),
        ("{{ person.custom_fields.values }}", "kind"),
        ("{{ person.custom_fields.keys }}", ""),
        ("{{ outreach.duration }}", "120"),
        ("{{ outreach.action_date }}", "2026-03-18"),
        ("{{ outreach.action_date | date('%d %B %Y') }}", "18 March 2026"),
        ("{{ person.given_name | date }}", "Jane"),
        ("{{ campaign.title }}", "Rivers &amp; lakes"),
        ("{{ campaign.title | upper }}", "RIVERS &amp; LAKES"),
        ("{{ person.given_name | lower }}{{ '  x ' | trim }}", "janex"),
        ("{{ 'ann lee' | title }} {{ 'ann' | capitalize }}", "Ann Lee Ann"),
        ("{{ targets | length }}", "2"),
        ("{{ (targets | first).title }} {{ targets[1].title }} {{ targets[9].title }}", "Senator Mayor "),
        ("{{ (targets | last).family_name }}", "Ng"),
        ("{{ targets }}{{ person }}", ""),
        (
            "{% for target in targets %}{{ target.title }}{% if not loop.last %}, {% endif %}{% endfor %}",
            "Senator, Mayor",
        ),
        ("{% for t in outreach.targets %}{{ loop.index }}{{ t.family_name }}{% endfor %}", "1Smith2Ng"),
        ("{% for t in targets if t.title == 'Mayor' %}{{ t.family_name }}{% endfor %}", "Ng"),
        ("{% for t in person.parties %}x{% else %}none{% endfor %}", "none"),
        ("{% for t in person.given_name %}x{% endfor %}", ""),
        ("{% for t in outreach.duration %}x{% endfor %}", ""),
        ("{% if outreach.type == 'phone' %}called{% else %}wrote{% endif %}", "called"),
        ("{% if person.gender is defined %}x{% else %}y{% endif %}", "y"),
        ("{{ 'a' if person.given_name and not person.gender else 'b' }}", "a"),
        ("{{ outreach.duration != 3 }}", "true"),
        ("{# a comment #}x", "x"),
        ("{% raw %}{{ x }}{% endraw %}", "{{ x }}"),
        ("{{ ''.__class__ }}{{ person.given_name.__class__.__mro__ }}{{ targets.append }}", ""),
    ],
)
def test_a_template_renders(template: str, expected: str) -> None:
    check(template)
    assert filled(template) == expected


MISTAKES = [
    (
        "{{ nothing }}",
        "The name 'nothing' does not exist; known names are person, outreach, targets, campaign, unsubscribe_url.",
    ),
    ("line\n{{ person.givn_name }}", "Line 2: 'person' has no field 'givn_name'."),
    ("{{ person['givn_name'] }}", "'person' has no field"),
    ("{{ outreach.person }}", "'outreach' has no field"),
    ("{{ campaign.match_keys }}", "'campaign' has no field"),
    ("{{ person.match_keys }}", "'person' has no field"),
    ("{% for target in targets %}{{ target.titel }}{% endfor %}", "'target' has no field 'titel'"),
    ("{% for target in targets %}{% endfor %}{{ target.title }}", "The name 'target' does not exist"),
    ("{{ person.given_name | safe }}", "The filter 'safe' does not exist"),
    ("{{ person.given_name | entries }}", "The filter 'entries' does not exist"),
    ("{{ person.given_name | attr('x') }}", "The filter 'attr' does not exist"),
    ("{{ person.given_name | upper(1) }}", "takes 0 arguments"),
    ("{{ person.given_name | join(1, 2) }}", "takes 0 or 1 arguments"),
    ("{{ person.given_name | default }}", "takes 1 argument."),
    ("{{ person.given_name | default(value='x') }}", "takes 1 argument."),
    ("{{ person.given_name | default(*targets) }}", "takes 1 argument."),
    ("{{ outreach.action_date | date(person.given_name) }}", "A date's format"),
    ("{{ outreach.action_date | date('\\ud800') }}", "A date's format"),
    ("{{ person.given_name is divisibleby 2 }}", "The only tests are 'is defined' and 'is undefined'."),
    ("{{ outreach.duration > 3 }}", "The only comparisons are == and !=."),
    ("{{ 'a' in person.given_name }}", "The only comparisons are"),
    ("{{ 1 + 1 }}", "A template can only print fields"),
    ("{{ 9**9**9 }}", "A template can only print fields"),
    ("{{ 'a' * 999999999 }}", "A template can only print fields"),
    ("{{ 'a' ~ 'b' }}", "A template can only print fields"),
    ("{{ -1 }}", "A template can only print fields"),
    ("{{ [1] }}", "A template can only print fields"),
    ("{{ {} }}", "A template can only print fields"),
    ("{{ range(9) }}", "A template can only print fields"),
    ("{{ person.given_name.upper() }}", "A template can only print fields"),
    ("{{ loop.cycle }}", "'loop' has only"),
    ("{{ person.given_name[0:2] }}", "Brackets can contain only"),
    ("{{ person[person.given_name] }}", "Brackets can contain only"),
    ("{% set x = 1 %}", "A template can only print fields"),
    ("{% include 'x' %}", "A template can only print fields"),
    ("{% extends 'x' %}", "A template can only print fields"),
    ("{% import 'x' as y %}", "A template can only print fields"),
    ("{% macro x() %}{% endmacro %}", "A template can only print fields"),
    ("{% block x %}{% endblock %}", "A template can only print fields"),
    ("{% filter upper %}{% endfilter %}", "A template can only print fields"),
    ("{% with x = 1 %}{% endwith %}", "A template can only print fields"),
    ("{% autoescape false %}{{ person.given_name }}{% endautoescape %}", "A template can only print fields"),
    ("{% for a, b in targets %}{% endfor %}", "Write a loop as"),
    ("{% for a in targets recursive %}{% endfor %}", "Write a loop as"),
    ("{% for person in targets %}{% endfor %}", "The name 'person' is already in use"),
    ("{% for a in targets %}{% for a in targets %}{% endfor %}{% endfor %}", "The name 'a' is already in use"),
    ("{% for loop in targets %}{% endfor %}", "already in use"),
    (
        "{% for a in targets %}{% for b in targets %}{% for c in targets %}{% endfor %}{% endfor %}{% endfor %}",
        "Loops can be nested 2 deep",
    ),
    ("{% for a in targets %}" + "x" * 60_000 + "{% endfor %}", "too long"),
    ("{% for a in targets %}{% for b in targets %}" + "x" * 2_000 + "{% endfor %}{% endfor %}", "too long"),
    ("{{ person.given_name }}" * 2_000, "too long"),
    ("{{ " + "(" * 5_000 + "1" + ")" * 5_000 + " }}", "too complex"),
    ("{{ " + "not " * 5_000 + "1 }}", "too complex"),
    ("{{ " + "not " * 30 + "1 }}", "nested too deep"),
    ("{% if person %}" * 30 + "{% endif %}" * 30, "nested too deep"),
    ("{{ " + "9" * 5_000 + " }}", "too complex"),
    ("{{ '\\ud800' }}", "not valid Unicode"),
    ("{{ person.given_name", "expected 'end of print statement'"),
    ("{% if person %}", "end of template"),
    ("{% nonsense %}", "Encountered unknown tag 'nonsense'"),
    ("{# x", "Missing end of comment"),
    ("{{ }}", "Expected an expression"),
    ("{{ 'a }}", ""),
    ("}}{{", ""),
]


@pytest.mark.parametrize(("template", "reason"), MISTAKES, ids=[template[:40] for template, _ in MISTAKES])
def test_an_invalid_template_is_rejected_with_the_reason(template: str, reason: str) -> None:
    with pytest.raises(Mistake) as caught:
        check(template)

    assert reason in str(caught.value)


class TestRender:
    VALUES = fields(PERSON, OUTREACH, CAMPAIGN, by_token=True)

    def test_puts_the_body_between_header_and_footer(self) -> None:
        wrapper = {"header": "<h1>{{ campaign.title }}</h1>", "footer": "<p>Sent by us</p>"}

        html = render({"subject": "x", "body": "<p>Hi</p>"}, wrapper, self.VALUES).html

        assert html == "<h1>Rivers &amp; lakes</h1>\n<p>Hi</p>\n<p>Sent by us</p>"

    def test_keeps_the_line_breaks_of_plain_text(self) -> None:
        html = render({"body": "Dear {{ person.family_name }},\nI <3 you.\r\nBye"}, None, self.VALUES).html

        assert html == "Dear O&#39;Neil,<br>\nI &lt;3 you.<br>\nBye"

    @pytest.mark.parametrize(
        ("body", "text", "html"),
        [
            ("Dear Ann,\nfirst\nsecond", "Dear Ann,\nfirst\nsecond", "Dear Ann,<br>\nfirst<br>\nsecond"),
            ("Jane <jane@river.example.org>", None, "Jane &lt;jane@river.example.org&gt;"),
            ("a\n\n\n\nb", "a\n\n\n\nb", "a<br>\n<br>\n<br>\n<br>\nb"),
            ("- a\n  - b", "- a\n  - b", "- a<br>\n&nbsp;&nbsp;- b"),
            ("a   b", "a   b", "a&nbsp;&nbsp; b"),
            ("a\tb", "a\tb", "a&nbsp;&nbsp;&nbsp;&nbsp;b"),
            ("a\r\nb\rc", "a\nb\nc", "a<br>\nb<br>\nc"),
            ("Hi {{ person.family_name }} & all", "Hi O'Neil & all", "Hi O&#39;Neil &amp; all"),
            ("*bold* _it_ # 1. [x](y)", None, "*bold* _it_ # 1. [x](y)"),
        ],
    )
    def test_sends_plain_text_as_it_was_written(self, body: str, text: str | None, html: str) -> None:
        rendered = render({"body": body}, None, self.VALUES)

        assert (rendered.text, rendered.html) == (text or body, html)

    def test_joins_plain_text_with_a_plain_header_and_footer(self) -> None:
        rendered = render({"body": "Hi"}, {"header": "The River", "footer": "<3"}, self.VALUES)

        assert (rendered.text, rendered.html) == ("The River\nHi\n<3", "The River<br>\nHi<br>\n&lt;3")

    def test_shows_plain_text_between_html_with_its_lines(self) -> None:
        rendered = render({"body": "Dear Ann <a@example.org>,\n  Bye"}, {"header": "<p>The River</p>"}, self.VALUES)

        assert rendered.text == ""
        assert rendered.html == "<p>The River</p>\nDear Ann &lt;a@example.org&gt;,<br>\n&nbsp;&nbsp;Bye"

    def test_makes_the_subject_one_line_that_is_not_escaped(self) -> None:
        values = fields({"given_name": "A\r\nBcc: b@example.com"}, {"message": "x\ny" * 500}, {}, by_token=True)

        subject = render({"subject": "{{ campaign.title | d('R & L') }} {{ outreach.message }}"}, None, values).subject

        assert subject.startswith("R & L x yx y")
        assert 290 < len(subject) <= 300
        assert subject.isprintable()

    def test_leaves_from_and_reply_to_unchanged(self) -> None:
        message = {"from": "{{ person.given_name }} <a@example.org>", "reply_to": "{{ person.given_name }}"}

        rendered = render(message, None, self.VALUES)

        assert (rendered.from_, rendered.reply_to) == (message["from"], message["reply_to"])

    def test_does_not_escape_a_text_message(self) -> None:
        wrapper = {"footer": "STOP ends this"}

        assert render({"body": "Hi {{ person.family_name }} <3"}, wrapper, self.VALUES, "sms") == Rendered(
            text="Hi O'Neil <3\nSTOP ends this"
        )

    def test_raises_for_an_invalid_template_that_was_not_checked(self) -> None:
        with pytest.raises(Mistake):
            render({"body": "{{ nothing }}"}, None, self.VALUES)

    def test_raises_if_the_output_is_too_long(self) -> None:
        values = fields(PERSON, {"message": "<" * 10_000}, CAMPAIGN, by_token=True)
        body = "<i>" + "{{ outreach.message }}" * 200
        check(body)

        with pytest.raises(TooLarge):
            render({"body": body}, None, values)

    def test_renders_the_most_expensive_valid_template_quickly(self) -> None:
        loop = "{% for a in targets %}{% for b in targets %}{{ a.title }}{% endfor %}{% endfor %}"
        values = fields({}, {"targets": [{"title": "T" * 100}] * 100}, {}, by_token=True)
        check(loop * 2)
        began = time.monotonic()

        render({"body": f"<i>{loop * 2}"}, None, values)

        assert time.monotonic() - began < 5, "usually milliseconds"


pieces = st.sampled_from(
    [
        *("{{", "}}", "{%", "%}", " person", ".given_name", ".custom_fields", "['a']", "[0]", " targets", " outreach"),
        *(
            " campaign",
            " | ",
            "default",
            "('x')",
            "upper",
            "join",
            "length",
            "first",
            "date",
            "date('%d')",
            " for",
            " in",
        ),
        *(
            " endfor",
            " if",
            " else",
            " endif",
            " target",
            " loop",
            ".last",
            " == ",
            " not",
            " and",
            " is defined",
            "(",
            ")",
        ),
        *("<b>", "x", " 1", "'", "{#", "#}", "\n", "{% for target in targets %}", "{% endfor %}", "{{ target.title }}"),
    ]
)
anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | st.datetimes(),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["title", "a", "x"]), inner, max_size=3)
    ),
    max_leaves=8,
)


@settings(max_examples=300, deadline=None)
@given(st.lists(pieces, max_size=25).map("".join), st.fixed_dictionaries({"given_name": anything, "parties": anything}))
def test_a_valid_template_renders_with_any_values(template: str, person: dict[str, Any]) -> None:
    try:
        check(template)
    except Mistake:
        return
    values = fields(person, {"targets": [person], "message": "m"}, CAMPAIGN, by_token=False)

    rendered = render({"subject": template, "body": f"<i>{template}"}, None, values)

    assert len(rendered.html) < MAX_RENDERED_LENGTH
    rendered.html.encode()
    assert rendered.subject.isprintable() or "\u200d" in rendered.subject
