"""Templates and views write in the language of the request."""

import datetime as dt
from collections.abc import Iterator
from dataclasses import replace

import pytest
from flask import Flask, render_template_string

from app import create_app
from blueprints.browser import translation
from blueprints.browser.translation import accepted_languages, language, use_language
from blueprints.http.context import EXTENSION
from osdi.settings import Settings

PEOPLE = "{{ ngettext('%(num)s person', '%(num)s people', count) }}"


@pytest.fixture(autouse=True)
def _request(app: Flask) -> Iterator[None]:
    with app.test_request_context(headers={"Accept-Language": "de-AT, fr;q=0.5, es;q=0, *;q=0.1"}):
        yield


@pytest.mark.parametrize(("tag", "written"), [("en", "Unsubscribe"), ("de-CH", "Abmelden"), ("xx", "Unsubscribe")])
def test_a_message_is_in_the_language_that_the_view_chose(tag: str, written: str) -> None:
    use_language(tag)

    assert render_template_string("{{ _('Unsubscribe') }}") == written
    assert render_template_string("{% trans %}Unsubscribe{% endtrans %}") == written
    assert translation.gettext("Unsubscribe") == written


def test_the_document_names_its_language_and_direction() -> None:
    use_language("fr")

    assert render_template_string("{{ lang }} {{ text_direction }}") == "fr ltr"


@pytest.mark.parametrize(
    ("tag", "count", "written"),
    [("en", 1, "1 person"), ("en", 0, "0 people"), ("en", 12_345, "12,345 people"), ("de", 12_345, "12.345 people")],
)
def test_the_number_in_a_plural_form_is_written_as_in_the_language(tag: str, count: int, written: str) -> None:
    use_language(tag)

    assert render_template_string(PEOPLE, count=count) == written
    block = "{% trans num=count %}{{ num }} person{% pluralize %}{{ num }} people{% endtrans %}"
    assert render_template_string(block, count=count) == written


def test_a_plural_form_can_have_a_context_and_another_number() -> None:
    text = "{{ npgettext('of signatures', '%(num)s of %(goal)s', '%(num)s of %(goal)s', 5000, goal=9000|number) }}"

    assert render_template_string(text) == "5,000 of 9,000"


def test_numbers_dates_and_lists_have_filters() -> None:
    use_language("de")
    moment = dt.datetime(2026, 11, 30, 22, 5)

    written = render_template_string(
        "{{ 1234.5|number }} | {{ at|date }} | {{ at|date('short') }} | {{ at|date_and_time }} | {{ items|listed }}",
        at=moment,
        items=["A", "<b>"],
    )

    assert written == "1.234,5 | 30. November 2026 | 30.11.26 | 30. November 2026, 22:05 | A und &lt;b&gt;"


def test_a_value_in_a_message_is_escaped_and_its_markup_is_not() -> None:
    text = "{% trans name=name %}Hello <b>{{ name }}</b>{% endtrans %}"

    assert render_template_string(text, name="<i>%(x)s") == "Hello <b>&lt;i&gt;%(x)s</b>"


def test_line_breaks_in_a_block_are_spaces() -> None:
    assert render_template_string("{% trans %}\n  Two\n  lines\n{% endtrans %}") == "Two lines"


def test_the_best_accepted_language_comes_first_and_an_unacceptable_one_is_left_out() -> None:
    assert accepted_languages() == ["de-AT", "fr", "*"]
    use_language(None, *accepted_languages())
    assert language() == "de"


def test_a_request_without_a_choice_has_the_language_of_the_deployment(settings: Settings) -> None:
    german = create_app(replace(settings, language="de"))
    with german.test_request_context():
        assert language() == "de"
        use_language("xx", None)
        assert language() == "de"
    german.extensions[EXTENSION].store.close()
